#include "dtrain/io/number.h"

#include "cell_span.h"
#include "dtrain/base/text.h"
#include "dtrain/io/csv.h"

#include <math.h>
#include <string.h>
#include <strings.h>

/* ---- parts of a cell ---- */

/* A cell without blanks, sign and unit. */
typedef struct parts {
    bool negative;
    char body[DT_NUMBER_BODY_BYTES]; /* digits . , ' and blanks, in one byte each */
    size_t length;
    char exponent[DT_NUMBER_BODY_BYTES]; /* as "e+03"; "": none */
    char unit[DT_NUMBER_UNIT_BYTES];
} parts;

static bool is_beyond_ascii(char c)
{
    return ((unsigned char)c & 0x80u) != 0;
}

/* The length of the first of the texts that the span begins with; 0: none. */
static size_t begins_with(const dt_cell_span *s, const char *const *texts, size_t count)
{
    for (size_t i = 0; s->at < s->end && i < count; i++) {
        if (texts[i][0] != *s->at) /* for most cells, this comparison is enough */
            continue;
        const size_t length = strlen(texts[i]);
        if ((size_t)(s->end - s->at) >= length && memcmp(s->at, texts[i], length) == 0)
            return length;
    }
    return 0;
}

#define COUNT(list) (sizeof(list) / sizeof *(list))

static size_t blank_at(const dt_cell_span *s)
{
    static const char *const blanks[] = {" ",
                                         "\t",
                                         "\xc2\xa0" /* no-break */,
                                         "\xe2\x80\xaf" /* narrow no-break */,
                                         "\xe2\x80\x89" /* thin */,
                                         "\xe2\x80\x87" /* figure */};
    return begins_with(s, blanks, COUNT(blanks));
}

static size_t minus_at(const dt_cell_span *s)
{
    static const char *const minus[] = {"-", "\xe2\x88\x92" /* minus */, "\xe2\x80\x93" /* dash */};
    return begins_with(s, minus, COUNT(minus));
}

static void skip_blanks(dt_cell_span *s)
{
    for (size_t bytes = blank_at(s); bytes > 0; bytes = blank_at(s))
        s->at += bytes;
}

/* Blanks at the end, of up to three bytes. */
static void trim(dt_cell_span *s)
{
    skip_blanks(s);
    for (bool any = true; any;) {
        any = false;
        for (ptrdiff_t bytes = 1; bytes <= 3 && bytes <= s->end - s->at; bytes++) {
            const dt_cell_span last = {s->end - bytes, s->end};
            any = blank_at(&last) == (size_t)bytes;
            if (any) {
                s->end -= bytes;
                break;
            }
        }
    }
}

/* A minus, once. */
static void take_sign(dt_cell_span *s, parts *out, bool *has_sign)
{
    const size_t minus = minus_at(s);
    if (*has_sign || (minus == 0 && !(s->at < s->end && *s->at == '+')))
        return;
    *has_sign = true;
    out->negative = minus > 0;
    s->at += minus > 0 ? minus : 1;
    skip_blanks(s);
}

static void take_brackets(dt_cell_span *s, parts *out, bool *has_sign)
{
    if (s->end - s->at < 3 || *s->at != '(' || s->end[-1] != ')')
        return;
    s->at++;
    s->end--;
    out->negative = *has_sign = true;
    trim(s);
}

/* ---- units ---- */

static void add_unit(parts *out, const char *from, size_t bytes)
{
    const size_t used = strlen(out->unit);
    memcpy(out->unit + used, from, bytes);
    out->unit[used + bytes] = '\0';
}

/* Before a number only currencies are units: "Q1" and "user 12" are names. */
static void take_currency(dt_cell_span *s, parts *out)
{
    static const char *const currencies[] = {"US$",
                                             "A$",
                                             "C$",
                                             "R$",
                                             "S$",
                                             "NZ$",
                                             "HK$",
                                             "$",
                                             "\xe2\x82\xac" /* euro */,
                                             "\xc2\xa3" /* pound */,
                                             "\xc2\xa5" /* yen */,
                                             "\xe2\x82\xb9" /* rupee */,
                                             "\xe2\x82\xbd" /* rouble */,
                                             "\xe2\x82\xa9" /* won */,
                                             "\xe2\x82\xba" /* lira */,
                                             "\xe2\x82\xab" /* dong */,
                                             "\xe2\x82\xb4" /* hryvnia */,
                                             "\xe2\x82\xa6" /* naira */,
                                             "\xe2\x82\xb1" /* peso */,
                                             "\xe2\x82\xaa" /* shekel */,
                                             "\xe0\xb8\xbf" /* baht */,
                                             "USD",
                                             "EUR",
                                             "GBP",
                                             "JPY",
                                             "CHF",
                                             "CAD",
                                             "AUD",
                                             "NZD",
                                             "CNY",
                                             "INR",
                                             "RUB",
                                             "BRL",
                                             "MXN",
                                             "ZAR",
                                             "SEK",
                                             "NOK",
                                             "DKK",
                                             "PLN",
                                             "CZK",
                                             "HUF",
                                             "TRY",
                                             "KRW",
                                             "SGD",
                                             "HKD",
                                             "ILS",
                                             "THB",
                                             "IDR",
                                             "MYR",
                                             "PHP",
                                             "VND",
                                             "RON",
                                             "BGN",
                                             "UAH",
                                             "AED",
                                             "SAR",
                                             "EGP",
                                             "NGN",
                                             "KES",
                                             "ARS",
                                             "CLP",
                                             "COP",
                                             "PEN",
                                             "TWD",
                                             "PKR",
                                             "RMB",
                                             "Rs.",
                                             "Rs",
                                             "Fr.",
                                             "kr.",
                                             "kr"};
    const size_t bytes = begins_with(s, currencies, COUNT(currencies));
    if (bytes == 0)
        return;
    add_unit(out, s->at, bytes);
    s->at += bytes;
    skip_blanks(s);
}

/* Behind a number: kg, %, km/h, sq. ft, m2. Bytes beyond ASCII may be degrees, squares, micro. */
static bool is_unit(const dt_cell_span *s)
{
    const size_t bytes = (size_t)(s->end - s->at);
    if (bytes == 1 && (*s->at == '"' || *s->at == '\''))
        return true;
    if (!dt_cell_is_letter(*s->at) && !is_beyond_ascii(*s->at) && memchr("%$", *s->at, 2) == NULL)
        return false;
    for (size_t i = 1; i < bytes; i++) {
        const char c = s->at[i];
        const bool power = dt_cell_is_digit(c) && i + 1 == bytes && dt_cell_is_letter(s->at[i - 1]);
        if (!dt_cell_is_letter(c) && !is_beyond_ascii(c) && memchr("%$/.^* ", c, 7) == NULL &&
            !power)
            return false;
    }
    return true;
}

static bool take_unit(dt_cell_span *s, parts *out)
{
    const size_t bytes = (size_t)(s->end - s->at);
    if (bytes == 0)
        return true;
    if (bytes + strlen(out->unit) >= sizeof out->unit || !is_unit(s) ||
        !dt_text_is_utf8(s->at, bytes))
        return false;
    add_unit(out, s->at, bytes);
    return true;
}

double dt_number_share(const char *unit)
{
    static const char *const names[] = {"%", "percent", "per cent", "pct", "pct.", "Prozent"};
    for (size_t i = 0; i < COUNT(names); i++)
        if (strcasecmp(unit, names[i]) == 0)
            return 0.01;
    return strcmp(unit, "\xe2\x80\xb0" /* per mille */) == 0 ? 0.001 : 1.0;
}

/* ---- digits ---- */

/* The byte that represents a sign between digits; 0: there is none. */
static char divider_at(const dt_cell_span *s, size_t *bytes)
{
    static const char *const quotes[] = {"'", "\xe2\x80\x99" /* right quote */};
    *bytes = 1;
    if (s->at < s->end && (*s->at == '.' || *s->at == ','))
        return *s->at;
    *bytes = begins_with(s, quotes, COUNT(quotes));
    if (*bytes > 0)
        return '\'';
    *bytes = blank_at(s);
    return *bytes > 0 ? ' ' : '\0';
}

/* Digits and the signs between them. */
static bool take_body(dt_cell_span *s, parts *out)
{
    size_t digits = 0, bytes = 0;
    while (s->at < s->end && out->length + 1 < sizeof out->body) {
        dt_cell_span next = *s;
        const char divider = divider_at(s, &bytes);
        if (dt_cell_is_digit(*s->at)) {
            out->body[out->length++] = *s->at++;
            digits++;
            continue;
        }
        next.at += bytes;
        if (divider == '\0' || next.at >= next.end || !dt_cell_is_digit(*next.at))
            break;
        out->body[out->length++] = divider;
        s->at = next.at;
    }
    return digits > 0 && out->length + 1 < sizeof out->body;
}

/* e+03, Fortran's d+03 or, of three digits, +103 alone. */
static bool take_exponent(dt_cell_span *s, parts *out)
{
    dt_cell_span digits = *s;
    const bool letter = s->at < s->end && memchr("eEdD", *s->at, 4) != NULL;
    digits.at += letter;
    const bool sign = digits.at < digits.end && (*digits.at == '+' || *digits.at == '-');
    digits.at += sign;
    const size_t count = dt_cell_digits_at(&digits);
    const bool alone = !letter && sign && count == 3 && digits.at + count == digits.end &&
                       strchr(out->body, '.') != NULL;
    if (count == 0 || count > 6 || (!letter && !alone))
        return true; /* a unit, perhaps */
    out->exponent[0] = 'e';
    const char *from = s->at + letter;
    memcpy(out->exponent + 1, from, (size_t)sign + count);
    s->at = digits.at + count;
    return s->at == s->end || !dt_cell_is_letter(*s->at);
}

static bool take_apart(parts *out, const char *text, size_t bytes)
{
    dt_cell_span s = {text, text + bytes};
    bool has_sign = false;
    *out = (parts){0};
    trim(&s);
    take_brackets(&s, out, &has_sign);
    take_sign(&s, out, &has_sign);
    take_currency(&s, out);
    if (!has_sign) /* $(1,234) */
        take_brackets(&s, out, &has_sign);
    take_sign(&s, out, &has_sign);
    if (!take_body(&s, out) || !take_exponent(&s, out))
        return false;
    skip_blanks(&s);
    if (minus_at(&s) > 0 && s.at + minus_at(&s) == s.end)
        take_sign(&s, out, &has_sign);
    return take_unit(&s, out);
}

bool dt_number_is_like(const char *text, size_t bytes)
{
    dt_cell_span s = {text, text + bytes};
    parts ignored = {0};
    bool has_sign = false, has_digit = false;
    for (const char *c = s.at; c < s.end && !has_digit; c++)
        has_digit = dt_cell_is_digit(*c);
    if (!has_digit) /* as in most texts */
        return false;
    trim(&s);
    take_brackets(&s, &ignored, &has_sign);
    take_sign(&s, &ignored, &has_sign);
    take_currency(&s, &ignored);
    take_brackets(&s, &ignored, &has_sign);
    take_sign(&s, &ignored, &has_sign);
    return !dt_cell_is_letter(*s.at);
}

/* ---- readings ---- */

/* Whether the digits before the decimals are in groups separated by `group`. */
static bool are_groups(const char *from, const char *end, char group)
{
    const char *last = end;
    size_t sizes[DT_NUMBER_BODY_BYTES], count = 0;
    while (last > from) {
        const char *first = last;
        while (first > from && dt_cell_is_digit(first[-1]))
            first--;
        sizes[count++] = (size_t)(last - first);
        if (first > from && first[-1] != group)
            return false;
        last = first > from ? first - 1 : from;
    }
    bool western = true, indian = group == ',' && count > 2;
    for (size_t i = 1; i < count; i++) {
        const bool leads = i + 1 == count;
        western = western && (leads ? sizes[i] <= 3 : sizes[i] == 3);
        indian = indian && (leads ? sizes[i] <= 2 : sizes[i] == 2);
    }
    return count > 0 && *from >= '1' && *from <= '9' && sizes[0] == 3 && (western || indian);
}

/* The digits with a point before the decimals, and no groups. */
static size_t clean(char *out, const parts *cell, const char *point)
{
    size_t length = 0;
    if (cell->negative)
        out[length++] = '-';
    for (const char *c = cell->body; *c != '\0'; c++)
        if (dt_cell_is_digit(*c))
            out[length++] = *c;
        else if (c == point)
            out[length++] = '.';
    memcpy(out + length, cell->exponent, strlen(cell->exponent) + 1);
    return length + strlen(cell->exponent);
}

static dt_number_reading read_as(const parts *cell, char decimal)
{
    char text[2 * DT_NUMBER_BODY_BYTES];
    dt_number_reading reading = {0};
    const char *point = strchr(cell->body, decimal);
    const char *end = point != NULL ? point : cell->body + cell->length;
    if (point != NULL && strspn(point + 1, "0123456789") != strlen(point + 1))
        return reading;
    for (const char *c = cell->body; c < end && reading.group == '\0'; c++)
        if (!dt_cell_is_digit(*c))
            reading.group = *c;
    if (reading.group != '\0' && !are_groups(cell->body, end, reading.group))
        return (dt_number_reading){0};
    reading.fits = dt_csv_number(&reading.value, text, clean(text, cell, point), '.');
    return reading;
}

bool dt_number_look_at(dt_number_look *out, const char *text, size_t bytes)
{
    parts cell;
    *out = (dt_number_look){0};
    out->point.fits = dt_csv_number(&out->point.value, text, bytes, '.');
    out->comma.fits = dt_csv_number(&out->comma.value, text, bytes, ',');
    if (take_apart(&cell, text, bytes)) {
        out->point = out->point.fits ? out->point : read_as(&cell, '.');
        out->comma = out->comma.fits ? out->comma : read_as(&cell, ',');
        const size_t leading = strspn(cell.body, "0123456789");
        out->is_long = leading > 3;
        out->is_short = leading <= 3 && leading == cell.length && cell.exponent[0] == '\0' &&
                        out->point.fits && fabs(out->point.value) > 0.0;
        memcpy(out->unit, cell.unit, sizeof out->unit);
    }
    return out->point.fits || out->comma.fits;
}

bool dt_number_read(double *out, const char *text, size_t bytes, const dt_number_format *format)
{
    parts cell;
    if (dt_csv_number(out, text, bytes, format->decimal))
        return true;
    if (!take_apart(&cell, text, bytes))
        return false;
    if (cell.unit[0] != '\0' && strcmp(cell.unit, format->unit) != 0)
        return false;
    const dt_number_reading reading = read_as(&cell, format->decimal);
    if (!reading.fits || (reading.group != '\0' && reading.group != format->group))
        return false;
    *out = reading.value;
    return true;
}
