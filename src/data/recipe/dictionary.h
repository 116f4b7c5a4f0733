#ifndef DTRAIN_DATA_DICTIONARY_H
#define DTRAIN_DATA_DICTIONARY_H

#include "dtrain/base/status.h"

#include <stddef.h>
#include <stdint.h>

/**
 * The distinct texts of a column, numbered in the order of their first appearance. All calls are
 * local.
 */
typedef struct dt_dictionary_entry {
    const char *text; /* NUL-terminated; valid until the dictionary is cleared */
    uint32_t bytes;
    uint32_t hash;
    uint64_t count; /* for the caller, as are the members below */
    double number;
    int32_t index;
    int32_t kind;
} dt_dictionary_entry;

typedef struct dt_dictionary {
    size_t count;
    dt_dictionary_entry *entries; /* [count]; moves when one is added */
    uint32_t *slots; /* [slot_count]: 1 + the entry's number, 0: free */
    size_t slot_count; /* a power of two, 0 at first */
    struct dt_dictionary_page *page; /* the texts, the newest page first */
} dt_dictionary;

/** Returns the entry of a text, or NULL. A zeroed dictionary is empty. */
dt_dictionary_entry *dt_dictionary_find(const dt_dictionary *dictionary, const char *text,
                                        size_t bytes);

/**
 * Finds the entry of a text, or adds a zeroed one with this text.
 *
 * Owns:    *out is valid until the next text is added
 * Errors:  DT_MEMORY; *out = NULL
 */
DT_MUST_USE dt_status dt_dictionary_add(dt_dictionary_entry **out, dt_dictionary *dictionary,
                                        const char *text, size_t bytes);

/** Frees the memory; the dictionary is empty afterwards. */
void dt_dictionary_clear(dt_dictionary *dictionary);

#endif
