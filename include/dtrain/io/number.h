#ifndef DTRAIN_IO_NUMBER_H
#define DTRAIN_IO_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

/**
 * Numbers as people write them in tables: 1,023.50  1.023,50  1 023  1'023  $12  13.75%  12 kg
 * (12)  U+2212 5  1.5D+03. All calls are local.
 *
 * The parts of a cell, with blanks (also no-break ones) around and between them, are: a sign, or
 * brackets for a negative number; a unit, which is a currency before the number and any text
 * without digits behind it; digits in groups and with decimals; an exponent, e or Fortran's d; the
 * sign may also come last. Groups have three digits, the first up to three, as 1,234,567; or,
 * between commas, two digits before the last three, as 12,34,567.
 */

enum { DT_NUMBER_UNIT_BYTES = 16, DT_NUMBER_BODY_BYTES = 64 };

/** The format of the numbers of a column. */
typedef struct dt_number_format {
    char decimal; /* '.' or ',' */
    char group; /* thousands separator: ',' '.' ' ' '\''; 0: none is allowed */
    char unit[DT_NUMBER_UNIT_BYTES]; /* "$", "kg", "%"; "": none is allowed */
} dt_number_format;

/** One reading of a cell. */
typedef struct dt_number_reading {
    bool fits;
    char group; /* 0: there is none */
    double value;
} dt_number_reading;

/** The possible meanings of a cell: with a decimal point, or with a decimal comma. */
typedef struct dt_number_look {
    dt_number_reading point, comma;
    bool is_long; /* four digits or more without a group */
    bool is_short; /* whole and plain, one to three digits, and not 0 */
    char unit[DT_NUMBER_UNIT_BYTES];
} dt_number_look;

/**
 * Reads a cell as a number of this format: first as dt_csv_number does, then with groups, unit and
 * signs as above. The unit may be missing. Returns false if the cell is not a number; *out is then
 * unchanged.
 */
bool dt_number_read(double *out, const char *text, size_t bytes, const dt_number_format *format);

/** Finds the possible meanings of a cell; returns false if it is not a number in either reading. */
bool dt_number_look_at(dt_number_look *out, const char *text, size_t bytes);

/** Returns what a unit makes of a 1: 0.01 of "%", "percent" or "pct", 0.001 of per mille, or 1. */
double dt_number_share(const char *unit);

/**
 * Returns whether a cell looks like a number, even if it cannot be read: it has a digit, and it
 * does not begin with a letter, except that of a currency: "about 12" and "A12" do not, "12 to 15"
 * and "CHF 12.-" do.
 */
bool dt_number_is_like(const char *text, size_t bytes);

#endif
