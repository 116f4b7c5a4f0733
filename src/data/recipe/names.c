#include "names.h"

#include "dtrain/base/text.h"

#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* [+-]digits[.digits] loses a plus and redundant zeros. */
static size_t shorten_number(char *text, size_t length)
{
    const size_t sign = text[0] == '+' || text[0] == '-';
    const size_t whole = strspn(text + sign, "0123456789");
    const size_t point = sign + whole;
    const bool has_point = text[point] == '.';
    const size_t decimals = has_point ? strspn(text + point + 1, "0123456789") : 0;
    if (whole == 0 || point + (has_point ? 1 + decimals : 0) != length)
        return length;
    while (has_point && length > 1 && text[length - 1] == '0')
        length--;
    if (length > 1 && text[length - 1] == '.')
        length--;
    text[length] = '\0';
    if (text[0] == '+' || strcmp(text, "-0") == 0)
        memmove(text, text + 1, length--);
    return length;
}

size_t dt_spelling(char out[DT_SPELLING_BYTES], const char *text, size_t bytes)
{
    size_t length = 0;
    if (bytes >= DT_SPELLING_BYTES)
        return 0;
    for (size_t i = 0; i < bytes; i++) {
        const bool hard = i + 1 < bytes && memcmp(text + i, "\xc2\xa0", 2) == 0; /* no-break */
        const char c = hard || is_blank(text[i]) ? ' ' : text[i];
        i += hard;
        if (c != ' ' || (length > 0 && out[length - 1] != ' '))
            out[length++] = c;
    }
    length -= length > 0 && out[length - 1] == ' ';
    out[length] = '\0';
    dt_text_to_lower(out, length);
    if (strcmp(out, "true") == 0 || strcmp(out, "false") == 0) {
        out[0] = out[0] == 't' ? '1' : '0';
        out[1] = '\0';
        return 1;
    }
    return shorten_number(out, length);
}

bool dt_names_are_alike(const dt_dictionary_entry *a, const dt_dictionary_entry *b)
{
    char one[DT_SPELLING_BYTES], other[DT_SPELLING_BYTES];
    const size_t length = dt_spelling(one, a->text, a->bytes);
    return length > 0 && length == dt_spelling(other, b->text, b->bytes) &&
           memcmp(one, other, length) == 0;
}

dt_status dt_names_add(dt_names *names, const char *text, size_t bytes, int32_t index)
{
    dt_status status = DT_OK;
    dt_dictionary_entry *entry = NULL;
    char form[DT_SPELLING_BYTES];
    const size_t length = dt_spelling(form, text, bytes);
    DT_TRY(dt_dictionary_add(&entry, &names->exact, text, bytes));
    entry->index = index;
    if (length == 0)
        goto out;
    const size_t before = names->spellings.count;
    DT_TRY(dt_dictionary_add(&entry, &names->spellings, form, length));
    entry->index = names->spellings.count > before ? index : -1;
out:
    return status;
}

int32_t dt_names_find(const dt_names *names, const char *text, size_t bytes)
{
    const dt_dictionary_entry *entry = dt_dictionary_find(&names->exact, text, bytes);
    return entry != NULL ? entry->index : -1;
}

int32_t dt_names_find_spelled(const dt_names *names, const char *text, size_t bytes)
{
    char form[DT_SPELLING_BYTES];
    const size_t length = dt_spelling(form, text, bytes);
    const dt_dictionary_entry *entry =
        length > 0 ? dt_dictionary_find(&names->spellings, form, length) : NULL;
    return entry != NULL ? entry->index : -1;
}

void dt_names_clear(dt_names *names)
{
    dt_dictionary_clear(&names->exact);
    dt_dictionary_clear(&names->spellings);
}
