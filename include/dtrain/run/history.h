#ifndef DTRAIN_RUN_HISTORY_H
#define DTRAIN_RUN_HISTORY_H

#include "dtrain/base/status.h"
#include "dtrain/io/h5.h"
#include "dtrain/run/environment.h"
#include "dtrain/train/trainer.h"

#include <stddef.h>
#include <stdint.h>

/** One start of the program for a run: the first, or one with --resume. */
typedef struct dt_session {
    int64_t epoch, rows; /* the start of the session, as in dt_training */
    int64_t ranks, hosts;
    char started[24]; /* "2026-01-31T23:59:59Z" */
    char host[DT_HOST_BYTES]; /* of rank 0 */
    char slurm_job_id[32]; /* "" outside Slurm */
} dt_session;

/**
 * The history of a run: its finished epochs and its sessions; the tables /epochs and /sessions of
 * run.h5 and checkpoint.h5. All calls are local, and made by rank 0 only.
 */
typedef struct dt_history {
    dt_epoch *epochs;
    size_t epoch_count, epoch_capacity;
    dt_session *sessions;
    size_t session_count;
} dt_history;

/** Adds an epoch. Errors: DT_MEMORY; then the history is unchanged. */
DT_MUST_USE dt_status dt_history_add_epoch(dt_history *history, const dt_epoch *epoch);

/** Adds the session that starts now, at `training` (NULL: at the beginning). Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_history_add_session(dt_history *history, const dt_environment *environment,
                                             const dt_training *training);

/** Makes the two tables, with the task's metrics. Errors: DT_OUTPUT, DT_MEMORY. */
DT_MUST_USE dt_status dt_history_write(dt_h5 *h5, const dt_history *history, const dt_task *task);

/**
 * Reads them.
 *
 * Owns:    the caller clears with dt_history_clear
 * Errors:  DT_DATA, DT_MEMORY; *out is zeroed then
 */
DT_MUST_USE dt_status dt_history_read(dt_history *out, dt_h5 *h5, const dt_task *task);

/** Computes the CRC-32 of both tables' rows. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_history_crc(uint32_t *out, const dt_history *history, const dt_task *task);

/** Frees; a zeroed history is allowed. */
void dt_history_clear(dt_history *history);

#endif
