#include "csv_scan.h"

#include "dtrain/base/memory.h"

#include <inttypes.h>
#include <stdio.h>

enum { PLACE_BYTES = 96 };

DT_MUST_USE static dt_status fail_row(const char *path, uint64_t row, const dt_csv_record *record,
                                      const dt_csv_fields *fields, size_t columns)
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
    if (fields->problem == DT_CSV_SOUND)
        return dt_fail(DT_DATA, "%s: %s has %zu field%s, but the header has %zu", path, place,
                       fields->count, fields->count == 1 ? "" : "s", columns);
    static const char *const problems[] = {
        [DT_CSV_QUOTE_INSIDE] = "a quote inside an unquoted field; put the field in quotes and "
                                "double the quotes inside",
        [DT_CSV_TEXT_BEHIND] = "text after a closing quote; double the quotes inside a field",
        [DT_CSV_UNCLOSED] = "a quote is never closed"};
    return dt_fail(DT_DATA, "%s: %s, field %zu: %s", path, place, fields->count + 1,
                   problems[fields->problem]);
}

/* A malformed row is passed on with empty cells, because its cells cannot be assigned to
 * columns. */
DT_MUST_USE static dt_status empty(dt_csv_field **cells, size_t columns)
{
    if (*cells != NULL)
        return DT_OK;
    dt_status status = dt_memory_alloc(cells, columns, sizeof **cells, "cells of a row");
    for (size_t c = 0; status == DT_OK && c < columns; c++)
        (*cells)[c].text = "";
    return status;
}

dt_status dt_csv_parse(const char *path, const dt_csv_format *format, const dt_csv_block *block,
                       dt_csv_take *take, void *context)
{
    dt_status status = DT_OK;
    dt_csv_fields fields = {.most = format->columns + format->trailing};
    dt_csv_field *nothing = NULL; /* the cells of a malformed row */
    dt_csv_record record;
    dt_csv_scan scan =
        dt_csv_scan_start(block->text, block->bytes, block->line, format->separator, true);
    DT_ASSERT(format->columns > 0);
    for (uint64_t row = block->row;; row++) {
        if (dt_csv_scan_next(&scan, &record) == DT_CSV_SCAN_END)
            break;
        DT_TRY(dt_csv_split(&fields, &record, &scan.stops));
        if (format->trailing && fields.count == format->columns + 1 &&
            fields.items[format->columns].bytes == 0)
            fields.count--;
        const bool malformed = fields.problem != DT_CSV_SOUND || fields.count != format->columns;
        if (malformed)
            status = fail_row(path, row, &record, &fields, format->columns);
        if (malformed && format->takes_malformed)
            status = empty(&nothing, format->columns);
        DT_TRY(status);
        DT_TRY(take(context, &(dt_csv_row){row, record.line, malformed ? nothing : fields.items,
                                           malformed}));
    }
out:
    dt_memory_free(nothing);
    dt_csv_fields_clear(&fields);
    return status;
}
