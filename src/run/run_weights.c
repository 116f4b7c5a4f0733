/* The weights of rows: --weights and --class-weight. */
#include "run_internal.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As scikit-learn's: rows / (classes * rows of the class), over the classes that have rows. */
static void balance(float *out, const dt_dataset *set)
{
    size_t present = 0;
    for (size_t c = 0; c < set->C; c++)
        present += set->class_rows[c] > 0;
    for (size_t c = 0; c < set->C; c++)
        if (set->class_rows[c] > 0)
            out[c] = (float)((double)set->N / ((double)present * (double)set->class_rows[c]));
}

/* The class of that name, or class id; C and a failure that suggests the nearest name. */
DT_MUST_USE static dt_status find_class(size_t *out, const dt_run *r, const char *name)
{
    const size_t C = r->sets[DT_TRAIN].C;
    char id[32];
    char *const *names = dt_run_class_names(r);
    const bool named = names != NULL && (r->recipe.D == 0 || r->recipe.class_count == C);
    for (*out = 0; *out < C; ++*out) {
        (void)snprintf(id, sizeof id, "%zu", *out);
        if (strcmp(name, named ? names[*out] : id) == 0)
            return DT_OK;
    }
    const size_t nearest = named ? dt_text_nearest(name, (const char *const *)names, C) : SIZE_MAX;
    if (nearest != SIZE_MAX)
        return dt_fail(DT_USAGE, "--class-weight: no class '%.80s'; did you mean '%.80s'?", name,
                       names[nearest]);
    if (named)
        return dt_fail(DT_USAGE, "--class-weight: no class '%.80s'; the first is '%.80s'", name,
                       names[0]);
    return dt_fail(DT_USAGE, "--class-weight: no class '%.80s'; the classes are 0 to %zu", name,
                   C - 1);
}

/* "no=1,yes=5": the weight is behind the last = of a part, so a name may have one. */
DT_MUST_USE static dt_status parse_class_weights(float *out, const dt_run *r)
{
    dt_status status = DT_OK;
    char text[DT_OPTION_TEXT_BYTES];
    char *rest = text;
    (void)snprintf(text, sizeof text, "%s", r->settings.class_weight);
    for (char *part; (part = strsep(&rest, ",")) != NULL;) {
        char *equals = strrchr(part, '='), *end = NULL;
        const double weight = equals != NULL ? strtod(equals + 1, &end) : 0.0;
        size_t c = 0;
        if (equals == NULL || end == equals + 1 || *end != '\0' ||
            !(weight >= 0.0 && weight <= 1e6))
            return dt_fail(DT_USAGE,
                           "--class-weight: '%.80s' is not CLASS=WEIGHT with a weight from 0 to "
                           "1e6; expected balanced, or weights as no=1,yes=5",
                           part);
        *equals = '\0';
        DT_TRY(find_class(&c, r, part));
        out[c] = (float)weight;
    }
out:
    return status;
}

/* Rank 0 has the classes' names. */
DT_MUST_USE static dt_status find_class_weights(float *out, const dt_run *r)
{
    const dt_dataset *set = &r->sets[DT_TRAIN];
    for (size_t c = 0; c < set->C; c++)
        out[c] = 1.0f;
    if (strcmp(r->settings.class_weight, "balanced") == 0) {
        balance(out, set);
        return DT_OK;
    }
    return parse_class_weights(out, r);
}

/* A power of two that brings the largest weight into [1, 2). Exact sums have steps of a fixed size,
 * so neither small nor large weights lose digits in them; and it cancels from every mean. */
static double factor_for(double largest)
{
    return ldexp(1.0, -ilogb(largest));
}

static double largest_weight(const dt_dataset *set)
{
    double largest = 0.0;
    for (size_t i = 0; set->w != NULL && i < dt_dataset_own_rows(set); i++)
        largest = fmax(largest, (double)set->w[i]);
    return largest;
}

/* Rows that folds are made of keep their ratios; a fold's own sets are scaled once more. */
static bool mixes(const dt_run *r)
{
    return r->settings.folds > 0 && r->measured == NULL;
}

/* A set in which all weights are 0 has no metrics. */
DT_MUST_USE static dt_status scale_weights(const dt_run *r, dt_set which)
{
    const dt_dataset *set = &r->sets[which];
    const size_t own = dt_dataset_own_rows(set);
    double largest = 0.0;
    if (set->w == NULL || set->N == 0)
        return DT_OK;
    for (int p = 0; p < DT_SET_COUNT; p++)
        if (p == (int)which || (mixes(r) && p != DT_TEST && which != DT_TEST))
            largest = fmax(largest, largest_weight(&r->sets[p]));
    dt_comm_max_f64(r->comm, &largest, 1);
    if (largest <= 0.0)
        return dt_fail(DT_DATA, "--weights %s: all %s rows weigh 0", r->settings.weights,
                       which == DT_TRAIN ? "training" : dt_set_name(which));
    const double factor = factor_for(largest);
    for (size_t i = 0; i < own; i++)
        set->w[i] = (float)((double)set->w[i] * factor);
    return DT_OK;
}

/* Likewise, of the training rows' weights times their classes'. */
DT_MUST_USE static dt_status scale_class_weights(const dt_run *r)
{
    const dt_dataset *set = &r->sets[DT_TRAIN];
    double largest = 0.0;
    for (size_t i = 0; i < dt_dataset_own_rows(set); i++) {
        const double weight = set->w != NULL ? (double)set->w[i] : 1.0;
        largest = fmax(largest, weight * (double)set->class_weights[set->y[i].label]);
    }
    dt_comm_max_f64(r->comm, &largest, 1);
    if (largest <= 0.0)
        return dt_fail(DT_USAGE, "--class-weight %s: all training rows weigh 0",
                       r->settings.class_weight);
    const double factor = factor_for(largest);
    for (size_t c = 0; c < set->C; c++)
        set->class_weights[c] = (float)((double)set->class_weights[c] * factor);
    return DT_OK;
}

dt_status dt_run_take_weights(dt_run *r)
{
    dt_status status = DT_OK;
    dt_dataset *set = &r->sets[DT_TRAIN];
    for (int p = 0; p < DT_SET_COUNT; p++)
        DT_TRY(scale_weights(r, (dt_set)p));
    if (r->settings.class_weight[0] == '\0')
        return DT_OK;
    if (set->C == 0)
        return dt_fail(DT_USAGE, "--class-weight was given, but the targets are values; use "
                                 "--weights");
    DT_TRY(dt_comm_agree(r->comm, dt_memory_alloc(&set->class_weights, set->C,
                                                  sizeof *set->class_weights, "class weights")));
    DT_TRY(dt_comm_agree(r->comm, r->root ? find_class_weights(set->class_weights, r) : DT_OK));
    dt_comm_broadcast(r->comm, set->class_weights, set->C * sizeof *set->class_weights);
    DT_TRY(scale_class_weights(r));
out:
    return status;
}
