#ifndef DTRAIN_IO_CELL_SPAN_H
#define DTRAIN_IO_CELL_SPAN_H

#include <stdbool.h>
#include <stddef.h>

/** The unread rest of a cell while it is parsed, and its characters. Private to src/io. */
typedef struct dt_cell_span {
    const char *at, *end;
} dt_cell_span;

static inline bool dt_cell_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/** Of ASCII. */
static inline bool dt_cell_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/** Returns how many digits the span begins with. */
static inline size_t dt_cell_digits_at(const dt_cell_span *s)
{
    size_t count = 0;
    while (s->at + count < s->end && dt_cell_is_digit(s->at[count]))
        count++;
    return count;
}

#endif
