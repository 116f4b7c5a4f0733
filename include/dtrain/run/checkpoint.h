#ifndef DTRAIN_RUN_CHECKPOINT_H
#define DTRAIN_RUN_CHECKPOINT_H

#include "dtrain/base/status.h"
#include "dtrain/comm/comm.h"
#include "dtrain/io/h5.h"
#include "dtrain/run/history.h"
#include "dtrain/run/run_log.h"
#include "dtrain/train/trainer.h"

#include <stddef.h>

/**
 * The complete state of a training run in one file: weights, the optimizer's states, the best
 * epoch's weights, the position in the epoch, the history of early stopping, and the epochs so far.
 * It also has the configuration and the fingerprints of the data, as run.h5, so that a resumed run
 * uses the same. Nothing in it depends on a rank. results/README.md names every dataset. Every
 * array has a CRC-32.
 */

/** The version of the file; attribute checkpoint_version of the root. */
enum { DT_CHECKPOINT_VERSION = 3 };

/** The attribute of the root with the recipe of the data, as JSON. */
#define DT_CHECKPOINT_RECIPE "recipe"

/** Writes the path of the checkpoint in a run's folder. Returns `out`. */
const char *dt_checkpoint_path(char *out, size_t bytes, const char *folder);

/**
 * Writes a checkpoint. An older file at `path` is kept until the new one is on the disk. `training`
 * is NULL for a run of restarts, whose folders have their own checkpoints; then there are no
 * arrays, and `optimizer` is ignored.
 *
 * Calls:   local
 * Errors:  DT_OUTPUT, DT_MEMORY
 */
DT_MUST_USE dt_status dt_checkpoint_save(const char *path, const dt_run_facts *facts,
                                         const dt_history *history, const dt_training *training,
                                         const dt_optimizer *optimizer);

/**
 * Opens the checkpoint in a folder of results, and checks that it is a checkpoint.
 *
 * Calls:   local
 * Owns:    the caller frees with dt_h5_free
 * Errors:  DT_DATA when there is none, or none that this dtrain reads; DT_USAGE when there is none
 *          because the run has ended; DT_MEMORY
 */
DT_MUST_USE dt_status dt_checkpoint_open(dt_h5 **out, const char *folder);

/** The state of a training, read from a checkpoint; owns its arrays. */
typedef struct dt_checkpoint {
    dt_training training; /* best: this one's */
    float *params; /* the block of all arrays; after dt_checkpoint_load only `best` */
    float *best; /* [P] */
    dt_optimizer optimizer; /* its states are views; zeroed after dt_checkpoint_load */
    dt_history history; /* rank 0 only */
} dt_checkpoint;

/**
 * Reads a checkpoint of `P` parameters and the task's metrics, and checks every CRC-32 and the
 * ranges of its numbers. `file` is its name in error lines.
 *
 * Calls:   local
 * Owns:    the caller clears with dt_checkpoint_clear
 * Errors:  DT_DATA, DT_MEMORY; *out is zeroed then
 */
DT_MUST_USE dt_status dt_checkpoint_read(dt_checkpoint *out, dt_h5 *h5, const char *file,
                                         const dt_task *task, size_t P);

/**
 * Reads the checkpoint in `folder` on rank 0, and restores network and optimizer on all ranks. The
 * optimizer's numbers become those of the checkpoint, except learning rate and weight decay, which
 * the caller sets from the settings.
 *
 * Calls:   collective; `folder` is read on rank 0 only
 * Owns:    the caller clears with dt_checkpoint_clear
 * Errors:  DT_DATA as dt_checkpoint_open and dt_checkpoint_read, and if the epoch has fewer rows
 *          (`N` are the training set's); DT_MEMORY. *out is zeroed then
 */
DT_MUST_USE dt_status dt_checkpoint_load(dt_checkpoint *out, const dt_comm *comm,
                                         const char *folder, const dt_task *task, uint64_t N,
                                         dt_network *network, dt_optimizer *optimizer);

/** Removes the checkpoint in a folder, if there is one. Calls: local. Errors: DT_OUTPUT. */
DT_MUST_USE dt_status dt_checkpoint_remove(const char *folder);

/** Frees; a zeroed checkpoint is allowed. Local. */
void dt_checkpoint_clear(dt_checkpoint *checkpoint);

#endif
