#include "../../src/base/random_lanes.h"

#include "dtrain/base/crc32.h"
#include "dtrain/base/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Everything here is deterministic: the bounds on averages are 5 standard errors wide, and hold for
 * this seed forever or not at all. */

/* Source: kat_vectors of Random123 1.14, philox4x32 10. */
static void test_philox_known_answers(void **state)
{
    (void)state;
    const struct {
        uint32_t counter[4], key[2], expected[4];
    } cases[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t out[4] = {0};
        dt_random_philox(out, cases[i].counter, cases[i].key);
        for (int j = 0; j < 4; j++)
            assert_int_equal(out[j], cases[i].expected[j]);
    }
}

/* A saved model's seed must give the same weights in every later version: the layout of key and
 * counter is part of the contract. */
static void test_stream_layout(void **state)
{
    (void)state;
    const uint32_t key[2] = {0x89abcdefu, 0x01234567u};
    dt_random random =
        dt_random_start(0x0123456789abcdefu, DT_RANDOM_SHUFFLE, (uint64_t)5 << 32 | 9);
    for (uint32_t block = 0; block < 3; block++) {
        const uint32_t counter[4] = {block, DT_RANDOM_SHUFFLE, 9, 5};
        uint32_t expected[4];
        dt_random_philox(expected, counter, key);
        for (int i = 0; i < 4; i++)
            assert_int_equal(dt_random_u32(&random), expected[i]);
    }
}

/* dt_random_draw is Philox, block by block, for any first block and any number of blocks. */
static void test_draw(void **state)
{
    (void)state;
    enum { MOST = 19 };
    const dt_random_key key = {DT_RANDOM_DROPOUT, 0xabcdef, 77,
                               ((uint64_t)0x2a << 32) | 0x89abcdefu};
    const uint64_t seed = 0x0123456789abcdef;
    const uint32_t keys[2] = {0x89abcdefu, 0x01234567u};
    for (size_t first = 0; first < 30; first += 7)
        for (size_t blocks = 1; blocks <= MOST; blocks++) {
            uint32_t out[4 * MOST + 1] = {0}, expected[4];
            out[4 * blocks] = 5;
            dt_random_draw(out, seed, key, first, blocks);
            for (size_t b = 0; b < blocks; b++) {
                const uint32_t counter[4] = {(uint32_t)(first + b) | 0x2au << 26,
                                             DT_RANDOM_DROPOUT | 0xabcdefu << 8, 0x89abcdefu, 77};
                dt_random_philox(expected, counter, keys);
                for (size_t w = 0; w < 4; w++)
                    assert_int_equal(out[w * blocks + b], expected[w]);
            }
            assert_int_equal(out[4 * blocks], 5); /* and nothing beyond */
        }
}

/* Every way that this CPU has draws the numbers of Philox, and bits from their halves. */
static void test_ways(void **state)
{
    (void)state;
    enum { PAIRS = 5, BLOCKS = PAIRS * DT_LANES_PAIR };
    static const uint32_t thresholds[] = {0, 1, 6554, 0x8000, 0xFFFF, 0x10000};
    const uint32_t counter[4] = {0xFFFFFF00u, 0xdeadbeefu, 3, 0x80000000u};
    const uint32_t key[2] = {0x89abcdefu, 0x01234567u};
    uint32_t expected[BLOCKS][4];
    for (uint32_t b = 0; b < BLOCKS; b++) {
        const uint32_t of_block[4] = {counter[0] + b, counter[1], counter[2], counter[3]};
        dt_random_philox(expected[b], of_block, key);
    }
    assert_non_null(dt_lanes_way(DT_LANES_WAYS - 1));
    for (size_t way = 0; way < DT_LANES_WAYS; way++) {
        const dt_lanes *lanes = dt_lanes_way(way);
        uint32_t numbers[4 * BLOCKS], words[PAIRS][2];
        if (lanes == NULL)
            continue;
        for (size_t blocks = 1; blocks <= BLOCKS; blocks++) {
            lanes->draw_numbers(numbers, counter, key, blocks);
            for (size_t i = 0; i < 4 * blocks; i++)
                assert_int_equal(numbers[i], expected[i % blocks][i / blocks]);
        }
        for (size_t n = 0; n < sizeof thresholds / sizeof *thresholds; n++) {
            lanes->draw_bits(&words[0][0], counter, key, PAIRS, thresholds[n]);
            for (size_t i = 0; i < (size_t)PAIRS * 64; i++) { /* bit i % 32 of word i / 32 */
                const size_t w = i / 32 % 2 * 2 + i % 32 / 8 % 2;
                const uint32_t number = expected[i / 64 * DT_LANES_PAIR + i % 8][w];
                const uint32_t half = i % 32 < 16 ? number & 0xFFFFu : number >> 16;
                assert_int_equal(words[i / 64][i / 32 % 2] >> i % 32 & 1u, half >= thresholds[n]);
            }
        }
    }
}

static void test_streams_differ(void **state)
{
    (void)state;
    const struct {
        uint64_t seed;
        dt_random_purpose purpose;
        uint64_t stream;
    } starts[] = {
        {1, DT_RANDOM_WEIGHTS, 0},
        {2, DT_RANDOM_WEIGHTS, 0},
        {(uint64_t)1 << 32 | 1, DT_RANDOM_WEIGHTS, 0},
        {1, DT_RANDOM_SHUFFLE, 0},
        {1, DT_RANDOM_SPLIT, 0},
        {1, DT_RANDOM_EXAMPLE, 0},
        {1, DT_RANDOM_WEIGHTS, 1},
        {1, DT_RANDOM_WEIGHTS, (uint64_t)1 << 32},
    };
    enum { COUNT = sizeof starts / sizeof starts[0] };
    uint32_t first[COUNT][4];
    for (size_t i = 0; i < COUNT; i++) {
        dt_random random = dt_random_start(starts[i].seed, starts[i].purpose, starts[i].stream);
        for (size_t j = 0; j < 4; j++)
            first[i][j] = dt_random_u32(&random);
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(first[i], first[j], sizeof first[i]);
    }
}

static void test_uniform(void **state)
{
    (void)state;
    enum { COUNT = 200000 };
    dt_random random = dt_random_start(1, DT_RANDOM_EXAMPLE, 0);
    double sum = 0.0, squares = 0.0;
    for (int i = 0; i < COUNT; i++) {
        double u = dt_random_uniform(&random);
        assert_true(u >= 0.0 && u < 1.0);
        assert_true(u * 0x1p53 == floor(u * 0x1p53));
        sum += u;
        squares += u * u;
    }
    assert_true(fabs(sum / COUNT - 1.0 / 2) < 5 * sqrt(1.0 / 12 / COUNT));
    assert_true(fabs(squares / COUNT - 1.0 / 3) < 5 * sqrt(4.0 / 45 / COUNT));
}

static void test_normal(void **state)
{
    (void)state;
    enum { COUNT = 200000 };
    dt_random random = dt_random_start(1, DT_RANDOM_WEIGHTS, 0);
    double moments[5] = {0};
    for (int i = 0; i < COUNT; i++) {
        double z = dt_random_normal(&random);
        assert_true(isfinite(z));
        double power = 1.0;
        for (int k = 1; k <= 4; k++)
            moments[k] += (power *= z) / COUNT;
    }
    /* E z^k = 0, 1, 0, 3; Var z^k = 1, 2, 15, 96 */
    assert_true(fabs(moments[1]) < 5 * sqrt(1.0 / COUNT));
    assert_true(fabs(moments[2] - 1) < 5 * sqrt(2.0 / COUNT));
    assert_true(fabs(moments[3]) < 5 * sqrt(15.0 / COUNT));
    assert_true(fabs(moments[4] - 3) < 5 * sqrt(96.0 / COUNT));
}

/* The same bits on every CPU, with every compiler and every C library. */
static void test_normal_is_pinned(void **state)
{
    (void)state;
    uint32_t crc = 0;
    dt_random random = dt_random_start(1, DT_RANDOM_EXAMPLE, 0);
    for (int i = 0; i < 20000; i++) {
        const double z = dt_random_normal(&random);
        uint64_t bits;
        memcpy(&bits, &z, sizeof bits);
        for (int shift = 0; shift < 64; shift += 8)
            crc = dt_crc32(crc, &(unsigned char){(unsigned char)(bits >> shift)}, 1);
    }
    assert_int_equal(crc, 0x1ba5c444);
}

static void test_below(void **state)
{
    (void)state;
    enum { COUNT = 60000, BOUND = 6 };
    dt_random random = dt_random_start(3, DT_RANDOM_SPLIT, 0);
    int seen[BOUND] = {0};
    for (int i = 0; i < COUNT; i++) {
        uint64_t value = dt_random_below(&random, BOUND);
        assert_true(value < BOUND);
        seen[value]++;
    }
    double p = 1.0 / BOUND;
    for (int i = 0; i < BOUND; i++)
        assert_true(fabs(seen[i] - COUNT * p) < 5 * sqrt(COUNT * p * (1 - p)));
}

static void test_below_at_the_edges(void **state)
{
    (void)state;
    const uint64_t bounds[] = {2,
                               3,
                               0x80000001u,
                               UINT32_MAX,
                               (uint64_t)UINT32_MAX + 1,
                               (uint64_t)UINT32_MAX + 2,
                               (uint64_t)3 << 40,
                               ((uint64_t)1 << 63) + 1,
                               UINT64_MAX};
    dt_random random = dt_random_start(4, DT_RANDOM_SPLIT, 0);
    assert_int_equal(dt_random_below(&random, 0), 0);
    assert_int_equal(dt_random_below(&random, 1), 0);
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        uint64_t largest = 0;
        for (int j = 0; j < 2000; j++) {
            uint64_t value = dt_random_below(&random, bounds[i]);
            assert_true(value < bounds[i]);
            largest = value > largest ? value : largest;
        }
        /* Chance of missing the upper 5 %: 0.95^2000 = 3e-45; unless there is no such value. */
        assert_true(largest >= bounds[i] - bounds[i] / 20 - 1);
    }
}

/* Four words of 32 bits fall on every three values below 3 * 2^30: without rejection every third
 * value would come up twice as often as the others. */
static void test_below_has_no_bias(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    const uint64_t bound = (uint64_t)3 << 30;
    dt_random random = dt_random_start(5, DT_RANDOM_SPLIT, 0);
    int residues[3] = {0};
    for (int i = 0; i < COUNT; i++)
        residues[dt_random_below(&random, bound) % 3]++;
    for (int i = 0; i < 3; i++)
        assert_true(fabs(residues[i] - COUNT / 3.0) < 5 * sqrt(COUNT * 2.0 / 9));
}

static void test_permutation_is_one(void **state)
{
    (void)state;
    enum { MAX = 1000 };
    uint32_t order[MAX + 1];
    bool seen[MAX];
    const size_t counts[] = {0, 1, 2, 3, 100, MAX};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        dt_random random = dt_random_start(6, DT_RANDOM_SHUFFLE, i);
        order[counts[i]] = 0xdeadbeefu;
        dt_random_permutation(&random, order, counts[i]);
        assert_int_equal(order[counts[i]], 0xdeadbeefu);
        memset(seen, 0, sizeof seen);
        for (size_t j = 0; j < counts[i]; j++) {
            assert_true(order[j] < counts[i]);
            assert_false(seen[order[j]]);
            seen[order[j]] = true;
        }
    }
}

static void test_permutations_are_equally_likely(void **state)
{
    (void)state;
    enum { COUNT = 24000, SIZE = 4, FACTORIAL = 24 };
    int seen[SIZE * SIZE * SIZE * SIZE] = {0};
    for (uint64_t i = 0; i < COUNT; i++) {
        dt_random random = dt_random_start(7, DT_RANDOM_SHUFFLE, i);
        uint32_t order[SIZE];
        dt_random_permutation(&random, order, SIZE);
        seen[((order[0] * SIZE + order[1]) * SIZE + order[2]) * SIZE + order[3]]++;
    }
    int kinds = 0;
    double p = 1.0 / FACTORIAL;
    for (size_t i = 0; i < sizeof seen / sizeof seen[0]; i++) {
        if (seen[i] == 0)
            continue;
        kinds++;
        assert_true(fabs(seen[i] - COUNT * p) < 5 * sqrt(COUNT * p * (1 - p)));
    }
    assert_int_equal(kinds, FACTORIAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_philox_known_answers),
        cmocka_unit_test(test_draw),
        cmocka_unit_test(test_ways),
        cmocka_unit_test(test_stream_layout),
        cmocka_unit_test(test_streams_differ),
        cmocka_unit_test(test_uniform),
        cmocka_unit_test(test_normal),
        cmocka_unit_test(test_normal_is_pinned),
        cmocka_unit_test(test_below),
        cmocka_unit_test(test_below_at_the_edges),
        cmocka_unit_test(test_below_has_no_bias),
        cmocka_unit_test(test_permutation_is_one),
        cmocka_unit_test(test_permutations_are_equally_likely),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
