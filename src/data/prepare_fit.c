#include "prepare_parts.h"

#include "dtrain/base/memory.h"
#include "dtrain/data/preprocess.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Samples for quantiles: of all columns together, and of one. */
enum { SAMPLES_MAX_BYTES = 32 << 20, SAMPLE_MAX = 100000, SAMPLE_MIN = 1000 };

/* Knots of a quantile scale: scikit-learn's default. */
enum { KNOTS_MAX = 1000 };

/* ---- the pass ---- */

static double signed_log(double x)
{
    return copysign(log1p(fabs(x)), x);
}

static bool needs_sample(const dt_prepare_column *column)
{
    return column->role == DT_ROLE_NUMERIC &&
           (column->scale == DT_SCALE_ROBUST || column->scale == DT_SCALE_QUANTILE ||
            column->fill == DT_FILL_MEDIAN);
}

static bool counts_numbers(const dt_prepare_column *column)
{
    return column->role == DT_ROLE_NUMERIC && column->fill == DT_FILL_MODE;
}

/* Keeps each of the cells so far with the same chance (Vitter's algorithm R); NaN holds the place of
 * a missing one until its filling is known. */
static void sample_number(dt_survey *survey, size_t capacity, double x)
{
    if (survey->sample_count < capacity) {
        survey->sample[survey->sample_count++] = x;
        return;
    }
    const uint64_t at = dt_random_below(&survey->random, survey->fitted + survey->missing);
    if (at < capacity)
        survey->sample[at] = x;
}

static dt_status fit_number(dt_prepare *p, size_t c, double x)
{
    const dt_prepare_column *column = &p->columns[c];
    dt_survey *survey = &p->surveys[c];
    survey->fitted++;
    /* Welford: no difference of large sums */
    const double f = column->scale == DT_SCALE_LOG ? signed_log(x) : x;
    const double difference = f - survey->mean;
    survey->mean += difference / (double)survey->fitted;
    survey->squares += difference * (f - survey->mean);
    if (column->scale == DT_SCALE_LOG)
        survey->raw_mean += (x - survey->raw_mean) / (double)survey->fitted;
    survey->minimum = fmin(survey->minimum, x);
    survey->maximum = fmax(survey->maximum, x);
    if (counts_numbers(column)) {
        dt_dictionary_entry *entry = NULL;
        x += 0.0; /* -0 and 0 are one number */
        dt_status status = dt_dictionary_add(&entry, &survey->values, (const char *)&x, sizeof x);
        if (status != DT_OK)
            return status;
        entry->number = x;
        entry->count++;
        if (survey->values.count > DT_PREPARE_DISTINCT_MAX)
            return dt_prepare_fail_distinct(p, p->names[c]);
    }
    return DT_OK;
}

static dt_status fit_cell(dt_prepare *p, size_t c, const dt_csv_row *row)
{
    const dt_prepare_column *column = &p->columns[c];
    dt_survey *survey = &p->surveys[c];
    const dt_csv_field *cell = &row->fields[c];
    double x = 0.0;
    if (dt_missing_is(&p->missing, cell)) {
        survey->missing++;
        if (survey->sample != NULL)
            sample_number(survey, p->sample_capacity, NAN);
        return DT_OK;
    }
    if (column->role == DT_ROLE_NUMERIC) {
        if (!dt_csv_number(&x, cell->text, cell->bytes, dt_csv_format_of(p->csv)->decimal))
            return dt_prepare_fail_changed(p);
        dt_status status = fit_number(p, c, x);
        if (status == DT_OK && survey->sample != NULL)
            sample_number(survey, p->sample_capacity, x);
        return status;
    }
    dt_dictionary_entry *entry = dt_dictionary_find(&survey->values, cell->text, cell->bytes);
    if (entry == NULL)
        return dt_prepare_fail_changed(p);
    entry->count++;
    return DT_OK;
}

static bool is_input(const dt_prepare_column *column)
{
    return column->role == DT_ROLE_NUMERIC || column->role == DT_ROLE_CATEGORICAL;
}

static dt_status fit_row(void *context, const dt_csv_row *row)
{
    dt_prepare *p = context;
    dt_status status = DT_OK;
    size_t label = 0;
    dt_part part = DT_TRAIN;
    dt_prepare_tell(p, row);
    if (dt_prepare_drops(p, row))
        goto out;
    DT_TRY(dt_prepare_label(&label, p, row));
    DT_TRY(dt_prepare_next_part(&part, p, row, label, true));
    p->class_rows[part][label]++;
    for (size_t c = 0; part == DT_TRAIN && c < p->count; c++)
        if (is_input(&p->columns[c]))
            DT_TRY(fit_cell(p, c, row));
    DT_TRY(p->take(p->take_context, part, (int32_t)label, NULL));
out:
    return status;
}

static dt_status start_fit(dt_prepare *p)
{
    dt_status status = DT_OK;
    size_t samples = 0;
    for (size_t c = 0; c < p->count; c++)
        samples += needs_sample(&p->columns[c]);
    p->sample_capacity = samples == 0 ? 0 : SAMPLES_MAX_BYTES / sizeof(double) / samples;
    if (p->sample_capacity < SAMPLE_MIN)
        p->sample_capacity = SAMPLE_MIN;
    if (p->sample_capacity > SAMPLE_MAX)
        p->sample_capacity = SAMPLE_MAX;
    if (p->part_rows[DT_TRAIN] < p->sample_capacity)
        p->sample_capacity = (size_t)p->part_rows[DT_TRAIN];
    for (size_t c = 0; c < p->count; c++) {
        dt_survey *survey = &p->surveys[c];
        survey->minimum = INFINITY;
        survey->maximum = -INFINITY;
        survey->random = dt_random_start(p->plan->seed, DT_RANDOM_SAMPLE, c);
        if (p->columns[c].role == DT_ROLE_NUMERIC)
            dt_dictionary_clear(&survey->values);
        for (size_t i = 0; i < survey->values.count; i++)
            survey->values.entries[i].count = 0;
        if (needs_sample(&p->columns[c]))
            DT_TRY(dt_memory_alloc(&survey->sample, p->sample_capacity, sizeof(double), "sample"));
    }
out:
    return status;
}

/* ---- numeric columns ---- */

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The value below which a share of the sorted sample lies, interpolated as numpy.percentile does. */
static double quantile(const double *sorted, size_t count, double share)
{
    const double at = share * (double)(count - 1);
    const size_t low = (size_t)at;
    const double a = sorted[low];
    const double b = sorted[low + 1 < count ? low + 1 : low];
    const double t = at - (double)low;
    /* from the nearer end, as NumPy, so that equal neighbours give their value */
    return t < 0.5 ? a + (b - a) * t : b - (b - a) * (1.0 - t);
}

/* The most frequent number, the smallest of equals. */
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

/* Sorts the sample, missing cells behind the numbers; returns how many numbers there are. */
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
    return from->scale == DT_SCALE_LOG ? survey->raw_mean : survey->mean;
}

static double fill_number_of(const dt_prepare_column *from, const dt_survey *survey, size_t numbers)
{
    switch (from->fill) {
    case DT_FILL_MEAN:
    case DT_FILL_INDICATOR:
        return mean_of(from, survey);
    case DT_FILL_MEDIAN:
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

/* Mean and deviation with the filled cells among the others: the scale follows the filling. */
static void standardise(dt_recipe_column *out, const dt_survey *survey)
{
    const double n = (double)survey->fitted, m = (double)survey->missing;
    const double fill =
        out->scale == DT_SCALE_LOG ? signed_log(out->fill_number) : out->fill_number;
    const double difference = m > 0.0 ? fill - survey->mean : 0.0;
    const double all = n + m;
    out->center = survey->mean + difference * m / all;
    const double variance = (survey->squares + difference * difference * n * m / all) / all;
    /* What rounding alone can make of equal numbers is no variance (scikit-learn's bound). */
    const double noise = all * DBL_EPSILON * variance +
                         all * out->center * DBL_EPSILON * (all * out->center * DBL_EPSILON);
    out->spread = isfinite(variance) && variance <= noise ? 1.0 : sqrt(variance);
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
        if (k > 0) /* rounding must not put them out of order */
            out->knots[k] = fmax(out->knots[k], out->knots[k - 1]);
    }
    return DT_OK;
}

static dt_status finish_number(dt_recipe_column *out, dt_prepare *p, size_t c)
{
    const dt_prepare_column *from = &p->columns[c];
    dt_survey *survey = &p->surveys[c];
    dt_status status = DT_OK;
    double range = 0.0;
    if (survey->fitted == 0)
        return dt_fail(DT_DATA, "%s: column '%s' has no number in any training row; --drop '%s'",
                       dt_csv_path(p->csv), p->names[c], p->names[c]);
    /* As scikit-learn: what no training row lacks, an indicator could not teach. */
    if (from->fill == DT_FILL_INDICATOR && survey->missing == 0)
        out->fill = DT_FILL_MEAN;
    const size_t numbers = survey->sample != NULL ? sort_sample(survey) : 0;
    out->scale = from->scale;
    out->fill_number = fill_number_of(from, survey, numbers);
    if (survey->sample != NULL)
        fill_sample(survey, numbers, out->fill_number);
    out->center = 0.0;
    out->spread = 1.0;
    switch (from->scale) {
    case DT_SCALE_STANDARD:
    case DT_SCALE_LOG:
        standardise(out, survey);
        break;
    case DT_SCALE_MINMAX:
        out->center = survey->minimum;
        out->spread = survey->maximum - survey->minimum;
        break;
    case DT_SCALE_ROBUST:
        out->center = quantile(survey->sample, survey->sample_count, 0.5);
        out->spread = quantile(survey->sample, survey->sample_count, 0.75) -
                      quantile(survey->sample, survey->sample_count, 0.25);
        break;
    case DT_SCALE_QUANTILE:
        range = survey->maximum - survey->minimum; /* which the knots divide */
        status = take_knots(out, survey);
        break;
    case DT_SCALE_NONE:
        break;
    }
    if (status != DT_OK)
        return status;
    if (!isfinite(out->center) || !isfinite(out->spread) || !isfinite(out->fill_number) ||
        !isfinite(range))
        return dt_fail(DT_DATA, "%s: column '%s' has numbers up to %g, too large to be scaled",
                       dt_csv_path(p->csv), p->names[c],
                       fmax(fabs(survey->minimum), fabs(survey->maximum)));
    if (!(out->spread > 0.0))
        out->spread = 1.0; /* the training rows happen to have one value only */
    return DT_OK;
}

/* ---- categorical columns ---- */

/* The most frequent first; of equals the last in order, as scikit-learn keeps them. */
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

/* Sorts the values that training rows have, and keeps the most frequent ones; the most frequent of
 * all, the first of equals, in *mode. */
static size_t choose_categories(const dt_dictionary_entry **values, const dt_prepare *p, size_t c,
                                const dt_dictionary_entry **mode)
{
    dt_dictionary *all = &p->surveys[c].values;
    size_t count = 0;
    *mode = NULL;
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
        DT_TRY(dt_fail(DT_DATA, "%s: column '%s' has no value in any training row; --drop '%s'",
                       dt_csv_path(p->csv), p->names[c], p->names[c]));
    size_t present = 0;
    for (size_t i = 0; i < all->count; i++)
        present += all->entries[i].count > 0;
    out->rare = count < present;
    /* An input that no training row ever sets would keep the weights it began with, and a new row would
     * meet them. */
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

static dt_status make_recipe(dt_prepare *p)
{
    dt_status status = DT_OK;
    dt_recipe *recipe = &p->recipe;
    const dt_csv_format *format = dt_csv_format_of(p->csv);
    recipe->separator = format->separator;
    recipe->decimal = format->decimal;
    recipe->unseen = p->plan->unseen;
    DT_TRY(
        copy_texts(&recipe->missing, &recipe->missing_count, p->missing.texts, p->missing.count));
    DT_TRY(copy_texts(&recipe->classes, &recipe->class_count, p->classes, p->class_count));
    DT_TRY(dt_memory_alloc(&recipe->columns, p->count, sizeof *recipe->columns, "columns"));
    for (size_t c = 0; c < p->count; c++) {
        dt_recipe_column *column = &recipe->columns[recipe->column_count++];
        column->role = p->columns[c].role;
        column->fill = p->columns[c].fill;
        column->spread = 1.0;
        DT_TRY(dt_memory_copy_text(&column->name, p->names[c]));
        if (column->role == DT_ROLE_NUMERIC)
            DT_TRY(finish_number(column, p, c));
        else if (column->role == DT_ROLE_CATEGORICAL)
            DT_TRY(finish_categories(column, p, c));
        recipe->D += dt_recipe_width(column);
    }
out:
    return status;
}

static dt_status check_classes(const dt_prepare *p)
{
    for (size_t i = 0; i < p->class_count; i++)
        if (p->class_rows[DT_TRAIN][i] == 0)
            return dt_fail(DT_DATA,
                           "%s: no training row is of class '%s'; --split stratified "
                           "gives each set its share of every class",
                           dt_csv_path(p->csv), p->classes[i]);
    return DT_OK;
}

dt_status dt_prepare_fit(dt_prepare *prepare, dt_prepare_take *take, void *context)
{
    dt_status status = DT_OK;
    dt_prepare *p = prepare;
    p->take = take;
    p->take_context = context;
    DT_TRY(start_fit(p));
    DT_TRY(dt_prepare_pass(p, "measuring the training rows", fit_row));
    if (p->next_row != p->rows)
        DT_TRY(dt_prepare_fail_changed(p));
    DT_TRY(check_classes(p));
    DT_TRY(make_recipe(p));
out:
    return status;
}

const dt_recipe *dt_prepare_recipe(const dt_prepare *prepare)
{
    return &prepare->recipe;
}

/* ---- the application ---- */

static dt_status apply_row(void *context, const dt_csv_row *row)
{
    dt_prepare *p = context;
    dt_status status = DT_OK;
    int32_t label = 0;
    dt_part part = DT_TRAIN;
    dt_prepare_tell(p, row);
    if (dt_prepare_drops(p, row))
        goto out;
    DT_TRY(dt_preprocess_row(p->preprocess, row, p->x, &label));
    if (p->next_row >= p->rows)
        DT_TRY(dt_prepare_fail_changed(p));
    DT_TRY(dt_prepare_next_part(&part, p, row, (size_t)label, false));
    DT_TRY(p->take(p->take_context, part, label, p->x));
out:
    return status;
}

dt_status dt_prepare_apply(dt_prepare *prepare, dt_prepare_take *take, void *context)
{
    dt_status status = DT_OK;
    dt_prepare *p = prepare;
    p->take = take;
    p->take_context = context;
    DT_TRY(dt_memory_alloc(&p->x, p->recipe.D, sizeof *p->x, "inputs of a row"));
    DT_TRY(dt_preprocess_new(&p->preprocess, &p->recipe, p->names, p->count,
                             dt_csv_format_of(p->csv)->decimal, true, dt_csv_path(p->csv)));
    DT_TRY(dt_prepare_pass(p, "writing the sets", apply_row));
    if (p->next_row != p->rows)
        DT_TRY(dt_prepare_fail_changed(p));
    p->unseen = dt_preprocess_unseen(p->preprocess);
out:
    return status;
}

uint64_t dt_prepare_unseen(const dt_prepare *prepare)
{
    return prepare->unseen;
}
