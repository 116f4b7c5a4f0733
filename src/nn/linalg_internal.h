#ifndef DTRAIN_NN_LINALG_INTERNAL_H
#define DTRAIN_NN_LINALG_INTERNAL_H

#include "dtrain/nn/activation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The matrix products of a dense layer: the same source (linalg_kernels.inc) for each instruction
 * set.
 *
 * Each element of a result is one chain of fused multiply-adds in the order of k (16 chains in
 * multiply_narrow), whatever the width of the vectors and the size of the tiles, so all sets give
 * the same bits. Source: BLIS (Van Zee and van de Geijn, 2015) for tiles that stay in registers
 * over all of k.
 */

/** Y = start + A B, then an activation or, going back, the derivative of one. */
typedef struct dt_multiply {
    float *out; /* panels [N/32][out_pitch][32] */
    size_t out_pitch;
    size_t out_row; /* floats from one row of `out` to the next; 0: 32. Else there is no activation,
                       `outputs` or `slopes` */
    const float *A; /* row i, element k: A[i * a_row + k % 32 + k / 32 * a_panel] */
    size_t a_row, a_panel;
    const uint32_t *marks; /* of A (dt_mark), as far apart as its panels; NULL: none. a_row = 32 */
    const float *B; /* panels [N/32][K][32], padded with zeros */
    const float *start; /* [N/32][32] or NULL: zeros */
    /* Floats from one row's start to the next; 0: all rows have the same. Else N is at most 32,
     * there are no marks, and the kernels are row-wise; `start` may be `out`. */
    size_t start_row;
    size_t rows, K, N;
    dt_activation activation;
    float *slopes; /* NULL, or where the activation keeps them, laid out as `out` */
    /* NULL: the activation itself. Else its outputs, or the slopes it kept, laid out as `out`: the
     * derivative. */
    const float *outputs;
} dt_multiply;

/** z[i,c] = bias[c] + sum over k of X[i,k] W[k,c], for few classes: the sum runs in 16 lanes, k mod
 * 16, that are then added in pairs. */
typedef struct dt_narrow {
    float *z; /* row i: z[i * z_row + c] */
    size_t z_row;
    const float *X; /* row i, element k: X[i * x_row + k % 32 + k / 32 * x_panel]; padded */
    size_t x_row, x_panel;
    const float *WT; /* [D/32][C][32], padded with zeros */
    const float *bias; /* [C] */
    size_t rows, D, C;
} dt_narrow;

/** g[f,j] = sum over r of A[r * a_row + f] B[r * b_row + j], for `count` <= 32 of f and 32 of j. */
typedef struct dt_outer {
    const float *A, *B;
    size_t a_row, b_row;
    size_t rows, count;
    const uint32_t *marks; /* of A (dt_mark), from its first row on; then 31 more words can be read.
                              NULL: none. a_row = b_row = 32 */
} dt_outer;

typedef struct dt_kernels {
    const char *name; /* in DTRAIN_ISA and the banner; the rest is NULL on another architecture */
    bool is_rowwise; /* a row's bits do not depend on the other rows */

    void (*multiply)(const dt_multiply *m);
    void (*multiply_narrow)(const dt_narrow *m);
    void (*outer)(float *g, const dt_outer *m); /* g [count,32] */
} dt_kernels;

/** Returns the kernels in use; before dt_linalg_choose, those of DT_ENGINE_AUTO. */
const dt_kernels *dt_kernels_chosen(void);

/** Copies W [D,H] into panels [H/32][D][32]; the panels' padding is left alone. */
void dt_pack_panels(float *to, const float *W, size_t D, size_t H);

/** Copies W [D,H], transposed, into panels [D/32][H][32]; the panels' padding is left alone. */
void dt_pack_transposed(float *to, const float *W, size_t D, size_t H);

/**
 * Marks the elements of a panel that are not zero: bit j of marks[i] stands for element (i, j), for
 * j < `columns` <= 32.
 *
 * With marks, a product skips the steps at which all elements of a tile are zero. It may skip
 * fewer, and marks may be set for zeros. The bits are the same as without marks if B is finite,
 * except for the sign of a zero from dt_outer, which does not affect sums of gradients.
 *
 * If B is not finite, 0 * inf is also skipped: a row without a category may or may not become NaN
 * when that category's weights have overflowed, which depends on the rows beside it. A row of that
 * category always does, and such a run ends as diverged.
 */
void dt_mark(uint32_t *marks, const float *panel, size_t rows, size_t columns);

/** Returns the share of zeros among the thirds of the marks, of about 11 elements each. */
double dt_marks_zeros(const uint32_t *marks, size_t rows);

extern const dt_kernels dt_kernels_avx512, dt_kernels_avx2, dt_kernels_neon, dt_kernels_portable,
    dt_kernels_blas;

#endif
