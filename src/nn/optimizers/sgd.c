/*
 * Stochastic gradient descent with momentum, as Keras computes it.
 *
 * Math:   velocity = momentum velocity - lr g;  w += velocity
 * Source: keras/src/optimizers/sgd.py
 */
#include "dtrain/nn/optimizer.h"

#include "dtrain/base/vectorize.h"

#include <math.h>

enum { MOMENTUM };
enum { VELOCITY };
enum { RATE };

static void begin_step(dt_optimizer *o)
{
    o->factors[RATE] = (float)o->learning_rate;
}

/* A velocity below 1e-30 becomes 0: a dead unit would otherwise leave subnormal numbers, which CPUs
 * compute 10 to 100 times slower. NaN stays. */
DT_VECTORIZE static void move_by_sgd(float *restrict w, float *restrict velocity,
                                     const float *restrict g, size_t count, float rate,
                                     float momentum)
{
    for (size_t i = 0; i < count; i++) {
        const float next = velocity[i] * momentum - g[i] * rate;
        velocity[i] = fabsf(next) < 1e-30f ? 0.0f : next;
        w[i] += velocity[i];
    }
}

static void update(const dt_optimizer *o, float *params, const float *gradient, size_t first,
                   size_t count)
{
    move_by_sgd(params + first, o->states[VELOCITY] + first, gradient, count, o->factors[RATE],
                (float)o->numbers[MOMENTUM]);
}

const dt_optimizer_kind dt_sgd = {
    .name = "sgd",
    .title = "SGD",
    .number_count = 1,
    .numbers = {{"momentum", 0.0, 1.0}},
    .state_count = 1,
    .states = {"momentum"},
    .begin_step = begin_step,
    .update = update,
};
