/*
 * Half a wave of the cosine, from 1 to 0: (1 + cos(pi done)) / 2.
 *
 * Source: Loshchilov and Hutter 2017; Keras's CosineDecay
 */
#include "dtrain/nn/schedule.h"

#include "dtrain/base/elementary.h"

static double factor(const dt_schedule_point *at)
{
    const double pi = 3.14159265358979323846;
    return 0.5 * (1.0 + dt_elementary_cos(pi * at->done));
}

const dt_schedule dt_schedule_cosine = {.name = "cosine", .factor = factor};
