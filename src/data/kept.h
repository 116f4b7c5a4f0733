#ifndef DTRAIN_DATA_KEPT_H
#define DTRAIN_DATA_KEPT_H

/* Columns of a table that are copied to the output. All calls are local. */

#include "dtrain/base/status.h"
#include "dtrain/io/csv.h"
#include "recipe/columns.h"

#include <stddef.h>

typedef struct dt_kept {
    size_t *columns; /* [count]: the table's */
    size_t count;
    char *header; /* the names, as below */
    char *text; /* the cells as fields of a CSV, each with a comma behind it, row by row */
    size_t capacity;
    size_t *at; /* [rows + 1]: where each begins */
} dt_kept;

/**
 * Finds the columns of a list, "id,#3" (dt_text_next_item, dt_column_find), and makes room for
 * `rows` rows.
 *
 * Owns:    the caller ends with dt_kept_clear, also after an error
 * Errors:  DT_DATA as dt_column_find; DT_USAGE: the list is empty; DT_MEMORY
 */
DT_MUST_USE dt_status dt_kept_find(dt_kept *out, const char *list, const dt_columns *columns,
                                   size_t rows);

/** Writes a field of a CSV, with quotes if it needs them, and a comma; returns its length, at most
 * 2 * bytes + 3. */
size_t dt_kept_write_field(char *out, const char *text, size_t bytes);

/** Keeps the cells of the i-th row, behind those of the row before. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_kept_add(dt_kept *kept, size_t i, const dt_csv_row *row);

/** Frees; a zeroed one is allowed. */
void dt_kept_clear(dt_kept *kept);

#endif
