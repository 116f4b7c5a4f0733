#ifndef DTRAIN_TRAIN_LEARNING_RATE_H
#define DTRAIN_TRAIN_LEARNING_RATE_H

#include "dtrain/task/metrics.h"
#include "dtrain/train/early_stopping.h"
#include "dtrain/train/plan.h"

#include <stdint.h>

/**
 * The plateaus of the validation, as in Keras's ReduceLROnPlateau: a function of the metrics of the
 * epochs so far.
 */
typedef struct dt_plateaus {
    dt_early_stopping judge; /* its verdict to stop means a reduction */
    int64_t count;
} dt_plateaus;

/** Starts before the first epoch. Local. */
dt_plateaus dt_plateaus_start(const dt_plan *plan);

/**
 * Judges the validation of an epoch, counted from 0. Local.
 *
 * Math:    an epoch improves if it beats the best one by more than 1e-4; after plan->schedule_every
 *          consecutive epochs without improvement, `count` rises, and counting starts again
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
