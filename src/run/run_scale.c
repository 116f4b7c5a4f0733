/* --scale, and the warning about inputs without it. */
#include "run_internal.h"

#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"
#include "dtrain/nn/normalization.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

DT_MUST_USE static dt_status check_scale(const dt_run *r)
{
    const char *name = r->settings.input_scale == DT_INPUT_SCALE_MINMAX ? "minmax" : "standard";
    if (r->recipe.D > 0)
        return dt_fail(DT_USAGE,
                       "--scale %s was given, but %s prepares the inputs; remove --scale, or give "
                       "it to dtrain prepare",
                       name, r->source.recipe);
    if (r->settings.init_from[0] != '\0')
        return dt_fail(DT_USAGE,
                       "--scale %s was given, but the inputs are scaled as in %s; remove --scale",
                       name, r->settings.init_from);
    return DT_OK;
}

/* Between 0 and 1, the mean of squares is as large as the mean only if all values are 0 or 1. */
static bool is_indicator(const dt_input_spread *spread)
{
    const double mean = spread->mean, variance = spread->deviation * spread->deviation;
    return spread->minimum >= 0.0 && spread->maximum <= 1.0 &&
           fabs(variance - mean * (1.0 - mean)) < 1e-12;
}

/* Constant inputs and indicators keep their size: nothing is divided by 0, and a rare category does
 * not become a large number. */
DT_MUST_USE static dt_status choose(float *mean, float *variance, const dt_run *r, size_t d,
                                    const dt_input_spread *spread)
{
    char text[DT_TEXT_RANGE_BYTES];
    const bool minmax = r->settings.input_scale == DT_INPUT_SCALE_MINMAX;
    const double range = spread->maximum - spread->minimum;
    const double root = minmax ? range : spread->deviation;
    *mean = is_indicator(spread) ? 0.0f : (float)(minmax ? spread->minimum : spread->mean);
    *variance = is_indicator(spread) || range <= 0.0 ? 1.0f : (float)(root * root);
    if (!(root * root <= (double)FLT_MAX))
        return dt_fail(DT_DATA,
                       "column %zu of the inputs ranges from %s, too wide for --scale; divide it",
                       d, dt_text_range(text, spread->minimum, spread->maximum, 4));
    if (r->root && range > 0.0 && root < DT_NORMALIZATION_SPREAD_MIN)
        dt_log_warn("column %zu of the inputs ranges from %s; --scale divides by no less "
                    "than %g, so it stays near 0",
                    d, dt_text_range(text, spread->minimum, spread->maximum, 9),
                    DT_NORMALIZATION_SPREAD_MIN);
    return DT_OK;
}

DT_MUST_USE static dt_status choose_all(dt_run *r, const dt_input_spread *spreads)
{
    dt_status status = DT_OK;
    const size_t D = r->sets[DT_TRAIN].D;
    DT_TRY(dt_memory_alloc(&r->input_mean, D, sizeof *r->input_mean, "means of inputs"));
    DT_TRY(dt_memory_alloc(&r->input_variance, D, sizeof *r->input_variance, "scales of inputs"));
    for (size_t d = 0; d < D; d++)
        DT_TRY(choose(&r->input_mean[d], &r->input_variance[d], r, d, &spreads[d]));
out:
    return status;
}

/* ---- without --scale ---- */

/* A network learns well from inputs near 0 with a spread near 1. Within these bounds it does. */
static const double far = 10.0, near = 0.1;

static bool is_large(const dt_input_spread *spread)
{
    return spread->deviation > far || fabs(spread->mean) > far;
}

/* An input that is almost always 0, and otherwise of a usual size, does not count. */
static bool is_small(const dt_input_spread *spread)
{
    const double range = spread->maximum - spread->minimum;
    return spread->deviation > 0.0 && spread->deviation < near && range < 5.0 * near;
}

/* A few small inputs among many (pixels, words) do no harm. */
static size_t count_unscaled(bool *unscaled, const dt_input_spread *spreads, size_t D)
{
    size_t large = 0, small = 0;
    for (size_t d = 0; d < D; d++) {
        large += is_large(&spreads[d]);
        small += is_small(&spreads[d]);
    }
    const bool small_count = small >= (D + 9) / 10;
    for (size_t d = 0; d < D; d++)
        unscaled[d] = is_large(&spreads[d]) || (small_count && is_small(&spreads[d]));
    return large + (small_count ? small : 0);
}

/* The warning is printed with the banner, so that a refused run has only the line of its error. */
static void describe(dt_run *r, const dt_input_spread *spreads, const bool *unscaled, size_t count)
{
    enum { SHOWN = 3 };
    char list[256] = "", more[40] = "", text[DT_TEXT_RANGE_BYTES];
    size_t used = 0, shown = 0;
    for (size_t d = 0; d < r->sets[DT_TRAIN].D && shown < SHOWN; d++) {
        if (!unscaled[d])
            continue;
        used += (size_t)snprintf(list + used, sizeof list - used, "%scolumn %zu (%s)",
                                 shown > 0 ? ", " : "", d,
                                 dt_text_range(text, spreads[d].minimum, spreads[d].maximum, 4));
        shown++;
    }
    if (count > shown)
        (void)snprintf(more, sizeof more, " and %zu more", count - shown);
    (void)snprintf(r->unscaled, sizeof r->unscaled,
                   "%s: the inputs are not scaled: %s%s; add --scale standard", r->source.name,
                   list, more);
}

/* A sample is enough for a warning, and costs nothing. */
DT_MUST_USE static dt_status look_at_inputs(dt_run *r, dt_input_spread *spreads)
{
    enum { SAMPLED = 1 << 22 }; /* numbers */
    dt_status status = DT_OK;
    bool *unscaled = NULL;
    const dt_dataset *train = &r->sets[DT_TRAIN];
    const double numbers = (double)train->N * (double)train->D;
    DT_TRY(dt_dataset_spread(spreads, r->comm, train, 1 + (size_t)(numbers / SAMPLED)));
    DT_TRY(
        dt_comm_agree(r->comm, dt_memory_alloc(&unscaled, train->D, sizeof *unscaled, "inputs")));
    const size_t count = count_unscaled(unscaled, spreads, train->D);
    if (count > 0)
        describe(r, spreads, unscaled, count);
out:
    dt_memory_free(unscaled);
    return status;
}

dt_status dt_run_scale_inputs(dt_run *r)
{
    dt_status status = DT_OK;
    dt_input_spread *spreads = NULL;
    const dt_dataset *train = &r->sets[DT_TRAIN];
    const bool scales = r->settings.input_scale != DT_INPUT_SCALE_NONE;
    bool looks = r->recipe.D == 0 && r->settings.init_from[0] == '\0'; /* rank 0 has the recipe */
    if (scales)
        DT_TRY(dt_comm_agree(r->comm, r->root ? check_scale(r) : DT_OK));
    dt_comm_broadcast(r->comm, &looks, sizeof looks);
    if (!looks)
        return DT_OK;
    DT_TRY(dt_comm_agree(r->comm, dt_memory_alloc(&spreads, train->D, sizeof *spreads, "inputs")));
    if (!scales) {
        DT_TRY(look_at_inputs(r, spreads));
        goto out;
    }
    DT_TRY(dt_dataset_spread(spreads, r->comm, train, 1));
    DT_TRY(dt_comm_agree(r->comm, choose_all(r, spreads)));
    const dt_normalization by = {r->input_mean, r->input_variance};
    for (int p = 0; p < DT_SET_COUNT; p++)
        dt_normalization_apply(&by, r->sets[p].x, dt_dataset_own_rows(&r->sets[p]), train->D);
out:
    dt_memory_free(spreads);
    return status;
}
