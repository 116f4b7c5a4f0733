#include "keras_model_reader.h"

#include "dtrain/base/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* The largest integer of a double, and therefore of Keras. */
#define ITERATIONS_MAX (INT64_C(1) << 53)

/* ---- where Adam's state lies ---- */

/* Keras keeps them of what the file has and what trains. */
static bool has_moments(const dt_keras_step *step, size_t t)
{
    return step->stored[t] && !step->tensors->tensors[t].moves;
}

/* Returns the number of arrays that Keras 3 stores for Adam with these layers: the iteration, the
 * learning rate (unless a schedule gives it), and two a weight. */
static size_t expected_arrays(const dt_keras_chain *chain)
{
    size_t count = chain->scheduled ? 1 : 2;
    for (size_t l = 0; l < chain->count; l++)
        for (size_t t = 0; t < DT_KERAS_TENSORS; t++)
            count += has_moments(&chain->steps[l], t) ? 2 : 0;
    return count;
}

/* Sets *fits to whether the array is one of floats (or of integers) of that shape. */
DT_MUST_USE static dt_status check_array(bool *fits, dt_keras_reader *r, const char *dataset,
                                         dt_h5_class class, unsigned dims, const uint64_t *shape)
{
    dt_status status = DT_OK;
    dt_h5_shape found;
    *fits = false;
    DT_TRY(dt_h5_describe(&found, r->in.h5, dataset));
    DT_TRY(dt_model_arrays_count(&r->in, &found));
    *fits = found.class == class && dt_model_has_shape(&found, dims, shape);
out:
    return status;
}

DT_MUST_USE static dt_status check_arrays(bool *fit, dt_keras_reader *r)
{
    dt_status status = DT_OK;
    size_t next = 0;
    uint64_t inputs = r->chain.inputs;
    *fit = false;
    DT_TRY(check_array(fit, r, r->state.texts[next++], DT_H5_CLASS_INT, 0, NULL));
    if (*fit && !r->chain.scheduled)
        DT_TRY(check_array(fit, r, r->state.texts[next++], DT_H5_CLASS_FLOAT, 0, NULL));
    for (size_t l = 0; *fit && l < r->chain.count; l++) {
        const dt_keras_step *step = &r->chain.steps[l];
        for (size_t i = 0; *fit && i / 2 < DT_KERAS_TENSORS; i++) {
            uint64_t shape[2];
            const unsigned dims = dt_keras_shape_tensor(shape, step, i / 2, inputs);
            if (has_moments(step, i / 2))
                DT_TRY(check_array(fit, r, r->state.texts[next++], DT_H5_CLASS_FLOAT, dims, shape));
        }
        inputs = dt_keras_step_outputs(step, inputs);
    }
out:
    return status;
}

DT_MUST_USE static dt_status copy_paths(dt_h5_names *out, const char *group,
                                        const dt_h5_names *names)
{
    dt_status status = DT_OK;
    DT_TRY(dt_memory_alloc(&out->texts, names->count, sizeof *out->texts, "names"));
    for (size_t i = 0; i < names->count; i++) {
        const size_t bytes = strlen(group) + strlen(names->texts[i]) + 2;
        DT_TRY(dt_memory_alloc(&out->texts[i], bytes, 1, "name"));
        out->count = i + 1;
        (void)snprintf(out->texts[i], bytes, "%s/%s", group, names->texts[i]);
    }
out:
    return status;
}

static bool is_incomplete(const dt_keras_reader *r)
{
    const dt_keras_place *place;
    return dt_keras_reader_next(r, &place) != NULL;
}

dt_status dt_keras_reader_take_state(dt_keras_reader *r, const char *group,
                                     const dt_h5_names *names)
{
    dt_status status = DT_OK;
    bool fit = false;
    if (names->count <= 2 || is_incomplete(r))
        return DT_OK; /* compiled, but never fitted; or about to be refused */
    if (!r->chain.adam) {
        if (!r->chain.other_optimizer) /* Keras itself loses it when it saves .h5 before .keras */
            dt_keras_leave_out(r->chain.left_out,
                               "the state of an optimizer that the file does not name");
        return DT_OK;
    }
    if (names->count == expected_arrays(&r->chain)) {
        DT_TRY(copy_paths(&r->state, group, names));
        DT_TRY(check_arrays(&fit, r));
    }
    if (!fit) {
        dt_h5_names_clear(&r->state);
        dt_keras_leave_out(r->chain.left_out, "the state of the optimizer (not two arrays a "
                                              "weight, as Adam has)");
    }
out:
    return status;
}

static const char *const own_moments[2] = {"/dtrain/adam_m", "/dtrain/adam_v"};

dt_status dt_keras_reader_take_own_state(dt_keras_reader *r)
{
    dt_status status = DT_OK;
    dt_h5_shape found;
    const uint64_t parameters = dt_keras_reader_count(r);
    if (is_incomplete(r))
        return DT_OK; /* will be an error */
    for (int i = 0; i < 2; i++) {
        DT_TRY(dt_h5_describe(&found, r->in.h5, own_moments[i]));
        if (!dt_model_has_shape(&found, 1, &parameters))
            DT_TRY(dt_fail(DT_DATA,
                           "%s: %s: expected one list of %" PRIu64
                           " numbers, as there are weights, "
                           "found %" PRIu64 " in %u dimensions",
                           r->in.path, own_moments[i], parameters, found.count, found.dims));
        DT_TRY(dt_model_arrays_count(&r->in, &found));
    }
    r->own_state = true;
out:
    return status;
}

/* ---- reading it ---- */

DT_MUST_USE static dt_status check_moments(const dt_keras_loaded *loaded, const dt_keras_reader *r)
{
    const float *v = loaded->model.optimizer.states[1];
    for (size_t i = 0; i < loaded->parameter_count; i++)
        if (v[i] < 0.0f)
            return dt_fail(DT_DATA,
                           "%s: the state of Adam: v of weight %zu is negative, %g; expected a "
                           "mean of squares",
                           r->in.path, i, (double)v[i]);
    return DT_OK;
}

/* The gradient of logit 0 is that of logit 1, negated. */
DT_MUST_USE static dt_status read_moment(float *values, const dt_keras_reader *r, const char *path,
                                         size_t l, uint64_t count, float factor)
{
    dt_status status = DT_OK;
    const bool one_logit = dt_keras_is_one_logit(r, l);
    const uint64_t stored = one_logit ? count / 2 : count;
    DT_TRY(dt_model_arrays_read(&r->in, values, path, stored));
    if (one_logit)
        dt_keras_spread_logit(values, stored, factor);
out:
    return status;
}

/* A tensor that the file does not have keeps moments of 0. */
DT_MUST_USE static dt_status read_moments(dt_keras_loaded *out, const dt_keras_reader *r)
{
    dt_status status = DT_OK;
    size_t next = r->chain.scheduled ? 1 : 2;
    uint64_t inputs = r->chain.inputs;
    float *m = out->model.optimizer.states[0], *v = out->model.optimizer.states[1];
    for (size_t l = 0; l < r->chain.count; l++) {
        const dt_keras_step *step = &r->chain.steps[l];
        for (size_t t = 0; t < step->tensor_count; t++) {
            const uint64_t count = dt_keras_count_tensor(r, l, t, inputs);
            if (has_moments(step, t)) {
                DT_TRY(read_moment(m, r, r->state.texts[next++], l, count, -1.0f));
                DT_TRY(read_moment(v, r, r->state.texts[next++], l, count, 1.0f));
            }
            m += count;
            v += count;
        }
        inputs = dt_keras_step_outputs(step, inputs);
    }
out:
    return status;
}

/* Keras uses the variable, not the configuration. */
DT_MUST_USE static dt_status read_rate(dt_keras_loaded *out, const dt_keras_reader *r)
{
    dt_status status = DT_OK;
    float rate = 0.0f;
    DT_TRY(dt_model_arrays_read(&r->in, &rate, r->state.texts[1], 1));
    if (rate < 0.0f)
        DT_TRY(dt_fail(DT_DATA, "%s: %s: the learning rate is negative, %g", r->in.path,
                       r->state.texts[1], (double)rate));
    const float configured = (float)out->model.optimizer.learning_rate;
    if (configured < rate || configured > rate)
        out->model.optimizer.learning_rate = dt_keras_plain_number((double)rate);
out:
    return status;
}

dt_status dt_keras_reader_read_state(dt_keras_loaded *out, dt_keras_reader *r)
{
    dt_status status = DT_OK;
    int64_t iterations = 0;
    const size_t P = out->parameter_count;
    if (r->own_state)
        DT_TRY(dt_h5_get_int(&iterations, r->in.h5, "/dtrain", "adam_iterations"));
    else if (r->state.count > 0)
        DT_TRY(dt_h5_read_i64(r->in.h5, r->state.texts[0], &iterations, 1));
    if (iterations < 0 || iterations > ITERATIONS_MAX)
        DT_TRY(dt_fail(DT_DATA, "%s: the state of Adam: %" PRId64 " iterations; expected 0 to 2^53",
                       r->in.path, iterations));
    if (!r->own_state && r->state.count > 0 && !r->chain.scheduled)
        DT_TRY(read_rate(out, r));
    if (iterations == 0) /* none, or that of a model that was never fitted */
        goto out;
    if (r->chain.rescaling.there && !r->own_state) { /* gradients of the loss in other units */
        dt_keras_leave_out(r->chain.left_out,
                           "the state of the optimizer (of a loss behind a Rescaling)");
        goto out;
    }
    dt_optimizer *optimizer = &out->model.optimizer;
    DT_TRY(dt_optimizer_allocate(optimizer, P));
    if (r->own_state) {
        for (int i = 0; i < 2; i++)
            DT_TRY(dt_model_arrays_read(&r->in, optimizer->states[i], own_moments[i], P));
    } else {
        DT_TRY(read_moments(out, r));
    }
    DT_TRY(check_moments(out, r));
    optimizer->step = iterations;
out:
    return status;
}
