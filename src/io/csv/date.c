#include "dtrain/io/date.h"

#include "date_internal.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>

/* ---- the calendar ---- */

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days before a year since the year 1, as if the calendar had always been this one. */
static int64_t days_before(int64_t year)
{
    const int64_t y = year - 1;
    return 365 * y + y / 4 - y / 100 + y / 400;
}

enum { EPOCH_YEAR = 1970, DAYS_A_WEEK = 7, EPOCH_WEEKDAY = 3 /* a Thursday */ };

static int64_t days_of(int year, int month, int day)
{
    int64_t days = days_before(year) - days_before(EPOCH_YEAR) + day - 1;
    for (int m = 1; m < month; m++)
        days += days_in(year, m);
    return days;
}

/* ---- orders ---- */

/* Where year, month and day stand. */
typedef struct layout {
    const char *name;
    size_t count, year, month, day;
} layout;

static const layout layouts[DT_DATE_ORDERS] = {
    [DT_DATE_NONE] = {"", 0, 0, 0, 0},    [DT_DATE_YMD] = {"ymd", 3, 0, 1, 2},
    [DT_DATE_DMY] = {"dmy", 3, 2, 1, 0},  [DT_DATE_MDY] = {"mdy", 3, 2, 0, 1},
    [DT_DATE_YM] = {"ym", 2, 0, 1, 0},    [DT_DATE_MY] = {"my", 2, 1, 0, 0},
    [DT_DATE_TIME] = {"time", 0, 0, 0, 0}};

const char *dt_date_order_name(dt_date_order order)
{
    return layouts[order].name;
}

/* A year of two digits is accepted if the other parts also have two. */
static bool fits_year(const dt_date_pieces *p, const layout *l)
{
    const dt_date_piece *year = &p->part[l->year], *month = &p->part[l->month],
                        *day = &p->part[l->day];
    if (year->digits == 4)
        return year->number >= 1000;
    if (year->digits != 2)
        return false;
    if (l->count == 2) /* Jan-21 is a month of a year; Jan 21 would be a day */
        return l->year == 1 && p->has_name && p->divider == '-';
    return l->year == 2 || (!p->has_name && month->digits == 2 && day->digits == 2);
}

/* Blanks and commas separate digits only next to the name of a month. */
static bool fits_signs(const dt_date_pieces *p)
{
    if (p->has_name || p->is_compact)
        return true;
    return p->divider != '\0' && p->divider != ' ' && !p->has_comma;
}

/* Foreign months may also be codes: OUT-28-60, SET-1001, GEN1001. The month of a date stands
 * between day and year, or next to a plausible year. */
static bool may_be_code(const dt_date_pieces *p, const layout *l)
{
    const dt_date_piece *year = &p->part[l->year];
    if (!p->is_foreign)
        return false;
    if (p->divider == '\0')
        return true;
    if (l->count == 3 && l->month == 1)
        return false;
    return year->digits != 4 || year->number < 1900 || (l->count == 2 && p->is_short);
}

/* Historical tables name months of early years, but DEC-1001 is a code. */
static bool fits_month_of_year(const dt_date_pieces *p, int year)
{
    return !p->has_time && year >= (p->has_name ? 1600 : 1900) && year <= 2100;
}

static bool fits(const dt_date_pieces *p, dt_date_order order, int *year, int *month, int *day)
{
    const layout *l = &layouts[order];
    if (order == DT_DATE_NONE || p->count != l->count)
        return false;
    if (order == DT_DATE_TIME)
        return p->has_time && !p->has_weekday && !p->has_zone; /* 13:45-14:30 is a span */
    const dt_date_piece *m = &p->part[l->month];
    if (!fits_signs(p) || !fits_year(p, l) || m->digits > 2 || p->has_name != (m->digits == 0))
        return false;
    if (may_be_code(p, l))
        return false;
    const dt_date_piece *y = &p->part[l->year];
    *year = y->digits == 4 ? y->number : y->number + (y->number < 69 ? 2000 : 1900);
    *month = m->number;
    *day = 1;
    if (*month < 1 || *month > 12)
        return false;
    if (l->count == 2)
        return fits_month_of_year(p, *year);
    *day = p->part[l->day].number;
    return p->part[l->day].digits <= 2 && *day >= 1 && *day <= days_in(*year, *month);
}

/* The share of a day that has gone by; a time at its end counts to the next day. */
static double share_of_day(double days)
{
    return days - floor(days);
}

/* Of pieces that fit. */
static dt_date date_of(const dt_date_pieces *p, dt_date_order order, int year, int month, int day)
{
    const double time = (p->seconds - (double)p->zone) / (double)DT_DATE_DAY;
    if (order == DT_DATE_TIME)
        return (dt_date){.days = share_of_day(time), .hour = share_of_day(time)};
    dt_date out = {
        .days = (double)days_of(year, month, day) + time, .day = day, .divider = p->divider};
    out.has_short_year = p->part[layouts[order].year].digits == 2;
    out.hour = share_of_day(out.days);
    /* The zone may have moved it to another day; the month's share ignores that. */
    const double in_month = ((double)(day - 1) + time) / (double)days_in(year, month);
    out.month = ((double)(month - 1) + in_month) / 12.0;
    const double week = (double)DAYS_A_WEEK, monday = out.days + (double)EPOCH_WEEKDAY;
    if (layouts[order].count == 3)
        out.weekday = (monday - week * floor(monday / week)) / week;
    return out;
}

bool dt_date_look_at(dt_date_look *out, const char *text, size_t bytes)
{
    dt_date_pieces p;
    int year = 0, month = 0, day = 0;
    *out = (dt_date_look){0};
    if (!dt_date_take_apart(&p, text, bytes))
        return false;
    for (int order = DT_DATE_YMD; order < DT_DATE_ORDERS; order++)
        if (fits(&p, (dt_date_order)order, &year, &month, &day)) {
            out->orders |= 1u << order;
            out->days[order] = date_of(&p, (dt_date_order)order, year, month, day).days;
        }
    out->divider = p.divider;
    out->is_season = out->orders == 1u << DT_DATE_YM && !p.has_name && (year + 1) % 100 == month;
    return out->orders != 0;
}

bool dt_date_read(dt_date *out, const char *text, size_t bytes, dt_date_order order)
{
    dt_date_pieces p;
    int year = 0, month = 1, day = 0;
    if (!dt_date_take_apart(&p, text, bytes) || !fits(&p, order, &year, &month, &day))
        return false;
    *out = date_of(&p, order, year, month, day);
    return true;
}

/* ---- for people ---- */

const char *dt_date_show(char out[DT_DATE_BYTES], double days, dt_date_order order)
{
    const double first = (double)days_of(1000, 1, 1), last = (double)days_of(9999, 12, 31);
    const double whole = floor(days);
    if (!(days >= first && days < last + 1.0)) {
        (void)snprintf(out, DT_DATE_BYTES, "day %.9g", days);
        return out;
    }
    char time[16] = "";
    const unsigned minutes = (unsigned)((days - whole) * 1440.0 + 1e-6) % 1440;
    (void)snprintf(time, sizeof time, " %02u:%02u", minutes / 60, minutes % 60);
    int64_t left = (int64_t)whole + days_before(EPOCH_YEAR);
    int year = (int)(left / 366) + 1, month = 1;
    while (days_before(year + 1) <= left)
        year++;
    for (left -= days_before(year); left >= days_in(year, month); month++)
        left -= days_in(year, month);
    if (order == DT_DATE_TIME)
        (void)snprintf(out, DT_DATE_BYTES, "%s", time + 1);
    else if (order == DT_DATE_YM || order == DT_DATE_MY)
        (void)snprintf(out, DT_DATE_BYTES, "%04d-%02d", year, month);
    else
        (void)snprintf(out, DT_DATE_BYTES, "%04d-%02d-%02d%s", year, month, (int)left + 1,
                       days > whole ? time : "");
    return out;
}
