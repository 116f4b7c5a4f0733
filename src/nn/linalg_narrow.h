#ifndef DTRAIN_NN_LINALG_NARROW_H
#define DTRAIN_NN_LINALG_NARROW_H

#include <stdbool.h>
#include <stddef.h>

/**
 * Matrix products with few columns, for which a BLAS call costs more than it computes; OpenBLAS has
 * kernels for them on CPUs with AVX-512 only.
 *
 * Every element is one chain of fused multiply-adds in the order of k, whatever the shapes, the
 * vector width and the neighbours: its bits depend on its own row and column alone.
 */

/** Columns, and elements of the right matrix, up to which these products are used. */
enum { DT_NARROW_COLUMNS = 64, DT_NARROW_ELEMENTS = 8192 };

/** Tells whether this CPU has what the products need, fused multiply-add, and the shape is narrow.
 */
bool dt_narrow_fits(size_t K, size_t N);

/**
 * Math:    C = A B + bias
 * Shapes:  A [M,K]: element (i,k) at A[i * row_stride + k * column_stride], so that a transposed A
 *          needs no copy; B [K,N], C [M,N] row-major; bias [N]: what each row's chains begin with;
 *          dt_narrow_fits(K, N)
 * Cost:    2*M*K*N flop; allocates nothing
 */
void dt_narrow_multiply(float *C, const float *A, size_t row_stride, size_t column_stride,
                        const float *B, const float *bias, size_t M, size_t K, size_t N);

#endif
