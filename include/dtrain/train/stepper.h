#ifndef DTRAIN_TRAIN_STEPPER_H
#define DTRAIN_TRAIN_STEPPER_H

#include "dtrain/base/status.h"
#include "dtrain/comm/comm.h"
#include "dtrain/comm/exact_sum.h"
#include "dtrain/data/dataset.h"
#include "dtrain/nn/members.h"
#include "dtrain/nn/network.h"
#include "dtrain/nn/optimizer.h"
#include "dtrain/task/metrics.h"
#include "dtrain/train/gradient_sum.h"
#include "dtrain/train/phases.h"
#include "dtrain/train/plan.h"

#include <stdbool.h>
#include <stdint.h>

/** Parameters that are added and updated at a time; they fit the first-level cache. */
enum { DT_STEPPER_BLOCK = DT_PANEL * DT_PANEL };

typedef struct dt_gradient_kind dt_gradient_kind;

/**
 * The numbers beside the gradients that a step sums over the ranks. They follow the gradients in
 * the same sum; each slot has an offset.
 */
typedef struct dt_step_slots {
    size_t outside; /* [tensors]: gradients out of range */
    size_t tally; /* [DT_TALLY_WORDS]: of the rows */
    size_t stops; /* [1]: ranks that ask to stop */
    size_t count; /* numbers of all slots */
} dt_step_slots;

/**
 * One training step: the gradients of the own shards, their sum over all ranks, and the same update
 * on every rank. Memory is allocated once, before the step loop.
 */
typedef struct dt_stepper {
    const dt_comm *comm;
    const dt_dataset *set;
    dt_network *network;
    dt_optimizer *optimizer;
    const dt_gradient_kind *kind; /* exact or fast */
    dt_pool *pool; /* NULL: no other threads */

    dt_workspace workspace;
    dt_batch batch; /* the step's own rows, in the workspace's input */
    const dt_task *task; /* of the network's loss */
    dt_loss_rows rows; /* [capacity]: results of the loss for the batch */
    dt_members members; /* of the network */
    int64_t *scratch; /* [threads, DT_STEPPER_BLOCK]: the block that is being added */
    dt_exact_grid grid; /* of the step's exact sum */
    dt_step_slots slots;
    dt_gradient_sum ranks_sum; /* of gradients and slots */
    float *private_states[2 + DT_OPTIMIZER_STATES]; /* with a window: the private memory of
                                                       parameters and optimizer states */
    uint64_t steps; /* done */
    uint64_t waits; /* steps whose wait was measured */
    double waited_s; /* in those */
    uint64_t seed, epoch; /* of random layers; set by the caller, the same on all ranks */
    dt_regularization regularization; /* dt_stepper_regularize */
    double *squares; /* [this rank's slice / 64, rounded up]: sums of squares, to clip the norm */
    bool stop_requested; /* on this rank, set by the caller */
    bool stops; /* whether any rank asked to stop when the last step began; the same on all */
} dt_stepper;

/**
 * Allocates for steps of up to `batch` rows of all ranks together. The threads of `pool`, which may
 * be NULL, share the work.
 *
 * With a window (dt_reduction), parameters and the optimizer's states are in memory that the ranks
 * of a host share, until dt_stepper_take_back. Between two steps all ranks may read them, and none
 * may write.
 *
 * Calls:   collective; the same on all ranks: parameters and optimizer, sum, batch, how
 * Owns:    the caller clears; the other arguments are borrowed until then
 * Errors:  DT_MEMORY, on all ranks
 */
DT_MUST_USE dt_status dt_stepper_init(dt_stepper *out, const dt_comm *comm, const dt_launch *launch,
                                      const dt_dataset *set, dt_network *network,
                                      dt_optimizer *optimizer, dt_sum sum, uint64_t batch,
                                      dt_reduction how, dt_pool *pool);

/**
 * Turns on regularization for the following steps. max_norm requires that there is no window, so
 * that each rank updates whole columns.
 *
 * Calls:   collective, once; same on all ranks: rules
 * Errors:  DT_MEMORY, on all ranks
 */
DT_MUST_USE dt_status dt_stepper_regularize(dt_stepper *stepper, const dt_regularization *rules);

/** Copies parameters and states back into this rank's private memory. Local. */
void dt_stepper_take_back(dt_stepper *stepper);

/**
 * Estimates the time that this rank waited for the others in all steps from a few measured steps;
 * NaN if there are none. No pieces are sent in the measured steps, so the estimate is only the wait
 * for slower ranks, and an upper bound if pieces are sent in the other steps. With a window, it
 * does not include the wait for a slower update. Local.
 */
double dt_stepper_wait_s(const dt_stepper *stepper);

/** Frees; a zeroed stepper is allowed. Collective. */
void dt_stepper_clear(dt_stepper *stepper);

/**
 * Trains on the positions first .. first+count-1 of the epoch's order.
 *
 * The tally of the rows, computed before the update, is added to *tally; phases gets the seconds:
 * sums during the backward pass count as backward. With a window on one host, the additions count
 * as update; on several hosts they count as all-reduce.
 *
 * Calls:   collective; same on all ranks: first, count
 * Errors:  DT_DIVERGED, on all ranks at the same step: the loss or a gradient is not finite, or a
 *          gradient left the exact range; the line names layer and largest gradient. The weights
 *          have not been updated then
 */
DT_MUST_USE dt_status dt_stepper_run(dt_stepper *stepper, uint64_t first, uint64_t count,
                                     dt_tally *tally, dt_phases *phases);

#endif
