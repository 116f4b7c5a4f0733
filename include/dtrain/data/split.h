#ifndef DTRAIN_DATA_SPLIT_H
#define DTRAIN_DATA_SPLIT_H

#include "dtrain/base/status.h"
#include "dtrain/data/source.h"

#include <stddef.h>
#include <stdint.h>

/**
 * Splits rows into training, validation and test sets: at random, and class by class, so that each
 * set has the classes in the same proportion, however the rows are sorted. All calls are local.
 *
 * The rows come one by one in file order, and exactly the planned number of each class goes into
 * each set (selection sampling), so only the counts of the classes must be known before.
 *
 * Source:  Knuth, The Art of Computer Programming, volume 2, 3.4.2, algorithm S
 */
typedef struct dt_split dt_split;

/**
 * Starts a split of rows of which `class_rows[c]` are of class c.
 *
 * A set gets its share of all rows, rounded to the nearest, and of each class its share rounded
 * down or up (to those with the largest remainders); but one row of each class always stays for
 * training.
 *
 * Owns:    the caller frees with dt_split_free
 * Errors:  DT_MEMORY
 */
DT_MUST_USE dt_status dt_split_new(dt_split **out, const uint64_t *class_rows, size_t class_count,
                                   double validation, double test, uint64_t seed);

/** Frees; NULL is allowed. */
void dt_split_free(dt_split *split);

/** Chooses the set of the next row, and stores it. `label` is its class. */
dt_set dt_split_assign(dt_split *split, size_t label);

/** Returns the set of row `row`, which was assigned before. Cost: two bits a row are kept. */
dt_set dt_split_set_of(const dt_split *split, uint64_t row);

/** Returns how many rows of class `label` a set gets; call it before the first row is assigned. */
uint64_t dt_split_rows(const dt_split *split, dt_set set, size_t label);

#endif
