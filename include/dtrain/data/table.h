#ifndef DTRAIN_DATA_TABLE_H
#define DTRAIN_DATA_TABLE_H

#include "dtrain/base/status.h"
#include "dtrain/comm/comm.h"
#include "dtrain/data/preprocess.h"
#include "dtrain/data/recipe.h"
#include "dtrain/io/csv.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * A table of text as a stream of prepared rows on all ranks: rank 0 reads the file and sends whole
 * records, which each rank parses and prepares. Memory does not grow with the file.
 */
typedef struct dt_table dt_table;

/** Some consecutive rows on this rank, borrowed for a call. */
typedef struct dt_row_batch {
    uint64_t first; /* of the data, from 1 */
    size_t count;
    const float *x; /* [count,D] */
    const dt_target *y; /* [count,T]; NULL without labels */
    const float *w; /* [count]: weights; NULL: each row weighs 1 */
    const int64_t *numbers; /* [count]: of the rows, by an array; NULL: they count from `first` */
    const bool *bad; /* [count]: of a row that has no inputs, true; NULL: all have */
    const char
        *kept; /* cells to keep (dt_table_keep): of row i from kept_at[i] to kept_at[i + 1] */
    const size_t *kept_at; /* [count + 1]; NULL: none */
} dt_row_batch;

/** Handles rows; local. A status other than DT_OK ends the stream with that status. */
typedef dt_status dt_row_take(void *context, const dt_row_batch *rows);

/** The options for reading a table. Lists may be NULL. */
typedef struct dt_table_format {
    dt_csv_format csv; /* without a decimal sign, which is found unless `decimals` sets it */
    const char *decimals, *thousands, *numeric, *missing; /* as in dt_preprocess_plan */
    const char *advice; /* likewise */
} dt_table_format;

/**
 * Opens a table whose columns the recipe knows by name, or by their order if the recipe's table had
 * no header; then the targets' and weights' columns may be missing. Rank 0 warns of decisions about
 * names and characters. With `labels` the targets' columns must be there, and that of the weights
 * is used if it is there; without, neither is needed or used.
 *
 * Calls:   collective; same on all ranks: recipe (borrowed until the table is closed), labels,
 *          batch_rows; `path` is opened on rank 0 only
 * Errors:  DT_DATA as dt_csv_open and dt_preprocess_new, DT_MEMORY; then *out = NULL on all ranks
 */
DT_MUST_USE dt_status dt_table_open(dt_table **out, const dt_comm *comm, const char *path,
                                    const dt_recipe *recipe, const dt_table_format *format,
                                    bool labels, size_t batch_rows);

/**
 * Adds to the rows the cells of the columns of a list, "id,#3", as fields of a CSV with a comma
 * behind each. *header is the names, in the same form; borrowed.
 *
 * Calls:   collective, before the first row; same on all ranks: list
 * Errors:  DT_DATA: no such column; DT_USAGE: an empty list; DT_MEMORY; the same on all ranks
 */
DT_MUST_USE dt_status dt_table_keep(const char **header, dt_table *table, const char *list);

/**
 * Accepts bad rows instead of ending with an error: those with a cell that the recipe cannot
 * prepare, with fewer or more fields than the header, or with a misplaced quote. With `skip`
 * batches omit them, and the numbers of later rows in the batch are not known; without it, they are
 * marked as bad, and rows with a wrong number of fields or a misplaced quote have no cells to keep.
 *
 * Calls:   local, on all ranks, before the first row
 * Errors:  DT_MEMORY
 */
DT_MUST_USE dt_status dt_table_take_bad(dt_table *table, bool skip);

/**
 * Returns the bad rows of all ranks so far; the example is the error of the first: "new.csv: row 17
 * (line 18): column 'age': ...".
 *
 * Calls:   collective
 * Errors:  DT_MEMORY
 */
DT_MUST_USE dt_status dt_table_bad(dt_row_note *out, const dt_table *table);

/**
 * Reads the next piece of the table, a part on each rank: the rows of rank 0 come before those of
 * rank 1 and so on, and all before the next call's. `take` is called with up to batch_rows of them
 * at a time, not at all on a rank that gets none. *more is false if nothing was left.
 *
 * Calls:   collective
 * Errors:  DT_DATA as dt_csv_next_block, dt_csv_parse and dt_preprocess_row; what `take` returned.
 *          The same on all ranks.
 */
DT_MUST_USE dt_status dt_table_next(dt_table *table, dt_row_take *take, void *context, bool *more);

/** Counts all rows, and goes back to the first. Calls: root-only. Errors: as dt_csv_next_block. */
DT_MUST_USE dt_status dt_table_count(dt_table *table, uint64_t *rows);

/** Returns whether rows come with weights. Calls: local; the same on all ranks. */
bool dt_table_weighted(const dt_table *table);

/** Returns the share of the file that has been read, 0 to 1. Calls: root-only. */
double dt_table_share(const dt_table *table);

/**
 * Judges the cells of all ranks, column by column, and gives those with a category that no
 * training row had. Rank 0 warns of numbers without the unit that the training rows have, or with
 * one that they do not have; of numbers and dates far outside the range of the training rows, if
 * they are ten and more than one in fifty, or three and more than one in ten, or all; and of ten
 * numbers or more of which all are outside.
 *
 * Calls:   collective, behind the last row
 * Errors:  DT_DATA: a column has ten unseen categories or more and no other: it is another one, or
 *          its values are written in another way; the numbers of one are doubtful
 *          (dt_column_seen_is_doubtful), or have two units of which the training rows have none;
 *          DT_MEMORY
 */
DT_MUST_USE dt_status dt_table_judge(dt_row_note *unseen, const dt_table *table);

/** Closes and frees; NULL is allowed. Calls: local. */
void dt_table_close(dt_table *table);

#endif
