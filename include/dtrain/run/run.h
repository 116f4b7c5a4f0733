#ifndef DTRAIN_RUN_RUN_H
#define DTRAIN_RUN_RUN_H

/* A training run as an object. */

#include "dtrain/comm/comm.h"
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
#include "dtrain/run/like.h"
#include "dtrain/run/run_log.h"
#include "dtrain/run/settings.h"
#include "dtrain/train/trainer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PATH_BYTES = 2 * DT_OPTION_TEXT_BYTES, COMMAND_BYTES = 4096 };

/* One run, from the command line to the results. */
typedef struct dt_run {
    const dt_comm *comm;
    bool root;
    double started_s; /* by dt_clock_s */
    dt_settings settings;
    char command_line[COMMAND_BYTES];
    char folder[PATH_BYTES];
    dt_environment environment;
    dt_source source; /* rank 0 only */
    dt_fingerprint members[DT_FINGERPRINT_MAX]; /* rank 0 only; [member_count] */
    size_t member_count;
    dt_recipe recipe; /* rank 0 only; zeroed when the data has none */
    dt_example example; /* rank 0 only; of use when no DATA was named */
    dt_dataset sets[DT_PART_COUNT];
    dt_model model; /* the recipe above comes before its own */
    bool has_init; /* it came from a file, whose weights and other state have these CRC-32 */
    uint32_t init_weights_crc, init_state_crc;
    dt_like like; /* rank 0 only */
    dt_checkpoint checkpoint; /* that the run goes on from, with --resume */
    dt_history history; /* rank 0 only */
    bool history_incomplete; /* an epoch found no memory: no checkpoint would be right */
    dt_run_log *log; /* rank 0 only */
    dt_csv_log *csv_log; /* rank 0 only; NULL: not asked for */
    dt_result result;
    double load_s;
} dt_run;

/**
 * Makes the folder that --out names, or a new one in results/: an earlier run's results are never
 * written over unasked. As late as can be, so that a refused run leaves none.
 *
 * Calls:   root-only
 * Errors:  DT_OUTPUT
 */
DT_MUST_USE dt_status dt_run_make_folder(dt_run *r, const char *name);

/**
 * Finds the data, checks the options that are about it, and deals it to the ranks.
 *
 * Calls:   collective
 * Errors:  as dt_source_open, dt_dataset_load, dt_recipe_load and dt_like_check; DT_USAGE
 */
DT_MUST_USE dt_status dt_run_load_data(dt_run *r);

/**
 * Opens the logs of the run, in its folder, with what a run that goes on has been so far.
 *
 * Calls:   root-only
 * Errors:  DT_USAGE when the folder has a checkpoint that is not gone on from, without --force;
 *          DT_OUTPUT, DT_MEMORY
 */
DT_MUST_USE dt_status dt_run_open_logs(dt_run *r);

/** Returns what logs and saves for the trainer. Owns: it borrows r. Local. */
dt_observer dt_run_observer(dt_run *r);

/**
 * Saves the model before anything else can fail; and evaluates it even when it could not be saved, so
 * that the run's numbers at least are seen. What the run went on from is not needed then any more.
 *
 * Calls:   collective
 * Errors:  DT_OUTPUT, DT_DIVERGED, DT_MEMORY: what went wrong first
 */
DT_MUST_USE dt_status dt_run_save_results(dt_run *r);

/** Prints what is about to be trained, on what, and how. Says nothing but on rank 0. Local. */
void dt_run_report_start(const dt_run *r);

/**
 * Makes the network to be trained: a new one, or that of --init-from, which must fit the data; then
 * the settings become what it has, and rows that it wants normalised are.
 *
 * Calls:   collective
 * Errors:  DT_MEMORY; DT_DATA as dt_model_load, and when it does not fit the data; DT_USAGE when it has
 *          other layers than were asked for
 */
DT_MUST_USE dt_status dt_run_make_model(dt_run *r);

/** Says that the run stopped early, and how to go on. Local. */
void dt_run_report_stop(const dt_run *r);

/** Shows where an epoch is, with --progress. Local. */
void dt_run_report_step(const dt_run *r, const dt_step *step);

/** Prints an epoch's line. Local. */
void dt_run_report_epoch(const dt_run *r, const dt_epoch *row);

/** Prints what the ranks spent their time on. Local. */
void dt_run_report_phases(const dt_rank_row *rows, size_t count);

/** Prints the summary, but for the status, its last line. Local. */
void dt_run_report_summary(const dt_run *r);

#endif
