#ifndef DTRAIN_NN_SCHEDULE_H
#define DTRAIN_NN_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

/** Where a run is between two steps, since the end of the warmup; and the options of schedules. */
typedef struct dt_schedule_point {
    double done; /* share of all steps that are done, 0 <= done < 1 */
    double epochs; /* that are done, with the share of the one under way */
    int64_t plateaus; /* times that the validation did not improve for `every` epochs */
    double factor; /* --schedule-factor, 0 < factor < 1 */
    double every; /* --schedule-every, epochs */
} dt_schedule_point;

/** A learning-rate schedule: one file in nn/schedules, which ends in one of these. */
typedef struct dt_schedule {
    const char *name; /* in --schedule */
    bool reduces; /* it uses `factor` and `every` */
    bool judges; /* it uses `plateaus` */

    /* Returns the factor of the learning rate, 0 to 1: a pure function of the point. */
    double (*factor)(const dt_schedule_point *at);
} dt_schedule;

/** The schedules, and their names in the same order for the options table. */
#define DT_SCHEDULE_NAMES "constant|cosine|step|exponential|onecycle|plateau"
enum { DT_SCHEDULE_COUNT = 6 };
extern const dt_schedule *const dt_schedules[DT_SCHEDULE_COUNT];
extern const dt_schedule dt_schedule_constant, dt_schedule_cosine, dt_schedule_step,
    dt_schedule_exponential, dt_schedule_onecycle, dt_schedule_plateau;

#endif
