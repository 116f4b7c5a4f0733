#ifndef DTRAIN_TESTS_CSV_READING_H
#define DTRAIN_TESTS_CSV_READING_H

#include "dtrain/io/csv.h"

#include <stddef.h>
#include <stdint.h>

/** A growing text that holds rows as "row:line[cell][cell]...\n". The program aborts if memory is
 * short. */
typedef struct csv_dump {
    char *text;
    size_t bytes, capacity;
    uint64_t rows;
    size_t columns;
} csv_dump;

/** Appends `bytes` bytes, and a NUL that is not counted. */
void csv_dump_append(csv_dump *dump, const char *text, size_t bytes);

/** Appends a text. */
void csv_dump_add(csv_dump *dump, const char *text);

/** Appends a formatted text of at most 127 bytes. */
DT_PRINTF(2, 3) void csv_dump_printf(csv_dump *dump, const char *format, ...);

/** Frees the text and leaves an empty one. */
void csv_dump_clear(csv_dump *dump);

/** Empties the text for the rows of a table; returns `dump`. */
csv_dump *csv_dump_start(csv_dump *dump, const dt_csv *csv);

/** Appends a row; a dt_csv_take, whose context is the csv_dump. */
dt_status csv_dump_row(void *context, const dt_csv_row *row);

/**
 * Rewinds the table and reads it in blocks of `bytes` bytes, each from a copy of exactly its size,
 * so that a sanitizer sees a read beyond it. Returns DT_INTERNAL if the position or the row count
 * that a block states differs from what parsing the block gives.
 */
dt_status csv_dump_blocks(dt_csv *csv, size_t bytes, csv_dump *dump);

#endif
