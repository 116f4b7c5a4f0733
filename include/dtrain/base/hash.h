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
 * A set of hashes, each with a few flags of the caller's in place of its lowest bits. A zeroed set
 * is empty. After the same calls two sets have the same slots. All calls are local.
 */
typedef struct dt_hash_set {
    uint64_t *slots; /* [slot_count]: hash and flags; 0: free */
    size_t slot_count; /* a power of two, 0 at first */
    size_t count;
} dt_hash_set;

enum { DT_HASH_FLAGS = 7 };

/** Makes room for so many hashes at once. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_hash_set_reserve(dt_hash_set *set, size_t count);

/**
 * Adds a hash, if it is not there, and flags to those it has; *is_new (may be NULL) says which.
 *
 * Cost:    11 to 22 bytes a hash, half as much again while the set grows
 * Errors:  DT_MEMORY
 */
DT_MUST_USE dt_status dt_hash_set_add(dt_hash_set *set, uint64_t hash, unsigned flags,
                                      bool *is_new);

/** Returns the slot of a hash; NULL: it is not there. */
uint64_t *dt_hash_set_find(const dt_hash_set *set, uint64_t hash);

/** Forgets all hashes, but keeps the room. */
void dt_hash_set_empty(dt_hash_set *set);

/** Frees all; the set is empty then. */
void dt_hash_set_clear(dt_hash_set *set);

#endif
