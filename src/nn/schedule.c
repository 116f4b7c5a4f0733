#include "dtrain/nn/schedule.h"

const dt_schedule *const dt_schedules[DT_SCHEDULE_COUNT] = {&dt_constant, &dt_cosine};
