#ifndef DTRAIN_TESTS_SAME_BITS_H
#define DTRAIN_TESTS_SAME_BITS_H

#include <stdbool.h>
#include <string.h>

/** Returns whether two numbers have the same bits: NaN equals itself, and -0 differs from 0. */
static inline bool same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

#endif
