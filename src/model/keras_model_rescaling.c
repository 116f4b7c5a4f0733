/* Rescaling layers: y = scale x + offset. Before all others one is a Normalization, and after the
 * last the outputs' units; elsewhere it is a step. */
#include "keras_model_chain.h"

#include "dtrain/base/memory.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* One number, or one for each value. */
DT_MUST_USE static dt_status read_list(double **out, size_t *count, const dt_keras_builder *b,
                                       const json_t *layer, const char *key)
{
    dt_status status = DT_OK;
    DT_TRY(dt_keras_numbers_read(out, count, layer, key, b->path));
    if (*count == 1)
        goto out;
    DT_TRY(dt_keras_check_rows(b, layer));
    if (b->values != 0 && *count != b->values)
        DT_TRY(dt_fail(DT_DATA, "%s: layer '%.63s': its %s has %zu numbers; expected 1 or %llu",
                       b->path, dt_keras_name_of(layer), key, *count,
                       (unsigned long long)b->values));
out:
    return status;
}

DT_MUST_USE static dt_status read(dt_keras_rescaling *r, const dt_keras_builder *b,
                                  const json_t *layer)
{
    dt_status status = DT_OK;
    (void)snprintf(r->name, sizeof r->name, "%s", dt_keras_name_of(layer));
    DT_TRY(read_list(&r->scale, &r->scales, b, layer, "scale"));
    if (json_object_get(json_object_get(layer, "config"), "offset") != NULL)
        DT_TRY(read_list(&r->offset, &r->offsets, b, layer, "offset"));
out:
    return status;
}

/* (x - mean) / deviation, which is at least 1e-7. */
static bool is_normalization(const dt_keras_rescaling *r)
{
    for (size_t j = 0; j < r->scales; j++)
        if (!(r->scale[j] > 1e-15 && r->scale[j] < 1e7))
            return false;
    for (size_t j = 0; j < r->offsets; j++)
        for (size_t i = 0; i < r->scales; i++)
            if (!(fabs(r->offset[j] / r->scale[i]) < (double)FLT_MAX))
                return false;
    return r->scales <= 1 || r->offsets <= 1 || r->scales == r->offsets;
}

DT_MUST_USE static dt_status take_first(dt_keras_normalization *n, const dt_keras_rescaling *r)
{
    dt_status status = DT_OK;
    const size_t count = r->scales > r->offsets ? r->scales : r->offsets;
    DT_TRY(dt_memory_alloc(&n->mean, count, sizeof *n->mean, "numbers"));
    DT_TRY(dt_memory_alloc(&n->variance, count, sizeof *n->variance, "numbers"));
    n->there = true;
    n->given = count;
    memcpy(n->name, r->name, sizeof n->name);
    for (size_t j = 0; j < count; j++) {
        const double scale = r->scale[r->scales > 1 ? j : 0];
        if (r->offsets > 0)
            n->mean[j] = -r->offset[r->offsets > 1 ? j : 0] / scale;
        n->variance[j] = 1.0 / (scale * scale);
    }
out:
    return status;
}

dt_status dt_keras_take_rescaling(dt_keras_builder *b, const json_t *layer)
{
    dt_status status = DT_OK;
    dt_keras_chain *chain = b->chain;
    dt_keras_rescaling r = {.there = true};
    if (b->softmax != NULL)
        return dt_fail(DT_DATA,
                       "%s: layer '%.60s' rescales the outputs of softmax, which dtrain does not; "
                       "use Keras to predict",
                       b->path, dt_keras_name_of(layer));
    DT_TRY(read(&r, b, layer));
    if (chain->count == 0 && !chain->normalization.there && is_normalization(&r)) {
        DT_TRY(take_first(&chain->normalization, &r));
        goto out;
    }
    dt_keras_settle_rescaling(b);
    chain->rescaling = r;
    r = (dt_keras_rescaling){0};
    const dt_layer *last = chain->count > 0 ? &chain->steps[chain->count - 1].layer : NULL;
    if (last == NULL || last->kind != &dt_layer_dense || last->activation != DT_ACTIVATION_LINEAR)
        dt_keras_settle_rescaling(b);
out:
    dt_memory_free(r.scale);
    dt_memory_free(r.offset);
    return status;
}
