#include "dtrain/base/text.h"

#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { NAME_MAX_BYTES = 63 };

/* Levenshtein's distance, in which case does not count; `b` has at most NAME_MAX_BYTES. */
static size_t distance(const char *a, const char *b, size_t b_length)
{
    size_t row[NAME_MAX_BYTES + 1];
    for (size_t j = 0; j <= b_length; j++)
        row[j] = j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < b_length; j++) {
            const size_t replaced =
                diagonal + (tolower((unsigned char)a[i]) != tolower((unsigned char)b[j]));
            diagonal = row[j + 1];
            size_t best = row[j] < row[j + 1] ? row[j] : row[j + 1];
            best = best + 1 < replaced ? best + 1 : replaced;
            row[j + 1] = best;
        }
    }
    return row[b_length];
}

size_t dt_text_nearest(const char *name, const char *const *names, size_t count)
{
    const size_t length = strlen(name);
    size_t nearest = SIZE_MAX;
    /* Farther ones are no likely slip of the finger. */
    size_t least = length < 2 ? 0 : 1 + length / 4;
    if (length > NAME_MAX_BYTES)
        return SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        const size_t d = distance(names[i], name, length);
        if (d < least || (d == least && nearest == SIZE_MAX)) {
            nearest = i;
            least = d;
        }
    }
    return nearest;
}

const char *dt_text_show(char out[DT_TEXT_SHOWN_BYTES + 4], const char *text, size_t bytes)
{
    const size_t shown = bytes < DT_TEXT_SHOWN_BYTES ? bytes : DT_TEXT_SHOWN_BYTES;
    for (size_t i = 0; i < shown; i++)
        out[i] = (unsigned char)text[i] < ' ' || text[i] == 127 ? '?' : text[i];
    memcpy(out + shown, bytes > shown ? "..." : "", bytes > shown ? 4 : 1);
    return out;
}

size_t dt_text_probability(char *out, float value)
{
    enum { DIGITS = 9 };
    const double p = (double)value;
    if (!(p >= 1e-4 && p < 1.0)) /* 0, 1, NaN, and what %g writes with an exponent */
        return (size_t)snprintf(out, 24, "%.9g", p);
    /* p = 0.000 and nine digits: a product and a rounding, both far finer than the last digit. */
    static const double scales[] = {1e9, 1e10, 1e11, 1e12};
    const size_t zeros = p >= 0.1 ? 0 : p >= 0.01 ? 1 : p >= 0.001 ? 2 : 3;
    int64_t digits = llrint(p * scales[zeros]);
    if (digits >= 1000000000) /* rounded up to the next power of ten */
        return (size_t)snprintf(out, 24, "%.9g", p);
    size_t length = 2 + zeros + DIGITS;
    memcpy(out, "0.000", 2 + zeros);
    for (size_t i = length; i-- > 2 + zeros; digits /= 10)
        out[i] = (char)('0' + digits % 10);
    while (out[length - 1] == '0')
        length--;
    out[length] = '\0';
    return length;
}

size_t dt_text_whole(char *out, uint64_t value)
{
    char digits[24];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    const size_t length = sizeof digits - at;
    memcpy(out, digits + at, length);
    out[length] = '\0';
    return length;
}
