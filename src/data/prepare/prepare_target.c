/* The type of the target: classes or values; and the weights. */
#include "prepare_internal.h"

#include "dtrain/base/memory.h"

#include <math.h>
#include <string.h>

/* Whole numbers with more distinct values than this may be a quantity. */
enum { CLASSES_PLAIN = 20 };

/* They are a quantity with this many values, if each has fewer than ROWS_A_CLASS_MIN rows. */
enum { WHOLE_CLASSES_MAX = 100, ROWS_A_CLASS_MIN = 10 };

/* 2^53: smaller whole numbers are different doubles. */
#define WHOLE_MAX 9007199254740992.0

/* ---- what all targets and weights need ---- */

/* `what`: "target" or "weight". */
static dt_status check_cells(const dt_prepare *p, size_t c, const char *what)
{
    return p->columns[c].missing == 0 ? DT_OK : dt_prepare_fail_valueless(p, c, what);
}

static dt_status check_weights(const dt_prepare *p)
{
    if (p->weights == SIZE_MAX)
        return DT_OK;
    dt_status status = check_cells(p, p->weights, "weight");
    if (status == DT_OK && !(p->columns[p->weights].maximum > 0.0))
        status = dt_fail(DT_DATA, "%s: the weight '%s' is 0 in every row", dt_csv_path(p->csv),
                         p->names[p->weights]);
    return status;
}

/* ---- values ---- */

/* Half of the cells or more differ, or there are few rows of each number. */
static bool mostly_once(const dt_survey *survey)
{
    return survey->values.count > CLASSES_PLAIN &&
           survey->values.count > (survey->numbers + survey->texts) / 2;
}

/* Three rows or more of a class each could not be split. */
static bool all_differ(const dt_survey *survey)
{
    return survey->values.count > 2 && survey->values.count == survey->numbers;
}

static bool is_quantity(const dt_survey *survey)
{
    const bool sparse = survey->values.count > WHOLE_CLASSES_MAX &&
                        survey->values.count > survey->numbers / ROWS_A_CLASS_MIN;
    return !survey->keeps_values || survey->has_fraction || sparse || mostly_once(survey) ||
           all_differ(survey);
}

/* Decides the type of one target that no option decides. */
static dt_status guess(bool *values, dt_prepare *p)
{
    const dt_survey *survey = &p->surveys[p->targets[0]];
    const uint64_t cells = survey->numbers + survey->texts;
    const char *path = dt_csv_path(p->csv), *name = p->names[p->targets[0]];
    const bool quantity = survey->numbers > 0 && is_quantity(survey);
    *values = quantity && survey->texts == 0;
    p->guessed = survey->texts == 0 && !quantity && survey->values.count > CLASSES_PLAIN;
    if (quantity && survey->texts > 0 && dt_prepare_are_slips(survey->texts, cells))
        return dt_fail(
            DT_DATA,
            "%s: row %llu (line %llu): the target '%s': '%s' is not a number, but %llu of its %llu "
            "cells are; use --missing '%s' --fill '%s=drop', or --task classification",
            path, (unsigned long long)survey->text_row, (unsigned long long)survey->text_line, name,
            survey->text, (unsigned long long)survey->numbers, (unsigned long long)cells,
            survey->text, name);
    if (survey->texts > 0 && mostly_once(survey))
        return dt_fail(DT_DATA,
                       "%s: the target '%s' has %zu distinct values in %llu rows; use --task "
                       "classification if they are classes",
                       path, name, survey->values.count, (unsigned long long)cells);
    return DT_OK;
}

static dt_status take_values(dt_prepare *p)
{
    dt_status status = DT_OK;
    for (size_t j = 0; j < p->T; j++) {
        const size_t c = p->targets[j];
        const dt_prepare_column *column = &p->columns[c];
        p->surveys[c].is_value = true;
        p->columns[c].scale = DT_SCALE_NONE; /* whatever --scale says of all columns */
        DT_TRY(check_cells(p, c, "target"));
        if (!(column->minimum < column->maximum))
            DT_TRY(dt_fail(DT_DATA, "%s: every row's '%s' is %.9g; there is nothing to learn",
                           dt_csv_path(p->csv), p->names[c], column->minimum));
    }
    if (p->split_column == SIZE_MAX && p->split_method == DT_SPLIT_STRATIFIED) {
        if (p->plan->split_asked)
            DT_TRY(dt_fail(DT_USAGE,
                           "--split stratified is for classes, but the target '%s' is values; use "
                           "--split random or ordered",
                           p->names[p->targets[0]]));
        p->split_method = DT_SPLIT_RANDOM;
    }
    DT_TRY(dt_memory_alloc(&p->values, p->T, sizeof *p->values, "targets"));
    DT_TRY(dt_memory_alloc(&p->measured, p->T, sizeof *p->measured, "targets"));
out:
    return status;
}

/* ---- classes ---- */

static dt_status check_classes(const dt_prepare *p)
{
    const size_t c = p->targets[0];
    const dt_survey *survey = &p->surveys[c];
    const char *path = dt_csv_path(p->csv), *name = p->names[c];
    dt_status status = dt_prepare_check_text(p, c);
    if (status == DT_OK)
        status = check_cells(p, c, "target");
    if (status != DT_OK)
        return status;
    if (!survey->keeps_values)
        return dt_prepare_fail_distinct(p, name);
    if (survey->values.count > DT_CLASSES_MAX)
        return dt_fail(DT_DATA,
                       "%s: the target '%s' has %zu distinct values; at most %d can be "
                       "classes",
                       path, name, survey->values.count, DT_CLASSES_MAX);
    return DT_OK;
}

static dt_status fail_equal(const dt_prepare *p, const char *a, const char *b)
{
    return dt_fail(DT_DATA,
                   "%s: the target '%s' has both '%s' and '%s', which are the same number but "
                   "would be two classes; use one spelling",
                   dt_csv_path(p->csv), p->names[p->targets[0]], a, b);
}

/* "1" and "1.0" are one class, since predict takes the one for the other; "1" and "01", which may
 * be a code, are not distinguished. Beyond 2^53 doubles that are equal may stand for different
 * numbers. In `index` an entry gets the number of the one that it is the same as, or its own.
 * `sorted` has room for all values. */
static dt_status find_equal(dt_prepare *p, const dt_dictionary_entry **sorted)
{
    dt_dictionary *values = &p->surveys[p->targets[0]].values;
    size_t count = 0;
    for (size_t i = 0; i < values->count; i++) {
        values->entries[i].index = (int32_t)i;
        if (values->entries[i].kind == DT_VALUE_NUMBER &&
            fabs(values->entries[i].number) < WHOLE_MAX)
            sorted[count++] = &values->entries[i];
    }
    dt_prepare_sort(sorted, count);
    for (size_t i = 1; i < count; i++) {
        if (sorted[i - 1]->number < sorted[i]->number)
            continue;
        if (!dt_names_are_alike(sorted[i - 1], sorted[i]))
            return fail_equal(p, sorted[i - 1]->text, sorted[i]->text);
        values->entries[sorted[i] - values->entries].index = sorted[i - 1]->index;
        p->equal[0] = sorted[i - 1]->text;
        p->equal[1] = sorted[i]->text;
    }
    return DT_OK;
}

/* Classes that are spelled alike are most likely one. What is the same number as a class must be
 * found as that class in any table, which it is not if a third is spelled so. */
static dt_status find_similar(dt_prepare *p)
{
    dt_status status = DT_OK;
    const dt_dictionary *values = &p->surveys[p->targets[0]].values;
    dt_names names = {0};
    for (size_t i = 0; i < p->class_count; i++) {
        DT_ASSERT(p->classes[i] != NULL);
        const size_t bytes = strlen(p->classes[i]);
        const int32_t other = dt_names_find_spelled(&names, p->classes[i], bytes);
        if (other >= 0 && p->similar[0] == NULL) {
            p->similar[0] = p->classes[other];
            p->similar[1] = p->classes[i];
        }
        DT_TRY(dt_names_add(&names, p->classes[i], bytes, (int32_t)i));
    }
    for (size_t i = 0; i < values->count; i++) {
        const dt_dictionary_entry *entry = &values->entries[i];
        if (dt_names_find(&names, entry->text, entry->bytes) < 0 &&
            dt_names_find_spelled(&names, entry->text, entry->bytes) != entry->index)
            DT_TRY(fail_equal(p, p->classes[entry->index], entry->text));
    }
out:
    dt_names_clear(&names);
    return status;
}

static dt_status fail_one_class(const dt_prepare *p)
{
    return dt_fail(DT_DATA, "%s: every row's '%s' is '%s'; there is nothing to learn",
                   dt_csv_path(p->csv), p->names[p->targets[0]],
                   p->surveys[p->targets[0]].values.entries[0].text);
}

static dt_status take_classes(dt_prepare *p)
{
    dt_status status = DT_OK;
    dt_dictionary *values = &p->surveys[p->targets[0]].values;
    const dt_dictionary_entry **sorted = NULL;
    int32_t *ids = NULL; /* classes, of entries */
    DT_TRY(check_classes(p));
    DT_TRY(dt_memory_alloc(&ids, values->count, sizeof *ids, "classes"));
    DT_TRY(dt_memory_alloc(&sorted, values->count, sizeof *sorted, "classes"));
    DT_TRY(find_equal(p, sorted));
    DT_TRY(dt_memory_alloc(&p->classes, values->count, sizeof *p->classes, "classes"));
    for (size_t i = 0; i < values->count; i++)
        if (values->entries[i].index == (int32_t)i)
            sorted[p->class_count++] = &values->entries[i];
    if (p->class_count < 2)
        DT_TRY(fail_one_class(p));
    dt_prepare_sort(sorted, p->class_count);
    for (size_t i = 0; i < p->class_count; i++) {
        p->classes[i] = sorted[i]->text;
        ids[sorted[i]->index] = (int32_t)i;
    }
    for (size_t i = 0; i < values->count; i++)
        values->entries[i].index = ids[values->entries[i].index];
    DT_TRY(find_similar(p));
out:
    dt_memory_free(sorted);
    dt_memory_free(ids);
    return status;
}

/* ---- both ---- */

/* Rows of each class; values are one class. */
static dt_status count_rows(dt_prepare *p)
{
    dt_status status = DT_OK;
    const dt_dictionary *values = &p->surveys[p->targets[0]].values;
    const size_t count = p->class_count > 0 ? p->class_count : 1;
    DT_TRY(dt_memory_alloc(&p->all_class_rows, count, sizeof(uint64_t), "classes"));
    for (int set = 0; set < DT_SET_COUNT; set++)
        DT_TRY(dt_memory_alloc(&p->class_rows[set], count, sizeof(uint64_t), "classes"));
    p->all_class_rows[0] = p->class_count > 0 ? 0 : p->rows;
    for (size_t i = 0; p->class_count > 0 && i < values->count; i++)
        p->all_class_rows[values->entries[i].index] += values->entries[i].count;
out:
    return status;
}

dt_status dt_prepare_find_targets(dt_prepare *p)
{
    dt_status status = DT_OK;
    bool values = p->T > 1 || p->plan->task == DT_TARGETS_VALUES;
    p->split_method = p->plan->split_method;
    DT_TRY(check_weights(p));
    if (!values && p->plan->task == DT_TARGETS_AUTO)
        DT_TRY(guess(&values, p));
    DT_TRY(values ? take_values(p) : take_classes(p));
    DT_TRY(count_rows(p));
out:
    return status;
}
