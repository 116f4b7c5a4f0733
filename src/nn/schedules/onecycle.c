/*
 * Half a wave of the cosine from 1/25 up to 1 in the first 0.3 of all steps, then one down to
 * 1/250000. The momentum stays as it is.
 *
 * Source: Smith and Topin 2018; PyTorch's OneCycleLR with its defaults, except that there the last
 *         step is the end of the wave, and here the end of that step is
 */
#include "dtrain/nn/schedule.h"

#include "dtrain/base/elementary.h"

static const double first = 1.0 / 25.0, last = 1.0 / 25.0 / 1e4, up = 0.3;

static double between(double from, double to, double share)
{
    const double pi = 3.14159265358979323846;
    return to + (from - to) * 0.5 * (1.0 + dt_elementary_cos(pi * share));
}

static double factor(const dt_schedule_point *at)
{
    return at->done < up ? between(first, 1.0, at->done / up)
                         : between(1.0, last, (at->done - up) / (1.0 - up));
}

const dt_schedule dt_schedule_onecycle = {.name = "onecycle", .factor = factor};
