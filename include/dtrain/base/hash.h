#ifndef DTRAIN_BASE_HASH_H
#define DTRAIN_BASE_HASH_H

#include "dtrain/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Hashes bytes to 64 bits: the same on every little-endian CPU. `seed` chooses the function; it may
 * be the hash of the bytes before. Different inputs among n get the same hash with a probability of
 * about n^2 / 2^65. Not for data that somebody chose so that hashes are equal.
 *
 * Calls:   local
 * Cost:    eight bytes at a time, several GB/s
 * Source:  MurmurHash64A, A. Appleby, public domain
 */
uint64_t dt_hash64(const void *data, size_t bytes, uint64_t seed);

/**
 * A set of hashes. The lowest bits of each hash are replaced by a few flags of the caller. A zeroed
 * set is empty. Two sets have the same slots after the same calls. All calls are local.
 */
typedef struct dt_hash_set {
    uint64_t *slots; /* [slot_count]: hash and flags; 0: free */
    size_t slot_count; /* a power of two, 0 at first */
    size_t count;
} dt_hash_set;

enum { DT_HASH_FLAGS = 7 };

/** Allocates room for `count` hashes. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_hash_set_reserve(dt_hash_set *set, size_t count);

/**
 * Adds a hash unless it is in the set, and sets `flags` in addition to its flags; *is_new (may be
 * NULL) reports whether it was added.
 *
 * Cost:    11 to 22 bytes a hash, and 1.5 times that while the set grows
 * Errors:  DT_MEMORY
 */
DT_MUST_USE dt_status dt_hash_set_add(dt_hash_set *set, uint64_t hash, unsigned flags,
                                      bool *is_new);

/** Returns the slot of a hash; NULL if it is not in the set. */
uint64_t *dt_hash_set_find(const dt_hash_set *set, uint64_t hash);

/** Removes all hashes, but keeps the memory. */
void dt_hash_set_empty(dt_hash_set *set);

/** Frees the memory; the set is empty afterwards. */
void dt_hash_set_clear(dt_hash_set *set);

#endif
