#ifndef DTRAIN_NN_LINALG_H
#define DTRAIN_NN_LINALG_H

#include <stdbool.h>
#include <stddef.h>

/**
 * The matrix products of a dense layer, over BLAS; narrow ones, where a call to BLAS costs more
 * than it computes, by kernels of our own. All calls are local; all matrices row-major.
 *
 * The same call with the same shapes gives the same bits on the same kernel family and number of
 * threads; a product over other rows, or over more of them at once, need not.
 */

/** Sets the number of BLAS threads of this process; bits depend on it. */
void dt_linalg_init(int threads);

/** Returns the kernel family that BLAS picked for this CPU, "SkylakeX"; "unknown" if it has none.
 */
const char *dt_linalg_kernels(void);

/** Tells whether this CPU runs the kernels of our own; elsewhere BLAS does their work. */
bool dt_linalg_has_own_kernels(void);

/** Returns the BLAS library's name and version, "OpenBLAS 0.3.21". */
const char *dt_linalg_library(void);

/**
 * Returns the kernel family this CPU could use when OPENBLAS_CORETYPE pins a lesser one, else NULL.
 */
const char *dt_linalg_pinned_below(void);

/**
 * Computes a layer's weighted sums.
 *
 * Math:    Y = X W + b
 * Shapes:  X [B,D] in, W [D,H] in, b [H] in, Y [B,H] out; no overlap
 * Cost:    2*B*D*H flop; allocates nothing
 */
void dt_linalg_forward(float *Y, const float *X, const float *W, const float *b, size_t B, size_t D,
                       size_t H);

/** Tells whether each row's bits are its own with these shapes, whatever rows stand beside it. */
bool dt_linalg_forward_is_rowwise(size_t D, size_t H);

/**
 * Computes `rows` rows of the weights' gradient, from row `first` on.
 *
 * Math:    dW[first : first+rows, :] = X[:, first : first+rows]^T dY
 * Shapes:  X [B,D] in, dY [B,H] in, dW [rows,H] out (row 0 is row `first`); no overlap
 * Cost:    2*B*rows*H flop; allocates nothing
 */
void dt_linalg_weight_gradient(float *dW, const float *X, const float *dY, size_t B, size_t D,
                               size_t H, size_t first, size_t rows);

/**
 * Computes the gradient of a layer's inputs.
 *
 * Math:    dX = dY W^T
 * Shapes:  dY [B,H] in, W [D,H] in, dX [B,D] out; no overlap
 * Cost:    2*B*D*H flop; allocates nothing
 */
void dt_linalg_input_gradient(float *dX, const float *dY, const float *W, size_t B, size_t D,
                              size_t H);

/**
 * Adds up the rows of a matrix, in row order.
 *
 * Math:    out[j] = sum over i of Y[i,j]
 * Shapes:  Y [B,H] in, out [H] out
 */
void dt_linalg_column_sums(float *out, const float *Y, size_t B, size_t H);

#endif
