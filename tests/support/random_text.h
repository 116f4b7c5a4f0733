#ifndef DTRAIN_TESTS_RANDOM_TEXT_H
#define DTRAIN_TESTS_RANDOM_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/**
 * Fills `text` with 0 to capacity - 2 characters of the alphabet, and ends it. Returns how many.
 * `random` is where the generator stands: the same one gives the same text.
 */
static inline size_t random_text(char *text, size_t capacity, const char *alphabet,
                                 uint32_t *random)
{
    const size_t letters = strlen(alphabet);
    *random = *random * 1664525u + 1013904223u;
    const size_t bytes = (*random >> 8) % (capacity - 1);
    for (size_t i = 0; i < bytes; i++) {
        *random = *random * 1664525u + 1013904223u;
        text[i] = alphabet[(*random >> 8) % letters];
    }
    text[bytes] = '\0';
    return bytes;
}

#endif
