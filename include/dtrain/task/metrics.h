#ifndef DTRAIN_TASK_METRICS_H
#define DTRAIN_TASK_METRICS_H

#include "dtrain/base/status.h"
#include "dtrain/comm/comm.h"
#include "dtrain/data/dataset.h"
#include "dtrain/nn/predictor.h"
#include "dtrain/task/scores.h"
#include "dtrain/task/task.h"

#include <stddef.h>

/** Returns the means of the rows of the tally, for the task of the network's loss. Local. */
dt_metrics dt_metrics_mean(const dt_tally *tally, const dt_network *network);

/**
 * Computes the metrics of all rows of a set, each exactly once.
 *
 * `scores`, unless it is NULL, gets this rank's rows: their targets and predictions. A set's labels
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
