/* The steps of a chain, and the requirements on a layer. */
#include "keras_model_chain.h"

#include "dtrain/base/memory.h"

#include <stdarg.h>
#include <stdio.h>

const dt_keras_tensors *dt_keras_tensors_of(const dt_layer_kind *kind)
{
    static const dt_keras_tensors rows[] = {
        {&dt_layer_dense, 2, {{"kernel", 0, false}, {"bias", 0, false}}},
        {&dt_layer_batch_norm,
         4,
         {{"gamma", 1, false},
          {"beta", 0, false},
          {"moving_mean", 0, true},
          {"moving_variance", 1, true}}},
        {&dt_layer_layer_norm, 2, {{"gamma", 1, false}, {"beta", 0, false}}},
        {&dt_layer_prelu, 1, {{"alpha", 0, false}}},
        {&dt_layer_rms_norm, 1, {{"scale", 1, false}}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].kind == kind)
            return &rows[i];
    return NULL;
}

void dt_keras_set_predicts_only(dt_keras_chain *chain, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (chain->predicts_only[0] == '\0')
        (void)vsnprintf(chain->predicts_only, sizeof chain->predicts_only, format, arguments);
    va_end(arguments);
}

dt_keras_place dt_keras_place_of(const dt_keras_builder *b, const json_t *layer)
{
    dt_keras_place place = {.model = b->model, .frozen = b->chain->models[b->model].frozen};
    if (json_is_false(json_object_get(json_object_get(layer, "config"), "trainable")))
        place.frozen = true;
    dt_keras_archive_class(place.group, dt_keras_text_of(layer, "class_name", "?"));
    return place;
}

dt_keras_step *dt_keras_append_step(dt_keras_chain *chain, const char *name,
                                    const dt_layer_kind *kind)
{
    dt_keras_step *step = &chain->steps[chain->count++];
    *step = (dt_keras_step){.layer = {.kind = kind, .activation = DT_ACTIVATION_LINEAR},
                            .tensors = dt_keras_tensors_of(kind)};
    (void)snprintf(step->name, sizeof step->name, "%s", name);
    if (step->tensors != NULL)
        step->tensor_count = step->tensors->count;
    return step;
}

void dt_keras_add_affine(dt_keras_builder *b, const char *name, double *scale, size_t scales,
                         double *offset, size_t offsets)
{
    dt_keras_step *step = dt_keras_append_step(b->chain, name, &dt_layer_batch_norm);
    step->layer.epsilon = 1e-30; /* nothing, beside a variance of 1 */
    step->layer.momentum = 0.99;
    step->numbers[0] = scale;
    step->counts[0] = scales;
    step->numbers[1] = offset;
    step->counts[1] = offsets;
}

void dt_keras_settle_rescaling(dt_keras_builder *b)
{
    dt_keras_rescaling *r = &b->chain->rescaling;
    if (!r->there)
        return;
    dt_keras_set_predicts_only(b->chain, "layer '%s' is a Rescaling between other layers", r->name);
    dt_keras_add_affine(b, r->name, r->scale, r->scales, r->offset, r->offsets);
    *r = (dt_keras_rescaling){0};
}

dt_status dt_keras_add_step(dt_keras_step **out, dt_keras_builder *b, const json_t *layer,
                            const dt_layer_kind *kind)
{
    if (b->softmax != NULL)
        return dt_fail(DT_DATA,
                       "%s: layer '%.60s' is not the last, and has the activation softmax, which "
                       "dtrain accepts only there; use Keras to predict",
                       b->path, b->softmax);
    dt_keras_settle_rescaling(b);
    *out = dt_keras_append_step(b->chain, dt_keras_name_of(layer), kind);
    (*out)->place = dt_keras_place_of(b, layer);
    return DT_OK;
}

uint64_t dt_keras_chain_outputs(const dt_keras_chain *chain)
{
    return chain->steps[chain->count - 1].units;
}

dt_status dt_keras_check_rows(const dt_keras_builder *b, const json_t *layer)
{
    if (b->dims <= 1)
        return DT_OK;
    return dt_fail(DT_DATA,
                   "%s: layer '%.60s', a %.60s, takes inputs of %zu dimensions; dtrain accepts it "
                   "behind a Flatten alone",
                   b->path, dt_keras_name_of(layer), dt_keras_text_of(layer, "class_name", "?"),
                   b->dims + 1);
}

dt_status dt_keras_check_axis(const dt_keras_builder *b, const json_t *layer)
{
    const json_t *axis = json_object_get(json_object_get(layer, "config"), "axis");
    const json_t *only = json_is_array(axis) ? dt_keras_only_element(axis) : axis;
    const json_int_t which = json_integer_value(only);
    if (axis == NULL || (json_is_integer(only) && (which == 1 || which == -1)))
        return DT_OK;
    return dt_fail(DT_DATA,
                   "%s: layer '%.60s' normalizes over another axis than that of the columns (-1)",
                   b->path, dt_keras_name_of(layer));
}

void dt_keras_chain_clear(dt_keras_chain *chain)
{
    for (size_t i = 0; i < chain->count; i++)
        for (size_t t = 0; t < DT_KERAS_TENSORS; t++)
            dt_memory_free(chain->steps[i].numbers[t]);
    dt_memory_free(chain->steps);
    dt_memory_free(chain->models);
    dt_memory_free(chain->normalization.mean);
    dt_memory_free(chain->normalization.variance);
    dt_memory_free(chain->rescaling.scale);
    dt_memory_free(chain->rescaling.offset);
    *chain = (dt_keras_chain){0};
}
