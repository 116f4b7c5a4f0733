#ifndef DTRAIN_TASK_METRICS_H
#define DTRAIN_TASK_METRICS_H

#include "dtrain/base/status.h"
#include "dtrain/comm/comm.h"
#include "dtrain/data/dataset.h"
#include "dtrain/nn/predictor.h"
#include "dtrain/task/scores.h"
#include "dtrain/task/task.h"

#include <stddef.h>
#include <stdint.h>

/**
 * Losses and hits added up exactly, so that they come out the same on any number of ranks. A term
 * is the loss of some rows of one shard, rounded once to a count of 2^-24 nats. The count's lower
 * 32 bits and the rest are added up apart: room for 2^31 terms of any size.
 *
 * Four integers, to be summed over the ranks as they are.
 */
typedef struct dt_tally {
    int64_t loss_high; /* in 2^8 nats */
    int64_t loss_low; /* in 2^-24 nats */
    int64_t hits; /* rows whose prediction is right */
    int64_t outside; /* terms that are NaN, infinite, or not below 2^38 nats */
} dt_tally;

/** Adds one term. Local. */
void dt_tally_add_loss(dt_tally *tally, double loss);

/** Adds rows of one shard as one term: `loss` [rows] is added up in row order. Local. */
void dt_tally_add_rows(dt_tally *tally, const float *loss, const int32_t *predicted,
                       const int32_t *y, size_t rows);

/** Adds another tally to this one. Local. */
void dt_tally_add(dt_tally *tally, const dt_tally *other);

/** Fails with DT_DIVERGED when a term was outside. Local; same on all ranks: the reduced tally. */
DT_MUST_USE dt_status dt_tally_check(const dt_tally *tally);

/** Returns the means over `rows` rows. Local. */
dt_metrics dt_tally_mean(const dt_tally *tally, uint64_t rows);

/**
 * Computes the metrics of all rows of a set, each exactly once.
 *
 * `scores`, unless it is NULL, gets this rank's rows: their softmax and predictions. A set's labels
 * are below the network's C, and its rows are prepared.
 *
 * Calls:   collective; the result is the same on all ranks, and for any number of them
 * Errors:  DT_DIVERGED when the loss is not finite (dt_tally_check)
 */
DT_MUST_USE dt_status dt_evaluate(dt_metrics *out, const dt_comm *comm, dt_predictor *predictor,
                                  const dt_dataset *set, dt_scores *scores);

/** Returns the accuracy of always predicting class `label`; NaN when there are no rows. Local. */
double dt_metrics_baseline(const dt_dataset *set, size_t label);

#endif
