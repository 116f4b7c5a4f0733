#include "dtrain/nn/loss.h"

#include "vector_math.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/vectorize.h"

#include <float.h>

#include <string.h>

const dt_loss *const dt_losses[DT_LOSS_COUNT] = {&dt_cross_entropy, &dt_mean_squared_error,
                                                 &dt_mean_absolute_error, &dt_huber, &dt_quantile};

const dt_loss *dt_loss_find(const char *name)
{
    for (size_t i = 0; i < DT_LOSS_COUNT; i++)
        if (strcmp(dt_losses[i]->name, name) == 0)
            return dt_losses[i];
    return NULL;
}

DT_VECTORIZE static void take_logarithms(float *z, size_t count)
{
    for (size_t i = 0; i < count; i++)
        z[i] = dt_log(z[i] < FLT_MIN ? FLT_MIN : z[i]);
}

void dt_loss_invert(const dt_loss *loss, float *z, size_t count)
{
    if (loss->classes)
        take_logarithms(z, count);
}

dt_status dt_loss_rows_init(dt_loss_rows *out, const dt_loss *loss, size_t rows)
{
    dt_status status = DT_OK;
    *out = (dt_loss_rows){0};
    DT_TRY(dt_memory_alloc(&out->loss, rows, sizeof *out->loss, "losses"));
    if (loss->classes) {
        DT_TRY(dt_memory_alloc(&out->predicted, rows, sizeof *out->predicted, "predictions"));
    } else {
        DT_TRY(dt_memory_alloc(&out->squared, rows, sizeof *out->squared, "errors"));
        DT_TRY(dt_memory_alloc(&out->absolute, rows, sizeof *out->absolute, "errors"));
    }
out:
    if (status != DT_OK)
        dt_loss_rows_clear(out);
    return status;
}

void dt_loss_rows_clear(dt_loss_rows *rows)
{
    dt_memory_free(rows->loss);
    dt_memory_free(rows->predicted);
    dt_memory_free(rows->squared);
    dt_memory_free(rows->absolute);
    *rows = (dt_loss_rows){0};
}
