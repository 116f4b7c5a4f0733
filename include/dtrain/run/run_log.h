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
 * The log of a run, run.h5: what results/README.md describes. It is kept in memory and put in place
 * whole, at most every two seconds and at the end, so it can be read at any moment and no kill
 * damages it. All calls are local, and made by rank 0 only.
 */
typedef struct dt_run_log dt_run_log;

/** One rank's row in /ranks; gathered by the caller. */
typedef struct dt_rank_row {
    int64_t rank;
    char host[DT_HOST_BYTES];
    int64_t rows; /* training rows on this rank */
    dt_phases phases;
} dt_rank_row;

/** What is known when a run begins; borrowed for the call. */
typedef struct dt_run_facts {
    const dt_settings *settings;
    const dt_environment *environment;
    const dt_dataset *sets; /* [DT_SET_COUNT] */
    const dt_fingerprint *members; /* [member_count]: the arrays that were read */
    size_t member_count;
    const dt_recipe *recipe; /* of the data; NULL, or D = 0: it has none. For checkpoints alone */
    const dt_network *network;
    char *const *class_names; /* [C]; NULL: they have none */
    bool has_init; /* it began with a model from a file, of these CRC-32 */
    uint32_t init_weights_crc, init_state_crc;
    const char *command_line;
} dt_run_facts;

/**
 * Starts the log, with what has been by now, and writes it once, so that a folder that cannot be
 * written is found before the work.
 *
 * Errors:  DT_OUTPUT, DT_MEMORY
 */
DT_MUST_USE dt_status dt_run_log_open(dt_run_log **out, const char *path, const dt_run_facts *facts,
                                      const dt_history *history);

/**
 * Adds an epoch. A write that fails is warned of once and tried again with the next; training goes
 * on, and dt_run_log_close tells.
 */
void dt_run_log_add_epoch(dt_run_log *log, const dt_epoch *epoch);

/** Adds what the run came to: /evaluation, /summary, /ranks. Errors: DT_OUTPUT, DT_MEMORY. */
DT_MUST_USE dt_status dt_run_log_add_result(dt_run_log *log, const dt_result *result,
                                            const dt_rank_row *ranks, size_t rank_count);

/** Adds a table. Errors: DT_OUTPUT, DT_MEMORY. */
DT_MUST_USE dt_status dt_run_log_add_table(dt_run_log *log, const char *path,
                                           const dt_h5_table *table, const void *rows,
                                           size_t count);

/**
 * Writes the log with the run's status ("ok", "diverged", ...) and, unless it is NULL, the reason
 * for it, and frees it; NULL is allowed. Without a status it only frees: the file is not the run's
 * any more.
 *
 * Errors:  DT_OUTPUT when this last write failed: the file of the last good write stays
 */
DT_MUST_USE dt_status dt_run_log_close(dt_run_log *log, const char *run_status, const char *reason);

#endif
