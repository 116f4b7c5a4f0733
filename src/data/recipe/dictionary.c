#include "dictionary.h"

#include "dtrain/base/memory.h"

#include <string.h>

enum { PAGE_BYTES = 16384, FIRST_SLOTS = 64 };

typedef struct dt_dictionary_page page;
struct dt_dictionary_page {
    page *next;
    size_t used, bytes;
    char text[];
};

/* FNV-1a, and a last mix since the slots are its lowest bits. */
static uint32_t hash_of(const char *text, size_t bytes)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
    return (uint32_t)(hash ^ hash >> 32);
}

/* The slot of a text, or the free slot for it. */
static size_t slot_of(const dt_dictionary *dictionary, const char *text, size_t bytes,
                      uint32_t hash)
{
    const size_t mask = dictionary->slot_count - 1;
    for (size_t slot = hash & mask;; slot = (slot + 1) & mask) {
        if (dictionary->slots[slot] == 0)
            return slot;
        const dt_dictionary_entry *entry = &dictionary->entries[dictionary->slots[slot] - 1];
        if (entry->hash == hash && entry->bytes == bytes && memcmp(entry->text, text, bytes) == 0)
            return slot;
    }
}

dt_dictionary_entry *dt_dictionary_find(const dt_dictionary *dictionary, const char *text,
                                        size_t bytes)
{
    if (dictionary->slot_count == 0)
        return NULL;
    const size_t slot = slot_of(dictionary, text, bytes, hash_of(text, bytes));
    return dictionary->slots[slot] == 0 ? NULL : &dictionary->entries[dictionary->slots[slot] - 1];
}

/* At most half of the slots are used, so that a search is short. */
static dt_status make_room(dt_dictionary *d)
{
    dt_status status = DT_OK;
    uint32_t *slots = NULL;
    if (d->count < d->slot_count / 2)
        return DT_OK;
    if (d->count >= UINT32_MAX / 4)
        return dt_fail(DT_MEMORY, "no memory for %zu distinct values", d->count);
    const size_t slot_count = d->slot_count == 0 ? FIRST_SLOTS : 2 * d->slot_count;
    DT_TRY(dt_memory_alloc(&slots, slot_count, sizeof *slots, "distinct values"));
    DT_TRY(dt_memory_grow(&d->entries, d->count, slot_count / 2, sizeof *d->entries,
                          "distinct values"));
    for (size_t i = 0; i < d->count; i++) {
        size_t slot = d->entries[i].hash & (slot_count - 1);
        while (slots[slot] != 0)
            slot = (slot + 1) & (slot_count - 1);
        slots[slot] = (uint32_t)i + 1;
    }
    dt_memory_free(d->slots);
    d->slots = slots;
    d->slot_count = slot_count;
    slots = NULL;
out:
    dt_memory_free(slots);
    return status;
}

static dt_status copy_text(const char **out, dt_dictionary *d, const char *text, size_t bytes)
{
    page *at = d->page;
    if (at == NULL || at->bytes - at->used < bytes + 1) {
        /* A first page of a few values: there may be thousands of columns. */
        size_t room = at == NULL ? 256 : PAGE_BYTES;
        room = bytes + 1 > room ? bytes + 1 : room;
        dt_status status = dt_memory_alloc(&at, 1, sizeof *at + room, "distinct values");
        if (status != DT_OK)
            return status;
        *at = (page){.next = d->page, .used = 0, .bytes = room};
        d->page = at;
    }
    *out = memcpy(at->text + at->used, text, bytes);
    at->text[at->used + bytes] = '\0';
    at->used += bytes + 1;
    return DT_OK;
}

dt_status dt_dictionary_add(dt_dictionary_entry **out, dt_dictionary *dictionary, const char *text,
                            size_t bytes)
{
    dt_status status = DT_OK;
    const uint32_t hash = hash_of(text, bytes);
    *out = NULL;
    if (dictionary->slot_count != 0) {
        const size_t slot = slot_of(dictionary, text, bytes, hash);
        if (dictionary->slots[slot] != 0) {
            *out = &dictionary->entries[dictionary->slots[slot] - 1];
            return DT_OK;
        }
    }
    DT_TRY(make_room(dictionary));
    dt_dictionary_entry *entry = &dictionary->entries[dictionary->count];
    *entry = (dt_dictionary_entry){.bytes = (uint32_t)bytes, .hash = hash};
    DT_TRY(copy_text(&entry->text, dictionary, text, bytes));
    dictionary->slots[slot_of(dictionary, text, bytes, hash)] = (uint32_t)++dictionary->count;
    *out = entry;
out:
    return status;
}

void dt_dictionary_clear(dt_dictionary *dictionary)
{
    for (page *at = dictionary->page; at != NULL;) {
        page *next = at->next;
        dt_memory_free(at);
        at = next;
    }
    dt_memory_free(dictionary->entries);
    dt_memory_free(dictionary->slots);
    *dictionary = (dt_dictionary){0};
}
