/* Rows of a table, as a recipe's inputs. */
#include "preprocess_internal.h"

#include "dtrain/base/elementary.h"
#include "dtrain/base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- numbers ---- */

static dt_status fail_missing(const dt_preprocess *p, const dt_csv_row *row, const dt_binding *b)
{
    if (row->fields[b->field].bytes == 0)
        return dt_fail(
            DT_DATA,
            "%s: row %llu (line %llu): column '%s' has no value here, and the recipe has "
            "no filling for it (dtrain prepare --fill)",
            p->path, (unsigned long long)row->row, (unsigned long long)row->line, b->column->name);
    return dt_cell_fail(p->path, row, b->column->name, &row->fields[b->field],
                        "means a missing value; the recipe has no filling for this column "
                        "(dtrain prepare --fill)");
}

/* The replacement of a missing number; the caller fills its indicator. */
static dt_status take_missing(const dt_preprocess *p, const dt_binding *b, const dt_csv_row *row,
                              float *x)
{
    const dt_recipe_column *column = b->column;
    if (column->fill == DT_FILL_ERROR || column->fill == DT_FILL_DROP)
        return fail_missing(p, row, b);
    if (dt_recipe_indicates(column->fill)) /* the last of its inputs */
        x[b->input + dt_recipe_width(column) - 1] = 1.0f;
    return DT_OK;
}

/* True is 1, if the training table may have written 1. */
static bool read_boolean(double *out, const dt_csv_field *cell)
{
    char form[DT_SPELLING_BYTES];
    if (dt_spelling(form, cell->text, cell->bytes) != 1 || (form[0] != '0' && form[0] != '1'))
        return false;
    *out = form[0] - '0';
    return true;
}

/* Counts a cell with a number or a date. */
static void judge_range(dt_binding *b, const dt_csv_row *row, double number)
{
    const dt_recipe_column *column = b->column;
    if (!b->judges_range)
        return;
    b->numerals.seen.cells[DT_SEEN_NUMBERS]++;
    if (number >= column->minimum && number <= column->maximum)
        return;
    const double beyond = fmax(column->minimum - number, number - column->maximum);
    if (beyond > 0.1 * column->margin)
        dt_column_note(&b->numerals.seen, DT_SEEN_OUTSIDE, row, &row->fields[b->field]);
    if (beyond > column->margin)
        dt_column_note(&b->numerals.seen, DT_SEEN_FAR, row, &row->fields[b->field]);
}

/* The number as an input. */
static dt_status put_number(const dt_preprocess *p, const dt_binding *b, const dt_csv_row *row,
                            double number, float *x)
{
    x[b->input] = (float)dt_recipe_scaled(b->column, number);
    if (!isfinite(x[b->input]))
        return dt_cell_fail(p->path, row, b->column->name, &row->fields[b->field],
                            "is beyond the range of float32");
    return DT_OK;
}

/* Suggests the cell as a missing value, if it can be filled. */
static dt_status fail_number(const dt_preprocess *p, const dt_binding *b, const dt_csv_row *row)
{
    const dt_csv_field *cell = &row->fields[b->field];
    const dt_fill fill = b->column->fill;
    char shown[DT_TEXT_SHOWN_BYTES + 4], missing[96] = "", advice[128] = "";
    const bool filled = b->column->role == DT_ROLE_NUMERIC && fill != DT_FILL_ERROR &&
                        fill != DT_FILL_DROP && strpbrk(cell->text, "'\",") == NULL;
    (void)dt_text_show(shown, cell->text, cell->bytes);
    if (filled && strcmp(shown, cell->text) == 0)
        (void)snprintf(missing, sizeof missing, "; use --missing '%s' to fill such cells", shown);
    if (p->advice[0] != '\0')
        (void)snprintf(advice, sizeof advice, "%s%s", missing[0] != '\0' ? ", or " : "; ",
                       p->advice);
    return dt_numerals_fail(&b->numerals, p->path, row, cell, missing, advice);
}

static dt_status take_number(const dt_preprocess *p, dt_binding *b, const dt_csv_row *row, float *x)
{
    const dt_recipe_column *column = b->column;
    const dt_csv_field *cell = &row->fields[b->field];
    double number = column->fill_number;
    dt_status status = DT_OK;
    if (dt_missing_is(&p->missing, cell)) {
        DT_TRY(take_missing(p, b, row, x));
    } else if (!dt_numerals_read(&number, &b->numerals, row, cell) &&
               (b->numerals.needs_unit || !read_boolean(&number, cell))) {
        return fail_number(p, b, row);
    } else {
        judge_range(b, row, number);
    }
    status = put_number(p, b, row, number, x);
out:
    return status;
}

/* ---- dates ---- */

#define BIT(order) (1u << (order))

/* The orders of dates with as many parts. */
static unsigned orders_like(dt_date_order order)
{
    static const unsigned kinds[] = {BIT(DT_DATE_YMD) | BIT(DT_DATE_DMY) | BIT(DT_DATE_MDY),
                                     BIT(DT_DATE_YM) | BIT(DT_DATE_MY)};
    return (BIT(order) & kinds[0]) != 0 ? kinds[0] : BIT(order) & kinds[1] ? kinds[1] : 0;
}

/* Whether a date is written as those of the recipe's table, as far as that is known. A year of two
 * digits may be a day where it comes first. */
static bool has_form(const dt_recipe_column *column, const dt_date *date, dt_date_order order)
{
    const bool is_short = date->has_short_year && order == DT_DATE_YMD && !column->short_years;
    return !column->has_divider || (date->divider == column->divider && !is_short);
}

/* The first and the last order in which the cell is another day. */
static void find_readings(dt_date_order out[2], const dt_recipe_column *column,
                          const dt_date_look *look)
{
    const unsigned orders = look->orders & orders_like(column->order);
    out[0] = out[1] = DT_DATE_NONE;
    for (int order = DT_DATE_YMD; order < DT_DATE_ORDERS; order++) {
        if ((orders & BIT(order)) == 0)
            continue;
        if (out[0] == DT_DATE_NONE)
            out[0] = (dt_date_order)order;
        if (look->days[order] < look->days[out[0]] || look->days[order] > look->days[out[0]])
            out[1] = (dt_date_order)order;
    }
}

/* A date that is not written as those of the recipe's table is read in the one way that it can be:
 * 2021-06-05 always, 25/06/2021 if these have other dividers. Else it is a slip. */
static bool read_date(dt_date *out, const dt_recipe_column *column, const dt_csv_field *cell)
{
    dt_date_look look;
    dt_date_order readings[2];
    if (dt_date_read(out, cell->text, cell->bytes, column->order) &&
        has_form(column, out, column->order))
        return true;
    if (!dt_date_look_at(&look, cell->text, cell->bytes))
        return false;
    find_readings(readings, column, &look);
    if (readings[1] != DT_DATE_NONE || !dt_date_read(out, cell->text, cell->bytes, readings[0]))
        return false;
    return !has_form(column, out, readings[0]) ||
           (readings[0] == DT_DATE_YMD && !out->has_short_year);
}

static dt_status fail_date(const dt_preprocess *p, const dt_binding *b, const dt_csv_row *row)
{
    enum { WHAT_BYTES = 384 };
    const dt_recipe_column *column = b->column;
    const dt_csv_field *cell = &row->fields[b->field];
    const char sign[] = {'\'', column->divider, '\'', '\0'};
    char what[WHAT_BYTES], days[3][DT_DATE_BYTES];
    dt_date_look look;
    dt_date_order readings[2] = {DT_DATE_NONE, DT_DATE_NONE};
    if (dt_date_look_at(&look, cell->text, cell->bytes))
        find_readings(readings, column, &look);
    if (readings[1] != DT_DATE_NONE && column->has_divider)
        (void)snprintf(what, sizeof what,
                       "may be %s or %s, since the training rows are written as %s with %s between "
                       "the parts; write dates so, or as %s",
                       dt_date_show(days[0], look.days[readings[0]], readings[0]),
                       dt_date_show(days[1], look.days[readings[1]], readings[1]),
                       dt_date_order_name(column->order),
                       column->divider != '\0' ? sign : "nothing",
                       dt_date_show(days[2], look.days[readings[0]], DT_DATE_YMD));
    else
        (void)snprintf(what, sizeof what, "is not a date of the form %s, as the recipe requires",
                       dt_date_order_name(column->order));
    if (p->advice[0] != '\0')
        (void)snprintf(what + strlen(what), sizeof what - strlen(what), "; %s", p->advice);
    return dt_cell_fail(p->path, row, column->name, cell, what);
}

/* Sine and cosine of each share; a sine is the cosine of a quarter less. */
static void put_parts(const dt_recipe_column *column, const dt_date *date, float *x)
{
    const double turn = 6.283185307179586;
    const double shares[DT_PART_COUNT] = {date->month, date->weekday, date->hour};
    for (int part = 0; part < DT_PART_COUNT; part++)
        if (column->parts[part]) {
            *x++ = (float)dt_elementary_cos(turn * (shares[part] - 0.25));
            *x++ = (float)dt_elementary_cos(turn * shares[part]);
        }
}

/* A missing date has no point on the circles, so it gets their centre. */
static dt_status take_date(const dt_preprocess *p, dt_binding *b, const dt_csv_row *row, float *x)
{
    const dt_recipe_column *column = b->column;
    const dt_csv_field *cell = &row->fields[b->field];
    dt_date date = {.days = column->fill_number};
    dt_status status = DT_OK;
    if (dt_missing_is(&p->missing, cell)) {
        DT_TRY(take_missing(p, b, row, x));
    } else if (!read_date(&date, column, cell)) {
        return fail_date(p, b, row);
    } else {
        judge_range(b, row, date.days);
        put_parts(column, &date, x + b->input + 1);
    }
    status = put_number(p, b, row, date.days, x);
out:
    return status;
}

/* ---- categories ---- */

static void note_unseen(dt_preprocess *p, dt_binding *b, const dt_csv_row *row)
{
    const char *column = b->column->name;
    const dt_csv_field *cell = &row->fields[b->field];
    char name[DT_TEXT_SHOWN_BYTES + 4], shown[DT_TEXT_SHOWN_BYTES + 4];
    dt_column_note(&b->numerals.seen, DT_SEEN_UNSEEN, row, cell);
    if (p->unseen.count++ > 0)
        return;
    p->unseen.row = row->row;
    (void)snprintf(p->unseen.example, sizeof p->unseen.example, "column '%s': '%s'",
                   dt_text_show(name, column, strlen(column)),
                   dt_text_show(shown, cell->text, cell->bytes));
}

static dt_status take_category(dt_preprocess *p, dt_binding *b, const dt_csv_row *row, float *x)
{
    const dt_recipe_column *column = b->column;
    const dt_csv_field *cell = &row->fields[b->field];
    int32_t index = dt_names_find(&b->categories, cell->text, cell->bytes);
    if (index < 0 && dt_missing_is(&p->missing, cell)) {
        if (column->fill == DT_FILL_ERROR || column->fill == DT_FILL_DROP)
            return fail_missing(p, row, b);
        x[b->input + (size_t)b->fill_index] = 1.0f;
        return DT_OK;
    }
    if (index < 0)
        index = dt_names_find_spelled(&b->categories, cell->text, cell->bytes);
    if (index >= 0) {
        x[b->input + (size_t)index] = 1.0f;
        b->numerals.seen.cells[DT_SEEN_KNOWN]++;
    } else if (column->rare) {
        x[b->input + column->category_count] = 1.0f;
    } else if (p->recipe->unseen == DT_UNSEEN_ERROR) {
        return dt_cell_fail(p->path, row, column->name, cell,
                            "is a category that no training row has");
    } else if (!dt_text_is_utf8(cell->text, cell->bytes)) { /* as in `prepare` */
        return dt_cell_fail(p->path, row, column->name, cell,
                            "is not UTF-8; use --encoding windows-1252, or repair the table");
    } else {
        note_unseen(p, b, row);
    }
    return DT_OK;
}

static dt_status take_label(const dt_preprocess *p, const dt_binding *b, const dt_csv_row *row,
                            dt_target *y)
{
    const dt_csv_field *cell = &row->fields[b->field];
    y->label = dt_names_find(&b->categories, cell->text, cell->bytes);
    if (y->label < 0)
        y->label = dt_names_find_spelled(&b->categories, cell->text, cell->bytes);
    if (y->label < 0)
        return dt_cell_fail(p->path, row, b->column->name, cell, "is not one of the classes");
    return DT_OK;
}

/* An unscaled number of a column without a filling: a value to predict, or a weight. */
static dt_status take_value(const dt_preprocess *p, dt_binding *b, const dt_csv_row *row,
                            float *out)
{
    const dt_csv_field *cell = &row->fields[b->field];
    double number = 0.0;
    if (dt_missing_is(&p->missing, cell))
        return dt_cell_fail(p->path, row, b->column->name, cell,
                            b->column->role == DT_ROLE_TARGET
                                ? "means a missing value, which a target must not be"
                                : "means a missing value, which a weight must not be");
    if (!dt_numerals_read(&number, &b->numerals, row, cell))
        return fail_number(p, b, row);
    judge_range(b, row, number);
    *out = (float)number;
    if (!isfinite(*out))
        return dt_cell_fail(p->path, row, b->column->name, cell, "is beyond the range of float32");
    if (b->column->role == DT_ROLE_WEIGHTS && number < 0.0)
        return dt_cell_fail(p->path, row, b->column->name, cell,
                            "is negative, which a weight must not be");
    if (b->column->role == DT_ROLE_WEIGHTS && number > DT_WEIGHT_MAX)
        return dt_cell_fail(p->path, row, b->column->name, cell,
                            "is above 1e6, which a weight must not be");
    return DT_OK;
}

dt_status dt_preprocess_row(dt_preprocess *preprocess, const dt_csv_row *row, float *x,
                            dt_target *y, float *w)
{
    dt_status status = DT_OK;
    memset(x, 0, preprocess->recipe->D * sizeof *x);
    for (size_t i = 0; i < preprocess->count && status == DT_OK; i++) {
        dt_binding *b = &preprocess->bindings[i];
        if (b->column->role == DT_ROLE_NUMERIC)
            status = take_number(preprocess, b, row, x);
        else if (b->column->role == DT_ROLE_DATE)
            status = take_date(preprocess, b, row, x);
        else if (b->column->role == DT_ROLE_CATEGORICAL)
            status = take_category(preprocess, b, row, x);
        else if (b->column->role == DT_ROLE_WEIGHTS)
            status = take_value(preprocess, b, row, w);
        else if (preprocess->recipe->class_count > 0)
            status = take_label(preprocess, b, row, y);
        else
            status = take_value(preprocess, b, row, &y[b->input].value);
    }
    return status;
}
