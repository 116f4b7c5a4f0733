/*
 * Adam, as Keras computes it: epsilon is the paper's "epsilon hat", outside the bias correction.
 * AdamW makes the same step; weight decay, which each optimizer may have, is on by default.
 *
 * Math:   alpha = lr sqrt(1 - beta_2^t) / (1 - beta_1^t);  m += (g - m)(1 - beta_1);
 *         v += (g^2 - v)(1 - beta_2);  w -= m alpha / (sqrt(v) + epsilon)
 * Source: Kingma and Ba 2015; keras/src/optimizers/adam.py, adamw.py
 */
#include "../optimizer_internal.h"

#include "dtrain/base/elementary.h"
#include "dtrain/base/vectorize.h"

#include <math.h>

enum { BETA_1, BETA_2, EPSILON };
enum { M, V };
enum { ALPHA };

/* In float32, as in Keras. */
static float power(double base, int64_t n)
{
    return (float)dt_elementary_power((double)(float)base, n);
}

static void begin_step(dt_optimizer *o)
{
    const float beta_1_power = power(o->numbers[BETA_1], o->step);
    const float beta_2_power = power(o->numbers[BETA_2], o->step);
    o->factors[ALPHA] =
        (float)o->learning_rate * sqrtf(1.0f - beta_2_power) / (1.0f - beta_1_power);
}

DT_VECTORIZE static void move_by_adam(float *restrict w, float *restrict m, float *restrict v,
                                      const float *restrict g, size_t count, float alpha,
                                      float one_minus_beta_1, float one_minus_beta_2, float epsilon)
{
    for (size_t i = 0; i < count; i++) {
        m[i] = dt_optimizer_flush(m[i] + (g[i] - m[i]) * one_minus_beta_1);
        v[i] = dt_optimizer_flush(v[i] + (g[i] * g[i] - v[i]) * one_minus_beta_2);
        w[i] -= m[i] * alpha / (sqrtf(v[i]) + epsilon);
    }
}

static void update(const dt_optimizer *o, float *params, const float *gradient, size_t first,
                   size_t count)
{
    move_by_adam(params + first, o->states[M] + first, o->states[V] + first, gradient, count,
                 o->factors[ALPHA], (float)(1.0 - o->numbers[BETA_1]),
                 (float)(1.0 - o->numbers[BETA_2]), (float)o->numbers[EPSILON]);
}

#define ADAM(NAME, TITLE, WEIGHT_DECAY)                                                            \
    {                                                                                              \
        .name = (NAME), .title = (TITLE), .weight_decay = (WEIGHT_DECAY), .number_count = 3,       \
        .numbers = {{"beta_1", 0.9, 1.0, false},                                                   \
                    {"beta_2", 0.999, 1.0, false},                                                 \
                    {"epsilon", 1e-7, HUGE_VAL, false}},                                           \
        .state_count = 2, .states = {"m", "v"}, .non_negative = {false, true},                     \
        .begin_step = begin_step, .update = update,                                                \
    }

const dt_optimizer_kind dt_adam = ADAM("adam", "Adam", 0.0);
const dt_optimizer_kind dt_adamw = ADAM("adamw", "AdamW", 0.004);
