/* The classes of layers that dtrain reads, and their steps in the chain. */
#include "keras_model_chain.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const json_t *config_of(const json_t *layer)
{
    return json_object_get(layer, "config");
}

/* A flag that is true where the configuration has none. */
static bool is_on(const json_t *layer, const char *key)
{
    return !json_is_false(json_object_get(config_of(layer), key));
}

/* ---- the shape of rows ---- */

DT_MUST_USE static dt_status take_flatten(dt_keras_builder *b, const json_t *layer)
{
    (void)layer;
    b->dims = b->dims > 0 ? 1 : 0;
    return DT_OK;
}

DT_MUST_USE static dt_status take_reshape(dt_keras_builder *b, const json_t *layer)
{
    const json_t *shape = json_object_get(config_of(layer), "target_shape");
    if (json_array_size(shape) == 0)
        return dt_fail(DT_DATA, "%s: layer '%.60s' is a Reshape without a target_shape", b->path,
                       dt_keras_name_of(layer));
    b->dims = json_array_size(shape);
    return DT_OK;
}

/* ---- layers with weights ---- */

DT_MUST_USE static dt_status take_dense(dt_keras_builder *b, const json_t *layer)
{
    dt_status status = DT_OK;
    const json_t *config = config_of(layer);
    const json_t *bias = json_object_get(config, "use_bias");
    const json_t *units = json_object_get(config, "units");
    dt_keras_step *step = NULL;
    if (units == NULL) /* Keras 1 */
        units = json_object_get(config, "output_dim");
    if (bias == NULL)
        bias = json_object_get(config, "bias");
    DT_TRY(dt_keras_check_rows(b, layer));
    if (json_integer_value(units) <= 0)
        DT_TRY(dt_fail(DT_DATA, "%s: layer '%.60s' has no number of units", b->path,
                       dt_keras_name_of(layer)));
    if (bias != NULL && !json_is_boolean(bias))
        DT_TRY(dt_fail(DT_DATA, "%s: layer '%.60s': its use_bias is neither true nor false",
                       b->path, dt_keras_name_of(layer)));
    DT_TRY(dt_keras_add_step(&step, b, layer, &dt_layer_dense));
    step->units = (uint64_t)json_integer_value(units);
    if (json_is_false(bias)) {
        step->layer.biases = DT_BIAS_NONE;
        step->tensor_count = 1;
    }
    step->stored[0] = true;
    step->stored[1] = step->tensor_count > 1;
    b->values = step->units;
    DT_TRY(dt_keras_take_activation(b, layer, json_object_get(config, "activation")));
out:
    return status;
}

/* Where the layer has only one of scale and shift, dtrain would train both. */
static void note_missing(dt_keras_builder *b, const dt_keras_step *step)
{
    for (size_t t = 0; t < step->tensor_count; t++)
        if (!step->stored[t])
            dt_keras_set_predicts_only(b->chain, "layer '%s' has no %s", step->name,
                                       step->tensors->tensors[t].name);
}

DT_MUST_USE static dt_status take_norm(dt_keras_step **out, dt_keras_builder *b,
                                       const json_t *layer, const dt_layer_kind *kind,
                                       double epsilon)
{
    dt_status status = DT_OK;
    const json_t *given = json_object_get(config_of(layer), "epsilon");
    const double number = given != NULL ? json_number_value(given) : epsilon;
    DT_TRY(dt_keras_check_rows(b, layer));
    DT_TRY(dt_keras_check_axis(b, layer));
    if (!(number >= 0.0 && number <= 1.0))
        DT_TRY(dt_fail(DT_DATA, "%s: layer '%.60s': its epsilon is not a number from 0 to 1",
                       b->path, dt_keras_name_of(layer)));
    DT_TRY(dt_keras_add_step(out, b, layer, kind));
    (*out)->layer.epsilon = number > 1e-30 ? number : 1e-30;
    (*out)->stored[0] = is_on(layer, "scale");
    (*out)->stored[1] = (*out)->tensor_count > 1 && is_on(layer, "center");
out:
    return status;
}

DT_MUST_USE static dt_status take_batch_norm(dt_keras_builder *b, const json_t *layer)
{
    dt_status status = DT_OK;
    const json_t *momentum = json_object_get(config_of(layer), "momentum");
    const json_t *mode = json_object_get(config_of(layer), "mode"); /* Keras 1 */
    dt_keras_step *step = NULL;
    if (mode != NULL && (!json_is_integer(mode) || json_integer_value(mode) != 0))
        DT_TRY(dt_fail(DT_DATA,
                       "%s: layer '%.60s' is a BatchNormalization with mode=%d, which normalizes "
                       "each batch by itself; dtrain accepts mode=0",
                       b->path, dt_keras_name_of(layer), (int)json_integer_value(mode)));
    DT_TRY(take_norm(&step, b, layer, &dt_layer_batch_norm, 1e-3));
    const double stays = json_is_number(momentum) ? json_number_value(momentum) : 0.99;
    step->layer.momentum = stays >= 0.0 && stays <= 1.0 ? stays : 0.99;
    step->stored[2] = step->stored[3] = true;
    note_missing(b, step);
out:
    return status;
}

DT_MUST_USE static dt_status take_layer_norm(dt_keras_builder *b, const json_t *layer)
{
    dt_status status = DT_OK;
    dt_keras_step *step = NULL;
    if (json_is_true(json_object_get(config_of(layer), "rms_scaling")))
        return dt_fail(DT_DATA,
                       "%s: layer '%.60s' is a LayerNormalization with rms_scaling, which dtrain "
                       "does not have; use Keras to predict",
                       b->path, dt_keras_name_of(layer));
    DT_TRY(take_norm(&step, b, layer, &dt_layer_layer_norm, 1e-3));
    note_missing(b, step);
out:
    return status;
}

DT_MUST_USE static dt_status take_rms_norm(dt_keras_builder *b, const json_t *layer)
{
    dt_keras_step *step = NULL;
    return take_norm(&step, b, layer, &dt_layer_rms_norm, 1e-6);
}

DT_MUST_USE static dt_status take_prelu(dt_keras_builder *b, const json_t *layer)
{
    dt_status status = DT_OK;
    const json_t *axes = json_object_get(config_of(layer), "shared_axes");
    const bool one = json_integer_value(dt_keras_only_element(axes)) == 1;
    dt_keras_step *step = NULL;
    DT_TRY(dt_keras_check_rows(b, layer));
    if (!one && json_array_size(axes) > 0)
        DT_TRY(dt_fail(
            DT_DATA, "%s: layer '%.60s' shares slopes over other axes than that of the columns, 1",
            b->path, dt_keras_name_of(layer)));
    DT_TRY(dt_keras_add_step(&step, b, layer, &dt_layer_prelu));
    step->layer.slopes = one ? DT_SLOPES_ONE : DT_SLOPES_UNITS;
    step->stored[0] = true;
out:
    return status;
}

/* ---- layers without ---- */

DT_MUST_USE static dt_status take_activation(dt_keras_builder *b, const json_t *layer)
{
    return dt_keras_take_activation(b, layer, json_object_get(config_of(layer), "activation"));
}

/* Layers for training only; predictions do not need them. */
static const struct {
    const char *class_name;
    const char *numbers[2]; /* it is there if one of them is above 0; as Keras 1 calls it, too */
} only_training[] = {
    {"Dropout", {"rate", "p"}},
    {"AlphaDropout", {"rate", NULL}},
    {"GaussianDropout", {"rate", "p"}},
    {"SpatialDropout1D", {"rate", "p"}},
    {"GaussianNoise", {"stddev", "sigma"}},
    {"ActivityRegularization", {"l1", "l2"}},
    {"Identity", {NULL, NULL}},
};

static bool take_only_training(dt_keras_builder *b, const json_t *layer, const char *class)
{
    size_t i = 0;
    bool is_there = false;
    while (i < sizeof only_training / sizeof *only_training &&
           strcmp(only_training[i].class_name, class) != 0)
        i++;
    if (i == sizeof only_training / sizeof *only_training)
        return false;
    for (size_t n = 0; n < 2 && only_training[i].numbers[n] != NULL; n++)
        is_there =
            is_there ||
            json_number_value(json_object_get(config_of(layer), only_training[i].numbers[n])) > 0.0;
    if (is_there)
        dt_keras_leave_out(b->chain->left_out, "%s '%.60s'", class, dt_keras_name_of(layer));
    return true;
}

static const struct {
    const char *class_name;
    dt_status (*take)(dt_keras_builder *b, const json_t *layer);
} classes[] = {
    {"Dense", take_dense},
    {"Activation", take_activation},
    {"BatchNormalization", take_batch_norm},
    {"LayerNormalization", take_layer_norm},
    {"RMSNormalization", take_rms_norm},
    {"PReLU", take_prelu},
    {"Normalization", dt_keras_take_normalization},
    {"Rescaling", dt_keras_take_rescaling},
    {"Flatten", take_flatten},
    {"Reshape", take_reshape},
};

dt_status dt_keras_take_class(dt_keras_builder *b, const json_t *layer)
{
    const char *class = dt_keras_text_of(layer, "class_name", "?");
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (strcmp(classes[i].class_name, class) == 0)
            return classes[i].take(b, layer);
    if (dt_keras_is_activation(class))
        return dt_keras_take_activation(b, layer, layer);
    if (take_only_training(b, layer, class))
        return DT_OK;
    return dt_fail(DT_DATA,
                   "%s: layer '%.60s' is %s %.60s; dtrain accepts chains of Dense, activation, "
                   "normalization, Rescaling, Flatten and Dropout layers. Use Keras to predict",
                   b->path, dt_keras_name_of(layer), strchr("AEIOU", class[0]) != NULL ? "an" : "a",
                   class);
}
