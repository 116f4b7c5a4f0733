/*
 * Adam, as Keras computes it: epsilon is the paper's "epsilon hat", outside the bias correction.
 * With decoupled weight decay it is AdamW.
 *
 * Math:   alpha = lr sqrt(1 - beta_2^t) / (1 - beta_1^t);  m += (g - m)(1 - beta_1);
 *         v += (g^2 - v)(1 - beta_2);  w -= m alpha / (sqrt(v) + epsilon)
 * Source: Kingma and Ba 2015; keras/src/optimizers/adam.py
 */
#include "dtrain/nn/optimizer.h"

#include "dtrain/base/vectorize.h"

#include <math.h>

enum { BETA_1, BETA_2, EPSILON };
enum { M, V };
enum { ALPHA };

/* base^n by repeated squaring, because powf gives different last bits in different C libraries. */
static float power(float base, int64_t n)
{
    double result = 1.0, square = (double)base; /* of float32, as Keras has it */
    for (; n > 0; n /= 2) {
        if (n % 2 != 0)
            result *= square;
        square *= square;
    }
    return (float)result;
}

static void begin_step(dt_optimizer *o)
{
    const float beta_1_power = power((float)o->numbers[BETA_1], o->step);
    const float beta_2_power = power((float)o->numbers[BETA_2], o->step);
    o->factors[ALPHA] =
        (float)o->learning_rate * sqrtf(1.0f - beta_2_power) / (1.0f - beta_1_power);
}

/* Values below it become 0: a dead unit would otherwise leave subnormal numbers, which CPUs compute
 * 10 to 100 times slower. */
static const float SMALLEST = 1e-30f;

static inline float flushed(float moment)
{
    return fabsf(moment) < SMALLEST ? 0.0f : moment; /* NaN stays */
}

DT_VECTORIZE static void move_by_adam(float *restrict w, float *restrict m, float *restrict v,
                                      const float *restrict g, size_t count, float alpha,
                                      float one_minus_beta_1, float one_minus_beta_2, float epsilon)
{
    for (size_t i = 0; i < count; i++) {
        m[i] = flushed(m[i] + (g[i] - m[i]) * one_minus_beta_1);
        v[i] = flushed(v[i] + (g[i] * g[i] - v[i]) * one_minus_beta_2);
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

const dt_optimizer_kind dt_adam = {
    .name = "adam",
    .title = "Adam",
    .number_count = 3,
    .numbers = {{"beta_1", 0.9, 1.0}, {"beta_2", 0.999, 1.0}, {"epsilon", 1e-7, HUGE_VAL}},
    .state_count = 2,
    .states = {"m", "v"},
    .non_negative = {false, true},
    .begin_step = begin_step,
    .update = update,
};
