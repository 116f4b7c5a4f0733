/* Numbers for people. */
#include "dtrain/base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Writes a number whose digits are all before the point; false: it has others, or is too large. */
static bool put_whole(char out[DT_TEXT_NUMBER_BYTES], double value, int digits)
{
    double whole = 1.0;
    for (int i = 0; i < digits; i++)
        whole *= 10.0;
    if (!(fabs(value) >= whole - 0.5 && fabs(value) < 1e10))
        return false;
    (void)snprintf(out, DT_TEXT_NUMBER_BYTES, "%.0f", value);
    return true;
}

const char *dt_text_number(char out[DT_TEXT_NUMBER_BYTES], double value, int digits)
{
    if (!put_whole(out, value, digits))
        (void)snprintf(out, DT_TEXT_NUMBER_BYTES, "%.*g", digits, value + 0.0); /* -0 is 0 */
    return out;
}

const char *dt_text_rounded(char out[DT_TEXT_NUMBER_BYTES], double value, int digits)
{
    if (put_whole(out, value, digits))
        return out;
    const int length = snprintf(out, DT_TEXT_NUMBER_BYTES, "%#.*g", digits, value);
    if (length > 0 && out[length - 1] == '.')
        out[length - 1] = '\0';
    return out;
}

const char *dt_text_aligned(char out[DT_TEXT_NUMBER_BYTES], double value, double size, int digits)
{
    size = fabs(size);
    if (!(size >= 1e-4 && size < 1e10 && fabs(value) < 1e10))
        return dt_text_rounded(out, value, digits);
    (void)snprintf(out, DT_TEXT_NUMBER_BYTES, "%.*e", digits - 1, size);
    const int decimals = digits - 1 - (int)strtol(strchr(out, 'e') + 1, NULL, 10);
    (void)snprintf(out, DT_TEXT_NUMBER_BYTES, "%.*f", decimals > 0 ? decimals : 0, value);
    if (out[strspn(out, "-0.")] != '\0')
        return out;
    if (value < 0.0 || value > 0.0)
        return dt_text_number(out, value, 1);
    if (out[0] == '-') /* -0 is 0 */
        memmove(out, out + 1, strlen(out));
    return out;
}

const char *dt_text_range(char out[DT_TEXT_RANGE_BYTES], double low, double high, int digits)
{
    char ends[2][DT_TEXT_NUMBER_BYTES];
    (void)snprintf(out, DT_TEXT_RANGE_BYTES, "%s to %s", dt_text_number(ends[0], low, digits),
                   dt_text_number(ends[1], high, digits));
    return out;
}
