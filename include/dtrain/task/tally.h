#ifndef DTRAIN_TASK_TALLY_H
#define DTRAIN_TASK_TALLY_H

#include "dtrain/base/status.h"

#include <stdint.h>

/**
 * An exact sum, which is the same on any number of ranks. A term is rounded once to a multiple of
 * 2^-24. The lower 32 bits of the multiple and the rest are added separately, which leaves room for
 * 2^31 terms of any size.
 */
typedef struct dt_exact_number {
    int64_t high; /* in 2^8 */
    int64_t low; /* in 2^-24 */
} dt_exact_number;

/** The numbers of a tally; the task defines the measures. */
enum { DT_TALLY_WEIGHT, DT_TALLY_LOSS, DT_TALLY_MEASURE, DT_TALLY_MEASURE_2, DT_TALLY_NUMBERS };

/**
 * The sums over rows for an epoch's metrics. A term is the sum over some rows of one shard.
 *
 * The nine integers can be added over the ranks.
 */
typedef struct dt_tally {
    dt_exact_number numbers[DT_TALLY_NUMBERS];
    int64_t outside; /* terms that are NaN, infinite, or not below 2^38 */
} dt_tally;

enum { DT_TALLY_WORDS = sizeof(dt_tally) / sizeof(int64_t) };

/** Adds one term to one of the numbers. Local. */
void dt_tally_add_term(dt_tally *tally, int number, double term);

/** Adds another tally to this one. Local. */
void dt_tally_add(dt_tally *tally, const dt_tally *other);

/** Returns one of the sums, rounded once. Local. */
double dt_tally_value(const dt_tally *tally, int number);

/** Returns the mean over rows of one of the numbers, by their weights; NaN without rows. Local. */
double dt_tally_mean(const dt_tally *tally, int number);

/** Fails with DT_DIVERGED when a term was outside. Local; same on all ranks: the reduced tally. */
DT_MUST_USE dt_status dt_tally_check(const dt_tally *tally);

#endif
