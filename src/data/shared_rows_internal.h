#ifndef DTRAIN_DATA_SHARED_ROWS_INTERNAL_H
#define DTRAIN_DATA_SHARED_ROWS_INTERNAL_H

/* The counting of shared rows, for any source of rows. */

#include "dtrain/data/shared_rows.h"

#include <stddef.h>
#include <stdint.h>

/* The rows of this process. */
typedef struct dt_hash_source {
    void *context;
    const dt_comm *comm; /* NULL: there are no other processes */
    uint64_t rows[DT_SET_COUNT]; /* of all processes */
    size_t most; /* hashes that are kept at a time; the same on all ranks */
    /* Goes to the first row of a set. Local. */
    dt_status (*begin)(void *context, dt_set set);
    /* Gives the hashes of the set's next rows, up to *count; *count is 0 at the end. Local. */
    dt_status (*read)(void *context, uint64_t *out, size_t *count);
} dt_hash_source;

/* Returns the hash of a row: x [D], y [T]. */
uint64_t dt_shared_rows_hash(const float *x, size_t D, const dt_target *y, size_t T);

/* Counts them. Collective over the source's comm. Errors: DT_MEMORY, what the source returned; the
 * same on all ranks. */
DT_MUST_USE dt_status dt_shared_rows_find(dt_shared_rows *out, const dt_hash_source *source);

#endif
