#include "dtrain/nn/schedule.h"

const dt_schedule *const dt_schedules[DT_SCHEDULE_COUNT] = {
    &dt_schedule_constant,    &dt_schedule_cosine,   &dt_schedule_step,
    &dt_schedule_exponential, &dt_schedule_onecycle, &dt_schedule_plateau};
