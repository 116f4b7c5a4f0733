#ifndef DTRAIN_BASE_EXACT_TOTAL_H
#define DTRAIN_BASE_EXACT_TOTAL_H

#include <stdint.h>

__extension__ typedef __int128 dt_int128;
__extension__ typedef unsigned __int128 dt_uint128;

/**
 * A sum of doubles that does not depend on their order: each is rounded once, to a whole number of
 * 2^-80, and whole numbers are added up. Room for totals below 2^47.
 *
 * A zeroed one is an empty sum.
 */
typedef struct dt_exact_total {
    dt_int128 steps; /* of 2^-80 */
} dt_exact_total;

/** Adds one finite term below 2^47. Local. */
void dt_exact_total_add(dt_exact_total *total, double term);

/** Adds another total. Local. */
void dt_exact_total_join(dt_exact_total *total, const dt_exact_total *other);

/** Returns the total, rounded once. Local. */
double dt_exact_total_value(const dt_exact_total *total);

/** Returns how far the total is from a whole number `whole` (below 2^46), rounded once. Local. */
double dt_exact_total_distance(const dt_exact_total *total, int64_t whole);

#endif
