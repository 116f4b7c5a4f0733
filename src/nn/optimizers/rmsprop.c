/*
 * RMSprop as Keras computes it by default: without momentum, not centered.
 *
 * Math:   velocity = rho velocity + (1 - rho) g^2;  w -= lr g / sqrt(velocity + epsilon)
 * Source: Hinton 2012 (lecture 6 of his course); keras/src/optimizers/rmsprop.py
 */
#include "../optimizer_internal.h"

#include "dtrain/base/vectorize.h"

enum { RHO, EPSILON };
enum { VELOCITY };
enum { RATE };

static void begin_step(dt_optimizer *o)
{
    o->factors[RATE] = (float)o->learning_rate;
}

DT_VECTORIZE static void move_by_rmsprop(float *restrict w, float *restrict velocity,
                                         const float *restrict g, size_t count, float rate,
                                         float rho, float one_minus_rho, float epsilon)
{
    for (size_t i = 0; i < count; i++) {
        velocity[i] = dt_optimizer_flush(velocity[i] * rho + g[i] * g[i] * one_minus_rho);
        w[i] -= g[i] * rate / sqrtf(velocity[i] + epsilon);
    }
}

static void update(const dt_optimizer *o, float *params, const float *gradient, size_t first,
                   size_t count)
{
    move_by_rmsprop(params + first, o->states[VELOCITY] + first, gradient, count, o->factors[RATE],
                    (float)o->numbers[RHO], (float)(1.0 - o->numbers[RHO]),
                    (float)o->numbers[EPSILON]);
}

const dt_optimizer_kind dt_rmsprop = {
    .name = "rmsprop",
    .title = "RMSprop",
    .number_count = 2,
    .numbers = {{"rho", 0.9, 1.0, false}, {"epsilon", 1e-7, HUGE_VAL, false}},
    .state_count = 1,
    .states = {"velocity"},
    .non_negative = {true},
    .begin_step = begin_step,
    .update = update,
};
