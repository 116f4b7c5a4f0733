#ifndef DTRAIN_DATA_KEYS_H
#define DTRAIN_DATA_KEYS_H

/* The contents of the arrays DT_SOURCE_ROW and DT_SOURCE_ID for rows that are dealt to the ranks
 * batch by batch; rank 0 reads them as a stream. */

#include "dtrain/base/status.h"
#include "dtrain/comm/comm.h"
#include "dtrain/data/source.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct dt_keys {
    const dt_comm *comm;
    bool has_row, has_id; /* the same on all ranks */
    size_t batch_rows;
    int64_t *row; /* [batch_rows]: of this rank's batch */
    char *id; /* likewise, fields of a CSV with a comma behind each; */
    size_t *id_at; /* [batch_rows + 1]: of row i from id_at[i] to id_at[i + 1] */
    size_t id_capacity;

    /* Rank 0: */
    const dt_source_set *set;
    const dt_npz_member *row_array, *id_array;
    dt_npz_stream *row_stream, *id_stream;
    uint64_t left; /* rows that have not been dealt */
    unsigned char *items; /* of all ranks' batches, as in the file */
    int64_t *rows;
    char *ids, *text; /* all ranks' fields; one text */
    size_t *lengths, *bytes; /* of each field; of each rank's part */
    size_t ids_capacity;
} dt_keys;

/**
 * Finds the arrays: one whole number for each row, and one whole number or text for each row. Warns
 * of an array of another kind. Its name may include a word for `set`.
 *
 * Calls:   collective; `from` is rank 0's, borrowed until dt_keys_clear
 * Errors:  DT_DATA, DT_MEMORY; the same on all ranks
 */
DT_MUST_USE dt_status dt_keys_open(dt_keys *out, const dt_comm *comm, const dt_source_set *from,
                                   dt_set set, size_t batch_rows);

/**
 * Reads those of the next batch of each rank; this rank's has `count` rows.
 *
 * Calls:   collective
 * Errors:  DT_DATA: damaged data; DT_MEMORY; the same on all ranks
 */
DT_MUST_USE dt_status dt_keys_next(dt_keys *keys, size_t count);

/** Frees; zeroed keys are allowed. Local. */
void dt_keys_clear(dt_keys *keys);

#endif
