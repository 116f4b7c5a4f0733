#ifndef DTRAIN_NN_LINALG_INTERNAL_H
#define DTRAIN_NN_LINALG_INTERNAL_H

#include "dtrain/nn/activation.h"

#include <stdbool.h>
#include <stddef.h>

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
    const float *A; /* row i, element k: A[i * a_row + k % 32 + k / 32 * a_panel] */
    size_t a_row, a_panel;
    const float *B; /* panels [N/32][K][32], padded with zeros */
    const float *start; /* [N/32][32] or NULL: zeros */
    size_t rows, K, N;
    dt_activation activation;
    float *slopes; /* NULL, or where the activation keeps them, laid out as `out` */
    /* NULL: the activation itself. Else its outputs, or the slopes it kept, laid out as `out`: the
     * derivative. */
    const float *outputs;
} dt_multiply;

typedef struct dt_kernels {
    const char *name; /* in DTRAIN_ISA and the banner; the rest is NULL on another architecture */
    bool is_rowwise; /* a row's bits are its own, whatever rows stand beside it */

    void (*multiply)(const dt_multiply *m);

    /* z[i,c] = bias[c] + sum over k of X[i,k] W[k,c], for few classes: the sum runs in 16 lanes,
     * k mod 16, that are then added in pairs. X panels of `pitch` rows; WT [D/32][C][32], padded
     * with zeros; z [rows,C]. */
    void (*multiply_narrow)(float *z, const float *X, size_t pitch, const float *WT,
                            const float *bias, size_t rows, size_t D, size_t C);

    /* g[f,j] = sum over r of A[r * a_row + f] B[r * 32 + j], for `count` <= 32 of f and 32 of j */
    void (*outer)(float *g, const float *A, size_t a_row, const float *B, size_t rows,
                  size_t count);
} dt_kernels;

/** Returns the kernels in use; before dt_linalg_choose, those of DT_ENGINE_AUTO. */
const dt_kernels *dt_kernels_chosen(void);

/** Copies W [D,H] into panels [H/32][D][32]; the panels' padding is left alone. */
void dt_pack_panels(float *to, const float *W, size_t D, size_t H);

/** Copies W [D,H], transposed, into panels [D/32][H][32]; the panels' padding is left alone. */
void dt_pack_transposed(float *to, const float *W, size_t D, size_t H);

extern const dt_kernels dt_kernels_avx512, dt_kernels_avx2, dt_kernels_neon, dt_kernels_portable,
    dt_kernels_blas;

#endif
