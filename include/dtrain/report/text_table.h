#ifndef DTRAIN_REPORT_TEXT_TABLE_H
#define DTRAIN_REPORT_TEXT_TABLE_H

#include "dtrain/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Tables of texts, and printable texts for their cells. A table is filled once and printed once: to
 * stdout (text_table.c), into a page of HTML or as CSV (report_internal.h). All calls are local.
 */

enum { DT_TEXT_TABLE_CELL_BYTES = 256 }; /* of a text that a caller makes printable */

typedef struct dt_text_cell {
    char *text;
    size_t width; /* in characters as stdout shows it; of a title: of its column */
    bool best; /* HTML: bold */
    double share; /* share of its row, from 0 to 1, shown and shaded in HTML; NaN: none */
} dt_text_cell;

/** Zeroed, it is empty. Titles come first, then the cells, row by row from left to right. */
typedef struct dt_text_table {
    size_t columns;
    size_t more; /* rows that the table omits; a line below it shows their number */
    const char *indent; /* on stdout before each line; NULL: none */
    size_t first_width, width; /* on stdout the widest cell of column 0, of the others; 0: 60 */
    size_t cell_count, cell_room;
    dt_text_cell *cells; /* [1 + rows, columns]; the first row has the titles */
    dt_status status; /* of the cells so far */
} dt_text_table;

/** Adds a column. If the title begins with '>', which is not shown, the column is right-aligned. */
DT_PRINTF(2, 3) void dt_text_table_title(dt_text_table *table, const char *format, ...);

/** Adds the columns of "name|>rows|>share". */
void dt_text_table_titles(dt_text_table *table, const char *titles);

/** Adds a cell. */
DT_PRINTF(2, 3) void dt_text_table_add(dt_text_table *table, const char *format, ...);

/** Set the HTML attributes of the cell that was added last. */
void dt_text_table_set_best(dt_text_table *table);
void dt_text_table_set_share(dt_text_table *table, double share);

/**
 * Fills the table of rows by their true class, downwards, and predicted class, [C, C]; shares are
 * of the true class. A class without a name in [name_count] is shown by its id.
 */
void dt_text_table_confusion(dt_text_table *out, const int64_t *confusion, size_t C,
                             const char *const *names, size_t name_count);

/** Returns a title without its '>'. */
const char *dt_text_table_title_of(const dt_text_table *table, size_t column);

/**
 * Prints the table to stdout, and frees its cells in any case; a table without columns prints
 * nothing. Columns become as wide as their widest cell. A character that is not printable becomes
 * '?'. A cell that is too wide loses its middle; in left-aligned columns except the first, its end.
 *
 * Lines wider than dt_log_width become narrower: names in the first column lose their middle, and
 * texts in a left-aligned last column are continued on further lines. If that is not enough, the
 * table is printed in several pieces, each with the first column, between empty lines.
 *
 * Errors:  DT_MEMORY, kept from the cells
 */
DT_MUST_USE dt_status dt_text_table_print(dt_text_table *table);

/** As dt_text_table_print, unless quiet. */
DT_MUST_USE dt_status dt_text_table_say(dt_text_table *table);

/** Frees the cells of a table that is not printed. */
void dt_text_table_clear(dt_text_table *table);

/** Copies a text in the form of a cell. Returns `out`. */
const char *dt_text_table_printable(char *out, size_t bytes, const char *text);

/** Formats as "a, b, ... (7 more)", as many as fit; an empty text is "(empty)". Returns `out`. */
const char *dt_text_table_join(char *out, size_t bytes, char *const *texts, size_t count);

/** Formats as "512 B", "1.4 KiB", "3.2 GiB". Returns `out`. */
const char *dt_text_table_bytes(char *out, size_t out_bytes, uint64_t bytes);

#endif
