#ifndef DTRAIN_DATA_SET_SIZES_H
#define DTRAIN_DATA_SET_SIZES_H

#include "dtrain/data/source.h"

#include <stddef.h>
#include <stdint.h>

/** The rows of each set. */
typedef struct dt_set_sizes {
    uint64_t rows[DT_SET_COUNT]; /* 0: there is no such set */
    size_t C; /* classes; 0: targets are values */
    const char *const *class_names; /* [C]; NULL: ids */
    const uint64_t *class_rows[DT_SET_COUNT]; /* [C] */
} dt_set_sizes;

/**
 * Warns in one line of each validation or test set that is too small for useful scores: it has
 * fewer than five rows, or rows of only one class. Root-only.
 */
void dt_set_sizes_warn(const dt_set_sizes *sizes);

#endif
