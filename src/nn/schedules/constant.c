/* A constant learning rate. */
#include "dtrain/nn/schedule.h"

static double factor(const dt_schedule_point *at)
{
    (void)at;
    return 1.0;
}

const dt_schedule dt_schedule_constant = {.name = "constant", .factor = factor};
