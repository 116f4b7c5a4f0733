#ifndef DTRAIN_TRAIN_TIME_LIMIT_H
#define DTRAIN_TRAIN_TIME_LIMIT_H

#include <stdbool.h>

/**
 * When a run has to end by itself, to be in time with its checkpoint. All calls are local, and made
 * by rank 0 only: its clock is the one that counts.
 */
typedef struct dt_time_limit {
    bool set;
    double end_s; /* by dt_clock_s */
    const char *what; /* static: "the time limit", "the end of the Slurm job" */
} dt_time_limit;

/**
 * Finds the nearest end: `limit_s` seconds (0: none) after `started_s` by dt_clock_s, or that of
 * the Slurm job, which Slurm tells in SLURM_JOB_END_TIME; one that is long past is of another job.
 */
dt_time_limit dt_time_limit_start(double limit_s, double started_s);

/**
 * Returns whether it is time to save and stop, if one more step may take `step_s` and a checkpoint
 * `save_s`: these are counted twice, and a second is for the end of the job, ten under Slurm, which
 * ends jobs by a clock of its own. What is not known beforehand is not counted: the first
 * validation, and the last evaluation.
 */
bool dt_time_limit_is_near(const dt_time_limit *limit, double step_s, double save_s);

#endif
