#include "dtrain/nn/linalg.h"

#include "dtrain/base/vectorize.h"
#include "linalg_narrow.h"

#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* OpenBLAS's own calls, absent from other libraries with the same cblas.h: NULL there. OpenBLAS's
 * header declares them too, but not as weak.
 * NOLINTBEGIN(readability-redundant-declaration) */
extern void openblas_set_num_threads(int threads) __attribute__((weak));
extern char *openblas_get_corename(void) __attribute__((weak));
extern char *openblas_get_config(void) __attribute__((weak));
/* NOLINTEND(readability-redundant-declaration) */

void dt_linalg_init(int threads)
{
    if (openblas_set_num_threads != NULL)
        openblas_set_num_threads(threads);
}

const char *dt_linalg_kernels(void)
{
    return openblas_get_corename != NULL ? openblas_get_corename() : "unknown";
}

bool dt_linalg_has_own_kernels(void)
{
    return dt_narrow_fits(1, 1);
}

const char *dt_linalg_library(void)
{
    static char name[64];
    if (openblas_get_config == NULL)
        return "BLAS";
    /* "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ...": the first two words */
    (void)snprintf(name, sizeof name, "%s", openblas_get_config());
    char *space = strchr(name, ' ');
    if (space != NULL)
        space = strchr(space + 1, ' ');
    if (space != NULL)
        *space = '\0';
    return name;
}

const char *dt_linalg_pinned_below(void)
{
#if defined(__x86_64__)
    static const char *const wide[] = {"SkylakeX", "Cooperlake", "SapphireRapids"};
    const char *kernels = dt_linalg_kernels();
    if (getenv("OPENBLAS_CORETYPE") == NULL)
        return NULL;
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (strcmp(kernels, wide[i]) == 0)
            return NULL;
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
        return "SkylakeX";
    if (__builtin_cpu_supports("avx2") && strcmp(kernels, "Haswell") != 0 &&
        strcmp(kernels, "Zen") != 0)
        return "Haswell";
#endif
    return NULL;
}

/* Which of the two computes a product is a matter of its shapes alone, as the bits have to be. */

DT_VECTORIZE static void add_bias(float *restrict Y, const float *restrict b, size_t B, size_t H)
{
    for (size_t i = 0; i < B; i++)
        for (size_t j = 0; j < H; j++)
            Y[i * H + j] += b[j];
}

bool dt_linalg_forward_is_rowwise(size_t D, size_t H)
{
    return dt_narrow_fits(D, H);
}

void dt_linalg_forward(float *Y, const float *X, const float *W, const float *b, size_t B, size_t D,
                       size_t H)
{
    if (dt_narrow_fits(D, H)) {
        dt_narrow_multiply(Y, X, D, 1, W, b, B, D, H);
        return;
    }
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)B, (int)H, (int)D, 1.0f, X, (int)D,
                W, (int)H, 0.0f, Y, (int)H);
    add_bias(Y, b, B, H);
}

static const float zeros[DT_NARROW_COLUMNS];

void dt_linalg_weight_gradient(float *dW, const float *X, const float *dY, size_t B, size_t D,
                               size_t H, size_t first, size_t rows)
{
    if (dt_narrow_fits(B, H))
        dt_narrow_multiply(dW, X + first, 1, D, dY, zeros, rows, B, H);
    else
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)rows, (int)H, (int)B, 1.0f,
                    X + first, (int)D, dY, (int)H, 0.0f, dW, (int)H);
}

void dt_linalg_input_gradient(float *dX, const float *dY, const float *W, size_t B, size_t D,
                              size_t H)
{
    /* With few classes the transposed kernel is a handful of numbers. */
    enum { FEW = 512 };
    if (D * H <= FEW && dt_narrow_fits(H, D)) {
        float transposed[FEW];
        for (size_t i = 0; i < D; i++)
            for (size_t j = 0; j < H; j++)
                transposed[j * D + i] = W[i * H + j];
        dt_narrow_multiply(dX, dY, H, 1, transposed, zeros, B, H, D);
    } else {
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)B, (int)D, (int)H, 1.0f, dY,
                    (int)H, W, (int)H, 0.0f, dX, (int)D);
    }
}

DT_VECTORIZE static void sum_columns(float *restrict out, const float *restrict Y, size_t B,
                                     size_t H)
{
    for (size_t j = 0; j < H; j++)
        out[j] = 0.0f;
    for (size_t i = 0; i < B; i++)
        for (size_t j = 0; j < H; j++)
            out[j] += Y[i * H + j];
}

void dt_linalg_column_sums(float *out, const float *Y, size_t B, size_t H)
{
    sum_columns(out, Y, B, H);
}
