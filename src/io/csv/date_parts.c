#include "date_internal.h"

#include "cell_span.h"
#include "dtrain/base/text.h"

#include <string.h>

/* ---- parts of a cell ---- */

enum { CELL_BYTES_MIN = 4, CELL_BYTES_MAX = 48 };

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static size_t letters_at(const dt_cell_span *s)
{
    size_t count = 0;
    while (s->at + count < s->end && dt_cell_is_letter(s->at[count]))
        count++;
    return count;
}

static bool is_at(const dt_cell_span *s, size_t index, char c)
{
    return (size_t)(s->end - s->at) > index && s->at[index] == c;
}

static bool skip(dt_cell_span *s, char c)
{
    if (!is_at(s, 0, c))
        return false;
    s->at++;
    return true;
}

static bool skip_blanks(dt_cell_span *s)
{
    const char *from = s->at;
    while (skip(s, ' ') || skip(s, '\t')) {
    }
    return s->at > from;
}

/* The value of up to nine digits. */
static int number_at(const dt_cell_span *s, size_t digits)
{
    int number = 0;
    for (size_t i = 0; i < digits; i++)
        number = 10 * number + (s->at[i] - '0');
    return number;
}

/* A cell without a digit is neither a date nor a time. */
static bool has_digit(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if (dt_cell_is_digit(text[i]))
            return true;
    return false;
}

/* Reads exactly this many digits. */
static bool take_digits(int *out, dt_cell_span *s, size_t count)
{
    if ((size_t)(s->end - s->at) < count)
        return false;
    const dt_cell_span next = {s->at, s->at + count};
    if (dt_cell_digits_at(&next) < count)
        return false;
    *out = number_at(s, count);
    s->at += count;
    return true;
}

static bool add_part(dt_date_pieces *out, int number, size_t digits)
{
    if (out->count == DT_DATE_PARTS_MAX)
        return false;
    out->part[out->count++] = (dt_date_piece){number, digits};
    return true;
}

/* ---- names ---- */

/* Whether letters are a name: in full, or its first three to five. */
static bool is_name(const char *name, const char *letters, size_t count)
{
    const size_t length = strlen(name);
    if (count < 3 || count > length || (count > 5 && count < length))
        return false;
    for (size_t i = 0; i < count; i++)
        if (lower(letters[i]) != name[i])
            return false;
    return true;
}

/* The number of the name, from 1 on; 0: none. */
static int find_name(const dt_cell_span *s, const char *const *names, int count)
{
    const size_t letters = letters_at(s);
    for (int i = 0; i < count; i++)
        if (is_name(names[i], s->at, letters))
            return i + 1;
    return 0;
}

static int month_at(const dt_cell_span *s)
{
    static const char *const months[] = {"january",   "february", "march",    "april",
                                         "may",       "june",     "july",     "august",
                                         "september", "october",  "november", "december"};
    return find_name(s, months, 12);
}

/* The months in German, French, Spanish, Italian, Portuguese and Dutch. */
static const char foreign_months[12][8][12] = {
    {"januar", "j\u00e4nner", "janvier", "enero", "gennaio", "janeiro", "januari"},
    {"februar", "f\u00e9vrier", "fevrier", "febrero", "febbraio", "fevereiro", "februari"},
    {"m\u00e4rz", "maerz", "mrz", "mars", "marzo", "mar\u00e7o", "maart", "mrt"},
    {"avril", "abril", "aprile"},
    {"mai", "mayo", "maggio", "maio", "mei"},
    {"juni", "juin", "junio", "giugno", "junho"},
    {"juli", "juillet", "julio", "luglio", "julho"},
    {"ao\u00fbt", "aout", "agosto", "augustus"},
    {"septembre", "septiembre", "settembre", "setembro"},
    {"oktober", "octobre", "octubre", "ottobre", "outubro"},
    {"novembre", "noviembre", "novembro"},
    {"dezember", "d\u00e9cembre", "decembre", "diciembre", "dicembre", "dezembro"}};

/* Letters, and all bytes of characters beyond ASCII. */
static size_t word_at(const dt_cell_span *s)
{
    size_t count = 0;
    while (s->at + count < s->end &&
           (dt_cell_is_letter(s->at[count]) || (unsigned char)s->at[count] >= 0x80))
        count++;
    return count;
}

/* Sets *length and *is_short. `jui` is ambiguous: juin or juillet. The first letter is compared
 * before anything else because most words of texts are not months. */
static int foreign_month_at(const dt_cell_span *s, size_t *length, bool *is_short)
{
    static const char initials[12][4] = {"jeg", "f", "m", "a", "m", "jg",
                                         "jl",  "a", "s", "o", "n", "d"};
    char word[16] = "";
    const char first = lower(*s->at);
    if (memchr("jegfmalsond", first, 11) == NULL)
        return 0;
    const size_t bytes = *length = word_at(s);
    if (bytes < 3 || bytes >= sizeof word)
        return 0;
    memcpy(word, s->at, bytes);
    dt_text_to_lower(word, bytes);
    for (int i = 0; i < 12; i++) {
        if (memchr(initials[i], first, 3) == NULL)
            continue;
        for (size_t k = 0; k < 8; k++) {
            const char *name = foreign_months[i][k];
            if (name[0] == word[0] && name[1] == word[1] && is_name(name, word, bytes)) {
                /* Mai and Juni are names in full, but MAI may be a code. */
                *is_short = bytes < 5 && (bytes < strlen(name) || s->at[1] != word[1]);
                return strcmp(word, "jui") == 0 ? 0 : i + 1;
            }
        }
    }
    return 0;
}

static void skip_weekday(dt_cell_span *s, dt_date_pieces *out)
{
    static const char *const days[] = {"monday", "tuesday",  "wednesday", "thursday",
                                       "friday", "saturday", "sunday"};
    if (find_name(s, days, 7) == 0)
        return;
    out->has_weekday = true;
    s->at += letters_at(s);
    (void)(skip(s, ',') || skip(s, '.'));
    (void)skip_blanks(s);
}

/* ---- times ---- */

/* The bytes of AM, PM, a.m. or p.m.; 0: neither is there. */
static size_t half_at(const dt_cell_span *s)
{
    const size_t letters = letters_at(s);
    const bool dotted = letters == 1 && is_at(s, 1, '.') && is_at(s, 3, '.');
    if ((letters != 2 && !dotted) || lower(s->at[dotted ? 2 : 1]) != 'm' ||
        (lower(s->at[0]) != 'a' && lower(s->at[0]) != 'p'))
        return 0;
    return dotted ? 4 : 2;
}

/* 12 AM is midnight. "Uhr" is German. */
static bool take_half(dt_cell_span *s, int *hour)
{
    dt_cell_span next = *s;
    (void)skip_blanks(&next);
    const size_t half = half_at(&next);
    if (letters_at(&next) == 3 && memcmp(next.at, "Uhr", 3) == 0)
        s->at = next.at + 3;
    if (half == 0)
        return true;
    if (*hour < 1 || *hour > 12)
        return false;
    *hour = *hour % 12 + (lower(next.at[0]) == 'p' ? 12 : 0);
    s->at = next.at + half;
    return true;
}

static bool take_zone(dt_cell_span *s, dt_date_pieces *out)
{
    dt_cell_span next = *s;
    const bool blank = skip_blanks(&next);
    const size_t letters = letters_at(&next);
    int hours = 0, minutes = 0;
    if ((letters == 1 && (*next.at == 'Z' || *next.at == 'z')) ||
        (letters == 3 && (memcmp(next.at, "UTC", 3) == 0 || memcmp(next.at, "GMT", 3) == 0))) {
        s->at = next.at + letters;
        return true;
    }
    const bool west = is_at(&next, 0, '-');
    if (!west && !is_at(&next, 0, '+'))
        return true;
    next.at++;
    const size_t digits = dt_cell_digits_at(&next);
    if (blank && digits != 4 && !is_at(&next, 2, ':')) /* 13:45 - 31 is something else */
        return false;
    if (!take_digits(&hours, &next, 2))
        return false;
    const bool colon = skip(&next, ':');
    if ((colon || digits == 4) && !take_digits(&minutes, &next, 2))
        return false;
    out->has_zone = true;
    out->zone = (west ? -1 : 1) * (hours * DT_DATE_HOUR + minutes * DT_DATE_MINUTE);
    s->at = next.at;
    return hours <= 14 && minutes % 15 == 0 && minutes < 60 && dt_cell_digits_at(s) == 0;
}

/* A fraction of a second; a comma stands for a point. */
static double take_fraction(dt_cell_span *s)
{
    double fraction = 0.0, unit = 1.0;
    if ((!is_at(s, 0, '.') && !is_at(s, 0, ',')) || s->end - s->at < 2 ||
        !dt_cell_is_digit(s->at[1]))
        return 0.0;
    for (s->at++; dt_cell_digits_at(s) > 0; s->at++)
        if (unit < 1e15) {
            fraction = 10.0 * fraction + (double)(*s->at - '0');
            unit *= 10.0;
        }
    return fraction / unit;
}

/* The minutes and seconds behind the hour, with colons or, behind a T, without. */
static bool take_time(dt_cell_span *s, dt_date_pieces *out, size_t hour_digits, bool colons)
{
    int hour = 0, minute = 0, second = 0;
    double fraction = 0.0;
    if (out->has_time || !take_digits(&hour, s, hour_digits))
        return false;
    bool more = colons ? skip(s, ':') : dt_cell_digits_at(s) > 0;
    if (more && !take_digits(&minute, s, 2))
        return false;
    more = more && (colons ? skip(s, ':') : dt_cell_digits_at(s) > 0);
    if (more && !take_digits(&second, s, 2))
        return false;
    if (more)
        fraction = take_fraction(s);
    if (dt_cell_digits_at(s) > 0 || !take_half(s, &hour))
        return false;
    out->has_time = true;
    out->seconds = (double)(hour * DT_DATE_HOUR + minute * DT_DATE_MINUTE + second) + fraction;
    const bool fits = hour < 24 && minute < 60 && second <= 60; /* a leap second */
    return (fits || (hour == 24 && out->seconds <= (double)DT_DATE_DAY)) && take_zone(s, out);
}

/* An hour that stands alone, as 5 PM or 5 p.m. */
static bool is_hour(const dt_cell_span *s, size_t digits)
{
    dt_cell_span next = {s->at + digits, s->end};
    (void)skip_blanks(&next);
    return half_at(&next) > 0;
}

/* ---- dates ---- */

/* 20210131, with a time behind it or not. Only such years are clear. */
static bool take_compact(dt_cell_span *s, dt_date_pieces *out, size_t digits)
{
    int year = 0, month = 0, day = 0;
    if (out->count > 0 || !take_digits(&year, s, 4) || !take_digits(&month, s, 2) ||
        !take_digits(&day, s, 2) || year < 1900 || year > 2100)
        return false;
    out->is_compact = true;
    out->count = 3;
    out->part[0] = (dt_date_piece){year, 4};
    out->part[1] = (dt_date_piece){month, 2};
    out->part[2] = (dt_date_piece){day, 2};
    if (digits > 8 && !take_time(s, out, 2, false))
        return false;
    if (s->end - s->at == 2 && memcmp(s->at, ".0", 2) == 0) /* as programs write whole numbers */
        s->at += 2;
    return true;
}

static bool take_digit_part(dt_cell_span *s, dt_date_pieces *out, bool behind_t)
{
    const size_t digits = dt_cell_digits_at(s);
    if (digits <= 2 && (is_at(s, digits, ':') || is_hour(s, digits)))
        return take_time(s, out, digits, true);
    if (behind_t && (digits == 4 || digits == 6))
        return take_time(s, out, 2, false);
    if (digits == 8 || digits == 12 || digits == 14)
        return take_compact(s, out, digits);
    if (digits != 1 && digits != 2 && digits != 4)
        return false;
    const int number = number_at(s, digits);
    s->at += digits;
    if (digits <= 2 && letters_at(s) == 2) { /* 1st, 2nd, 3rd, 4th */
        static const char *const endings[] = {"st", "nd", "rd", "th"};
        for (size_t i = 0; i < 4; i++)
            if (memcmp(s->at, endings[i], 2) == 0) {
                s->at += 2;
                break;
            }
    }
    return add_part(out, number, digits);
}

/* Q1 to Q4, and M1 to M12: the first month of a quarter, or a month. */
static int short_month_at(const dt_cell_span *s, size_t *bytes)
{
    dt_cell_span number = {s->at + 1, s->end};
    const size_t digits = dt_cell_digits_at(&number);
    const bool quarter = lower(*s->at) == 'q';
    *bytes = 1 + digits;
    if ((!quarter && lower(*s->at) != 'm') || digits < 1 || digits > (quarter ? 1 : 2))
        return 0;
    const int value = number_at(&number, digits), month = quarter ? 3 * value - 2 : value;
    return month >= 1 && month <= 12 ? month : 0;
}

static bool take_month_part(dt_cell_span *s, dt_date_pieces *out)
{
    size_t bytes = letters_at(s);
    int month = month_at(s);
    if (month == 0)
        month = short_month_at(s, &bytes);
    if (month == 0) {
        month = foreign_month_at(s, &bytes, &out->is_short);
        out->is_foreign = true;
    }
    if (month == 0 || out->has_name)
        return false;
    out->has_name = true;
    s->at += bytes;
    return add_part(out, month, 0);
}

/* The separator of two parts: blanks, and a sign that is the same everywhere in a date. */
static bool take_gap(dt_cell_span *s, dt_date_pieces *out, bool *behind_t)
{
    *behind_t = false;
    if (out->count == 0 && !out->has_time)
        return true;
    bool blank = skip_blanks(s);
    if (s->at == s->end)
        return true;
    const char sign = *s->at;
    if (out->count > 0 && (sign == 'T' || sign == 't') && s->end - s->at > 1 &&
        dt_cell_is_digit(s->at[1])) {
        s->at++;
        return *behind_t = true;
    }
    const bool is_sign = sign == '-' || sign == '/' || sign == '.' || sign == ',' || sign == ':';
    if (is_sign)
        s->at++;
    blank = skip_blanks(s) || blank;
    out->has_comma = out->has_comma || (sign == ',' && out->count < DT_DATE_PARTS_MAX);
    if (s->at == s->end) /* 31.1. */
        return sign == '.';
    if (sign == ':') /* 31/Jan/2021:13:45:10 */
        return !blank && dt_cell_is_digit(s->at[0]) && (is_at(s, 1, ':') || is_at(s, 2, ':'));
    if (is_sign && sign != ',' && !out->has_time) {
        if (out->divider != '\0' && out->divider != ' ' && out->divider != sign)
            return false;
        out->divider = sign;
    } else if (out->divider == '\0' && !out->has_time && blank) {
        out->divider = ' ';
    }
    return true;
}

bool dt_date_take_apart(dt_date_pieces *out, const char *text, size_t bytes)
{
    dt_cell_span s = {text, text + bytes};
    bool behind_t = false;
    *out = (dt_date_pieces){0};
    (void)skip_blanks(&s);
    while (s.end > s.at && (s.end[-1] == ' ' || s.end[-1] == '\t'))
        s.end--;
    if (s.end - s.at < CELL_BYTES_MIN || s.end - s.at > CELL_BYTES_MAX ||
        (!dt_cell_is_digit(*s.at) &&
         (!dt_cell_is_letter(*s.at) || !has_digit(s.at, (size_t)(s.end - s.at)))))
        return false;
    skip_weekday(&s, out);
    while (s.at < s.end) {
        if (!take_gap(&s, out, &behind_t))
            return false;
        if (s.at < s.end && !(dt_cell_is_digit(*s.at) ? take_digit_part(&s, out, behind_t)
                                                      : take_month_part(&s, out)))
            return false;
    }
    return true;
}
