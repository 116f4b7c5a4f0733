#ifndef DTRAIN_TRAIN_STEPPER_H
#define DTRAIN_TRAIN_STEPPER_H

#include "dtrain/base/status.h"
#include "dtrain/comm/comm.h"
#include "dtrain/comm/exact_sum.h"
#include "dtrain/data/dataset.h"
#include "dtrain/nn/network.h"
#include "dtrain/nn/optimizer.h"
#include "dtrain/train/gradient_sum.h"
#include "dtrain/train/metrics.h"
#include "dtrain/train/phases.h"
#include "dtrain/train/settings.h"

#include <stdbool.h>
#include <stdint.h>

/**
 * One training step: the own shards' gradients, their sum over all ranks, the same Adam update
 * everywhere. Allocates once, before the step loop.
 */
typedef struct dt_stepper {
    const dt_comm *comm;
    const dt_dataset *set;
    dt_network *network;
    dt_adam *adam;
    dt_sum sum;

    dt_workspace workspace; /* its input: the step's own rows, shard after shard */
    int32_t *y; /* [capacity] */
    float *loss; /* [capacity] */
    int32_t *predicted; /* [capacity] */
    size_t *start; /* [shard_count + 1] */
    int64_t *counts; /* exact: [P + layers + 5] sums, layers out of range, tally, wishes to stop */
    int64_t *block_sums; /* exact: a block that is being added up, for each thread */
    dt_exact_grid grid; /* of the step's exact sum */
    float *gradient; /* fast: [P + 4]; exact: one block on its way to Adam */
    dt_gradient_sum ranks_sum; /* of counts, or of gradient */
    uint64_t steps; /* done */
    uint64_t waits; /* of them, those whose wait was measured */
    double waited_s; /* in those */
    bool wishes_to_stop; /* this rank's, for the caller to set */
    bool stops; /* whether any rank had the wish when the last step began; the same on all */
} dt_stepper;

/**
 * Allocates for steps of up to `batch` rows of all ranks together. `piece`: see dt_gradient_sum_init.
 * The threads of `pool`, which may be NULL, share the work.
 *
 * Calls:   local; the same on all ranks: sum, batch, piece
 * Owns:    the caller clears; comm, set, network, adam and pool are borrowed until then
 * Errors:  DT_MEMORY
 */
DT_MUST_USE dt_status dt_stepper_init(dt_stepper *out, const dt_comm *comm, const dt_dataset *set,
                                      dt_network *network, dt_adam *adam, dt_sum sum,
                                      uint64_t batch, size_t piece, dt_pool *pool);

/**
 * Estimates what this rank waited for the others in all steps, from a few of them; NaN when these are
 * none. In those nothing is sent ahead, so that it is the wait for slower ranks alone: an upper bound
 * where pieces are sent in the other steps. Local.
 */
double dt_stepper_wait_s(const dt_stepper *stepper);

/** Frees; a zeroed stepper is allowed. Local. */
void dt_stepper_clear(dt_stepper *stepper);

/**
 * Trains on the positions first .. first+count-1 of the epoch's order.
 *
 * The tally of the rows, computed before the update, is added to *tally; phases gets the seconds:
 * what is summed while the backward pass goes on counts as backward.
 *
 * Calls:   collective; same on all ranks: first, count
 * Errors:  DT_DIVERGED, on all ranks at the same step: the loss or a gradient is not finite, or a
 *          gradient left the exact range; the line names layer and largest gradient. The weights
 *          have not been updated then
 */
DT_MUST_USE dt_status dt_stepper_run(dt_stepper *stepper, uint64_t first, uint64_t count,
                                     dt_tally *tally, dt_phases *phases);

#endif
