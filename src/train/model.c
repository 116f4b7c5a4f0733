#include "dtrain/train/model.h"

#include "dtrain/base/memory.h"
#include "dtrain/io/keras_model.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* ---- saving ---- */

DT_MUST_USE static dt_status write_network(dt_h5 *h5, const dt_network *network,
                                           double learning_rate)
{
    dt_status status = DT_OK;
    dt_keras_layer *layers = NULL;
    DT_TRY(dt_memory_alloc(&layers, network->layer_count, sizeof *layers, "layers"));
    for (size_t l = 0; l < network->layer_count; l++) {
        const dt_layer *layer = &network->layers[l];
        const bool last = l + 1 == network->layer_count;
        layers[l] =
            (dt_keras_layer){.units = layer->H,
                             .activation = last ? "softmax" : dt_activation_name(layer->activation),
                             .kernel = network->params + layer->kernel,
                             .bias = network->params + layer->bias};
    }
    const dt_keras_model keras = {.inputs = network->D,
                                  .layer_count = network->layer_count,
                                  .layers = layers,
                                  .learning_rate = learning_rate,
                                  .beta_1 = 0.9,
                                  .beta_2 = 0.999,
                                  .epsilon = 1e-7};
    DT_TRY(dt_keras_model_write(&keras, h5));
out:
    dt_memory_free(layers);
    return status;
}

dt_status dt_model_save(const dt_model *model, double learning_rate, const char *path)
{
    dt_status status = DT_OK;
    dt_h5 *h5 = NULL;
    const size_t names = model->class_name_count;
    DT_ASSERT(names == 0 || names == model->network.C);
    DT_TRY(dt_h5_new(&h5));
    DT_TRY(write_network(h5, &model->network, learning_rate));
    if (model->recipe_json != NULL)
        DT_TRY(dt_h5_set_text(h5, "/", DT_MODEL_RECIPE, model->recipe_json));
    if (names > 0 && names <= DT_H5_TEXTS_MAX)
        DT_TRY(dt_h5_set_texts(h5, "/", DT_MODEL_CLASSES, (const char *const *)model->class_names,
                               names));
    DT_TRY(dt_h5_save(h5, path));
out:
    dt_h5_free(h5);
    return status;
}

/* ---- loading ---- */

/* What rank 0 read. */
typedef struct source {
    dt_keras_loaded keras;
    char *recipe_json;
    dt_h5_names names;
} source;

static void clear_source(source *s)
{
    dt_keras_loaded_clear(&s->keras);
    dt_memory_free(s->recipe_json);
    dt_h5_names_clear(&s->names);
}

DT_MUST_USE static dt_status read_source(source *out, const char *path)
{
    dt_status status = DT_OK;
    dt_h5 *h5 = NULL;
    DT_TRY(dt_h5_open(&h5, path));
    DT_TRY(dt_keras_model_read(&out->keras, h5, path));
    if (dt_h5_has_attribute(h5, "/", DT_MODEL_RECIPE))
        DT_TRY(dt_h5_get_text(&out->recipe_json, h5, "/", DT_MODEL_RECIPE));
    if (dt_h5_has_attribute(h5, "/", DT_MODEL_CLASSES))
        DT_TRY(dt_h5_get_texts(&out->names, h5, "/", DT_MODEL_CLASSES));
    const dt_keras_model *model = &out->keras.model;
    const uint64_t C = model->layers[model->layer_count - 1].units;
    if (out->names.count > 0 && out->names.count != C)
        DT_TRY(dt_fail(DT_DATA, "%s: %s holds %zu names, expected one for each of the %llu classes",
                       path, DT_MODEL_CLASSES, out->names.count, (unsigned long long)C));
out:
    dt_h5_free(h5);
    return status;
}

/* What the other ranks have to know before they can allocate. */
typedef struct sizes {
    uint64_t layer_count;
    uint64_t recipe_bytes; /* with its NUL; 0: none */
    uint64_t name_count, name_bytes; /* with a NUL after each */
} sizes;

static sizes measure(const source *s)
{
    sizes n = {.layer_count = s->keras.model.layer_count, .name_count = s->names.count};
    n.recipe_bytes = s->recipe_json != NULL ? strlen(s->recipe_json) + 1 : 0;
    for (size_t i = 0; i < s->names.count; i++)
        n.name_bytes += strlen(s->names.texts[i]) + 1;
    return n;
}

static dt_activation activation_of(const char *name)
{
    for (dt_activation a = DT_ACTIVATION_RELU; a < DT_ACTIVATION_LINEAR; a++)
        if (strcmp(name, dt_activation_name(a)) == 0)
            return a;
    return DT_ACTIVATION_LINEAR; /* also the last layer's, which gives the logits of its softmax */
}

static void describe_layers(size_t *widths, dt_activation *activations, const dt_keras_model *model)
{
    widths[0] = (size_t)model->inputs;
    for (size_t l = 0; l < model->layer_count; l++) {
        widths[l + 1] = (size_t)model->layers[l].units;
        activations[l] = activation_of(model->layers[l].activation);
    }
}

DT_MUST_USE static dt_status share_network(dt_network *out, const dt_comm *comm, const source *s,
                                           size_t layer_count)
{
    dt_status status = DT_OK;
    const bool root = dt_comm_rank(comm) == 0;
    size_t *widths = NULL;
    dt_activation *activations = NULL;
    status = dt_memory_alloc(&widths, layer_count + 1, sizeof *widths, "layers");
    if (status == DT_OK)
        status = dt_memory_alloc(&activations, layer_count, sizeof *activations, "layers");
    DT_TRY(dt_comm_agree(comm, status));
    if (root)
        describe_layers(widths, activations, &s->keras.model);
    dt_comm_broadcast(comm, widths, (layer_count + 1) * sizeof *widths);
    dt_comm_broadcast(comm, activations, layer_count * sizeof *activations);
    DT_TRY(dt_comm_agree(comm, dt_network_make(out, widths, activations, layer_count)));
    /* Both stand in the same order: kernel and bias, layer by layer. */
    if (root) {
        DT_ASSERT(out->P == s->keras.parameter_count);
        memcpy(out->params, s->keras.params, out->P * sizeof(float));
    }
    dt_comm_broadcast(comm, out->params, out->P * sizeof(float));
out:
    dt_memory_free(activations);
    dt_memory_free(widths);
    return status;
}

DT_MUST_USE static dt_status share_recipe(char **out, const dt_comm *comm, const char *recipe,
                                          size_t bytes)
{
    if (bytes == 0)
        return DT_OK;
    dt_status status = dt_comm_agree(comm, dt_memory_alloc(out, bytes, 1, "the model's recipe"));
    if (status != DT_OK)
        return status;
    if (recipe != NULL)
        memcpy(*out, recipe, bytes);
    dt_comm_broadcast(comm, *out, bytes);
    return DT_OK;
}

static void pack_names(char *out, const dt_h5_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        const size_t bytes = strlen(names->texts[i]) + 1;
        memcpy(out, names->texts[i], bytes);
        out += bytes;
    }
}

DT_MUST_USE static dt_status unpack_names(dt_model *out, const char *packed, size_t count)
{
    dt_status status = DT_OK;
    for (size_t i = 0; i < count; i++) {
        DT_TRY(dt_memory_copy_text(&out->class_names[i], packed));
        out->class_name_count++;
        packed += strlen(packed) + 1;
    }
out:
    return status;
}

DT_MUST_USE static dt_status share_names(dt_model *out, const dt_comm *comm, const source *s,
                                         const sizes *n)
{
    dt_status status = DT_OK;
    char *packed = NULL;
    const size_t bytes = (size_t)n->name_bytes, count = (size_t)n->name_count;
    if (count == 0)
        return DT_OK;
    status = dt_memory_alloc(&packed, bytes, 1, "class names");
    if (status == DT_OK)
        status = dt_memory_alloc(&out->class_names, count, sizeof(char *), "class names");
    DT_TRY(dt_comm_agree(comm, status));
    pack_names(packed, &s->names);
    dt_comm_broadcast(comm, packed, bytes);
    DT_TRY(dt_comm_agree(comm, unpack_names(out, packed, count)));
out:
    dt_memory_free(packed);
    return status;
}

dt_status dt_model_load(dt_model *out, const dt_comm *comm, const char *path)
{
    dt_status status = DT_OK;
    source s = {0}; /* stays so but on rank 0 */
    sizes n = {0};
    *out = (dt_model){0};
    if (dt_comm_rank(comm) == 0)
        status = read_source(&s, path);
    DT_TRY(dt_comm_agree(comm, status));
    if (dt_comm_rank(comm) == 0)
        n = measure(&s);
    dt_comm_broadcast(comm, &n, sizeof n);
    DT_TRY(share_network(&out->network, comm, &s, (size_t)n.layer_count));
    DT_TRY(share_recipe(&out->recipe_json, comm, s.recipe_json, (size_t)n.recipe_bytes));
    DT_TRY(share_names(out, comm, &s, &n));
out:
    clear_source(&s);
    if (status != DT_OK)
        dt_model_clear(out);
    return status;
}

void dt_model_clear(dt_model *model)
{
    dt_network_clear(&model->network);
    dt_memory_free(model->recipe_json);
    for (size_t i = 0; i < model->class_name_count; i++)
        dt_memory_free(model->class_names[i]);
    dt_memory_free(model->class_names);
    *model = (dt_model){0};
}
