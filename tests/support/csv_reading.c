#include "csv_reading.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void csv_dump_append(csv_dump *dump, const char *text, size_t bytes)
{
    if (dump->bytes + bytes + 1 > dump->capacity) {
        dump->capacity = 2 * (dump->bytes + bytes) + 1024;
        dump->text = realloc(dump->text, dump->capacity);
        if (dump->text == NULL)
            abort();
    }
    memcpy(dump->text + dump->bytes, text, bytes);
    dump->bytes += bytes;
    dump->text[dump->bytes] = '\0';
}

void csv_dump_add(csv_dump *dump, const char *text)
{
    csv_dump_append(dump, text, strlen(text));
}

void csv_dump_printf(csv_dump *dump, const char *format, ...)
{
    char text[128];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    csv_dump_add(dump, text);
}

void csv_dump_clear(csv_dump *dump)
{
    free(dump->text);
    *dump = (csv_dump){0};
}

csv_dump *csv_dump_start(csv_dump *dump, const dt_csv *csv)
{
    dump->bytes = 0;
    dump->rows = 0;
    dump->columns = dt_csv_format_of(csv)->columns;
    csv_dump_append(dump, "", 0);
    return dump;
}

dt_status csv_dump_row(void *context, const dt_csv_row *row)
{
    csv_dump *dump = context;
    csv_dump_printf(dump, "%" PRIu64 ":%" PRIu64, row->row, row->line);
    for (size_t i = 0; i < dump->columns; i++) {
        if (strlen(row->fields[i].text) != row->fields[i].bytes)
            abort();
        csv_dump_append(dump, "[", 1);
        csv_dump_append(dump, row->fields[i].text, row->fields[i].bytes);
        csv_dump_append(dump, "]", 1);
    }
    csv_dump_append(dump, "\n", 1);
    dump->rows++;
    return DT_OK;
}

/* Remembers where the first row of a block is. */
typedef struct csv_dump_check {
    csv_dump *dump;
    uint64_t row, line; /* of the first row taken; 0: none yet */
} csv_dump_check;

static dt_status csv_dump_checked_row(void *context, const dt_csv_row *row)
{
    csv_dump_check *check = context;
    if (check->row == 0) {
        check->row = row->row;
        check->line = row->line;
    }
    return csv_dump_row(check->dump, row);
}

dt_status csv_dump_blocks(dt_csv *csv, size_t bytes, csv_dump *dump)
{
    dt_status status = DT_OK;
    dt_csv_block block = {.rows = 1};
    char *copy = NULL;
    csv_dump_start(dump, csv);
    DT_TRY(dt_csv_rewind(csv));
    while (block.rows > 0) {
        const uint64_t before = dump->rows;
        csv_dump_check check = {.dump = dump};
        DT_TRY(dt_csv_next_block(csv, bytes, &block));
        copy = malloc(block.bytes > 0 ? block.bytes : 1);
        if (copy == NULL)
            abort();
        memcpy(copy, block.text == NULL ? "" : block.text, block.bytes);
        const dt_csv_block sent = {copy, block.bytes, block.row, block.line, block.rows};
        DT_TRY(dt_csv_parse(dt_csv_path(csv), dt_csv_format_of(csv), &sent, csv_dump_checked_row,
                            &check));
        free(copy);
        copy = NULL;
        if (dump->rows - before != block.rows || block.row != before + 1 ||
            (block.rows == 0) != (block.bytes == 0) ||
            (block.rows > 0 && (check.row != block.row || check.line != block.line)))
            return dt_fail(DT_INTERNAL,
                           "a block of %zu bytes, row %" PRIu64 ", line %" PRIu64 ", %" PRIu64
                           " rows, holds others",
                           block.bytes, block.row, block.line, block.rows);
    }
out:
    free(copy);
    return status;
}
