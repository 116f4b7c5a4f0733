#include "dtrain/base/log.h"
#include "dtrain/data/recipe.h"
#include "dtrain/report/text_table.h"
#include "inspect_internal.h"

#include "dtrain/io/csv.h"

#include <stdio.h>
#include <string.h>

enum { LIST_BYTES = 128, LINE_BYTES = 512 };

/* Where the next column's inputs begin: numeric columns come first. */
typedef struct cursor {
    size_t numeric, categorical;
} cursor;

static cursor start(const dt_recipe *recipe)
{
    cursor at = {0, 0};
    for (size_t i = 0; i < recipe->column_count; i++)
        if (dt_recipe_is_number(recipe->columns[i].role))
            at.categorical += dt_recipe_width(&recipe->columns[i]);
    return at;
}

static size_t take(cursor *at, const dt_recipe_column *column)
{
    size_t *next = dt_recipe_is_number(column->role) ? &at->numeric : &at->categorical;
    const size_t first = *next;
    *next += dt_recipe_width(column);
    return first;
}

/* ---- text ---- */

enum { FORMAT_BYTES = 80 };

static void add_numeric(dt_text_table *table, const dt_recipe_column *column)
{
    const char *scale = dt_recipe_scale_name(column->scale);
    char format[FORMAT_BYTES], fill[DT_DATE_BYTES];
    (void)dt_recipe_describe_format(format, sizeof format, &column->format);
    (void)snprintf(fill, sizeof fill, "%g", column->fill_number);
    if (column->role == DT_ROLE_DATE) {
        (void)snprintf(format, sizeof format, "; ");
        (void)dt_recipe_describe_date(format + 2, sizeof format - 2, column->order, column->parts);
        (void)dt_date_show(fill, column->fill_number, column->order);
    }
    if (column->fill == DT_FILL_ERROR || column->fill == DT_FILL_DROP)
        dt_text_table_add(table, "%s", dt_recipe_fill_name(column->fill));
    else
        dt_text_table_add(table, "%s %s", dt_recipe_fill_name(column->fill), fill);
    if (column->scale == DT_SCALE_QUANTILE)
        dt_text_table_add(table, "%s, %zu knots from %g to %g%s", scale, column->knot_count,
                          column->knots[0], column->knots[column->knot_count - 1], format);
    else if (column->scale == DT_SCALE_NONE)
        dt_text_table_add(table, "%s%s", scale, format);
    else
        dt_text_table_add(table, "%s, center %g, spread %g%s", scale, column->center,
                          column->spread, format);
}

static void add_categorical(dt_text_table *table, const dt_recipe_column *column)
{
    char list[LIST_BYTES];
    if (column->fill == DT_FILL_MODE)
        dt_text_table_add(table, "mode %s",
                          column->fill_text != NULL ? column->fill_text : "(rare)");
    else
        dt_text_table_add(table, "%s", dt_recipe_fill_name(column->fill));
    dt_text_table_add(
        table, "%zu%s%s%s", column->category_count, column->rare ? " and the rare ones" : "",
        column->category_count > 0 ? ": " : "",
        dt_text_table_join(list, sizeof list, column->categories, column->category_count));
}

static void add_column(dt_text_table *table, const dt_recipe *recipe, size_t index, cursor *at)
{
    const dt_recipe_column *column = &recipe->columns[index];
    char list[LIST_BYTES];
    dt_text_table_add(table, "%s", column->name);
    dt_text_table_add(table, "%s", dt_recipe_role_name(column->role));
    if (dt_recipe_is_number(column->role) || column->role == DT_ROLE_CATEGORICAL) {
        dt_text_table_add(table, "%zu", dt_recipe_width(column));
        dt_text_table_add(table, "%zu", take(at, column));
    } else {
        dt_text_table_add(table, "-");
        dt_text_table_add(table, "-");
    }
    if (dt_recipe_is_number(column->role)) {
        add_numeric(table, column);
    } else if (column->role == DT_ROLE_CATEGORICAL) {
        add_categorical(table, column);
    } else if (column->role == DT_ROLE_TARGET && recipe->class_count == 0) {
        dt_text_table_add(table, "-");
        dt_text_table_add(table, "value");
    } else if (column->role == DT_ROLE_TARGET) {
        dt_text_table_add(table, "-");
        dt_text_table_add(
            table, "%zu classes: %s", recipe->class_count,
            dt_text_table_join(list, sizeof list, recipe->classes, recipe->class_count));
    } else {
        dt_text_table_add(table, "-");
        dt_text_table_add(table, "-");
    }
}

dt_status dt_inspect_print_recipe(const dt_recipe *recipe)
{
    char list[LINE_BYTES];
    char line[LINE_BYTES];
    cursor at = start(recipe);
    dt_text_table table = {0};
    dt_text_table_join(list, sizeof list, recipe->missing, recipe->missing_count);
    dt_log_show("table: separator %s%s, decimal %s; missing values: empty cells%s%s; unseen "
                "categories: %s\n\n",
                dt_csv_separator_name(recipe->separator), recipe->headerless ? ", no header" : "",
                recipe->decimal == ',' ? "comma" : "point", recipe->missing_count > 0 ? ", " : "",
                dt_text_table_printable(line, sizeof line, list),
                recipe->unseen == DT_UNSEEN_ERROR ? "error" : "ignore");
    dt_text_table_titles(&table, "column|role|>inputs|>first|missing value|how");
    for (size_t i = 0; i < recipe->column_count; i++)
        add_column(&table, recipe, i, &at);
    return dt_text_table_print(&table);
}

/* ---- JSON ---- */

static void describe_numeric(dt_json *json, const dt_recipe_column *column)
{
    char format[FORMAT_BYTES];
    (void)dt_recipe_describe_format(format, sizeof format, &column->format);
    if (format[0] != '\0')
        dt_json_add_text(json, "written", format + strlen("; "));
    dt_json_add_text(json, "scale", dt_recipe_scale_name(column->scale));
    if (column->scale == DT_SCALE_QUANTILE) {
        dt_json_add_int(json, "knot_count", (int64_t)column->knot_count);
    } else if (column->scale != DT_SCALE_NONE) {
        dt_json_add_double(json, "center", column->center);
        dt_json_add_double(json, "spread", column->spread);
    }
    dt_json_add_text(json, "fill", dt_recipe_fill_name(column->fill));
    if (column->fill != DT_FILL_ERROR && column->fill != DT_FILL_DROP)
        dt_json_add_double(json, "fill_number", column->fill_number);
}

static void describe_date(dt_json *json, const dt_recipe_column *column)
{
    dt_json_add_text(json, "order", dt_date_order_name(column->order));
    dt_json_begin_list(json, "parts");
    for (int part = 0; part < DT_PART_COUNT; part++)
        if (column->parts[part])
            dt_json_add_text(json, NULL, dt_recipe_part_name((dt_date_part)part));
    dt_json_end(json);
}

static void describe_categorical(dt_json *json, const dt_recipe_column *column)
{
    dt_json_add_int(json, "category_count", (int64_t)column->category_count);
    dt_json_add_texts(json, "categories", column->categories, column->category_count);
    dt_json_add_bool(json, "rare", column->rare);
    dt_json_add_text(json, "fill", dt_recipe_fill_name(column->fill));
    if (column->fill == DT_FILL_MODE)
        dt_json_add_text(json, "fill_text", column->fill_text);
}

void dt_inspect_describe_recipe(dt_json *json, const dt_recipe *recipe)
{
    const char separator[] = {recipe->separator, '\0'};
    const char decimal[] = {recipe->decimal, '\0'};
    cursor at = start(recipe);
    dt_json_add_text(json, "separator", separator);
    dt_json_add_text(json, "decimal", decimal);
    dt_json_add_bool(json, "header", !recipe->headerless);
    dt_json_add_texts(json, "missing", recipe->missing, recipe->missing_count);
    dt_json_add_text(json, "unseen", recipe->unseen == DT_UNSEEN_ERROR ? "error" : "ignore");
    dt_json_add_int(json, "inputs", (int64_t)recipe->D);
    dt_json_add_texts(json, "targets", recipe->targets, recipe->T);
    dt_json_add_texts(json, "classes", recipe->classes, recipe->class_count);
    if (recipe->weights != NULL)
        dt_json_add_text(json, "weights", recipe->weights);
    dt_json_begin_list(json, "columns");
    for (size_t i = 0; i < recipe->column_count; i++) {
        const dt_recipe_column *column = &recipe->columns[i];
        dt_json_begin_object(json, NULL);
        dt_json_add_text(json, "name", column->name);
        dt_json_add_text(json, "role", dt_recipe_role_name(column->role));
        dt_json_add_int(json, "inputs", (int64_t)dt_recipe_width(column));
        if (dt_recipe_width(column) > 0)
            dt_json_add_int(json, "first_input", (int64_t)take(&at, column));
        if (column->role == DT_ROLE_DATE)
            describe_date(json, column);
        if (dt_recipe_is_number(column->role))
            describe_numeric(json, column);
        else if (column->role == DT_ROLE_CATEGORICAL)
            describe_categorical(json, column);
        if (column->has_range) {
            dt_json_add_double(json, "minimum", column->minimum);
            dt_json_add_double(json, "maximum", column->maximum);
        }
        dt_json_end(json);
    }
    dt_json_end(json);
}

/* ---- the whole ---- */

DT_MUST_USE static dt_status print_json(const char *path, const dt_recipe *recipe)
{
    dt_json *json = NULL;
    dt_status status = dt_json_new(&json);
    if (status != DT_OK)
        return status;
    dt_json_add_text(json, "file", path);
    dt_json_add_text(json, "kind", "recipe");
    dt_inspect_describe_recipe(json, recipe);
    return dt_json_print(json);
}

dt_status dt_inspect_recipe(const char *path, bool json)
{
    dt_status status = DT_OK;
    dt_recipe recipe;
    DT_TRY(dt_recipe_load(&recipe, path));
    if (json) {
        DT_TRY(print_json(path, &recipe));
    } else {
        const bool classes = recipe.class_count > 0;
        dt_log_show("%s: recipe of %zu columns; %zu inputs, %zu %s\n\n", path, recipe.column_count,
                    recipe.D, classes ? recipe.class_count : recipe.T,
                    classes         ? "classes"
                    : recipe.T == 1 ? "value"
                                    : "values");
        DT_TRY(dt_inspect_print_recipe(&recipe));
    }
out:
    dt_recipe_clear(&recipe);
    return status;
}
