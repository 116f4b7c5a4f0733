#ifndef DTRAIN_NN_OPTIMIZER_H
#define DTRAIN_NN_OPTIMIZER_H

#include "dtrain/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Adam, as Keras computes it: epsilon is the paper's "epsilon hat", outside the bias correction.
 * With weight decay it is AdamW: the decay does not go through the moments.
 *
 * Source:  Kingma and Ba 2015; Loshchilov and Hutter 2019; keras/src/optimizers/adam.py and
 *          adamw.py. All calls are local.
 */
typedef struct dt_adam {
    size_t P;
    float *m, *v; /* [P] each: the moments, views into one block */
    double learning_rate, beta_1, beta_2, epsilon;
    double weight_decay; /* 0: none */
    int64_t step; /* updates done */
    float beta_1_power, beta_2_power; /* beta ^ step */
} dt_adam;

/** Makes an optimizer at step 0 with Keras's defaults. Owns: the caller clears. Errors: DT_MEMORY.
 */
DT_MUST_USE dt_status dt_adam_init(dt_adam *out, size_t P, double learning_rate);

/** Frees the moments. */
void dt_adam_clear(dt_adam *adam);

/** Begins the next update: counts the step and its bias correction. Once for all parameters. */
void dt_adam_begin_step(dt_adam *adam);

/**
 * Updates the parameters first .. first+count-1, each exactly once between two begin_step calls.
 * `decays`: weight decay applies to them.
 *
 * Math:    alpha = lr sqrt(1 - beta_2^t) / (1 - beta_1^t);  m += (g - m)(1 - beta_1);
 *          v += (g^2 - v)(1 - beta_2);  w -= w lr weight_decay;  w -= m alpha / (sqrt(v) + epsilon)
 * Shapes:  params [P] in and out; gradient [count] in, its element 0 belongs to parameter `first`
 * Cost:    a square root and a division a parameter; allocates nothing
 */
void dt_adam_update(dt_adam *adam, float *params, const float *gradient, size_t first, size_t count,
                    bool decays);

#endif
