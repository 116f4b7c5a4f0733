#ifndef DTRAIN_IO_CSV_LAYOUT_H
#define DTRAIN_IO_CSV_LAYOUT_H

#include "csv_scan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** How a table's first lines stand to its rows, as its beginning tells. Private to src/io. */

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
    char first[64]; /* the first cells, to be shown */
} dt_csv_judgement;

/**
 * Judges whether the first record of a sample is a header: a text above numbers is a name; a number
 * above numbers, and a text that stands further down in the same column, is a value.
 *
 * Errors:  DT_MEMORY
 */
DT_MUST_USE dt_status dt_csv_judge(dt_csv_judgement *out, const dt_csv_sample *sample,
                                   char separator, size_t columns);

/** What dt_csv_find_layout found. */
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
        no_names_line; /* of a header that lacks a name, though no field names the rows; or 0 */
} dt_csv_layout;

/**
 * Finds the layout between these separators. Left out above the header are lines of fewer fields,
 * when all that follow have the same number, and the first of them is a header without doubt.
 *
 * Errors:  DT_MEMORY
 */
DT_MUST_USE dt_status dt_csv_find_layout(dt_csv_layout *out, const dt_csv_sample *sample,
                                         char separator);

/**
 * Finds the separator, if *separator is 0, and the layout that goes with it: the separator that
 * makes most columns, the same number in each record.
 *
 * Errors:  DT_MEMORY
 */
DT_MUST_USE dt_status dt_csv_find_separator(dt_csv_layout *out, char *separator,
                                            const dt_csv_sample *sample);

/**
 * Passes over the lines that are no part of the table: `lines` of them, then "sep=;", whose
 * separator is taken unless *separator is known, then those that begin with '#' above others.
 * *comment becomes the last of these, without the '#'; else it is empty.
 */
dt_csv_sample dt_csv_skip_preamble(const dt_csv_sample *sample, uint64_t lines, char *separator,
                                   dt_csv_sample *comment);

#endif
