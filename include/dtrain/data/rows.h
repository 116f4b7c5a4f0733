#ifndef DTRAIN_DATA_ROWS_H
#define DTRAIN_DATA_ROWS_H

#include "dtrain/base/status.h"
#include "dtrain/comm/comm.h"
#include "dtrain/data/recipe.h"
#include "dtrain/data/source.h"
#include "dtrain/data/table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Rows for a model, from arrays (.npz) or from a table of text that the model's recipe prepares, as
 * one stream on all ranks.
 *
 * Arrays are loaded and dealt to the ranks as a whole (dt_dataset_load), so the memory of all hosts
 * must be large enough; a table is streamed.
 */
typedef struct dt_rows dt_rows;

/** The plan of reading rows; the same on all ranks. Files are opened on rank 0 only. */
typedef struct dt_rows_plan {
    const char *path; /* .npz, folder or prefix; any other file is a table; "-": one from stdin */
    const char *targets_path; /* of a .npy beside that of `path`; NULL or "": none */
    dt_set set; /* the set to use, if there are several */
    bool set_asked; /* the set was given as an option: then the data must have sets */
    const char *inputs, *targets; /* arrays' names; empty: found by themselves */
    bool labels; /* targets are needed */
    bool keys; /* requests row numbers and ids of arrays, if there are any */
    bool values; /* they are values, not classes */
    size_t D, C; /* the model's */
    char *const *class_names; /* [C]: the model's; NULL: none */
    /* The model's; NULL: it has none, and tables are refused. If it has weights, the rows that come
     * with labels have them: the table's column or the array DT_SOURCE_WEIGHTS, if it is there. */
    const dt_recipe *recipe;
    dt_table_format format; /* of a table */
    size_t batch_rows; /* maximum rows of a batch */
    int host_ranks; /* ranks on this host */
} dt_rows_plan;

/**
 * Returns whether a path names a table of text: arrays are known by the name or the first bytes of
 * their file; a folder or a prefix names some. Root-only.
 */
bool dt_rows_is_table(const char *path);

/**
 * Opens the data.
 *
 * Calls:   collective
 * Owns:    the caller closes; the plan's recipe is borrowed until then
 * Errors:  DT_DATA as dt_source_open_rows, dt_dataset_load, dt_table_open; also when the rows have
 *          another width than the model's inputs, or a folder's recipe.json is not the model's.
 *          DT_USAGE: a set was asked for, and there are none. DT_MEMORY. The same on all ranks,
 *          *out = NULL
 */
DT_MUST_USE dt_status dt_rows_open(dt_rows **out, const dt_comm *comm, const dt_rows_plan *plan);

/**
 * Passes some of the next rows to `take` on each rank, in batches of at most batch_rows. The rows
 * of rank 0 come before those of rank 1 and so on, and all before those of the next call. The
 * batches do not depend on the number of ranks. *more is false if no rows were left.
 *
 * Calls:   collective
 * Errors:  as dt_table_next; the same on all ranks
 */
DT_MUST_USE dt_status dt_rows_next(dt_rows *rows, dt_row_take *take, void *context, bool *more);

/** Counts the rows. Calls: collective. Errors: as dt_csv_next_block. */
DT_MUST_USE dt_status dt_rows_count(dt_rows *rows, uint64_t *count);

/** Returns the share of the rows that was passed on, 0 to 1. Calls: root-only. */
double dt_rows_share(const dt_rows *rows);

/** As dt_table_judge; nothing for arrays. Calls: collective. Errors: DT_DATA, DT_MEMORY. */
DT_MUST_USE dt_status dt_rows_judge(dt_row_note *unseen, const dt_rows *rows);

/** Returns whether the rows are those of a table. Calls: local; the same on all ranks. */
bool dt_rows_are_table(const dt_rows *rows);

/** As dt_table_keep, dt_table_take_bad and dt_table_bad. The rows must be those of a table. */
DT_MUST_USE dt_status dt_rows_keep(const char **header, dt_rows *rows, const char *list);
DT_MUST_USE dt_status dt_rows_take_bad(dt_rows *rows, bool skip);
DT_MUST_USE dt_status dt_rows_bad(dt_row_note *out, const dt_rows *rows);

/** Returns whether rows come with ids of an array (as kept cells). Calls: local; the same on all
 * ranks. */
bool dt_rows_have_ids(const dt_rows *rows);

/** Returns whether rows come with weights. Calls: local; the same on all ranks. */
bool dt_rows_weighted(const dt_rows *rows);

/** Returns the path of the file that the rows are in; borrowed. Calls: root-only. */
const char *dt_rows_file(const dt_rows *rows);

/** Returns a description of the data: "data/test.npz, inputs"; borrowed. Calls: root-only. */
const char *dt_rows_source(const dt_rows *rows);

/** Closes and frees; NULL is allowed. Calls: local. */
void dt_rows_close(dt_rows *rows);

#endif
