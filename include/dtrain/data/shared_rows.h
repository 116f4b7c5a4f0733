#ifndef DTRAIN_DATA_SHARED_ROWS_H
#define DTRAIN_DATA_SHARED_ROWS_H

#include "dtrain/base/status.h"
#include "dtrain/comm/comm.h"
#include "dtrain/data/dataset.h"
#include "dtrain/data/prepare.h"

#include <stddef.h>
#include <stdint.h>

/**
 * Rows that are in several sets: all inputs and targets have the same bits in float32. Weights are
 * not compared. Rows are compared by hashes of 61 bits.
 */
typedef struct dt_shared_rows {
    uint64_t rows[DT_SET_COUNT]; /* of each set */
    uint64_t test_in_train, validation_in_train, test_in_validation; /* rows of the first */
} dt_shared_rows;

/**
 * Counts them.
 *
 * Calls:   collective
 * Cost:    a rank hashes its rows, those for training once for each 2^20 validation and test rows,
 *          or for a 64th of its training numbers if that is more; 24 bytes of memory for each of
 *          these rows
 * Errors:  DT_MEMORY, on all ranks
 */
DT_MUST_USE dt_status dt_shared_rows_count(dt_shared_rows *out, const dt_comm *comm,
                                           const dt_dataset sets[DT_SET_COUNT]);

/** Warns in one line that ends with an advice, if there are such rows. Root-only. */
void dt_shared_rows_warn(const dt_shared_rows *shared, const char *advice);

/** Advice for arrays, for a table, and for a table whose duplicates were dropped. */
#define DT_SHARED_ROWS_OF_ARRAYS "remove them from one of the sets"
#define DT_SHARED_ROWS_OF_TABLE                                                                    \
    "--drop-duplicates keeps the first, --split-by COLUMN keeps rows that belong together in one " \
    "set"
#define DT_SHARED_ROWS_OF_DIFFERENT "the table's rows differ, but their inputs do not"

/**
 * The same for rows that are not in memory: a scratch file contains their hashes. All calls are
 * local.
 */
typedef struct dt_row_hashes dt_row_hashes;

/** Starts without rows; the scratch file is created in `folder`. Errors: DT_OUTPUT, DT_MEMORY. */
DT_MUST_USE dt_status dt_row_hashes_new(dt_row_hashes **out, const char *folder, size_t D,
                                        size_t T);

/** Adds a row, as dt_prepare_apply gives it. Errors: DT_OUTPUT. */
DT_MUST_USE dt_status dt_row_hashes_add(dt_row_hashes *hashes, const dt_prepare_row *row);

/** Counts the shared rows, after the last has been added. Cost: 16 MiB. Errors: DT_OUTPUT,
 * DT_MEMORY. */
DT_MUST_USE dt_status dt_row_hashes_count(dt_shared_rows *out, dt_row_hashes *hashes);

/** Frees; NULL is allowed. */
void dt_row_hashes_free(dt_row_hashes *hashes);

#endif
