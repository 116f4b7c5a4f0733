#include "dtrain/model/model.h"

#include "dtrain/base/crc32.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"
#include "dtrain/model/keras_model.h"
#include "dtrain/model/onnx.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

const char *dt_model_find(char *out, size_t bytes, const char *path)
{
    struct stat found;
    const bool folder = stat(path, &found) == 0 && S_ISDIR(found.st_mode);
    (void)snprintf(out, bytes, folder ? "%s/model.h5" : "%s", path);
    return out;
}

/* ---- saving ---- */

/* The dense layers; returns their number. */
static size_t describe_layers(dt_keras_layer *out, const dt_network *network)
{
    size_t count = 0;
    for (const dt_layer *layer; (layer = dt_network_dense(network, count)) != NULL; count++)
        out[count] = (dt_keras_layer){.units = layer->H,
                                      .activation = dt_activation_name(layer->activation),
                                      .kernel = network->params + layer->kernel,
                                      .bias = network->params + layer->bias};
    out[count - 1].activation = "softmax";
    return count;
}

dt_status dt_model_save(const dt_model *model, const char *path)
{
    dt_status status = DT_OK;
    dt_keras_layer *layers = NULL;
    const dt_network *network = &model->network;
    const dt_optimizer *adam = &model->optimizer;
    DT_ASSERT(model->class_name_count == 0 || model->class_name_count == network->C);
    DT_TRY(dt_memory_alloc(&layers, network->layer_count, sizeof *layers, "layers"));
    const size_t layer_count = describe_layers(layers, network);
    const dt_keras_model keras = {.inputs = network->D,
                                  .layer_count = layer_count,
                                  .layers = layers,
                                  .learning_rate = adam->learning_rate,
                                  .beta_1 = adam->numbers[0],
                                  .beta_2 = adam->numbers[1],
                                  .epsilon = adam->numbers[2],
                                  .mean = model->normalization.mean,
                                  .variance = model->normalization.variance,
                                  .iterations = adam->states[0] != NULL ? adam->step : 0,
                                  .adam_m = adam->states[0],
                                  .adam_v = adam->states[1],
                                  .recipe_json = model->recipe_json,
                                  .class_names = (const char *const *)model->class_names,
                                  .class_name_count = model->class_name_count};
    if (dt_text_ends_in(path, ".keras"))
        status = dt_keras_archive_save(&keras, path);
    else if (dt_text_ends_in(path, ".onnx"))
        status = dt_onnx_save(&keras, path);
    else
        status = dt_keras_model_save(&keras, path);
out:
    dt_memory_free(layers);
    return status;
}

/* ---- reading ---- */

static dt_activation activation_of(const char *name)
{
    for (dt_activation a = DT_ACTIVATION_RELU; a < DT_ACTIVATION_LINEAR; a++)
        if (strcmp(name, dt_activation_name(a)) == 0)
            return a;
    return DT_ACTIVATION_LINEAR; /* also the last layer's, which gives the logits of its softmax */
}

DT_MUST_USE static dt_status take_network(dt_network *out, const dt_keras_loaded *loaded)
{
    dt_status status = DT_OK;
    const dt_keras_model *keras = &loaded->model;
    size_t *widths = NULL;
    dt_activation *activations = NULL;
    DT_TRY(dt_memory_alloc(&widths, keras->layer_count + 1, sizeof *widths, "layers"));
    DT_TRY(dt_memory_alloc(&activations, keras->layer_count, sizeof *activations, "layers"));
    widths[0] = (size_t)keras->inputs;
    for (size_t l = 0; l < keras->layer_count; l++) {
        widths[l + 1] = (size_t)keras->layers[l].units;
        activations[l] = activation_of(keras->layers[l].activation);
    }
    DT_TRY(dt_network_make(out, widths, activations, keras->layer_count));
    /* Both stand in the same order: kernel and bias, layer by layer. */
    DT_ASSERT(out->P == loaded->parameter_count);
    memcpy(out->params, loaded->params, out->P * sizeof(float));
out:
    dt_memory_free(activations);
    dt_memory_free(widths);
    return status;
}

DT_MUST_USE static dt_status take_adam(dt_optimizer *out, const dt_keras_model *keras, size_t P)
{
    dt_status status = DT_OK;
    DT_TRY(dt_optimizer_init(out, &dt_adam, keras->adam_m != NULL ? P : 0, keras->learning_rate));
    if (keras->adam_m != NULL) {
        memcpy(out->states[0], keras->adam_m, P * sizeof(float));
        memcpy(out->states[1], keras->adam_v, P * sizeof(float));
        out->step = keras->iterations;
    }
    out->numbers[0] = keras->beta_1;
    out->numbers[1] = keras->beta_2;
    out->numbers[2] = keras->epsilon;
out:
    return status;
}

dt_status dt_model_read(dt_model *out, const char *path)
{
    dt_status status = DT_OK;
    dt_keras_loaded loaded = {0};
    *out = (dt_model){0};
    DT_TRY(dt_keras_model_load(&loaded, path));
    const dt_keras_model *keras = &loaded.model;
    DT_TRY(take_network(&out->network, &loaded));
    DT_TRY(take_adam(&out->optimizer, keras, out->network.P));
    if (keras->mean != NULL)
        DT_TRY(dt_normalization_init(&out->normalization, out->network.D, keras->mean,
                                     keras->variance));
    /* The texts change hands. */
    out->recipe_json = loaded.recipe_json;
    loaded.recipe_json = NULL;
    out->class_names = loaded.class_names.texts;
    out->class_name_count = loaded.class_names.count;
    loaded.class_names = (dt_h5_names){0};
    memcpy(out->left_out, loaded.left_out, sizeof out->left_out);
    memcpy(out->no_bias, loaded.no_bias, sizeof out->no_bias);
out:
    dt_keras_loaded_clear(&loaded);
    if (status != DT_OK)
        dt_model_clear(out);
    return status;
}

void dt_model_clear(dt_model *model)
{
    dt_network_clear(&model->network);
    dt_normalization_clear(&model->normalization);
    dt_optimizer_clear(&model->optimizer);
    dt_memory_free(model->recipe_json);
    for (size_t i = 0; i < model->class_name_count; i++)
        dt_memory_free(model->class_names[i]);
    dt_memory_free(model->class_names);
    *model = (dt_model){0};
}

uint32_t dt_model_state_crc(const dt_model *model)
{
    const dt_normalization *n = &model->normalization;
    const dt_optimizer *adam = &model->optimizer;
    const double numbers[] = {adam->numbers[0], adam->numbers[1], adam->numbers[2],
                              (double)adam->step};
    uint32_t crc = dt_crc32(0, numbers, sizeof numbers);
    if (n->D > 0) {
        crc = dt_crc32(crc, n->mean, n->D * sizeof *n->mean);
        crc = dt_crc32(crc, n->variance, n->D * sizeof *n->variance);
    }
    if (adam->states[0] != NULL) {
        crc = dt_crc32(crc, adam->states[0], adam->P * sizeof *adam->states[0]);
        crc = dt_crc32(crc, adam->states[1], adam->P * sizeof *adam->states[1]);
    }
    return crc;
}

/* ---- from rank 0 to all ---- */

/* What the other ranks have to know before they can allocate, and what takes no allocation. */
typedef struct facts {
    uint64_t layer_count;
    uint64_t normalized; /* D, or 0 */
    uint64_t recipe_bytes; /* with its NUL; 0: none */
    uint64_t name_count, name_bytes; /* with a NUL after each */
    bool has_moments;
    dt_optimizer adam; /* but for its moments */
    char left_out[256], no_bias[64];
} facts;

static facts gather_facts(const dt_model *model)
{
    facts f = {.layer_count = model->network.layer_count,
               .normalized = model->normalization.D,
               .name_count = model->class_name_count,
               .has_moments = model->optimizer.states[0] != NULL,
               .adam = model->optimizer};
    f.recipe_bytes = model->recipe_json != NULL ? strlen(model->recipe_json) + 1 : 0;
    for (size_t i = 0; i < model->class_name_count; i++)
        f.name_bytes += strlen(model->class_names[i]) + 1;
    memcpy(f.left_out, model->left_out, sizeof f.left_out);
    memcpy(f.no_bias, model->no_bias, sizeof f.no_bias);
    return f;
}

DT_MUST_USE static dt_status share_network(dt_network *network, const dt_comm *comm,
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
    for (size_t l = 0; root && l < layer_count; l++) {
        widths[l] = network->layers[l].D;
        widths[l + 1] = network->layers[l].H;
        activations[l] = network->layers[l].activation;
    }
    dt_comm_broadcast(comm, widths, (layer_count + 1) * sizeof *widths);
    dt_comm_broadcast(comm, activations, layer_count * sizeof *activations);
    if (!root)
        status = dt_network_make(network, widths, activations, layer_count);
    DT_TRY(dt_comm_agree(comm, status));
    dt_comm_broadcast(comm, network->params, network->P * sizeof(float));
out:
    dt_memory_free(activations);
    dt_memory_free(widths);
    return status;
}

DT_MUST_USE static dt_status share_adam(dt_optimizer *adam, const dt_comm *comm, const facts *f,
                                        size_t P)
{
    dt_status status = DT_OK;
    const bool root = dt_comm_rank(comm) == 0;
    if (!root) {
        status = dt_optimizer_init(adam, &dt_adam, f->has_moments ? P : 0, f->adam.learning_rate);
        memcpy(adam->numbers, f->adam.numbers, sizeof adam->numbers);
        adam->step = f->adam.step;
    }
    DT_TRY(dt_comm_agree(comm, status));
    if (f->has_moments) {
        dt_comm_broadcast(comm, adam->states[0], P * sizeof(float));
        dt_comm_broadcast(comm, adam->states[1], P * sizeof(float));
    }
out:
    return status;
}

DT_MUST_USE static dt_status share_normalization(dt_normalization *normalization,
                                                 const dt_comm *comm, size_t D)
{
    dt_status status = DT_OK;
    const bool root = dt_comm_rank(comm) == 0;
    float *both = NULL; /* mean, then variance */
    if (D == 0)
        return DT_OK;
    DT_TRY(dt_comm_agree(comm, dt_memory_alloc(&both, 2 * D, sizeof *both, "normalization")));
    if (root) {
        memcpy(both, normalization->mean, D * sizeof *both);
        memcpy(both + D, normalization->variance, D * sizeof *both);
    }
    dt_comm_broadcast(comm, both, 2 * D * sizeof *both);
    if (!root)
        status = dt_normalization_init(normalization, D, both, both + D);
    status = dt_comm_agree(comm, status);
out:
    dt_memory_free(both);
    return status;
}

DT_MUST_USE static dt_status share_recipe(char **recipe, const dt_comm *comm, size_t bytes)
{
    dt_status status = DT_OK;
    if (bytes == 0)
        return DT_OK;
    if (dt_comm_rank(comm) != 0)
        status = dt_memory_alloc(recipe, bytes, 1, "the model's recipe");
    status = dt_comm_agree(comm, status);
    if (status == DT_OK)
        dt_comm_broadcast(comm, *recipe, bytes);
    return status;
}

static void pack_names(char *out, const dt_model *model)
{
    for (size_t i = 0; i < model->class_name_count; i++) {
        const size_t bytes = strlen(model->class_names[i]) + 1;
        memcpy(out, model->class_names[i], bytes);
        out += bytes;
    }
}

DT_MUST_USE static dt_status unpack_names(dt_model *out, const char *packed, size_t count)
{
    dt_status status = DT_OK;
    DT_TRY(dt_memory_alloc(&out->class_names, count, sizeof(char *), "class names"));
    for (size_t i = 0; i < count; i++) {
        DT_TRY(dt_memory_copy_text(&out->class_names[i], packed));
        out->class_name_count++;
        packed += strlen(packed) + 1;
    }
out:
    return status;
}

DT_MUST_USE static dt_status share_names(dt_model *model, const dt_comm *comm, const facts *f)
{
    dt_status status = DT_OK;
    const bool root = dt_comm_rank(comm) == 0;
    char *packed = NULL;
    const size_t bytes = (size_t)f->name_bytes, count = (size_t)f->name_count;
    if (count == 0)
        return DT_OK;
    DT_TRY(dt_comm_agree(comm, dt_memory_alloc(&packed, bytes, 1, "class names")));
    if (root)
        pack_names(packed, model);
    dt_comm_broadcast(comm, packed, bytes);
    if (!root)
        status = unpack_names(model, packed, count);
    status = dt_comm_agree(comm, status);
out:
    dt_memory_free(packed);
    return status;
}

dt_status dt_model_load(dt_model *out, const dt_comm *comm, const char *path)
{
    dt_status status = DT_OK;
    const bool root = dt_comm_rank(comm) == 0;
    facts f = {0};
    *out = (dt_model){0};
    DT_TRY(dt_comm_agree(comm, root ? dt_model_read(out, path) : DT_OK));
    if (root)
        f = gather_facts(out);
    dt_comm_broadcast(comm, &f, sizeof f);
    memcpy(out->left_out, f.left_out, sizeof out->left_out);
    memcpy(out->no_bias, f.no_bias, sizeof out->no_bias);
    DT_TRY(share_network(&out->network, comm, (size_t)f.layer_count));
    DT_TRY(share_adam(&out->optimizer, comm, &f, out->network.P));
    DT_TRY(share_normalization(&out->normalization, comm, (size_t)f.normalized));
    DT_TRY(share_recipe(&out->recipe_json, comm, (size_t)f.recipe_bytes));
    DT_TRY(share_names(out, comm, &f));
out:
    if (status != DT_OK)
        dt_model_clear(out);
    return status;
}
