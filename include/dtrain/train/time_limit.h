#ifndef DTRAIN_TRAIN_TIME_LIMIT_H
#define DTRAIN_TRAIN_TIME_LIMIT_H

#include <stdbool.h>

/**
 * The time limit of a run, which leaves time for a checkpoint. All calls are local, and made by
 * rank 0 only, whose clock decides.
 */
typedef struct dt_time_limit {
    bool set;
    double end_s; /* by dt_clock_s */
    const char *what; /* static: "the time limit", "the end of the Slurm job" */
} dt_time_limit;

/**
 * Finds the earlier end: `limit_s` seconds (0: none) after `started_s` by dt_clock_s, or the end of
 * the Slurm job in SLURM_JOB_END_TIME. A time long past belongs to another job and is ignored.
 */
dt_time_limit dt_time_limit_start(double limit_s, double started_s);

/**
 * Returns whether it is time to save and stop, if one more step takes `step_s` and a checkpoint
 * `save_s`. Both are counted twice; one second is added for the end of the job, or ten under Slurm,
 * which ends jobs by its own clock. Times that are not known in advance are not counted: the first
 * validation, and the last evaluation.
 */
bool dt_time_limit_is_near(const dt_time_limit *limit, double step_s, double save_s);

#endif
