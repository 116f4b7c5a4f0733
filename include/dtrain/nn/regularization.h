#ifndef DTRAIN_NN_REGULARIZATION_H
#define DTRAIN_NN_REGULARIZATION_H

#include <stddef.h>

/**
 * What is done to a step's finished gradient before the optimizer gets it. 0: it is not done.
 *
 * All calls are local, allocate nothing, and give the same bits on every CPU.
 */
typedef struct dt_regularization {
    double l2, l1; /* penalties of tensors that decay (dt_tensor), dt_penalties_add */
} dt_regularization;

/**
 * Adds the gradient of penalties to that of `count` weights.
 *
 * Math:    gradient[i] += 2 l2 w[i] + l1 sign(w[i]): of l2 * sum of w^2 and l1 * sum of |w|
 * Source:  Keras's regularizers L1 and L2
 */
void dt_penalties_add(float *gradient, const float *w, size_t count, double l2, double l1);

#endif
