#ifndef DTRAIN_NN_VECTOR_MATH_H
#define DTRAIN_NN_VECTOR_MATH_H

/**
 * exp, log and tanh in float32 as straight-line arithmetic, so that a loop over them becomes vector
 * code. libm's functions would be slower here, and their last bit depends on its version and on the
 * CPU.
 *
 * One ulp is the distance of neighbouring float32 in the binade of the exact result. The bounds are
 * the largest errors over all arguments, rounded up; tests/unit/test_vector_math.c checks them.
 *
 * For normal arguments the bits do not depend on whether subnormal numbers are on
 * (base/subnormals.h). If they are off, a subnormal argument counts as 0.
 *
 * Source:  range reduction and polynomials of Cephes (Moshier, single precision)
 */

#include <float.h>
#include <math.h> /* NAN */
#include <stdint.h>
#include <string.h>

static inline float dt_float_from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t dt_bits_from_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/**
 * Returns e^x for -87 <= x <= 88, and beyond the value at that end: 1.6e-38, never subnormal, or
 * 1.7e38. NaN stays NaN.
 *
 * Error:   at most 0.991 ulp for -87 <= x <= 88
 */
static inline float dt_exp(float x)
{
    const float round = 12582912.0f; /* 1.5 * 2^23: adding it leaves an integer in the low bits */
    float clamped = x < -87.0f ? -87.0f : x;
    clamped = clamped > 88.0f ? 88.0f : clamped;
    float shifted = clamped * 1.44269504f + round;
    float n = shifted - round;
    /* ln 2 in two pieces, the first with few enough bits for n times it to be exact. */
    float r = clamped - n * 0.693359375f;
    r = r - n * -2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1.0f;
    uint32_t exponent = (dt_bits_from_float(shifted) - 0x4B400000u + 127u) << 23;
    return p * dt_float_from_bits(exponent);
}

/**
 * Returns the natural logarithm of a normal x > 0. For every other x (infinity, NaN, 0, subnormal
 * and negative numbers) it returns NaN, so that divergence is seen in the loss.
 *
 * Error:   at most 0.830 ulp
 */
static inline float dt_log(float x)
{
    uint32_t bits = dt_bits_from_float(x);
    /* x = m * 2^e with m in [sqrt(1/2), sqrt(2)) */
    uint32_t shifted = bits - 0x3F3504F3u;
    float e = (float)((int32_t)shifted >> 23);
    float m = dt_float_from_bits((shifted & 0x007FFFFFu) + 0x3F3504F3u) - 1.0f;
    float p = 7.0376836292e-2f;
    p = p * m - 1.1514610310e-1f;
    p = p * m + 1.1676998740e-1f;
    p = p * m - 1.2420140846e-1f;
    p = p * m + 1.4249322787e-1f;
    p = p * m - 1.6668057665e-1f;
    p = p * m + 2.0000714765e-1f;
    p = p * m - 2.4999993993e-1f;
    p = p * m + 3.3333331174e-1f;
    float m2 = m * m;
    p = p * m * m2;
    p = p + e * -2.12194440e-4f;
    p = p - 0.5f * m2;
    const float result = m + p + e * 0.693359375f + (x - x);
    return x >= FLT_MIN ? result : NAN;
}

/** Returns tanh x, never beyond 1. Error: at most 1.331 ulp. */
static inline float dt_tanh(float x)
{
    float magnitude = dt_float_from_bits(dt_bits_from_float(x) & 0x7FFFFFFFu);
    float capped = magnitude > 20.0f ? 20.0f : magnitude;
    float big = 1.0f - 2.0f / (dt_exp(2.0f * capped) + 1.0f);
    big = dt_float_from_bits(dt_bits_from_float(big) | (dt_bits_from_float(x) & 0x80000000u));
    float x2 = x * x;
    float p = -5.70498872745e-3f;
    p = p * x2 + 2.06390887954e-2f;
    p = p * x2 - 5.37397155531e-2f;
    p = p * x2 + 1.33314422036e-1f;
    p = p * x2 - 3.33332819422e-1f;
    float small = p * x2 * x + x;
    return magnitude < 0.625f ? small : big;
}

#endif
