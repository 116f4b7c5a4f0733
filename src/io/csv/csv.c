#include "csv_scan.h"

#include "dtrain/base/fault.h"
#include "dtrain/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    STEP_BYTES = 1 << 16, /* of reading */
    SAMPLE_BYTES = 1 << 18,
    BLOCK_BYTES = 1 << 18
};

typedef struct column_name {
    const char *text;
    size_t column;
} column_name;

struct dt_csv {
    char *path;
    int fd;
    uint64_t file_bytes;
    dt_csv_format format;
    char *names_text;
    column_name *names; /* [columns], as they stand in the file */
    column_name *sorted; /* the same by name */
    char *buffer;
    size_t capacity, begin, end; /* of the buffer, and what it holds that was not given out */
    uint64_t offset; /* in the file, of what follows the buffer */
    bool ended; /* nothing follows */
    uint64_t row, line; /* at `begin` */
    uint64_t body_offset, body_line; /* where the rows below the header begin */
};

/* Makes the buffer hold `wanted` bytes that were not given out, unless the file has no more. */
DT_MUST_USE static dt_status fill(dt_csv *csv, size_t wanted)
{
    dt_status status = DT_OK;
    const size_t held = csv->end - csv->begin;
    if (csv->ended || held >= wanted)
        goto out;
    if (held > 0 && csv->begin > 0)
        memmove(csv->buffer, csv->buffer + csv->begin, held);
    csv->begin = 0;
    csv->end = held;
    if (csv->capacity < wanted) {
        const size_t capacity = (wanted + STEP_BYTES - 1) / STEP_BYTES * STEP_BYTES;
        DT_TRY(dt_memory_grow(&csv->buffer, held, capacity, 1, "text of a table"));
        csv->capacity = capacity;
    }
    while (csv->end < wanted) {
        const ssize_t got = dt_fault("read") ? -1
                                             : pread(csv->fd, csv->buffer + csv->end,
                                                     csv->capacity - csv->end, (off_t)csv->offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return dt_fail(DT_DATA, "%s: cannot read: %s", csv->path, strerror(errno));
        csv->end += (size_t)got;
        csv->offset += (uint64_t)got;
        csv->ended = got == 0;
        if (csv->ended)
            break;
    }
out:
    return status;
}

static void go_to(dt_csv *csv, uint64_t offset, uint64_t row, uint64_t line)
{
    csv->begin = csv->end = 0;
    csv->ended = false;
    csv->offset = offset;
    csv->row = row;
    csv->line = line;
}

/* ---- blocks ---- */

/*
 * Tells what is wrong with the record that comes first, or with what is there of it; in an order
 * that makes the answer the same however much of it is there.
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

/* Takes whole records of what the buffer holds; *more when it holds not even one. */
DT_MUST_USE static dt_status gather(dt_csv *csv, size_t bytes, dt_csv_block *out, bool *more)
{
    const char *text = csv->buffer + csv->begin;
    const size_t held = csv->end - csv->begin;
    dt_csv_scan scan = dt_csv_scan_start(text, held, csv->line, csv->format.separator, csv->ended);
    const char *nul = memchr(text, '\0', held);
    dt_csv_record record = {.text = text, .line = csv->line}; /* at the end there is none */
    dt_csv_scan_result result = dt_csv_scan_next(&scan, &record);
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
        /* A record that cannot be handed out waits until it comes first. */
        if (out->rows > 0 && ((size_t)(end - out->text) > bytes || (nul != NULL && nul < end) ||
                              record.bytes > DT_CSV_MAX_RECORD_BYTES))
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
    size_t wanted = bytes < csv->file_bytes ? bytes : (size_t)csv->file_bytes;
    bool more = true;
    *out = (dt_csv_block){0};
    wanted = wanted < STEP_BYTES ? STEP_BYTES : wanted;
    while (more) {
        DT_TRY(fill(csv, wanted));
        DT_TRY(gather(csv, bytes, out, &more));
        wanted = 2 * (csv->end - csv->begin) + STEP_BYTES;
    }
out:
    if (status != DT_OK)
        *out = (dt_csv_block){0};
    return status;
}

dt_status dt_csv_rewind(dt_csv *csv)
{
    go_to(csv, csv->body_offset, 1, csv->body_line);
    return DT_OK;
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

/* ---- opening ---- */

DT_MUST_USE static dt_status open_file(dt_csv *csv)
{
    struct stat found;
    /* O_NONBLOCK: a named pipe is refused below, where open would wait for its writer. */
    do
        csv->fd = dt_fault("open") ? -1 : open(csv->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    while (csv->fd < 0 && errno == EINTR);
    if (csv->fd < 0 || fstat(csv->fd, &found) != 0)
        return dt_fail(DT_DATA, "%s: cannot open: %s", csv->path, strerror(errno));
    if (S_ISDIR(found.st_mode))
        return dt_fail(DT_DATA, "%s: is a folder, expected a table", csv->path);
    if (!S_ISREG(found.st_mode))
        return dt_fail(DT_DATA,
                       "%s: is a device or pipe, expected a file: a table is read more than once",
                       csv->path);
    if (found.st_size == 0)
        return dt_fail(DT_DATA, "%s: is empty (0 bytes), expected a table with a header",
                       csv->path);
    csv->file_bytes = (uint64_t)found.st_size;
    (void)posix_fadvise(csv->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return DT_OK;
}

/* Fills the buffer with the first 256 KiB; with more, where these hold no row below the header. */
DT_MUST_USE static dt_status read_sample(dt_csv *csv)
{
    dt_status status = DT_OK;
    const char separator = csv->format.separator != 0 ? csv->format.separator : ',';
    for (size_t wanted = SAMPLE_BYTES; wanted <= 4 * (size_t)DT_CSV_MAX_RECORD_BYTES; wanted *= 2) {
        DT_TRY(fill(csv, wanted));
        const size_t held = csv->end - csv->begin;
        dt_csv_scan scan =
            dt_csv_scan_start(csv->buffer + csv->begin, held, 1, separator, csv->ended);
        dt_csv_record record;
        if (csv->ended || memchr(csv->buffer + csv->begin, '\0', held) != NULL ||
            /* NOLINTNEXTLINE(misc-redundant-expression): one record, then the next */
            (dt_csv_scan_next(&scan, &record) == DT_CSV_SCAN_RECORD &&
             dt_csv_scan_next(&scan, &record) == DT_CSV_SCAN_RECORD))
            break;
    }
out:
    return status;
}

static dt_status take_names(void *context, const dt_csv_row *row)
{
    enum { MADE_BYTES = 32 }; /* "column 1048576" */
    dt_status status = DT_OK;
    dt_csv *csv = context;
    const size_t columns = csv->format.columns;
    size_t bytes = 0;
    for (size_t i = 0; i < columns; i++)
        bytes += row->fields[i].bytes == 0 ? MADE_BYTES : row->fields[i].bytes + 1;
    DT_TRY(dt_memory_alloc(&csv->names_text, bytes, 1, "column names"));
    DT_TRY(dt_memory_alloc(&csv->names, columns, sizeof *csv->names, "column names"));
    char *text = csv->names_text;
    for (size_t i = 0; i < columns; i++) {
        const dt_csv_field *field = &row->fields[i];
        csv->names[i] = (column_name){text, i};
        if (field->bytes == 0) {
            text += snprintf(text, MADE_BYTES, "column %zu", i + 1) + 1;
        } else {
            memcpy(text, field->text, field->bytes + 1);
            text += field->bytes + 1;
        }
    }
out:
    return status;
}

static int compare_names(const void *a, const void *b)
{
    const column_name *left = a, *right = b;
    const int order = strcmp(left->text, right->text);
    return order != 0 ? order : (left->column > right->column) - (left->column < right->column);
}

DT_MUST_USE static dt_status check_names(dt_csv *csv)
{
    dt_status status = DT_OK;
    const size_t columns = csv->format.columns;
    DT_TRY(dt_memory_alloc(&csv->sorted, columns, sizeof *csv->sorted, "column names"));
    memcpy(csv->sorted, csv->names, columns * sizeof *csv->sorted);
    qsort(csv->sorted, columns, sizeof *csv->sorted, compare_names);
    for (size_t i = 1; i < columns; i++)
        if (strcmp(csv->sorted[i - 1].text, csv->sorted[i].text) == 0)
            return dt_fail(DT_DATA,
                           "%s: columns %zu and %zu are both named '%.40s'; each column needs a "
                           "name of its own",
                           csv->path, csv->sorted[i - 1].column + 1, csv->sorted[i].column + 1,
                           csv->sorted[i].text);
out:
    return status;
}

/* The header is read as a record 0 of its own. */
DT_MUST_USE static dt_status read_header(dt_csv *csv)
{
    dt_status status = DT_OK;
    dt_csv_block header;
    bool uniform = false;
    DT_TRY(dt_csv_next_block(csv, 0, &header));
    if (header.bytes == 0)
        return dt_fail(DT_DATA, "%s: has nothing but blank lines, expected a table with a header",
                       csv->path);
    DT_TRY(dt_csv_count_columns(
        dt_csv_scan_start(header.text, header.bytes, header.line, csv->format.separator, true),
        &csv->format.columns, &uniform));
    if (csv->format.columns > DT_CSV_MAX_COLUMNS)
        return dt_fail(DT_DATA, "%s: has %zu columns, expected at most %d", csv->path,
                       csv->format.columns, DT_CSV_MAX_COLUMNS);
    DT_TRY(dt_csv_parse(csv->path, &csv->format, &header, take_names, csv));
    DT_TRY(check_names(csv));
    csv->body_offset = dt_csv_bytes_read(csv);
    csv->body_line = csv->line;
out:
    return status;
}

DT_MUST_USE static dt_status read_beginning(dt_csv *csv)
{
    static const char mark[] = "\xef\xbb\xbf";
    dt_status status = DT_OK;
    dt_csv_block row;
    DT_TRY(read_sample(csv));
    if (csv->end >= sizeof mark - 1 && memcmp(csv->buffer, mark, sizeof mark - 1) == 0)
        csv->begin = sizeof mark - 1;
    const char *text = csv->buffer + csv->begin;
    const size_t bytes = csv->end - csv->begin;
    DT_TRY(dt_csv_check_kind(csv->path, text, bytes));
    DT_TRY(dt_csv_find_format(&csv->format, text, bytes, csv->ended));
    csv->row = 0;
    csv->line = 1;
    DT_TRY(read_header(csv));
    DT_TRY(dt_csv_rewind(csv));
    DT_TRY(dt_csv_next_block(csv, 0, &row));
    if (row.bytes == 0)
        return dt_fail(DT_DATA, "%s: has no rows below its header", csv->path);
    DT_TRY(dt_csv_rewind(csv));
out:
    return status;
}

dt_status dt_csv_open(dt_csv **out, const char *path, const dt_csv_format *format)
{
    dt_status status = DT_OK;
    dt_csv *csv = NULL;
    *out = NULL;
    DT_TRY(dt_memory_alloc(&csv, 1, sizeof *csv, "table"));
    csv->fd = -1;
    if (format != NULL)
        csv->format = (dt_csv_format){.separator = format->separator, .decimal = format->decimal};
    DT_ASSERT(csv->format.separator == 0 || strchr(",;\t|", csv->format.separator) != NULL);
    DT_ASSERT(csv->format.decimal == 0 || strchr(".,", csv->format.decimal) != NULL);
    DT_TRY(dt_memory_copy_text(&csv->path, path));
    DT_TRY(open_file(csv));
    DT_TRY(read_beginning(csv));
    *out = csv;
    csv = NULL;
out:
    dt_csv_close(csv);
    return status;
}

void dt_csv_close(dt_csv *csv)
{
    if (csv == NULL)
        return;
    if (csv->fd >= 0)
        (void)close(csv->fd);
    dt_memory_free(csv->buffer);
    dt_memory_free(csv->names);
    dt_memory_free(csv->sorted);
    dt_memory_free(csv->names_text);
    dt_memory_free(csv->path);
    dt_memory_free(csv);
}

/* ---- what is known ---- */

const char *dt_csv_path(const dt_csv *csv)
{
    return csv->path;
}

const dt_csv_format *dt_csv_format_of(const dt_csv *csv)
{
    return &csv->format;
}

const char *dt_csv_name(const dt_csv *csv, size_t column)
{
    DT_ASSERT(column < csv->format.columns);
    return csv->names[column].text;
}

static int compare_to_name(const void *wanted, const void *name)
{
    return strcmp(wanted, ((const column_name *)name)->text);
}

size_t dt_csv_find(const dt_csv *csv, const char *name)
{
    const column_name *found =
        bsearch(name, csv->sorted, csv->format.columns, sizeof *csv->sorted, compare_to_name);
    return found == NULL ? SIZE_MAX : found->column;
}

uint64_t dt_csv_bytes(const dt_csv *csv)
{
    return csv->file_bytes;
}

uint64_t dt_csv_bytes_read(const dt_csv *csv)
{
    return csv->offset - (csv->end - csv->begin);
}
