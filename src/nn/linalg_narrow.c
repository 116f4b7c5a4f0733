#include "linalg_narrow.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma")))
#define TILE TARGET __attribute__((always_inline)) static inline void
/* Without it gcc keeps the sums in memory: half the speed. Clang reads it as well. */
#define EACH_ROW _Pragma("GCC unroll 8") for (int r = 0; r < rows; r++)

enum { LANES = 8, WIDE_ROWS = 6, SLIM_ROWS = 8 };

typedef struct operands {
    const float *A;
    size_t row_stride, column_stride;
    const float *B, *bias;
    size_t K, N;
    float *C;
} operands;

/* A mask for the first `columns` lanes, 1 to 8. */
TARGET static inline __m256i mask_of(size_t columns)
{
    static const int ones_then_zeros[2 * LANES] = {-1, -1, -1, -1, -1, -1, -1, -1};
    return _mm256_loadu_si256((const __m256i *)(const void *)(ones_then_zeros + LANES - columns));
}

/* Stores the first `columns` lanes; not by maskstore, which takes AMD's CPUs dozens of cycles. */
TARGET static inline void store_part(float *c, __m256 value, size_t columns)
{
    if (columns == LANES) {
        _mm256_storeu_ps(c, value);
        return;
    }
    __m128 lanes = _mm256_castps256_ps128(value);
    if ((columns & 4) != 0) {
        _mm_storeu_ps(c, lanes);
        lanes = _mm256_extractf128_ps(value, 1);
        c += 4;
    }
    if ((columns & 2) != 0) {
        _mm_storel_pi((__m64 *)(void *)c, lanes);
        lanes = _mm_movehl_ps(lanes, lanes);
        c += 2;
    }
    if ((columns & 1) != 0)
        _mm_store_ss(c, lanes);
}

/* A tile of C stays in registers over all of k; `rows` is a constant at each call. This one has up
 * to 6 rows by 9 to 16 columns: 12 sums, enough to hide the latency of a multiply-add. */
TILE tile_wide(const operands *o, size_t i, size_t j, const int rows)
{
    const size_t second = o->N - j - LANES < LANES ? o->N - j - LANES : LANES;
    const __m256i mask = mask_of(second);
    const float *a = o->A + i * o->row_stride;
    const float *b = o->B + j;
    float *c = o->C + i * o->N + j;
    __m256 sum0[WIDE_ROWS], sum1[WIDE_ROWS];
    EACH_ROW
    {
        sum0[r] = _mm256_loadu_ps(o->bias + j);
        sum1[r] = _mm256_maskload_ps(o->bias + j + LANES, mask);
    }
    for (size_t k = 0; k < o->K; k++, a += o->column_stride, b += o->N) {
        const __m256 b0 = _mm256_loadu_ps(b);
        const __m256 b1 = _mm256_maskload_ps(b + LANES, mask);
        EACH_ROW
        {
            const __m256 value = _mm256_broadcast_ss(a + (size_t)r * o->row_stride);
            sum0[r] = _mm256_fmadd_ps(value, b0, sum0[r]);
            sum1[r] = _mm256_fmadd_ps(value, b1, sum1[r]);
        }
    }
    EACH_ROW
    {
        _mm256_storeu_ps(c + (size_t)r * o->N, sum0[r]);
        store_part(c + (size_t)r * o->N + LANES, sum1[r], second);
    }
}

/* Up to 8 rows by 1 to 8 columns: a classifier's last layer. */
TILE tile_slim(const operands *o, size_t i, size_t j, const int rows)
{
    const size_t columns = o->N - j;
    const __m256i mask = mask_of(columns);
    const float *a = o->A + i * o->row_stride;
    const float *b = o->B + j;
    float *c = o->C + i * o->N + j;
    __m256 sum[SLIM_ROWS];
    EACH_ROW
    sum[r] = _mm256_maskload_ps(o->bias + j, mask);
    for (size_t k = 0; k < o->K; k++, a += o->column_stride, b += o->N) {
        const __m256 b0 = _mm256_maskload_ps(b, mask);
        EACH_ROW
        sum[r] = _mm256_fmadd_ps(_mm256_broadcast_ss(a + (size_t)r * o->row_stride), b0, sum[r]);
    }
    EACH_ROW
    store_part(c + (size_t)r * o->N, sum[r], columns);
}

TARGET static void multiply(const operands *o, size_t M)
{
    size_t j = 0;
    for (; o->N - j > LANES && j < o->N; j += (size_t)2 * LANES) {
        size_t i = 0;
        for (; i + WIDE_ROWS <= M; i += WIDE_ROWS)
            tile_wide(o, i, j, WIDE_ROWS);
        for (; i + 3 <= M; i += 3)
            tile_wide(o, i, j, 3);
        for (; i < M; i++)
            tile_wide(o, i, j, 1);
    }
    if (j >= o->N)
        return;
    size_t i = 0;
    for (; i + SLIM_ROWS <= M; i += SLIM_ROWS)
        tile_slim(o, i, j, SLIM_ROWS);
    for (; i + 3 <= M; i += 3)
        tile_slim(o, i, j, 3);
    for (; i < M; i++)
        tile_slim(o, i, j, 1);
}

bool dt_narrow_fits(size_t K, size_t N)
{
    return N <= DT_NARROW_COLUMNS && K <= DT_NARROW_ELEMENTS / N &&
           __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

/* NOLINTNEXTLINE(readability-non-const-parameter): written to through the operands */
void dt_narrow_multiply(float *C, const float *A, size_t row_stride, size_t column_stride,
                        const float *B, const float *bias, size_t M, size_t K, size_t N)
{
    const operands o = {A, row_stride, column_stride, B, bias, K, N, C};
    multiply(&o, M);
}

#else /* elsewhere BLAS does it all */

bool dt_narrow_fits(size_t K, size_t N)
{
    (void)K, (void)N;
    return false;
}

void dt_narrow_multiply(float *C, const float *A, size_t row_stride, size_t column_stride,
                        const float *B, const float *bias, size_t M, size_t K, size_t N)
{
    (void)C, (void)A, (void)row_stride, (void)column_stride, (void)B, (void)bias;
    (void)M, (void)K, (void)N;
}

#endif
