#include "dtrain/base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_block_is_zeroed_and_aligned(void **state)
{
    (void)state;
    for (size_t count = 0; count < 300; count += 13) {
        unsigned char *block = NULL;
        assert_int_equal(dt_memory_alloc(&block, count, 3, "block"), DT_OK);
        assert_non_null(block); /* also for a count of 0 */
        assert_int_equal((uintptr_t)block % DT_MEMORY_ALIGNMENT, 0);
        for (size_t i = 0; i < 3 * count; i++)
            assert_int_equal(block[i], 0);
        memset(block, 0xff, 3 * count);
        dt_memory_free(block);
    }
}

static void test_too_large_fails_and_names_the_block(void **state)
{
    (void)state;
    const struct {
        size_t count, size;
    } cases[] = {
        {SIZE_MAX / 2, 4}, /* the product overflows to a small number */
        {SIZE_MAX, 1}, /* the rounding up would */
        {SIZE_MAX - 8, 1}, /* likewise */
        {SIZE_MAX / 4, sizeof(uint16_t)}, /* fits, but no machine has it */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int here = 0;
        int *block = &here;
        assert_int_equal(dt_memory_alloc(&block, cases[i].count, cases[i].size, "gradients"),
                         DT_MEMORY);
        assert_null(block);
        assert_int_equal(strncmp(dt_status_text(), "gradients: ", 11), 0);
    }
}

static void test_grow_keeps_and_zeroes(void **state)
{
    (void)state;
    uint32_t *block = NULL;
    assert_int_equal(dt_memory_grow(&block, 0, 5, sizeof *block, "rows"), DT_OK);
    for (uint32_t i = 0; i < 5; i++)
        block[i] = i + 1;
    assert_int_equal(dt_memory_grow(&block, 5, 1000, sizeof *block, "rows"), DT_OK);
    assert_int_equal((uintptr_t)block % DT_MEMORY_ALIGNMENT, 0);
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(block[i], i < 5 ? i + 1 : 0);
    assert_int_equal(dt_memory_grow(&block, 1000, 2, sizeof *block, "rows"), DT_OK);
    assert_int_equal(block[0], 1);
    assert_int_equal(block[1], 2);
    dt_memory_free(block);
}

static void test_failed_grow_leaves_the_block(void **state)
{
    (void)state;
    uint32_t *block = NULL;
    assert_int_equal(dt_memory_alloc(&block, 4, sizeof *block, "rows"), DT_OK);
    block[3] = 42;
    uint32_t *before = block;
    assert_int_equal(dt_memory_grow(&block, 4, SIZE_MAX / 2, sizeof *block, "rows"), DT_MEMORY);
    assert_ptr_equal(block, before);
    assert_int_equal(block[3], 42);
    dt_memory_free(block);
}

static void test_copy_text(void **state)
{
    (void)state;
    const char *const texts[] = {"", "a", "results/a name with spaces/run.h5"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char *copy = NULL;
        assert_int_equal(dt_memory_copy_text(&copy, texts[i]), DT_OK);
        assert_string_equal(copy, texts[i]);
        assert_ptr_not_equal(copy, texts[i]);
        dt_memory_free(copy);
    }
}

static void test_free_takes_null(void **state)
{
    (void)state;
    char **texts = NULL;
    dt_memory_free(NULL);
    dt_memory_free_texts(NULL, 2);
    assert_int_equal(dt_memory_alloc(&texts, 2, sizeof *texts, "texts"), DT_OK);
    assert_int_equal(dt_memory_copy_text(&texts[1], "one"), DT_OK);
    dt_memory_free_texts(texts, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_block_is_zeroed_and_aligned),
        cmocka_unit_test(test_too_large_fails_and_names_the_block),
        cmocka_unit_test(test_grow_keeps_and_zeroes),
        cmocka_unit_test(test_failed_grow_leaves_the_block),
        cmocka_unit_test(test_copy_text),
        cmocka_unit_test(test_free_takes_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
