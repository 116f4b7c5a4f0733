#ifndef DTRAIN_RUN_RUN_INTERNAL_H
#define DTRAIN_RUN_RUN_INTERNAL_H

/* Shared by the files of run.h: the run itself, and the parts of its calls. */

#include "dtrain/data/dataset.h"
#include "dtrain/data/example.h"
#include "dtrain/data/recipe.h"
#include "dtrain/data/source.h"
#include "dtrain/model/model.h"
#include "dtrain/run/checkpoint.h"
#include "dtrain/run/csv_log.h"
#include "dtrain/run/environment.h"
#include "dtrain/run/fingerprint.h"
#include "dtrain/run/history.h"
#include "dtrain/run/owner.h"
#include "dtrain/run/previous.h"
#include "dtrain/run/run.h"
#include "dtrain/run/run_log.h"
#include "dtrain/train/trainer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PATH_BYTES = 2 * DT_OPTION_TEXT_BYTES };

struct dt_run {
    const dt_comm *comm;
    bool root; /* this is rank 0 */
    double started_s; /* by dt_clock_s */
    dt_settings settings;
    const char *command_line; /* rank 0 only */
    const struct dt_parts_kind
        *parts; /* of a run of several parts: their kind; NULL: it has none */
    int64_t part; /* the number of this part, from 1; 0: a whole run */
    const struct dt_parts_kind *kind; /* likewise, of that kind (run_parts.h); NULL */
    double parts_threshold; /* of a run of several parts: the mean of its kept models'; NaN: some
                               have none */
    struct dt_fold_score *fold_scores; /* rank 0 only, with --folds (run_folds.h) */
    size_t fold_score_count;
    char folder[PATH_BYTES]; /* rank 0 only; "": not made yet */
    dt_owner *owner; /* rank 0 only: of the folder; NULL: not yet, or a trial of a search */
    dt_environment environment;
    dt_source source; /* rank 0 only */
    dt_preparation table; /* rank 0 only, until the rows have been dealt; of DATA that is a table */
    dt_source_table table_source; /* rank 0 only, likewise; `source` refers to it */
    dt_run_table_report *table_report; /* NULL: nobody */
    double told_s; /* rank 0 only: time of the last sign of life to the others; below 0: they do not
                 * wait */
    dt_fingerprint members[DT_FINGERPRINT_MAX]; /* rank 0 only; [member_count] */
    size_t member_count;
    dt_recipe recipe; /* rank 0 only; zeroed if the data has no recipe */
    dt_example example; /* rank 0 only; zeroed if DATA was named */
    dt_dataset sets[DT_SET_COUNT];
    /* For folds: the training rows before they were divided, on which bins are measured. `measured`
     * is borrowed from the whole run, or points to `undivided` in a run of one fold. NULL, zeroed:
     * no folds. */
    const dt_dataset *measured;
    dt_dataset undivided;
    float *input_mean, *input_variance; /* [D]: what --scale subtracts and divides by; NULL: not
                                           given. The sets are scaled already */
    char unscaled[512]; /* the warning about inputs that should be scaled; "": none */
    dt_target_scale *scale; /* [T]: of targets that are values; NULL: classes */
    double baseline_rmse[DT_SET_COUNT]; /* likewise: of always predicting the mean of the training
                                         * rows */
    dt_model model; /* the recipe above takes precedence over the model's own */
    int64_t init_step; /* updates that the optimizer of --init-from had done */
    bool has_init; /* with --init-from: the CRC-32 of the file's weights and other state follow */
    uint32_t init_weights_crc, init_state_crc;
    dt_previous previous; /* rank 0 only */
    dt_checkpoint checkpoint; /* with --resume: the one that the run resumes from */
    dt_history history; /* rank 0 only */
    bool history_incomplete; /* there was no memory for an epoch: a checkpoint would be wrong */
    dt_run_log *log; /* rank 0 only */
    dt_csv_log *csv_log; /* rank 0 only; NULL without --csv-log */
    dt_result result;
    double load_s;
    bool is_trial; /* of a search, which owns the folder. It may be short: run.h5 is written once
                      there is something in it */
    int64_t pause_after; /* as dt_plan; 0: never */
    void (*between_steps)(void *context); /* rank 0 only: called after each step; NULL: nobody */
    void *between_context;
};

/* ---- run.c ---- */

/**
 * Completes r->settings: by an earlier run, by the data that they name, and by the number of ranks.
 *
 * Calls:   root-only
 * Errors:  as dt_run_start
 */
DT_MUST_USE dt_status dt_run_complete_settings(dt_run *r, int ranks);

/* ---- run_single.c ---- */

/* Returns the epoch whose weights a run has: the last one if none was judged (`best_epoch` 0), or
 * with --no-restore-best. Local. */
int64_t dt_run_kept_epoch(const dt_settings *s, int64_t epochs, int64_t best_epoch);

/**
 * Does the part of dt_run_start that follows the data: network, checkpoint, logs, banner.
 *
 * Calls:   collective
 * Errors:  as dt_run_start
 */
DT_MUST_USE dt_status dt_run_begin(dt_run *r);

/** Trains a run without parts, as dt_run_train. */
DT_MUST_USE dt_status dt_run_train_single(dt_run *r);

/* ---- run_part.c: an ordinary run that is a part of a larger one ---- */

/* Gives a part the settings of the whole as those of an ordinary run, so that --like and --resume
 * also work for the part alone; and its data, which the whole still owns. Local. */
void dt_run_part_borrow(dt_run *out, const dt_run *whole);

/* Ends the borrowing, before the part is freed. Local. */
void dt_run_part_give_back(dt_run *part);

/* Sets --out to the part's folder, and --resume if it has a checkpoint. Root-only. */
void dt_run_part_settle(dt_run *part);

/**
 * Makes the part's folder, trains in it and saves, as dt_run_train and dt_run_save do. `train` is
 * dt_run_train, or dt_run_train_single of a part that has no parts.
 *
 * Calls:   collective; the settings are the same on all ranks
 * Errors:  as dt_run_own, dt_run_begin, dt_run_train and dt_run_save
 */
DT_MUST_USE dt_status dt_run_part_train(dt_run *part, dt_status (*train)(dt_run *part));

/* ---- run_owner.c ---- */

/**
 * Makes the run the owner of an existing folder, unless it already is.
 *
 * Calls:   root-only
 * Errors:  as dt_owner_take; DT_USAGE, too, for a trial of a search that is under way
 */
DT_MUST_USE dt_status dt_run_own(dt_run *r, const char *folder);

/** Checks before a write that the folder still belongs to the run, and makes one again that was
 * removed. Root-only. Errors: as dt_owner_check and dt_file_make_folder. */
DT_MUST_USE dt_status dt_run_check_own(const dt_run *r);

/**
 * Owns an existing folder of results, unless the run already does. Without --force the folder must
 * not contain a checkpoint that this run does not resume from, or the results of a run or search
 * that ended well. The results of a run that failed, diverged or was killed do not count.
 *
 * Calls:   root-only
 * Errors:  as dt_owner_take; DT_USAGE
 */
DT_MUST_USE dt_status dt_run_take_folder(dt_run *r, const char *folder);

/**
 * Takes the folder that the settings name, if it exists, before its checkpoint is read and before
 * much work is done for a run that would be refused. If the results go to another folder, the
 * folder that the run resumes from must not have an owner.
 *
 * Calls:   root-only
 * Errors:  as dt_run_take_folder
 */
DT_MUST_USE dt_status dt_run_own_early(dt_run *r);

/* ---- run_data.c ---- */

/**
 * Makes the folder that --out names, or a new one in results/, and takes it.
 *
 * Calls:   root-only
 * Errors:  as dt_run_take_folder; DT_OUTPUT
 */
DT_MUST_USE dt_status dt_run_make_folder(dt_run *r, const char *name);

/**
 * Finds the data, checks the options about it, and deals its rows to the ranks.
 *
 * Calls:   collective
 * Errors:  as dt_source_open, dt_dataset_load, dt_recipe_load and dt_previous_check; DT_USAGE
 */
DT_MUST_USE dt_status dt_run_load_data(dt_run *r);

/* ---- run_scale.c ---- */

/**
 * Scales the inputs of all sets as --scale says, by the training rows; without it, looks for inputs
 * that should be scaled.
 *
 * Calls:   collective, once the data is there
 * Errors:  DT_USAGE: a recipe or the model of --init-from prepares the inputs; DT_DATA: an input
 *          ranges too far; DT_MEMORY
 */
DT_MUST_USE dt_status dt_run_scale_inputs(dt_run *r);

/* ---- run_classes.c ---- */

/* Returns the classes' names [C]; NULL: they have none. Root-only. */
char *const *dt_run_class_names(const dt_run *r);

/**
 * Renumbers the data's classes to the indices of the classes with the same names in the model of
 * --init-from, read from `path`.
 *
 * Calls:   collective
 * Errors:  DT_DATA: the model does not have a class; DT_MEMORY
 */
DT_MUST_USE dt_status dt_run_take_classes(dt_run *r, const char *path);

/* ---- run_table.c ---- */

/**
 * Opens DATA that is a table: surveys it and makes the recipe, so that its rows can be dealt.
 *
 * Calls:   collective, because the other ranks wait for signs of life; read on rank 0 only
 * Errors:  as dt_preparation_open, dt_prepare_survey and dt_prepare_fit
 */
DT_MUST_USE dt_status dt_run_open_table(dt_run *r);

/** Ends the preparation after the rows were dealt, and prints its result. Root-only. */
DT_MUST_USE dt_status dt_run_close_table(dt_run *r);

/* ---- run_targets.c ---- */

/* Returns the type of the targets by the options and the recipe. Root-only: rank 0 has the
 * recipe. */
dt_targets dt_run_expected_targets(const dt_run *r);

/**
 * Sets the task and, unless it was given, the loss by the data. Measures values.
 *
 * Calls:   collective, once the data is there
 * Errors:  DT_USAGE: a loss that is not for such targets; DT_DATA: a target that is constant;
 *          DT_MEMORY
 */
DT_MUST_USE dt_status dt_run_take_targets(dt_run *r);

/**
 * Gives the training rows the weights of --class-weight, and brings the weights of each set near 1:
 * only their ratios count.
 *
 * Calls:   collective, once the data is there
 * Errors:  DT_DATA: all rows of a set weigh 0; DT_USAGE: a class that is not there, a weight that
 *          is not a number, values instead of classes; DT_MEMORY
 */
DT_MUST_USE dt_status dt_run_take_weights(dt_run *r);

/* Checks that task, loss, optimizer and the metric to monitor go with each other and with the
 * numbers that were given. Local. Errors: DT_USAGE. */
DT_MUST_USE dt_status dt_run_check_settings(const dt_settings *s);

/* Gives the network the loss of the settings; `scale` as dt_network_set_loss. Local. Errors:
 * DT_MEMORY. */
DT_MUST_USE dt_status dt_run_set_loss(dt_run *r, const dt_target_scale *scale);

/* Sets --loss to the loss of the model, unless one was given. Local. */
void dt_run_take_loss(dt_run *r);

/* ---- run_encoding.c ---- */

/* Finds which inputs are encoded, and the edges of their bins if they have any. *numbers stays NULL
 * unless the encoding is periodic. Collective; same on all ranks: the result. Owns: the caller
 * frees both, also after an error. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_run_find_numbers(const dt_run *r, dt_bins *bins, bool **numbers);

/* Finds the column of categories that each input comes from, from 1 on; 0: none. Rank 0 has the
 * recipe. *out stays NULL if categories are not to be embedded. Calls, Owns, Errors: likewise. */
DT_MUST_USE dt_status dt_run_find_columns(const dt_run *r, size_t **out);

/* ---- run_model.c ---- */

/* Sets the optimizer's numbers that are settings: learning rate, weight decay, momentum. */
void dt_run_set_optimizer(dt_run *r);

/**
 * Makes the network: a new one, or that of --init-from, which must fit the data. In the latter case
 * the settings become those of the model, and rows are normalized as the model requires.
 *
 * Calls:   collective
 * Errors:  DT_MEMORY; DT_DATA as dt_model_load, and if the model does not fit the data; DT_USAGE if
 *          the model has other layers than the settings that were given
 */
DT_MUST_USE dt_status dt_run_make_model(dt_run *r);

/* ---- run_threshold.c ---- */

/* Checks that --threshold fits the data. Collective; same on all ranks: the result. Errors:
 * DT_USAGE. */
DT_MUST_USE dt_status dt_run_check_threshold(const dt_run *r);

/**
 * Gives the trained network the threshold that --threshold asks for; warns if there is none.
 *
 * Calls:   collective
 * Errors:  as dt_trainer_set_threshold
 */
DT_MUST_USE dt_status dt_run_set_threshold(dt_run *r);

/* ---- run_observer.c ---- */

/**
 * Opens the logs in the run's folder. Those of a resumed run begin with the checkpoint's epochs.
 *
 * Calls:   root-only
 * Errors:  as dt_run_make_folder; DT_USAGE: --csv-log would be written over an input or a result;
 *          DT_OUTPUT, DT_MEMORY
 */
DT_MUST_USE dt_status dt_run_open_logs(dt_run *r);

/* Returns the known facts of the run, borrowed from it. Root-only. */
dt_run_facts dt_run_facts_of(const dt_run *r);

/* Returns the callbacks of the trainer that log and save. Owns: it borrows r. Local. */
dt_observer dt_run_observer(dt_run *r);

/* ---- run_banner.c ---- */

/* Prints the banner: the network, the data, and the training. Local; printed on rank 0 only. */
void dt_run_report_start(const dt_run *r);

/* ---- run_report.c; local, and printed on rank 0 only ---- */

/* Prints that the run stopped early, and how to resume it. */
void dt_run_report_stop(const dt_run *r);

/* Shows the progress of an epoch, with --progress. */
void dt_run_report_step(const dt_run *r, const dt_step *step);

/* Prints an epoch's line. */
void dt_run_report_epoch(const dt_run *r, const dt_epoch *row);

/* Prints the times of the phases. */
void dt_run_report_phases(const dt_rank_row *rows, size_t count);

/* Prints the summary without its last line, the status. */
void dt_run_report_summary(const dt_run *r);

#endif
