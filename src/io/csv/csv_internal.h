#ifndef DTRAIN_IO_CSV_INTERNAL_H
#define DTRAIN_IO_CSV_INTERNAL_H

#include "csv_input.h"
#include "csv_scan.h"

#include "dtrain/io/csv.h"

/** An open table, shared by csv.c and csv_open.c. Private to src/io. */

/* The byte order mark of UTF-8. */
#define DT_CSV_MARK "\xef\xbb\xbf"

enum { DT_CSV_WARNINGS_MAX = 6, DT_CSV_WARNING_BYTES = 320 };

typedef struct dt_csv_name_entry {
    const char *text;
    size_t column;
} dt_csv_name_entry;

/** The columns' names. */
typedef struct dt_csv_names {
    char *text;
    dt_csv_name_entry *names; /* [count], in the table's order */
    dt_csv_name_entry *sorted; /* the same by name */
    char *renamed; /* text of the renamed ones */
    size_t count;
} dt_csv_names;

struct dt_csv {
    char *path;
    dt_csv_input *input;
    dt_csv_format format;
    dt_csv_names names;
    char *buffer;
    size_t capacity, begin, end; /* of the buffer, and of its unread bytes */
    uint64_t offset; /* in the input, of what follows the buffer */
    bool ended; /* nothing follows */
    uint64_t row, line; /* at `begin` */
    uint64_t body_offset, body_line; /* where the rows begin */
    char *header; /* its record; NULL: there is none, or a row may be equal to it */
    size_t header_bytes; /* without the line end */
    uint64_t repeats, repeat_line; /* records like it below, in this pass; the first */
    bool repeats_told; /* after an earlier pass */
    bool knows_names; /* while it is opened: the header is expected to have the format's names */
    char notes[DT_CSV_WARNING_BYTES];
    char warnings[DT_CSV_WARNINGS_MAX][DT_CSV_WARNING_BYTES];
    size_t warning_count, warnings_given;
};

/**
 * Fills the buffer to at least `wanted` unread bytes, unless the table ends before.
 * Errors: as dt_csv_input_read.
 */
DT_MUST_USE dt_status dt_csv_fill(dt_csv *csv, size_t wanted);

/** Reads the beginning: all that dt_csv_open finds out. Errors: as dt_csv_open. */
DT_MUST_USE dt_status dt_csv_read_beginning(dt_csv *csv);

/** Stores the header's record, so that rows that repeat it are skipped. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_csv_keep_header(dt_csv *csv, const dt_csv_block *header);

/** Returns the first of the names that are not optional, or the last one, for messages. */
const char *dt_csv_first_needed(const dt_csv_format *format);

/** Adds a line for dt_csv_next_warning, or to the notes. */
void dt_csv_warn(dt_csv *csv, const char *format, ...) __attribute__((format(printf, 2, 3)));
void dt_csv_note(dt_csv *csv, const char *format, ...) __attribute__((format(printf, 2, 3)));

/**
 * Sets the names from cells. Columns before `first`, and those with empty cells, are named "column
 * 3". If cells is NULL, all are.
 *
 * A repeated name gets a number: "age.1"; *renamed is the number of such columns, and *example the
 * first one.
 *
 * Errors:  DT_MEMORY
 */
DT_MUST_USE dt_status dt_csv_names_make(dt_csv_names *out, const dt_csv_field *cells, size_t first,
                                        size_t count, size_t *renamed, size_t *example);

/** Names that columns are expected to have, borrowed. */
typedef struct dt_csv_known {
    const char *const *names;
    size_t count;
} dt_csv_known;

/** A header's cells as names. */
typedef struct dt_csv_tidy {
    dt_csv_field *cells; /* [count]; their text is here, the header's, or a known name */
    size_t count;
    char *text;
    size_t cleaned, cleaned_example; /* names that had invisible characters; the first column */
    size_t respelled, respelled_example; /* that were taken for a known name */
} dt_csv_tidy;

/**
 * Removes invisible characters from names. A name that differs from a known name only in these or
 * in case (ASCII) is replaced by it, if no other cell is as close. A cell that is a known name is
 * unchanged.
 *
 * Owns:    the caller ends with dt_csv_tidy_clear, also after an error
 * Errors:  DT_MEMORY
 */
DT_MUST_USE dt_status dt_csv_names_tidy(dt_csv_tidy *out, const dt_csv_field *cells, size_t count,
                                        const dt_csv_known *known);

void dt_csv_tidy_clear(dt_csv_tidy *tidy);

/**
 * Names the columns from `first` on by tidied cells, or by their numbers if cells is NULL. Warns of
 * names that differ from the text of the cell. Errors: DT_MEMORY.
 */
DT_MUST_USE dt_status dt_csv_name_columns(dt_csv *csv, const dt_csv_field *cells, size_t first);

/** Returns the column of this name, or SIZE_MAX. */
size_t dt_csv_names_find(const dt_csv_names *names, const char *name);

void dt_csv_names_clear(dt_csv_names *names);

#endif
