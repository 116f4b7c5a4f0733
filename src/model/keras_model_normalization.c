#include "keras_model_chain.h"

#include "dtrain/base/memory.h"

#include <math.h>
#include <stdio.h>

/* No axis means one mean for all values. */
DT_MUST_USE static dt_status read_axis(bool *one_for_all, const dt_keras_builder *b,
                                       const json_t *layer)
{
    const json_t *axis = json_object_get(json_object_get(layer, "config"), "axis");
    *one_for_all =
        axis != NULL && (json_is_null(axis) || (json_is_array(axis) && json_array_size(axis) == 0));
    return *one_for_all ? DT_OK : dt_keras_check_axis(b, layer);
}

dt_status dt_keras_numbers_read(double **out, size_t *count, const json_t *layer, const char *key,
                                const char *path)
{
    dt_status status = DT_OK;
    const json_t *list = json_object_get(json_object_get(layer, "config"), key);
    if (json_is_object(list)) /* an array of NumPy */
        list = json_object_get(json_object_get(list, "config"), "value");
    while (json_is_array(dt_keras_only_element(list)))
        list = dt_keras_only_element(list);
    *count = json_is_array(list) ? json_array_size(list) : 1;
    if (*count == 0)
        return dt_fail(DT_DATA, "%s: layer '%.60s': its %s is empty", path, dt_keras_name_of(layer),
                       key);
    DT_TRY(dt_memory_alloc(out, *count, sizeof **out, "numbers"));
    for (size_t i = 0; i < *count; i++) {
        const json_t *number = json_is_array(list) ? json_array_get(list, i) : list;
        (*out)[i] = json_number_value(number);
        if (!json_is_number(number) || !isfinite((float)(*out)[i]))
            DT_TRY(dt_fail(DT_DATA, "%s: layer '%.60s': value %zu of its %s is not a finite number",
                           path, dt_keras_name_of(layer), i, key));
    }
out:
    return status;
}

DT_MUST_USE static dt_status read(dt_keras_normalization *out, const dt_keras_builder *b,
                                  const json_t *layer)
{
    dt_status status = DT_OK;
    const json_t *config = json_object_get(layer, "config");
    const json_t *mean = json_object_get(config, "mean");
    const json_t *variance = json_object_get(config, "variance");
    const bool has_mean = mean != NULL && !json_is_null(mean);
    const bool has_variance = variance != NULL && !json_is_null(variance);
    size_t variances = 0;
    out->there = true;
    out->place = dt_keras_place_of(b, layer);
    (void)snprintf(out->name, sizeof out->name, "%s", dt_keras_name_of(layer));
    DT_TRY(read_axis(&out->one_for_all, b, layer));
    if (json_is_true(json_object_get(config, "invert")))
        DT_TRY(dt_fail(DT_DATA,
                       "%s: layer '%s' is an inverted Normalization (invert=True); a Rescaling "
                       "with its numbers does the same",
                       b->path, out->name));
    if (!has_mean && !has_variance)
        goto out;
    if (has_mean != has_variance)
        DT_TRY(dt_fail(DT_DATA, "%s: layer '%s' has a %s, but no %s", b->path, out->name,
                       has_mean ? "mean" : "variance", has_mean ? "variance" : "mean"));
    DT_TRY(dt_keras_numbers_read(&out->mean, &out->given, layer, "mean", b->path));
    DT_TRY(dt_keras_numbers_read(&out->variance, &variances, layer, "variance", b->path));
    if (variances != out->given || (out->one_for_all && out->given != 1))
        DT_TRY(dt_fail(DT_DATA, "%s: layer '%s' has %zu means and %zu variances%s", b->path,
                       out->name, out->given, variances,
                       out->one_for_all ? "; expected one of each" : ""));
out:
    return status;
}

/* One in the middle is a batch normalization that does not train. */
DT_MUST_USE static dt_status take_later(dt_keras_normalization *n, dt_keras_builder *b,
                                        const json_t *layer)
{
    dt_status status = DT_OK;
    dt_keras_step *step = NULL;
    DT_TRY(dt_keras_check_rows(b, layer));
    if (n->one_for_all && n->given == 0)
        DT_TRY(dt_fail(DT_DATA,
                       "%s: layer '%s' is a Normalization with axis=None, which dtrain accepts "
                       "only before all others; use Keras to predict",
                       b->path, n->name));
    DT_TRY(dt_keras_add_step(&step, b, layer, &dt_layer_batch_norm));
    dt_keras_set_predicts_only(b->chain, "layer '%s' is a Normalization behind other layers",
                               n->name);
    step->layer.epsilon = 1e-14; /* the deviation is at least 1e-7 */
    step->layer.momentum = 0.99;
    step->stored[2] = step->stored[3] = n->given == 0;
    step->more = true; /* a count */
    step->counts[2] = step->counts[3] = n->given;
    step->numbers[2] = n->mean;
    step->numbers[3] = n->variance;
    n->mean = n->variance = NULL;
out:
    return status;
}

dt_status dt_keras_take_normalization(dt_keras_builder *b, const json_t *layer)
{
    dt_status status = DT_OK;
    dt_keras_chain *chain = b->chain;
    dt_keras_normalization *first = &chain->normalization, later = {0};
    if (chain->count > 0 || first->there) {
        DT_TRY(read(&later, b, layer));
        DT_TRY(take_later(&later, b, layer));
    } else {
        DT_TRY(read(first, b, layer));
        if (!first->one_for_all && first->given != 1)
            DT_TRY(dt_keras_check_rows(b, layer));
    }
out:
    dt_memory_free(later.mean);
    dt_memory_free(later.variance);
    return status;
}
