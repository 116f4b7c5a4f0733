/* Turns the measurements of the fit into the recipe. */
#include "prepare_internal.h"

#include "dtrain/base/memory.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Knots of a quantile scale: scikit-learn's default. */
enum { KNOTS_MAX = 1000 };

/* A deviation below this many DBL_EPSILON of the mean is rounding. */
#define ROUNDING 2.0

/* ---- numeric columns ---- */

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The value below which a share of the sorted sample lies, interpolated as by numpy.percentile. */
static double quantile(const double *sorted, size_t count, double share)
{
    DT_ASSERT(sorted != NULL && count > 0);
    const double at = share * (double)(count - 1);
    const size_t low = (size_t)at;
    const double a = sorted[low];
    const double b = sorted[low + 1 < count ? low + 1 : low];
    const double t = at - (double)low;
    /* from the nearer end, as in NumPy, so that equal neighbours give their value */
    return t < 0.5 ? a + (b - a) * t : b - (b - a) * (1.0 - t);
}

/* The most frequent number, the smallest among equals. */
static double mode_of(const dt_survey *survey)
{
    const dt_dictionary_entry *best = &survey->values.entries[0];
    for (size_t i = 1; i < survey->values.count; i++) {
        const dt_dictionary_entry *entry = &survey->values.entries[i];
        if (entry->count > best->count ||
            (entry->count == best->count && entry->number < best->number))
            best = entry;
    }
    return best->number;
}

/* Sorts the sample with missing cells behind the numbers; returns the number of numbers. */
static size_t sort_sample(dt_survey *survey)
{
    size_t numbers = 0;
    for (size_t i = 0; i < survey->sample_count; i++)
        if (!isnan(survey->sample[i])) {
            const double x = survey->sample[i];
            survey->sample[i] = survey->sample[numbers];
            survey->sample[numbers++] = x;
        }
    qsort(survey->sample, numbers, sizeof(double), compare_doubles);
    return numbers;
}

/* Quartiles and quantiles are those of the filled column, as are mean and deviation. */
static void fill_sample(dt_survey *survey, size_t numbers, double fill)
{
    if (numbers == survey->sample_count)
        return;
    for (size_t i = numbers; i < survey->sample_count; i++)
        survey->sample[i] = fill;
    qsort(survey->sample, survey->sample_count, sizeof(double), compare_doubles);
}

static double mean_of(const dt_prepare_column *from, const dt_survey *survey)
{
    return from->scale == DT_SCALE_LOG ? survey->raw_first + survey->raw_mean
                                       : survey->first + survey->mean;
}

static double fill_number_of(const dt_prepare_column *from, const dt_survey *survey, size_t numbers)
{
    switch (from->fill) {
    case DT_FILL_MEAN:
    case DT_FILL_INDICATOR:
        return mean_of(from, survey);
    case DT_FILL_MEDIAN:
    case DT_FILL_MEDIAN_INDICATOR:
        return numbers > 0 ? quantile(survey->sample, numbers, 0.5) : mean_of(from, survey);
    case DT_FILL_MODE:
        return mode_of(survey);
    case DT_FILL_ERROR:
    case DT_FILL_DROP:
    case DT_FILL_CATEGORY:
        break;
    }
    return 0.0;
}

/*
 * Mean and deviation with the filled cells among the others: the scale follows the filling.
 *
 * The deviation of any number of equal numbers is exactly 0. Other deviations have a relative error
 * of at most sqrt(n) DBL_EPSILON (fit_number), so the bound for "constant" does not grow with n.
 * (That of scikit-learn does: it counts ten million timestamps as all the same.) The numbers
 * themselves are rounded: a deviation below two to four units of the mean's last place shows only
 * how they were computed, and is not scaled to 1.
 */
static void standardise(dt_recipe_column *out, const dt_survey *survey)
{
    const double n = (double)survey->fitted, m = (double)survey->missing;
    const double fill =
        out->scale == DT_SCALE_LOG ? dt_signed_log(out->fill_number) : out->fill_number;
    const double difference = m > 0.0 ? fill - survey->first - survey->mean : 0.0;
    const double all = n + m;
    out->center = survey->first + (survey->mean + difference * m / all);
    const double variance = (survey->squares + difference * difference * n * m / all) / all;
    const double deviation = sqrt(variance);
    const double noise = ROUNDING * DBL_EPSILON * fabs(out->center);
    out->spread = isfinite(deviation) && deviation <= noise ? 1.0 : deviation;
}

static dt_status take_knots(dt_recipe_column *out, const dt_survey *survey)
{
    const size_t count = survey->sample_count < KNOTS_MAX ? survey->sample_count : KNOTS_MAX;
    out->knot_count = count < 2 ? 2 : count;
    dt_status status =
        dt_memory_alloc(&out->knots, out->knot_count, sizeof *out->knots, "quantiles");
    if (status != DT_OK)
        return status;
    for (size_t k = 0; k < out->knot_count; k++) {
        out->knots[k] = quantile(survey->sample, survey->sample_count,
                                 (double)k / (double)(out->knot_count - 1));
        if (k > 0) /* rounding must not break their order */
            out->knots[k] = fmax(out->knots[k], out->knots[k - 1]);
    }
    return DT_OK;
}

/* The scale's center and spread, or knots; *range must be finite, too. */
static dt_status scale_number(dt_recipe_column *out, const dt_survey *survey, double *range)
{
    out->center = 0.0;
    out->spread = 1.0;
    *range = 0.0;
    switch (out->scale) {
    case DT_SCALE_STANDARD:
    case DT_SCALE_LOG:
        standardise(out, survey);
        break;
    case DT_SCALE_MINMAX:
        out->center = survey->minimum;
        out->spread = survey->maximum - survey->minimum;
        break;
    case DT_SCALE_ROBUST:
    case DT_SCALE_CLIPPED:
        out->center = quantile(survey->sample, survey->sample_count, 0.5);
        out->spread = quantile(survey->sample, survey->sample_count, 0.75) -
                      quantile(survey->sample, survey->sample_count, 0.25);
        if (out->scale == DT_SCALE_CLIPPED && !(out->spread > 0.0))
            out->spread = 0.5 * survey->maximum - 0.5 * survey->minimum;
        break;
    case DT_SCALE_QUANTILE:
        *range = survey->maximum - survey->minimum; /* which the knots divide */
        return take_knots(out, survey);
    case DT_SCALE_NONE:
        break;
    }
    return DT_OK;
}

static dt_status finish_number(dt_recipe_column *out, dt_prepare *p, size_t c)
{
    const dt_prepare_column *from = &p->columns[c];
    dt_survey *survey = &p->surveys[c];
    double range = 0.0;
    if (survey->fitted == 0)
        return dt_fail(DT_DATA,
                       "%s: column '%s' has no number in any training row; use --drop '%s'",
                       dt_csv_path(p->csv), p->names[c], p->names[c]);
    /* As scikit-learn: if no training row lacks the value, an indicator is useless. */
    if (dt_recipe_indicates(from->fill) && survey->missing == 0)
        out->fill = from->fill == DT_FILL_INDICATOR ? DT_FILL_MEAN : DT_FILL_MEDIAN;
    const size_t numbers = survey->sample != NULL ? sort_sample(survey) : 0;
    out->scale = from->scale;
    out->fill_number = fill_number_of(from, survey, numbers);
    if (survey->sample != NULL)
        fill_sample(survey, numbers, out->fill_number);
    dt_status status = scale_number(out, survey, &range);
    if (status != DT_OK)
        return status;
    if (!isfinite(out->center) || !isfinite(out->spread) || !isfinite(out->fill_number) ||
        !isfinite(range))
        return dt_fail(DT_DATA, "%s: column '%s' has numbers up to %g, too large to be scaled",
                       dt_csv_path(p->csv), p->names[c],
                       fmax(fabs(survey->minimum), fabs(survey->maximum)));
    if (!(out->spread > 0.0))
        out->spread = 1.0; /* the training rows happen to have one value only */
    if (out->spread < (double)FLT_MIN)
        return dt_fail(
            DT_DATA,
            "%s: column '%s' has numbers that differ by only %.3g; multiply them, or use "
            "--scale '%s=none'",
            dt_csv_path(p->csv), p->names[c], out->spread, p->names[c]);
    return DT_OK;
}

/* Further from the training rows than they are from each other is far, unless another row of the
 * table is as far: then whoever made the table knows. */
static void take_range(dt_recipe_column *out, const dt_prepare_column *all, const dt_survey *survey)
{
    const double width = survey->maximum - survey->minimum;
    const double size = fabs(survey->minimum) > 0.0 ? fabs(survey->minimum) : 1.0;
    double margin = width > 0.0 ? width : size; /* of one number: its own size */
    margin = fmax(margin, survey->minimum - all->minimum);
    margin = fmax(margin, all->maximum - survey->maximum);
    out->has_range = isfinite(margin);
    if (!out->has_range)
        return;
    out->minimum = survey->minimum;
    out->maximum = survey->maximum;
    out->margin = margin;
}

/* How the dates are written; a time has its colons alone. */
static void take_divider(dt_recipe_column *out, const dt_survey *survey)
{
    out->has_divider = out->order != DT_DATE_TIME && !survey->divider_varies;
    out->divider = out->has_divider ? survey->date.divider : '\0';
    out->short_years = survey->has_short_years;
}

/* ---- categorical columns ---- */

/* The most frequent first; among equals the last in order, as in scikit-learn. */
static int compare_counts(const void *a, const void *b)
{
    const dt_dictionary_entry *x = *(const dt_dictionary_entry *const *)a;
    const dt_dictionary_entry *y = *(const dt_dictionary_entry *const *)b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return x->index > y->index ? -1 : x->index < y->index;
}

static int compare_indices(const void *a, const void *b)
{
    const dt_dictionary_entry *x = *(const dt_dictionary_entry *const *)a;
    const dt_dictionary_entry *y = *(const dt_dictionary_entry *const *)b;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* A text with the spelling of a number, as true and 1, makes that spelling ambiguous. */
static bool is_spelling_taken(const dt_dictionary *all, const dt_dictionary_entry *number)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->entries[i].kind != DT_VALUE_NUMBER && all->entries[i].count > 0 &&
            dt_names_are_alike(&all->entries[i], number))
            return true;
    return false;
}

/* The rows of 1.0 count as those of 1, which is what 1.0 is found as when the recipe is applied;
 * 01 may be a code. `values` has room for all. */
static void join_equal(const dt_dictionary_entry **values, dt_dictionary *all)
{
    size_t count = 0, first = 0;
    for (size_t i = 0; i < all->count; i++)
        if (all->entries[i].count > 0 && all->entries[i].kind == DT_VALUE_NUMBER)
            values[count++] = &all->entries[i];
    dt_prepare_sort(values, count);
    for (size_t i = 1; i < count; i++) {
        if (values[first]->number < values[i]->number ||
            !dt_names_are_alike(values[first], values[i]) || is_spelling_taken(all, values[i])) {
            first = i;
            continue;
        }
        dt_dictionary_entry *other = &all->entries[values[i] - all->entries];
        all->entries[values[first] - all->entries].count += other->count;
        other->count = 0;
    }
}

/* Sorts the values that training rows have, and keeps the most frequent ones; the most frequent of
 * all, the first of equals, in *mode. */
static size_t choose_categories(const dt_dictionary_entry **values, const dt_prepare *p, size_t c,
                                const dt_dictionary_entry **mode)
{
    dt_dictionary *all = &p->surveys[c].values;
    size_t count = 0;
    *mode = NULL;
    join_equal(values, all);
    for (size_t i = 0; i < all->count; i++)
        if (all->entries[i].count > 0)
            values[count++] = &all->entries[i];
    dt_prepare_sort(values, count);
    for (size_t i = 0; i < count; i++) {
        all->entries[values[i] - all->entries].index = (int32_t)i;
        if (*mode == NULL || values[i]->count > (*mode)->count)
            *mode = values[i];
    }
    if (count <= p->plan->max_categories)
        return count;
    qsort(values, count, sizeof *values, compare_counts);
    count = p->plan->max_categories - 1;
    qsort(values, count, sizeof *values, compare_indices); /* numbers among texts stay texts */
    return count;
}

static dt_status finish_categories(dt_recipe_column *out, dt_prepare *p, size_t c)
{
    dt_status status = DT_OK;
    const dt_dictionary *all = &p->surveys[c].values;
    const dt_dictionary_entry **values = NULL;
    const dt_dictionary_entry *mode = NULL;
    DT_TRY(dt_memory_alloc(&values, all->count, sizeof *values, "categories"));
    const size_t count = choose_categories(values, p, c, &mode);
    if (count == 0)
        DT_TRY(dt_fail(DT_DATA, "%s: column '%s' has no value in any training row; use --drop '%s'",
                       dt_csv_path(p->csv), p->names[c], p->names[c]));
    size_t present = 0;
    for (size_t i = 0; i < all->count; i++)
        present += all->entries[i].count > 0;
    out->rare = count < present;
    /* An input that no training row sets would keep its initial weights, and affect new rows. */
    if (out->fill == DT_FILL_CATEGORY && p->surveys[c].missing == 0)
        out->fill = DT_FILL_MODE;
    DT_TRY(dt_memory_alloc(&out->categories, count, sizeof *out->categories, "categories"));
    for (size_t i = 0; i < count; i++) {
        DT_TRY(dt_memory_copy_text(&out->categories[i], values[i]->text));
        out->category_count++;
        if (out->fill == DT_FILL_MODE && values[i] == mode)
            DT_TRY(dt_memory_copy_text(&out->fill_text, mode->text));
    }
out:
    dt_memory_free(values);
    return status;
}

/* ---- the recipe ---- */

static dt_status copy_texts(char ***out, size_t *out_count, const char *const *texts, size_t count)
{
    dt_status status = DT_OK;
    DT_TRY(dt_memory_alloc(out, count, sizeof **out, "names"));
    for (size_t i = 0; i < count; i++) {
        DT_TRY(dt_memory_copy_text(&(*out)[i], texts[i]));
        (*out_count)++;
    }
out:
    return status;
}

static dt_status copy_target_names(dt_prepare *p)
{
    dt_status status = DT_OK;
    dt_recipe *recipe = &p->recipe;
    DT_TRY(dt_memory_alloc(&recipe->targets, p->T, sizeof *recipe->targets, "names"));
    for (; recipe->T < p->T; recipe->T++)
        DT_TRY(dt_memory_copy_text(&recipe->targets[recipe->T], p->names[p->targets[recipe->T]]));
out:
    return status;
}

dt_status dt_prepare_make_recipe(dt_prepare *p)
{
    dt_status status = DT_OK;
    dt_recipe *recipe = &p->recipe;
    const dt_csv_format *format = dt_csv_format_of(p->csv);
    recipe->separator = format->separator;
    recipe->decimal = p->decimal;
    recipe->headerless = format->header == DT_CSV_HEADER_NO;
    recipe->unseen = p->plan->unseen;
    DT_TRY(
        copy_texts(&recipe->missing, &recipe->missing_count, p->missing.texts, p->missing.count));
    DT_TRY(copy_target_names(p));
    if (p->class_count > 0)
        DT_TRY(copy_texts(&recipe->classes, &recipe->class_count, p->classes, p->class_count));
    if (p->weights != SIZE_MAX)
        DT_TRY(dt_memory_copy_text(&recipe->weights, p->names[p->weights]));
    if (p->id != SIZE_MAX)
        DT_TRY(dt_memory_copy_text(&recipe->id, p->names[p->id]));
    DT_TRY(dt_memory_alloc(&recipe->columns, p->count, sizeof *recipe->columns, "columns"));
    for (size_t c = 0; c < p->count; c++) {
        dt_recipe_column *column = &recipe->columns[recipe->column_count++];
        column->role = p->columns[c].role;
        column->fill = p->columns[c].fill;
        column->spread = 1.0;
        DT_TRY(dt_memory_copy_text(&column->name, p->names[c]));
        if (p->columns[c].role == DT_ROLE_NUMERIC || p->surveys[c].is_value)
            column->format = p->columns[c].format;
        column->bare = column->format.unit[0] != '\0' && p->surveys[c].bare_cells > 0;
        if (dt_recipe_is_number(column->role) ||
            (column->role == DT_ROLE_TARGET && p->class_count == 0))
            take_range(column, &p->columns[c], &p->surveys[c]);
        column->order = p->columns[c].order;
        memcpy(column->parts, p->columns[c].parts, sizeof column->parts);
        if (column->role == DT_ROLE_DATE)
            take_divider(column, &p->surveys[c]);
        if (dt_recipe_is_number(column->role))
            DT_TRY(finish_number(column, p, c));
        else if (column->role == DT_ROLE_CATEGORICAL)
            DT_TRY(finish_categories(column, p, c));
        recipe->D += dt_recipe_width(column);
    }
out:
    return status;
}

const dt_recipe *dt_prepare_recipe(const dt_prepare *prepare)
{
    return &prepare->recipe;
}
