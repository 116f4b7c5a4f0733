#include "prepare_internal.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Samples for quantiles: of all columns together, and of one. */
enum { SAMPLES_MAX_BYTES = 32 << 20, SAMPLE_MAX = 100000, SAMPLE_MIN = 1000 };

/* ---- the pass ---- */

static bool needs_sample(const dt_prepare_column *column)
{
    return dt_recipe_is_number(column->role) &&
           (column->scale == DT_SCALE_ROBUST || column->scale == DT_SCALE_CLIPPED ||
            column->scale == DT_SCALE_QUANTILE || column->fill == DT_FILL_MEDIAN ||
            column->fill == DT_FILL_MEDIAN_INDICATOR);
}

static bool counts_numbers(const dt_prepare_column *column)
{
    return dt_recipe_is_number(column->role) && column->fill == DT_FILL_MODE;
}

/* Keeps each of the cells so far with the same chance (Vitter's algorithm R); NaN represents a
 * missing cell until its filling is known. */
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

static dt_status count_number(dt_prepare *p, size_t c, double x)
{
    dt_survey *survey = &p->surveys[c];
    dt_dictionary_entry *entry = NULL;
    x += 0.0; /* -0 and 0 are one number */
    dt_status status = dt_dictionary_add(&entry, &survey->values, (const char *)&x, sizeof x);
    if (status != DT_OK)
        return status;
    entry->number = x;
    entry->count++;
    if (survey->values.count > DT_PREPARE_DISTINCT_MAX)
        return dt_prepare_fail_distinct(p, p->names[c]);
    return DT_OK;
}

/*
 * Welford's mean and squares, which need no difference of large sums, of distances from the first
 * number: the mean of millions of timestamps grows by less than its own last digit a row, and would
 * lag behind. The first number lies within sqrt(n) deviations of the mean, so that to subtract it
 * costs a relative error of sqrt(n) DBL_EPSILON at most.
 * Source: Chan, Golub, LeVeque, "Algorithms for computing the sample variance", 1983
 */
static dt_status fit_number(dt_prepare *p, size_t c, double x)
{
    const dt_prepare_column *column = &p->columns[c];
    dt_survey *survey = &p->surveys[c];
    const bool log = column->scale == DT_SCALE_LOG;
    const double f = log ? dt_signed_log(x) : x;
    if (survey->fitted++ == 0) {
        survey->first = f;
        survey->raw_first = x;
    }
    const double distance = f - survey->first;
    const double difference = distance - survey->mean;
    survey->mean += difference / (double)survey->fitted;
    survey->squares += difference * (distance - survey->mean);
    if (log)
        survey->raw_mean += (x - survey->raw_first - survey->raw_mean) / (double)survey->fitted;
    survey->minimum = fmin(survey->minimum, x);
    survey->maximum = fmax(survey->maximum, x);
    return counts_numbers(column) ? count_number(p, c, x) : DT_OK;
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
    if (dt_recipe_is_number(column->role)) {
        if (!dt_prepare_read(&x, survey, cell))
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

static dt_status fit_targets(dt_prepare *p, const dt_csv_row *row, dt_set set)
{
    dt_status status = DT_OK;
    for (size_t j = 0; p->values != NULL && j < p->T; j++) {
        DT_TRY(dt_prepare_number(&p->values[j], p, row, p->targets[j]));
        if (set == DT_TRAIN)
            DT_TRY(fit_number(p, p->targets[j], p->values[j]));
    }
out:
    return status;
}

/* Stores the set of a row of the table, for dt_prepare_trace. */
static void trace(dt_prepare *p, const dt_csv_row *row, unsigned set)
{
    const uint64_t at = row->row - 1;
    p->traces[at / 4] |= (unsigned char)(set << at % 4 * 2);
}

static void see_id(dt_prepare *p, const dt_csv_row *row)
{
    if (p->id == SIZE_MAX)
        return;
    const dt_csv_field *cell = &row->fields[p->id];
    const size_t characters = dt_text_to_utf32(NULL, 0, cell->text, cell->bytes);
    int64_t whole = 0; /* 007 would lose its zeros */
    p->id_is_text = p->id_is_text || !dt_text_to_whole(&whole, cell->text);
    if (characters > p->id_characters)
        p->id_characters = characters;
}

static dt_status fit_row(void *context, const dt_csv_row *row)
{
    dt_prepare *p = context;
    dt_status status = DT_OK;
    size_t label = 0;
    dt_set set = DT_TRAIN;
    dt_prepare_report_progress(p, row);
    const bool drops = dt_prepare_drops(p, row);
    if (row->row > p->rows + p->dropped_rows)
        DT_TRY(dt_prepare_fail_changed(p));
    if (drops) {
        trace(p, row, DT_SET_COUNT);
        goto out;
    }
    DT_TRY(dt_prepare_label(&label, p, row));
    DT_TRY(dt_prepare_next_set(&set, p, row, label, true));
    p->class_rows[set][label]++;
    trace(p, row, (unsigned)set);
    see_id(p, row);
    for (size_t c = 0; set == DT_TRAIN && c < p->count; c++)
        if (dt_prepare_is_input(&p->columns[c]))
            DT_TRY(fit_cell(p, c, row));
    DT_TRY(fit_targets(p, row, set));
    DT_TRY(p->take(p->take_context,
                   &(dt_prepare_row){
                       .set = set, .row = row->row, .label = (int32_t)label, .values = p->values}));
out:
    return status;
}

static dt_status start_fit(dt_prepare *p)
{
    dt_status status = DT_OK;
    size_t samples = 0;
    DT_TRY(dt_memory_alloc(&p->traces, (p->rows + p->dropped_rows) / 4 + 1, 1, "sets of rows"));
    for (size_t c = 0; c < p->count; c++)
        samples += needs_sample(&p->columns[c]);
    p->sample_capacity = samples == 0 ? 0 : SAMPLES_MAX_BYTES / sizeof(double) / samples;
    if (p->sample_capacity < SAMPLE_MIN)
        p->sample_capacity = SAMPLE_MIN;
    if (p->sample_capacity > SAMPLE_MAX)
        p->sample_capacity = SAMPLE_MAX;
    if (p->set_rows[DT_TRAIN] < p->sample_capacity)
        p->sample_capacity = (size_t)p->set_rows[DT_TRAIN];
    for (size_t c = 0; c < p->count; c++) {
        dt_survey *survey = &p->surveys[c];
        survey->minimum = INFINITY;
        survey->maximum = -INFINITY;
        survey->random = dt_random_start(p->plan->seed, DT_RANDOM_SAMPLE, c);
        if (dt_recipe_is_number(p->columns[c].role) || survey->is_value)
            dt_dictionary_clear(&survey->values);
        for (size_t i = 0; i < survey->values.count; i++)
            survey->values.entries[i].count = 0;
        if (needs_sample(&p->columns[c]))
            DT_TRY(dt_memory_alloc(&survey->sample, p->sample_capacity, sizeof(double), "sample"));
    }
out:
    return status;
}

static dt_status check_classes(const dt_prepare *p)
{
    for (size_t i = 0; i < p->class_count; i++)
        if (p->class_rows[DT_TRAIN][i] == 0)
            return dt_fail(DT_DATA, "%s: no training row is of class '%s'; %s", dt_csv_path(p->csv),
                           p->classes[i],
                           p->split_by != SIZE_MAX
                               ? "use another --seed, or --split-by another column"
                               : "--split stratified gives each set its share of every class");
    return DT_OK;
}

static dt_status measure_targets(dt_prepare *p)
{
    for (size_t j = 0; p->measured != NULL && j < p->T; j++) {
        const dt_survey *survey = &p->surveys[p->targets[j]];
        p->measured[j] =
            (dt_prepare_target){.name = p->names[p->targets[j]],
                                .mean = survey->first + survey->mean,
                                .deviation = sqrt(survey->squares / (double)survey->fitted),
                                .minimum = survey->minimum,
                                .maximum = survey->maximum};
        if (!(survey->minimum < survey->maximum))
            return dt_fail(DT_DATA,
                           "%s: the target '%s' is %.9g in every training row; there is nothing "
                           "to learn",
                           dt_csv_path(p->csv), p->measured[j].name, survey->minimum);
    }
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
    DT_TRY(measure_targets(p));
    DT_TRY(dt_prepare_make_recipe(p));
    if (p->id_is_text)
        p->table.id_characters = p->id_characters > 0 ? p->id_characters : 1;
out:
    return status;
}
