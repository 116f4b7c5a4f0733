#include "dtrain/model/model.h"

#include "dtrain/base/crc32.h"
#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"
#include "dtrain/io/file.h"
#include "dtrain/model/keras_model.h"
#include "dtrain/model/model_json.h"
#include "dtrain/model/onnx.h"
#include "model_file.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

const char *dt_model_find(char *out, size_t bytes, const char *path)
{
    (void)snprintf(out, bytes, dt_file_is_folder(path) ? "%s/model.h5" : "%s", path);
    return out;
}

/* ---- Keras's models ---- */

DT_MUST_USE static dt_status take_network(dt_network *out, const dt_keras_loaded *loaded)
{
    dt_status status = DT_OK;
    const dt_keras_model *keras = &loaded->model;
    const size_t D = (size_t)keras->inputs;
    dt_layer *layers = NULL;
    size_t count = 0;
    if (keras->layer_count >= DT_MODEL_LAYERS_MAX)
        return dt_fail(DT_DATA, "the model has %zu layers; expected at most %d", keras->layer_count,
                       DT_MODEL_LAYERS_MAX - 1);
    DT_TRY(dt_memory_alloc(&layers, keras->layer_count + 1, sizeof *layers, "layers"));
    if (keras->mean != NULL)
        layers[count++] = (dt_layer){.kind = &dt_layer_normalization};
    for (size_t l = 0; l < keras->layer_count; l++) /* for softmax, the network returns the
                                                     * logits */
        layers[count++] = keras->layers[l].layer;
    DT_TRY(dt_network_make(out, D, layers, count));
    /* Both have the same order: kernel and bias, layer by layer; mean, variance. */
    DT_ASSERT(out->P == loaded->parameter_count);
    memcpy(out->params, loaded->params, out->P * sizeof(float));
    if (keras->mean != NULL) {
        memcpy(out->constants + out->layers[0].mean, keras->mean, D * sizeof(float));
        memcpy(out->constants + out->layers[0].variance, keras->variance, D * sizeof(float));
    }
    DT_TRY(dt_network_set_loss(out, keras->loss, keras->loss_number, keras->scale));
out:
    dt_memory_free(layers);
    return status;
}

/* ---- saving ---- */

DT_MUST_USE static dt_status save_h5(const dt_model *model, bool for_keras, const char *path)
{
    dt_status status = DT_OK;
    dt_h5 *h5 = NULL;
    DT_TRY(dt_h5_new(&h5));
    if (for_keras)
        DT_TRY(dt_keras_model_write(model, h5));
    else
        DT_TRY(dt_keras_write_companions(h5, model));
    DT_TRY(dt_model_file_write(h5, model));
    DT_TRY(dt_h5_save(h5, path));
out:
    dt_h5_free(h5);
    return status;
}

dt_status dt_model_save(const dt_model *model, const char *path)
{
    const bool keras = dt_text_ends_in(path, ".keras"), onnx = dt_text_ends_in(path, ".onnx");
    const size_t networks = model->network.other_count + 1;
    const bool has_layers = dt_keras_has_layers(&model->network);
    if (networks > 1 && (keras || onnx))
        return dt_fail(
            DT_USAGE,
            "%s: this format cannot have the %zu networks of an ensemble; export to .h5, "
            "which only dtrain reads, or to .npz",
            path, networks);
    if (keras && !has_layers)
        return dt_fail(
            DT_USAGE,
            "%s: Keras has no layer for the sines and cosines of --numeric-embedding periodic; "
            "export to .onnx, to .npz, or to .h5, which only dtrain reads",
            path);
    if (keras)
        return dt_keras_archive_save(model, path);
    if (onnx)
        return dt_onnx_save(model, path);
    if (networks > 1)
        dt_log_warn("%s: only dtrain opens it: it has the %zu networks of an ensemble", path,
                    networks);
    else if (!has_layers)
        dt_log_warn("%s: only dtrain opens it: Keras has no layer for the sines and cosines of "
                    "--numeric-embedding periodic",
                    path);
    return save_h5(model, networks == 1 && has_layers, path);
}

/* ---- reading ---- */

/* Converts a Keras model, or the file of an older dtrain. */
DT_MUST_USE static dt_status take_keras(dt_model *out, dt_keras_loaded *loaded)
{
    dt_status status = DT_OK;
    DT_TRY(take_network(&out->network, loaded));
    /* The rest is moved. */
    out->optimizer = loaded->model.optimizer;
    loaded->model.optimizer = (dt_optimizer){0};
    out->recipe_json = loaded->recipe_json;
    loaded->recipe_json = NULL;
    out->class_names = loaded->class_names.texts;
    out->class_name_count = loaded->class_names.count;
    loaded->class_names = (dt_h5_names){0};
    memcpy(out->left_out, loaded->left_out, sizeof out->left_out);
    memcpy(out->predicts_only, loaded->predicts_only, sizeof out->predicts_only);
out:
    return status;
}

DT_MUST_USE static dt_status read_own(dt_model *out, dt_h5 *h5, const char *path)
{
    dt_status status = DT_OK;
    dt_h5_names names = {0};
    DT_TRY(dt_model_file_read(out, h5, path));
    DT_TRY(dt_keras_read_companions(&out->recipe_json, &names, h5, out->network.C, path));
    out->class_names = names.texts;
    out->class_name_count = names.count;
    DT_TRY(dt_h5_check(h5));
out:
    return status;
}

dt_status dt_model_read(dt_model *out, const char *path)
{
    dt_status status = DT_OK;
    dt_keras_loaded loaded = {0};
    dt_h5 *h5 = NULL;
    *out = (dt_model){0};
    if (!dt_keras_is_archive(path))
        DT_TRY(dt_h5_open(&h5, path));
    if (h5 != NULL && dt_model_file_is(h5)) {
        DT_TRY(read_own(out, h5, path));
    } else {
        if (h5 != NULL)
            DT_TRY(dt_keras_model_read(&loaded, h5, path));
        else
            DT_TRY(dt_keras_archive_load(&loaded, path));
        DT_TRY(take_keras(out, &loaded));
    }
out:
    dt_keras_loaded_clear(&loaded);
    dt_h5_free(h5);
    if (status != DT_OK)
        dt_model_clear(out);
    return status;
}

void dt_model_clear(dt_model *model)
{
    dt_network_clear(&model->network);
    dt_optimizer_clear(&model->optimizer);
    dt_memory_free(model->recipe_json);
    dt_memory_free_texts(model->class_names, model->class_name_count);
    *model = (dt_model){0};
}

uint32_t dt_model_state_crc(const dt_model *model)
{
    const dt_network *network = &model->network;
    const dt_optimizer *optimizer = &model->optimizer;
    const double step = (double)optimizer->step;
    uint32_t crc = 0;
    for (size_t i = 0; i < optimizer->kind->number_count; i++) /* older logs know of no flags */
        if (!optimizer->kind->numbers[i].is_flag || optimizer->numbers[i] > 0.0)
            crc = dt_crc32(crc, &optimizer->numbers[i], sizeof *optimizer->numbers);
    crc = dt_crc32(crc, &step, sizeof step);
    if (network->constant_count > 0)
        crc = dt_crc32(crc, network->constants, network->constant_count * sizeof(float));
    for (size_t s = 0; optimizer->P > 0 && s < optimizer->kind->state_count; s++)
        crc = dt_crc32(crc, optimizer->states[s], optimizer->P * sizeof(float));
    return crc;
}

/* ---- from rank 0 to all ---- */

/* The numbers that the other ranks need before they can allocate, and other plain data. */
typedef struct facts {
    uint64_t json_bytes, recipe_bytes; /* with their NUL; 0: none */
    uint64_t name_count, name_bytes; /* with a NUL after each */
    char left_out[256], predicts_only[160];
} facts;

static facts gather_facts(const dt_model *model, const char *json)
{
    facts f = {.json_bytes = strlen(json) + 1, .name_count = model->class_name_count};
    f.recipe_bytes = model->recipe_json != NULL ? strlen(model->recipe_json) + 1 : 0;
    for (size_t i = 0; i < model->class_name_count; i++)
        f.name_bytes += strlen(model->class_names[i]) + 1;
    memcpy(f.left_out, model->left_out, sizeof f.left_out);
    memcpy(f.predicts_only, model->predicts_only, sizeof f.predicts_only);
    return f;
}

/* A text that rank 0 has, `bytes` long with its NUL; the others allocate it. */
DT_MUST_USE static dt_status share_text(char **text, const dt_comm *comm, size_t bytes)
{
    dt_status status = DT_OK;
    if (bytes == 0)
        return DT_OK;
    if (dt_comm_rank(comm) != 0)
        status = dt_memory_alloc(text, bytes, 1, "a text of the model");
    status = dt_comm_agree(comm, status);
    if (status == DT_OK)
        dt_comm_broadcast(comm, *text, bytes);
    return status;
}

static void share_floats(float *values, const dt_comm *comm, size_t count)
{
    if (count > 0)
        dt_comm_broadcast(comm, values, count * sizeof *values);
}

/* The other ranks build network and optimizer from the same JSON text as in a file. */
DT_MUST_USE static dt_status make_from_json(dt_model *out, const char *json)
{
    dt_status status = DT_OK;
    bool has_state = false;
    DT_TRY(dt_model_json_read(&out->network, &out->optimizer, &has_state, json, "the model"));
    DT_TRY(dt_network_allocate(&out->network));
    if (has_state)
        DT_TRY(dt_optimizer_allocate(&out->optimizer, out->network.P));
out:
    return status;
}

DT_MUST_USE static dt_status share_numbers(dt_model *model, const dt_comm *comm, char **json,
                                           size_t json_bytes)
{
    dt_status status = DT_OK;
    const dt_network *network = &model->network;
    const dt_optimizer *optimizer = &model->optimizer;
    const bool root = dt_comm_rank(comm) == 0;
    DT_TRY(share_text(json, comm, json_bytes));
    DT_TRY(dt_comm_agree(comm, root ? DT_OK : make_from_json(model, *json)));
    share_floats(network->constants, comm, network->constant_count);
    share_floats(network->params, comm, network->P);
    for (size_t m = 0; m < network->other_count; m++)
        share_floats(network->others[m].params, comm, network->P);
    for (size_t s = 0; s < optimizer->kind->state_count; s++)
        share_floats(optimizer->states[s], comm, optimizer->P);
out:
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
    char *json = NULL;
    *out = (dt_model){0};
    if (root)
        status = dt_model_read(out, path);
    if (root && status == DT_OK)
        status = dt_model_json_write(&json, &out->network, &out->optimizer);
    DT_TRY(dt_comm_agree(comm, status));
    if (root)
        f = gather_facts(out, json);
    dt_comm_broadcast(comm, &f, sizeof f);
    memcpy(out->left_out, f.left_out, sizeof out->left_out);
    memcpy(out->predicts_only, f.predicts_only, sizeof out->predicts_only);
    DT_TRY(share_numbers(out, comm, &json, (size_t)f.json_bytes));
    DT_TRY(share_text(&out->recipe_json, comm, (size_t)f.recipe_bytes));
    DT_TRY(share_names(out, comm, &f));
out:
    dt_memory_free(json);
    if (status != DT_OK)
        dt_model_clear(out);
    return status;
}
