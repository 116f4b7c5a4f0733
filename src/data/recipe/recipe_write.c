#include "dtrain/data/recipe.h"

#include "dtrain/base/memory.h"
#include "recipe_internal.h"

#include <jansson.h>

#include <stdlib.h>
#include <string.h>

/* Takes the reference to `value`, which is NULL when memory was short. */
DT_MUST_USE static dt_status set(json_t *object, const char *name, json_t *value)
{
    if (object != NULL && json_object_set_new(object, name, value) == 0)
        return DT_OK;
    return dt_fail(DT_MEMORY, "no memory for the %s of a recipe", name);
}

DT_MUST_USE static dt_status make_text(json_t **out, const char *text)
{
    *out = json_string(text);
    if (*out != NULL)
        return DT_OK;
    json_t *unchecked = json_string_nocheck(text);
    if (unchecked == NULL)
        return dt_fail(DT_MEMORY, "no memory for a text of a recipe");
    json_decref(unchecked);
    return dt_fail(DT_DATA,
                   "recipe: '%.80s' is no valid UTF-8, which JSON needs; convert the table to "
                   "UTF-8 first (iconv)",
                   text);
}

DT_MUST_USE static dt_status set_text(json_t *object, const char *name, const char *text)
{
    json_t *json = NULL;
    dt_status status = make_text(&json, text);
    return status == DT_OK ? set(object, name, json) : status;
}

DT_MUST_USE static dt_status set_texts(json_t *object, const char *name, char *const *texts,
                                       size_t count)
{
    dt_status status = DT_OK;
    json_t *list = json_array();
    DT_TRY(set(object, name, list));
    for (size_t i = 0; i < count; i++) {
        json_t *json = NULL;
        DT_TRY(make_text(&json, texts[i]));
        if (json_array_append_new(list, json) != 0)
            DT_TRY(dt_fail(DT_MEMORY, "no memory for the %s of a recipe", name));
    }
out:
    return status;
}

DT_MUST_USE static dt_status set_knots(json_t *object, const dt_recipe_column *column)
{
    json_t *list = json_array();
    dt_status status = set(object, "knots", list);
    for (size_t i = 0; status == DT_OK && i < column->knot_count; i++)
        if (json_array_append_new(list, json_real(column->knots[i])) != 0)
            status = dt_fail(DT_MEMORY, "no memory for the knots of a recipe");
    return status;
}

DT_MUST_USE static dt_status describe_numeric(json_t *object, const dt_recipe_column *column)
{
    dt_status status = DT_OK;
    DT_TRY(set_text(object, "scale", dt_recipe_scale_name(column->scale)));
    if (recipe_has_center(column)) {
        DT_TRY(set(object, "center", json_real(column->center)));
        DT_TRY(set(object, "spread", json_real(column->spread)));
    }
    if (recipe_has_knots(column))
        DT_TRY(set_knots(object, column));
    DT_TRY(set_text(object, "fill", dt_recipe_fill_name(column->fill)));
    if (recipe_has_fill_number(column))
        DT_TRY(set(object, "fill_number", json_real(column->fill_number)));
out:
    return status;
}

DT_MUST_USE static dt_status describe_categorical(json_t *object, const dt_recipe_column *column)
{
    dt_status status = DT_OK;
    DT_TRY(set_texts(object, "categories", column->categories, column->category_count));
    DT_TRY(set(object, "rare", json_boolean(column->rare)));
    DT_TRY(set_text(object, "fill", dt_recipe_fill_name(column->fill)));
    if (recipe_has_fill_text(column) && column->fill_text != NULL)
        DT_TRY(set_text(object, "fill_text", column->fill_text));
out:
    return status;
}

DT_MUST_USE static dt_status describe_columns(json_t *root, const dt_recipe *recipe)
{
    dt_status status = DT_OK;
    json_t *list = json_array();
    DT_TRY(set(root, "columns", list));
    for (size_t i = 0; i < recipe->column_count; i++) {
        const dt_recipe_column *column = &recipe->columns[i];
        json_t *object = json_object();
        if (json_array_append_new(list, object) != 0)
            DT_TRY(dt_fail(DT_MEMORY, "no memory for the columns of a recipe"));
        DT_TRY(set_text(object, "name", column->name));
        DT_TRY(set_text(object, "role", dt_recipe_role_name(column->role)));
        if (column->role == DT_ROLE_NUMERIC)
            DT_TRY(describe_numeric(object, column));
        else if (column->role == DT_ROLE_CATEGORICAL)
            DT_TRY(describe_categorical(object, column));
    }
out:
    return status;
}

DT_MUST_USE static dt_status describe_target(json_t *root, const dt_recipe *recipe)
{
    dt_status status = DT_OK;
    json_t *object = json_object();
    DT_TRY(set(root, "target", object));
    for (size_t i = 0; i < recipe->column_count; i++)
        if (recipe->columns[i].role == DT_ROLE_TARGET)
            DT_TRY(set_text(object, "column", recipe->columns[i].name));
    DT_TRY(set_texts(object, "classes", recipe->classes, recipe->class_count));
out:
    return status;
}

DT_MUST_USE static dt_status describe(json_t *root, const dt_recipe *recipe)
{
    dt_status status = DT_OK;
    const char separator[] = {recipe->separator, '\0'};
    const char decimal[] = {recipe->decimal, '\0'};
    DT_TRY(set(root, "dtrain_recipe", json_integer(DT_RECIPE_VERSION)));
    DT_TRY(set_text(root, "separator", separator));
    DT_TRY(set_text(root, "decimal", decimal));
    DT_TRY(set_texts(root, "missing", recipe->missing, recipe->missing_count));
    DT_TRY(set_text(root, "unseen", recipe->unseen == DT_UNSEEN_ERROR ? "error" : "ignore"));
    DT_TRY(describe_target(root, recipe));
    DT_TRY(describe_columns(root, recipe));
    DT_TRY(set(root, "inputs", json_integer((json_int_t)recipe->D)));
out:
    return status;
}

dt_status dt_recipe_to_json(char **out, const dt_recipe *recipe)
{
    dt_status status = DT_OK;
    json_t *root = json_object();
    char *text = NULL;
    *out = NULL;
    DT_TRY(dt_recipe_check(recipe, "recipe"));
    DT_TRY(describe(root, recipe));
    /* 17 digits give every double back. */
    text = json_dumps(root, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(17));
    if (text == NULL)
        DT_TRY(dt_fail(DT_MEMORY, "no memory for the text of a recipe"));
    const size_t length = strlen(text);
    if (length >= DT_RECIPE_FILE_BYTES)
        DT_TRY(dt_fail(DT_DATA,
                       "recipe: would have %zu bytes, but at most 64 MiB are read; use fewer "
                       "columns or categories, or not --scale quantile",
                       length));
    DT_TRY(dt_memory_alloc(out, length + 2, 1, "text of a recipe"));
    memcpy(*out, text, length);
    (*out)[length] = '\n';
out:
    free(text);
    json_decref(root);
    return status;
}
