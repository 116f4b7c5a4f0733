/* The products for AVX-512; CMake compiles this file for it, and it runs only where the CPU has
 * it. */
#include "linalg_internal.h"

#if defined(__AVX512F__) && defined(__AVX512DQ__)

#include <immintrin.h>

#define VECTOR __m512
enum { LANES = 16, NARROW_ROWS = 4 };
#define LOAD(p) _mm512_loadu_ps(p)
#define STORE(p, v) _mm512_storeu_ps(p, v)
#define BROADCAST(p) _mm512_set1_ps(*(p))
#define ZERO() _mm512_setzero_ps()
#define FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define PAIR_SUM(v) pair_sum((v)[0])
#define ANY_OF(p, bits)                                                                            \
    ((uint32_t)_mm512_test_epi32_mask(_mm512_loadu_si512(p), _mm512_set1_epi32((int)(bits))))
#define MULTIPLY_ROWS 14
#define OUTER_ROWS 11
#define KERNELS dt_kernels_avx512
#define NAME "avx512"

/* 16 lanes, added in pairs 8, 4, 2, 1 apart. */
static inline float pair_sum(__m512 v)
{
    const __m256 by_8 = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
    const __m128 by_4 = _mm_add_ps(_mm256_castps256_ps128(by_8), _mm256_extractf128_ps(by_8, 1));
    const __m128 by_2 = _mm_add_ps(by_4, _mm_movehl_ps(by_4, by_4));
    return _mm_cvtss_f32(_mm_add_ss(by_2, _mm_movehdup_ps(by_2)));
}

#include "linalg_kernels.inc"

#else
const dt_kernels dt_kernels_avx512 = {.name = "avx512"};
#endif
