#include "cblas.h"

void cblas_sgemm(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE transpose_a, CBLAS_TRANSPOSE transpose_b,
                 int M, int N, int K, float alpha, const float *A, int lda, const float *B, int ldb,
                 float beta, float *C, int ldc)
{
    (void)layout;
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++) {
            double sum = 0.0;
            for (int k = 0; k < K; k++) {
                const float a = transpose_a == CblasTrans ? A[k * lda + i] : A[i * lda + k];
                const float b = transpose_b == CblasTrans ? B[j * ldb + k] : B[k * ldb + j];
                sum += (double)a * (double)b;
            }
            float *c = C + i * ldc + j;
            /* What beta 0 overwrites may be NaN. */
            *c = (float)((double)alpha * sum + (beta == 0.0f ? 0.0 : (double)beta * (double)*c));
        }
}
