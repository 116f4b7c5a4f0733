#include "dtrain/io/csv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_DIGITS = 19, /* this many always fit into 64 bits */
    MAX_EXPONENT = 99999, /* larger ones are cut; the range of a double ends long before */
    MAX_POWER = 22, /* 10^22 is the last power of ten that is a double */
    MAX_FIVES = 27, /* 5^27 is the last power of five that fits into 64 bits */
    TEXT_BYTES = 512
};

typedef struct decimal_number {
    bool negative;
    bool cut; /* digits other than 0 are missing */
    uint64_t digits;
    int exponent; /* the number is digits * 10^exponent */
} decimal_number;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *take_digits(const char *at, const char *end, decimal_number *number, int *count,
                               int step)
{
    for (; at < end && is_digit(*at); at++) {
        const unsigned digit = (unsigned)(*at - '0');
        if (*count < MAX_DIGITS) {
            number->digits = number->digits * 10 + digit;
            *count += number->digits != 0;
            number->exponent -= step;
        } else {
            number->cut = number->cut || digit != 0;
            number->exponent += 1 - step;
        }
    }
    return at;
}

/* Returns what follows [e[+-]digits]; NULL when digits are missing. */
static const char *take_exponent(const char *at, const char *end, decimal_number *number)
{
    if (at == end || (*at != 'e' && *at != 'E'))
        return at;
    at++;
    const bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    if (at == end || !is_digit(*at))
        return NULL;
    int exponent = 0;
    for (; at < end && is_digit(*at); at++)
        if (exponent < MAX_EXPONENT)
            exponent = exponent * 10 + (*at - '0');
    number->exponent += negative ? -exponent : exponent;
    return at;
}

static bool take_apart(decimal_number *out, const char *at, const char *end, char decimal)
{
    int count = 0;
    *out = (decimal_number){.negative = at < end && *at == '-'};
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    const char *begin = at;
    at = take_digits(at, end, out, &count, 0);
    bool any = at > begin;
    if (at < end && *at == decimal) {
        begin = ++at;
        at = take_digits(at, end, out, &count, 1);
        any = any || at > begin;
    }
    if (!any)
        return false;
    at = take_exponent(at, end, out);
    return at == end;
}

#ifdef __SIZEOF_INT128__
#define HAS_SCALE true
__extension__ typedef unsigned __int128 uint128;

static int leading_zeros(uint64_t value)
{
    return __builtin_clzll(value);
}

/*
 * digits * 10^exponent, correctly rounded, for digits > 0 and an exponent within MAX_FIVES: the 64
 * leading bits of the product or quotient with a power of five, of which the last is set if any
 * later bit is; the conversion to double then rounds once. The remaining factor is a power of two,
 * and nothing here comes near the limits of a double.
 */
static double scale(uint64_t digits, int exponent)
{
    static const uint64_t fives[MAX_FIVES + 1] = {1u,
                                                  5u,
                                                  25u,
                                                  125u,
                                                  625u,
                                                  3125u,
                                                  15625u,
                                                  78125u,
                                                  390625u,
                                                  1953125u,
                                                  9765625u,
                                                  48828125u,
                                                  244140625u,
                                                  1220703125u,
                                                  6103515625ull,
                                                  30517578125ull,
                                                  152587890625ull,
                                                  762939453125ull,
                                                  3814697265625ull,
                                                  19073486328125ull,
                                                  95367431640625ull,
                                                  476837158203125ull,
                                                  2384185791015625ull,
                                                  11920928955078125ull,
                                                  59604644775390625ull,
                                                  298023223876953125ull,
                                                  1490116119384765625ull,
                                                  7450580596923828125ull};
    const uint64_t five = fives[abs(exponent)];
    uint64_t leading;
    int twos = exponent;
    if (exponent >= 0) {
        uint128 product = (uint128)digits * five;
        const uint64_t high = (uint64_t)(product >> 64);
        const int shift = high == 0 ? 0 : 64 - leading_zeros(high);
        leading = (uint64_t)(product >> shift);
        leading |= ((uint128)leading << shift) != product;
        twos += shift;
    } else {
        const int up = leading_zeros(digits), up_five = leading_zeros(five);
        const uint128 dividend = (uint128)(digits << up) << 63;
        const uint64_t divisor = five << up_five;
        leading = (uint64_t)(dividend / divisor); /* 63 or 64 bits */
        leading |= (uint128)leading * divisor != dividend;
        twos += up_five - up - 63;
    }
    return ldexp((double)leading, twos);
}
#else
#define HAS_SCALE false

static double scale(uint64_t digits, int exponent)
{
    (void)exponent;
    return (double)digits;
}
#endif

/* Slow, but general. The program never sets a locale, so strtod accepts only the point. */
static bool convert_by_library(double *out, const char *text, size_t bytes, char decimal)
{
    char copy[TEXT_BYTES];
    if (bytes >= sizeof copy)
        return false;
    memcpy(copy, text, bytes);
    copy[bytes] = '\0';
    char *point = memchr(copy, decimal, bytes);
    if (point != NULL)
        *point = '.';
    const double value = strtod(copy, NULL);
    if (!isfinite(value))
        return false;
    *out = value;
    return true;
}

bool dt_csv_number(double *out, const char *text, size_t bytes, char decimal)
{
    static const double powers[MAX_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const char *end = text + bytes;
    decimal_number number;
    while (text < end && (*text == ' ' || *text == '\t'))
        text++;
    while (end > text && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    if (!take_apart(&number, text, end, decimal))
        return false;
    const int exponent = number.exponent;
    double value = (double)number.digits;
    /* Both operands are exact, so that the one operation rounds correctly (Clinger, PLDI 1990). */
    if (number.digits == 0)
        value = 0;
    else if (!number.cut && number.digits >> 53 == 0 && abs(exponent) <= MAX_POWER)
        value = exponent < 0 ? value / powers[-exponent] : value * powers[exponent];
    else if (HAS_SCALE && !number.cut && abs(exponent) <= MAX_FIVES)
        value = scale(number.digits, exponent);
    else
        return convert_by_library(out, text, (size_t)(end - text), decimal);
    *out = number.negative ? -value : value;
    return true;
}
