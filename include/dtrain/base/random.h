#ifndef DTRAIN_BASE_RANDOM_H
#define DTRAIN_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/**
 * A counter-based generator: the numbers are a function of (seed, purpose, stream, index), so any
 * rank can make any of them without state, and nothing depends on which rank does.
 *
 * Source:  Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as
 *          1, 2, 3", SC 2011
 */

/** Purposes of random numbers; different purposes never share a stream. */
typedef enum dt_random_purpose {
    DT_RANDOM_WEIGHTS = 1, /* stream: layer */
    DT_RANDOM_SHUFFLE = 2, /* stream: epoch << 32 | shard */
    DT_RANDOM_SPLIT = 3, /* stream: class */
    DT_RANDOM_EXAMPLE = 4, /* stream: row */
    DT_RANDOM_SAMPLE = 5, /* stream: column */
    DT_RANDOM_DROPOUT = 6, /* dt_random_draw: layer, epoch, position of the row */
    DT_RANDOM_NOISE = 7, /* likewise */
    DT_RANDOM_EXPLAIN = 8, /* stream: column << 32 | repeat; 2^64 - 1: rows */
    DT_RANDOM_FOLDS = 9, /* stream: repeat << 32 | class */
    DT_RANDOM_SEARCH = 10, /* stream: trial << 32 | CRC-32 of the setting's name */
    DT_RANDOM_GROUP = 11 /* stream: hash of a group's text */
} dt_random_purpose;

/** A position in one stream; cheap to create; holds four numbers at a time. */
typedef struct dt_random {
    uint32_t key[2];
    uint32_t counter[4];
    uint32_t block[4];
    unsigned left;
} dt_random;

/** Computes one Philox4x32-10 block. Cost: 10 rounds, about 5 ns. */
void dt_random_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2]);

/** The key of the numbers of one row in one pass, beside the seed. */
typedef struct dt_random_key {
    dt_random_purpose purpose;
    uint32_t layer; /* below 2^24 */
    uint64_t epoch; /* below 2^32 */
    uint64_t position; /* position of the row in the epoch's order, below 2^38 */
} dt_random_key;

/**
 * Draws 4 * `blocks` numbers: those of the blocks first .. first+blocks-1, below 2^26.
 *
 * Shapes:  out [4, blocks]: the first number of each block, then the second, ...
 * Cost:    vector code, eight blocks at a time
 */
void dt_random_draw(uint32_t *out, uint64_t seed, dt_random_key key, size_t first, size_t blocks);

/**
 * Draws 64 * `pairs` bits, each 1 with probability 1 - threshold / 2^16: a bit says whether 16 bits
 * of Philox are at least the threshold, which is at most 2^16. A pair of words takes eight blocks;
 * the first pair is pair `first`.
 *
 * Shapes:  out [pairs, 2]. Word 0 has the first two numbers a and b of the blocks, word 1 the last
 *          two: bits 0 to 7 are from the lower halves of a, in the order of the blocks, 8 to 15
 *          from those of b, 16 to 23 from the upper halves of a, 24 to 31 from those of b
 * Cost:    vector code, about a tenth of a nanosecond a bit
 */
void dt_random_draw_bits(uint32_t *out, uint64_t seed, dt_random_key key, size_t first,
                         size_t pairs, uint32_t threshold);

/** Starts the stream (seed, purpose, stream) at its first number. Calls: local. */
dt_random dt_random_start(uint64_t seed, dt_random_purpose purpose, uint64_t stream);

/** Returns the next 32 random bits. */
uint32_t dt_random_u32(dt_random *random);

/** Returns a double in [0, 1) with 53 random bits. */
double dt_random_uniform(dt_random *random);

/** Returns a standard normal number (Box and Muller's transform), the same bits everywhere. */
double dt_random_normal(dt_random *random);

/** Returns an integer in [0, bound), without bias. Source: Lemire, ACM TOMACS 29(1), 2019. */
uint64_t dt_random_below(dt_random *random, uint64_t bound);

/** Fills `out` with a random permutation of 0 .. count-1 (Fisher and Yates, Durstenfeld's form). */
void dt_random_permutation(dt_random *random, uint32_t *out, size_t count);

#endif
