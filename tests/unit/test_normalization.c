/*
 * Keras's Normalization layer: (x - mean) / max(sqrt(variance), 1e-7).
 */
#include "dtrain/nn/normalization.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_each_column_by_its_own(void **state)
{
    (void)state;
    const float mean[] = {10.0f, -2.0f, 0.0f}, variance[] = {4.0f, 0.25f, 1.0f};
    float rows[] = {12.0f, -2.0f, 3.0f, 8.0f, -1.0f, -7.5f};
    const float expected[] = {1.0f, 0.0f, 3.0f, -1.0f, 2.0f, -7.5f};
    dt_normalization n;
    assert_int_equal(dt_normalization_init(&n, 3, mean, variance), DT_OK);
    dt_normalization_apply(&n, rows, 2);
    for (size_t i = 0; i < 6; i++)
        assert_float_equal(rows[i], expected[i], 0.0);
    dt_normalization_clear(&n);
    assert_null(n.mean);
}

/* Such a column would be divided by zero. */
static void test_a_column_of_one_value(void **state)
{
    (void)state;
    const float mean = 5.0f, variance = 0.0f;
    float rows[] = {5.0f, 6.0f};
    dt_normalization n;
    assert_int_equal(dt_normalization_init(&n, 1, &mean, &variance), DT_OK);
    dt_normalization_apply(&n, rows, 2);
    assert_float_equal(rows[0], 0.0, 0.0);
    assert_float_equal(rows[1], 1.0f / 1e-7f, 1.0);
    dt_normalization_clear(&n);
}

static void test_none_changes_nothing(void **state)
{
    (void)state;
    const dt_normalization none = {0};
    float rows[] = {5.0f, 6.0f};
    dt_normalization_apply(&none, rows, 2);
    assert_float_equal(rows[0], 5.0, 0.0);
    assert_float_equal(rows[1], 6.0, 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_column_by_its_own),
        cmocka_unit_test(test_a_column_of_one_value),
        cmocka_unit_test(test_none_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
