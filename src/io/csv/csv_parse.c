#include "csv_scan.h"

#include "dtrain/base/memory.h"

#include <csv.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    ENTRY_STEP_BYTES = 1 << 16, /* libcsv's own buffer of one field grows by so much */
    ROW_BYTES = 1 << 12, /* at first */
    PLACE_BYTES = 96
};

typedef struct splitter {
    struct csv_parser csv;
    dt_csv_field *fields;
    size_t columns; /* so many fields are kept, */
    size_t count; /* and so many were found */
    bool ended;
    char *text, *at;
    size_t text_bytes;
} splitter;

static void take_field(void *text, size_t bytes, void *context)
{
    splitter *split = context;
    if (split->count < split->columns) {
        split->fields[split->count] = (dt_csv_field){split->at, bytes};
        memcpy(split->at, text, bytes + 1); /* CSV_APPEND_NULL */
        split->at += bytes + 1;
    }
    split->count++;
}

static void end_record(int line_end, void *context)
{
    splitter *split = context;
    (void)line_end;
    split->ended = true;
}

/* With 0 columns the fields are only counted. */
DT_MUST_USE static dt_status splitter_init(splitter *out, char separator, size_t columns)
{
    dt_status status = DT_OK;
    *out = (splitter){.columns = columns};
    if (csv_init(&out->csv, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL) != 0)
        return dt_fail(DT_INTERNAL, "csv_init fails");
    csv_set_delim(&out->csv, (unsigned char)separator);
    csv_set_blk_size(&out->csv, ENTRY_STEP_BYTES);
    if (columns > 0) {
        DT_TRY(dt_memory_alloc(&out->fields, columns, sizeof *out->fields, "fields of a row"));
        DT_TRY(dt_memory_alloc(&out->text, ROW_BYTES, 1, "text of a row"));
        out->text_bytes = ROW_BYTES;
    }
out:
    return status;
}

static void splitter_clear(splitter *split)
{
    csv_free(&split->csv);
    dt_memory_free(split->fields);
    dt_memory_free(split->text);
}

/*
 * Takes a record apart; *refused when libcsv finds it malformed. It holds one record for libcsv,
 * too, since the scan and libcsv agree on where records end.
 */
DT_MUST_USE static dt_status split_record(splitter *split, const dt_csv_record *record,
                                          bool *refused)
{
    /* Each field but the last makes room for its NUL: there was a separator. */
    const size_t needed = record->bytes + 1;
    if (split->columns > 0 && needed > split->text_bytes) {
        const size_t bytes = needed + needed / 2;
        dt_status status = dt_memory_grow(&split->text, 0, bytes, 1, "text of a row");
        if (status != DT_OK)
            return status;
        split->text_bytes = bytes;
    }
    split->at = split->text;
    split->count = 0;
    split->ended = false;
    *refused = csv_parse(&split->csv, record->text, record->bytes, take_field, end_record, split) <
               record->bytes;
    if (!*refused && !split->ended) /* the last line of a file, without an end */
        *refused = csv_fini(&split->csv, take_field, end_record, split) != 0;
    if (*refused && csv_error(&split->csv) != CSV_EPARSE)
        return dt_fail(DT_MEMORY, "no memory for a field of a table");
    DT_ASSERT(split->columns == 0 || split->at <= split->text + split->text_bytes);
    return DT_OK;
}

DT_MUST_USE static dt_status fail_row(const char *path, uint64_t row, const dt_csv_record *record,
                                      const splitter *split, bool refused, bool unclosed)
{
    char place[PLACE_BYTES];
    int used = row == 0 ? snprintf(place, sizeof place, "the header")
                        : snprintf(place, sizeof place, "row %" PRIu64, row);
    if (record->lines > 1)
        (void)snprintf(place + used, sizeof place - (size_t)used,
                       " (lines %" PRIu64 " to %" PRIu64 ")", record->line,
                       record->line + record->lines - 1);
    else
        (void)snprintf(place + used, sizeof place - (size_t)used, " (line %" PRIu64 ")",
                       record->line);
    if (!refused)
        return dt_fail(DT_DATA, "%s: %s has %zu field%s, the header has %zu", path, place,
                       split->count, split->count == 1 ? "" : "s", split->columns);
    if (!split->csv.quoted)
        return dt_fail(DT_DATA,
                       "%s: %s, field %zu: a quote inside an unquoted field; put the field in "
                       "quotes and double those inside",
                       path, place, split->count + 1);
    if (unclosed)
        return dt_fail(DT_DATA, "%s: %s, field %zu: a quote is never closed", path, place,
                       split->count + 1);
    return dt_fail(
        DT_DATA,
        "%s: %s, field %zu: text behind a closing quote; quotes inside a field are to be "
        "doubled",
        path, place, split->count + 1);
}

dt_status dt_csv_parse(const char *path, const dt_csv_format *format, const dt_csv_block *block,
                       dt_csv_take *take, void *context)
{
    dt_status status = DT_OK;
    splitter split = {0};
    dt_csv_record record;
    dt_csv_scan scan =
        dt_csv_scan_start(block->text, block->bytes, block->line, format->separator, true);
    DT_ASSERT(format->columns > 0);
    DT_TRY(splitter_init(&split, format->separator, format->columns));
    for (uint64_t row = block->row;; row++) {
        const dt_csv_scan_result result = dt_csv_scan_next(&scan, &record);
        bool refused = false;
        if (result == DT_CSV_SCAN_END)
            break;
        DT_TRY(split_record(&split, &record, &refused));
        if (refused || split.count != split.columns)
            DT_TRY(fail_row(path, row, &record, &split, refused, result == DT_CSV_SCAN_UNCLOSED));
        DT_TRY(take(context, &(dt_csv_row){row, record.line, split.fields}));
    }
out:
    splitter_clear(&split);
    return status;
}

dt_status dt_csv_count_columns(dt_csv_scan scan, size_t *columns, bool *uniform)
{
    dt_status status = DT_OK;
    splitter split = {0};
    dt_csv_record record;
    bool first = true;
    *columns = 0;
    *uniform = true;
    DT_TRY(splitter_init(&split, scan.separator, 0));
    while (*uniform && dt_csv_scan_next(&scan, &record) == DT_CSV_SCAN_RECORD) {
        bool refused = false;
        DT_TRY(split_record(&split, &record, &refused));
        if (first)
            *columns = split.count + refused; /* the field that was refused is one */
        *uniform = !refused && split.count == *columns;
        first = false;
    }
out:
    splitter_clear(&split);
    return status;
}
