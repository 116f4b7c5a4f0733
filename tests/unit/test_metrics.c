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

/* What the two words of the loss make together, in steps. */
static __int128 steps_of(const dt_tally *tally)
{
    return (__int128)tally->loss_high * ((__int128)1 << 32) + tally->loss_low;
}

static void test_loss_is_counted_in_steps(void **state)
{
    (void)state;
    const struct {
        double loss;
        int64_t steps;
    } cases[] = {
        {0, 0},       {1, 1 << 24}, {-1, -(1 << 24)},
        {0x1p-24, 1}, {0x1p-26, 0}, {0x3p-25, 2}, /* halves to even */
        {0x1p-25, 0}, {0x5p-25, 2}, {0x1.fffffp25, (INT64_C(1) << 50) - (INT64_C(1) << 29)}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dt_tally tally = {.loss_low = 100};
        dt_tally_add_loss(&tally, cases[i].loss);
        assert_true(steps_of(&tally) - 100 == cases[i].steps);
        assert_true(tally.loss_low >= 0 && tally.loss_low <= 100 + (INT64_C(1) << 32));
        assert_int_equal(tally.outside, 0);
        assert_int_equal(tally.hits, 0);
    }
}

static void test_what_is_out_of_range_is_counted(void **state)
{
    (void)state;
    const double outside[] = {NAN, -NAN, INFINITY, -INFINITY, 0x1p38, -0x1p38, 1e300};
    dt_tally tally = {0};
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        dt_tally_add_loss(&tally, outside[i]);
        assert_int_equal(tally.outside, i + 1);
        assert_true(steps_of(&tally) == 0);
    }
    dt_tally_add_loss(&tally, nextafter(0x1p38, 0));
    assert_int_equal(tally.outside, 7);
}

/* Millions of the largest terms do not wrap around. */
static void test_the_most_and_largest_terms(void **state)
{
    (void)state;
    enum { TERMS = 1 << 22 };
    dt_tally tally = {0};
    const double largest = 0x1p38 - 1;
    for (int i = 0; i < TERMS; i++)
        dt_tally_add_loss(&tally, largest);
    assert_int_equal(tally.outside, 0);
    assert_true(same_bits(dt_tally_mean(&tally, TERMS).loss, largest));
}

static void test_rows(void **state)
{
    (void)state;
    const float loss[] = {0.5f, 0.25f, 2.0f, 1.25f};
    const int32_t predicted[] = {0, 1, 2, 1}, y[] = {0, 1, 1, 1};
    dt_tally tally = {0};
    dt_tally_add_rows(&tally, loss, predicted, y, 0);
    assert_true(steps_of(&tally) == 0);
    dt_tally_add_rows(&tally, loss, predicted, y, 4);
    assert_true(steps_of(&tally) == 4 << 24);
    assert_int_equal(tally.hits, 3);
    const dt_metrics mean = dt_tally_mean(&tally, 4);
    assert_true(same_bits(mean.loss, 1.0));
    assert_true(same_bits(mean.accuracy, 0.75));
}

/* Rounded once a shard, not once a row: many small losses are not lost. */
static void test_rows_are_added_before_rounding(void **state)
{
    (void)state;
    enum { ROWS = 1 << 12 };
    static float loss[ROWS];
    static int32_t predicted[ROWS], y[ROWS];
    for (size_t i = 0; i < ROWS; i++)
        loss[i] = 0x1p-30f;
    dt_tally tally = {0};
    dt_tally_add_rows(&tally, loss, predicted, y, ROWS);
    assert_true(steps_of(&tally) == ROWS >> 6);
}

static void test_a_bad_row_is_seen(void **state)
{
    (void)state;
    const int32_t labels[5] = {0};
    for (size_t at = 0; at < 5; at++) {
        float loss[] = {1, 1, 1, 1, 1};
        dt_tally tally = {0};
        loss[at] = NAN;
        dt_tally_add_rows(&tally, loss, labels, labels, 5);
        assert_int_equal(tally.outside, 1);
        loss[at] = INFINITY;
        dt_tally_add_rows(&tally, loss, labels, labels, 5);
        assert_int_equal(tally.outside, 2);
    }
}

/* Shards in any order and on any ranks: the same three integers. */
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
            dt_tally_add_loss(&ranks[dt_random_below(&random, RANKS)], losses[order[s]]);
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
    assert_true(isnan(dt_tally_mean(&tally, 0).loss));
    assert_true(isnan(dt_tally_mean(&tally, 0).accuracy));
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
        cmocka_unit_test(test_loss_is_counted_in_steps),
        cmocka_unit_test(test_what_is_out_of_range_is_counted),
        cmocka_unit_test(test_the_most_and_largest_terms),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_rows_are_added_before_rounding),
        cmocka_unit_test(test_a_bad_row_is_seen),
        cmocka_unit_test(test_order_does_not_matter),
        cmocka_unit_test(test_no_rows),
        cmocka_unit_test(test_baseline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
