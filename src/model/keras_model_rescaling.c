#include "keras_model_chain.h"

#include <stdio.h>
#include <string.h>

DT_MUST_USE static dt_status check_place(const dt_keras_chain *chain, const char *name,
                                         const char *path)
{
    const dt_keras_dense *last = chain->count > 0 ? &chain->layers[chain->count - 1] : NULL;
    if (last == NULL)
        return dt_fail(
            DT_DATA,
            "%s: layer '%.60s' is a Rescaling before the first Dense layer; dtrain takes "
            "one of the outputs, after the last",
            path, name);
    if (chain->rescaling.there)
        return dt_fail(DT_DATA, "%s: layer '%.60s' is a second Rescaling; dtrain takes one", path,
                       name);
    if (strcmp(last->activation, "linear") != 0)
        return dt_fail(DT_DATA,
                       "%s: layer '%.60s' rescales the outputs of %s; dtrain takes a Rescaling of "
                       "linear ones",
                       path, name, last->activation);
    return DT_OK;
}

DT_MUST_USE static dt_status check_count(const dt_keras_chain *chain, size_t count, const char *key,
                                         const char *path)
{
    const uint64_t units = chain->layers[chain->count - 1].units;
    if (count == 1 || count == units)
        return DT_OK;
    return dt_fail(DT_DATA, "%s: layer '%s': its %s has %zu numbers; expected 1 or %llu", path,
                   chain->rescaling.name, key, count, (unsigned long long)units);
}

dt_status dt_keras_rescaling_read(dt_keras_chain *chain, const json_t *layer, const char *path)
{
    dt_status status = DT_OK;
    dt_keras_rescaling *r = &chain->rescaling;
    DT_TRY(check_place(chain, dt_keras_name_of(layer), path));
    r->there = true;
    (void)snprintf(r->name, sizeof r->name, "%s", dt_keras_name_of(layer));
    DT_TRY(dt_keras_numbers_read(&r->scale, &r->scales, layer, "scale", path));
    DT_TRY(check_count(chain, r->scales, "scale", path));
    for (size_t j = 0; j < r->scales; j++)
        if (!((float)r->scale[j] > 0.0f))
            DT_TRY(dt_fail(DT_DATA,
                           "%s: layer '%s': value %zu of its scale is %g; dtrain takes positive "
                           "ones",
                           path, r->name, j, r->scale[j]));
    if (json_object_get(json_object_get(layer, "config"), "offset") == NULL)
        goto out;
    DT_TRY(dt_keras_numbers_read(&r->offset, &r->offsets, layer, "offset", path));
    DT_TRY(check_count(chain, r->offsets, "offset", path));
out:
    return status;
}
