#include "random_lanes.h"

#include <string.h>

/* gcc does not see that the upper halves need no multiplication, and would use three instructions
 * for each product. */
#if defined(__x86_64__)
#include <immintrin.h>

#define OF(name) name##_avx512
#define TARGET __attribute__((target("avx512f")))
#define LANES 8
#define PRODUCT(a, m) (wide_avx512) _mm512_mul_epu32((__m512i)(a), _mm512_set1_epi64(m))
#define AT_LEAST(a, n) _mm512_cmpge_epu64_mask((__m512i)(a), _mm512_set1_epi64(n))
#include "random_lanes.inc"

#define OF(name) name##_avx2
#define TARGET __attribute__((target("avx2")))
#define LANES 4
#define PRODUCT(a, m) (wide_avx2) _mm256_mul_epu32((__m256i)(a), _mm256_set1_epi64x(m))
#define AT_LEAST(a, n)                                                                             \
    _mm256_movemask_pd(                                                                            \
        (__m256d)_mm256_cmpgt_epi64((__m256i)(a), _mm256_set1_epi64x((int64_t)(n)-1)))
#include "random_lanes.inc"
#endif

enum { PLAIN_LANES = 8 };

static uint32_t at_least(const void *lanes, uint32_t least)
{
    uint64_t numbers[PLAIN_LANES];
    uint32_t bits = 0;
    memcpy(numbers, lanes, sizeof numbers);
    for (unsigned i = 0; i < PLAIN_LANES; i++)
        bits |= (uint32_t)(numbers[i] >= least) << i;
    return bits;
}

#define OF(name) name##_plain
#define TARGET
#define LANES PLAIN_LANES
#define PRODUCT(a, m) (((a)&0xFFFFFFFFu) * (m))
#define AT_LEAST(a, n) at_least(&(a), n)
#include "random_lanes.inc"

static const dt_lanes plain = {draw_numbers_plain, draw_bits_plain};

const dt_lanes *dt_lanes_way(size_t i)
{
#if defined(__x86_64__)
    static const dt_lanes avx512 = {draw_numbers_avx512, draw_bits_avx512};
    static const dt_lanes avx2 = {draw_numbers_avx2, draw_bits_avx2};
    if (i == 0)
        return __builtin_cpu_supports("avx512f") ? &avx512 : NULL;
    if (i == 1)
        return __builtin_cpu_supports("avx2") ? &avx2 : NULL;
#endif
    return i == DT_LANES_WAYS - 1 ? &plain : NULL;
}

const dt_lanes *dt_lanes_fastest(void)
{
    const dt_lanes *way = NULL;
    for (size_t i = 0; way == NULL; i++)
        way = dt_lanes_way(i);
    return way;
}
