#ifndef DTRAIN_DATA_FOLDS_H
#define DTRAIN_DATA_FOLDS_H

#include "dtrain/base/status.h"

#include <stddef.h>
#include <stdint.h>

/** How rows are divided into folds. */
typedef struct dt_fold_plan {
    size_t K; /* folds, from 2 on */
    size_t C; /* classes; 0: the targets are values */
    uint64_t seed; /* of the split */
    uint64_t repeat; /* from 0; each repeat divides the rows differently */
} dt_fold_plan;

/**
 * Divides rows into K folds at random, class by class. The folds differ by at most one row, in each
 * class and in total. Values are divided at random.
 *
 * A row's fold is a function of the plan and of the classes of the rows in their order (selection
 * sampling, as in dt_split): it does not depend on ranks.
 *
 * Shapes:  out [N], a fold from 0 on; labels [N], below C; NULL for values
 * Calls:   local
 * Errors:  DT_MEMORY
 * Source:  Knuth, The Art of Computer Programming, volume 2, 3.4.2, algorithm S
 */
DT_MUST_USE dt_status dt_folds_assign(uint16_t *out, const int32_t *labels, uint64_t N,
                                      const dt_fold_plan *plan);

/**
 * Divides groups of rows into K folds, so that no group is in two. The largest groups come first,
 * those of one size in a random order, and each goes to the fold with the fewest rows.
 *
 * Shapes:  out [N], a fold from 0 on; groups [N], below G; N > 0, K <= G
 * Calls:   local
 * Errors:  DT_MEMORY
 */
DT_MUST_USE dt_status dt_folds_assign_groups(uint16_t *out, const uint64_t *groups, uint64_t N,
                                             uint64_t G, const dt_fold_plan *plan);

#endif
