/* The first pass, and its repetitions until the forms of numbers and dates are known. */
#include "prepare_internal.h"

#include "dtrain/base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Distinct numbers are counted only for reports, at about 100 bytes each: at most this many of a
 * column, and of all columns together, but at least so many of each column that codes can be
 * recognized as texts. */
enum { DISTINCT_NUMBERS_MAX = 10000, DISTINCT_NUMBERS_MIN = 100, DISTINCT_NUMBERS_ALL = 1 << 19 };

/* ---- the survey's pass ---- */

static void see_extreme(dt_extreme *extreme, double number, const dt_csv_field *cell)
{
    if (number > extreme->number) {
        extreme->next = fmin(extreme->next, number);
        return;
    }
    if (number < extreme->number) {
        extreme->next = extreme->number;
        extreme->cells = 0;
        extreme->number = number;
        extreme->text[0] = '\0';
        if (cell->bytes < sizeof extreme->text)
            memcpy(extreme->text, cell->text, cell->bytes + 1);
    }
    extreme->cells++;
}

static void see_number(dt_prepare_column *column, dt_survey *survey, double number,
                       const dt_csv_field *cell)
{
    see_extreme(&survey->low, number, cell);
    see_extreme(&survey->high, -number, cell);
    if (survey->numbers == 1)
        survey->step = number - survey->previous;
    survey->keeps_step =
        survey->keeps_step && (survey->numbers == 0 || number == survey->previous + survey->step);
    survey->previous = number;
    survey->has_fraction = survey->has_fraction || number != floor(number);
    survey->numbers++;
    column->minimum = fmin(column->minimum, number);
    column->maximum = fmax(column->maximum, number);
}

/* It may be a number in another form, which find_numbers decides. */
static bool may_be_number(const dt_prepare *p, const dt_csv_field *cell)
{
    dt_number_look look;
    return !p->knows_numbers && dt_number_look_at(&look, cell->text, cell->bytes);
}

/* Only for distinct texts, because the role for which it matters is not decided yet. */
static void check_new_text(dt_survey *survey, const dt_csv_field *cell, const dt_csv_row *row)
{
    if (survey->bad_row > 0 || dt_text_is_utf8(cell->text, cell->bytes))
        return;
    survey->bad_row = row->row;
    survey->bad_line = row->line;
    (void)dt_text_show(survey->bad_text, cell->text, cell->bytes);
}

/* `is_new`: it is new, or this is unknown; `is_like`: it looks like a number. */
static dt_status see_text(const dt_prepare *p, size_t c, const dt_csv_row *row, bool is_new,
                          bool is_like)
{
    dt_survey *survey = &p->surveys[c];
    const dt_csv_field *cell = &row->fields[c];
    dt_date_look date;
    const bool is_asked = dt_prepare_must_be_number(p, c);
    if (survey->order != DT_DATE_NONE && survey->asked)
        return dt_prepare_fail_date(p, c, row);
    const bool looks = (is_asked || (is_new && !survey->has_looks)) && may_be_number(p, cell);
    survey->has_looks = survey->has_looks || looks;
    if (is_asked && !looks && dt_date_look_at(&date, cell->text, cell->bytes))
        return dt_cell_fail(dt_csv_path(p->csv), row, p->names[c], cell, "is a date, not a number");
    survey->digit_texts += is_like;
    if (survey->texts++ == 0) {
        survey->text_row = row->row;
        survey->text_line = row->line;
        (void)dt_text_show(survey->text, cell->text, cell->bytes);
    }
    survey->keeps_step = false;
    return DT_OK;
}

static void see_missing_text(const dt_prepare *p, dt_survey *survey, const dt_csv_field *cell)
{
    const size_t text = dt_missing_find(&p->missing, cell);
    survey->missing_texts |= UINT64_C(1) << (text < 63 ? text : 63);
    survey->na_cells += strcmp(cell->text, "NA") == 0;
}

static void see_missing(const dt_prepare *p, size_t c, const dt_csv_row *row)
{
    dt_survey *survey = &p->surveys[c];
    const dt_csv_field *cell = &row->fields[c];
    const bool is_empty = cell->bytes == 0;
    if (p->columns[c].missing++ == 0 || (!is_empty && survey->missing_texts == 0)) {
        survey->missing_row = row->row;
        survey->missing_line = row->line;
        (void)dt_text_show(survey->missing_text, cell->text, cell->bytes);
    }
    survey->empty += is_empty;
    if (!is_empty)
        see_missing_text(p, survey, cell);
    survey->keeps_step = false;
}

static size_t most_distinct_numbers(const dt_prepare *p)
{
    const size_t most = DISTINCT_NUMBERS_ALL / p->count;
    return most > DISTINCT_NUMBERS_MAX   ? DISTINCT_NUMBERS_MAX
           : most < DISTINCT_NUMBERS_MIN ? DISTINCT_NUMBERS_MIN
                                         : most;
}

/* Only numbers can have more values than the maximum number of classes: then the target is not
 * classes. */
static size_t most_distinct(const dt_prepare *p, size_t c)
{
    const bool may_be_classes = p->columns[c].role == DT_ROLE_TARGET && !p->surveys[c].is_value;
    return may_be_classes ? DT_CLASSES_MAX : most_distinct_numbers(p);
}

/* Finds or adds the cell's value; NULL if this column's values are not kept. */
static dt_status keep_value(dt_dictionary_entry **out, dt_prepare *p, size_t c,
                            const dt_csv_field *cell)
{
    dt_survey *survey = &p->surveys[c];
    dt_prepare_column *column = &p->columns[c];
    *out = NULL;
    if (!survey->keeps_values)
        return DT_OK;
    dt_status status = dt_dictionary_add(out, &survey->values, cell->text, cell->bytes);
    if (status != DT_OK)
        return status;
    (*out)->count++;
    if (survey->values.count <= most_distinct(p, c))
        return DT_OK;
    const bool may_be_values =
        survey->is_value || (column->role == DT_ROLE_TARGET && p->plan->task == DT_TARGETS_AUTO);
    const bool needed = survey->asked && !dt_recipe_is_number(column->role) && !may_be_values;
    if (survey->values.count > DT_PREPARE_DISTINCT_MAX && needed)
        return dt_prepare_fail_distinct(p, p->names[c]);
    if (survey->values.count > DT_PREPARE_DISTINCT_MAX ||
        (!needed && survey->texts == survey->dates.cells)) {
        column->distinct = survey->values.count - 1;
        column->distinct_is_more = true;
        survey->cells_kept = survey->numbers;
        survey->keeps_values = false;
        dt_dictionary_clear(&survey->values);
        *out = NULL;
    }
    return DT_OK;
}

static dt_status check_weight(const dt_prepare *p, size_t c, const dt_csv_row *row, double number)
{
    if (c != p->weights || (number >= 0.0 && number <= DT_WEIGHT_MAX))
        return DT_OK;
    return dt_cell_fail(dt_csv_path(p->csv), row, p->names[c], &row->fields[c],
                        number < 0.0 ? "is negative, which a weight must not be"
                                     : "is above 1e6, which a weight must not be");
}

/* Whether the decimal signs in this column may be thousands separators: commas always, points only
 * next to whole numbers below 1000 or between semicolons. */
static void see_sign(dt_prepare *p, dt_survey *survey, const dt_csv_field *cell)
{
    const char decimal = p->decimal;
    const bool any = decimal == ',' || dt_csv_format_of(p->csv)->separator == ';';
    dt_number_look look;
    const bool has_sign = memchr(cell->text, decimal, cell->bytes) != NULL;
    if ((!has_sign && survey->has_short) || !dt_number_look_at(&look, cell->text, cell->bytes))
        return;
    const bool divides = has_sign && (decimal == ',' ? look.point.fits : look.comma.fits);
    survey->has_short = survey->has_short || look.is_short;
    survey->has_doubts = survey->has_doubts || divides;
    survey->has_decimals = survey->has_decimals || (has_sign && !divides);
    survey->has_looks = survey->has_looks || (survey->has_doubts && (any || survey->has_short));
}

/* Leading zeros, as codes have: 01067. Two digits may be a day or a month. */
static void see_zeros(dt_survey *survey, const dt_csv_field *cell)
{
    enum { DIGITS_MIN = 3 };
    if (cell->bytes >= DIGITS_MIN && strspn(cell->text, "0123456789") == cell->bytes)
        (void)dt_text_show(survey->zeros, cell->text, cell->bytes);
}

/* Reads a number, and stores the first one in another form than the table's others. */
static bool read_number(double *out, dt_prepare *p, size_t c, const dt_csv_field *cell)
{
    dt_survey *survey = &p->surveys[c];
    if (survey->order != DT_DATE_NONE)
        return dt_prepare_survey_date(out, survey, cell);
    if (dt_csv_number(out, cell->text, cell->bytes, p->decimal) &&
        survey->format.decimal == p->decimal) {
        if (cell->text[0] == '0' && survey->zeros[0] == '\0')
            see_zeros(survey, cell);
        if (!survey->decimal_asked && !survey->has_decimals)
            see_sign(p, survey, cell);
        return true;
    }
    if (!dt_number_read(out, cell->text, cell->bytes, &survey->format))
        return false;
    double plain = 0.0;
    if (survey->written[0] == '\0' &&
        !(dt_csv_number(&plain, cell->text, cell->bytes, p->decimal) && plain <= *out &&
          plain >= *out)) {
        (void)dt_text_show(survey->written, cell->text, cell->bytes);
        survey->meant = *out;
    }
    return true;
}

static dt_status survey_cell(dt_prepare *p, size_t c, const dt_csv_row *row)
{
    dt_status status = DT_OK;
    const dt_csv_field *cell = &row->fields[c];
    dt_dictionary_entry *entry = NULL;
    double number = 0.0;
    if (dt_missing_is(&p->missing, cell)) {
        see_missing(p, c, row);
        return DT_OK;
    }
    DT_TRY(keep_value(&entry, p, c, cell));
    const bool known = entry != NULL && entry->kind != DT_VALUE_NEW;
    const bool is_number =
        known ? entry->kind == DT_VALUE_NUMBER : read_number(&number, p, c, cell);
    const bool is_date =
        !is_number && (known ? entry->kind == DT_VALUE_DATE : dt_prepare_see_date(p, c, cell));
    if (is_date)
        p->surveys[c].dates.cells++;
    else if (!known && p->surveys[c].is_compact)
        dt_prepare_see_compact(&p->surveys[c], cell, number);
    if (known)
        number = entry->number;
    else if (!is_number) /* of a text, whether it looks like one */
        number = dt_number_is_like(cell->text, cell->bytes) ? 1.0 : 0.0;
    if (!known && entry != NULL) {
        entry->kind = is_number ? DT_VALUE_NUMBER : is_date ? DT_VALUE_DATE : DT_VALUE_TEXT;
        entry->number = number;
        if (!is_number)
            check_new_text(&p->surveys[c], cell, row);
    }
    if (!is_number) {
        status = see_text(p, c, row, !known, number > 0.0);
        goto out;
    }
    see_number(&p->columns[c], &p->surveys[c], number, cell);
    status = check_weight(p, c, row, number);
out:
    return status;
}

/* Which columns hold something, and for what the row is left out. */
static void see_dropped(dt_prepare *p, const dt_csv_row *row)
{
    p->dropped_rows++;
    for (size_t c = 0; c < p->count; c++) {
        if (!p->surveys[c].drops_rows)
            continue;
        if (!dt_missing_is(&p->missing, &row->fields[c]))
            p->surveys[c].holds = true;
        else if (row->fields[c].bytes > 0)
            see_missing_text(p, &p->surveys[c], &row->fields[c]);
    }
}

static dt_status fail_no_row(const dt_prepare *p)
{
    for (size_t c = 0; c < p->count; c++)
        if (p->surveys[c].drops_rows && !p->surveys[c].holds)
            return dt_fail(
                DT_DATA,
                "%s: column '%s' is empty, so --fill drop drops every row; use --drop '%s'",
                dt_csv_path(p->csv), p->names[c], p->names[c]);
    if (p->malformed_rows == p->dropped_rows)
        return dt_fail(DT_DATA, "%s; no other row is left", p->malformed);
    return dt_fail(DT_DATA, "%s: every row has a missing value; use another --fill",
                   dt_csv_path(p->csv));
}

static dt_status survey_row(void *context, const dt_csv_row *row)
{
    dt_prepare *p = context;
    dt_prepare_report_progress(p, row);
    if (row->malformed && !p->plan->skips_malformed)
        return dt_fail(DT_DATA, "%s; use --on-error skip to skip such rows", dt_status_text());
    if (row->malformed && p->malformed_rows++ == 0)
        (void)snprintf(p->malformed, sizeof p->malformed, "%s", dt_status_text());
    if (dt_prepare_drops(p, row)) {
        see_dropped(p, row);
        return DT_OK;
    }
    p->rows++;
    if (p->split_by != SIZE_MAX) {
        const dt_status status = dt_prepare_see_group(p, row);
        if (status != DT_OK)
            return status;
    }
    for (size_t c = 0; c < p->count; c++) {
        const bool skipped = p->surveys[c].asked && p->columns[c].role == DT_ROLE_DROPPED;
        if (skipped && c != p->split_column)
            continue;
        dt_status status = survey_cell(p, c, row);
        if (status != DT_OK)
            return status;
    }
    return DT_OK;
}

/* ---- the survey ---- */

/* Resets the results of a pass. */
static void begin_survey(dt_prepare *p)
{
    p->rows = p->dropped_rows = p->malformed_rows = 0;
    dt_prepare_begin_groups(p);
    for (size_t c = 0; c < p->count; c++) {
        dt_survey *survey = &p->surveys[c];
        dt_dictionary_clear(&survey->values);
        survey->keeps_step = survey->keeps_values = true;
        survey->has_fraction = survey->has_looks = survey->has_decimals = survey->holds = false;
        survey->has_doubts = survey->has_short = false;
        survey->numbers = survey->texts = survey->digit_texts = survey->bad_row = 0;
        survey->empty = survey->missing_texts = survey->na_cells = 0;
        survey->written[0] = survey->zeros[0] = '\0';
        survey->low = survey->high = (dt_extreme){.number = INFINITY, .next = INFINITY};
        dt_prepare_begin_dates(survey);
        p->columns[c].minimum = INFINITY;
        p->columns[c].maximum = -INFINITY;
        p->columns[c].missing = p->columns[c].distinct = 0;
        p->columns[c].distinct_is_more = false;
    }
}

dt_status dt_prepare_survey_all(dt_prepare *p)
{
    dt_status status = DT_OK;
    bool changed = false;
    begin_survey(p);
    DT_TRY(dt_prepare_pass(p, "looking at the columns", survey_row));
    DT_TRY(dt_prepare_find_dates(&changed, p));
    DT_TRY(dt_prepare_find_numbers(&changed, p));
    if (changed) {
        begin_survey(p);
        DT_TRY(dt_prepare_pass(p, "looking at the columns again", survey_row));
    }
    if (p->rows == 0)
        DT_TRY(fail_no_row(p));
    for (size_t c = 0; c < p->count; c++)
        if (p->surveys[c].texts > 0 && dt_prepare_must_be_number(p, c))
            DT_TRY(dt_prepare_fail_mixed(p, c));
out:
    return status;
}
