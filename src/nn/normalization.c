#include "dtrain/nn/normalization.h"

#include "dtrain/base/memory.h"

#include <math.h>
#include <string.h>

/* keras.backend.epsilon(): a column of one value stays finite. */
static const float least_spread = 1e-7f;

dt_status dt_normalization_init(dt_normalization *out, size_t D, const float *mean,
                                const float *variance)
{
    *out = (dt_normalization){.D = D};
    dt_status status = dt_memory_alloc(&out->mean, 3 * D, sizeof(float), "normalization");
    if (status != DT_OK) {
        *out = (dt_normalization){0};
        return status;
    }
    out->variance = out->mean + D;
    out->spread = out->variance + D;
    memcpy(out->mean, mean, D * sizeof *mean);
    memcpy(out->variance, variance, D * sizeof *variance);
    for (size_t i = 0; i < D; i++)
        out->spread[i] = fmaxf(sqrtf(variance[i]), least_spread);
    return DT_OK;
}

void dt_normalization_clear(dt_normalization *normalization)
{
    dt_memory_free(normalization->mean);
    *normalization = (dt_normalization){0};
}

void dt_normalization_apply(const dt_normalization *n, float *X, size_t B)
{
    for (float *x = X, *end = X + B * n->D; x < end; x += n->D)
        for (size_t i = 0; i < n->D; i++)
            x[i] = (x[i] - n->mean[i]) / n->spread[i];
}
