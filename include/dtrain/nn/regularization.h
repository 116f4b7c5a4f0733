#ifndef DTRAIN_NN_REGULARIZATION_H
#define DTRAIN_NN_REGULARIZATION_H

#include <stddef.h>

/**
 * What a step does to the finished gradient before the optimizer gets it, in this order, and to the
 * weights after the update. 0: it is not done.
 *
 * All calls are local, allocate nothing, and give the same bits on every CPU.
 */
typedef struct dt_regularization {
    double l2, l1; /* penalties of tensors that decay (dt_tensor) */
    double clip_norm; /* largest norm of the gradient of all parameters */
    double clip_value; /* largest magnitude of a parameter's gradient */
    double max_norm; /* largest norm of a column of a hidden layer's kernel */
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

/**
 * Scales those columns of a kernel down to the norm `most` whose norm is larger: of the weights
 * into each unit first .. first+count-1.
 *
 * Shapes:  W [D,H] in and out
 * Source:  Keras's constraint MaxNorm of axis 0; the norm is computed in double, row after row
 */
void dt_regularization_limit_columns(float *W, size_t D, size_t H, size_t first, size_t count,
                                     double most);

#endif
