/*
 * A reduction at every step, by `factor` in every `every` epochs: factor^(epochs / every).
 *
 * Source: Keras's ExponentialDecay
 */
#include "dtrain/nn/schedule.h"

#include "dtrain/base/elementary.h"

static double factor(const dt_schedule_point *at)
{
    return dt_elementary_exp(at->epochs / at->every * dt_elementary_log(at->factor));
}

const dt_schedule dt_schedule_exponential = {
    .name = "exponential", .reduces = true, .factor = factor};
