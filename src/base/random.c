#include "dtrain/base/random.h"

#include "random_lanes.h"

#include "dtrain/base/elementary.h"
#include "dtrain/base/status.h"

#include <math.h>

void dt_random_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < DT_PHILOX_ROUNDS; round++) {
        uint64_t product0 = (uint64_t)DT_PHILOX_M0 * c0;
        uint64_t product1 = (uint64_t)DT_PHILOX_M1 * c2;
        c0 = (uint32_t)(product1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)product1;
        c2 = (uint32_t)(product0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)product0;
        k0 += DT_PHILOX_W0;
        k1 += DT_PHILOX_W1;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

/* The counter of the first of `blocks` blocks. */
static void set_counter(uint32_t counter[4], dt_random_key key, size_t first, size_t blocks)
{
    enum { BLOCK_BITS = 26, LAYER_SHIFT = 8 };
    DT_ASSERT(first + blocks < (size_t)1 << BLOCK_BITS && key.position >> 38 == 0 &&
              key.layer < (uint32_t)1 << 24 && key.epoch >> 32 == 0);
    counter[0] = (uint32_t)first | (uint32_t)(key.position >> 32) << BLOCK_BITS;
    counter[1] = (uint32_t)key.purpose | key.layer << LAYER_SHIFT;
    counter[2] = (uint32_t)key.position;
    counter[3] = (uint32_t)key.epoch;
}

void dt_random_draw(uint32_t *out, uint64_t seed, dt_random_key key, size_t first, size_t blocks)
{
    const uint32_t keys[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    uint32_t counter[4];
    set_counter(counter, key, first, blocks);
    dt_lanes_fastest()->draw_numbers(out, counter, keys, blocks);
}

void dt_random_draw_bits(uint32_t *out, uint64_t seed, dt_random_key key, size_t first,
                         size_t pairs, uint32_t threshold)
{
    const uint32_t keys[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    uint32_t counter[4];
    set_counter(counter, key, first * DT_LANES_PAIR, pairs * DT_LANES_PAIR);
    dt_lanes_fastest()->draw_bits(out, counter, keys, pairs, threshold);
}

dt_random dt_random_start(uint64_t seed, dt_random_purpose purpose, uint64_t stream)
{
    dt_random random = {
        .key = {(uint32_t)seed, (uint32_t)(seed >> 32)},
        .counter = {0, (uint32_t)purpose, (uint32_t)stream, (uint32_t)(stream >> 32)}};
    return random;
}

uint32_t dt_random_u32(dt_random *random)
{
    if (random->left == 0) {
        dt_random_philox(random->block, random->counter, random->key);
        /* After 2^34 numbers a stream would repeat; no stream here (a shard's permutation, a
         * layer's weights) comes near. */
        random->counter[0]++;
        random->left = 4;
    }
    return random->block[4 - random->left--];
}

double dt_random_uniform(dt_random *random)
{
    uint64_t high = dt_random_u32(random) >> 5;
    uint64_t low = dt_random_u32(random) >> 6;
    return (double)(high << 26 | low) * 0x1p-53;
}

double dt_random_normal(dt_random *random)
{
    double u = 1.0 - dt_random_uniform(random); /* (0, 1]: the logarithm stays finite */
    double v = dt_random_uniform(random);
    return sqrt(-2.0 * dt_elementary_log(u)) * dt_elementary_cos(6.283185307179586 * v);
}

uint64_t dt_random_below(dt_random *random, uint64_t bound)
{
    if (bound <= 1)
        return 0;
    if (bound <= UINT32_MAX) {
        uint32_t bound32 = (uint32_t)bound;
        uint64_t product = (uint64_t)dt_random_u32(random) * bound32;
        if ((uint32_t)product < bound32) {
            uint32_t threshold = (0u - bound32) % bound32;
            while ((uint32_t)product < threshold)
                product = (uint64_t)dt_random_u32(random) * bound32;
        }
        return product >> 32;
    }
    /* Rejection from the smallest power of two above: rare, and only for counts above 2^32. */
    uint64_t mask = UINT64_MAX >> __builtin_clzll(bound - 1);
    for (;;) {
        uint64_t value = (uint64_t)dt_random_u32(random) << 32;
        value = (value | dt_random_u32(random)) & mask;
        if (value < bound)
            return value;
    }
}

void dt_random_permutation(dt_random *random, uint32_t *out, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t j = (size_t)dt_random_below(random, i + 1);
        out[i] = out[j]; /* when j == i the next line overwrites it: the "inside-out" form */
        out[j] = (uint32_t)i;
    }
}
