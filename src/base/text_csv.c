/* Fields of a CSV. */
#include "dtrain/base/text.h"

#include <string.h>

size_t dt_text_put_quoted(char *out, const char *text, size_t bytes)
{
    size_t used = 0;
    out[used++] = '"';
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] == '"')
            out[used++] = '"';
        out[used++] = text[i];
    }
    out[used++] = '"';
    return used;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool needs_quotes(const char *text, size_t bytes)
{
    return bytes > 0 && (text[strcspn(text, ",\"\r\n")] != '\0' || is_blank(text[0]) ||
                         is_blank(text[bytes - 1]));
}

/* Digits, with signs of thousands and decimals, an exponent, a percent sign. */
static bool is_written_number(const char *text)
{
    static const char digits[] = "0123456789";
    const char *at = text + (text[0] == '+' || text[0] == '-');
    at += strspn(at, "0123456789.,'");
    if (strpbrk(text, digits) == NULL || strpbrk(text, digits) >= at)
        return false;
    if (*at == 'e' || *at == 'E') {
        at += 1 + (at[1] == '+' || at[1] == '-');
        if (*at < '0' || *at > '9')
            return false;
        at += strspn(at, digits);
    }
    return at[*at == '%'] == '\0';
}

bool dt_text_is_formula(const char *text)
{
    return text[0] != '\0' && strchr("=+-@\t\r\n", text[0]) != NULL && !is_written_number(text);
}

size_t dt_text_put_field(char *out, const char *text, size_t bytes)
{
    const bool formula = bytes > 0 && dt_text_is_formula(text);
    const bool quotes = needs_quotes(text, bytes);
    size_t used = 0;
    if (quotes) {
        used = dt_text_put_quoted(out + formula, text, bytes);
        if (formula)
            out[1] = '\'';
        out[0] = '"';
        return used + formula;
    }
    if (formula)
        out[used++] = '\'';
    memcpy(out + used, text, bytes);
    return used + bytes;
}
