#ifndef DTRAIN_NN_VECTOR_MATH_H
#define DTRAIN_NN_VECTOR_MATH_H

/**
 * exp, log, tanh, sine and cosine, and the normal distribution in float32 as straight-line
 * arithmetic, so that a loop over them becomes vector code. libm's functions would be slower here,
 * and their last bit depends on its version and on the CPU.
 *
 * One ulp is the distance of neighbouring float32 in the binade of the exact result. The bounds are
 * the largest errors over all arguments, rounded up; those of dt_expm1, dt_softplus and dt_normal,
 * over every 13th. tests/unit/test_vector_math.c checks them.
 *
 * For normal arguments the bits do not depend on whether subnormal numbers are on
 * (base/subnormals.h). If they are off, a subnormal argument counts as 0.
 *
 * Source:  range reduction and polynomials of Cephes (Moshier, single precision); of sine, cosine
 *          and the normal distribution: minimax, by Remez's algorithm
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

/* m and *scale with e^x = (1 + m) * scale, a power of two, for x clamped to -87 .. 88. */
static inline float dt_exp_parts(float *scale, float x)
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
    *scale = dt_float_from_bits((dt_bits_from_float(shifted) - 0x4B400000u + 127u) << 23);
    return p * (r * r) + r;
}

/**
 * Returns e^x for -87 <= x <= 88, and beyond the value at that end: 1.6e-38, never subnormal, or
 * 1.7e38. NaN stays NaN.
 *
 * Error:   at most 0.991 ulp for -87 <= x <= 88
 */
static inline float dt_exp(float x)
{
    float scale;
    const float m = dt_exp_parts(&scale, x);
    return (m + 1.0f) * scale;
}

/**
 * Returns e^x - 1, also of small x to the last digits; above 88 it returns the value there.
 *
 * Error:   at most 1.6 ulp for x <= 88
 */
static inline float dt_expm1(float x)
{
    float scale;
    const float m = dt_exp_parts(&scale, x);
    return m * scale + (scale - 1.0f);
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

/**
 * Returns log(1 + e^x), the softplus function. Infinity and NaN stay what they are; below -87 it
 * returns the value there, 1.6e-38.
 *
 * Error:   at most 2.2 ulp for x >= -87
 */
static inline float dt_softplus(float x)
{
    const float magnitude = dt_float_from_bits(dt_bits_from_float(x) & 0x7FFFFFFFu);
    /* log(1 + w) = log(sum) + what the sum lost / sum, for 0 < w <= 1 */
    const float w = dt_exp(-magnitude), sum = 1.0f + w;
    const float rest = dt_log(sum) + (w - (sum - 1.0f)) / sum;
    return (x > 0.0f ? x : 0.0f) + rest;
}

/**
 * Returns Phi(x) = (1 + erf(x / sqrt(2))) / 2, the probability that a standard normal number is
 * below x; *density becomes the density at x. Beyond -12.9 and 12.9 both are what they are at that
 * end. NaN stays NaN.
 *
 * Math:    1/2 + x Q(x^2) for |x| < 1; Phi(-a) = e^(-a^2 / 2) G((a - 3.5) / (a + 3.5)) / (a + 3.5)
 * Error:   Phi at most 5.2 ulp for x >= -12.9, the density at most 3.6 ulp within
 */
static inline float dt_normal(float *density, float x)
{
    const float magnitude = dt_float_from_bits(dt_bits_from_float(x) & 0x7FFFFFFFu);
    const float a = magnitude > 12.9f ? 12.9f : magnitude;
    /* a^2 = square + lost: the square of 12 bits is exact. */
    const float high = dt_float_from_bits(dt_bits_from_float(a) & 0xFFFFF000u);
    const float exact = high * high, rest = (a - high) * (a + high);
    const float square = exact + rest, lost = rest - (square - exact);
    const float power = dt_exp(-0.5f * square) * (1.0f - 0.5f * lost);
    const float t = 1.0f / (a + 3.5f), s = (a - 3.5f) * t;
    float p = 0.000116976364f;
    p = p * s + 0.000433771434f;
    p = p * s - 0.000493394851f;
    p = p * s - 0.00318270875f;
    p = p * s + 0.00649069669f;
    p = p * s + 0.0174078699f;
    p = p * s - 0.116052568f;
    p = p * s + 0.315424949f;
    p = p * s - 0.565561771f;
    p = p * s + 0.744416058f;
    const float tail = power * (p * t);
    const float outer = x < 0.0f ? tail : 1.0f - tail;
    const float z = a * a;
    float q = -7.65420828e-06f;
    q = q * z + 0.000113486371f;
    q = q * z - 0.00118632999f;
    q = q * z + 0.00997332297f;
    q = q * z - 0.0664903596f;
    q = q * z + 0.398942292f;
    *density = power * 0.398942280f;
    return a < 1.0f ? 0.5f + x * q : outer;
}

/**
 * Returns sin(2 pi t); *cosine becomes cos(2 pi t). Infinity and NaN give NaN.
 *
 * Whole turns are subtracted from t without an error, so that the bound holds for every finite t,
 * however large: numbers from 2^23 on are whole turns.
 *
 * Math:    sin(2 pi r) = r S(r^2), cos(2 pi r) = C(r^2) for |r| <= 1/8; a quarter turn swaps them
 * Error:   at most 1.68 ulp each
 */
static inline float dt_sin_cos_turns(float *cosine, float t)
{
    const float round = 12582912.0f, half_range = 0x1p22f;
    float m = dt_float_from_bits(dt_bits_from_float(t) & 0x7FFFFFFFu);
    m = m < 0x1p23f ? m : 0.0f;
    m = m < half_range ? m : m - half_range;
    m = m - ((m + round) - round); /* -1/2 .. 1/2 */
    const float shifted = 4.0f * m + round;
    const uint32_t quarters = dt_bits_from_float(shifted);
    const float r = m - 0.25f * (shifted - round);
    const float z = r * r;
    float s = -75.465744f;
    s = s * z + 81.5942307f;
    s = s * z - 41.3416748f;
    s = s * z + 6.28318548f;
    s = s * r;
    float c = 58.5611687f;
    c = c * z - 85.4231186f;
    c = c * z + 64.9391403f;
    c = c * z - 19.7392082f;
    c = c * z + 1.0f;
    const float nothing = t - t; /* or NaN */
    const uint32_t sine_sign = (quarters & 2u) << 30 ^ (dt_bits_from_float(t) & 0x80000000u);
    const uint32_t cosine_sign = ((quarters + 1u) & 2u) << 30;
    const float sine_size = ((quarters & 1u) != 0 ? c : s) + nothing;
    const float cosine_size = ((quarters & 1u) != 0 ? s : c) + nothing;
    *cosine = dt_float_from_bits(dt_bits_from_float(cosine_size) ^ cosine_sign);
    return dt_float_from_bits(dt_bits_from_float(sine_size) ^ sine_sign);
}

#endif
