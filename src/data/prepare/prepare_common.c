#include "dtrain/base/text.h"
#include "prepare_internal.h"

#include "../recipe/columns.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS_BETWEEN_REPORTS = 16384 };

dt_status dt_prepare_pass(dt_prepare *p, const char *name, dt_csv_take *take)
{
    p->pass = name;
    p->next_row = 0;
    memset(p->given_rows, 0, sizeof p->given_rows);
    dt_status status = dt_csv_read(p->csv, take, p);
    if (status == DT_OK && p->progress != NULL)
        p->progress(p->progress_context, p->pass, 1.0);
    return status;
}

void dt_prepare_report_progress(const dt_prepare *p, const dt_csv_row *row)
{
    if (p->progress != NULL && row->row % ROWS_BETWEEN_REPORTS == 0)
        p->progress(p->progress_context, p->pass,
                    (double)dt_csv_bytes_read(p->csv) / (double)dt_csv_bytes(p->csv));
}

dt_status dt_prepare_find_column(size_t *out, const dt_prepare *p, const char *name)
{
    const dt_columns columns = {.path = dt_csv_path(p->csv),
                                .names = p->names,
                                .count = p->count,
                                .nameless = dt_csv_format_of(p->csv)->header == DT_CSV_HEADER_NO};
    return dt_column_find(out, &columns, name);
}

bool dt_prepare_drops(const dt_prepare *p, const dt_csv_row *row)
{
    const uint64_t at = row->row - 1;
    if (row->malformed || (at < p->repeats.rows && (p->repeats.bits[at / 8] >> at % 8 & 1) != 0))
        return true;
    for (size_t c = 0; c < p->count; c++)
        if (p->surveys[c].drops_rows && dt_missing_is(&p->missing, &row->fields[c]))
            return true;
    return false;
}

dt_status dt_prepare_fail_changed(const dt_prepare *p)
{
    return dt_fail(DT_DATA, "%s: the table changed while it was read", dt_csv_path(p->csv));
}

dt_status dt_prepare_label(size_t *out, const dt_prepare *p, const dt_csv_row *row)
{
    *out = 0;
    if (p->next_row >= p->rows)
        return dt_prepare_fail_changed(p);
    if (p->class_count == 0)
        return DT_OK;
    const size_t target = p->targets[0];
    const dt_csv_field *cell = &row->fields[target];
    const dt_dictionary_entry *entry =
        dt_dictionary_find(&p->surveys[target].values, cell->text, cell->bytes);
    if (entry == NULL)
        return dt_prepare_fail_changed(p);
    *out = (size_t)entry->index;
    return DT_OK;
}

bool dt_prepare_read(double *out, const dt_survey *survey, const dt_csv_field *cell)
{
    dt_date date;
    if (survey->order == DT_DATE_NONE)
        return dt_number_read(out, cell->text, cell->bytes, &survey->format);
    if (!dt_date_read(&date, cell->text, cell->bytes, survey->order))
        return false;
    *out = date.days;
    return true;
}

dt_status dt_prepare_number(double *out, const dt_prepare *p, const dt_csv_row *row, size_t c)
{
    const dt_csv_field *cell = &row->fields[c];
    if (dt_missing_is(&p->missing, cell) || !dt_prepare_read(out, &p->surveys[c], cell))
        return dt_prepare_fail_changed(p);
    return DT_OK;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp((*(const dt_dictionary_entry *const *)a)->text,
                  (*(const dt_dictionary_entry *const *)b)->text);
}

static int compare_numbers(const void *a, const void *b)
{
    const double x = (*(const dt_dictionary_entry *const *)a)->number;
    const double y = (*(const dt_dictionary_entry *const *)b)->number;
    return x < y ? -1 : x > y ? 1 : compare_texts(a, b);
}

void dt_prepare_sort(const dt_dictionary_entry **values, size_t count)
{
    bool numbers = true;
    for (size_t i = 0; i < count; i++)
        numbers = numbers && values[i]->kind == DT_VALUE_NUMBER;
    qsort(values, count, sizeof *values, numbers ? compare_numbers : compare_texts);
}

dt_status dt_prepare_fail_distinct(const dt_prepare *p, const char *name)
{
    return dt_fail(DT_DATA, "%s: column '%s' has more than %d distinct values; use --drop '%s'",
                   dt_csv_path(p->csv), name, DT_PREPARE_DISTINCT_MAX, name);
}

bool dt_prepare_is_input(const dt_prepare_column *column)
{
    return dt_recipe_is_number(column->role) || column->role == DT_ROLE_CATEGORICAL;
}

#define CONVERT "is not UTF-8; use --encoding windows-1252, or repair the table"

dt_status dt_prepare_check_text(const dt_prepare *p, size_t c)
{
    const dt_survey *survey = &p->surveys[c];
    if (survey->bad_row == 0)
        return DT_OK;
    return dt_fail(DT_DATA, "%s: row %llu (line %llu): column '%s': '%s' " CONVERT,
                   dt_csv_path(p->csv), (unsigned long long)survey->bad_row,
                   (unsigned long long)survey->bad_line, p->names[c], survey->bad_text);
}

dt_status dt_prepare_check_names(const dt_prepare *p)
{
    char shown[DT_TEXT_SHOWN_BYTES + 4];
    for (size_t c = 0; c < p->count; c++)
        if (!dt_text_is_utf8(p->names[c], strlen(p->names[c])))
            return dt_fail(DT_DATA, "%s: header: the name of column %zu, '%s', " CONVERT,
                           dt_csv_path(p->csv), c + 1,
                           dt_text_show(shown, p->names[c], strlen(p->names[c])));
    return DT_OK;
}

bool dt_prepare_are_slips(uint64_t others, uint64_t cells)
{
    return others * 10 < cells;
}

bool dt_prepare_must_be_number(const dt_prepare *p, size_t c)
{
    return p->surveys[c].is_value || (p->surveys[c].asked && p->columns[c].role == DT_ROLE_NUMERIC);
}

const char *dt_prepare_role_words(dt_role role)
{
    static const char *const words[] = {
        [DT_ROLE_NUMERIC] = "numeric",     [DT_ROLE_CATEGORICAL] = "categorical",
        [DT_ROLE_TARGET] = "the target",   [DT_ROLE_DROPPED] = "dropped",
        [DT_ROLE_WEIGHTS] = "the weights", [DT_ROLE_DATE] = "a date"};
    return words[role];
}
