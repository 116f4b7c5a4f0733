#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/base/hash.h"
#include "dtrain/base/random.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { HASHES = 100000 };

/* Values of SMHasher's MurmurHash64A; --split-by divides rows by them, on every CPU. */
static void test_known(void **state)
{
    (void)state;
    assert_int_equal(dt_hash64("", 0, 0), 0);
    assert_true(dt_hash64("a", 1, 0) == UINT64_C(0x071717d2d36b6b11));
    assert_true(dt_hash64("hello, world", 12, 0) == UINT64_C(0x9659ad0699a8465f));
}

/* Each bit of the input and of the seed changes about half of the bits. */
static void test_bits(void **state)
{
    (void)state;
    for (size_t bytes = 1; bytes <= 20; bytes++) {
        unsigned char text[20] = "twenty bytes of text";
        const uint64_t hash = dt_hash64(text, bytes, 7);
        assert_true(dt_hash64(text, bytes - 1, 7) != hash);
        for (size_t bit = 0; bit < 8 * bytes; bit++) {
            text[bit / 8] ^= (unsigned char)(1u << bit % 8);
            assert_in_range(__builtin_popcountll(hash ^ dt_hash64(text, bytes, 7)), 12, 52);
            text[bit / 8] ^= (unsigned char)(1u << bit % 8);
        }
        assert_in_range(__builtin_popcountll(hash ^ dt_hash64(text, bytes, 6)), 12, 52);
    }
}

static uint64_t draw(uint64_t i)
{
    return i == 0 ? 0 : dt_hash64(&i, sizeof i, 1); /* with the one that a free slot would have */
}

static void test_set(void **state)
{
    (void)state;
    dt_hash_set set = {0};
    bool is_new = false;
    assert_null(dt_hash_set_find(&set, 5));
    for (uint64_t i = 0; i < HASHES; i++) {
        assert_int_equal(dt_hash_set_add(&set, draw(i), i % 2 == 0, &is_new), DT_OK);
        assert_true(is_new);
    }
    for (uint64_t i = 0; i < HASHES; i += 3) {
        assert_int_equal(dt_hash_set_add(&set, draw(i), 4, &is_new), DT_OK);
        assert_false(is_new);
    }
    assert_int_equal(set.count, HASHES);
    assert_true(set.slot_count <= 3 * HASHES);
    for (uint64_t i = 0; i < HASHES; i++) {
        const uint64_t *slot = dt_hash_set_find(&set, draw(i));
        assert_non_null(slot);
        assert_int_equal(*slot & DT_HASH_FLAGS, (i % 2 == 0) + (i % 3 == 0 ? 4 : 0));
        assert_null(dt_hash_set_find(&set, draw(i + HASHES)));
    }
    const size_t slot_count = set.slot_count;
    dt_hash_set_empty(&set);
    assert_null(dt_hash_set_find(&set, draw(1)));
    assert_int_equal(dt_hash_set_reserve(&set, HASHES), DT_OK);
    assert_int_equal(set.slot_count, slot_count);
    dt_hash_set_clear(&set);
    assert_int_equal(set.slot_count, 0);
}

static void test_no_memory(void **state)
{
    (void)state;
    dt_hash_set set = {0};
    assert_int_equal(dt_hash_set_add(&set, 9, 1, NULL), DT_OK);
    assert_int_equal(dt_hash_set_reserve(&set, SIZE_MAX / 64), DT_MEMORY);
    assert_int_equal(set.count, 1);
    assert_non_null(dt_hash_set_find(&set, 9));
    dt_hash_set_clear(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_known), cmocka_unit_test(test_bits),
                                       cmocka_unit_test(test_set),
                                       cmocka_unit_test(test_no_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
