#include "keras_model_chain.h"

#include "dtrain/base/memory.h"

#include <math.h>
#include <stdio.h>

/* Axis 1, or -1, is that of the columns; none at all means one mean for everything. */
DT_MUST_USE static dt_status read_axis(bool *one_for_all, const json_t *layer, const char *path)
{
    const json_t *axis = json_object_get(json_object_get(layer, "config"), "axis");
    *one_for_all =
        axis != NULL && (json_is_null(axis) || (json_is_array(axis) && json_array_size(axis) == 0));
    if (axis == NULL || *one_for_all)
        return DT_OK;
    const json_t *only = json_is_array(axis) ? dt_keras_only_element(axis) : axis;
    const json_int_t which = json_integer_value(only);
    if (json_is_integer(only) && (which == 1 || which == -1))
        return DT_OK;
    return dt_fail(DT_DATA,
                   "%s: layer '%.60s' normalizes over another axis than that of the columns (-1)",
                   path, dt_keras_name_of(layer));
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
            DT_TRY(dt_fail(DT_DATA, "%s: layer '%.60s': value %zu of its %s is no finite number",
                           path, dt_keras_name_of(layer), i, key));
    }
out:
    return status;
}

dt_status dt_keras_normalization_read(dt_keras_normalization *out, const json_t *layer,
                                      const char *path)
{
    dt_status status = DT_OK;
    const json_t *config = json_object_get(layer, "config");
    const json_t *mean = json_object_get(config, "mean");
    const json_t *variance = json_object_get(config, "variance");
    const bool has_mean = mean != NULL && !json_is_null(mean);
    const bool has_variance = variance != NULL && !json_is_null(variance);
    size_t variances = 0;
    out->there = true;
    (void)snprintf(out->name, sizeof out->name, "%s", dt_keras_name_of(layer));
    DT_TRY(read_axis(&out->one_for_all, layer, path));
    if (json_is_true(json_object_get(config, "invert")))
        DT_TRY(dt_fail(DT_DATA, "%s: layer '%s' is an inverted Normalization (invert=True)", path,
                       out->name));
    if (!has_mean && !has_variance)
        goto out;
    if (has_mean != has_variance)
        DT_TRY(dt_fail(DT_DATA, "%s: layer '%s' has a %s, but no %s", path, out->name,
                       has_mean ? "mean" : "variance", has_mean ? "variance" : "mean"));
    DT_TRY(dt_keras_numbers_read(&out->mean, &out->given, layer, "mean", path));
    DT_TRY(dt_keras_numbers_read(&out->variance, &variances, layer, "variance", path));
    if (variances != out->given || (out->one_for_all && out->given != 1))
        DT_TRY(dt_fail(DT_DATA, "%s: layer '%s' has %zu means and %zu variances%s", path, out->name,
                       out->given, variances, out->one_for_all ? "; expected one of each" : ""));
out:
    return status;
}
