#include "dtrain/base/elementary.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

/* ln 2 in two pieces, the first of 42 bits: its products with exponents are exact. */
#define LN2_HIGH 0x1.62e42fefa3800p-1
#define LN2_LOW 0x1.ef35793c76730p-45
#define INVERSE_LN2 1.4426950408889634

/* pi / 2 in pieces of 33, 33, 33 and 53 bits: products of the first three with whole numbers below
 * 2^20 are exact. What is left beyond 152 bits is far below the smallest remainder. */
#define PI_2_FIRST 0x1.921fb54400000p+0
#define PI_2_SECOND 0x1.0b4611a600000p-34
#define PI_2_THIRD 0x1.3198a2e000000p-69
#define PI_2_FOURTH 0x1.b839a252049c1p-104
#define INVERSE_PI_2 0.6366197723675814

#define COS_LARGEST 0x1p20

/* Adding it rounds a double below 2^51 to a whole number, which is left in the low bits. */
#define ROUND 0x1.8p52

enum { MANTISSA_BITS = 52, EXPONENT_BIAS = 1023, SUBNORMAL_BITS = 54 };
#define MANTISSA_MASK ((UINT64_C(1) << MANTISSA_BITS) - 1)
#define SQRT_HALF_BITS UINT64_C(0x3FE6A09E667F3BCD)

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double double_of(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* 2^n for -1022 <= n <= 1023 */
static double power_of_two(int n)
{
    return double_of((uint64_t)(n + EXPONENT_BIAS) << MANTISSA_BITS);
}

double dt_elementary_exp(double x)
{
    if (isnan(x))
        return x;
    const double clamped = x < -750.0 ? -750.0 : x > 710.0 ? 710.0 : x; /* 0, infinity */
    const double n = clamped * INVERSE_LN2 + ROUND - ROUND;
    const double high = clamped - n * LN2_HIGH, low = n * LN2_LOW, r = high - low;
    /* (e^r - 1 - r) / r^2; relative error of e^r 2^-61 */
    double q = 2.0921580785773495e-09;
    q = q * r + 2.5105207071036903e-08;
    q = q * r + 2.7557252938558474e-07;
    q = q * r + 2.7557255423895605e-06;
    q = q * r + 2.4801587347311743e-05;
    q = q * r + 1.9841269874802135e-04;
    q = q * r + 1.388888888887441e-03;
    q = q * r + 8.333333333326141e-03;
    q = q * r + 4.1666666666666685e-02;
    q = q * r + 1.666666666666667e-01;
    q = q * r + 0.5;
    const double sum = 1.0 + high, lost = 1.0 - sum + high;
    const double p = sum + (lost + (r * r * q - low));
    /* In two steps, of which only the second rounds: 2^n itself may leave the range. */
    const int exponent = (int)n, half = exponent / 2;
    return p * power_of_two(half) * power_of_two(exponent - half);
}

/* log(x + correction) for a normal x > 0 and a correction of at most half a unit in its last
 * place */
static double log_of_sum(double x, double correction, int exponent)
{
    /* x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)) */
    const uint64_t shifted = bits_of(x) - SQRT_HALF_BITS;
    const double k = (double)(((int64_t)shifted >> MANTISSA_BITS) + exponent);
    const double f = double_of((shifted & MANTISSA_MASK) + SQRT_HALF_BITS) - 1.0;
    /* log(1 + f) = 2 artanh(s) = f - f^2 / 2 + s (f^2 / 2 + R(s^2)); error 2^-59 of it */
    const double s = f / (2.0 + f), z = s * s, half_square = 0.5 * f * f;
    double R = 1.4795636218715447e-01;
    R = R * z + 1.5314084662097596e-01;
    R = R * z + 1.8183562854175397e-01;
    R = R * z + 2.2222198605075716e-01;
    R = R * z + 2.85714287420273e-01;
    R = R * z + 3.9999999999416647e-01;
    R = R * z + 6.666666666666734e-01;
    R = R * z;
    const double rest = half_square - (s * (half_square + R) + (k * LN2_LOW + correction / x));
    const double high = k * LN2_HIGH, sum = high + f;
    const double lost = high - sum + f; /* exact: high is 0, or larger than f */
    return sum + (lost - rest);
}

double dt_elementary_log(double x)
{
    if (!(x > 0.0))
        return x < 0.0 || isnan(x) ? NAN : -INFINITY;
    if (isinf(x))
        return x;
    if (x < DBL_MIN)
        return log_of_sum(x * 0x1p54, 0.0, -SUBNORMAL_BITS);
    return log_of_sum(x, 0.0, 0);
}

double dt_elementary_log1p(double x)
{
    if (fabs(x) < 0x1p-54)
        return x;
    if (!(x > -1.0))
        return x < -1.0 || isnan(x) ? NAN : -INFINITY;
    if (isinf(x))
        return x;
    const double sum = 1.0 + x;
    return log_of_sum(sum, x > 1.0 ? 1.0 - (sum - x) : x - (sum - 1.0), 0);
}

/* Returns a + b rounded, and what rounding lost. */
static double two_sum(double *lost, double a, double b)
{
    const double sum = a + b, b_part = sum - a;
    *lost = (a - (sum - b_part)) + (b - b_part);
    return sum;
}

/* cos(y + tail) for |y| <= pi / 4 */
static double cos_near_zero(double y, double tail)
{
    const double z = y * y, half = 0.5 * z;
    /* (cos y - 1 + y^2 / 2) / y^4; relative error of cos y 2^-61 */
    double c = -1.1365679801164114e-11;
    c = c * z + 2.0875809848850877e-09;
    c = c * z - 2.7557314731620296e-07;
    c = c * z + 2.4801587289827076e-05;
    c = c * z - 1.3888888888873342e-03;
    c = c * z + 4.1666666666666595e-02;
    const double sum = 1.0 - half, lost = 1.0 - sum - half;
    return sum + (lost + (z * z * c - y * tail));
}

/* sin(y + tail) for |y| <= pi / 4 */
static double sin_near_zero(double y, double tail)
{
    const double z = y * y;
    /* (sin y - y) / y^3; relative error of sin y 2^-58 */
    double c = 1.589543548309735e-10;
    c = c * z - 2.505073440699153e-08;
    c = c * z + 2.7557313538542178e-06;
    c = c * z - 1.9841269829358506e-04;
    c = c * z + 8.33333333332184e-03;
    c = c * z - 1.666666666666663e-01;
    return y + (y * z * c + tail * (1.0 - 0.5 * z));
}

double dt_elementary_cos(double x)
{
    if (!(fabs(x) <= COS_LARGEST))
        return NAN;
    const double shifted = x * INVERSE_PI_2 + ROUND, n = shifted - ROUND;
    double lost_second, lost_third;
    double y = x - n * PI_2_FIRST; /* exact: either n is 0, or both are about the same */
    y = two_sum(&lost_second, y, -(n * PI_2_SECOND));
    y = two_sum(&lost_third, y, -(n * PI_2_THIRD));
    const double rest = lost_second + lost_third - n * PI_2_FOURTH;
    const double sum = y + rest, tail = y - sum + rest;
    const unsigned quadrant = (unsigned)bits_of(shifted) & 3u;
    const double value = (quadrant & 1u) != 0 ? sin_near_zero(sum, tail) : cos_near_zero(sum, tail);
    return quadrant == 1 || quadrant == 2 ? -value : value;
}

double dt_elementary_power(double x, int64_t n)
{
    double result = 1.0, square = x;
    for (; n > 0; n /= 2) {
        if (n % 2 != 0)
            result *= square;
        square *= square;
    }
    return result;
}
