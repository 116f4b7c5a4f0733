#include "dtrain/base/text_wrap.h"

#include <stdbool.h>
#include <string.h>

/* Bytes that continue a UTF-8 sequence take no column of their own. */
static bool begins_character(const char *at)
{
    return ((unsigned char)*at & 0xc0) != 0x80;
}

size_t dt_text_width(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text++)
        width += begins_character(text);
    return width;
}

const char *dt_text_skip(const char *text, size_t characters)
{
    for (; *text != '\0'; text++)
        if (begins_character(text) && characters-- == 0)
            break;
    return text;
}

/* Returns the place behind the last | or , between two places; NULL if there is none. */
static const char *find_joint(const char *from, const char *end)
{
    while (end > from && end[-1] != '|' && end[-1] != ',')
        end--;
    return end > from ? end : NULL;
}

size_t dt_text_break(const char *text, size_t width, size_t least)
{
    const char *end = dt_text_skip(text, width), *after = dt_text_skip(text, least);
    const char *words = NULL, *phrase = NULL;
    if (*end == '\0')
        return strlen(text);
    for (const char *at = text + 1; at <= end; at++) {
        if (*at != ' ' || at[-1] == ' ')
            continue;
        words = at;
        phrase = at >= after && strchr(",;:", at[-1]) != NULL ? at : phrase;
    }
    words = phrase != NULL ? phrase : words;
    const char *next = words != NULL ? words + strspn(words, " ") : text;
    const size_t bytes = strcspn(next, " ");
    const bool is_wide = dt_text_skip(next, width) < next + bytes;
    const char *joint = is_wide ? find_joint(next, end) : NULL;
    if (joint != NULL)
        return (size_t)(joint - text);
    return words != NULL ? (size_t)(words - text) : bytes;
}

void dt_text_shorten(char *text, size_t most, size_t head)
{
    const size_t width = dt_text_width(text), tail = most - head - 3;
    if (width <= most)
        return;
    char *from = text + (dt_text_skip(text, head) - text);
    const char *to = dt_text_skip(text, width - tail); /* at least four characters further on */
    memmove(from + 3, to, strlen(to) + 1);
    memcpy(from, "...", 3);
}
