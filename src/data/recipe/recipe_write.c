#include "dtrain/data/recipe.h"

#include "dtrain/base/memory.h"
#include "dtrain/io/json.h"
#include "recipe_internal.h"

#include <string.h>

static void add_range(dt_json *json, const dt_recipe_column *column)
{
    if (!column->has_range)
        return;
    dt_json_add_double(json, "minimum", column->minimum);
    dt_json_add_double(json, "maximum", column->maximum);
    dt_json_add_double(json, "margin", column->margin);
}

static void add_numeric(dt_json *json, const dt_recipe_column *column)
{
    dt_json_add_text(json, "scale", dt_recipe_scale_name(column->scale));
    if (recipe_has_center(column)) {
        dt_json_add_double(json, "center", column->center);
        dt_json_add_double(json, "spread", column->spread);
    }
    if (recipe_has_knots(column)) {
        dt_json_begin_list(json, "knots");
        for (size_t i = 0; i < column->knot_count; i++)
            dt_json_add_double(json, NULL, column->knots[i]);
        dt_json_end(json);
    }
    dt_json_add_text(json, "fill", dt_recipe_fill_name(column->fill));
    if (recipe_has_fill_number(column))
        dt_json_add_double(json, "fill_number", column->fill_number);
}

static void add_date(dt_json *json, const dt_recipe_column *column)
{
    dt_json_add_text(json, "order", dt_date_order_name(column->order));
    dt_json_begin_list(json, "parts");
    for (int part = 0; part < DT_PART_COUNT; part++)
        if (column->parts[part])
            dt_json_add_text(json, NULL, dt_recipe_part_name((dt_date_part)part));
    dt_json_end(json);
    const char divider[] = {column->divider, '\0'};
    if (column->has_divider)
        dt_json_add_text(json, "divider", divider);
    if (column->short_years)
        dt_json_add_bool(json, "short_years", true);
    add_numeric(json, column);
}

static void add_categorical(dt_json *json, const dt_recipe_column *column)
{
    dt_json_add_texts(json, "categories", column->categories, column->category_count);
    dt_json_add_bool(json, "rare", column->rare);
    dt_json_add_text(json, "fill", dt_recipe_fill_name(column->fill));
    if (recipe_has_fill_text(column) && column->fill_text != NULL)
        dt_json_add_text(json, "fill_text", column->fill_text);
}

static void add_format(dt_json *json, const dt_number_format *format)
{
    const char decimal[] = {format->decimal, '\0'}, group[] = {format->group, '\0'};
    if (format->decimal != '\0')
        dt_json_add_text(json, "decimal", decimal);
    if (format->group != '\0')
        dt_json_add_text(json, "thousands", group);
    if (format->unit[0] != '\0')
        dt_json_add_text(json, "unit", format->unit);
}

static void add_recipe(dt_json *json, const dt_recipe *recipe)
{
    const char separator[] = {recipe->separator, '\0'};
    const char decimal[] = {recipe->decimal, '\0'};
    dt_json_add_int(json, "dtrain_recipe", DT_RECIPE_VERSION);
    dt_json_add_text(json, "separator", separator);
    dt_json_add_text(json, "decimal", decimal);
    if (recipe->headerless)
        dt_json_add_bool(json, "header", false);
    dt_json_add_texts(json, "missing", recipe->missing, recipe->missing_count);
    dt_json_add_text(json, "unseen", recipe->unseen == DT_UNSEEN_ERROR ? "error" : "ignore");
    dt_json_begin_object(json, "target");
    if (recipe->class_count > 0) {
        dt_json_add_text(json, "column", recipe->targets[0]);
        dt_json_add_texts(json, "classes", recipe->classes, recipe->class_count);
    } else {
        dt_json_add_texts(json, "columns", recipe->targets, recipe->T);
    }
    dt_json_end(json);
    if (recipe->weights != NULL)
        dt_json_add_text(json, "weights", recipe->weights);
    if (recipe->id != NULL)
        dt_json_add_text(json, "id", recipe->id);
    dt_json_begin_list(json, "columns");
    for (size_t i = 0; i < recipe->column_count; i++) {
        const dt_recipe_column *column = &recipe->columns[i];
        dt_json_begin_object(json, NULL);
        dt_json_add_text(json, "name", column->name);
        dt_json_add_text(json, "role", dt_recipe_role_name(column->role));
        add_format(json, &column->format);
        if (column->bare)
            dt_json_add_bool(json, "bare", true);
        if (column->role == DT_ROLE_NUMERIC)
            add_numeric(json, column);
        else if (column->role == DT_ROLE_DATE)
            add_date(json, column);
        else if (column->role == DT_ROLE_CATEGORICAL)
            add_categorical(json, column);
        add_range(json, column);
        dt_json_end(json);
    }
    dt_json_end(json);
    dt_json_add_int(json, "inputs", (int64_t)recipe->D);
}

dt_status dt_recipe_to_json(char **out, const dt_recipe *recipe)
{
    dt_status status = DT_OK;
    dt_json *json = NULL;
    *out = NULL;
    DT_TRY(dt_recipe_check(recipe, "recipe"));
    DT_TRY(dt_json_new(&json));
    add_recipe(json, recipe);
    const char *repaired = dt_json_repaired(json);
    if (repaired[0] != '\0') {
        status = dt_fail(DT_DATA,
                         "recipe: '%s' is not valid UTF-8, which JSON requires; convert the table "
                         "to UTF-8 first (iconv)",
                         repaired);
        dt_json_discard(json);
        return status;
    }
    DT_TRY(dt_json_finish(out, json));
    if (strlen(*out) > DT_RECIPE_FILE_BYTES) {
        status = dt_fail(DT_DATA,
                         "recipe: would have %zu bytes; expected at most 64 MiB. Use fewer columns "
                         "or categories, or another --scale than quantile",
                         strlen(*out));
        dt_memory_free(*out);
        *out = NULL;
    }
out:
    return status;
}
