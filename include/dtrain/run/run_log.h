#ifndef DTRAIN_RUN_RUN_LOG_H
#define DTRAIN_RUN_RUN_LOG_H

#include "dtrain/base/status.h"
#include "dtrain/data/dataset.h"
#include "dtrain/data/recipe.h"
#include "dtrain/io/h5.h"
#include "dtrain/run/environment.h"
#include "dtrain/run/fingerprint.h"
#include "dtrain/run/history.h"
#include "dtrain/run/settings.h"
#include "dtrain/train/trainer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The log of a run, run.h5, which results/README.md describes. It is kept in memory and written as
 * a whole, at most every two seconds and at the end, so that it can be read at any moment and no
 * kill damages it. All calls are local, and made by rank 0 only.
 */
typedef struct dt_run_log dt_run_log;

/** One rank's row in /ranks; gathered by the caller. */
typedef struct dt_rank_row {
    int64_t rank;
    char host[DT_HOST_BYTES];
    int64_t rows; /* training rows on this rank */
    dt_phases phases;
} dt_rank_row;

/** The facts that are known at the start of a run; borrowed for the call. */
typedef struct dt_run_facts {
    const dt_settings *settings;
    const dt_environment *environment;
    const dt_dataset *sets; /* [DT_SET_COUNT] */
    const dt_fingerprint *members; /* [member_count]: the arrays that were read */
    size_t member_count;
    const dt_recipe *recipe; /* recipe of the data; NULL, or D = 0: it has none. Only for
                              * checkpoints */
    const dt_network *network;
    char *const *class_names; /* [C]; NULL: they have none */
    char *const *target_names; /* of values, [C]; NULL: they have none */
    bool has_init; /* it started from a model in a file, with these CRC-32 */
    uint32_t init_weights_crc, init_state_crc;
    const char *command_line;
} dt_run_facts;

/**
 * Starts the log with the history so far. `at_once` writes the file, so that a folder that cannot
 * be written is found before training. Otherwise the first write follows after two seconds, or at
 * the end.
 *
 * Errors:  DT_OUTPUT, DT_MEMORY
 */
DT_MUST_USE dt_status dt_run_log_open(dt_run_log **out, const char *path, const dt_run_facts *facts,
                                      const dt_history *history, bool at_once);

/**
 * Adds an epoch. A write that fails causes one warning and is repeated with the next epoch;
 * training continues, and dt_run_log_close reports the failure.
 */
void dt_run_log_add_epoch(dt_run_log *log, const dt_epoch *epoch);

/** Adds the results of the run: /evaluation, /summary, /ranks. Errors: DT_OUTPUT, DT_MEMORY. */
DT_MUST_USE dt_status dt_run_log_add_result(dt_run_log *log, const dt_result *result,
                                            const dt_rank_row *ranks, size_t rank_count);

/** Adds a table. Errors: DT_OUTPUT, DT_MEMORY. */
DT_MUST_USE dt_status dt_run_log_add_table(dt_run_log *log, const char *path,
                                           const dt_h5_table *table, const void *rows,
                                           size_t count);

/**
 * Writes the log with the run's status ("ok", "diverged", ...) and, unless it is NULL, the reason
 * for it, and frees it; NULL is allowed. Without a status it only frees, because the file no longer
 * belongs to the run.
 *
 * Errors:  DT_OUTPUT if this last write failed; the file of the last good write is kept
 */
DT_MUST_USE dt_status dt_run_log_close(dt_run_log *log, const char *run_status, const char *reason);

#endif
