#ifndef DTRAIN_RUN_RUN_H
#define DTRAIN_RUN_RUN_H

#include "dtrain/base/status.h"
#include "dtrain/comm/comm.h"
#include "dtrain/run/settings.h"

/**
 * A training run: one network, trained with one set of settings on all ranks, and one folder of
 * results. A run goes through these calls, in this order:
 *
 *     dt_run_new     makes a run that knows its ranks and nothing else
 *     dt_run_start   loads the data, makes the network, opens the logs
 *     dt_run_train   trains the network
 *     dt_run_save    saves the model, evaluates it, completes the logs
 *     dt_run_end     records what ended the run
 *     dt_run_free    frees the run
 *
 * If a call fails, the caller skips the next ones up to dt_run_end. Rank 0 alone prints and writes
 * files; each call prints what it did (run_banner.c, run_report.c).
 */
typedef struct dt_run dt_run;

/**
 * Makes a run on the ranks of `comm`. The time limit starts here.
 *
 * Calls:   local; the ranks agree on the status before dt_run_start
 * Owns:    the caller frees with dt_run_free; `comm` is borrowed until then
 * Errors:  DT_MEMORY; *out = NULL
 */
DT_MUST_USE dt_status dt_run_new(dt_run **out, const dt_comm *comm);

/**
 * Prints the decisions of a preparation: about the columns, or, after the rows were dealt, about
 * the sets. Called on rank 0. Errors: DT_MEMORY.
 */
typedef dt_status dt_run_table_report(const dt_preparation *preparation, bool dealt);

/**
 * Sets the function that prints it if DATA is a table; by default nothing is printed. Local, before
 * dt_run_start.
 */
void dt_run_set_table_report(dt_run *run, dt_run_table_report *report);

/**
 * Prepares the training. First rank 0 completes the settings: those of an earlier run (`--like`,
 * `--resume`), and those that depend on the number of ranks; then all ranks get them. Then come the
 * kernels, the data, the network, the checkpoint that the run resumes from, the folder with its
 * logs, and the banner. The folder comes as late as possible, so that a refused run leaves none.
 *
 * Calls:   collective; `settings` and `command_line` are read on rank 0 only
 * Owns:    `settings` is copied; `command_line` is borrowed until dt_run_free
 * Errors:  DT_USAGE for settings that contradict each other, the data, the earlier run or the
 *          initial model, or for a folder that contains another run's checkpoint; DT_DATA;
 *          DT_OUTPUT; DT_MEMORY
 */
DT_MUST_USE dt_status dt_run_start(dt_run *run, const dt_settings *settings,
                                   const char *command_line);

/**
 * Trains the network, and writes epochs to the logs and checkpoints to the folder.
 *
 * Calls:   collective
 * Errors:  as dt_trainer_run: DT_STOPPED if the run stopped early and a checkpoint was saved
 */
DT_MUST_USE dt_status dt_run_train(dt_run *run);

/**
 * Saves the model, before anything else can fail. Then evaluates it even if it could not be saved,
 * so that at least its metrics are printed. Then completes the logs, and removes the checkpoint.
 *
 * Calls:   collective
 * Errors:  DT_OUTPUT, DT_DIVERGED, DT_MEMORY: the first failure
 */
DT_MUST_USE dt_status dt_run_save(dt_run *run);

/**
 * Ends the run, of which `status` is the result: closes a log that is still open with this status,
 * and prints how to resume a run that stopped early. The status text stays that of `status`.
 *
 * Calls:   local; NULL is allowed
 */
void dt_run_end(dt_run *run, dt_status status);

/** Frees; NULL is allowed. Local. */
void dt_run_free(dt_run *run);

#endif
