/* rooms: task */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/base/random.h"
#include "dtrain/task/metrics.h"
#include "same_bits.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* What the two words of a number make together, in steps. */
static __int128 steps_of(const dt_tally *tally, int number)
{
    const dt_exact_number *sum = &tally->numbers[number];
    return (__int128)sum->high * ((__int128)1 << 32) + sum->low;
}

static void test_terms_are_counted_in_steps(void **state)
{
    (void)state;
    const struct {
        double term;
        int64_t steps;
    } cases[] = {
        {0, 0},       {1, 1 << 24}, {-1, -(1 << 24)},
        {0x1p-24, 1}, {0x1p-26, 0}, {0x3p-25, 2}, /* halves to even */
        {0x1p-25, 0}, {0x5p-25, 2}, {0x1.fffffp25, (INT64_C(1) << 50) - (INT64_C(1) << 29)}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int number = 0; number < DT_TALLY_NUMBERS; number++) {
            dt_tally tally = {0};
            tally.numbers[number].low = 100;
            dt_tally_add_term(&tally, number, cases[i].term);
            assert_true(steps_of(&tally, number) - 100 == cases[i].steps);
            assert_in_range(tally.numbers[number].low, 0, 100 + (INT64_C(1) << 32));
            assert_true(same_bits(dt_tally_value(&tally, number),
                                  (double)(cases[i].steps + 100) * 0x1p-24));
            tally.numbers[number] = (dt_exact_number){0, 0};
            assert_memory_equal(&tally, &(dt_tally){0}, sizeof tally); /* nothing else */
        }
    }
}

static void test_what_is_out_of_range_is_counted(void **state)
{
    (void)state;
    const double outside[] = {NAN, -NAN, INFINITY, -INFINITY, 0x1p38, -0x1p38, 1e300};
    dt_tally tally = {0};
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        dt_tally_add_term(&tally, (int)i % DT_TALLY_NUMBERS, outside[i]);
        assert_int_equal(tally.outside, i + 1);
        for (int number = 0; number < DT_TALLY_NUMBERS; number++)
            assert_true(steps_of(&tally, number) == 0);
        assert_int_equal(dt_tally_check(&tally), DT_DIVERGED);
    }
    dt_tally_add_term(&tally, DT_TALLY_LOSS, nextafter(0x1p38, 0));
    assert_int_equal(tally.outside, 7);
    tally.outside = 0;
    assert_int_equal(dt_tally_check(&tally), DT_OK);
}

/* Millions of the largest terms do not wrap around. */
static void test_the_most_and_largest_terms(void **state)
{
    (void)state;
    enum { TERMS = 1 << 22 };
    dt_tally tally = {0};
    const double largest = 0x1p38 - 1;
    for (int i = 0; i < TERMS; i++)
        dt_tally_add_term(&tally, DT_TALLY_LOSS, largest);
    dt_tally_add_term(&tally, DT_TALLY_WEIGHT, TERMS);
    assert_int_equal(tally.outside, 0);
    assert_true(same_bits(dt_tally_mean(&tally, DT_TALLY_LOSS), largest));
}

enum { ROWS = 4 };

/* What a loss gave of some rows, and their targets. */
static float loss[ROWS] = {0.5f, 0.25f, 2.0f, 1.25f};
static int32_t predicted[ROWS] = {0, 1, 2, 1};
static float squared[ROWS] = {4.0f, 0.25f, 9.0f, 0.75f}, absolute[ROWS] = {2.0f, 0.5f, 3.0f, 0.5f};
static const dt_loss_rows of_classes = {.loss = loss, .predicted = predicted};
static const dt_loss_rows of_values = {.loss = loss, .squared = squared, .absolute = absolute};
static const dt_target labels[ROWS] = {{.label = 0}, {.label = 1}, {.label = 1}, {.label = 1}};

static void test_rows(void **state)
{
    (void)state;
    dt_tally tally = {0};
    dt_classification.add_rows(&tally, &of_classes, labels, NULL, 2, 0);
    assert_memory_equal(&tally, &(dt_tally){0}, sizeof tally);
    dt_classification.add_rows(&tally, &of_classes, labels, NULL, 0, 3);
    dt_classification.add_rows(&tally, &of_classes, labels, NULL, 3, 1);
    assert_true(steps_of(&tally, DT_TALLY_WEIGHT) == 4 << 24);
    assert_true(steps_of(&tally, DT_TALLY_LOSS) == 4 << 24);
    assert_true(steps_of(&tally, DT_TALLY_MEASURE) == 3 << 24);
    assert_true(steps_of(&tally, DT_TALLY_MEASURE_2) == 0);
    const dt_metrics mean = dt_classification.mean(&tally, 1.0);
    assert_true(same_bits(mean.loss, 1.0));
    assert_true(same_bits(mean.accuracy, 0.75));
    assert_true(isnan(mean.rmse) && isnan(mean.mae));
}

static void test_rows_of_values(void **state)
{
    (void)state;
    dt_tally tally = {0};
    dt_regression.add_rows(&tally, &of_values, labels, NULL, 0, 4);
    dt_metrics mean = dt_regression.mean(&tally, 1.0);
    assert_true(same_bits(mean.loss, 1.0));
    assert_true(same_bits(mean.rmse, sqrt(3.5)));
    assert_true(same_bits(mean.mae, 1.5));
    assert_true(isnan(mean.accuracy));
    mean = dt_regression.mean(&tally, 10.0); /* in the target's unit; the loss is not */
    assert_true(same_bits(mean.loss, 1.0));
    assert_true(same_bits(mean.rmse, 10 * sqrt(3.5)) && same_bits(mean.mae, 15.0));
}

/* A row counts as much as its weight says: a weight of 2 is two rows, one of 0 is none. */
static void test_weights(void **state)
{
    (void)state;
    const float w[ROWS] = {2, 0.5f, 0, 1};
    dt_tally tally = {0};
    dt_classification.add_rows(&tally, &of_classes, labels, w, 0, 4);
    assert_true(steps_of(&tally, DT_TALLY_WEIGHT) == 7 << 23);
    const dt_metrics classes = dt_classification.mean(&tally, 1.0);
    assert_true(same_bits(classes.loss, (1 + 0.125 + 1.25) / 3.5));
    assert_true(same_bits(classes.accuracy, 1.0)); /* the row that is wrong weighs nothing */
    tally = (dt_tally){0};
    dt_regression.add_rows(&tally, &of_values, labels, w, 0, 3);
    dt_regression.add_rows(&tally, &of_values, labels, w, 3, 1); /* the row's own weight */
    const dt_metrics values = dt_regression.mean(&tally, 2.0);
    assert_true(same_bits(values.loss, (1 + 0.125 + 1.25) / 3.5));
    assert_true(same_bits(values.rmse, 2 * sqrt((8 + 0.125 + 0.75) / 3.5)));
    assert_true(same_bits(values.mae, 2 * ((4 + 0.25 + 0.5) / 3.5)));
    tally = (dt_tally){0};
    dt_regression.add_rows(&tally, &of_values, labels, w, 2, 1); /* weighs nothing at all */
    assert_true(isnan(dt_regression.mean(&tally, 1.0).loss));
    assert_int_equal(dt_tally_check(&tally), DT_OK);
}

/* Rounded once a shard, not once a row: many small losses are not lost. */
static void test_rows_are_added_before_rounding(void **state)
{
    (void)state;
    enum { MANY = 1 << 12 };
    static float small[MANY];
    static int32_t none[MANY];
    static dt_target y[MANY];
    for (size_t i = 0; i < MANY; i++)
        small[i] = 0x1p-30f;
    dt_tally tally = {0};
    const dt_loss_rows rows = {.loss = small, .predicted = none};
    dt_classification.add_rows(&tally, &rows, y, NULL, 0, MANY);
    assert_true(steps_of(&tally, DT_TALLY_LOSS) == MANY >> 6);
}

static void test_a_bad_row_is_seen(void **state)
{
    (void)state;
    const float bad[] = {NAN, INFINITY};
    for (size_t at = 0; at < ROWS; at++)
        for (size_t k = 0; k < 2; k++) {
            float some[] = {1, 1, 1, 1};
            dt_tally tally = {0};
            some[at] = bad[k];
            const dt_loss_rows classes = {.loss = some, .predicted = predicted};
            dt_classification.add_rows(&tally, &classes, labels, NULL, 0, ROWS);
            assert_int_equal(tally.outside, 1);
            const dt_loss_rows values = {.loss = loss, .squared = some, .absolute = absolute};
            dt_regression.add_rows(&tally, &values, labels, NULL, 0, ROWS);
            assert_int_equal(tally.outside, 2);
        }
}

/* Shards in any order and on any ranks: the same integers. */
static void test_order_does_not_matter(void **state)
{
    (void)state;
    enum { SHARDS = 50, RANKS = 7 };
    double losses[SHARDS];
    uint32_t order[SHARDS];
    dt_tally first = {0};
    dt_random random = dt_random_start(1, DT_RANDOM_EXAMPLE, 0);
    for (size_t s = 0; s < SHARDS; s++)
        losses[s] = exp(17 * dt_random_uniform(&random) - 5);
    for (int trial = 0; trial < 50; trial++) {
        dt_tally ranks[RANKS] = {0}, sum = {0};
        dt_random_permutation(&random, order, SHARDS);
        for (size_t s = 0; s < SHARDS; s++)
            dt_tally_add_term(&ranks[dt_random_below(&random, RANKS)],
                              (int)order[s] % DT_TALLY_NUMBERS, losses[order[s]]);
        for (int rank = 0; rank < RANKS; rank++)
            dt_tally_add(&sum, &ranks[rank]);
        if (trial == 0)
            first = sum;
        assert_memory_equal(&sum, &first, sizeof sum);
    }
}

static void test_no_rows(void **state)
{
    (void)state;
    const dt_tally tally = {0};
    for (int number = 0; number < DT_TALLY_NUMBERS; number++)
        assert_true(isnan(dt_tally_mean(&tally, number)));
    assert_true(isnan(dt_regression.mean(&tally, 1.0).rmse));
    assert_true(isnan(dt_classification.mean(&tally, 1.0).accuracy));
}

static void test_baseline(void **state)
{
    (void)state;
    uint64_t class_rows[] = {1, 3};
    const dt_dataset set = {.N = 4, .C = 2, .class_rows = class_rows}, none = {.C = 2};
    assert_true(same_bits(dt_metrics_baseline(&set, 0), 0.25));
    assert_true(same_bits(dt_metrics_baseline(&set, 1), 0.75));
    assert_true(isnan(dt_metrics_baseline(&none, 0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_terms_are_counted_in_steps),
        cmocka_unit_test(test_what_is_out_of_range_is_counted),
        cmocka_unit_test(test_the_most_and_largest_terms),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_rows_of_values),
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_rows_are_added_before_rounding),
        cmocka_unit_test(test_a_bad_row_is_seen),
        cmocka_unit_test(test_order_does_not_matter),
        cmocka_unit_test(test_no_rows),
        cmocka_unit_test(test_baseline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
