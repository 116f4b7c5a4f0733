/*
 * Philox's blocks many at a time, by the vector instructions of this CPU. All ways give the same
 * numbers. Calls: local.
 */
#ifndef DT_BASE_RANDOM_LANES_H
#define DT_BASE_RANDOM_LANES_H

#include <stddef.h>
#include <stdint.h>

enum { DT_PHILOX_ROUNDS = 10 };
#define DT_PHILOX_M0 0xD2511F53u
#define DT_PHILOX_M1 0xCD9E8D57u
#define DT_PHILOX_W0 0x9E3779B9u
#define DT_PHILOX_W1 0xBB67AE85u

/* Blocks whose bits fill two words. */
enum { DT_LANES_PAIR = 8 };

/* The counter of block b is `counter` with b added to its first number, which must not overflow. */
typedef struct dt_lanes {
    /* dt_random_draw: out [4, blocks] */
    void (*draw_numbers)(uint32_t *out, const uint32_t counter[4], const uint32_t key[2],
                         size_t blocks);
    /* dt_random_draw_bits: out [pairs, 2] */
    void (*draw_bits)(uint32_t *out, const uint32_t counter[4], const uint32_t key[2], size_t pairs,
                      uint32_t threshold);
} dt_lanes;

enum { DT_LANES_WAYS = 3 };

/* Returns way number i, the fastest first, or NULL if this CPU does not have its instructions. The
 * last way is plain C. */
const dt_lanes *dt_lanes_way(size_t i);

/* Returns the fastest way that this CPU has. */
const dt_lanes *dt_lanes_fastest(void);

#endif
