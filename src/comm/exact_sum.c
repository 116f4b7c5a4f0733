#include "dtrain/comm/exact_sum.h"

#include "dtrain/base/vectorize.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { MANTISSA_BITS = 52, RESOLUTION_BITS = 40 };

dt_exact_grid dt_exact_grid_for(size_t rows, int coarser)
{
    const int magnitude = rows > 1 ? 63 - __builtin_clzll((unsigned long long)rows) : 0;
    const int exponent = magnitude - RESOLUTION_BITS + coarser;
    /* In the middle of its binade, so that terms of both signs keep the sum inside it. */
    return (dt_exact_grid){.exponent = exponent, .constant = ldexp(1.5, MANTISSA_BITS + exponent)};
}

double dt_exact_range(const dt_exact_grid *grid)
{
    return ldexp(1.0, MANTISSA_BITS - 1 + grid->exponent);
}

static inline uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline double double_of(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Unsigned throughout: a sum with a term out of range is meaningless, but does not overflow. */
__attribute__((always_inline)) static inline uint64_t round_into(uint64_t *restrict sums,
                                                                 const float *restrict terms,
                                                                 size_t count, double constant,
                                                                 bool fresh)
{
    const uint64_t zero = bits_of(constant);
    uint64_t outside = 0;
    for (size_t i = 0; i < count; i++) {
        const uint64_t rounded = bits_of((double)terms[i] + constant);
        /* In range the sum has the constant's sign and exponent; NaN and infinity do not. */
        outside |= rounded ^ zero;
        sums[i] = (fresh ? 0 : sums[i]) + (rounded - zero);
    }
    return outside;
}

DT_VECTORIZE static uint64_t add(uint64_t *sums, const float *terms, size_t count, double constant)
{
    return round_into(sums, terms, count, constant, false);
}

DT_VECTORIZE static uint64_t set(uint64_t *sums, const float *terms, size_t count, double constant)
{
    return round_into(sums, terms, count, constant, true);
}

int64_t dt_exact_add(int64_t *sums, const float *terms, size_t count, const dt_exact_grid *grid)
{
    return add((uint64_t *)sums, terms, count, grid->constant) >> MANTISSA_BITS != 0;
}

int64_t dt_exact_set(int64_t *sums, const float *terms, size_t count, const dt_exact_grid *grid)
{
    return set((uint64_t *)sums, terms, count, grid->constant) >> MANTISSA_BITS != 0;
}

/* A 64-bit integer as double, rounded once, without the conversion that only AVX-512DQ has: each
 * half is put into the mantissa of a power of two, and the powers are taken off again. */
static inline double double_from_count(uint64_t count)
{
    const double low = double_of((count & 0xFFFFFFFFu) | 0x4330000000000000u);
    const double high = double_of(((count >> 32) ^ 0x80000000u) | 0x4530000000000000u);
    return high - (0x1p84 + 0x1p63 + 0x1p52) + low;
}

DT_VECTORIZE static void finish(float *restrict out, const uint64_t *restrict sums, size_t count,
                                double scale)
{
    for (size_t i = 0; i < count; i++)
        out[i] = (float)(double_from_count(sums[i]) * scale);
}

void dt_exact_finish(float *out, const int64_t *sums, size_t count, const dt_exact_grid *grid,
                     double scale)
{
    finish(out, (const uint64_t *)sums, count, ldexp(scale, grid->exponent));
}
