#ifndef DTRAIN_IO_CSV_SCAN_H
#define DTRAIN_IO_CSV_SCAN_H

#include "dtrain/io/csv.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What the files of csv.h share. Private to src/io. */

enum { DT_CSV_MAX_RECORD_BYTES = 16 << 20, DT_CSV_MAX_COLUMNS = 1 << 20 };

typedef enum dt_csv_scan_result {
    DT_CSV_SCAN_RECORD,
    DT_CSV_SCAN_END, /* only blank lines were left */
    DT_CSV_SCAN_MORE, /* the record goes on behind the text */
    DT_CSV_SCAN_UNCLOSED /* the table ends inside quotes; the record is what is left */
} dt_csv_scan_result;

typedef struct dt_csv_record {
    const char *text; /* without the blanks before it */
    size_t bytes; /* with its line end */
    uint64_t line, lines; /* the line on which it begins; how many it has */
} dt_csv_record;

/**
 * Walks from record to record. Both the cutting into blocks and the counting of lines in a block go
 * through here, so that they cannot differ; nor do records depend on how a table is cut.
 */
typedef struct dt_csv_scan {
    const char *at, *end;
    const char *lf, *cr, *quote; /* the next ones, `end` when there are none */
    uint64_t line; /* of `at` */
    char separator;
    bool whole; /* the text ends where the table does, or where a record does */
} dt_csv_scan;

/** Starts at the beginning of a line, or behind blanks that begin it. */
dt_csv_scan dt_csv_scan_start(const char *text, size_t bytes, uint64_t line, char separator,
                              bool whole);

/**
 * Finds the next record, as libcsv sees it; a line end is LF, CRLF or a CR alone.
 *
 * A record that libcsv will refuse, for a quote in the wrong place, ends with that quote's line.
 */
dt_csv_scan_result dt_csv_scan_next(dt_csv_scan *scan, dt_csv_record *out);

/**
 * Counts the fields of the first record, and tells whether all are well-formed and have as many.
 *
 * Errors:  DT_MEMORY
 */
DT_MUST_USE dt_status dt_csv_count_columns(dt_csv_scan scan, size_t *columns, bool *uniform);

/** Fills in what `format` leaves open, but for its columns. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_csv_find_format(dt_csv_format *format, const char *text, size_t bytes,
                                         bool whole);

/**
 * Says what a file is whose first bytes, after the byte order mark, tell that it is no table.
 *
 * Errors:  DT_DATA, one line that names `path`
 */
DT_MUST_USE dt_status dt_csv_check_kind(const char *path, const char *text, size_t bytes);

#endif
