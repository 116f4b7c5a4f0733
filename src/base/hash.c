#include "dtrain/base/hash.h"

#include "dtrain/base/memory.h"

#include <string.h>

#define MULTIPLIER UINT64_C(0xc6a4a7935bd1e995)
enum { SHIFT = 47, FIRST_SLOTS = 64 };

static uint64_t mix(uint64_t hash, uint64_t word)
{
    word *= MULTIPLIER;
    word ^= word >> SHIFT;
    return (hash ^ word * MULTIPLIER) * MULTIPLIER;
}

uint64_t dt_hash64(const void *data, size_t bytes, uint64_t seed)
{
    const unsigned char *at = data;
    uint64_t hash = seed ^ bytes * MULTIPLIER, word = 0;
    for (; bytes >= sizeof word; bytes -= sizeof word, at += sizeof word) {
        memcpy(&word, at, sizeof word);
        hash = mix(hash, word);
    }
    if (bytes > 0) {
        word = 0;
        memcpy(&word, at, bytes);
        hash = (hash ^ word) * MULTIPLIER;
    }
    hash = (hash ^ hash >> SHIFT) * MULTIPLIER;
    return hash ^ hash >> SHIFT;
}

/* ---- the set ---- */

/* Without flags, and not 0, which marks a free slot. */
static uint64_t key_of(uint64_t hash)
{
    const uint64_t key = hash & ~(uint64_t)DT_HASH_FLAGS;
    return key != 0 ? key : DT_HASH_FLAGS + 1;
}

/* The slot of a key, or the free slot for it. */
static size_t slot_of(const dt_hash_set *set, uint64_t key)
{
    const size_t mask = set->slot_count - 1;
    size_t slot = (size_t)(key >> 3 ^ key >> 35) & mask;
    while (set->slots[slot] != 0 && (set->slots[slot] & ~(uint64_t)DT_HASH_FLAGS) != key)
        slot = (slot + 1) & mask;
    return slot;
}

/* At most three quarters of the slots are used. */
static size_t most_hashes(size_t slot_count)
{
    return slot_count / 4 * 3;
}

dt_status dt_hash_set_reserve(dt_hash_set *set, size_t count)
{
    dt_status status = DT_OK;
    dt_hash_set larger = {.slot_count = set->slot_count > 0 ? set->slot_count : FIRST_SLOTS,
                          .count = set->count};
    while (most_hashes(larger.slot_count) < count && larger.slot_count <= SIZE_MAX / 32)
        larger.slot_count *= 2;
    if (larger.slot_count == set->slot_count)
        return DT_OK;
    DT_TRY(dt_memory_alloc(&larger.slots, larger.slot_count, sizeof *larger.slots, "hashes"));
    for (size_t i = 0; i < set->slot_count; i++)
        if (set->slots[i] != 0)
            larger.slots[slot_of(&larger, set->slots[i] & ~(uint64_t)DT_HASH_FLAGS)] =
                set->slots[i];
    dt_memory_free(set->slots);
    *set = larger;
out:
    return status;
}

dt_status dt_hash_set_add(dt_hash_set *set, uint64_t hash, unsigned flags, bool *is_new)
{
    dt_status status = DT_OK;
    const uint64_t key = key_of(hash);
    DT_TRY(dt_hash_set_reserve(set, set->count + 1));
    uint64_t *slot = &set->slots[slot_of(set, key)];
    if (is_new != NULL)
        *is_new = *slot == 0;
    set->count += *slot == 0;
    *slot |= key | (flags & DT_HASH_FLAGS);
out:
    return status;
}

uint64_t *dt_hash_set_find(const dt_hash_set *set, uint64_t hash)
{
    if (set->count == 0)
        return NULL;
    uint64_t *slot = &set->slots[slot_of(set, key_of(hash))];
    return *slot != 0 ? slot : NULL;
}

void dt_hash_set_empty(dt_hash_set *set)
{
    if (set->slot_count > 0)
        memset(set->slots, 0, set->slot_count * sizeof *set->slots);
    set->count = 0;
}

void dt_hash_set_clear(dt_hash_set *set)
{
    dt_memory_free(set->slots);
    *set = (dt_hash_set){0};
}
