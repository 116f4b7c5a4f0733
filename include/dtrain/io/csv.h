#ifndef DTRAIN_IO_CSV_H
#define DTRAIN_IO_CSV_H

#include "dtrain/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Tables of text: comma-separated values and their relatives, read as a stream in a fixed amount of
 * memory. All calls are local.
 *
 * Separators are commas, semicolons, tabs, bars, carets, tildes, colons or runs of blanks. Fields
 * may be quoted, with doubled quotes and newlines inside. Lines end with LF, CRLF or CR; blank
 * lines and a UTF-8 byte order mark are skipped. ="007", as Excel writes texts, is 007. Blanks
 * (spaces, and tabs that do not separate) around a field do not belong to it; blanks inside quotes
 * do.
 *
 * The first record is the header if it looks like one. Three kinds of lines above it are skipped: a
 * line "sep=;", whose separator is used, lines that begin with '#', and title lines, which have
 * fewer fields than all lines below. Every line may end with one extra separator. If the header has
 * one name fewer than the rows have fields, the first column has no name, as in files of R,
 * provided that its cells are all different texts, or count the rows.
 *
 * A line that repeats the header, as in concatenated files, is skipped with a warning unless it
 * contains only numbers.
 *
 * The numbers of rows and lines, and the errors, do not depend on how a table is cut into blocks.
 *
 * A file compressed with gzip is inflated as it is read. "-" is stdin; it is stored in an unlinked
 * file in TMPDIR while it is read, unless it is read only once. UTF-16 and Windows-1252 become
 * UTF-8.
 *
 * Source:  RFC 4180
 */
typedef struct dt_csv dt_csv;

/** The encoding of characters. */
typedef enum dt_csv_encoding {
    DT_CSV_AUTO, /* by a byte order mark; else UTF-8, or Windows-1252 if it is not UTF-8 */
    DT_CSV_UTF_8,
    DT_CSV_WINDOWS_1252,
    DT_CSV_UTF_16
} dt_csv_encoding;
#define DT_CSV_ENCODING_NAMES "auto|utf-8|windows-1252|utf-16"

/** Whether the first line is a header. */
typedef enum dt_csv_header {
    DT_CSV_HEADER_AUTO, /* to be found */
    DT_CSV_HEADER_YES,
    DT_CSV_HEADER_NO,
    DT_CSV_HEADER_IF_NAMED, /* if its cells are among `names` */
    DT_CSV_HEADER_SOME_NAMED /* it is; some of its cells must be among `names` */
} dt_csv_header;
#define DT_CSV_HEADER_NAMES "auto|yes|no"

/** The format of a table. */
typedef struct dt_csv_format {
    char separator; /* of DT_CSV_SEPARATORS; 0: to be found. ' ': any run of spaces and tabs */
    char usual_separator; /* the separator to prefer if two fit; 0: none */
    char decimal; /* '.' ','; 0: to be found */
    char usual_decimal; /* the sign to use if no number shows it; 0: the point */
    size_t columns; /* fields that every record must have */
    bool trailing; /* a record may have one more, which is empty */
    dt_csv_encoding encoding; /* AUTO as long as all that was read is ASCII */
    dt_csv_header header;
    bool once; /* only one pass is read, so stdin is not stored on disk */
    bool takes_malformed; /* dt_csv_parse passes on rows that it would refuse, without their
                           * cells */
    size_t skip_lines; /* lines at the beginning of the file that are not part of the table */
    /* The columns' names, borrowed while the table is opened; a header that has other names is not
     * used. Columns whose names are optional may be missing, all together (NULL: none is
     * optional). */
    const char *const *names;
    const bool *optional;
    size_t name_count; /* 0: none are given */
} dt_csv_format;

typedef struct dt_csv_field {
    const char *text; /* NUL-terminated; contains no NUL */
    size_t bytes; /* without the NUL */
} dt_csv_field;

typedef struct dt_csv_row {
    uint64_t row; /* from 1; the header is not counted */
    uint64_t line; /* of the file, from 1, on which the record begins */
    const dt_csv_field *fields; /* [columns] */
    bool
        malformed; /* all of them are empty, and dt_status_text says why; format->takes_malformed */
} dt_csv_row;

/** Whole records, unchanged from the file. */
typedef struct dt_csv_block {
    const char *text;
    size_t bytes; /* 0: the table has ended */
    uint64_t row, line; /* of the first record */
    uint64_t rows;
} dt_csv_block;

/**
 * Handles one row, borrowed for the call. A status other than DT_OK ends the reading with that
 * status.
 */
typedef dt_status dt_csv_take(void *context, const dt_csv_row *row);

/**
 * Opens a table and reads its header; what `format` leaves open (0) is found from the first 256
 * KiB. The separator is the one that gives the most columns with the same number in each record; if
 * none does, the one that gives the most columns in the header (so that a ragged row is an error,
 * not another kind of table). Unless fields are separated by commas, the decimal sign is a comma if
 * some field looks like 3,14 and none like 3.14. A table with only one column of numbers like 3,14
 * has the separator semicolon. Runs of blanks separate fields if no other separator fits and some
 * column has numbers; carets or tildes, if nothing else fits. Colons, which times contain, are not
 * found.
 *
 * The first line is a header if some text in it stands above numbers, or if its numbers count up
 * (0, 1, 2; 2019, 2020); it is a row if numbers stand above numbers, or if most texts occur again
 * in their columns. If neither holds, it is a header.
 *
 * `format` may be NULL, then everything is found; its `columns` is ignored. A column without a name
 * is named "column 3"; a repeated name gets a number: "age.1". Invisible characters (no-break
 * blanks at an end, characters of no width) are removed from names. With SOME_NAMED, a name that
 * differs from one of `names` only in case matches it. Each of these causes a warning.
 *
 * Errors:  DT_DATA, one line that names the file: missing, a folder, empty, no rows below the
 *          header, not text (NUL bytes; a ZIP file is called that), a named pipe, more than 2^17
 *          columns, another number of columns than names are given; what cannot be decided: a first
 *          line that may be a header or a row, lines with fewer fields above an uncertain header;
 *          in the header or the first row, what dt_csv_next_block refuses. DT_MEMORY. On error *out
 *          = NULL.
 */
DT_MUST_USE dt_status dt_csv_open(dt_csv **out, const char *path, const dt_csv_format *format);

/** Closes and frees; NULL is allowed. */
void dt_csv_close(dt_csv *csv);

/** Return the path, the complete format, and a column's name; borrowed. */
const char *dt_csv_path(const dt_csv *csv);
const dt_csv_format *dt_csv_format_of(const dt_csv *csv);
const char *dt_csv_name(const dt_csv *csv, size_t column);

/**
 * Returns unusual properties of the table as text, for example "gzip; UTF-16", else ""; borrowed.
 */
const char *dt_csv_notes(const dt_csv *csv);

/**
 * Returns the next warning about names, rows or characters; NULL: no new warning. Borrowed. More
 * warnings may come while the table is read.
 */
const char *dt_csv_next_warning(dt_csv *csv);

/** Prints those lines, as warnings. */
void dt_csv_print_warnings(dt_csv *csv);

/** Returns the name of a separator, as among DT_CSV_SEPARATOR_NAMES. Owns: static text. */
const char *dt_csv_separator_name(char separator);
#define DT_CSV_SEPARATORS ",;\t| ^~:"
#define DT_CSV_SEPARATOR_NAMES "auto|comma|semicolon|tab|bar|space|caret|tilde|colon"

/** Returns the separator of an index among these names; 0: auto. */
char dt_csv_separator(int index);

/** Returns the index of the column of this name, or SIZE_MAX. */
size_t dt_csv_find(const dt_csv *csv, const char *name);

/**
 * Return the file's size, and where in it the next block begins: the header's end after
 * dt_csv_rewind, the file's size at the end. If it is compressed or converted, the latter is how
 * much of it was used so far; the size of stdin is UINT64_MAX before its end. Units: bytes.
 */
uint64_t dt_csv_bytes(const dt_csv *csv);
uint64_t dt_csv_bytes_read(const dt_csv *csv);

/** Goes back to the first row below the header. Errors: DT_DATA when the file cannot be read. */
DT_MUST_USE dt_status dt_csv_rewind(dt_csv *csv);

/**
 * Returns the next whole records for dt_csv_parse on this or another rank: at most `bytes` bytes,
 * but at least one record.
 *
 * Owns:    the text is borrowed, until the next call
 * Errors:  DT_DATA: reading failed; a NUL byte; a record longer than 16 MiB, most likely a quote
 *          that is never closed (its line is named); the file's end inside quotes. DT_MEMORY
 */
DT_MUST_USE dt_status dt_csv_next_block(dt_csv *csv, size_t bytes, dt_csv_block *out);

/**
 * Parses the records of a block and passes them to `take`, one by one.
 *
 * `path` is for error lines.
 *
 * Errors:  DT_DATA, naming line and row: fewer or more fields than format->columns, a quote inside
 *          an unquoted field, text behind a closing quote; a header's names are not looked at.
 *          DT_MEMORY. What `take` returned. Rows before the bad one have been taken. With
 *          format->takes_malformed such a row is given to `take` instead.
 */
DT_MUST_USE dt_status dt_csv_parse(const char *path, const dt_csv_format *format,
                                   const dt_csv_block *block, dt_csv_take *take, void *context);

/** Rewinds, then parses all rows. Errors: those of the three calls above. */
DT_MUST_USE dt_status dt_csv_read(dt_csv *csv, dt_csv_take *take, void *context);

/**
 * Reads a field as a number: [+-]digits[.digits][e[+-]digits], correctly rounded, blanks around it
 * allowed; nothing else, so neither "inf", "nan", "0x1" nor "1 000".
 *
 * Returns false if it is not a number, is beyond the range of a double, or has both more than 19
 * significant digits and more than 511 characters; *out is then unchanged. A number too small for a
 * double becomes 0.
 *
 * Cost:    5 to 40 ns; with more than 19 digits or powers of ten beyond 27, the time of strtod
 */
bool dt_csv_number(double *out, const char *text, size_t bytes, char decimal);

#endif
