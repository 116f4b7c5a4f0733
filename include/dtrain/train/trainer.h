#ifndef DTRAIN_TRAIN_TRAINER_H
#define DTRAIN_TRAIN_TRAINER_H

#include "dtrain/base/status.h"
#include "dtrain/comm/comm.h"
#include "dtrain/comm/launch.h"
#include "dtrain/data/dataset.h"
#include "dtrain/nn/network.h"
#include "dtrain/nn/optimizer.h"
#include "dtrain/task/evaluation.h"
#include "dtrain/task/metrics.h"
#include "dtrain/task/threshold.h"
#include "dtrain/train/early_stopping.h"
#include "dtrain/train/gradient_sum.h"
#include "dtrain/train/learning_rate.h"
#include "dtrain/train/phases.h"
#include "dtrain/train/plan.h"
#include "dtrain/train/time_limit.h"

#include <stdbool.h>
#include <stdint.h>

/** The results of one epoch; a row of the log. */
typedef struct dt_epoch {
    int64_t epoch; /* from 1 */
    dt_metrics train; /* over the epoch's batches, each before its update, as in Keras */
    dt_metrics validation; /* after the epoch; NaN without a validation set */
    double learning_rate; /* of the last step */
    double seconds; /* training, then all of the epoch */
    double samples_per_second; /* training rows over training seconds */
    uint32_t weights_crc;
    bool improved; /* by the monitored value */
} dt_epoch;

/**
 * The results of the run; the same on all ranks except the times. dt_trainer_evaluate sets metrics
 * and evaluations; before, the metrics are NaN and the evaluations empty.
 */
typedef struct dt_result {
    int64_t epochs; /* done */
    int64_t best_epoch; /* from 1; the last one without a validation set; 0: none was judged */
    dt_metrics metrics[DT_SET_COUNT]; /* of the final weights, each set in one pass */
    dt_evaluation evaluation[DT_SET_COUNT]; /* likewise; C = 0 for an absent set. The training set
                                               has no curves; other sets have none if there is no
                                               memory for them */
    double threshold; /* with which the sets were evaluated (dt_network.threshold) */
    double samples_per_second;
    uint32_t weights_crc; /* of the final weights, in the order of dt_network.params */
    dt_phases phases; /* this rank's; load is the caller's */
    /* How gradients were added over the ranks: "none" (one rank), "allreduce", "window". */
    const char *reduce;
} dt_result;

/** The progress of an epoch. */
typedef struct dt_step {
    int64_t epoch; /* from 1 */
    uint64_t step, steps; /* done, in the epoch */
    uint64_t rows; /* done, in the epoch */
    dt_metrics train; /* so far, in the epoch */
    double seconds; /* so far, in the epoch */
} dt_step;

/**
 * The state of a training run between two steps. With the weights and the optimizer's state it is
 * sufficient to resume, on any number of ranks. It is the same on all ranks, except the times and
 * early stopping's history (rank 0).
 */
typedef struct dt_training {
    int64_t epoch; /* current epoch, from 1; epochs + 1 after the last */
    uint64_t rows; /* finished rows of the epoch: the position at which the next step starts */
    dt_tally tally; /* of those */
    dt_early_stopping stopping; /* rank 0's */
    dt_plateaus plateaus; /* rank 0's; of the epochs that have ended, by dt_plateaus_judge */
    int64_t best_epoch; /* 0: none has been judged yet */
    double epoch_s; /* of the steps of this epoch */
    double training_s; /* of those of the epochs before */
    const float *best; /* [P]: the best epoch's weights; undefined if there is none */
} dt_training;

/**
 * Callbacks of the trainer, on rank 0 only; context is passed on.
 *
 * epoch_ended:  after each epoch step_ended:   after each step; may be NULL save:         writes a
 * checkpoint; may be NULL: there are none then. What it borrows stays as it is until it returns. A
 * failure is warned of, and tried again limit:        when to stop by itself; zeroed: never
 */
typedef struct dt_observer {
    void (*epoch_ended)(void *context, const dt_epoch *epoch);
    void *context;
    void (*step_ended)(void *context, const dt_step *step);
    dt_status (*save)(void *context, const dt_training *training);
    dt_time_limit limit;
    bool (*is_lost)(void *context); /* results can no longer be saved, so training stops */
} dt_observer;

/**
 * Returns how gradients will be added over the ranks: without a window if columns of weights are
 * limited (max_norm), because a slice does not have whole columns. Local; same on all ranks.
 */
dt_reduction dt_trainer_reduction(const dt_plan *plan, const dt_comm *comm, const dt_launch *launch,
                                  size_t P);

/**
 * Trains the network: epochs of steps, validation, early stopping; then the best weights are
 * restored. They can be saved before they are evaluated, so that a bad row of the test set does not
 * lose a finished training.
 *
 * `optimizer` is at its start, or continues from its state; afterwards it has the state of the last
 * step, even if the weights are those of an earlier epoch, as in Keras. `from`, unless it is NULL,
 * is the state of an interrupted run, on all ranks, with its network and optimizer; then the
 * results have the same bits as without the interruption.
 *
 * `launch` is the placement of the ranks, which --reduce and --overlap depend on.
 *
 * A signal that any rank got (base/signals.h), or the end of the time (train/time_limit.h) that
 * rank 0 sees, stops all ranks after the same step.
 *
 * Calls:   collective
 * Owns:    the caller clears *out with dt_result_clear, also after an error
 * Errors:  DT_DIVERGED with epoch and step; DT_INTERNAL when a rank's weights differ from the
 *          others'; DT_MEMORY; DT_STOPPED, with the cause and where, when it stopped early: then a
 *          checkpoint was saved, else DT_OUTPUT
 */
DT_MUST_USE dt_status dt_trainer_run(dt_result *out, const dt_comm *comm, const dt_launch *launch,
                                     const dt_plan *plan, dt_dataset sets[DT_SET_COUNT],
                                     dt_network *network, dt_optimizer *optimizer,
                                     const dt_training *from, const dt_observer *observer);

/**
 * Evaluates the network on each set that has rows, in order, until one fails: fills in metrics and
 * evaluations of a result of dt_trainer_run. Of the set that failed and of those after it the
 * metrics are NaN and the evaluations empty.
 *
 * A set without memory for its curves is evaluated without them, with a warning. `threads` threads
 * of each rank share the products.
 *
 * Calls:   collective, once a result; the same on all ranks
 * Errors:  DT_DIVERGED when a set's loss is not finite; DT_MEMORY. The text begins with the set
 */
DT_MUST_USE dt_status dt_trainer_evaluate(dt_result *result, const dt_comm *comm,
                                          const dt_dataset sets[DT_SET_COUNT],
                                          const dt_network *network, int threads);

/**
 * Sets the network's threshold: the number of the rule, or the choice of the rule on the validation
 * set, which must have rows. NaN if no threshold fulfils the rule.
 *
 * Calls:   collective
 * Errors:  as dt_threshold_of_set
 */
DT_MUST_USE dt_status dt_trainer_set_threshold(dt_network *network, const dt_comm *comm,
                                               const dt_dataset sets[DT_SET_COUNT],
                                               const dt_threshold_rule *rule, int threads);

/** Frees; a zeroed result is allowed. Local. */
void dt_result_clear(dt_result *result);

/** Returns the CRC-32 of a network's parameters, little-endian float32; of an ensemble, of all its
 * networks'. Local. */
uint32_t dt_trainer_crc(const dt_network *network);

#endif
