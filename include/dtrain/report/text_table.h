#ifndef DTRAIN_REPORT_TEXT_TABLE_H
#define DTRAIN_REPORT_TEXT_TABLE_H

#include "dtrain/base/status.h"

#include <stddef.h>
#include <stdint.h>

/** Aligned tables on stdout, and texts that may stand in them. Private to src/cli. */

enum {
    DT_TEXT_TABLE_COLUMNS_MAX = 24,
    DT_TEXT_TABLE_CELL_BYTES = 256,
    DT_TEXT_TABLE_CELL_WIDTH = 60
};

/** A table of texts; columns become as wide as their widest cell. */
typedef struct dt_text_table {
    size_t columns;
    /* A title that begins with '>' is right-aligned. */
    const char *titles[DT_TEXT_TABLE_COLUMNS_MAX];
    const char *indent; /* before each line; NULL for none */
    size_t cell_count, cell_room;
    char **cells;
    dt_status status; /* of the cells so far */
} dt_text_table;

/**
 * Adds a cell, row by row from left to right. What is no printable text becomes '?', and what is
 * wider than DT_TEXT_TABLE_CELL_WIDTH is cut.
 */
DT_PRINTF(2, 3) void dt_text_table_add(dt_text_table *table, const char *format, ...);

/** Prints the table, and frees its cells in any case. Errors: DT_MEMORY, kept from the cells. */
DT_MUST_USE dt_status dt_text_table_print(dt_text_table *table);

/** Frees the cells of a table that is not printed. */
void dt_text_table_clear(dt_text_table *table);

/** Copies a text as a cell would show it. Returns `out`. */
const char *dt_text_table_printable(char *out, size_t bytes, const char *text);

/** Formats as "a, b, ... (7 more)", as many as fit; an empty text is "(empty)". Returns `out`. */
const char *dt_text_table_join(char *out, size_t bytes, char *const *texts, size_t count);

/** Formats as "512 B", "1.4 KiB", "3.2 GiB". Returns `out`. */
const char *dt_text_table_bytes(char *out, size_t out_bytes, uint64_t bytes);

#endif
