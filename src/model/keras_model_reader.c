#include "keras_model_reader.h"

#include "dtrain/base/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NAME_BYTES_MAX = 2048, KERNEL = 0, BIAS = 1, MEAN = 0, VARIANCE = 1 };

dt_status dt_keras_reader_begin(dt_keras_reader *r, const dt_keras_config *config)
{
    dt_status status = DT_OK;
    DT_TRY(dt_keras_chain_read(&r->chain, config, r->in.path));
    r->inputs = r->chain.inputs;
    DT_TRY(dt_memory_alloc(&r->datasets, r->chain.count, sizeof *r->datasets, "layers"));
out:
    return status;
}

/* ---- where the arrays lie ---- */

static void print_shape(char *out, size_t bytes, unsigned dims, const uint64_t *extent)
{
    size_t used = (size_t)snprintf(out, bytes, "(");
    for (unsigned i = 0; i < dims && used < bytes; i++)
        used +=
            (size_t)snprintf(out + used, bytes - used, "%s%" PRIu64, i > 0 ? ", " : "", extent[i]);
    if (used < bytes)
        (void)snprintf(out + used, bytes - used, "%s)", dims == 1 ? "," : "");
}

/* Looks at one array and counts it; nothing is read yet. An extent of 0 in `shape` is open: it
 * becomes what the array has. */
DT_MUST_USE static dt_status locate_array(char **out, dt_keras_reader *r, const char *layer,
                                          const char *group, const char *name, unsigned dims,
                                          uint64_t *shape)
{
    dt_status status = DT_OK;
    dt_h5_shape found;
    char dataset[2 * NAME_BYTES_MAX];
    if (strlen(name) >= NAME_BYTES_MAX || strlen(group) >= NAME_BYTES_MAX)
        return dt_fail(DT_DATA, "%s: layer '%s': the name of its weights is too long", r->in.path,
                       layer);
    (void)snprintf(dataset, sizeof dataset, "%s/%s", group, name);
    DT_TRY(dt_h5_describe(&found, r->in.h5, dataset));
    if (dims > 0 && found.dims == dims && shape[0] == 0)
        shape[0] = found.extent[0];
    if (!dt_model_has_shape(&found, dims, shape)) {
        char is[256], should_be[64];
        print_shape(is, sizeof is, found.dims, found.extent);
        print_shape(should_be, sizeof should_be, dims, shape);
        DT_TRY(dt_fail(DT_DATA, "%s: layer '%s': expected weights of the shape %s, found %s in %s",
                       r->in.path, layer, should_be, is, dataset));
    }
    DT_TRY(dt_model_arrays_count(&r->in, &found));
    if (found.count == 0)
        DT_TRY(dt_fail(DT_DATA, "%s: layer '%s' has no inputs", r->in.path, layer));
    dt_memory_free(*out);
    *out = NULL;
    DT_TRY(dt_memory_copy_text(out, dataset));
out:
    return status;
}

/* The third is a count that Keras keeps for old files. */
DT_MUST_USE static dt_status take_statistics(dt_keras_reader *r, const char *group,
                                             const dt_h5_names *names)
{
    dt_status status = DT_OK;
    const dt_keras_normalization *n = &r->chain.normalization;
    const unsigned dims = n->one_for_all ? 0 : 1;
    uint64_t shape[1] = {r->inputs};
    if (names->count != 2 && names->count != 3)
        return dt_fail(DT_DATA,
                       "%s: layer '%s': expected a mean and a variance, found %zu arrays of "
                       "weights",
                       r->in.path, n->name, names->count);
    DT_TRY(locate_array(&r->statistics[MEAN], r, n->name, group, names->texts[0], dims, shape));
    DT_TRY(locate_array(&r->statistics[VARIANCE], r, n->name, group, names->texts[1], dims, shape));
    if (dims > 0)
        r->inputs = r->chain.inputs = shape[0];
out:
    return status;
}

DT_MUST_USE static dt_status take_dense(dt_keras_reader *r, const char *group,
                                        const dt_h5_names *names)
{
    dt_status status = DT_OK;
    const dt_keras_dense *dense = &r->chain.layers[r->located];
    char **datasets = r->datasets[r->located];
    uint64_t kernel[2] = {r->inputs, dense->units};
    uint64_t bias[1] = {dense->units};
    if (names->count != (dense->has_bias ? 2 : 1))
        return dt_fail(DT_DATA, "%s: layer '%s': expected %s, found %zu arrays of weights",
                       r->in.path, dense->name,
                       dense->has_bias ? "a kernel and a bias" : "a kernel", names->count);
    DT_TRY(locate_array(&datasets[KERNEL], r, dense->name, group, names->texts[0], 2, kernel));
    if (r->inputs == 0) /* the configuration leaves them open */
        r->inputs = r->chain.inputs = kernel[0];
    if (dense->has_bias)
        DT_TRY(locate_array(&datasets[BIAS], r, dense->name, group, names->texts[1], 1, bias));
    r->parameters += (r->inputs + 1) * dense->units;
    r->inputs = dense->units;
    r->located++;
out:
    return status;
}

dt_status dt_keras_reader_take_weights(dt_keras_reader *r, const char *group,
                                       const dt_h5_names *names)
{
    const dt_keras_normalization *n = &r->chain.normalization;
    if (names->count == 0) /* as of Dropout */
        return DT_OK;
    if (n->there && n->given == 0 && r->statistics[MEAN] == NULL)
        return take_statistics(r, group, names);
    if (r->located == r->chain.count)
        return dt_fail(DT_DATA,
                       "%s: more layers with weights than the %zu Dense ones of its "
                       "model_config: %s",
                       r->in.path, r->chain.count, group);
    return take_dense(r, group, names);
}

/* ---- reading them ---- */

/* One value for all columns is spread over them. */
DT_MUST_USE static dt_status read_normalization(dt_keras_loaded *out, const dt_keras_reader *r)
{
    dt_status status = DT_OK;
    const dt_keras_normalization *n = &r->chain.normalization;
    const size_t D = (size_t)r->chain.inputs;
    const bool one = n->one_for_all || n->given == 1;
    const double *const given[2] = {n->mean, n->variance};
    if (!n->there)
        return DT_OK;
    if (n->given > 1 && n->given != D)
        return dt_fail(DT_DATA, "%s: layer '%s': its mean has %zu numbers, expected %zu as inputs",
                       r->in.path, n->name, n->given, D);
    DT_TRY(dt_memory_alloc(&out->normalization, D, 2 * sizeof(float), "normalization"));
    for (size_t which = 0; which < 2; which++) {
        float *values = out->normalization + which * D;
        if (n->given > 0)
            for (size_t i = 0; i < n->given; i++)
                values[i] = (float)given[which][i];
        else
            DT_TRY(dt_model_arrays_read(&r->in, values, r->statistics[which], one ? 1 : D));
        for (size_t i = 1; one && i < D; i++)
            values[i] = values[0];
    }
    for (size_t i = 0; i < D; i++)
        if (out->normalization[D + i] < 0.0f)
            DT_TRY(dt_fail(DT_DATA, "%s: layer '%s': variance %zu is negative, %g", r->in.path,
                           n->name, i, (double)out->normalization[D + i]));
    out->model.mean = out->normalization;
    out->model.variance = out->normalization + D;
out:
    return status;
}

/* The outputs' units; the weights have shown that there are as many outputs. */
DT_MUST_USE static dt_status read_scale(dt_keras_loaded *out, const dt_keras_reader *r)
{
    dt_status status = DT_OK;
    const dt_keras_rescaling *units = &r->chain.rescaling;
    const size_t C = (size_t)r->chain.layers[r->chain.count - 1].units;
    if (!units->there)
        return DT_OK;
    DT_TRY(dt_memory_alloc(&out->scale, C, sizeof *out->scale, "the targets' scales"));
    for (size_t j = 0; j < C; j++) {
        out->scale[j].deviation = units->scale[units->scales > 1 ? j : 0];
        if (units->offsets > 0)
            out->scale[j].mean = units->offset[units->offsets > 1 ? j : 0];
    }
    out->model.scale = out->scale;
out:
    return status;
}

DT_MUST_USE static dt_status read_weights(dt_keras_loaded *out, const dt_keras_reader *r)
{
    dt_status status = DT_OK;
    uint64_t inputs = r->chain.inputs;
    float *next = NULL;
    if (r->parameters > SIZE_MAX)
        return dt_fail(DT_MEMORY, "%s: no memory for %" PRIu64 " weights", r->in.path,
                       r->parameters);
    DT_TRY(dt_memory_alloc(&out->layers, r->chain.count, sizeof *out->layers, "layers"));
    DT_TRY(dt_memory_alloc(&out->params, (size_t)r->parameters, sizeof(float), "weights"));
    out->parameter_count = (size_t)r->parameters;
    next = out->params;
    for (size_t l = 0; l < r->chain.count; l++) {
        const dt_keras_dense *dense = &r->chain.layers[l];
        float *kernel = next, *bias = next + inputs * dense->units;
        DT_TRY(dt_model_arrays_read(&r->in, kernel, r->datasets[l][KERNEL], inputs * dense->units));
        if (dense->has_bias)
            DT_TRY(dt_model_arrays_read(&r->in, bias, r->datasets[l][BIAS], dense->units));
        else if (out->no_bias[0] == '\0')
            (void)snprintf(out->no_bias, sizeof out->no_bias, "%s", dense->name);
        out->layers[l] = (dt_keras_layer){
            .units = dense->units, .activation = dense->activation, .kernel = kernel, .bias = bias};
        next = bias + dense->units;
        inputs = dense->units;
    }
    out->model.layers = out->layers;
out:
    return status;
}

dt_status dt_keras_reader_finish(dt_keras_loaded *out, dt_keras_reader *r)
{
    dt_status status = DT_OK;
    const dt_keras_normalization *n = &r->chain.normalization;
    if (n->there && n->given == 0 && r->statistics[MEAN] == NULL)
        DT_TRY(dt_fail(DT_DATA, "%s: layer '%s' has no weights in it", r->in.path, n->name));
    if (r->located < r->chain.count)
        DT_TRY(dt_fail(DT_DATA, "%s: layer '%s' has no weights in it", r->in.path,
                       r->chain.layers[r->located].name));
    out->model = (dt_keras_model){
        .inputs = r->chain.inputs,
        .layer_count = r->chain.count,
        .loss = r->chain.loss,
        .loss_number = r->chain.loss_number,
        .optimizer = {.kind = &dt_adam,
                      .learning_rate = r->chain.learning_rate,
                      .numbers = {r->chain.beta_1, r->chain.beta_2, r->chain.epsilon}}};
    DT_TRY(read_weights(out, r));
    DT_TRY(read_normalization(out, r));
    DT_TRY(read_scale(out, r));
    DT_TRY(dt_keras_reader_read_state(out, r));
    (void)snprintf(out->left_out, sizeof out->left_out, "%s", r->chain.left_out);
out:
    return status;
}

void dt_keras_reader_clear(dt_keras_reader *r)
{
    for (size_t l = 0; r->datasets != NULL && l < r->chain.count; l++) {
        dt_memory_free(r->datasets[l][KERNEL]);
        dt_memory_free(r->datasets[l][BIAS]);
    }
    dt_memory_free(r->datasets);
    dt_memory_free(r->statistics[MEAN]);
    dt_memory_free(r->statistics[VARIANCE]);
    dt_h5_names_clear(&r->state);
    dt_keras_chain_clear(&r->chain);
}

dt_status dt_keras_check_names(const dt_h5_names *names, uint64_t C, const char *path)
{
    if (names->count == 0 || names->count == C)
        return DT_OK;
    return dt_fail(DT_DATA, "%s: %s holds %zu names, expected one for each of the %llu classes",
                   path, DT_KERAS_CLASSES, names->count, (unsigned long long)C);
}
