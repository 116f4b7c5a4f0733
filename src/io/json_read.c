#include "dtrain/io/json_read.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"
#include "dtrain/io/json.h"

#include <jansson.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

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

DT_MUST_USE static dt_status fail_type(const dt_json_place *at, const char *name,
                                       const char *expected, const json_t *found)
{
    return dt_fail(DT_DATA, "%s: %s must be %s, but is %s", at->where, name, expected,
                   type_name(found));
}

/* ---- objects ---- */

dt_status dt_json_parse(dt_json_place *root, const char *text, size_t bytes, const char *where)
{
    json_error_t error = {0};
    dt_json_watch_memory();
    json_t *json = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &error);
    dt_status status = DT_OK;
    *root = (dt_json_place){0};
    (void)snprintf(root->where, sizeof root->where, "%s", where);
    if (json == NULL && (dt_json_was_short() || error.text[0] == '\0'))
        status = dt_fail(DT_MEMORY, "%s: no memory for JSON of %zu bytes", where, bytes);
    else if (json == NULL)
        status = dt_fail(DT_DATA, "%s: not valid JSON in line %d: %.160s", where, error.line,
                         error.text);
    else if (!json_is_object(json))
        status = dt_fail(DT_DATA, "%s: expected an object, but found %s", where, type_name(json));
    if (status == DT_OK)
        root->object = json;
    else
        json_decref(json);
    return status;
}

void dt_json_root_clear(dt_json_place *root)
{
    json_decref((json_t *)root->object);
    *root = (dt_json_place){0};
}

bool dt_json_has(const dt_json_place *at, const char *name)
{
    return json_object_get(at->object, name) != NULL;
}

DT_MUST_USE static dt_status find(const json_t **out, const dt_json_place *at, const char *name)
{
    *out = json_object_get(at->object, name);
    return *out != NULL ? DT_OK : dt_fail(DT_DATA, "%s: %s is missing", at->where, name);
}

dt_status dt_json_enter(dt_json_place *out, const dt_json_place *at, const char *name)
{
    dt_status status = DT_OK;
    DT_TRY(find(&out->object, at, name));
    if (!json_is_object(out->object))
        DT_TRY(fail_type(at, name, "an object", out->object));
    (void)snprintf(out->where, sizeof out->where, "%.500s: %.80s", at->where, name);
out:
    return status;
}

dt_status dt_json_enter_item(dt_json_place *out, const dt_json_place *at, const dt_json_value *list,
                             size_t index, const char *label)
{
    char name[64];
    out->object = json_array_get(list, index);
    (void)snprintf(name, sizeof name, "%s %zu", label, index + 1);
    (void)snprintf(out->where, sizeof out->where, "%.500s: %s", at->where, name);
    return json_is_object(out->object) ? DT_OK : fail_type(at, name, "an object", out->object);
}

dt_status dt_json_check_members(const dt_json_place *at, const char *const *known)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)at->object, name, value)
    {
        if (!dt_text_is_among(name, known))
            return dt_fail(DT_DATA,
                           "%s: has the member '%.60s', which this dtrain does not know; use the "
                           "dtrain that wrote the file",
                           at->where, name);
    }
    return DT_OK;
}

/* ---- values ---- */

dt_status dt_json_get_list(const dt_json_value **out, size_t *count, const dt_json_place *at,
                           const char *name)
{
    dt_status status = find(out, at, name);
    if (status == DT_OK && !json_is_array(*out))
        status = fail_type(at, name, "a list", *out);
    *count = json_array_size(*out);
    return status;
}

dt_status dt_json_get_bool(bool *out, const dt_json_place *at, const char *name)
{
    const json_t *json = NULL;
    dt_status status = find(&json, at, name);
    if (status == DT_OK && !json_is_boolean(json))
        status = fail_type(at, name, "true or false", json);
    *out = json_is_true(json);
    return status;
}

DT_MUST_USE static dt_status take_number(double *out, const json_t *json, const dt_json_place *at,
                                         const char *name)
{
    *out = json_number_value(json);
    return json_is_number(json) ? DT_OK : fail_type(at, name, "a number", json);
}

dt_status dt_json_get_number(double *out, const dt_json_place *at, const char *name, double least,
                             double below)
{
    dt_status status = DT_OK;
    const json_t *json = NULL;
    char bound[64] = "";
    DT_TRY(find(&json, at, name));
    DT_TRY(take_number(out, json, at, name));
    if (isfinite(below))
        (void)snprintf(bound, sizeof bound, " and below %g", below);
    if (!(*out >= least && *out < below))
        DT_TRY(dt_fail(DT_DATA, "%s: %s is %g, but must be at least %g%s", at->where, name, *out,
                       least, bound));
out:
    return status;
}

dt_status dt_json_get_whole(int64_t *out, const dt_json_place *at, const char *name, int64_t least,
                            int64_t most)
{
    dt_status status = DT_OK;
    const json_t *json = NULL;
    char bound[64] = "";
    DT_TRY(find(&json, at, name));
    *out = json_integer_value(json);
    if (!json_is_integer(json))
        DT_TRY(fail_type(at, name, "a whole number", json));
    if (most < INT64_MAX)
        (void)snprintf(bound, sizeof bound, " and at most %lld", (long long)most);
    if (*out < least || *out > most)
        DT_TRY(dt_fail(DT_DATA, "%s: %s is %lld, but must be at least %lld%s", at->where, name,
                       (long long)*out, (long long)least, bound));
out:
    return status;
}

DT_MUST_USE static dt_status take_text(const char **out, const json_t *json,
                                       const dt_json_place *at, const char *name)
{
    *out = json_string_value(json);
    return *out != NULL ? DT_OK : fail_type(at, name, "a text", json);
}

dt_status dt_json_get_text(const char **out, const dt_json_place *at, const char *name)
{
    const json_t *json = NULL;
    const dt_status status = find(&json, at, name);
    return status == DT_OK ? take_text(out, json, at, name) : status;
}

dt_status dt_json_get_choice(int *out, const dt_json_place *at, const char *name,
                             const char *choices)
{
    dt_status status = DT_OK;
    const char *text = NULL;
    DT_TRY(dt_json_get_text(&text, at, name));
    *out = dt_text_find_choice(choices, text);
    if (*out < 0)
        DT_TRY(dt_fail(DT_DATA, "%s: %s is '%.40s', but must be one of %s", at->where, name, text,
                       choices));
out:
    return status;
}

dt_status dt_json_get_word(char *out, size_t bytes, const dt_json_place *at, const char *name)
{
    const json_t *json = NULL;
    const dt_status status = find(&json, at, name);
    if (json_is_string(json))
        (void)snprintf(out, bytes, "%s", json_string_value(json));
    else if (json_is_integer(json))
        (void)snprintf(out, bytes, "%lld", (long long)json_integer_value(json));
    else if (json_is_real(json))
        (void)snprintf(out, bytes, "%.17g", json_real_value(json));
    else if (status == DT_OK)
        return fail_type(at, name, "a number or a text", json);
    return status;
}

/* ---- lists of values ---- */

dt_status dt_json_get_texts(char ***out, size_t *count, const dt_json_place *at, const char *name)
{
    dt_status status = DT_OK;
    const json_t *list = NULL;
    size_t found = 0;
    char label[64];
    (void)snprintf(label, sizeof label, "what is in %s", name);
    DT_TRY(dt_json_get_list(&list, &found, at, name));
    DT_TRY(dt_memory_alloc(out, found, sizeof **out, name));
    for (*count = 0; *count < found; (*count)++) {
        const char *text = NULL;
        DT_TRY(take_text(&text, json_array_get(list, *count), at, label));
        DT_TRY(dt_memory_copy_text(&(*out)[*count], text));
    }
out:
    return status;
}

dt_status dt_json_get_numbers(double **out, size_t *count, const dt_json_place *at,
                              const char *name)
{
    dt_status status = DT_OK;
    const json_t *list = NULL;
    char label[64];
    (void)snprintf(label, sizeof label, "what is in %s", name);
    DT_TRY(dt_json_get_list(&list, count, at, name));
    DT_TRY(dt_memory_alloc(out, *count, sizeof **out, name));
    for (size_t i = 0; i < *count; i++)
        DT_TRY(take_number(&(*out)[i], json_array_get(list, i), at, label));
out:
    return status;
}
