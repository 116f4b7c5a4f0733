#include "dtrain/base/text.h"

#include "dtrain/base/memory.h"

#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NAME_MAX_BYTES = 63 };

/* Levenshtein's distance, ignoring case; `b` has at most NAME_MAX_BYTES. */
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
    /* A typing error hardly causes a larger distance. */
    size_t least = length < 2 ? 0 : length < 4 ? 1 : length < 12 ? 2 : 1 + length / 4;
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

size_t dt_text_character_bytes(const char *text, size_t bytes)
{
    const unsigned char *at = (const unsigned char *)text;
    const unsigned lead = at[0];
    if (lead < 0x80)
        return 1;
    if (lead < 0xC2 || lead > 0xF4) /* a later byte, an overlong form, or above U+10FFFF */
        return 0;
    const size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    /* The second byte's range keeps out other overlong forms, surrogates, and above U+10FFFF. */
    const unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (bytes < length || at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    return length;
}

size_t dt_text_to_utf32(uint32_t *out, size_t most, const char *text, size_t bytes)
{
    size_t count = 0;
    for (size_t at = 0; at < bytes; count++) {
        const unsigned lead = (unsigned char)text[at];
        const size_t length = dt_text_character_bytes(text + at, bytes - at);
        uint32_t character = length == 0 ? 0xFFFD : length == 1 ? lead : lead & (0x7Fu >> length);
        for (size_t i = 1; i < length; i++)
            character = character << 6 | ((unsigned char)text[at + i] & 0x3Fu);
        if (out != NULL && count < most)
            out[count] = character;
        at += length > 0 ? length : 1;
    }
    return count;
}

size_t dt_text_put_character(char *out, uint32_t code)
{
    const unsigned more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned char leads[] = {0, 0xC0, 0xE0, 0xF0};
    out[0] = (char)(leads[more] | code >> 6 * more);
    for (unsigned i = 1; i <= more; i++)
        out[i] = (char)(0x80 | (code >> 6 * (more - i) & 0x3F));
    return 1 + more;
}

bool dt_text_is_utf8(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes;) {
        uint64_t eight = 0;
        if (bytes - i >= sizeof eight) {
            memcpy(&eight, text + i, sizeof eight);
            if ((eight & UINT64_C(0x8080808080808080)) == 0) {
                i += sizeof eight;
                continue;
            }
        }
        const size_t length = dt_text_character_bytes(text + i, bytes - i);
        if (length == 0)
            return false;
        i += length;
    }
    return true;
}

/* The position behind the quote that closes the one at *from; NULL: there is none. */
static const char *find_closing(const char *from)
{
    for (const char *c = from + 1; *c != '\0'; c++)
        if (*c == '"' && c[1] == '"')
            c++;
        else if (*c == '"')
            return c + 1;
    return NULL;
}

bool dt_text_next_item(char *item, size_t bytes, const char **at)
{
    if (**at == '\0')
        return false;
    const char *from = *at + strspn(*at, " \t");
    const char *closed = *from == '"' ? find_closing(from) : NULL;
    size_t used = 0;
    if (closed != NULL) {
        for (from++; from < closed - 1; from++) {
            from += *from == '"'; /* the first of two */
            if (used + 1 < bytes)
                item[used++] = *from;
        }
        from = closed;
    }
    const char *end = from + strcspn(from, ",");
    *at = *end == ',' ? end + 1 : end;
    while (end > from && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    for (; from < end && used + 1 < bytes; from++)
        item[used++] = *from;
    item[used] = '\0';
    return true;
}

dt_status dt_text_split_items(char ***out, size_t *count, const char *list)
{
    dt_status status = DT_OK;
    const size_t bytes = strlen(list) + 1;
    char *item = NULL;
    size_t most = 1;
    *out = NULL;
    *count = 0;
    for (const char *c = list; *c != '\0'; c++)
        most += *c == ',';
    DT_TRY(dt_memory_alloc(&item, bytes, 1, "list"));
    DT_TRY(dt_memory_alloc(out, most, sizeof **out, "list"));
    while (dt_text_next_item(item, bytes, &list)) {
        DT_TRY(dt_memory_copy_text(&(*out)[*count], item));
        ++*count;
    }
out:
    dt_memory_free(item);
    return status;
}

const char *dt_text_quote_item(char *out, size_t bytes, const char *item)
{
    const size_t length = strlen(item);
    const bool quotes =
        length > 0 && (strpbrk(item, ",\"") != NULL || strchr(" \t", item[0]) != NULL ||
                       strchr(" \t", item[length - 1]) != NULL);
    size_t used = 0;
    if (quotes && used + 1 < bytes)
        out[used++] = '"';
    for (const char *at = item; *at != '\0' && used + 3 < bytes; at++) {
        if (*at == '"')
            out[used++] = '"';
        out[used++] = *at;
    }
    if (quotes && used + 1 < bytes)
        out[used++] = '"';
    out[used] = '\0';
    return out;
}

bool dt_text_is_among(const char *text, const char *const *list)
{
    while (*list != NULL && strcmp(text, *list) != 0)
        list++;
    return *list != NULL;
}

int dt_text_find_choice(const char *choices, const char *word)
{
    int index = 0;
    for (const char *from = choices;; index++) {
        const size_t length = strcspn(from, "|");
        if (strlen(word) == length && strncasecmp(from, word, length) == 0)
            return index;
        if (from[length] == '\0')
            return -1;
        from += length + 1;
    }
}

int dt_text_find_typed(const char *choices, const char *word)
{
    static const struct {
        const char *sign, *name;
    } signs[] = {{",", "comma"}, {";", "semicolon"}, {".", "point"}, {"|", "bar"},
                 {"'", "quote"}, {" ", "space"},     {"\t", "tab"},  {"\\t", "tab"},
                 {"^", "caret"}, {"~", "tilde"},     {":", "colon"}};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (strcmp(word, signs[i].sign) == 0)
            return dt_text_find_choice(choices, signs[i].name);
    return dt_text_find_choice(choices, word);
}

bool dt_text_to_whole(int64_t *out, const char *text)
{
    char again[32];
    *out = strtoll(text, NULL, 10);
    (void)snprintf(again, sizeof again, "%lld", (long long)*out);
    return strcmp(again, text) == 0;
}

const char *dt_text_escape(char *out, size_t bytes, const char *text)
{
    size_t used = 0;
    for (; *text != '\0'; text++) {
        static const char named[] = "\n\t\r\\", names[] = "ntr\\";
        char item[6] = {*text, '\0'};
        const char *found = strchr(named, *text);
        if (found != NULL)
            (void)snprintf(item, sizeof item, "\\%c", names[found - named]);
        else if ((unsigned char)*text < 0x20 || *text == 0x7f)
            (void)snprintf(item, sizeof item, "\\0%03o", (unsigned)*text);
        if (used + strlen(item) >= bytes)
            break;
        memcpy(out + used, item, strlen(item));
        used += strlen(item);
    }
    out[used] = '\0';
    return out;
}

bool dt_text_ends_in(const char *name, const char *ending)
{
    const size_t length = strlen(name), bytes = strlen(ending);
    return length >= bytes && strcmp(name + length - bytes, ending) == 0;
}

const char *dt_text_show(char out[DT_TEXT_SHOWN_BYTES + 4], const char *text, size_t bytes)
{
    size_t shown = 0;
    while (shown < bytes) {
        const size_t length = dt_text_character_bytes(text + shown, bytes - shown);
        const size_t step = length == 0 ? 1 : length;
        if (shown + step > DT_TEXT_SHOWN_BYTES)
            break;
        memcpy(out + shown, text + shown, step);
        if (length == 0 || (unsigned char)text[shown] < ' ' || text[shown] == 127)
            out[shown] = '?';
        shown += step;
    }
    memcpy(out + shown, bytes > shown ? "..." : "", bytes > shown ? 4 : 1);
    return out;
}

size_t dt_text_probability(char *out, float value)
{
    enum { DIGITS = 9 };
    const double p = (double)value;
    if (!(p >= 1e-4 && p < 1.0)) /* 0, 1, NaN, and numbers that %g writes with an exponent */
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

/* ---- times ---- */

static const struct {
    const char *name;
    double seconds;
} units[] = {{"s", 1}, {"min", 60}, {"h", 3600}, {"d", 86400}};
enum { UNITS = sizeof units / sizeof *units };

static size_t digits_at(const char *text)
{
    return strspn(text, "0123456789");
}

/* H:MM:SS with any number of hours, or with those of a day. */
static bool read_clock(double *out, const char *text, bool of_a_day)
{
    const size_t length = digits_at(text);
    const char *rest = text + length;
    if (length == 0 || rest[0] != ':' || digits_at(rest + 1) != 2 || rest[3] != ':' ||
        digits_at(rest + 4) != 2 || rest[6] != '\0' || rest[1] > '5' || rest[4] > '5')
        return false;
    const double hours = strtod(text, NULL);
    *out = hours * 3600 + (rest[1] - '0') * 600 + (rest[2] - '0') * 60 + (rest[4] - '0') * 10 +
           (rest[5] - '0');
    return !of_a_day || hours < 24;
}

static bool read_duration(double *out, const char *text)
{
    if (strcmp(text, "never") == 0)
        return true;
    const size_t digits = digits_at(text);
    double time = 0;
    if (digits > 0 && text[digits] == '-') {
        const double days = strtod(text, NULL);
        *out = days * 86400;
        if (!read_clock(&time, text + digits + 1, true))
            return false;
        *out += time;
        return true;
    }
    if (digits > 0 && text[digits] == ':')
        return read_clock(out, text, false);
    /* So that strtod accepts no sign, blanks, "inf" or hexadecimal. */
    if (!isdigit((unsigned char)text[text[0] == '.' ? 1 : 0]) || strchr("xX", text[1]) != NULL)
        return false;
    char *end = NULL;
    const double number = strtod(text, &end);
    for (size_t i = 0; i < UNITS; i++) {
        if (strcmp(end, units[i].name) == 0) {
            *out = number * units[i].seconds;
            return true;
        }
    }
    return false;
}

bool dt_text_duration(double *out, const char *text)
{
    *out = 0;
    const bool good = read_duration(out, text) && isfinite(*out);
    if (!good)
        *out = 0;
    return good;
}

/* Writes the time in this unit with as few digits as restore the double; false: no number of digits
 * does, or an exponent is needed. */
static bool format_in(char out[DT_TEXT_DURATION_BYTES], double seconds, size_t unit, bool exponent)
{
    for (int digits = 1; digits <= 17; digits++) {
        double back = 0;
        (void)snprintf(out, DT_TEXT_DURATION_BYTES, "%.*g%s", digits, seconds / units[unit].seconds,
                       units[unit].name);
        if ((exponent || strchr(out, 'e') == NULL) && dt_text_duration(&back, out) &&
            back == seconds)
            return true;
    }
    return false;
}

const char *dt_text_show_duration(char out[DT_TEXT_DURATION_BYTES], double seconds)
{
    char text[DT_TEXT_DURATION_BYTES];
    size_t best = SIZE_MAX;
    (void)snprintf(out, DT_TEXT_DURATION_BYTES, "never");
    if (!(seconds > 0))
        return out;
    for (size_t unit = 0; unit < UNITS; unit++) {
        if ((unit > 0 && seconds < units[unit].seconds) || !format_in(text, seconds, unit, false))
            continue;
        const size_t digits = strlen(text) - strlen(units[unit].name) - (strchr(text, '.') != NULL);
        const size_t length = strlen(text);
        if (digits * DT_TEXT_DURATION_BYTES + length < best) {
            best = digits * DT_TEXT_DURATION_BYTES + length;
            memcpy(out, text, length + 1);
        }
    }
    if (best == SIZE_MAX)
        (void)format_in(out, seconds, 0, true);
    return out;
}
