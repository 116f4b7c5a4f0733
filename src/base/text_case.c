#include "dtrain/base/text.h"

#include <string.h>

/* The small letter of a character that has two bytes in UTF-8, if that has two as well. */
static uint32_t small_letter(uint32_t code)
{
    static const struct {
        uint16_t first, last,
            add; /* add 1: each second character is a capital, from the first on */
    } ranges[] = {
        {0x00C0, 0x00D6, 32}, {0x00D8, 0x00DE, 32}, /* Latin */
        {0x0100, 0x012E, 1},  {0x0132, 0x0136, 1},  {0x0139, 0x0147, 1},  {0x014A, 0x0176, 1},
        {0x0179, 0x017D, 1},  {0x0218, 0x021A, 1},  {0x0386, 0x0386, 38}, /* Greek */
        {0x0388, 0x038A, 37}, {0x038C, 0x038C, 64}, {0x038E, 0x038F, 63}, {0x0391, 0x03A1, 32},
        {0x03A3, 0x03AB, 32}, {0x0400, 0x040F, 80}, {0x0410, 0x042F, 32}, /* Cyrillic */
        {0x0490, 0x04BE, 1},  {0x04D0, 0x052E, 1},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return code + (ranges[i].add > 1                   ? ranges[i].add
                           : (code - ranges[i].first) % 2 == 0 ? 1U
                                                               : 0U);
    return code;
}

void dt_text_to_lower(char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        const unsigned char c = (unsigned char)text[i];
        if (c >= 'A' && c <= 'Z')
            text[i] = (char)(c - 'A' + 'a');
        if (c < 0xC3 || c > 0xD4 || dt_text_character_bytes(text + i, bytes - i) != 2)
            continue;
        const uint32_t code = (uint32_t)(c & 0x1F) << 6 | ((unsigned char)text[i + 1] & 0x3F);
        (void)dt_text_put_character(text + i, small_letter(code));
        i++;
    }
}

bool dt_text_is_alike(const char *a, const char *b)
{
    enum { CHARACTER_BYTES = 4 };
    const size_t bytes = strlen(a);
    if (strlen(b) != bytes)
        return false;
    for (size_t i = 0; i < bytes;) {
        char x[CHARACTER_BYTES], y[CHARACTER_BYTES];
        const size_t length = dt_text_character_bytes(a + i, bytes - i);
        const size_t step = length > 0 ? length : 1;
        memcpy(x, a + i, step);
        memcpy(y, b + i, step);
        dt_text_to_lower(x, step);
        dt_text_to_lower(y, step);
        if (memcmp(x, y, step) != 0)
            return false;
        i += step;
    }
    return true;
}
