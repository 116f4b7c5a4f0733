#include "dtrain/nn/optimizer.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/vectorize.h"

#include <string.h>

const dt_optimizer_kind *const dt_optimizer_kinds[DT_OPTIMIZER_COUNT] = {
    &dt_adam, &dt_sgd, &dt_adamw, &dt_nadam, &dt_rmsprop, &dt_adagrad};

const dt_optimizer_kind *dt_optimizer_find(const char *name)
{
    for (size_t i = 0; i < DT_OPTIMIZER_COUNT; i++)
        if (strcmp(dt_optimizer_kinds[i]->name, name) == 0)
            return dt_optimizer_kinds[i];
    return NULL;
}

dt_status dt_optimizer_init(dt_optimizer *out, const dt_optimizer_kind *kind, size_t P,
                            double learning_rate)
{
    *out = (dt_optimizer){.kind = kind, .learning_rate = learning_rate};
    for (size_t i = 0; i < kind->number_count; i++)
        out->numbers[i] = kind->numbers[i].fallback;
    return P == 0 ? DT_OK : dt_optimizer_allocate(out, P);
}

dt_status dt_optimizer_allocate(dt_optimizer *optimizer, size_t P)
{
    const size_t count = optimizer->kind->state_count;
    float *block = NULL;
    DT_ASSERT(optimizer->P == 0);
    dt_status status = dt_memory_alloc(&block, P, count * sizeof(float), "the optimizer's state");
    if (status != DT_OK)
        return status;
    for (size_t i = 0; i < count; i++) {
        optimizer->states[i] = block + i * P;
        for (size_t p = 0; optimizer->kind->start[i] > 0.0f && p < P; p++)
            optimizer->states[i][p] = optimizer->kind->start[i];
    }
    optimizer->P = P;
    return DT_OK;
}

dt_status dt_optimizer_start_average(dt_optimizer *optimizer, const float *params, size_t P)
{
    if (optimizer->ema <= 0.0)
        return DT_OK;
    dt_status status = dt_memory_alloc(&optimizer->average, P, sizeof(float), "averaged weights");
    if (status == DT_OK)
        memcpy(optimizer->average, params, P * sizeof(float));
    return status;
}

void dt_optimizer_clear(dt_optimizer *optimizer)
{
    dt_memory_free(optimizer->average);
    dt_memory_free(optimizer->states[0]);
    *optimizer = (dt_optimizer){0};
}

double *dt_optimizer_number_at(dt_optimizer *optimizer, const char *name)
{
    for (size_t i = 0; i < optimizer->kind->number_count; i++)
        if (strcmp(optimizer->kind->numbers[i].name, name) == 0)
            return &optimizer->numbers[i];
    return NULL;
}

void dt_optimizer_begin_step(dt_optimizer *optimizer)
{
    optimizer->step++;
    const double t = (double)optimizer->step, warm = (1.0 + t) / (10.0 + t);
    optimizer->average_share = (float)(1.0 - (warm < optimizer->ema ? warm : optimizer->ema));
    optimizer->kind->begin_step(optimizer);
}

DT_VECTORIZE static void decay(float *w, size_t count, float share)
{
    for (size_t i = 0; i < count; i++)
        w[i] -= w[i] * share;
}

DT_VECTORIZE static void average(float *restrict E, const float *restrict w, size_t count,
                                 float share)
{
    for (size_t i = 0; i < count; i++)
        E[i] += share * (w[i] - E[i]);
}

void dt_optimizer_update(const dt_optimizer *optimizer, float *params, const float *gradient,
                         size_t first, size_t count, bool decays)
{
    if (decays && optimizer->weight_decay > 0.0)
        decay(params + first, count, (float)(optimizer->learning_rate * optimizer->weight_decay));
    optimizer->kind->update(optimizer, params, gradient, first, count);
    if (optimizer->average != NULL)
        average(optimizer->average + first, params + first, count, optimizer->average_share);
}
