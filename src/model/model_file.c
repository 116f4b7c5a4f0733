#include "model_file.h"

#include "dtrain/base/memory.h"
#include "dtrain/model/model_json.h"
#include "model_arrays.h"

#include <inttypes.h>
#include <stdio.h>

enum { FORMAT_VERSION = 1, PATH_BYTES = 256 };

static const char group[] = "/dtrain";

/* ---- where things are ---- */

/* Of network m of an ensemble. */
static const char *tensor_path(char out[PATH_BYTES], const dt_network *network,
                               const dt_tensor *tensor, size_t m)
{
    char layer[PATH_BYTES / 2], other[PATH_BYTES / 4] = "";
    dt_network_print_layer(layer, sizeof layer, network, tensor->layer);
    if (m > 0)
        (void)snprintf(other, sizeof other, "/others/%zu", m);
    (void)snprintf(out, PATH_BYTES, "%s%s/tensors/%s/%s", group, other, layer, tensor->name);
    return out;
}

/* The same tensor in the Keras part. */
static const char *keras_path(char out[PATH_BYTES], const dt_network *network,
                              const dt_tensor *tensor)
{
    char layer[PATH_BYTES / 4];
    dt_network_print_layer(layer, sizeof layer, network, tensor->layer);
    (void)snprintf(out, PATH_BYTES, "/model_weights/%s/%s/%s:0", layer, layer, tensor->name);
    return out;
}

static const char *state_path(char out[PATH_BYTES], const dt_optimizer *optimizer, size_t state)
{
    (void)snprintf(out, PATH_BYTES, "%s/optimizer/%s", group, optimizer->kind->states[state]);
    return out;
}

/* ---- writing ---- */

DT_MUST_USE static dt_status write_tensor(dt_h5 *h5, const dt_network *network,
                                          const dt_tensor *tensor, size_t m, const float *values)
{
    char path[PATH_BYTES], there[PATH_BYTES];
    (void)tensor_path(path, network, tensor, m);
    if (m == 0 && dt_h5_has(h5, keras_path(there, network, tensor)) == DT_H5_DATASET)
        return dt_h5_link(h5, there, path);
    return dt_model_tensor_write(h5, path, tensor, values);
}

dt_status dt_model_file_write(dt_h5 *h5, const dt_model *model)
{
    dt_status status = DT_OK;
    const dt_network *network = &model->network;
    const dt_optimizer *optimizer = &model->optimizer;
    const uint64_t parameters = network->P;
    char *json = NULL;
    char path[PATH_BYTES];
    DT_TRY(dt_model_json_write(&json, network, optimizer));
    DT_TRY(dt_h5_make_group(h5, group));
    DT_TRY(dt_h5_set_int(h5, group, "format_version", FORMAT_VERSION));
    DT_TRY(dt_h5_set_text(h5, group, "model", json));
    for (size_t t = 0; t < network->constant_tensor_count; t++) {
        const dt_tensor *tensor = &network->constant_tensors[t];
        DT_TRY(write_tensor(h5, network, tensor, 0, network->constants + tensor->first));
    }
    for (size_t m = 0; m <= network->other_count; m++)
        for (size_t t = 0; t < network->tensor_count; t++) {
            const dt_tensor *tensor = &network->tensors[t];
            const float *params = dt_network_member(network, m)->params;
            DT_TRY(write_tensor(h5, network, tensor, m, params + tensor->first));
        }
    for (size_t s = 0; optimizer->P > 0 && s < optimizer->kind->state_count; s++)
        DT_TRY(dt_h5_write_array(h5, state_path(path, optimizer, s), DT_H5_F32, 1, &parameters,
                                 optimizer->states[s]));
out:
    dt_memory_free(json);
    return status;
}

/* ---- reading ---- */

bool dt_model_file_is(dt_h5 *h5)
{
    return dt_h5_has_attribute(h5, group, "format_version");
}

DT_MUST_USE static dt_status check_tensors(dt_model_arrays *in, const dt_network *network,
                                           const dt_tensor *tensors, size_t count, size_t m)
{
    dt_status status = DT_OK;
    char path[PATH_BYTES];
    for (size_t t = 0; t < count; t++) {
        const uint64_t shape[2] = {tensors[t].dims[0], tensors[t].dims[1]};
        DT_TRY(dt_model_arrays_check(in, tensor_path(path, network, &tensors[t], m),
                                     dt_model_tensor_dims(&tensors[t]), shape));
    }
out:
    return status;
}

DT_MUST_USE static dt_status read_array(float *out, const dt_model_arrays *in, const char *dataset,
                                        size_t count, bool non_negative)
{
    dt_status status = DT_OK;
    DT_TRY(dt_model_arrays_read(in, out, dataset, count));
    for (size_t i = 0; non_negative && i < count; i++)
        if (out[i] < 0.0f)
            DT_TRY(dt_fail(DT_DATA, "%s: %s: number %zu is %g; expected 0 or a positive number",
                           in->path, dataset, i, (double)out[i]));
out:
    return status;
}

DT_MUST_USE static dt_status read_tensors(const dt_model_arrays *in, float *values,
                                          const dt_network *network, const dt_tensor *tensors,
                                          size_t count, size_t m)
{
    dt_status status = DT_OK;
    char path[PATH_BYTES];
    for (size_t t = 0; t < count; t++)
        DT_TRY(read_array(values + tensors[t].first, in, tensor_path(path, network, &tensors[t], m),
                          tensors[t].count, tensors[t].non_negative));
out:
    return status;
}

DT_MUST_USE static dt_status read_states(dt_model_arrays *in, dt_optimizer *optimizer, size_t P)
{
    dt_status status = DT_OK;
    const dt_optimizer_kind *kind = optimizer->kind;
    const uint64_t parameters = P;
    char path[PATH_BYTES];
    for (size_t s = 0; s < kind->state_count; s++)
        DT_TRY(dt_model_arrays_check(in, state_path(path, optimizer, s), 1, &parameters));
    DT_TRY(dt_optimizer_allocate(optimizer, P));
    for (size_t s = 0; s < kind->state_count; s++)
        DT_TRY(read_array(optimizer->states[s], in, state_path(path, optimizer, s), P,
                          kind->non_negative[s]));
out:
    return status;
}

/* All arrays are checked before memory is allocated for them. */
DT_MUST_USE static dt_status read_arrays(dt_model *out, dt_model_arrays *in, bool has_state)
{
    dt_status status = DT_OK;
    dt_network *network = &out->network;
    DT_TRY(
        check_tensors(in, network, network->constant_tensors, network->constant_tensor_count, 0));
    for (size_t m = 0; m <= network->other_count; m++)
        DT_TRY(check_tensors(in, network, network->tensors, network->tensor_count, m));
    DT_TRY(dt_network_allocate(network));
    DT_TRY(read_tensors(in, network->constants, network, network->constant_tensors,
                        network->constant_tensor_count, 0));
    if (dt_network_check_constants(network) != DT_OK)
        DT_TRY(dt_fail(DT_DATA, "%s: %s", in->path, dt_status_text()));
    for (size_t m = 0; m <= network->other_count; m++)
        DT_TRY(read_tensors(in, m == 0 ? network->params : network->others[m - 1].params, network,
                            network->tensors, network->tensor_count, m));
    if (has_state)
        DT_TRY(read_states(in, &out->optimizer, network->P));
out:
    return status;
}

dt_status dt_model_file_read(dt_model *out, dt_h5 *h5, const char *path)
{
    dt_status status = DT_OK;
    dt_model_arrays in = {.h5 = h5, .path = path};
    int64_t version = 0;
    char *json = NULL;
    bool has_state = false;
    DT_TRY(dt_h5_get_int(&version, h5, group, "format_version"));
    if (version != FORMAT_VERSION)
        DT_TRY(dt_fail(DT_DATA,
                       "%s: format version of /dtrain is %" PRId64
                       "; this dtrain reads %d. Use the "
                       "dtrain that wrote the file",
                       path, version, FORMAT_VERSION));
    DT_TRY(dt_h5_get_text(&json, h5, group, "model"));
    DT_TRY(dt_model_json_read(&out->network, &out->optimizer, &has_state, json, path));
    DT_TRY(read_arrays(out, &in, has_state));
out:
    dt_memory_free(json);
    return status;
}
