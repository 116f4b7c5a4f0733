#ifndef DTRAIN_TESTS_ULPS_H
#define DTRAIN_TESTS_ULPS_H

#include <stdbool.h>
#include <stdint.h>

/**
 * Errors of float32 and double functions against exact values in long double.
 *
 * glibc's long double functions are off by at most 3 of their own ulp (glibc's manual, "Known
 * Maximum Errors in Math Functions"). The mantissa has 64 bits on x86-64 and 113 on AArch64, so a
 * reference is right to 2^-38 ulp of a float32, and to 0.0015 ulp of a double.
 */

/** Returns |got - exact| in ulp: distances of neighbouring float32 in the binade of `exact`. */
long double ulps_of_float(float got, long double exact);

/** The same of doubles. */
long double ulps_of_double(double got, long double exact);

/**
 * Returns whether long double has at least 64 bits of mantissa here. Valgrind computes it with 53:
 * enough to check float32 functions, but not those of doubles.
 */
bool ulps_long_double_is_wide(void);

/** Returns `many` if the long tests are to run (run.sh --all), and `few` otherwise. */
uint64_t ulps_count(uint64_t few, uint64_t many);

#endif
