#include "dtrain/report/text_table.h"

#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Characters, not bytes: those that continue a UTF-8 sequence take no place of their own. */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

/* Names come from files: what would move the cursor of a terminal is not printed. */
static void make_printable(char *text)
{
    for (; *text != '\0'; text++) {
        const unsigned char at = (unsigned char)text[0];
        const unsigned char next = (unsigned char)text[1];
        if (at == 0xc2 && next >= 0x80 && next < 0xa0) /* Unicode's further control characters */
            text[0] = text[1] = '?';
        else if (at < ' ' || at == 127)
            *text = '?';
    }
}

static void cut(char *text, size_t width)
{
    size_t seen = 0;
    if (width_of(text) <= width)
        return;
    for (; *text != '\0'; text++) {
        seen += ((unsigned char)*text & 0xc0) != 0x80;
        if (seen > width - 3)
            break;
    }
    memcpy(text, "...", 4); /* at least four characters are cut off */
}

const char *dt_text_table_printable(char *out, size_t bytes, const char *text)
{
    (void)snprintf(out, bytes, "%s", text);
    make_printable(out);
    return out;
}

void dt_text_table_add(dt_text_table *table, const char *format, ...)
{
    char cell[DT_TEXT_TABLE_CELL_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(cell, sizeof cell, format, arguments);
    va_end(arguments);
    make_printable(cell);
    cut(cell, DT_TEXT_TABLE_CELL_WIDTH);
    if (table->status == DT_OK && table->cell_count == table->cell_room) {
        const size_t room = table->cell_room == 0 ? 256 : 2 * table->cell_room;
        table->status = dt_memory_grow(&table->cells, table->cell_room, room, sizeof *table->cells,
                                       "cells of a table");
        table->cell_room = table->status == DT_OK ? room : table->cell_room;
    }
    if (table->status == DT_OK)
        table->status = dt_memory_copy_text(&table->cells[table->cell_count], cell);
    table->cell_count += table->status == DT_OK;
}

void dt_text_table_clear(dt_text_table *table)
{
    for (size_t i = 0; i < table->cell_count; i++)
        dt_memory_free(table->cells[i]);
    dt_memory_free(table->cells);
    table->cells = NULL;
    table->cell_count = table->cell_room = 0;
}

static void print_row(const dt_text_table *table, const char *const *cells, const size_t *widths)
{
    char line[DT_TEXT_TABLE_COLUMNS_MAX * (DT_TEXT_TABLE_CELL_BYTES + DT_TEXT_TABLE_CELL_WIDTH)] =
        "";
    size_t used = 0;
    size_t owed = 0; /* blanks are put only before a cell: no line ends in them */
    for (size_t c = 0; c < table->columns; c++) {
        const bool right = table->titles[c][0] == '>';
        const char *cell = cells[c] + (cells == table->titles && right ? 1 : 0);
        const size_t space = widths[c] - width_of(cell);
        owed += right ? space : 0;
        if (cell[0] != '\0') {
            used += (size_t)snprintf(line + used, sizeof line - used, "%*s%s", (int)owed, "", cell);
            owed = 0;
        }
        owed += (right ? 0 : space) + 2;
    }
    dt_log_result("%s%s\n", table->indent != NULL ? table->indent : "", line);
}

dt_status dt_text_table_print(dt_text_table *table)
{
    size_t widths[DT_TEXT_TABLE_COLUMNS_MAX] = {0};
    const dt_status status = table->status;
    if (status == DT_OK) {
        DT_ASSERT(table->cell_count % table->columns == 0);
        for (size_t c = 0; c < table->columns; c++)
            widths[c] = width_of(table->titles[c]) - (table->titles[c][0] == '>');
        for (size_t i = 0; i < table->cell_count; i++) {
            const size_t width = width_of(table->cells[i]);
            size_t *widest = &widths[i % table->columns];
            *widest = width > *widest ? width : *widest;
        }
        print_row(table, table->titles, widths);
        for (size_t i = 0; i < table->cell_count; i += table->columns)
            print_row(table, (const char *const *)&table->cells[i], widths);
    }
    dt_text_table_clear(table);
    return status;
}

const char *dt_text_table_bytes(char *out, size_t out_bytes, uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes;
    size_t unit = 0;
    for (; value >= 1024.0; unit++)
        value /= 1024.0;
    (void)snprintf(out, out_bytes, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
    return out;
}

const char *dt_text_table_join(char *out, size_t bytes, char *const *texts, size_t count)
{
    enum { MORE_BYTES = 40 }; /* ", ... (18446744073709551615 more)" */
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        const char *text = texts[i][0] != '\0' ? texts[i] : "(empty)";
        if (strlen(text) + 2 + MORE_BYTES > bytes - used) {
            (void)snprintf(out + used, bytes - used, "%s... (%zu more)", i > 0 ? ", " : "",
                           count - i);
            break;
        }
        used += (size_t)snprintf(out + used, bytes - used, "%s%s", i > 0 ? ", " : "", text);
    }
    return out;
}
