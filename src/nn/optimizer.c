#include "dtrain/nn/optimizer.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/vectorize.h"

#include <math.h>

dt_status dt_adam_init(dt_adam *out, size_t P, double learning_rate)
{
    *out = (dt_adam){.P = P,
                     .learning_rate = learning_rate,
                     .beta_1 = 0.9,
                     .beta_2 = 0.999,
                     .epsilon = 1e-7,
                     .beta_1_power = 1.0f,
                     .beta_2_power = 1.0f};
    dt_status status = dt_memory_alloc(&out->m, 2 * P, sizeof(float), "Adam's moments");
    out->v = out->m == NULL ? NULL : out->m + P;
    return status;
}

void dt_adam_clear(dt_adam *adam)
{
    dt_memory_free(adam->m);
    *adam = (dt_adam){0};
}

/* base^n in the order of n's binary digits: libm's powf has other last bits in other releases. */
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

void dt_adam_begin_step(dt_adam *adam)
{
    adam->step++;
    adam->beta_1_power = power((float)adam->beta_1, adam->step);
    adam->beta_2_power = power((float)adam->beta_2, adam->step);
}

/* What a moment decays to before it is nothing. A unit that is dead for good would else leave
 * subnormal numbers behind, on which CPUs are 10 to 100 times slower. */
static const float SMALLEST = 1e-30f;

static inline float flushed(float moment)
{
    return fabsf(moment) < SMALLEST ? 0.0f : moment; /* NaN stays */
}

DT_VECTORIZE static void update(float *restrict w, float *restrict m, float *restrict v,
                                const float *restrict g, size_t count, float alpha,
                                float one_minus_beta_1, float one_minus_beta_2, float epsilon)
{
    for (size_t i = 0; i < count; i++) {
        m[i] = flushed(m[i] + (g[i] - m[i]) * one_minus_beta_1);
        v[i] = flushed(v[i] + (g[i] * g[i] - v[i]) * one_minus_beta_2);
        w[i] -= m[i] * alpha / (sqrtf(v[i]) + epsilon);
    }
}

DT_VECTORIZE static void decay(float *w, size_t count, float share)
{
    for (size_t i = 0; i < count; i++)
        w[i] -= w[i] * share;
}

void dt_adam_update(dt_adam *adam, float *params, const float *gradient, size_t first, size_t count,
                    bool decays)
{
    const float alpha =
        (float)adam->learning_rate * sqrtf(1.0f - adam->beta_2_power) / (1.0f - adam->beta_1_power);
    if (decays && adam->weight_decay > 0.0)
        decay(params + first, count, (float)(adam->learning_rate * adam->weight_decay));
    update(params + first, adam->m + first, adam->v + first, gradient, count, alpha,
           (float)(1.0 - adam->beta_1), (float)(1.0 - adam->beta_2), (float)adam->epsilon);
}
