#ifndef DTRAIN_NN_REGULARIZATION_H
#define DTRAIN_NN_REGULARIZATION_H

#include <stddef.h>

/**
 * What is done to a step's finished gradient before the optimizer gets it, in this order. 0: it is
 * not done.
 *
 * All calls are local, allocate nothing, and give the same bits on every CPU.
 */
typedef struct dt_regularization {
    double l2, l1; /* penalties of tensors that decay (dt_tensor) */
    double clip_norm; /* largest norm of the gradient of all parameters */
    double clip_value; /* largest magnitude of a parameter's gradient */
} dt_regularization;

/**
 * Adds the gradient of penalties to that of `count` weights.
 *
 * Math:    gradient[i] += 2 l2 w[i] + l1 sign(w[i]): of l2 * sum of w^2 and l1 * sum of |w|
 * Source:  Keras's regularizers L1 and L2
 */
void dt_regularization_add_penalties(float *gradient, const float *w, size_t count, double l2,
                                     double l1);

/** Number of parameters whose squares dt_regularization_square adds up. */
enum { DT_SQUARES_TOGETHER = 64 };

/**
 * Computes the sums of squares of 64 numbers each; the last sum may be of fewer.
 *
 * Math:    in double: eight sums of every eighth number, then their sum in order
 * Shapes:  out [count / 64, rounded up]
 */
void dt_regularization_square(double *out, const float *gradient, size_t count);

/** Multiplies `count` numbers by a factor. */
void dt_regularization_scale(float *gradient, size_t count, float factor);

/** Clamps `count` numbers to [-most, most]. */
void dt_regularization_clamp(float *gradient, size_t count, double most);

#endif
