#ifndef DTRAIN_BASE_ELEMENTARY_H
#define DTRAIN_BASE_ELEMENTARY_H

#include <stdint.h>

/**
 * Elementary functions in double precision whose bits do not depend on the C library.
 *
 * The last bit of libm's functions differs between its versions, and between CPUs with and without
 * fused multiply-adds. These functions use only + - * / and shifts, which IEEE 754 defines to the
 * last bit. Every number that the same-bits contract covers is computed by them, or by the float32
 * functions of nn/vector_math.h, instead of by libm. (libm's sqrt, fma, rint, floor and ldexp are
 * exact or correctly rounded, and may be used.)
 *
 * One ulp is the distance of neighbouring doubles in the binade of the exact result, and 2^-1074
 * for subnormal results. The bounds are the largest errors among 10^8 arguments, rounded up;
 * tests/unit/test_elementary.c checks them. All functions return NaN for NaN, and are local.
 *
 * Source:  argument reduction: Cody and Waite, "Software Manual for the Elementary Functions",
 *          1980; for cos in three steps. Form of log: Ng, in fdlibm (Sun Microsystems, 1993); the
 *          rounding error of the leading sum is carried along (Dekker, Numer. Math. 18, 1971).
 *          Polynomials: minimax, by Remez's algorithm, coefficients rounded one after the other.
 */

/** Returns e^x; infinity above 709.783, and 0 below -745.134. Error: below 0.85 ulp. */
double dt_elementary_exp(double x);

/** Returns log x; -infinity for 0, and NaN for x < 0. Error: below 0.9 ulp. */
double dt_elementary_log(double x);

/** Returns log(1 + x); -infinity for -1, and NaN for x < -1. Error: below 0.9 ulp. */
double dt_elementary_log1p(double x);

/** Returns cos x for |x| <= 2^20, and NaN beyond. Error: below 0.85 ulp. */
double dt_elementary_cos(double x);

/** Returns x^n for n >= 0, by repeated squaring; each multiplication rounds once. x^0 is 1. */
double dt_elementary_power(double x, int64_t n);

#endif
