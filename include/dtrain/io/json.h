#ifndef DTRAIN_IO_JSON_H
#define DTRAIN_IO_JSON_H

#include "dtrain/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * A JSON text, built from its first member to its last. All calls are local.
 *
 * A failure is kept until dt_json_finish, so the calls between need no checks. `name` is the
 * member's name inside an object, and NULL inside a list; the names of one object must differ.
 */
typedef struct dt_json dt_json;

enum { DT_JSON_DEPTH = 16 }; /* objects and lists inside each other, the outermost included */

/** Returns the version of the jansson library, "2.14". */
const char *dt_json_version(void);

/**
 * Makes jansson allocate by functions that note if memory is short, and forgets earlier notes: its
 * parser calls a token invalid if it has no memory for it, and its writer leaves out the beginning
 * of a text. Call it before each use of jansson. Local.
 */
void dt_json_watch_memory(void);

/** Returns whether memory was short in this thread since dt_json_watch_memory. Local. */
bool dt_json_was_short(void);

/** Starts a text: one object, open. Owns: dt_json_finish frees. Errors: DT_MEMORY; *out = NULL */
DT_MUST_USE dt_status dt_json_new(dt_json **out);

/** Open an object or a list, and close the one opened last. */
void dt_json_begin_object(dt_json *json, const char *name);
void dt_json_begin_list(dt_json *json, const char *name);
void dt_json_end(dt_json *json);

/**
 * Adds a text, NULL as null. Here and in names, each byte that is not valid UTF-8 becomes U+FFFD.
 */
void dt_json_add_text(dt_json *json, const char *name, const char *text);

/** Adds a list of texts [count]. */
void dt_json_add_texts(dt_json *json, const char *name, char *const *texts, size_t count);

/** Returns the beginning of the first text that was repaired, "" if there is none. */
const char *dt_json_repaired(const dt_json *json);

void dt_json_add_int(dt_json *json, const char *name, int64_t value);

/** Adds a number with 17 digits, which give all its bits back; NaN and infinities are null. */
void dt_json_add_double(dt_json *json, const char *name, double value);

void dt_json_add_bool(dt_json *json, const char *name, bool value);
void dt_json_add_null(dt_json *json, const char *name);

/**
 * Returns the indented text with a newline at its end; closes open objects and lists; frees `json`
 * also on an error.
 *
 * Owns:    the caller frees *out with dt_memory_free
 * Errors:  DT_MEMORY; *out = NULL
 */
DT_MUST_USE dt_status dt_json_finish(char **out, dt_json *json);

/** Finishes the text and prints it to stdout; frees `json` even on an error. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_json_print(dt_json *json);

/** Discards an unfinished text; NULL is allowed. */
void dt_json_discard(dt_json *json);

#endif
