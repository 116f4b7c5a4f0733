#include "keras_model_reader.h"

#include "dtrain/base/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NAME_BYTES_MAX = 2048, MEAN = 0, VARIANCE = 1 };

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

/* Checks one array and counts it without reading it. An extent of 0 in `shape` is open, and is set
 * to that of the array. */
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

/* "a kernel and a bias": the arrays that a layer has in the file. */
static void print_arrays(char *out, size_t bytes, const dt_keras_step *step)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t t = 0; t < step->tensor_count && used < bytes; t++)
        if (step->stored[t])
            used += (size_t)snprintf(out + used, bytes - used, "%sa %s", used > 0 ? " and " : "",
                                     step->tensors->tensors[t].name);
}

/* Returns which of the names ends in that of the tensor, "bn/gamma:0"; names->count: none does. */
static size_t find_tensor(const dt_h5_names *names, const char *tensor)
{
    size_t i = 0;
    for (; i < names->count; i++) {
        const char *slash = strrchr(names->texts[i], '/');
        const char *name = slash != NULL ? slash + 1 : names->texts[i];
        const size_t length = strcspn(name, ":");
        if (length == strlen(tensor) && strncmp(name, tensor, length) == 0)
            break;
    }
    return i;
}

/* By their names, as .h5 files have them; else, in .keras, they are in Keras's order. */
static void order_names(const char *out[DT_KERAS_TENSORS], const dt_keras_step *step,
                        const dt_h5_names *names)
{
    size_t next = 0;
    bool named = true;
    for (size_t t = 0; t < step->tensor_count; t++)
        named = named && (!step->stored[t] ||
                          find_tensor(names, step->tensors->tensors[t].name) < names->count);
    for (size_t t = 0; t < step->tensor_count; t++)
        if (step->stored[t] && named)
            out[t] = names->texts[find_tensor(names, step->tensors->tensors[t].name)];
        else if (step->stored[t])
            out[t] = names->texts[next++];
}

DT_MUST_USE static dt_status take_step(dt_keras_reader *r, const char *group,
                                       const dt_h5_names *names)
{
    dt_status status = DT_OK;
    const dt_keras_step *step = &r->chain.steps[r->located];
    char **datasets = r->datasets[r->located];
    const char *ordered[DT_KERAS_TENSORS] = {0};
    size_t stored = 0;
    for (size_t t = 0; t < step->tensor_count; t++)
        stored += step->stored[t];
    if (names->count != stored && !(step->more && names->count == stored + 1)) {
        char expected[128];
        print_arrays(expected, sizeof expected, step);
        return dt_fail(DT_DATA, "%s: layer '%s': expected %s, found %zu arrays of weights",
                       r->in.path, step->name, expected, names->count);
    }
    order_names(ordered, step, names);
    for (size_t t = 0; t < step->tensor_count; t++) {
        uint64_t shape[2];
        const unsigned dims = dt_keras_shape_tensor(shape, step, t, r->inputs);
        if (ordered[t] == NULL) /* it is not stored */
            continue;
        DT_TRY(locate_array(&datasets[t], r, step->name, group, ordered[t], dims, shape));
        if (r->inputs == 0) /* the configuration leaves them open */
            r->inputs = r->chain.inputs = shape[0];
    }
out:
    return status;
}

/* ---- one step after the other ---- */

static void pass_step(dt_keras_reader *r)
{
    r->inputs = dt_keras_step_outputs(&r->chain.steps[r->located++], r->inputs);
}

void dt_keras_reader_pass(dt_keras_reader *r)
{
    while (!dt_keras_waits_for_statistics(r) && r->located < r->chain.count &&
           !dt_keras_has_arrays(&r->chain.steps[r->located]))
        pass_step(r);
}

dt_status dt_keras_reader_take_weights(dt_keras_reader *r, const char *group,
                                       const dt_h5_names *names)
{
    dt_status status = DT_OK;
    if (names->count == 0) /* as of Dropout */
        return DT_OK;
    if (dt_keras_waits_for_statistics(r))
        return take_statistics(r, group, names);
    dt_keras_reader_pass(r);
    if (r->located == r->chain.count)
        DT_TRY(dt_fail(DT_DATA, "%s: more layers with weights than the %zu of its model_config: %s",
                       r->in.path, r->chain.count, group));
    DT_TRY(take_step(r, group, names));
    pass_step(r);
out:
    return status;
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
    const size_t C = (size_t)dt_keras_chain_outputs(&r->chain);
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

/* A tensor that is not in the file: from the configuration, or as in a new layer. */
DT_MUST_USE static dt_status fill_tensor(float *values, const dt_keras_reader *r, size_t l,
                                         size_t t, uint64_t count)
{
    const dt_keras_step *step = &r->chain.steps[l];
    const size_t given = step->counts[t];
    if (given > 1 && given != count)
        return dt_fail(DT_DATA, "%s: layer '%s' has %zu numbers, expected %" PRIu64, r->in.path,
                       step->name, given, count);
    for (uint64_t i = 0; i < count; i++)
        values[i] = given > 0 ? (float)step->numbers[t][given > 1 ? i : 0]
                              : step->tensors->tensors[t].otherwise;
    for (uint64_t i = 0; step->identity && t == 0 && i < step->units; i++)
        values[i * step->units + i] = 1.0f;
    return DT_OK;
}

/* Returns the number of values in *next. */
DT_MUST_USE static dt_status read_tensor(float **next, const dt_keras_reader *r, size_t l, size_t t,
                                         uint64_t inputs)
{
    dt_status status = DT_OK;
    const dt_keras_step *step = &r->chain.steps[l];
    const uint64_t count = dt_keras_count_tensor(r, l, t, inputs);
    const uint64_t stored = dt_keras_is_one_logit(r, l) ? count / 2 : count;
    if (step->stored[t])
        DT_TRY(dt_model_arrays_read(&r->in, *next, r->datasets[l][t], stored));
    else
        DT_TRY(fill_tensor(*next, r, l, t, stored));
    if (strcmp(step->tensors->tensors[t].name, "moving_variance") == 0)
        for (uint64_t i = 0; i < stored; i++)
            if ((*next)[i] < 0.0f)
                DT_TRY(dt_fail(DT_DATA, "%s: layer '%s': variance %" PRIu64 " is negative, %g",
                               r->in.path, step->name, i, (double)(*next)[i]));
    if (dt_keras_is_one_logit(r, l))
        dt_keras_spread_logit(*next, stored, 0.0f);
    *next += count;
out:
    return status;
}

static dt_keras_layer make_layer(const dt_keras_reader *r, size_t l, uint64_t inputs)
{
    const dt_keras_step *step = &r->chain.steps[l];
    const bool last = l + 1 == r->chain.count;
    dt_keras_layer layer = {.units = dt_keras_step_outputs(step, inputs) *
                                     (dt_keras_is_one_logit(r, l) ? 2 : 1),
                            .activation = dt_activation_name(step->layer.activation),
                            .layer = step->layer};
    layer.layer.H = step->layer.kind == &dt_layer_dense ? (size_t)layer.units : 0;
    if (last && r->chain.classes)
        layer.activation = "softmax";
    return layer;
}

DT_MUST_USE static dt_status read_weights(dt_keras_loaded *out, const dt_keras_reader *r)
{
    dt_status status = DT_OK;
    uint64_t inputs = r->chain.inputs;
    const uint64_t parameters = dt_keras_reader_count(r);
    float *next = NULL;
    if (parameters > SIZE_MAX)
        return dt_fail(DT_MEMORY, "%s: no memory for %" PRIu64 " weights", r->in.path, parameters);
    DT_TRY(dt_memory_alloc(&out->layers, r->chain.count, sizeof *out->layers, "layers"));
    DT_TRY(dt_memory_alloc(&out->params, (size_t)parameters, sizeof(float), "weights"));
    out->parameter_count = (size_t)parameters;
    next = out->params;
    for (size_t l = 0; l < r->chain.count; l++) {
        const dt_keras_step *step = &r->chain.steps[l];
        out->layers[l] = make_layer(r, l, inputs);
        out->layers[l].kernel = next;
        for (size_t t = 0; t < step->tensor_count; t++) {
            if (t == 1)
                out->layers[l].bias = next;
            DT_TRY(read_tensor(&next, r, l, t, inputs));
        }
        inputs = dt_keras_step_outputs(step, inputs);
    }
    out->model.layers = out->layers;
out:
    return status;
}

dt_status dt_keras_reader_finish(dt_keras_loaded *out, dt_keras_reader *r)
{
    dt_status status = DT_OK;
    const dt_keras_place *place = NULL;
    const char *missing = dt_keras_reader_next(r, &place);
    if (missing != NULL)
        DT_TRY(dt_fail(DT_DATA, "%s: layer '%s' has no weights", r->in.path, missing));
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
    (void)snprintf(out->predicts_only, sizeof out->predicts_only, "%s", r->chain.predicts_only);
out:
    return status;
}

void dt_keras_reader_clear(dt_keras_reader *r)
{
    for (size_t l = 0; r->datasets != NULL && l < r->chain.count; l++)
        for (size_t t = 0; t < DT_KERAS_TENSORS; t++)
            dt_memory_free(r->datasets[l][t]);
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
