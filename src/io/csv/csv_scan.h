#ifndef DTRAIN_IO_CSV_SCAN_H
#define DTRAIN_IO_CSV_SCAN_H

#include "dtrain/io/csv.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Shared by the files of csv.h. Private to src/io. */

/* Preparing takes 3.4 KiB a column, measured: 430 MiB at most. */
enum { DT_CSV_MAX_RECORD_BYTES = 16 << 20, DT_CSV_MAX_COLUMNS = 1 << 17 };

typedef enum dt_csv_scan_result {
    DT_CSV_SCAN_RECORD,
    DT_CSV_SCAN_END, /* only blank lines were left */
    DT_CSV_SCAN_MORE, /* the record continues behind the text */
    DT_CSV_SCAN_UNCLOSED /* the table ends inside quotes; the record is what is left */
} dt_csv_scan_result;

typedef struct dt_csv_record {
    const char *text; /* without the blanks before it */
    size_t bytes; /* with its line end */
    uint64_t line, lines; /* the line on which it begins; how many it has */
} dt_csv_record;

/** Bytes at which a field may end: the separator, line ends, quotes. */
typedef struct dt_csv_stops {
    char separator;
    bool at[256];
} dt_csv_stops;

/** Errors in a record's quotes. */
typedef enum dt_csv_problem {
    DT_CSV_SOUND,
    DT_CSV_QUOTE_INSIDE, /* a quote inside an unquoted field */
    DT_CSV_TEXT_BEHIND, /* text behind a closing quote */
    DT_CSV_UNCLOSED /* the text ends inside quotes */
} dt_csv_problem;

/** A parsed record. Zeroed at first; its memory is reused for the next record. */
typedef struct dt_csv_fields {
    dt_csv_field *items; /* [count], but at most `most` */
    size_t most; /* maximum number of fields that are stored */
    size_t count; /* number of fields; of a malformed record those before the bad one */
    dt_csv_problem problem;
    size_t capacity, text_bytes;
    char *text; /* a copy of the record, which the items point into */
} dt_csv_fields;

/** Parses a record. Errors: DT_MEMORY; out->problem is not an error of this call. */
DT_MUST_USE dt_status dt_csv_split(dt_csv_fields *out, const dt_csv_record *record,
                                   const dt_csv_stops *stops);

/** Returns whether a field was quoted: the opening quote is still in front of it in the copy. */
static inline bool dt_csv_is_quoted(const dt_csv_fields *fields, size_t index)
{
    const char *text = fields->items[index].text;
    return text > fields->text && text[-1] == '"';
}

void dt_csv_fields_clear(dt_csv_fields *fields);

/**
 * Walks from record to record. Cutting into blocks and counting lines in a block both use it, so
 * that they agree, and records do not depend on how a table is cut.
 */
typedef struct dt_csv_scan {
    const char *at, *end;
    const char *lf, *cr, *quote; /* the next ones, or `end` */
    uint64_t line; /* of `at` */
    dt_csv_stops stops;
    bool whole; /* the text ends where the table does, or where a record does */
} dt_csv_scan;

/** Starts at the beginning of a line, or behind blanks that begin it. */
dt_csv_scan dt_csv_scan_start(const char *text, size_t bytes, uint64_t line, char separator,
                              bool whole);

/**
 * Finds the next record; a line end is LF, CRLF or a CR alone.
 *
 * A record with a quote in the wrong place ends with that quote's line.
 */
dt_csv_scan_result dt_csv_scan_next(dt_csv_scan *scan, dt_csv_record *out);

/** Finds the decimal sign of the rows in `text`. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_csv_find_decimal(dt_csv_format *format, const char *text, size_t bytes,
                                          bool whole);

/** Refuses a compressed or binary file by its first bytes. Errors: as dt_csv_check_kind. */
DT_MUST_USE dt_status dt_csv_check_raw(const char *path, const void *raw, size_t bytes);

/**
 * Refuses a file whose first bytes, decoded and after the byte order mark, are not those of a
 * table. If the user names the `separator` (0: none), the file may begin as JSON does.
 *
 * Errors:  DT_DATA, one line with `path` and the kind of file
 */
DT_MUST_USE dt_status dt_csv_check_kind(const char *path, const char *text, size_t bytes,
                                        char separator);

#endif
