#ifndef DTRAIN_TRAIN_PLAN_H
#define DTRAIN_TRAIN_PLAN_H

#include "dtrain/base/options.h"
#include "dtrain/nn/regularization.h"
#include "dtrain/nn/schedule.h"
#include "dtrain/task/task.h"

#include <stdbool.h>
#include <stdint.h>

/** How gradients are added. */
typedef enum dt_sum { DT_SUM_EXACT, DT_SUM_FAST } dt_sum;

/** How gradients are added over the ranks. */
typedef enum dt_reduce { DT_REDUCE_AUTO, DT_REDUCE_ALLREDUCE, DT_REDUCE_WINDOW } dt_reduce;

/** Whether gradients are added over the ranks while others are still computed. */
typedef enum dt_overlap { DT_OVERLAP_AUTO, DT_OVERLAP_ON, DT_OVERLAP_OFF } dt_overlap;

/** The settings of a run that the trainer uses; the same on all ranks. */
typedef struct dt_plan {
    uint64_t batch; /* rows of a step, of all ranks together */
    int64_t epochs; /* maximum number */
    double learning_rate;
    const dt_schedule *schedule; /* of the learning rate */
    double schedule_factor, schedule_every; /* of schedules that reduce */
    double warmup; /* epochs, less than all */
    uint64_t seed; /* of the shuffles and of random layers */
    dt_regularization regularization; /* of each step */
    dt_sum sum;
    dt_reduce reduce;
    dt_overlap overlap;
    int threads; /* of each rank */
    const dt_task *task;
    const dt_metric *monitor; /* metric or quality of the task that early stopping uses */
    int64_t patience; /* epochs */
    double min_delta;
    int64_t min_epochs; /* that are not judged */
    bool has_baseline;
    double baseline; /* as dt_early_stopping */
    bool keeps_last; /* the last epoch's weights stay, not the best epoch's */
    dt_option_interval checkpoint_every;
    int64_t pause_after; /* number of epochs after which training stops with a checkpoint; 0:
                          * never */
} dt_plan;

#endif
