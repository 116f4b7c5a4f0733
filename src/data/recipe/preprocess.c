#include "dtrain/data/preprocess.h"

#include "cells.h"
#include "columns.h"
#include "dtrain/base/elementary.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"
#include "names.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What one column of the table becomes. */
typedef struct binding {
    const dt_recipe_column *column;
    size_t field; /* among the table's */
    dt_number_format format; /* of its numbers */
    size_t input; /* its first; of a target that is a value: which of the row's */
    dt_names categories; /* or classes; index: offset from `input` */
    uint64_t known, unseen; /* cells so far */
    char example[DT_UNSEEN_BYTES]; /* the first of the unseen */
    int32_t fill_index; /* categorical: offset of the input that is 1 for a missing cell */
} binding;

struct dt_preprocess {
    const dt_recipe *recipe;
    const char *path;
    char decimal;
    bool asked; /* `decimal` is that of all columns */
    dt_missing missing;
    size_t count;
    bool has_weights;
    binding *bindings; /* [count]: numeric and categorical columns; with labels targets, weights */
    dt_unseen_cells unseen; /* of all columns */
};

static dt_status add_names(dt_names *out, char *const *names, size_t count)
{
    dt_status status = DT_OK;
    for (size_t i = 0; i < count; i++)
        DT_TRY(dt_names_add(out, names[i], strlen(names[i]), (int32_t)i));
out:
    return status;
}

static const char *sign_name(char decimal)
{
    return decimal == ',' ? "comma" : "point";
}

/* A column with commas or points between its thousands keeps its decimal sign. In a table with the
 * other one its cells would be read as other numbers, unless a person has said which it is. */
static dt_status set_decimal(const dt_preprocess *p, binding *b)
{
    dt_number_format *format = &b->format;
    const char before = format->decimal;
    if (before != '\0' && before != p->decimal && !p->asked && before == p->recipe->decimal)
        return dt_fail(DT_DATA,
                       "%s: has decimal %ss, but column '%s' had decimal %ss in training; use "
                       "--decimal comma or --decimal point",
                       p->path, sign_name(p->decimal), b->column->name, sign_name(before));
    if (before != '\0' && !p->asked)
        return DT_OK;
    format->decimal = p->decimal;
    if (format->group == p->decimal)
        format->group = before;
    return DT_OK;
}

static dt_status bind_column(dt_preprocess *p, size_t column, size_t field, size_t input)
{
    dt_status status = DT_OK;
    binding *b = &p->bindings[p->count++];
    const dt_recipe_column *from = &p->recipe->columns[column];
    b->column = from;
    b->field = field;
    b->format = from->format;
    DT_TRY(set_decimal(p, b));
    if (from->role == DT_ROLE_TARGET) {
        while (strcmp(p->recipe->targets[b->input], from->name) != 0)
            b->input++;
        return add_names(&b->categories, p->recipe->classes, p->recipe->class_count);
    }
    if (from->role == DT_ROLE_WEIGHTS) {
        p->has_weights = true;
        return DT_OK;
    }
    b->input = input;
    if (dt_recipe_is_number(from->role))
        return DT_OK;
    DT_TRY(add_names(&b->categories, from->categories, from->category_count));
    b->fill_index = (int32_t)from->category_count; /* the rare ones' input, or the missing's */
    if (from->fill == DT_FILL_CATEGORY)
        b->fill_index += from->rare;
    if (from->fill == DT_FILL_MODE && from->fill_text != NULL)
        b->fill_index = dt_names_find(&b->categories, from->fill_text, strlen(from->fill_text));
out:
    return status;
}

static dt_status bind_all(dt_preprocess *p, const char *const *names, size_t name_count,
                          bool labels)
{
    dt_status status = DT_OK;
    dt_dictionary fields = {0};
    /* As dt_recipe_first_input says, which for each of many columns would cost a square. */
    size_t next_number = 0, next_category = 0;
    for (size_t c = 0; c < p->recipe->column_count; c++)
        if (dt_recipe_is_number(p->recipe->columns[c].role))
            next_category += dt_recipe_width(&p->recipe->columns[c]);
    for (size_t i = 0; i < name_count; i++) {
        dt_dictionary_entry *entry = NULL;
        DT_TRY(dt_dictionary_add(&entry, &fields, names[i], strlen(names[i])));
        entry->index = (int32_t)i;
    }
    for (size_t c = 0; c < p->recipe->column_count; c++) {
        const dt_recipe_column *column = &p->recipe->columns[c];
        const bool is_label = column->role == DT_ROLE_TARGET || column->role == DT_ROLE_WEIGHTS;
        if (column->role == DT_ROLE_DROPPED || (is_label && !labels))
            continue;
        const dt_dictionary_entry *entry =
            dt_dictionary_find(&fields, column->name, strlen(column->name));
        if (entry == NULL && column->role == DT_ROLE_WEIGHTS)
            continue;
        if (entry == NULL) {
            status = dt_column_fail(DT_DATA, p->path, column->name, names, name_count);
            goto out;
        }
        size_t *next = dt_recipe_is_number(column->role) ? &next_number : &next_category;
        DT_TRY(bind_column(p, c, (size_t)entry->index, *next));
        *next += dt_recipe_width(column);
    }
out:
    dt_dictionary_clear(&fields);
    return status;
}

dt_status dt_preprocess_new(dt_preprocess **out, const dt_recipe *recipe, const char *const *names,
                            size_t name_count, char decimal, bool asked, bool labels,
                            const char *path)
{
    dt_status status = DT_OK;
    dt_preprocess *p = NULL;
    *out = NULL;
    DT_TRY(dt_memory_alloc(&p, 1, sizeof *p, "preprocessor"));
    *p = (dt_preprocess){
        .recipe = recipe,
        .path = path,
        .decimal = decimal,
        .asked = asked,
        .missing = dt_missing_of((const char *const *)recipe->missing, recipe->missing_count)};
    DT_TRY(dt_memory_alloc(&p->bindings, recipe->column_count, sizeof *p->bindings, "columns"));
    DT_TRY(bind_all(p, names, name_count, labels));
    *out = p;
out:
    if (status != DT_OK)
        dt_preprocess_free(p);
    return status;
}

void dt_preprocess_free(dt_preprocess *preprocess)
{
    if (preprocess == NULL)
        return;
    for (size_t i = 0; i < preprocess->count; i++)
        dt_names_clear(&preprocess->bindings[i].categories);
    dt_memory_free(preprocess->bindings);
    dt_memory_free(preprocess);
}

bool dt_preprocess_has_weights(const dt_preprocess *preprocess)
{
    return preprocess->has_weights;
}

size_t dt_preprocess_columns(const dt_preprocess *preprocess)
{
    return preprocess->count;
}

dt_category_cells dt_preprocess_cells(const dt_preprocess *preprocess, size_t i)
{
    const binding *b = &preprocess->bindings[i];
    return (dt_category_cells){b->known, b->unseen, b->example};
}

const dt_unseen_cells *dt_preprocess_unseen(const dt_preprocess *preprocess)
{
    return &preprocess->unseen;
}

/* ---- numbers ---- */

/* The first knot that is above x, or not below it. */
static size_t first_knot(const dt_recipe_column *column, double x, bool above)
{
    size_t low = 0, high = column->knot_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const double knot = column->knots[middle];
        if (knot < x || (above && !(knot > x)))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/*
 * Where x lies among the knots q_0 .. q_n-1, as a share: np.interp(x, q, k / (n - 1)). Knots may be
 * equal, and then both ends of their stretch are right: the mean of the two is taken.
 * Source: scikit-learn's QuantileTransformer, output_distribution="uniform"
 */
static double quantile_of(const dt_recipe_column *column, double x)
{
    const double *q = column->knots;
    const size_t n = column->knot_count;
    if (!(x > q[0]))
        return 0.0;
    if (!(x < q[n - 1]))
        return 1.0;
    const size_t above = first_knot(column, x, true); /* q[above - 1] <= x < q[above] */
    const size_t from = first_knot(column, x, false); /* q[from - 1] < x <= q[from] */
    const double low = (double)(above - 1);
    if (from == above) /* x is no knot */
        return (low + (x - q[above - 1]) / (q[above] - q[above - 1])) / (double)(n - 1);
    return 0.5 * (low + (double)from) / (double)(n - 1);
}

static double scaled(const dt_recipe_column *column, double x)
{
    double f = x;
    if (column->scale == DT_SCALE_LOG)
        f = dt_signed_log(x);
    else if (column->scale == DT_SCALE_QUANTILE)
        f = quantile_of(column, x);
    const double z = (f - column->center) / column->spread;
    return column->scale == DT_SCALE_CLIPPED ? dt_smooth_clip(z) : z;
}

double dt_recipe_scaled(const dt_recipe_column *column, double number)
{
    return scaled(column, number);
}

static dt_status fail_missing(const dt_preprocess *p, const dt_csv_row *row, const binding *b)
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

/* What stands for a number that is missing; its place is filled by the caller. */
static dt_status take_missing(const dt_preprocess *p, const binding *b, const dt_csv_row *row,
                              float *x)
{
    const dt_recipe_column *column = b->column;
    if (column->fill == DT_FILL_ERROR || column->fill == DT_FILL_DROP)
        return fail_missing(p, row, b);
    if (dt_recipe_indicates(column->fill)) /* the last of its inputs */
        x[b->input + dt_recipe_width(column) - 1] = 1.0f;
    return DT_OK;
}

/* True is 1, where 1 may have been written before. */
static bool read_boolean(double *out, const dt_csv_field *cell)
{
    char form[DT_SPELLING_BYTES];
    if (dt_spelling(form, cell->text, cell->bytes) != 1 || (form[0] != '0' && form[0] != '1'))
        return false;
    *out = form[0] - '0';
    return true;
}

/* The number as an input. */
static dt_status put_number(const dt_preprocess *p, const binding *b, const dt_csv_row *row,
                            double number, float *x)
{
    x[b->input] = (float)scaled(b->column, number);
    if (!isfinite(x[b->input]))
        return dt_cell_fail(p->path, row, b->column->name, &row->fields[b->field],
                            "is beyond the range of float32");
    return DT_OK;
}

static dt_status take_number(const dt_preprocess *p, const binding *b, const dt_csv_row *row,
                             float *x)
{
    const dt_recipe_column *column = b->column;
    const dt_csv_field *cell = &row->fields[b->field];
    double number = column->fill_number;
    dt_status status = DT_OK;
    if (dt_missing_is(&p->missing, cell)) {
        DT_TRY(take_missing(p, b, row, x));
    } else if (!dt_number_read(&number, cell->text, cell->bytes, &b->format) &&
               !read_boolean(&number, cell)) {
        return dt_cell_fail(p->path, row, column->name, cell, "is no number");
    }
    status = put_number(p, b, row, number, x);
out:
    return status;
}

/* ---- dates ---- */

static dt_status fail_date(const dt_preprocess *p, const binding *b, const dt_csv_row *row)
{
    char what[64];
    (void)snprintf(what, sizeof what, "is no date of the form %s, which the recipe has",
                   dt_date_order_name(b->column->order));
    return dt_cell_fail(p->path, row, b->column->name, &row->fields[b->field], what);
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

/* A missing date has no place on the circles: it is in their middle. */
static dt_status take_date(const dt_preprocess *p, const binding *b, const dt_csv_row *row,
                           float *x)
{
    const dt_recipe_column *column = b->column;
    const dt_csv_field *cell = &row->fields[b->field];
    dt_date date = {.days = column->fill_number};
    dt_status status = DT_OK;
    if (dt_missing_is(&p->missing, cell)) {
        DT_TRY(take_missing(p, b, row, x));
    } else if (!dt_date_read(&date, cell->text, cell->bytes, column->order)) {
        return fail_date(p, b, row);
    } else {
        put_parts(column, &date, x + b->input + 1);
    }
    status = put_number(p, b, row, date.days, x);
out:
    return status;
}

/* ---- categories ---- */

static void note_unseen(dt_preprocess *p, binding *b, const dt_csv_field *cell)
{
    const char *column = b->column->name;
    char name[DT_TEXT_SHOWN_BYTES + 4], shown[DT_TEXT_SHOWN_BYTES + 4];
    if (b->unseen++ == 0)
        (void)snprintf(b->example, sizeof b->example, "column '%s': '%s'",
                       dt_text_show(name, column, strlen(column)),
                       dt_text_show(shown, cell->text, cell->bytes));
    if (p->unseen.count++ == 0)
        memcpy(p->unseen.example, b->example, sizeof b->example);
}

static dt_status take_category(dt_preprocess *p, binding *b, const dt_csv_row *row, float *x)
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
        b->known++;
    } else if (column->rare) {
        x[b->input + column->category_count] = 1.0f;
    } else if (p->recipe->unseen == DT_UNSEEN_ERROR) {
        return dt_cell_fail(p->path, row, column->name, cell,
                            "is a category that no training row has");
    } else if (!dt_text_is_utf8(cell->text, cell->bytes)) { /* as in `prepare` */
        return dt_cell_fail(p->path, row, column->name, cell,
                            "is not UTF-8; use --encoding windows-1252, or repair the table");
    } else {
        note_unseen(p, b, cell);
    }
    return DT_OK;
}

static dt_status take_label(const dt_preprocess *p, const binding *b, const dt_csv_row *row,
                            dt_target *y)
{
    const dt_csv_field *cell = &row->fields[b->field];
    y->label = dt_names_find(&b->categories, cell->text, cell->bytes);
    if (y->label < 0)
        y->label = dt_names_find_spelled(&b->categories, cell->text, cell->bytes);
    if (y->label < 0)
        return dt_cell_fail(p->path, row, b->column->name, cell, "is none of the classes");
    return DT_OK;
}

/* A number as it is, of a column without a filling: a value to be predicted, or a weight. */
static dt_status take_value(const dt_preprocess *p, const binding *b, const dt_csv_row *row,
                            float *out)
{
    const dt_csv_field *cell = &row->fields[b->field];
    double number = 0.0;
    if (dt_missing_is(&p->missing, cell))
        return dt_cell_fail(p->path, row, b->column->name, cell,
                            b->column->role == DT_ROLE_TARGET
                                ? "means a missing value, which a target must not be"
                                : "means a missing value, which a weight must not be");
    if (!dt_number_read(&number, cell->text, cell->bytes, &b->format))
        return dt_cell_fail(p->path, row, b->column->name, cell, "is no number");
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
        binding *b = &preprocess->bindings[i];
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
