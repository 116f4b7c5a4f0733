#ifndef DTRAIN_TRAIN_TRAINER_H
#define DTRAIN_TRAIN_TRAINER_H

#include "dtrain/base/status.h"
#include "dtrain/comm/comm.h"
#include "dtrain/data/dataset.h"
#include "dtrain/nn/network.h"
#include "dtrain/nn/optimizer.h"
#include "dtrain/train/evaluation.h"
#include "dtrain/train/metrics.h"
#include "dtrain/train/phases.h"
#include "dtrain/train/settings.h"

#include <stdbool.h>
#include <stdint.h>

/** What one epoch came to; a row of the log. */
typedef struct dt_epoch {
    int64_t epoch; /* from 1 */
    dt_metrics train; /* over the epoch's batches, each before its update, as Keras has it */
    dt_metrics validation; /* after the epoch; NaN without a validation set */
    double learning_rate;
    double seconds; /* training, then all of the epoch */
    double samples_per_second; /* training rows over training seconds */
    uint32_t weights_crc;
    bool improved; /* by the monitored value */
} dt_epoch;

/**
 * What the run came to; the same on all ranks but for the times. Metrics and evaluations are
 * dt_trainer_evaluate's: without it the metrics are NaN, and the evaluations empty.
 */
typedef struct dt_result {
    int64_t epochs; /* done */
    int64_t best_epoch; /* from 1; the last one without a validation set */
    dt_metrics metrics[DT_PART_COUNT]; /* of the final weights, each set in one pass */
    dt_evaluation
        evaluation[DT_PART_COUNT]; /* likewise; C = 0 for an absent set. The training set's
                                                has no curves, and none has where their memory
                                                cannot be had */
    double samples_per_second;
    uint32_t weights_crc; /* of the final weights, in the order of dt_network.params */
    dt_phases phases; /* this rank's; load is the caller's */
} dt_result;

/** Where an epoch is. */
typedef struct dt_step {
    int64_t epoch; /* from 1 */
    uint64_t step, steps; /* done, in the epoch */
    uint64_t rows; /* done, in the epoch */
    dt_metrics train; /* so far, in the epoch */
    double seconds; /* so far, in the epoch */
} dt_step;

/** Told of each epoch, and unless it is NULL of each step, on rank 0 only. */
typedef struct dt_observer {
    void (*epoch_ended)(void *context, const dt_epoch *epoch);
    void *context;
    void (*step_ended)(void *context, const dt_step *step);
} dt_observer;

/**
 * Trains the network: epochs of steps, validation, early stopping; then the best weights come back.
 * They can be saved before they are evaluated: a training that is done is not lost to a row of the
 * test set.
 *
 * `adam` is at its start, or goes on from where it is; afterwards it is as the last step left it,
 * also when the weights are those of an earlier epoch, as in Keras.
 *
 * Calls:   collective
 * Owns:    the caller clears *out with dt_result_clear, also after an error
 * Errors:  DT_DIVERGED with epoch and step; DT_INTERNAL when a rank's weights differ from the
 *          others'; DT_MEMORY
 */
DT_MUST_USE dt_status dt_trainer_run(dt_result *out, const dt_comm *comm,
                                     const dt_settings *settings, dt_dataset sets[DT_PART_COUNT],
                                     dt_network *network, dt_adam *adam,
                                     const dt_observer *observer);

/**
 * Evaluates the network on each set that has rows, in order, until one fails: fills in metrics and
 * evaluations of a result of dt_trainer_run. Of the set that failed and of those after it the
 * metrics are NaN and the evaluations empty.
 *
 * A set whose curves do not find memory is evaluated without them, with a warning.
 *
 * Calls:   collective, once a result; the same on all ranks
 * Errors:  DT_DIVERGED when a set's loss is not finite; DT_MEMORY. The text begins with the set
 */
DT_MUST_USE dt_status dt_trainer_evaluate(dt_result *result, const dt_comm *comm,
                                          const dt_dataset sets[DT_PART_COUNT],
                                          const dt_network *network);

/** Frees; a zeroed result is allowed. Local. */
void dt_result_clear(dt_result *result);

/** Returns the CRC-32 of a network's parameters, little-endian float32. Local. */
uint32_t dt_trainer_crc(const dt_network *network);

#endif
