/*
 * Stochastic gradient descent with momentum, Nesterov's too, as Keras computes it.
 *
 * Math:   velocity = momentum velocity - lr g;  w += velocity,
 *         with nesterov  w += momentum velocity - lr g  of the new velocity
 * Source: keras/src/optimizers/sgd.py
 */
#include "../optimizer_internal.h"

#include "dtrain/base/vectorize.h"

enum { MOMENTUM, NESTEROV };
enum { VELOCITY };
enum { RATE };

static void begin_step(dt_optimizer *o)
{
    o->factors[RATE] = (float)o->learning_rate;
}

DT_VECTORIZE static void move_by_sgd(float *restrict w, float *restrict velocity,
                                     const float *restrict g, size_t count, float rate,
                                     float momentum)
{
    for (size_t i = 0; i < count; i++) {
        velocity[i] = dt_optimizer_flush(velocity[i] * momentum - g[i] * rate);
        w[i] += velocity[i];
    }
}

DT_VECTORIZE static void move_by_nesterov(float *restrict w, float *restrict velocity,
                                          const float *restrict g, size_t count, float rate,
                                          float momentum)
{
    for (size_t i = 0; i < count; i++) {
        velocity[i] = dt_optimizer_flush(velocity[i] * momentum - g[i] * rate);
        w[i] += velocity[i] * momentum - g[i] * rate;
    }
}

static void update(const dt_optimizer *o, float *params, const float *gradient, size_t first,
                   size_t count)
{
    const float momentum = (float)o->numbers[MOMENTUM];
    float *velocity = o->states[VELOCITY] + first;
    if (o->numbers[NESTEROV] > 0.0)
        move_by_nesterov(params + first, velocity, gradient, count, o->factors[RATE], momentum);
    else
        move_by_sgd(params + first, velocity, gradient, count, o->factors[RATE], momentum);
}

const dt_optimizer_kind dt_sgd = {
    .name = "sgd",
    .title = "SGD",
    .number_count = 2,
    .numbers = {{"momentum", 0.0, 1.0, false}, {"nesterov", 0.0, 2.0, true}},
    .state_count = 1,
    .states = {"momentum"},
    .begin_step = begin_step,
    .update = update,
};
