#include "csv_internal.h"

#include "dtrain/base/memory.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STEP_BYTES = 1 << 16, /* of reading */
    BLOCK_BYTES = 1 << 18,
    MOST_BYTES = 1 << 26, /* of a block that is asked for */
    CHARACTER_BYTES = 4
};

void dt_csv_warn(dt_csv *csv, const char *format, ...)
{
    if (csv->warning_count == DT_CSV_WARNINGS_MAX)
        return;
    char *line = csv->warnings[csv->warning_count++];
    const int used = snprintf(line, DT_CSV_WARNING_BYTES, "%.120s: ", csv->path);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line + used, DT_CSV_WARNING_BYTES - (size_t)used, format, arguments);
    va_end(arguments);
}

void dt_csv_note(dt_csv *csv, const char *format, ...)
{
    const size_t used = strlen(csv->notes);
    char *line = csv->notes + used;
    const size_t room = sizeof csv->notes - used;
    const int more = snprintf(line, room, "%s", used > 0 ? "; " : "");
    va_list arguments;
    va_start(arguments, format);
    if ((size_t)more < room)
        (void)vsnprintf(line + more, room - (size_t)more, format, arguments);
    va_end(arguments);
}

/* The first byte beyond ASCII may come late. */
static void note_encoding(dt_csv *csv)
{
    const dt_csv_encoding found = dt_csv_input_encoding(csv->input);
    if (found == DT_CSV_WINDOWS_1252 && csv->format.encoding == DT_CSV_AUTO)
        dt_csv_warn(csv, "is not UTF-8, so it is read as Windows-1252; see --encoding");
    csv->format.encoding = found;
}

dt_status dt_csv_fill(dt_csv *csv, size_t wanted)
{
    dt_status status = DT_OK;
    const size_t held = csv->end - csv->begin;
    if (csv->ended || held >= wanted)
        goto out;
    if (held > 0 && csv->begin > 0)
        memmove(csv->buffer, csv->buffer + csv->begin, held);
    csv->begin = 0;
    csv->end = held;
    if (csv->capacity < wanted + CHARACTER_BYTES) { /* the last one is read whole */
        const size_t capacity =
            (wanted + CHARACTER_BYTES + STEP_BYTES - 1) / STEP_BYTES * STEP_BYTES;
        DT_TRY(dt_memory_grow(&csv->buffer, held, capacity, 1, "text of a table"));
        csv->capacity = capacity;
    }
    while (csv->end < wanted) {
        size_t got = 0;
        DT_TRY(
            dt_csv_input_read(csv->input, csv->buffer + csv->end, csv->capacity - csv->end, &got));
        csv->end += got;
        csv->offset += got;
        note_encoding(csv);
        csv->ended = got == 0;
        if (csv->ended)
            break;
    }
out:
    return status;
}

/* Goes back to a place that was read before. A file is read again, which is cheap; otherwise the
 * buffer is reused, because stdin can be read only once. */
DT_MUST_USE static dt_status go_to(dt_csv *csv, uint64_t offset, uint64_t row, uint64_t line)
{
    const bool held = offset >= csv->offset - csv->end && !dt_csv_input_is_plain(csv->input);
    csv->row = row;
    csv->line = line;
    if (held) {
        csv->begin = csv->end - (size_t)(csv->offset - offset);
        return DT_OK;
    }
    csv->begin = csv->end = 0;
    csv->ended = false;
    csv->offset = offset;
    return dt_csv_input_seek(csv->input, offset);
}

/* ---- blocks ---- */

/*
 * Reports the error of the first record, which may be incomplete. The order of the checks makes the
 * error independent of how much of the record has been read.
 */
DT_MUST_USE static dt_status check_first(const dt_csv *csv, dt_csv_scan_result result,
                                         const dt_csv_record *first)
{
    const bool too_long = first->bytes > DT_CSV_MAX_RECORD_BYTES;
    if (memchr(first->text, '\0', too_long ? DT_CSV_MAX_RECORD_BYTES : first->bytes) != NULL)
        return dt_fail(DT_DATA,
                       "%s: a NUL byte in the record that begins on line %" PRIu64
                       ", expected text; the file may be damaged",
                       csv->path, first->line);
    if (too_long)
        return dt_fail(DT_DATA,
                       "%s: the record that begins on line %" PRIu64
                       " is longer than %d MiB; is a quote in it never closed?",
                       csv->path, first->line, DT_CSV_MAX_RECORD_BYTES >> 20);
    if (result == DT_CSV_SCAN_UNCLOSED)
        return dt_fail(DT_DATA,
                       "%s: a quote in the record that begins on line %" PRIu64
                       " is never closed: the table ends inside it",
                       csv->path, first->line);
    return DT_OK;
}

static size_t without_line_end(const char *text, size_t bytes)
{
    while (bytes > 0 && (text[bytes - 1] == '\n' || text[bytes - 1] == '\r'))
        bytes--;
    return bytes;
}

dt_status dt_csv_keep_header(dt_csv *csv, const dt_csv_block *header)
{
    csv->header_bytes = without_line_end(header->text, header->bytes);
    dt_status status = dt_memory_alloc(&csv->header, csv->header_bytes + 1, 1, "header of a table");
    if (status == DT_OK)
        memcpy(csv->header, header->text, csv->header_bytes);
    return status;
}

/* Concatenated files; each may begin with a byte order mark. */
static bool repeats_header(const dt_csv *csv, const dt_csv_record *record)
{
    static const char mark[] = DT_CSV_MARK;
    const char *text = record->text;
    size_t bytes = record->bytes;
    if (csv->header == NULL || bytes < csv->header_bytes)
        return false;
    if (bytes >= sizeof mark - 1 && memcmp(text, mark, sizeof mark - 1) == 0) {
        text += sizeof mark - 1;
        bytes -= sizeof mark - 1;
    }
    return without_line_end(text, bytes) == csv->header_bytes &&
           memcmp(text, csv->header, csv->header_bytes) == 0;
}

/* Finds the next record that is not a header; headers are skipped like blank lines. */
static dt_csv_scan_result next_row(dt_csv *csv, dt_csv_scan *scan, dt_csv_record *record)
{
    dt_csv_scan_result result = dt_csv_scan_next(scan, record);
    for (; result == DT_CSV_SCAN_RECORD && repeats_header(csv, record);
         result = dt_csv_scan_next(scan, record))
        if (csv->repeats++ == 0)
            csv->repeat_line = record->line;
    return result;
}

/* Once, when the first pass has seen them all. */
static void warn_of_repeats(dt_csv *csv)
{
    char all[48] = "";
    if (csv->repeats == 0 || csv->repeats_told)
        return;
    csv->repeats_told = true;
    if (csv->repeats > 1)
        (void)snprintf(all, sizeof all, ", as %" PRIu64 " others do", csv->repeats - 1);
    dt_csv_warn(csv, "line %" PRIu64 " repeats the header%s; skipped", csv->repeat_line, all);
}

/* Takes whole records from the buffer; *more if it does not contain even one. */
DT_MUST_USE static dt_status gather(dt_csv *csv, size_t bytes, dt_csv_block *out, bool *more)
{
    const char *text = csv->buffer + csv->begin;
    const size_t held = csv->end - csv->begin;
    dt_csv_scan scan = dt_csv_scan_start(text, held, csv->line, csv->format.separator, csv->ended);
    const char *nul = memchr(text, '\0', held);
    dt_csv_record record = {.text = text, .line = csv->line}; /* at the end there is none */
    dt_csv_scan_result result = next_row(csv, &scan, &record);
    *more = result == DT_CSV_SCAN_MORE;
    if (*more)
        record = (dt_csv_record){scan.at, (size_t)(scan.end - scan.at), scan.line, 0};
    dt_status status = result == DT_CSV_SCAN_END ? DT_OK : check_first(csv, result, &record);
    if (status != DT_OK)
        return status;
    *out = (dt_csv_block){.text = record.text, .row = csv->row, .line = record.line};
    csv->begin = (size_t)(scan.at - csv->buffer);
    csv->line = scan.line;
    while (result == DT_CSV_SCAN_RECORD) {
        const char *end = record.text + record.bytes;
        /* A record that cannot be returned waits until it is the first. */
        if (out->rows > 0 &&
            ((size_t)(end - out->text) > bytes || (nul != NULL && nul < end) ||
             record.bytes > DT_CSV_MAX_RECORD_BYTES || repeats_header(csv, &record)))
            break;
        out->rows++;
        out->bytes = (size_t)(end - out->text);
        csv->row++;
        csv->begin = (size_t)(scan.at - csv->buffer);
        csv->line = scan.line;
        result = dt_csv_scan_next(&scan, &record);
    }
    return DT_OK;
}

dt_status dt_csv_next_block(dt_csv *csv, size_t bytes, dt_csv_block *out)
{
    dt_status status = DT_OK;
    const uint64_t whole = dt_csv_input_bytes(csv->input);
    size_t wanted = bytes < MOST_BYTES ? bytes : MOST_BYTES;
    wanted = wanted < whole ? wanted : (size_t)whole;
    bool more = true;
    *out = (dt_csv_block){0};
    wanted = wanted < STEP_BYTES ? STEP_BYTES : wanted;
    while (more) {
        DT_TRY(dt_csv_fill(csv, wanted));
        DT_TRY(gather(csv, bytes, out, &more));
        wanted = 2 * (csv->end - csv->begin) + STEP_BYTES;
    }
    if (out->bytes == 0)
        warn_of_repeats(csv);
out:
    if (status != DT_OK)
        *out = (dt_csv_block){0};
    return status;
}

dt_status dt_csv_rewind(dt_csv *csv)
{
    csv->repeats = 0;
    return go_to(csv, csv->body_offset, 1, csv->body_line);
}

dt_status dt_csv_read(dt_csv *csv, dt_csv_take *take, void *context)
{
    dt_status status = DT_OK;
    dt_csv_block block;
    DT_TRY(dt_csv_rewind(csv));
    do {
        DT_TRY(dt_csv_next_block(csv, BLOCK_BYTES, &block));
        DT_TRY(dt_csv_parse(csv->path, &csv->format, &block, take, context));
    } while (block.bytes > 0);
out:
    return status;
}
