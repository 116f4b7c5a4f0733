#include "dtrain/report/text_table.h"

#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/text_wrap.h"
#include "report_buffer.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- filling ---- */

DT_MUST_USE static dt_status make_text(char **out, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    const int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    const size_t bytes = length < 0 ? 1 : (size_t)length + 1;
    const dt_status status = dt_memory_alloc(out, bytes, 1, "cell of a table");
    if (status == DT_OK)
        (void)vsnprintf(*out, bytes, format, arguments);
    return status;
}

static void add(dt_text_table *table, const char *format, va_list arguments)
{
    dt_text_cell cell = {.share = NAN};
    if (table->status == DT_OK && table->cell_count == table->cell_room) {
        const size_t room = table->cell_room == 0 ? 64 : 2 * table->cell_room;
        table->status = dt_memory_grow(&table->cells, table->cell_room, room, sizeof *table->cells,
                                       "cells of a table");
        table->cell_room = table->status == DT_OK ? room : table->cell_room;
    }
    if (table->status == DT_OK)
        table->status = make_text(&cell.text, format, arguments);
    if (table->status == DT_OK)
        table->cells[table->cell_count++] = cell;
}

void dt_text_table_title(dt_text_table *table, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(table, format, arguments);
    va_end(arguments);
    table->columns++;
}

void dt_text_table_titles(dt_text_table *table, const char *titles)
{
    for (;; titles++) {
        const size_t length = strcspn(titles, "|");
        dt_text_table_title(table, "%.*s", (int)length, titles);
        titles += length;
        if (*titles == '\0')
            break;
    }
}

void dt_text_table_add(dt_text_table *table, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(table, format, arguments);
    va_end(arguments);
}

void dt_text_table_set_best(dt_text_table *table)
{
    if (table->status == DT_OK)
        table->cells[table->cell_count - 1].best = true;
}

void dt_text_table_set_share(dt_text_table *table, double share)
{
    if (table->status == DT_OK)
        table->cells[table->cell_count - 1].share = share;
}

static const char *class_name(char id[24], const char *const *names, size_t name_count, size_t c)
{
    (void)snprintf(id, 24, "%zu", c);
    return c < name_count ? names[c] : id;
}

void dt_text_table_confusion(dt_text_table *out, const int64_t *confusion, size_t C,
                             const char *const *names, size_t name_count)
{
    char id[24];
    *out = (dt_text_table){.first_width = 30, .width = 13};
    dt_text_table_title(out, "true \\ predicted");
    for (size_t c = 0; c < C; c++)
        dt_text_table_title(out, ">%s", class_name(id, names, name_count, c));
    for (const int64_t *rows = confusion; rows < confusion + C * C; rows += C) {
        double sum = 0.0;
        for (size_t j = 0; j < C; j++)
            sum += (double)rows[j];
        dt_text_table_add(out, "%s",
                          class_name(id, names, name_count, (size_t)(rows - confusion) / C));
        for (size_t j = 0; j < C; j++) {
            dt_text_table_add(out, "%lld", (long long)rows[j]);
            if (sum > 0.0)
                dt_text_table_set_share(out, (double)rows[j] / sum);
        }
    }
}

static bool is_right(const dt_text_table *table, size_t column)
{
    return table->cells[column].text[0] == '>';
}

const char *dt_text_table_title_of(const dt_text_table *table, size_t column)
{
    return table->cells[column].text + is_right(table, column);
}

void dt_text_table_clear(dt_text_table *table)
{
    for (size_t i = 0; i < table->cell_count; i++)
        dt_memory_free(table->cells[i].text);
    dt_memory_free(table->cells);
    *table = (dt_text_table){0};
}

/* ---- what stdout shows of a cell ---- */

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

/* The end of a name tells more than its beginning, so it is the middle that is left out. */
static void cut(char *text, size_t most, bool is_name)
{
    dt_text_shorten(text, most, is_name ? most / 2 - 2 : most - 3);
}

const char *dt_text_table_printable(char *out, size_t bytes, const char *text)
{
    (void)snprintf(out, bytes, "%s", text);
    make_printable(out);
    return out;
}

/* Converts all cells to their form on stdout, and measures the columns. */
static void make_ready(dt_text_table *table)
{
    for (size_t i = 0; i < table->cell_count; i++) {
        const size_t c = i % table->columns;
        dt_text_cell *cell = &table->cells[i], *title = &table->cells[c];
        const size_t most = c == 0 ? table->first_width : table->width;
        make_printable(cell->text);
        cut(cell->text, most > 0 ? most : 60, c == 0 || is_right(table, c));
        cell->width = dt_text_width(cell->text) - (cell == title && is_right(table, c));
        title->width = cell->width > title->width ? cell->width : title->width;
    }
}

/* ---- the width ---- */

enum { LEAST_NAME = 20, LEAST_TEXT = 24 }; /* of column 0; of a last column that is left-aligned */

/* Of a line with column 0 and [from, to) of the others. */
static size_t line_width(const dt_text_table *table, size_t from, size_t to)
{
    size_t width = table->indent != NULL ? strlen(table->indent) : 0;
    width += table->cells[0].width;
    for (size_t c = from; c < to; c++)
        width += 2 + table->cells[c].width;
    return width;
}

/* Takes up to `excess` from a column; returns what is left of it. */
static size_t shrink(dt_text_cell *title, size_t least, size_t excess)
{
    const size_t spare = title->width > least ? title->width - least : 0;
    const size_t taken = spare < excess ? spare : excess;
    title->width -= taken;
    return excess - taken;
}

/* Makes the columns of names and of texts narrower, if the lines then fit. Names lose their middle,
 * texts are continued below. */
static void narrow(dt_text_table *table, size_t width)
{
    const size_t whole = line_width(table, 1, table->columns), last = table->columns - 1;
    dt_text_cell *name = &table->cells[0], *text = &table->cells[last];
    const size_t widths[] = {name->width, text->width};
    const bool has_text = last > 0 && !is_right(table, last);
    if (whole <= width)
        return;
    size_t excess = shrink(name, LEAST_NAME, whole - width);
    excess = has_text ? shrink(text, LEAST_TEXT, excess) : excess;
    if (excess > 0) {
        name->width = widths[0];
        text->width = widths[1];
        return;
    }
    for (size_t cell = 0; cell < table->cell_count; cell += table->columns)
        cut(table->cells[cell].text, name->width, true);
}

/* ---- printing ---- */

static const char *text_of(const dt_text_table *table, size_t cell)
{
    return cell < table->columns ? dt_text_table_title_of(table, cell) : table->cells[cell].text;
}

/* Adds a piece of a cell, and counts the blanks that it owes: they are put only before a further
 * cell, so that no line ends in them. */
static void put_piece(dt_report_buffer *out, size_t *owed, const dt_text_table *table,
                      size_t column, const char *text, size_t bytes)
{
    const size_t width = dt_text_width(text) - dt_text_width(text + bytes);
    const size_t space = table->cells[column].width - width;
    *owed += is_right(table, column) ? space : 0;
    if (bytes > 0) {
        dt_report_buffer_add(out, "%*s%.*s", (int)*owed, "", (int)bytes, text);
        *owed = 0;
    }
    *owed += (is_right(table, column) ? 0 : space) + 2;
}

/* Column 0, and [from, to) of the others, of one row. */
static void put_row(dt_report_buffer *out, const dt_text_table *table, size_t row, size_t from,
                    size_t to)
{
    const char *indent = table->indent != NULL ? table->indent : "", *rest = "";
    size_t owed = 0, column = 0;
    dt_report_buffer_puts(out, indent);
    for (size_t c = 0; c < to; c = c == 0 ? from : c + 1) {
        const char *text = text_of(table, row + c);
        const size_t bytes = dt_text_break(text, table->cells[c].width, SIZE_MAX);
        put_piece(out, &owed, table, c, text, bytes);
        rest = text + bytes;
        column = c;
    }
    dt_report_buffer_puts(out, "\n");
    /* Only the last column may be narrower than its text. */
    const size_t room = table->cells[column].width;
    for (const size_t before = line_width(table, from, to) - room; *rest != '\0';) {
        rest += strspn(rest, " ");
        const size_t bytes = dt_text_break(rest, room, room);
        dt_report_buffer_add(out, "%*s%.*s\n", (int)before, "", (int)bytes, rest);
        rest += bytes;
    }
}

/* Returns how many pieces of at most `width` the columns from `from` on need. They are filled from
 * the last one on, and *end becomes the end of the first one. */
static size_t count_pieces(size_t *end, const dt_text_table *table, size_t from, size_t width)
{
    size_t pieces = 0;
    *end = table->columns;
    for (size_t to = table->columns; to > from; pieces++) {
        size_t first = to - 1; /* one column may be too wide for itself */
        while (first > from && line_width(table, first - 1, to) <= width)
            first--;
        *end = to;
        to = first;
    }
    return pieces;
}

/* Divides the table into as few pieces as fit; each has column 0. They are about equally wide, so
 * that no column is left alone. */
static void put_pieces(dt_report_buffer *out, const dt_text_table *table, size_t width)
{
    size_t from = 1, end, limit = width;
    const size_t pieces = count_pieces(&end, table, from, width);
    while (pieces > 1 && limit > 1 && count_pieces(&end, table, from, limit - 1) == pieces)
        limit--;
    do {
        (void)count_pieces(&end, table, from, limit);
        if (from > 1)
            dt_report_buffer_puts(out, "\n");
        for (size_t row = 0; row < table->cell_count; row += table->columns)
            put_row(out, table, row, from, end);
        if (table->more > 0)
            dt_report_buffer_add(out, "%s... and %zu more\n",
                                 table->indent != NULL ? table->indent : "", table->more);
        from = end;
    } while (from < table->columns);
}

DT_MUST_USE static dt_status print(dt_text_table *table, bool say)
{
    const size_t width = dt_log_width();
    dt_report_buffer text = {0};
    dt_status status = table->status;
    if (status == DT_OK && table->columns > 0) {
        DT_ASSERT(table->cell_count % table->columns == 0);
        make_ready(table);
        narrow(table, width);
        put_pieces(&text, table, width);
        status = text.status;
    }
    if (status == DT_OK && text.bytes > 0)
        (say ? dt_log_say : dt_log_show)("%s", text.text);
    dt_report_buffer_clear(&text);
    dt_text_table_clear(table);
    return status;
}

dt_status dt_text_table_print(dt_text_table *table)
{
    return print(table, false);
}

dt_status dt_text_table_say(dt_text_table *table)
{
    return print(table, true);
}

/* ---- texts ---- */

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
