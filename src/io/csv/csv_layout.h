#ifndef DTRAIN_IO_CSV_LAYOUT_H
#define DTRAIN_IO_CSV_LAYOUT_H

#include "csv_scan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The layout of a table: its first lines and its rows, found from its beginning. Private to src/io.
 */

/** The beginning of a table. */
typedef struct dt_csv_sample {
    const char *text;
    size_t bytes;
    uint64_t line; /* of the text's first byte */
    bool whole; /* the table ends there, too */
} dt_csv_sample;

typedef enum dt_csv_verdict {
    DT_CSV_VERDICT_HEADER,
    DT_CSV_VERDICT_NUMBERED_HEADER, /* numbers that count, as 0, 1, 2 or 2019, 2020 */
    DT_CSV_VERDICT_ROW,
    DT_CSV_VERDICT_UNCLEAR
} dt_csv_verdict;

typedef struct dt_csv_judgement {
    dt_csv_verdict verdict;
    size_t names; /* columns whose first cell can be nothing but a name */
    bool has_numbers; /* some column has */
    char first[64]; /* the first cells, for messages */
} dt_csv_judgement;

/**
 * Judges whether the first record of a sample is a header: a text above numbers is a name; a number
 * above numbers, and a text that stands further down in the same column, is a value.
 *
 * Errors:  DT_MEMORY
 */
DT_MUST_USE dt_status dt_csv_judge(dt_csv_judgement *out, const dt_csv_sample *sample,
                                   char separator, size_t columns);

/** The result of dt_csv_find_layout. */
typedef struct dt_csv_layout {
    size_t columns;
    size_t skipped; /* bytes above the header */
    uint64_t skipped_lines;
    bool trailing; /* a record may end with a separator more */
    bool row_names; /* the header lacks the first column's name */
    bool uniform; /* all records of the sample fit */
    uint64_t odd_line, usual_line; /* not uniform, and lines seem to stand above the header: */
    size_t odd_fields, usual_fields; /* one of them, and one of the others */
    uint64_t
        no_names_line; /* line of a header that lacks a name although the rows have no names; or
                        * 0 */
} dt_csv_layout;

/**
 * Finds the layout with this separator. Lines with fewer fields above the header are skipped if all
 * following lines have the same number of fields, and the first of these is certainly a header.
 *
 * Errors:  DT_MEMORY
 */
DT_MUST_USE dt_status dt_csv_find_layout(dt_csv_layout *out, const dt_csv_sample *sample,
                                         char separator);

/**
 * Finds the separator, if *separator is 0, and its layout: the separator that gives the most
 * columns with the same number in each record.
 *
 * Errors:  DT_MEMORY
 */
DT_MUST_USE dt_status dt_csv_find_separator(dt_csv_layout *out, char *separator,
                                            const dt_csv_sample *sample);

/**
 * Skips the lines that are not part of the table: the first `lines`, then "sep=;", whose separator
 * is used unless *separator is known, then lines that begin with '#'. *comment is the last of these
 * without the '#', or empty.
 */
dt_csv_sample dt_csv_skip_preamble(const dt_csv_sample *sample, uint64_t lines, char *separator,
                                   dt_csv_sample *comment);

#endif
