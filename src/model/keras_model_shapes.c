/* The shapes of a chain's tensors, and the order of the layers' arrays. */
#include "keras_model_reader.h"

unsigned dt_keras_shape_tensor(uint64_t shape[2], const dt_keras_step *step, size_t t,
                               uint64_t inputs)
{
    const bool dense = step->layer.kind == &dt_layer_dense;
    shape[0] = dense && t > 0 ? step->units : inputs;
    if (step->layer.kind == &dt_layer_prelu && step->layer.slopes == DT_SLOPES_ONE)
        shape[0] = 1;
    shape[1] = step->units;
    return dense && t == 0 ? 2 : 1;
}

uint64_t dt_keras_step_outputs(const dt_keras_step *step, uint64_t inputs)
{
    return step->layer.kind == &dt_layer_dense ? step->units : inputs;
}

bool dt_keras_is_one_logit(const dt_keras_reader *r, size_t step)
{
    return r->chain.one_logit && step + 1 == r->chain.count;
}

uint64_t dt_keras_count_tensor(const dt_keras_reader *r, size_t step, size_t t, uint64_t inputs)
{
    uint64_t shape[2];
    const unsigned dims = dt_keras_shape_tensor(shape, &r->chain.steps[step], t, inputs);
    return shape[0] * (dims == 2 ? shape[1] : 1) * (dt_keras_is_one_logit(r, step) ? 2 : 1);
}

void dt_keras_spread_logit(float *values, uint64_t count, float factor)
{
    while (count-- > 0) {
        const float value = values[count];
        values[2 * count + 1] = value;
        values[2 * count] = factor * value;
    }
}

bool dt_keras_has_arrays(const dt_keras_step *step)
{
    bool stored = false;
    for (size_t t = 0; t < step->tensor_count; t++)
        stored = stored || step->stored[t];
    return stored;
}

bool dt_keras_waits_for_statistics(const dt_keras_reader *r)
{
    const dt_keras_normalization *n = &r->chain.normalization;
    return n->there && n->given == 0 && r->statistics[0] == NULL;
}

const char *dt_keras_reader_next(const dt_keras_reader *r, const dt_keras_place **place)
{
    const dt_keras_chain *chain = &r->chain;
    size_t i = r->located;
    *place = &chain->normalization.place;
    if (dt_keras_waits_for_statistics(r))
        return chain->normalization.name;
    while (i < chain->count && !dt_keras_has_arrays(&chain->steps[i]))
        i++;
    if (i == chain->count)
        return NULL;
    *place = &chain->steps[i].place;
    return chain->steps[i].name;
}

uint64_t dt_keras_reader_count(const dt_keras_reader *r)
{
    uint64_t count = 0, inputs = r->chain.inputs;
    for (size_t l = 0; l < r->chain.count; l++) {
        const dt_keras_step *step = &r->chain.steps[l];
        for (size_t t = 0; t < step->tensor_count; t++)
            count += dt_keras_count_tensor(r, l, t, inputs);
        inputs = dt_keras_step_outputs(step, inputs);
    }
    return count;
}
