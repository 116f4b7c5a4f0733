#include "dtrain/io/keras_model.h"

#include "keras_model_chain.h"

#include "dtrain/base/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* A layer takes about 1 KiB of JSON. */
enum { CONFIG_BYTES_MAX = 16 << 20 };

enum { WEIGHTS_PATH_BYTES = 2048, KERNEL = 0, BIAS = 1 };

/* A model on its way in: what the configuration says, and where the weights lie. */
typedef struct reader {
    dt_h5 *h5;
    const char *path;
    dt_keras_chain chain;
    char *(*datasets)[2]; /* [chain.count]: paths of kernel and bias; NULL: no bias */
    size_t located; /* layers whose weights have been found */
    uint64_t stored_bytes, parameters; /* of those */
    uint64_t inputs; /* of the next */
} reader;

/* ---- configuration ---- */

DT_MUST_USE static dt_status read_config(char **out, const reader *r, const char *name)
{
    dt_status status = dt_h5_get_text(out, r->h5, "/", name);
    if (status == DT_OK && strlen(*out) > CONFIG_BYTES_MAX) {
        dt_memory_free(*out);
        *out = NULL;
        status =
            dt_fail(DT_DATA, "%s: its %s is longer than %d bytes", r->path, name, CONFIG_BYTES_MAX);
    }
    return status;
}

DT_MUST_USE static dt_status fail_no_model(const reader *r)
{
    if (dt_h5_has(r->h5, "/epochs"))
        return dt_fail(
            DT_DATA, "%s: is the log of a run, not its model; that is model.h5 in the same folder",
            r->path);
    if (dt_h5_has(r->h5, "/layers") || dt_h5_has_attribute(r->h5, "/", "layer_names"))
        return dt_fail(DT_DATA,
                       "%s: has weights only, no model_config; save the whole model in Keras with "
                       "model.save(\"model.h5\")",
                       r->path);
    return dt_fail(DT_DATA, "%s: is no Keras model: no model_config in it", r->path);
}

DT_MUST_USE static dt_status read_chain(reader *r)
{
    dt_status status = DT_OK;
    char *model = NULL, *training = NULL;
    if (!dt_h5_has_attribute(r->h5, "/", "model_config"))
        DT_TRY(fail_no_model(r));
    DT_TRY(read_config(&model, r, "model_config"));
    if (dt_h5_has_attribute(r->h5, "/", "training_config"))
        DT_TRY(read_config(&training, r, "training_config"));
    DT_TRY(dt_keras_chain_read(&r->chain, model, training, r->path));
    r->inputs = r->chain.inputs;
out:
    dt_memory_free(training);
    dt_memory_free(model);
    return status;
}

/* ---- where the weights lie ---- */

static void print_shape(char *out, size_t bytes, unsigned dims, const uint64_t *extent)
{
    size_t used = (size_t)snprintf(out, bytes, "(");
    for (unsigned i = 0; i < dims && used < bytes; i++)
        used +=
            (size_t)snprintf(out + used, bytes - used, "%s%" PRIu64, i > 0 ? ", " : "", extent[i]);
    if (used < bytes)
        (void)snprintf(out + used, bytes - used, "%s)", dims == 1 ? "," : "");
}

DT_MUST_USE static dt_status check_shape(const reader *r, const dt_keras_dense *dense,
                                         const char *dataset, const dt_h5_shape *found,
                                         unsigned dims, const uint64_t *expected)
{
    bool same = found->dims == dims;
    for (unsigned i = 0; same && i < dims; i++)
        same = found->extent[i] == expected[i];
    if (same)
        return DT_OK;
    char is[256], should_be[64];
    print_shape(is, sizeof is, found->dims, found->extent);
    print_shape(should_be, sizeof should_be, dims, expected);
    return dt_fail(DT_DATA, "%s: layer '%s': expected weights of the shape %s, found %s in %s",
                   r->path, dense->name, should_be, is, dataset);
}

/* Looks at one array of weights and counts it; nothing is read yet. */
DT_MUST_USE static dt_status locate_array(reader *r, const char *group, const char *name, int which)
{
    dt_status status = DT_OK;
    dt_h5_shape found;
    char dataset[2 * WEIGHTS_PATH_BYTES];
    const dt_keras_dense *dense = &r->chain.layers[r->located];
    if (strlen(name) >= WEIGHTS_PATH_BYTES)
        return dt_fail(DT_DATA, "%s: layer '%s': the name of its weights is too long", r->path,
                       dense->name);
    (void)snprintf(dataset, sizeof dataset, "%s/%s", group, name);
    DT_TRY(dt_h5_describe(&found, r->h5, dataset));
    if (which == KERNEL && r->inputs == 0 && found.dims == 2)
        r->inputs = r->chain.inputs = found.extent[0]; /* the configuration leaves them open */
    const uint64_t shape[2] = {which == KERNEL ? r->inputs : dense->units, dense->units};
    DT_TRY(check_shape(r, dense, dataset, &found, which == KERNEL ? 2 : 1, shape));
    /* The same array under many names would make a small file a large model. */
    r->stored_bytes += found.stored_bytes;
    if (r->stored_bytes > dt_h5_bytes(r->h5))
        DT_TRY(dt_fail(DT_DATA, "%s: its weights are larger than the file", r->path));
    if (found.count == 0)
        DT_TRY(dt_fail(DT_DATA, "%s: layer '%s' has no inputs", r->path, dense->name));
    DT_TRY(dt_memory_copy_text(&r->datasets[r->located][which], dataset));
out:
    return status;
}

typedef dt_status name_taker(reader *r, const char *group, const dt_h5_names *names);

/* Hands a list of names to `take`; one that is long Keras splits into <list>0, <list>1 ... */
DT_MUST_USE static dt_status read_names(reader *r, const char *group, const char *list,
                                        name_taker *take)
{
    dt_status status = DT_OK;
    dt_h5_names names = {0};
    char part[64];
    const bool whole = dt_h5_has_attribute(r->h5, group, list);
    (void)snprintf(part, sizeof part, whole ? "%s" : "%s0", list);
    size_t next = 0;
    do {
        dt_h5_names_clear(&names);
        DT_TRY(dt_h5_get_texts(&names, r->h5, group, part));
        DT_TRY(take(r, group, &names));
        (void)snprintf(part, sizeof part, "%s%zu", list, ++next);
    } while (!whole && dt_h5_has_attribute(r->h5, group, part));
out:
    dt_h5_names_clear(&names);
    return status;
}

/* The arrays of one layer: they belong to the next Dense one. */
static dt_status take_weights(reader *r, const char *group, const dt_h5_names *names)
{
    dt_status status = DT_OK;
    if (names->count == 0) /* as of Dropout */
        return DT_OK;
    if (r->located == r->chain.count)
        return dt_fail(DT_DATA,
                       "%s: more layers with weights than the %zu Dense ones of its "
                       "model_config: %s",
                       r->path, r->chain.count, group);
    const dt_keras_dense *dense = &r->chain.layers[r->located];
    const size_t expected = dense->has_bias ? 2 : 1;
    if (names->count != expected)
        return dt_fail(DT_DATA, "%s: layer '%s': expected %s, found %zu arrays of weights", r->path,
                       dense->name, dense->has_bias ? "a kernel and a bias" : "a kernel",
                       names->count);
    for (size_t i = 0; i < names->count; i++)
        DT_TRY(locate_array(r, group, names->texts[i], i == 0 ? KERNEL : BIAS));
    r->parameters += r->inputs * dense->units + dense->units;
    r->inputs = dense->units;
    r->located++;
out:
    return status;
}

static dt_status take_layers(reader *r, const char *parent, const dt_h5_names *names)
{
    dt_status status = DT_OK;
    char group[WEIGHTS_PATH_BYTES];
    for (size_t i = 0; i < names->count; i++) {
        const int length = snprintf(group, sizeof group, "%s/%s", parent, names->texts[i]);
        if (length < 0 || (size_t)length >= sizeof group)
            return dt_fail(DT_DATA, "%s: the name of a layer is too long", r->path);
        DT_TRY(read_names(r, group, "weight_names", take_weights));
    }
out:
    return status;
}

DT_MUST_USE static dt_status locate_weights(reader *r)
{
    dt_status status = DT_OK;
    DT_TRY(dt_memory_alloc(&r->datasets, r->chain.count, sizeof *r->datasets, "layers"));
    DT_TRY(read_names(r, "/model_weights", "layer_names", take_layers));
    if (r->located < r->chain.count)
        DT_TRY(dt_fail(DT_DATA, "%s: layer '%s' has no weights in it", r->path,
                       r->chain.layers[r->located].name));
out:
    return status;
}

/* ---- reading them ---- */

DT_MUST_USE static dt_status read_array(const reader *r, float *data, const char *dataset,
                                        uint64_t count)
{
    dt_status status = DT_OK;
    DT_TRY(dt_h5_read_f32(r->h5, dataset, data, count));
    for (uint64_t i = 0; i < count; i++)
        if (!isfinite(data[i]))
            DT_TRY(dt_fail(DT_DATA, "%s: %s: weight %" PRIu64 " is %s; expected finite numbers",
                           r->path, dataset, i, isnan(data[i]) ? "NaN" : "infinite"));
out:
    return status;
}

DT_MUST_USE static dt_status read_weights(dt_keras_loaded *out, const reader *r)
{
    dt_status status = DT_OK;
    uint64_t inputs = 0;
    float *next = NULL;
    if (r->parameters > SIZE_MAX)
        return dt_fail(DT_MEMORY, "%s: no memory for %" PRIu64 " weights", r->path, r->parameters);
    DT_TRY(dt_memory_alloc(&out->layers, r->chain.count, sizeof *out->layers, "layers"));
    DT_TRY(dt_memory_alloc(&out->params, (size_t)r->parameters, sizeof(float), "weights"));
    out->parameter_count = (size_t)r->parameters;
    next = out->params;
    inputs = out->model.inputs;
    for (size_t l = 0; l < r->chain.count; l++) {
        const dt_keras_dense *dense = &r->chain.layers[l];
        float *kernel = next, *bias = next + inputs * dense->units;
        DT_TRY(read_array(r, kernel, r->datasets[l][KERNEL], inputs * dense->units));
        if (dense->has_bias)
            DT_TRY(read_array(r, bias, r->datasets[l][BIAS], dense->units));
        out->layers[l] = (dt_keras_layer){
            .units = dense->units, .activation = dense->activation, .kernel = kernel, .bias = bias};
        next = bias + dense->units;
        inputs = dense->units;
    }
out:
    return status;
}

static void clear_reader(reader *r)
{
    for (size_t l = 0; r->datasets != NULL && l < r->chain.count; l++) {
        dt_memory_free(r->datasets[l][KERNEL]);
        dt_memory_free(r->datasets[l][BIAS]);
    }
    dt_memory_free(r->datasets);
    dt_memory_free(r->chain.layers);
}

dt_status dt_keras_model_read(dt_keras_loaded *out, dt_h5 *h5, const char *path)
{
    dt_status status = DT_OK;
    reader r = {.h5 = h5, .path = path};
    *out = (dt_keras_loaded){0};
    DT_TRY(read_chain(&r));
    DT_TRY(locate_weights(&r));
    out->model = (dt_keras_model){.inputs = r.chain.inputs,
                                  .layer_count = r.chain.count,
                                  .learning_rate = r.chain.learning_rate,
                                  .beta_1 = r.chain.beta_1,
                                  .beta_2 = r.chain.beta_2,
                                  .epsilon = r.chain.epsilon};
    DT_TRY(read_weights(out, &r));
    out->model.layers = out->layers;
out:
    clear_reader(&r);
    if (status != DT_OK)
        dt_keras_loaded_clear(out);
    return status;
}

dt_status dt_keras_model_load(dt_keras_loaded *out, const char *path)
{
    dt_status status = DT_OK;
    dt_h5 *h5 = NULL;
    *out = (dt_keras_loaded){0};
    DT_TRY(dt_h5_open(&h5, path));
    DT_TRY(dt_keras_model_read(out, h5, path));
out:
    dt_h5_free(h5);
    return status;
}

void dt_keras_loaded_clear(dt_keras_loaded *loaded)
{
    dt_memory_free(loaded->params);
    dt_memory_free(loaded->layers);
    *loaded = (dt_keras_loaded){0};
}
