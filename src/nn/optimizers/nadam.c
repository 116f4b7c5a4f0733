/*
 * Adam with Nesterov momentum, as Keras computes it: a momentum that rises over the steps.
 *
 * Math:   u_t = beta_1 (1 - 0.96^t / 2);  U_t = u_1 u_2 ... u_t;
 *         m += (g - m)(1 - beta_1);  v += (g^2 - v)(1 - beta_2);
 *         M = u_(t+1) m / (1 - U_(t+1)) + (1 - u_t) g / (1 - U_t);
 *         w -= lr M / (sqrt(v / (1 - beta_2^t)) + epsilon)
 * Source: Dozat 2015; keras/src/optimizers/nadam.py
 */
#include "../optimizer_internal.h"

#include "dtrain/base/elementary.h"
#include "dtrain/base/vectorize.h"

enum { BETA_1, BETA_2, EPSILON };
enum { M, V };
enum { OF_MOMENT, OF_GRADIENT, OF_SQUARE };

static const double decay = 0.96;

/* u_t */
static double momentum(double beta_1, int64_t t)
{
    return beta_1 * (1.0 - 0.5 * dt_elementary_power(decay, t));
}

/* U_t. Keras keeps it as a variable; it depends only on the step, so files do not contain it. */
static double product(double beta_1, int64_t t)
{
    enum { LAST = 1000 }; /* 0.96^1000 is below half an ulp of 1 */
    double result = dt_elementary_power(beta_1, t), power = 1.0;
    if (result < 0x1p-30) /* 1 - U_t is 1 in float32 */
        return 0.0;
    for (int64_t i = 1; i <= t && i <= LAST; i++) {
        power *= decay;
        result *= 1.0 - 0.5 * power;
    }
    return result;
}

static double scalar(const dt_optimizer *o)
{
    return product(o->numbers[BETA_1], o->step);
}

static void begin_step(dt_optimizer *o)
{
    const double beta_1 = o->numbers[BETA_1], beta_2 = o->numbers[BETA_2];
    const double now = momentum(beta_1, o->step), next = momentum(beta_1, o->step + 1);
    const double U = product(beta_1, o->step);
    o->factors[OF_MOMENT] = (float)(o->learning_rate * next / (1.0 - U * next));
    o->factors[OF_GRADIENT] = (float)(o->learning_rate * (1.0 - now) / (1.0 - U));
    o->factors[OF_SQUARE] = (float)(1.0 / (1.0 - dt_elementary_power(beta_2, o->step)));
}

DT_VECTORIZE static void move_by_nadam(float *restrict w, float *restrict m, float *restrict v,
                                       const float *restrict g, size_t count, const float *factors,
                                       float one_minus_beta_1, float one_minus_beta_2,
                                       float epsilon)
{
    const float of_moment = factors[OF_MOMENT], of_gradient = factors[OF_GRADIENT];
    const float of_square = factors[OF_SQUARE];
    for (size_t i = 0; i < count; i++) {
        m[i] = dt_optimizer_flush(m[i] + (g[i] - m[i]) * one_minus_beta_1);
        v[i] = dt_optimizer_flush(v[i] + (g[i] * g[i] - v[i]) * one_minus_beta_2);
        w[i] -= (m[i] * of_moment + g[i] * of_gradient) / (sqrtf(v[i] * of_square) + epsilon);
    }
}

static void update(const dt_optimizer *o, float *params, const float *gradient, size_t first,
                   size_t count)
{
    move_by_nadam(params + first, o->states[M] + first, o->states[V] + first, gradient, count,
                  o->factors, (float)(1.0 - o->numbers[BETA_1]), (float)(1.0 - o->numbers[BETA_2]),
                  (float)o->numbers[EPSILON]);
}

const dt_optimizer_kind dt_nadam = {
    .name = "nadam",
    .title = "Nadam",
    .number_count = 3,
    .numbers = {{"beta_1", 0.9, 1.0, false},
                {"beta_2", 0.999, 1.0, false},
                {"epsilon", 1e-7, HUGE_VAL, false}},
    .state_count = 2,
    .states = {"m", "v"},
    .non_negative = {false, true},
    .begin_step = begin_step,
    .update = update,
    .scalar = scalar,
};
