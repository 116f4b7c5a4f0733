#include "dtrain/data/recipe.h"

#include "dtrain/base/memory.h"
#include "recipe_internal.h"

#include <jansson.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Where in the recipe the reader is: what every error line begins with. */
typedef struct place {
    const char *where;
    char object[112]; /* "", "target: " or "column 'age': " */
} place;

static const char *type_name(const json_t *json)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "a text";
    case JSON_INTEGER:
        return "a whole number";
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        break;
    }
    return "null";
}

DT_MUST_USE static dt_status fail_type(const place *at, const char *name, const char *expected,
                                       const json_t *found)
{
    return dt_fail(DT_DATA, "%s: %s%s must be %s, but is %s", at->where, at->object, name, expected,
                   type_name(found));
}

/* ---- members ---- */

DT_MUST_USE static dt_status find_member(const json_t **out, const json_t *object, const place *at,
                                         const char *name)
{
    *out = json_object_get(object, name);
    if (*out == NULL)
        return dt_fail(DT_DATA, "%s: %s%s is missing", at->where, at->object, name);
    return DT_OK;
}

DT_MUST_USE static dt_status find_list(const json_t **out, const json_t *object, const place *at,
                                       const char *name)
{
    dt_status status = find_member(out, object, at, name);
    if (status == DT_OK && !json_is_array(*out))
        status = fail_type(at, name, "a list", *out);
    return status;
}

DT_MUST_USE static dt_status copy_text(char **out, const json_t *json, const place *at,
                                       const char *name)
{
    if (!json_is_string(json))
        return fail_type(at, name, "a text", json);
    return dt_memory_copy_text(out, json_string_value(json));
}

DT_MUST_USE static dt_status read_text(char **out, const json_t *object, const place *at,
                                       const char *name)
{
    const json_t *json = NULL;
    dt_status status = find_member(&json, object, at, name);
    return status == DT_OK ? copy_text(out, json, at, name) : status;
}

DT_MUST_USE static dt_status read_texts(char ***out, size_t *count, const json_t *object,
                                        const place *at, const char *name)
{
    dt_status status = DT_OK;
    const json_t *list = NULL;
    char label[64];
    DT_TRY(find_list(&list, object, at, name));
    DT_TRY(dt_memory_alloc(out, json_array_size(list), sizeof **out, "texts of a recipe"));
    *count = json_array_size(list);
    (void)snprintf(label, sizeof label, "what is in %s", name);
    for (size_t i = 0; i < *count; i++)
        DT_TRY(copy_text(&(*out)[i], json_array_get(list, i), at, label));
out:
    return status;
}

DT_MUST_USE static dt_status take_number(double *out, const json_t *json, const place *at,
                                         const char *name)
{
    if (!json_is_number(json))
        return fail_type(at, name, "a number", json);
    *out = json_number_value(json);
    return DT_OK;
}

DT_MUST_USE static dt_status read_number(double *out, const json_t *object, const place *at,
                                         const char *name)
{
    const json_t *json = NULL;
    dt_status status = find_member(&json, object, at, name);
    return status == DT_OK ? take_number(out, json, at, name) : status;
}

/* Gives the index among `choices`, which is "a|b|c". */
DT_MUST_USE static dt_status read_choice(int *out, const json_t *object, const place *at,
                                         const char *name, const char *choices)
{
    dt_status status = DT_OK;
    const json_t *json = NULL;
    DT_TRY(find_member(&json, object, at, name));
    if (!json_is_string(json))
        DT_TRY(fail_type(at, name, "a text", json));
    const char *text = json_string_value(json);
    const char *choice = choices;
    for (*out = 0;; (*out)++) {
        const size_t length = strcspn(choice, "|");
        if (strlen(text) == length && memcmp(choice, text, length) == 0)
            return DT_OK;
        if (choice[length] == '\0')
            break;
        choice += length + 1;
    }
    DT_TRY(dt_fail(DT_DATA, "%s: %s%s is '%.40s', but must be one of %s", at->where, at->object,
                   name, text, choices));
out:
    return status;
}

DT_MUST_USE static dt_status read_character(char *out, const json_t *object, const place *at,
                                            const char *name)
{
    dt_status status = DT_OK;
    const json_t *json = NULL;
    DT_TRY(find_member(&json, object, at, name));
    if (!json_is_string(json))
        DT_TRY(fail_type(at, name, "a text", json));
    if (json_string_length(json) != 1)
        DT_TRY(dt_fail(DT_DATA, "%s: %s%s is '%.40s', but must be one character", at->where,
                       at->object, name, json_string_value(json)));
    *out = json_string_value(json)[0];
out:
    return status;
}

/* ---- columns ---- */

DT_MUST_USE static dt_status read_knots(dt_recipe_column *out, const json_t *object,
                                        const place *at)
{
    dt_status status = DT_OK;
    const json_t *list = NULL;
    DT_TRY(find_list(&list, object, at, "knots"));
    DT_TRY(dt_memory_alloc(&out->knots, json_array_size(list), sizeof *out->knots, "knots"));
    out->knot_count = json_array_size(list);
    for (size_t i = 0; i < out->knot_count; i++)
        DT_TRY(take_number(&out->knots[i], json_array_get(list, i), at, "what is in knots"));
out:
    return status;
}

DT_MUST_USE static dt_status read_fill(dt_recipe_column *out, const json_t *object, const place *at)
{
    int fill = 0;
    dt_status status = read_choice(&fill, object, at, "fill", DT_FILL_NAMES);
    out->fill = (dt_fill)fill;
    return status;
}

DT_MUST_USE static dt_status read_numeric(dt_recipe_column *out, const json_t *object,
                                          const place *at)
{
    dt_status status = DT_OK;
    int scale = 0;
    DT_TRY(read_choice(&scale, object, at, "scale", DT_SCALE_NAMES));
    out->scale = (dt_scale)scale;
    out->spread = 1.0;
    if (recipe_has_center(out)) {
        DT_TRY(read_number(&out->center, object, at, "center"));
        DT_TRY(read_number(&out->spread, object, at, "spread"));
    }
    if (recipe_has_knots(out))
        DT_TRY(read_knots(out, object, at));
    DT_TRY(read_fill(out, object, at));
    if (recipe_has_fill_number(out))
        DT_TRY(read_number(&out->fill_number, object, at, "fill_number"));
out:
    return status;
}

DT_MUST_USE static dt_status read_categorical(dt_recipe_column *out, const json_t *object,
                                              const place *at)
{
    dt_status status = DT_OK;
    const json_t *rare = NULL;
    DT_TRY(read_texts(&out->categories, &out->category_count, object, at, "categories"));
    DT_TRY(find_member(&rare, object, at, "rare"));
    if (!json_is_boolean(rare))
        DT_TRY(fail_type(at, "rare", "true or false", rare));
    out->rare = json_is_true(rare);
    DT_TRY(read_fill(out, object, at));
    if (recipe_has_fill_text(out) && json_object_get(object, "fill_text") != NULL)
        DT_TRY(read_text(&out->fill_text, object, at, "fill_text"));
out:
    return status;
}

/* A number that would not be used is more likely a slip of who wrote it than meant to be idle. */
DT_MUST_USE static dt_status check_members(const dt_recipe_column *column, const json_t *object,
                                           const place *at)
{
    const bool numeric = column->role == DT_ROLE_NUMERIC;
    const bool categorical = column->role == DT_ROLE_CATEGORICAL;
    const struct {
        const char *name;
        bool applies;
    } members[] = {
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
        if (!members[i].applies && json_object_get(object, members[i].name) != NULL)
            return dt_fail(DT_DATA, "%s: %s%s has no meaning for its role, scale and fill",
                           at->where, at->object, members[i].name);
    return DT_OK;
}

DT_MUST_USE static dt_status read_column(dt_recipe_column *out, const json_t *object, place *at)
{
    dt_status status = DT_OK;
    int role = 0;
    if (!json_is_object(object))
        DT_TRY(fail_type(at, "it", "an object", object));
    DT_TRY(read_text(&out->name, object, at, "name"));
    if (out->name[0] != '\0') /* else its number is said */
        (void)snprintf(at->object, sizeof at->object, "column '%.80s': ", out->name);
    DT_TRY(read_choice(&role, object, at, "role", DT_ROLE_NAMES));
    out->role = (dt_role)role;
    if (out->role == DT_ROLE_NUMERIC)
        DT_TRY(read_numeric(out, object, at));
    else if (out->role == DT_ROLE_CATEGORICAL)
        DT_TRY(read_categorical(out, object, at));
    DT_TRY(check_members(out, object, at));
out:
    return status;
}

DT_MUST_USE static dt_status read_columns(dt_recipe *out, const json_t *root, const place *at)
{
    dt_status status = DT_OK;
    const json_t *list = NULL;
    DT_TRY(find_list(&list, root, at, "columns"));
    const size_t count = json_array_size(list);
    DT_TRY(dt_memory_alloc(&out->columns, count, sizeof *out->columns, "columns of a recipe"));
    out->column_count = count;
    for (size_t i = 0; i < count; i++) {
        place column = {.where = at->where};
        (void)snprintf(column.object, sizeof column.object, "column %zu: ", i + 1);
        DT_TRY(read_column(&out->columns[i], json_array_get(list, i), &column));
    }
out:
    return status;
}

/* ---- the whole ---- */

DT_MUST_USE static dt_status check_version(const json_t *root, const place *at)
{
    const json_t *version = json_object_get(root, "dtrain_recipe");
    if (version == NULL)
        return dt_fail(DT_DATA,
                       "%s: no recipe: dtrain_recipe is missing; expected the recipe.json that "
                       "'dtrain prepare' wrote",
                       at->where);
    if (!json_is_integer(version))
        return fail_type(at, "dtrain_recipe", "a whole number", version);
    if (json_integer_value(version) != DT_RECIPE_VERSION)
        return dt_fail(DT_DATA,
                       "%s: a recipe of version %lld, but this dtrain reads version %d; use the "
                       "dtrain that wrote it, or prepare the table again",
                       at->where, (long long)json_integer_value(version), DT_RECIPE_VERSION);
    return DT_OK;
}

DT_MUST_USE static dt_status read_target(dt_recipe *out, char **column, const json_t *root,
                                         const place *at)
{
    dt_status status = DT_OK;
    const place inside = {.where = at->where, .object = "target: "};
    const json_t *target = NULL;
    DT_TRY(find_member(&target, root, at, "target"));
    if (!json_is_object(target))
        DT_TRY(fail_type(at, "target", "an object", target));
    DT_TRY(read_text(column, target, &inside, "column"));
    DT_TRY(read_texts(&out->classes, &out->class_count, target, &inside, "classes"));
out:
    return status;
}

DT_MUST_USE static dt_status read_inputs(dt_recipe *out, const json_t *root, const place *at)
{
    dt_status status = DT_OK;
    const json_t *inputs = NULL;
    DT_TRY(find_member(&inputs, root, at, "inputs"));
    if (!json_is_integer(inputs))
        DT_TRY(fail_type(at, "inputs", "a whole number", inputs));
    if (json_integer_value(inputs) < 1)
        DT_TRY(dt_fail(DT_DATA, "%s: inputs is %lld, but must be at least 1", at->where,
                       (long long)json_integer_value(inputs)));
    out->D = (size_t)json_integer_value(inputs);
out:
    return status;
}

DT_MUST_USE static dt_status check_target(const dt_recipe *recipe, const char *column,
                                          const char *where)
{
    for (size_t i = 0; i < recipe->column_count; i++)
        if (recipe->columns[i].role == DT_ROLE_TARGET &&
            strcmp(recipe->columns[i].name, column) != 0)
            return dt_fail(DT_DATA, "%s: target is column '%.80s', but the role target has '%.80s'",
                           where, column, recipe->columns[i].name);
    return DT_OK;
}

DT_MUST_USE static dt_status read_root(dt_recipe *out, const json_t *root, const char *where)
{
    dt_status status = DT_OK;
    const place at = {.where = where};
    char *target = NULL;
    int unseen = 0;
    if (!json_is_object(root))
        DT_TRY(fail_type(&at, "a recipe", "an object", root));
    DT_TRY(check_version(root, &at));
    DT_TRY(read_character(&out->separator, root, &at, "separator"));
    DT_TRY(read_character(&out->decimal, root, &at, "decimal"));
    DT_TRY(read_texts(&out->missing, &out->missing_count, root, &at, "missing"));
    DT_TRY(read_choice(&unseen, root, &at, "unseen", DT_UNSEEN_NAMES));
    out->unseen = (dt_unseen)unseen;
    DT_TRY(read_target(out, &target, root, &at));
    DT_TRY(read_columns(out, root, &at));
    DT_TRY(read_inputs(out, root, &at));
    DT_TRY(dt_recipe_check(out, where));
    DT_TRY(check_target(out, target, where));
out:
    dt_memory_free(target);
    return status;
}

dt_status dt_recipe_from_json(dt_recipe *out, const char *json, size_t bytes, const char *where)
{
    dt_status status = DT_OK;
    dt_recipe recipe = {0};
    json_error_t error = {0};
    json_t *root = NULL;
    memset(out, 0, sizeof *out);
    if (bytes > DT_RECIPE_FILE_BYTES)
        DT_TRY(dt_fail(DT_DATA, "%s: a recipe of more than 64 MiB", where));
    root = json_loadb(json, bytes, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL && error.text[0] == '\0') /* jansson has no words for a lack of memory */
        DT_TRY(dt_fail(DT_MEMORY, "%s: no memory for a recipe of %zu bytes", where, bytes));
    if (root == NULL)
        DT_TRY(dt_fail(DT_DATA, "%s: no valid JSON in line %d: %.160s", where, error.line,
                       error.text));
    DT_TRY(read_root(&recipe, root, where));
    *out = recipe;
    recipe = (dt_recipe){0};
out:
    json_decref(root);
    dt_recipe_clear(&recipe);
    return status;
}

/* Grown as the bytes come: the size of a file that is a pipe is not known. */
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
