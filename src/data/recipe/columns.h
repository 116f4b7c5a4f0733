#ifndef DTRAIN_DATA_COLUMNS_H
#define DTRAIN_DATA_COLUMNS_H

/* The columns of a table, as options name them. */

#include "dtrain/base/status.h"

#include <stdbool.h>
#include <stddef.h>

/* Borrowed. */
typedef struct dt_columns {
    const char *path; /* for error lines */
    const char *const *names; /* [count] */
    size_t count;
    bool nameless; /* the table has no header */
} dt_columns;

/**
 * Finds a column by its name; by its number, "#3", or "3" if the table has no header; by what
 * pandas calls one without a name, "Unnamed: 2"; by its name in another case (ASCII), if one column
 * alone has it. A column that is called so goes first.
 *
 * Calls:   local
 * Errors:  DT_DATA: there is none; the nearest name is given
 */
DT_MUST_USE dt_status dt_column_find(size_t *out, const dt_columns *columns, const char *name);

/** Fails with `code` since a column is not there, and gives the nearest name that is. Local. */
DT_MUST_USE dt_status dt_column_fail(dt_status code, const char *path, const char *column,
                                     const char *const *names, size_t count);

#endif
