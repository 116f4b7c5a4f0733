#ifndef DTRAIN_NN_SCHEDULE_H
#define DTRAIN_NN_SCHEDULE_H

#include <stddef.h>

/** A learning-rate schedule: one file in nn/schedules, which ends in one of these. */
typedef struct dt_schedule {
    const char *name; /* in --schedule */

    /* Returns the factor of the learning rate, a pure function of the share of all steps that are
     * done, 0 <= done < 1. */
    double (*factor)(double done);
} dt_schedule;

/** The schedules, and their names in the same order for the options table. */
#define DT_SCHEDULE_NAMES "constant|cosine"
enum { DT_SCHEDULE_COUNT = 2 };
extern const dt_schedule *const dt_schedules[DT_SCHEDULE_COUNT];
extern const dt_schedule dt_constant, dt_cosine;

#endif
