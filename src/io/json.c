#include "dtrain/io/json.h"

#include "dtrain/base/fault.h"
#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"

#include <jansson.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct dt_json {
    json_t *open[DT_JSON_DEPTH]; /* each is inside the one before; open[0] is the root */
    unsigned depth; /* of the innermost */
    bool failed; /* memory was short */
    char repaired[81]; /* the first text that was not valid UTF-8; "": none */
};

static _Thread_local bool was_short;

static void *allocate(size_t bytes)
{
    void *block = dt_fault("json") ? NULL : malloc(bytes);
    was_short = was_short || block == NULL;
    return block;
}

const char *dt_json_version(void)
{
#if JANSSON_VERSION_HEX >= 0x020d00
    return jansson_version_str();
#else
    return JANSSON_VERSION; /* of the header; such a library does not know its own */
#endif
}

void dt_json_watch_memory(void)
{
    was_short = false;
    json_set_alloc_funcs(allocate, free);
}

bool dt_json_was_short(void)
{
    return was_short;
}

dt_status dt_json_new(dt_json **out)
{
    dt_json_watch_memory();
    dt_status status = dt_memory_alloc(out, 1, sizeof **out, "JSON text");
    if (status != DT_OK)
        return status;
    (*out)->open[0] = json_object();
    (*out)->failed = (*out)->open[0] == NULL;
    return DT_OK;
}

/* Returns the length of the UTF-8 sequence at `at`, or 0 if it is not valid (overlong, a surrogate,
 * beyond U+10FFFF), because jansson refuses such a sequence. */
static size_t sequence_bytes(const unsigned char *at)
{
    const size_t bytes = at[0] < 0x80 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    if ((at[0] >= 0x80 && at[0] < 0xc2) || at[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < bytes; i++)
        if ((at[i] & 0xc0) != 0x80) /* the NUL is none either */
            return 0;
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
        (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
        return 0;
    return bytes;
}

/* Texts from files may be anything. Returns a copy that is valid, or NULL when memory is short. */
static char *repair(dt_json *json, const char *text)
{
    char *repaired = NULL;
    size_t used = 0;
    if (dt_memory_alloc(&repaired, 3 * strlen(text) + 1, 1, "JSON text") != DT_OK)
        return NULL;
    for (const char *at = text; *at != '\0';) {
        const size_t bytes = sequence_bytes((const unsigned char *)at);
        memcpy(repaired + used, bytes > 0 ? at : "\xef\xbf\xbd", bytes > 0 ? bytes : 3);
        used += bytes > 0 ? bytes : 3;
        at += bytes > 0 ? bytes : 1;
        if (bytes == 0 && json->repaired[0] == '\0')
            (void)snprintf(json->repaired, sizeof json->repaired, "%s", text);
    }
    return repaired;
}

/* Takes over the reference to `value`, which is NULL if memory was short. */
static void add(dt_json *json, const char *name, json_t *value)
{
    json_t *parent = json->open[json->depth];
    char *key = NULL;
    if (json->failed) {
        json_decref(value);
        return;
    }
    DT_ASSERT(json_is_object(parent) == (name != NULL));
    if (name == NULL) {
        json->failed = json_array_append_new(parent, value) != 0;
        return;
    }
    key = repair(json, name);
    json->failed = key == NULL || value == NULL;
    if (json->failed)
        json_decref(value);
    else
        json->failed = json_object_set_new(parent, key, value) != 0;
    dt_memory_free(key);
}

static void begin(dt_json *json, const char *name, json_t *value)
{
    add(json, name, value);
    DT_ASSERT(json->depth + 1 < DT_JSON_DEPTH);
    json->open[++json->depth] = value;
}

void dt_json_begin_object(dt_json *json, const char *name)
{
    begin(json, name, json_object());
}

void dt_json_begin_list(dt_json *json, const char *name)
{
    begin(json, name, json_array());
}

void dt_json_end(dt_json *json)
{
    DT_ASSERT(json->depth > 0);
    json->depth--;
}

void dt_json_add_text(dt_json *json, const char *name, const char *text)
{
    char *repaired = text == NULL ? NULL : repair(json, text);
    add(json, name, text == NULL ? json_null() : json_string(repaired));
    dt_memory_free(repaired);
}

void dt_json_add_texts(dt_json *json, const char *name, char *const *texts, size_t count)
{
    dt_json_begin_list(json, name);
    for (size_t i = 0; i < count; i++)
        dt_json_add_text(json, NULL, texts[i]);
    dt_json_end(json);
}

const char *dt_json_repaired(const dt_json *json)
{
    return json->repaired;
}

void dt_json_add_int(dt_json *json, const char *name, int64_t value)
{
    add(json, name, json_integer((json_int_t)value));
}

void dt_json_add_double(dt_json *json, const char *name, double value)
{
    add(json, name, isfinite(value) ? json_real(value) : json_null());
}

void dt_json_add_bool(dt_json *json, const char *name, bool value)
{
    add(json, name, json_boolean(value));
}

void dt_json_add_null(dt_json *json, const char *name)
{
    add(json, name, json_null());
}

dt_status dt_json_finish(char **out, dt_json *json)
{
    dt_status status = DT_OK;
    char *text = NULL;
    *out = NULL;
    if (!json->failed)
        text = json_dumps(json->open[0],
                          JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(17));
    if (text == NULL || dt_json_was_short())
        DT_TRY(dt_fail(DT_MEMORY, "no memory for a JSON text"));
    const size_t length = strlen(text);
    DT_TRY(dt_memory_alloc(out, length + 2, 1, "JSON text"));
    memcpy(*out, text, length);
    (*out)[length] = '\n';
out:
    free(text);
    dt_json_discard(json);
    return status;
}

dt_status dt_json_print(dt_json *json)
{
    char *text = NULL;
    dt_status status = dt_json_finish(&text, json);
    if (status == DT_OK)
        dt_log_result("%s", text);
    dt_memory_free(text);
    return status;
}

void dt_json_discard(dt_json *json)
{
    if (json == NULL)
        return;
    json_decref(json->open[0]);
    dt_memory_free(json);
}
