#ifndef DTRAIN_IO_DATE_H
#define DTRAIN_IO_DATE_H

#include <stdbool.h>
#include <stddef.h>

/**
 * Dates and times as people write them in tables: 2021-01-31, 31.1.2021, 1/31/21, 20210131,
 * 31 Jan 2021, January 31, 2021, 2021-01, 01/2021, Jan-21, 2021Q1, 2021M01, 13:45. All calls are
 * local.
 *
 * A date has a day, a month and a year in one of three orders, or a month and a year; they are
 * separated by the same sign twice: - / . or, beside the name of a month, blanks and a comma. The
 * name is English, in full or of three letters. A year has four digits, or two: 69 to 99 are 1969
 * to 1999, 00 to 68 are 2000 to 2068. Digits without a sign are 20210131, 202101311345 or
 * 20210131134500.
 *
 * A time may follow, behind blanks or a T: 13:45, 13:45:10.5, 1:45 PM, 134510 behind a T; and a
 * zone behind it: Z, UTC, GMT, +02:00, +0200, -05. The name of a weekday may stand before a date.
 */

/** The order of the parts of a date. */
typedef enum dt_date_order {
    DT_DATE_NONE,
    DT_DATE_YMD,
    DT_DATE_DMY,
    DT_DATE_MDY,
    DT_DATE_YM,
    DT_DATE_MY,
    DT_DATE_TIME, /* no date, but a time */
    DT_DATE_ORDERS
} dt_date_order;

/** The orders that can be named in options; the first is DT_DATE_YMD. */
#define DT_DATE_NAMES "ymd|dmy|mdy|ym|my|time"

/** A date or a time as numbers. */
typedef struct dt_date {
    double days; /* since 1970-01-01 00:00 UTC, or since midnight */
    double month; /* share of the year that has passed, with equal months: July 1 is 0.5; 0: a
                   * time */
    double weekday; /* share of the week since Monday 00:00; 0: there is no day */
    double hour; /* share of the day */
    int day; /* of the month; 1 if there is none, 0: a time */
    char divider; /* between the parts: - / . or a blank; 0: nothing */
    bool has_short_year; /* of two digits */
} dt_date;

/** The possible meanings of a cell. */
typedef struct dt_date_look {
    unsigned orders; /* bit n: the cell is a date in dt_date_order n, */
    double days[DT_DATE_ORDERS]; /* and its dt_date.days */
    char divider; /* between the parts: - / . or a blank; 0: nothing */
    bool is_season; /* it may be a year and the last digits of the next, as 2009-10 */
} dt_date_look;

/** Finds the orders in which a cell is a date or a time; returns false if there is none. */
bool dt_date_look_at(dt_date_look *out, const char *text, size_t bytes);

/**
 * Reads a cell in an order. Returns false if it is not a date in that order; *out is then
 * unchanged.
 */
bool dt_date_read(dt_date *out, const char *text, size_t bytes, dt_date_order order);

/** Returns "ymd" and so on; "" for DT_DATE_NONE. Owns: static text. */
const char *dt_date_order_name(dt_date_order order);

enum { DT_DATE_BYTES = 64 };

/** Writes days as 2021-01-31, 2021-01-31 13:45, 2021-01 or 13:45, as the order has it; as a number
 * if they are beyond the years 1000 to 9999. Returns `out`. */
const char *dt_date_show(char out[DT_DATE_BYTES], double days, dt_date_order order);

#endif
