#ifndef DTRAIN_TRAIN_LEARNING_RATE_H
#define DTRAIN_TRAIN_LEARNING_RATE_H

#include "dtrain/task/metrics.h"
#include "dtrain/train/early_stopping.h"
#include "dtrain/train/plan.h"

#include <stdint.h>

/**
 * What the validation of the epochs so far means for the learning rate, as Keras's
 * ReduceLROnPlateau sees it: a function of their metrics alone.
 */
typedef struct dt_plateaus {
    dt_early_stopping judge; /* whose verdict to stop is one to reduce */
    int64_t count;
} dt_plateaus;

/** Starts before the first epoch. Local. */
dt_plateaus dt_plateaus_start(const dt_plan *plan);

/**
 * Judges the validation of an epoch, counted from 0. Local.
 *
 * Math:    an epoch improves if it beats the best one by more than 1e-4; after plan->schedule_every
 *          epochs in a row that do not, `count` rises, and the next row of epochs begins
 * Source:  keras/src/callbacks/reduce_lr_on_plateau.py, with cooldown 0 and min_lr 0
 */
void dt_plateaus_judge(dt_plateaus *plateaus, const dt_plan *plan, int64_t epoch,
                       const dt_metrics *validation);

/**
 * Returns the learning rate of the step after `done` steps of the run; an epoch has `steps`. Local,
 * and the same on all ranks.
 *
 * Math:    W = plan->warmup steps, T = plan->epochs steps; f is the schedule's factor.
 *          done < W:  lr f(0) done / W;  then lr f((done - W) / (T - W))
 * Source:  Keras's CosineDecay with warmup_steps = W and decay_steps = T - W
 */
double dt_learning_rate(const dt_plan *plan, uint64_t steps, uint64_t done, int64_t plateaus);

#endif
