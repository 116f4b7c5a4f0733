#ifndef DTRAIN_RUN_RUN_FOLDS_H
#define DTRAIN_RUN_RUN_FOLDS_H

/* Shared by the files of --folds. Fold f of repeat r is part (r - 1) K + f, all from 1. */

#include "run_parts.h"

/* ---- run_folds_data.c ---- */

/* Checks that the training and validation rows can be divided. Collective; same on all ranks: the
 * result. Errors: DT_DATA: a class, or values, with fewer rows than folds, or fewer ids;
 * DT_USAGE: no ids; DT_MEMORY. */
DT_MUST_USE dt_status dt_run_check_folds(const dt_run *r);

/**
 * Finds the fold of each training row and then of each validation row.
 *
 * Shapes:  *out [training and validation rows], from 0 on, on all ranks
 * Calls:   collective; repeat: from 0 on
 * Owns:    the caller frees *out, also after an error
 * Errors:  DT_MEMORY
 */
DT_MUST_USE dt_status dt_run_find_folds(uint16_t **out, const dt_run *r, int64_t repeat);

/**
 * Gives a run the sets of the fold that its settings name: of the training and validation rows of
 * `from`, those of the fold are for validation. Then takes targets and weights from them.
 * Measurements of inputs remain those of the training rows of `from`.
 *
 * Calls:   collective. `from` may be the run itself; else the run has borrowed the sets of `from`
 * Errors:  DT_MEMORY; as dt_run_take_targets
 */
DT_MUST_USE dt_status dt_run_take_fold(dt_run *run, const dt_run *from);

/* ---- run_folds_results.c ---- */

/* A number over the folds. */
typedef struct dt_fold_score {
    char name[48]; /* "val_accuracy" */
    double mean, deviation; /* of the sample; NaN with fewer than two folds */
    int64_t folds; /* that have the number */
    int64_t shown; /* in the terminal's table, and in the summary */
} dt_fold_score;

/* Prints a table of the folds, and logs it and the means. Root-only. Errors: as
 * dt_parts_kind.record. */
DT_MUST_USE dt_status dt_run_record_folds(dt_run *whole, const dt_part *rows);

/* Prints the lines of the summary about the folds. Local, and printed on rank 0 only. */
void dt_run_summarise_folds(const dt_run *whole);

/* ---- run_folds_rows.c ---- */

/**
 * Writes out_of_fold.csv: for each training and validation row, and each repeat, the prediction of
 * the model that was trained without it.
 *
 * Calls:   collective, once the whole has its model
 * Errors:  DT_OUTPUT, DT_MEMORY; DT_DATA as dt_run_find_folds
 */
DT_MUST_USE dt_status dt_run_write_out_of_fold(dt_run *whole, const dt_part *rows);

#endif
