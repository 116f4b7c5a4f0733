#ifndef DTRAIN_IO_NUMBER_H
#define DTRAIN_IO_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

/**
 * Numbers as people write them in tables: 1,023.50  1.023,50  1 023  1'023  $12  13.75%  12 kg
 * (12)  U+2212 5  1.5D+03. All calls are local.
 *
 * A cell is, with blanks around and between its parts (no-break ones too): a sign, or brackets that
 * mean a negative number; a unit, before the number a currency, behind it whatever is no digit;
 * digits in groups and with decimals; an exponent, e or Fortran's d; the sign may also come last.
 * Groups have three digits, the first up to three, as 1,234,567; or, between commas, two digits
 * before the last three, as 12,34,567.
 */

enum { DT_NUMBER_UNIT_BYTES = 16, DT_NUMBER_BODY_BYTES = 64 };

/** How the numbers of a column are written. */
typedef struct dt_number_format {
    char decimal; /* '.' or ',' */
    char group; /* between thousands: ',' '.' ' ' '\''; 0: nothing may stand there */
    char unit[DT_NUMBER_UNIT_BYTES]; /* "$", "kg", "%"; "": none may stand there */
} dt_number_format;

/** One reading of a cell. */
typedef struct dt_number_reading {
    bool fits;
    char group; /* 0: there is none */
    double value;
} dt_number_reading;

/** What a cell can mean: the decimals behind a point, or behind a comma. */
typedef struct dt_number_look {
    dt_number_reading point, comma;
    bool is_long; /* four digits or more without a group */
    bool is_short; /* whole and plain, one to three digits, and not 0 */
    char unit[DT_NUMBER_UNIT_BYTES];
} dt_number_look;

/**
 * Reads a cell as a number of this format: first as dt_csv_number does; then with groups, the unit,
 * and signs as above. A cell without the format's unit is one, too. Returns false when it is none;
 * *out is then left alone.
 */
bool dt_number_read(double *out, const char *text, size_t bytes, const dt_number_format *format);

/** Tells what a cell can mean; returns false when it is no number in either reading. */
bool dt_number_look_at(dt_number_look *out, const char *text, size_t bytes);

/** Tells whether a unit makes a number a hundredth of itself: "%", "percent" or "pct". */
bool dt_number_is_percent(const char *unit);

/**
 * Returns whether a cell looks like a number, also if it can be read in no way: it has a digit, and
 * no letter leads, except those of a currency: "about 12" and "A12" do not, "12 to 15" and
 * "CHF 12.-" do.
 */
bool dt_number_is_like(const char *text, size_t bytes);

#endif
