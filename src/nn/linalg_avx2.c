/* The products for AVX2 and FMA; CMake compiles this file for them, and it runs only where the CPU
 * has both. */
#include "linalg_internal.h"

#if defined(__AVX2__) && defined(__FMA__)

#include <immintrin.h>

#define VECTOR __m256
enum { LANES = 8, NARROW_ROWS = 2 };
#define LOAD(p) _mm256_loadu_ps(p)
#define STORE(p, v) _mm256_storeu_ps(p, v)
#define BROADCAST(p) _mm256_broadcast_ss(p)
#define ZERO() _mm256_setzero_ps()
#define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define PAIR_SUM(v) pair_sum((v)[0], (v)[1])
#define ANY_OF(p, bits) any_of(p, bits)
#define MULTIPLY_ROWS 6
#define OUTER_ROWS 6
#define KERNELS dt_kernels_avx2
#define NAME "avx2"

/* 16 lanes, added in pairs 8, 4, 2, 1 apart. */
static inline float pair_sum(__m256 low, __m256 high)
{
    const __m256 by_8 = _mm256_add_ps(low, high);
    const __m128 by_4 = _mm_add_ps(_mm256_castps256_ps128(by_8), _mm256_extractf128_ps(by_8, 1));
    const __m128 by_2 = _mm_add_ps(by_4, _mm_movehl_ps(by_4, by_4));
    return _mm_cvtss_f32(_mm_add_ss(by_2, _mm_movehdup_ps(by_2)));
}

static inline uint32_t any_of(const uint32_t *words, uint32_t bits)
{
    const __m256i found =
        _mm256_and_si256(_mm256_loadu_si256((const __m256i *)words), _mm256_set1_epi32((int)bits));
    const __m256i none = _mm256_cmpeq_epi32(found, _mm256_setzero_si256());
    return ~(uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(none)) & 0xffu;
}

#include "linalg_kernels.inc"

#else
const dt_kernels dt_kernels_avx2 = {.name = "avx2"};
#endif
