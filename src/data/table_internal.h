#ifndef DTRAIN_DATA_TABLE_INTERNAL_H
#define DTRAIN_DATA_TABLE_INTERNAL_H

/* A table as a stream, shared by its files. */

#include "dtrain/data/preprocess.h"
#include "dtrain/data/table.h"
#include "dtrain/io/csv.h"
#include "kept.h"

/* A rank's block; rank 0 broadcasts those of all ranks. */
typedef struct dt_table_block {
    uint64_t bytes, row, line, rows;
} dt_table_block;

struct dt_table {
    const dt_comm *comm;
    bool root;
    dt_csv *csv; /* rank 0 only */
    char *path;
    dt_csv_format format;
    char **names; /* [format.columns] */
    dt_preprocess *preprocess;
    size_t D, T, batch_rows, block_bytes;
    bool labels;
    dt_table_block *shares; /* [ranks] */
    size_t *bytes; /* [ranks] */
    char *text; /* rank 0: all ranks' blocks, one after the other; else this rank's */
    size_t text_capacity;
    float *x; /* [batch_rows, D] */
    dt_target *y; /* [batch_rows, T] */
    float *w; /* [batch_rows] */
    dt_row_batch rows; /* those in x */
    dt_kept kept;
    bool *bad; /* [batch_rows]; NULL: a bad cell is an error */
    bool skip_bad; /* batches leave them out */
    dt_row_note bad_rows; /* of this rank */
    const char *advice; /* as in dt_preprocess_plan */
    dt_row_take *take;
    void *context;
};

/**
 * Adds the notes of all ranks; the example is that of the first row. Collective. Errors: DT_MEMORY.
 */
DT_MUST_USE dt_status dt_table_gather(dt_row_note *out, const dt_table *table,
                                      const dt_row_note *mine);

#endif
