/*
 * Adagrad as Keras computes it: the accumulator starts at 0.1.
 *
 * Math:   accumulator += g^2;  w -= lr g / sqrt(accumulator + epsilon)
 * Source: Duchi, Hazan and Singer 2011; keras/src/optimizers/adagrad.py
 */
#include "../optimizer_internal.h"

#include "dtrain/base/vectorize.h"

enum { EPSILON };
enum { ACCUMULATOR };
enum { RATE };

static void begin_step(dt_optimizer *o)
{
    o->factors[RATE] = (float)o->learning_rate;
}

DT_VECTORIZE static void move_by_adagrad(float *restrict w, float *restrict accumulator,
                                         const float *restrict g, size_t count, float rate,
                                         float epsilon)
{
    for (size_t i = 0; i < count; i++) {
        accumulator[i] += g[i] * g[i];
        w[i] -= g[i] * rate / sqrtf(accumulator[i] + epsilon);
    }
}

static void update(const dt_optimizer *o, float *params, const float *gradient, size_t first,
                   size_t count)
{
    move_by_adagrad(params + first, o->states[ACCUMULATOR] + first, gradient, count,
                    o->factors[RATE], (float)o->numbers[EPSILON]);
}

const dt_optimizer_kind dt_adagrad = {
    .name = "adagrad",
    .title = "Adagrad",
    .number_count = 1,
    .numbers = {{"epsilon", 1e-7, HUGE_VAL, false}},
    .state_count = 1,
    .states = {"accumulator"},
    .non_negative = {true},
    .start = {0.1f},
    .begin_step = begin_step,
    .update = update,
};
