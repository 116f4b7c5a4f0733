#ifndef DTRAIN_DATA_NAMES_H
#define DTRAIN_DATA_NAMES_H

/* The names of categories or classes, which are also found in other spellings. */

#include "dictionary.h"

#include <stdbool.h>

typedef struct dt_names {
    dt_dictionary exact, spellings; /* index: that of the name; -1: several names have this
                                     * spelling */
} dt_names;

enum { DT_SPELLING_BYTES = 256 };

/**
 * Writes the form that all spellings of a value have in common: without blanks around it, with one
 * blank for several, in lower case (ASCII), numbers without a plus and without zeros behind the
 * decimals ("1.50" and "+1.5", "1.0" and "1"), true as 1 and false as 0. Leading zeros stay: "007"
 * is a code. Returns its length, 0 for a text that is empty or too long. Local.
 */
size_t dt_spelling(char out[DT_SPELLING_BYTES], const char *text, size_t bytes);

/** Returns whether two texts have a spelling in common. Local. */
bool dt_names_are_alike(const dt_dictionary_entry *a, const dt_dictionary_entry *b);

/** Adds a name. Local. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_names_add(dt_names *names, const char *text, size_t bytes, int32_t index);

/** Returns the index of the name that a cell is; -1: of none. Local. */
int32_t dt_names_find(const dt_names *names, const char *text, size_t bytes);

/** Returns the index of the one name that has a spelling in common with a cell; -1: of none. Local.
 */
int32_t dt_names_find_spelled(const dt_names *names, const char *text, size_t bytes);

/** Frees all. Local. */
void dt_names_clear(dt_names *names);

#endif
