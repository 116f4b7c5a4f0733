#ifndef DTRAIN_IO_JSON_READ_H
#define DTRAIN_IO_JSON_READ_H

#include "dtrain/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The members of a JSON text, each with its type and range. All calls are local.
 *
 * Each getter fails with DT_DATA and one line if the member is missing, has another type or is out
 * of its range: "r.json: column 'age': center must be a number, but is a text".
 */

typedef struct json_t dt_json_value; /* jansson's; it lives as long as the root */

/** An object that is being read, and the beginning of its error lines. */
typedef struct dt_json_place {
    const dt_json_value *object;
    char where[600]; /* "r.json: column 'age'"; set freely */
} dt_json_place;

/**
 * Parses a text that is one object, without two members of the same name. `where` names it in error
 * lines: the file, or "m.h5: its model".
 *
 * Owns:    the caller frees the root with dt_json_root_clear
 * Errors:  DT_DATA, DT_MEMORY; the root is zeroed
 */
DT_MUST_USE dt_status dt_json_parse(dt_json_place *root, const char *text, size_t bytes,
                                    const char *where);

/** Frees what dt_json_parse made; a zeroed root is allowed. */
void dt_json_root_clear(dt_json_place *root);

bool dt_json_has(const dt_json_place *at, const char *name);

/** Enter an object: a member, or item `index` of a list, named "`label` 3" in error lines. */
DT_MUST_USE dt_status dt_json_enter(dt_json_place *out, const dt_json_place *at, const char *name);
DT_MUST_USE dt_status dt_json_enter_item(dt_json_place *out, const dt_json_place *at,
                                         const dt_json_value *list, size_t index,
                                         const char *label);

DT_MUST_USE dt_status dt_json_get_list(const dt_json_value **out, size_t *count,
                                       const dt_json_place *at, const char *name);
DT_MUST_USE dt_status dt_json_get_bool(bool *out, const dt_json_place *at, const char *name);

/** Gets a number of [least, below); -HUGE_VAL and HUGE_VAL: any. */
DT_MUST_USE dt_status dt_json_get_number(double *out, const dt_json_place *at, const char *name,
                                         double least, double below);

/** Gets a whole number, without fraction or exponent, of [least, most]. */
DT_MUST_USE dt_status dt_json_get_whole(int64_t *out, const dt_json_place *at, const char *name,
                                        int64_t least, int64_t most);

/** Gets a text, owned by the root. */
DT_MUST_USE dt_status dt_json_get_text(const char **out, const dt_json_place *at, const char *name);

/** Gets the index of a text among `choices`, "a|b|c". */
DT_MUST_USE dt_status dt_json_get_choice(int *out, const dt_json_place *at, const char *name,
                                         const char *choices);

/** Get a copy of a list. Owns: the caller frees, after an error too. Errors: DT_MEMORY too. */
DT_MUST_USE dt_status dt_json_get_texts(char ***out, size_t *count, const dt_json_place *at,
                                        const char *name);
DT_MUST_USE dt_status dt_json_get_numbers(double **out, size_t *count, const dt_json_place *at,
                                          const char *name);

/** Gets a number or a text as text, in the form that dt_options_parse_value reads. */
DT_MUST_USE dt_status dt_json_get_word(char *out, size_t bytes, const dt_json_place *at,
                                       const char *name);

/** Checks that each member is among `known`, which ends with NULL. Errors: DT_DATA. */
DT_MUST_USE dt_status dt_json_check_members(const dt_json_place *at, const char *const *known);

#endif
