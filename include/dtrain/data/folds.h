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
    uint64_t repeat; /* from 0 on: each one divides the rows anew */
} dt_fold_plan;

/**
 * Divides rows into K folds at random, and class by class: of each class, and of all rows, the
 * folds have as many rows as each other, or one more. Values are divided at random.
 *
 * A row's fold is a function of the plan and of the classes of the rows in their order (selection
 * sampling, as in dt_split): it depends on no ranks.
 *
 * Shapes:  out [N], a fold from 0 on; labels [N], below C; NULL for values
 * Calls:   local
 * Errors:  DT_MEMORY
 * Source:  Knuth, The Art of Computer Programming, volume 2, 3.4.2, algorithm S
 */
DT_MUST_USE dt_status dt_folds_assign(uint16_t *out, const int32_t *labels, uint64_t N,
                                      const dt_fold_plan *plan);

#endif
