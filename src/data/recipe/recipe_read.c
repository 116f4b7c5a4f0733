#include "dtrain/data/recipe.h"

#include "dtrain/base/memory.h"
#include "dtrain/io/json_read.h"
#include "recipe_internal.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

DT_MUST_USE static dt_status read_text(char **out, const dt_json_place *at, const char *name)
{
    const char *text = NULL;
    const dt_status status = dt_json_get_text(&text, at, name);
    return status == DT_OK ? dt_memory_copy_text(out, text) : status;
}

DT_MUST_USE static dt_status read_number(double *out, const dt_json_place *at, const char *name)
{
    return dt_json_get_number(out, at, name, -HUGE_VAL, HUGE_VAL);
}

DT_MUST_USE static dt_status read_character(char *out, const dt_json_place *at, const char *name)
{
    const char *text = NULL;
    dt_status status = dt_json_get_text(&text, at, name);
    if (status == DT_OK && strlen(text) != 1)
        status =
            dt_fail(DT_DATA, "%s: %s is '%.40s', but must be one character", at->where, name, text);
    *out = status == DT_OK ? text[0] : '\0';
    return status;
}

/* ---- columns ---- */

DT_MUST_USE static dt_status read_fill(dt_recipe_column *out, const dt_json_place *at)
{
    int fill = 0;
    dt_status status = dt_json_get_choice(&fill, at, "fill", DT_FILL_NAMES);
    out->fill = (dt_fill)fill;
    return status;
}

DT_MUST_USE static dt_status read_format(dt_number_format *out, const dt_json_place *at)
{
    dt_status status = DT_OK;
    const char *unit = NULL;
    if (dt_json_has(at, "decimal"))
        DT_TRY(read_character(&out->decimal, at, "decimal"));
    if (dt_json_has(at, "thousands"))
        DT_TRY(read_character(&out->group, at, "thousands"));
    if (dt_json_has(at, "unit")) {
        DT_TRY(dt_json_get_text(&unit, at, "unit"));
        if (unit[0] == '\0' || strlen(unit) >= sizeof out->unit)
            DT_TRY(dt_fail(DT_DATA, "%s: unit is '%.40s', but must have 1 to %zu bytes", at->where,
                           unit, sizeof out->unit - 1));
        memcpy(out->unit, unit, strlen(unit) + 1);
    }
out:
    return status;
}

DT_MUST_USE static dt_status read_range(dt_recipe_column *out, const dt_json_place *at)
{
    dt_status status = DT_OK;
    out->has_range =
        dt_json_has(at, "minimum") || dt_json_has(at, "maximum") || dt_json_has(at, "margin");
    if (!out->has_range)
        return DT_OK;
    DT_TRY(read_number(&out->minimum, at, "minimum"));
    DT_TRY(read_number(&out->maximum, at, "maximum"));
    DT_TRY(read_number(&out->margin, at, "margin"));
out:
    return status;
}

DT_MUST_USE static dt_status read_numeric(dt_recipe_column *out, const dt_json_place *at)
{
    dt_status status = DT_OK;
    int scale = 0;
    DT_TRY(dt_json_get_choice(&scale, at, "scale", DT_SCALE_NAMES));
    out->scale = (dt_scale)scale;
    out->spread = 1.0;
    if (recipe_has_center(out)) {
        DT_TRY(read_number(&out->center, at, "center"));
        DT_TRY(read_number(&out->spread, at, "spread"));
    }
    if (recipe_has_knots(out))
        DT_TRY(dt_json_get_numbers(&out->knots, &out->knot_count, at, "knots"));
    DT_TRY(read_fill(out, at));
    if (recipe_has_fill_number(out))
        DT_TRY(read_number(&out->fill_number, at, "fill_number"));
out:
    return status;
}

/* The parts' texts, each at most once. */
DT_MUST_USE static dt_status take_parts(dt_recipe_column *out, char *const *texts, size_t count,
                                        const char *where)
{
    for (size_t i = 0; i < count; i++) {
        int part = 0;
        while (part < DT_PART_COUNT &&
               strcmp(texts[i], dt_recipe_part_name((dt_date_part)part)) != 0)
            part++;
        if (part == DT_PART_COUNT || out->parts[part])
            return dt_fail(
                DT_DATA,
                "%s: parts has '%.40s', but must have month, weekday, hour, each at most "
                "once",
                where, texts[i]);
        out->parts[part] = true;
    }
    return DT_OK;
}

/* One sign or none. */
DT_MUST_USE static dt_status read_divider(dt_recipe_column *out, const dt_json_place *at)
{
    const char *text = NULL;
    out->has_divider = dt_json_has(at, "divider");
    if (!out->has_divider)
        return DT_OK;
    const dt_status status = dt_json_get_text(&text, at, "divider");
    if (status != DT_OK)
        return status;
    if (strlen(text) > 1 || (text[0] != '\0' && strchr(DT_RECIPE_DIVIDERS, text[0]) == NULL))
        return dt_fail(DT_DATA, "%s: divider is '%.40s', but must be - / . a blank or nothing",
                       at->where, text);
    out->divider = text[0];
    return DT_OK;
}

DT_MUST_USE static dt_status read_date(dt_recipe_column *out, const dt_json_place *at)
{
    dt_status status = DT_OK;
    char **texts = NULL;
    size_t count = 0;
    int order = 0;
    DT_TRY(dt_json_get_choice(&order, at, "order", DT_DATE_NAMES));
    out->order = (dt_date_order)(order + DT_DATE_YMD);
    DT_TRY(dt_json_get_texts(&texts, &count, at, "parts"));
    DT_TRY(take_parts(out, texts, count, at->where));
    DT_TRY(read_divider(out, at));
    if (dt_json_has(at, "short_years"))
        DT_TRY(dt_json_get_bool(&out->short_years, at, "short_years"));
    DT_TRY(read_numeric(out, at));
out:
    dt_memory_free_texts(texts, count);
    return status;
}

DT_MUST_USE static dt_status read_categorical(dt_recipe_column *out, const dt_json_place *at)
{
    dt_status status = DT_OK;
    DT_TRY(dt_json_get_texts(&out->categories, &out->category_count, at, "categories"));
    DT_TRY(dt_json_get_bool(&out->rare, at, "rare"));
    DT_TRY(read_fill(out, at));
    if (recipe_has_fill_text(out) && dt_json_has(at, "fill_text"))
        DT_TRY(read_text(&out->fill_text, at, "fill_text"));
out:
    return status;
}

/* A number without a use is more likely an error than intended. */
DT_MUST_USE static dt_status check_members(const dt_recipe_column *column, const dt_json_place *at)
{
    const bool date = column->role == DT_ROLE_DATE;
    const bool numeric = dt_recipe_is_number(column->role);
    const bool categorical = column->role == DT_ROLE_CATEGORICAL;
    const bool writes_numbers = !categorical && !date && column->role != DT_ROLE_DROPPED;
    const bool has_range = numeric || column->role == DT_ROLE_TARGET;
    const struct {
        const char *name;
        bool applies;
    } members[] = {
        {"decimal", writes_numbers},
        {"thousands", writes_numbers},
        {"unit", writes_numbers},
        {"bare", column->format.unit[0] != '\0'},
        {"order", date},
        {"parts", date},
        {"divider", date},
        {"short_years", date},
        {"minimum", has_range},
        {"maximum", has_range},
        {"margin", has_range},
        {"scale", numeric},
        {"center", recipe_has_center(column)},
        {"spread", recipe_has_center(column)},
        {"knots", recipe_has_knots(column)},
        {"categories", categorical},
        {"rare", categorical},
        {"fill", numeric || categorical},
        {"fill_number", recipe_has_fill_number(column)},
        {"fill_text", recipe_has_fill_text(column)},
    };
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (!members[i].applies && dt_json_has(at, members[i].name))
            return dt_fail(DT_DATA, "%s: %s has no meaning for its role, scale and fill", at->where,
                           members[i].name);
    return DT_OK;
}

DT_MUST_USE static dt_status read_column(dt_recipe_column *out, dt_json_place *at,
                                         const char *where)
{
    dt_status status = DT_OK;
    int role = 0;
    DT_TRY(read_text(&out->name, at, "name"));
    if (out->name[0] != '\0') /* else its number is said */
        (void)snprintf(at->where, sizeof at->where, "%.500s: column '%.80s'", where, out->name);
    DT_TRY(dt_json_get_choice(&role, at, "role", DT_ROLE_NAMES));
    out->role = (dt_role)role;
    DT_TRY(read_format(&out->format, at));
    if (dt_json_has(at, "bare"))
        DT_TRY(dt_json_get_bool(&out->bare, at, "bare"));
    if (dt_recipe_is_number(out->role) || out->role == DT_ROLE_TARGET)
        DT_TRY(read_range(out, at));
    if (out->role == DT_ROLE_NUMERIC)
        DT_TRY(read_numeric(out, at));
    else if (out->role == DT_ROLE_DATE)
        DT_TRY(read_date(out, at));
    else if (out->role == DT_ROLE_CATEGORICAL)
        DT_TRY(read_categorical(out, at));
    DT_TRY(check_members(out, at));
out:
    return status;
}

DT_MUST_USE static dt_status read_columns(dt_recipe *out, const dt_json_place *root)
{
    dt_status status = DT_OK;
    const dt_json_value *list = NULL;
    size_t count = 0;
    DT_TRY(dt_json_get_list(&list, &count, root, "columns"));
    DT_TRY(dt_memory_alloc(&out->columns, count, sizeof *out->columns, "columns of a recipe"));
    out->column_count = count;
    for (size_t i = 0; i < count; i++) {
        dt_json_place column;
        DT_TRY(dt_json_enter_item(&column, root, list, i, "column"));
        DT_TRY(read_column(&out->columns[i], &column, root->where));
    }
out:
    return status;
}

/* ---- the whole ---- */

DT_MUST_USE static dt_status check_version(const dt_json_place *root)
{
    dt_status status = DT_OK;
    int64_t version = 0;
    if (!dt_json_has(root, "dtrain_recipe"))
        return dt_fail(DT_DATA,
                       "%s: is not a recipe: dtrain_recipe is missing; expected the recipe.json "
                       "that 'dtrain prepare' wrote",
                       root->where);
    DT_TRY(dt_json_get_whole(&version, root, "dtrain_recipe", INT64_MIN, INT64_MAX));
    if (version != DT_RECIPE_VERSION)
        DT_TRY(dt_fail(DT_DATA,
                       "%s: a recipe of version %lld, but this dtrain reads version %d; use the "
                       "dtrain that wrote it, or prepare the table again",
                       root->where, (long long)version, DT_RECIPE_VERSION));
out:
    return status;
}

/* "column" and "classes", or "columns" of values. */
DT_MUST_USE static dt_status read_target(dt_recipe *out, const dt_json_place *root)
{
    dt_status status = DT_OK;
    dt_json_place inside;
    DT_TRY(dt_json_enter(&inside, root, "target"));
    if (!dt_json_has(&inside, "columns")) {
        DT_TRY(dt_memory_alloc(&out->targets, 1, sizeof *out->targets, "texts of a recipe"));
        out->T = 1;
        DT_TRY(read_text(&out->targets[0], &inside, "column"));
        DT_TRY(dt_json_get_texts(&out->classes, &out->class_count, &inside, "classes"));
        if (out->class_count == 0) /* which would mean values */
            DT_TRY(dt_fail(DT_DATA, "%s: the target has no classes", root->where));
        goto out;
    }
    if (dt_json_has(&inside, "column") || dt_json_has(&inside, "classes"))
        DT_TRY(dt_fail(DT_DATA,
                       "%s: columns are values, which cannot be combined with column and classes",
                       inside.where));
    DT_TRY(dt_json_get_texts(&out->targets, &out->T, &inside, "columns"));
out:
    return status;
}

DT_MUST_USE static dt_status read_root(dt_recipe *out, const dt_json_place *root)
{
    dt_status status = DT_OK;
    int unseen = 0;
    int64_t inputs = 0;
    DT_TRY(check_version(root));
    DT_TRY(read_character(&out->separator, root, "separator"));
    DT_TRY(read_character(&out->decimal, root, "decimal"));
    bool header = true;
    if (dt_json_has(root, "header"))
        DT_TRY(dt_json_get_bool(&header, root, "header"));
    out->headerless = !header;
    DT_TRY(dt_json_get_texts(&out->missing, &out->missing_count, root, "missing"));
    DT_TRY(dt_json_get_choice(&unseen, root, "unseen", DT_UNSEEN_NAMES));
    out->unseen = (dt_unseen)unseen;
    DT_TRY(read_target(out, root));
    if (dt_json_has(root, "weights"))
        DT_TRY(read_text(&out->weights, root, "weights"));
    if (dt_json_has(root, "id"))
        DT_TRY(read_text(&out->id, root, "id"));
    DT_TRY(read_columns(out, root));
    DT_TRY(dt_json_get_whole(&inputs, root, "inputs", 1, INT64_MAX));
    out->D = (size_t)inputs;
    DT_TRY(dt_recipe_check(out, root->where));
out:
    return status;
}

dt_status dt_recipe_from_json(dt_recipe *out, const char *json, size_t bytes, const char *where)
{
    dt_status status = DT_OK;
    dt_recipe recipe = {0};
    dt_json_place root = {0};
    memset(out, 0, sizeof *out);
    if (bytes > DT_RECIPE_FILE_BYTES)
        DT_TRY(dt_fail(DT_DATA, "%s: a recipe of more than 64 MiB", where));
    DT_TRY(dt_json_parse(&root, json, bytes, where));
    DT_TRY(read_root(&recipe, &root));
    *out = recipe;
    recipe = (dt_recipe){0};
out:
    dt_json_root_clear(&root);
    dt_recipe_clear(&recipe);
    return status;
}

/* Grown while reading, because the size of a pipe is not known. */
DT_MUST_USE static dt_status read_file(char **out, size_t *bytes, FILE *file, const char *path)
{
    dt_status status = DT_OK;
    size_t room = 0;
    *bytes = 0;
    do {
        const size_t more = room == 0 ? 65536 : 2 * room;
        DT_TRY(dt_memory_grow(out, *bytes, more, 1, path));
        room = more;
        *bytes += fread(*out + *bytes, 1, room - *bytes, file);
    } while (*bytes == room && room <= DT_RECIPE_FILE_BYTES);
    if (ferror(file))
        DT_TRY(dt_fail(DT_DATA, "%s: cannot be read: %s", path, strerror(errno)));
out:
    return status;
}

dt_status dt_recipe_load(dt_recipe *out, const char *path)
{
    dt_status status = DT_OK;
    char *text = NULL;
    size_t bytes = 0;
    memset(out, 0, sizeof *out);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        DT_TRY(dt_fail(DT_DATA, "%s: cannot be opened: %s", path, strerror(errno)));
    DT_TRY(read_file(&text, &bytes, file, path));
    DT_TRY(dt_recipe_from_json(out, text, bytes, path));
out:
    dt_memory_free(text);
    if (file != NULL)
        (void)fclose(file);
    return status;
}
