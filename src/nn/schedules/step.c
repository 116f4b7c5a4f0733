/*
 * A reduction after every `every` epochs: factor^floor(epochs / every).
 *
 * Source: PyTorch's StepLR; Keras's ExponentialDecay with staircase=True
 */
#include "dtrain/nn/schedule.h"

#include "dtrain/base/elementary.h"

static double factor(const dt_schedule_point *at)
{
    return dt_elementary_power(at->factor, (int64_t)(at->epochs / at->every));
}

const dt_schedule dt_schedule_step = {.name = "step", .reduces = true, .factor = factor};
