#ifndef DTRAIN_IO_DATE_INTERNAL_H
#define DTRAIN_IO_DATE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

enum { DT_DATE_PARTS_MAX = 3 };
enum { DT_DATE_MINUTE = 60, DT_DATE_HOUR = 3600, DT_DATE_DAY = 86400 };

/* A number of a date; a month that has a name has no digits. */
typedef struct dt_date_piece {
    int number;
    size_t digits;
} dt_date_piece;

/* The parts of a cell between its signs. */
typedef struct dt_date_pieces {
    dt_date_piece part[DT_DATE_PARTS_MAX];
    size_t count;
    bool has_name; /* one of the parts is a month's */
    bool is_foreign; /* which is not English */
    bool is_short; /* OUT or MAI: a foreign month of so few letters may be part of a code */
    bool has_weekday, has_zone, has_time;
    bool is_compact; /* 20210131 */
    bool has_comma; /* within the date */
    char divider; /* - / . or a blank; 0: none */
    double seconds; /* of the day */
    int zone; /* seconds that its clocks are ahead of UTC */
} dt_date_pieces;

/* Parses a cell; returns false if it contains anything that a date or time does not have. */
bool dt_date_take_apart(dt_date_pieces *out, const char *text, size_t bytes);

#endif
