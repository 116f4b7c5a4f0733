#ifndef DTRAIN_CLI_INSPECT_PARTS_H
#define DTRAIN_CLI_INSPECT_PARTS_H

#include "dtrain/base/status.h"
#include "dtrain/io/json.h"
#include "dtrain/io/recipe.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What the files of `dtrain inspect` share. Private to src/cli. */

/** Each prints what is in one kind of file: a text, or one JSON object. */
DT_MUST_USE dt_status inspect_npz(const char *path, bool json);
DT_MUST_USE dt_status inspect_recipe(const char *path, bool json);
DT_MUST_USE dt_status inspect_h5(const char *path, bool json);

/** Print a recipe's columns and classes, or add them to an object: also for the one in a model. */
DT_MUST_USE dt_status inspect_print_recipe(const dt_recipe *recipe);
void inspect_describe_recipe(dt_json *json, const dt_recipe *recipe);

enum { INSPECT_COLUMNS_MAX = 16, INSPECT_CELL_BYTES = 256, INSPECT_CELL_WIDTH = 60 };

/** A table of texts; columns become as wide as their widest cell. */
typedef struct inspect_table {
    size_t columns;
    const char *titles[INSPECT_COLUMNS_MAX]; /* a title that begins with '>' is right-aligned */
    const char *indent; /* before each line; NULL for none */
    size_t cell_count, cell_room;
    char **cells;
    dt_status status; /* of the cells so far */
} inspect_table;

/**
 * Adds a cell, row by row from left to right. What is no printable text becomes '?', and what is
 * wider than INSPECT_CELL_WIDTH is cut.
 */
DT_PRINTF(2, 3) void inspect_table_add(inspect_table *table, const char *format, ...);

/** Prints the table, and frees its cells in any case. Errors: DT_MEMORY, kept from the cells. */
DT_MUST_USE dt_status inspect_table_print(inspect_table *table);

/** Frees the cells of a table that is not printed. */
void inspect_table_clear(inspect_table *table);

/** Copies a text as a cell would show it. Returns `out`. */
const char *inspect_printable(char *out, size_t bytes, const char *text);

/** Formats as "a, b, ... (7 more)", as many as fit; an empty text is "(empty)". Returns `out`. */
const char *inspect_format_texts(char *out, size_t bytes, char *const *texts, size_t count);

/** Gives the text and prints it; frees `json` in any case. Errors: DT_MEMORY. */
DT_MUST_USE dt_status inspect_print_json(dt_json *json);

/** Formats as "512 B", "1.4 KiB", "3.2 GiB". Returns `out`. */
const char *inspect_format_bytes(char *out, size_t out_bytes, uint64_t bytes);

#endif
