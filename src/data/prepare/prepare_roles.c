#include "prepare_internal.h"

#include <math.h>
#include <stdio.h>

/* ---- roles ---- */

/* In the survey without repeats, a column whose cells were not compared stays dropped. */
static bool was_left_out(dt_prepare *p, size_t c)
{
    const dt_prepare_column *was = p->repeats.columns != NULL ? &p->repeats.columns[c] : NULL;
    dt_prepare_column *column = &p->columns[c];
    if (was == NULL || was->role != DT_ROLE_DROPPED || was->is_constant)
        return false;
    column->role = was->role;
    column->why = was->why;
    column->is_counter = was->is_counter;
    column->is_text = was->is_text;
    column->kind = was->kind;
    return true;
}

static dt_status decide_role(dt_prepare *p, size_t c)
{
    const dt_survey *survey = &p->surveys[c];
    dt_prepare_column *column = &p->columns[c];
    if (survey->asked || was_left_out(p, c))
        return DT_OK;
    if (survey->order != DT_DATE_NONE && survey->texts == 0) {
        column->role = DT_ROLE_DATE;
        return DT_OK;
    }
    if (survey->texts == 0) {
        column->role = DT_ROLE_NUMERIC;
        if (dt_prepare_keeps_step(survey) && survey->step == 1.0) {
            column->role = DT_ROLE_DROPPED;
            column->why = "counts the rows";
            column->is_counter = true;
        }
        return DT_OK;
    }
    if (dt_prepare_is_mixed(p, c))
        return dt_prepare_fail_mixed(p, c);
    const char *why = NULL;
    dt_status status = dt_prepare_find_text(&why, p, c);
    column->role = why != NULL ? DT_ROLE_DROPPED : DT_ROLE_CATEGORICAL;
    column->why = why != NULL ? why : "";
    column->is_text = why != NULL;
    if (why != NULL)
        column->kind = dt_prepare_name_texts(p, c);
    return status;
}

static bool is_empty(const dt_prepare *p, size_t c)
{
    return dt_prepare_is_input(&p->columns[c]) && p->columns[c].missing == p->rows;
}

/* ---- fillings ---- */

static bool suits(dt_fill fill, dt_role role)
{
    switch (fill) {
    case DT_FILL_MEAN:
    case DT_FILL_MEDIAN:
    case DT_FILL_INDICATOR:
    case DT_FILL_MEDIAN_INDICATOR:
        return dt_recipe_is_number(role);
    case DT_FILL_CATEGORY:
        return role == DT_ROLE_CATEGORICAL;
    case DT_FILL_ERROR:
    case DT_FILL_DROP:
    case DT_FILL_MODE:
        break;
    }
    return true;
}

static dt_status check_scale(const dt_prepare *p, size_t c)
{
    if (!p->surveys[c].scale_asked || dt_recipe_is_number(p->columns[c].role))
        return DT_OK;
    return dt_fail(DT_USAGE, "--scale: column '%s' is %s; only numeric ones are scaled",
                   p->names[c], dt_prepare_role_words(p->columns[c].role));
}

static dt_status check_fill(const dt_prepare *p, size_t c)
{
    const dt_prepare_column *column = &p->columns[c];
    const dt_survey *survey = &p->surveys[c];
    const bool numeric = dt_recipe_is_number(column->role);
    if (survey->fill_asked && (numeric || column->role == DT_ROLE_CATEGORICAL) &&
        !suits(column->fill, column->role))
        return dt_fail(DT_USAGE, "--fill: column '%s' is %s, which this method does not apply to",
                       p->names[c], numeric ? "numeric" : "categorical");
    if (survey->fill_asked && (column->role == DT_ROLE_TARGET || column->role == DT_ROLE_WEIGHTS) &&
        column->fill != DT_FILL_DROP && column->fill != DT_FILL_ERROR)
        return dt_fail(DT_USAGE,
                       "--fill: column '%s' is the %s; a row without it can only be dropped: "
                       "--fill '%s=drop'",
                       p->names[c], column->role == DT_ROLE_TARGET ? "target" : "weight",
                       p->names[c]);
    if (column->missing == 0 || column->fill != DT_FILL_ERROR || column->role == DT_ROLE_DROPPED)
        return DT_OK;
    if (is_empty(p, c)) /* which no filling can fill */
        return DT_OK;
    return dt_prepare_fail_unfilled(p, c);
}

/* ---- constant columns ---- */

/* Including empty columns; but not a column whose missing cells become an input. */
static bool is_constant(const dt_prepare *p, size_t c)
{
    const dt_prepare_column *column = &p->columns[c];
    const bool says_missing =
        column->missing > 0 && column->missing < p->rows &&
        (column->fill == DT_FILL_CATEGORY || dt_recipe_indicates(column->fill));
    const bool one_value = dt_recipe_is_number(column->role) ? !(column->minimum < column->maximum)
                                                             : column->distinct <= 1;
    return dt_prepare_is_input(column) && one_value && !says_missing;
}

/* Columns of one value are useless. */
static void drop_constant(dt_prepare *p)
{
    for (size_t c = 0; c < p->count; c++)
        if (is_constant(p, c)) {
            p->columns[c].why = is_empty(p, c) ? "is empty" : "has one value";
            p->columns[c].is_constant = true;
            p->columns[c].role = DT_ROLE_DROPPED;
        }
}

/* ---- all columns ---- */

/* The range of the texts in words, from the first to the last. */
static void find_range(dt_prepare_column *column, const dt_survey *survey)
{
    if (!survey->keeps_values)
        return;
    column->distinct = survey->values.count;
    for (size_t i = 0; survey->texts > 0 && i < survey->values.count; i++) {
        const char *text = survey->values.entries[i].text;
        if (column->first == NULL || strcmp(text, column->first) < 0)
            column->first = text;
        if (column->last == NULL || strcmp(text, column->last) > 0)
            column->last = text;
    }
}

/* Two categories that are probably the same; equal numbers are the same. */
static dt_status find_similar(dt_prepare_column *column, const dt_survey *survey)
{
    dt_status status = DT_OK;
    dt_names names = {0};
    for (size_t i = 0; survey->keeps_values && i < survey->values.count; i++) {
        const dt_dictionary_entry *entry = &survey->values.entries[i];
        const int32_t other = dt_names_find_spelled(&names, entry->text, entry->bytes);
        const bool equal = other >= 0 && entry->kind == DT_VALUE_NUMBER &&
                           survey->values.entries[other].kind == DT_VALUE_NUMBER;
        if (equal) /* one category */
            continue;
        if (other >= 0) {
            column->similar[0] = survey->values.entries[other].text;
            column->similar[1] = entry->text;
            break;
        }
        DT_TRY(dt_names_add(&names, entry->text, entry->bytes, (int32_t)i));
    }
out:
    dt_names_clear(&names);
    return status;
}

/* 9, 99, 999 and so on, of two digits or more, and their negatives. */
static bool is_nines(double number)
{
    double nines = 99.0;
    while (nines < fabs(number) && nines < 1e9)
        nines = nines * 10.0 + 9.0;
    return !(nines < fabs(number)) && !(nines > fabs(number));
}

/* Further from all others than their range, or the only negative number, in at least three cells
 * and one in a hundred. Of the largest number the sign is changed, so that it is below the others,
 * too. */
static bool is_sentinel(const dt_extreme *extreme, double end, uint64_t numbers)
{
    enum { CELLS_MIN = 3, SHARE = 100 };
    const bool is_far = extreme->next - extreme->number > end - extreme->next;
    return is_nines(extreme->number) && extreme->text[0] != '\0' && extreme->cells >= CELLS_MIN &&
           extreme->cells * SHARE >= numbers && extreme->next < end &&
           (is_far || (extreme->text[0] == '-' && extreme->number < 0.0 && extreme->next >= 0.0));
}

static void find_sentinel(dt_prepare_column *column, const dt_survey *survey)
{
    const dt_extreme *low = &survey->low, *high = &survey->high;
    const dt_extreme *found = is_sentinel(low, -high->number, survey->numbers)   ? low
                              : is_sentinel(high, -low->number, survey->numbers) ? high
                                                                                 : NULL;
    if (found == NULL || column->role != DT_ROLE_NUMERIC)
        return;
    column->sentinel = found->text;
    column->sentinel_cells = found->cells;
}

/* As in a recipe: without the table's own form. */
static dt_number_format format_of(const dt_prepare *p, size_t c)
{
    dt_number_format format = p->surveys[c].format;
    if (format.decimal == p->decimal && format.group != ',' && format.group != '.')
        format.decimal = '\0';
    return format;
}

dt_status dt_prepare_decide_roles(dt_prepare *p)
{
    dt_status status = DT_OK;
    size_t inputs = 0, texts = 0, counters = 0;
    for (size_t c = 0; c < p->count; c++) {
        DT_TRY(decide_role(p, c));
        if (p->columns[c].role == DT_ROLE_CATEGORICAL)
            DT_TRY(dt_prepare_check_text(p, c));
        if (!p->surveys[c].fill_asked)
            p->columns[c].fill =
                dt_recipe_is_number(p->columns[c].role) ? p->fill_numeric : p->fill_categorical;
    }
    for (size_t c = 0; c < p->count; c++) {
        DT_TRY(check_scale(p, c));
        DT_TRY(check_fill(p, c));
        find_range(&p->columns[c], &p->surveys[c]);
        p->columns[c].asked = p->surveys[c].asked;
        p->columns[c].number_cells = p->surveys[c].numbers;
        p->columns[c].text_cells = p->surveys[c].texts;
        p->columns[c].digit_cells = p->surveys[c].digit_texts;
        p->columns[c].format = format_of(p, c);
        p->columns[c].order = p->surveys[c].order;
        if (p->columns[c].role == DT_ROLE_DATE)
            dt_prepare_find_parts(p->columns[c].parts, &p->surveys[c],
                                  p->columns[c].maximum - p->columns[c].minimum);
        const bool plain = p->surveys[c].written[0] == '\0';
        p->columns[c].written = plain ? p->surveys[c].read_text : p->surveys[c].written;
        p->columns[c].meant = plain ? p->surveys[c].read_number : p->surveys[c].meant;
        p->columns[c].text = p->surveys[c].text;
        p->columns[c].is_key = dt_prepare_is_key(p, c);
        if (p->columns[c].role == DT_ROLE_CATEGORICAL) {
            dt_prepare_find_odd(&p->columns[c], &p->surveys[c]);
            DT_TRY(find_similar(&p->columns[c], &p->surveys[c]));
        }
        p->columns[c].zeros = p->surveys[c].zeros;
        p->columns[c].unit_cells = p->surveys[c].unit_cells;
        p->columns[c].bare_cells = p->surveys[c].bare_cells;
        p->columns[c].bare = p->surveys[c].bare;
        find_sentinel(&p->columns[c], &p->surveys[c]);
    }
    dt_prepare_find_codes(p);
    drop_constant(p);
    for (size_t c = 0; c < p->count; c++) {
        inputs += dt_prepare_is_input(&p->columns[c]);
        texts += p->columns[c].is_text;
        counters += p->columns[c].is_counter;
    }
    if (inputs == 0)
        DT_TRY(dt_fail(DT_DATA, "%s: no column except the target '%s' is left to learn from%s",
                       dt_csv_path(p->csv), p->names[p->targets[0]],
                       texts > 0 ? "; use --categorical COLUMN to keep texts that hardly repeat"
                       : counters > 0 ? "; use --numeric COLUMN to keep numbers that count the rows"
                                      : ""));
out:
    return status;
}
