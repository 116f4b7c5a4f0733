/*
 * A reduction when the validation has not improved for `every` epochs: factor^plateaus.
 *
 * Source: Keras's ReduceLROnPlateau
 */
#include "dtrain/nn/schedule.h"

#include "dtrain/base/elementary.h"

static double factor(const dt_schedule_point *at)
{
    return dt_elementary_power(at->factor, at->plateaus);
}

const dt_schedule dt_schedule_plateau = {
    .name = "plateau", .reduces = true, .judges = true, .factor = factor};
