#ifndef DTRAIN_TESTS_CBLAS_H
#define DTRAIN_TESTS_CBLAS_H

/**
 * The one function of BLAS that dtrain calls, for a build that has no BLAS: src/nn/linalg_blas.c
 * then compiles, and cblas.c computes products in plain C. It says nothing about a real BLAS.
 */

typedef enum CBLAS_LAYOUT { CblasRowMajor = 101 } CBLAS_LAYOUT;
typedef enum CBLAS_TRANSPOSE { CblasNoTrans = 111, CblasTrans = 112 } CBLAS_TRANSPOSE;

/** C = alpha op(A) op(B) + beta C, row-major. */
void cblas_sgemm(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE transpose_a, CBLAS_TRANSPOSE transpose_b,
                 int M, int N, int K, float alpha, const float *A, int lda, const float *B, int ldb,
                 float beta, float *C, int ldc);

#endif
