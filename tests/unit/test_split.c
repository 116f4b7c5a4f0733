/* rooms: data */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/data/split.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 1000, CLASSES = 5 };

static const uint64_t class_rows[CLASSES] = {600, 300, 97, 2, 1};

/* The rows sorted by class, as the files that people have; or dealt out. */
static size_t sorted_label(size_t row)
{
    return row < 600 ? 0 : row < 900 ? 1 : row < 997 ? 2 : row < 999 ? 3 : 4;
}

static size_t mixed_label(size_t row)
{
    return sorted_label(row * 389 % ROWS);
}

static dt_split *start(double validation, double test, uint64_t seed)
{
    dt_split *split = NULL;
    assert_int_equal(dt_split_new(&split, class_rows, CLASSES, validation, test, seed), DT_OK);
    return split;
}

/* Assigns all rows; counts[p][c] are the rows of class c in set p. */
static void assign(dt_split *split, size_t (*label_of)(size_t), dt_set *sets,
                   uint64_t counts[DT_SET_COUNT][CLASSES])
{
    memset(counts, 0, sizeof(uint64_t[DT_SET_COUNT][CLASSES]));
    for (size_t row = 0; row < ROWS; row++) {
        const size_t label = label_of(row);
        sets[row] = dt_split_assign(split, label);
        assert_true(sets[row] < DT_SET_COUNT);
        assert_int_equal(dt_split_set_of(split, row), sets[row]);
        counts[sets[row]][label]++;
    }
    for (size_t row = 0; row < ROWS; row++)
        assert_int_equal(dt_split_set_of(split, row), sets[row]);
}

static void check_counts(double validation, double test, size_t (*label_of)(size_t))
{
    dt_set sets[ROWS];
    uint64_t counts[DT_SET_COUNT][CLASSES], expected[DT_SET_COUNT][CLASSES];
    uint64_t all[DT_SET_COUNT] = {0};
    dt_split *split = start(validation, test, 3);
    for (int p = 0; p < DT_SET_COUNT; p++)
        for (size_t c = 0; c < CLASSES; c++)
            expected[p][c] = dt_split_rows(split, (dt_set)p, c);
    assign(split, label_of, sets, counts);
    for (size_t c = 0; c < CLASSES; c++) {
        const double rows = (double)class_rows[c];
        assert_int_equal(expected[0][c] + expected[1][c] + expected[2][c], class_rows[c]);
        assert_true(expected[DT_TRAIN][c] >= 1);
        /* Rounded down or up, but for the row that training keeps. */
        if (class_rows[c] > 10) {
            assert_true(fabs((double)expected[DT_VALIDATION][c] - rows * validation) < 1.0);
            assert_true(fabs((double)expected[DT_TEST][c] - rows * test) < 1.0);
        }
        all[DT_VALIDATION] += expected[DT_VALIDATION][c];
        all[DT_TEST] += expected[DT_TEST][c];
    }
    /* All together to the nearest, but for the rows that the two smallest classes keep. */
    assert_in_range((uint64_t)floor(ROWS * validation + 0.5) - all[DT_VALIDATION], 0, 2);
    assert_in_range((uint64_t)floor(ROWS * test + 0.5) - all[DT_TEST], 0, 2);
    assert_memory_equal(counts, expected, sizeof counts);
    dt_split_free(split);
}

static void test_counts_are_exact(void **state)
{
    (void)state;
    check_counts(0.1, 0.1, sorted_label);
    check_counts(0.1, 0.1, mixed_label);
    check_counts(0.25, 0.0, sorted_label);
    check_counts(0.0, 0.3, mixed_label);
    check_counts(0.45, 0.45, sorted_label);
    check_counts(0.0, 0.0, sorted_label);
    check_counts(0.9, 0.09, sorted_label);
}

/* Many classes, whose shares are all fractions: the total is exact nevertheless. */
static void test_the_total_is_exact(void **state)
{
    (void)state;
    enum { MANY = 40, EACH = 25 };
    uint64_t rows[MANY];
    for (size_t c = 0; c < MANY; c++)
        rows[c] = EACH;
    dt_split *split = NULL;
    assert_int_equal(dt_split_new(&split, rows, MANY, 0.1, 123.0 / (MANY * EACH), 1), DT_OK);
    uint64_t validation = 0, test = 0;
    for (size_t c = 0; c < MANY; c++) {
        validation += dt_split_rows(split, DT_VALIDATION, c);
        test += dt_split_rows(split, DT_TEST, c);
    }
    assert_int_equal(validation, 100);
    assert_int_equal(test, 123);
    dt_split_free(split);
}

static void test_small_classes_stay_in_training(void **state)
{
    (void)state;
    for (uint64_t rows = 0; rows <= 4; rows++) {
        dt_split *split = NULL;
        assert_int_equal(dt_split_new(&split, &rows, 1, 0.5, 0.49, 1), DT_OK);
        const uint64_t kept = dt_split_rows(split, DT_TRAIN, 0);
        assert_true(rows == 0 ? kept == 0 : kept >= 1);
        uint64_t trained = 0;
        for (uint64_t row = 0; row < rows; row++)
            trained += dt_split_assign(split, 0) == DT_TRAIN;
        assert_int_equal(trained, kept);
        dt_split_free(split);
    }
}

static void test_the_seed_decides(void **state)
{
    (void)state;
    dt_set a[ROWS], b[ROWS], other[ROWS];
    uint64_t counts[DT_SET_COUNT][CLASSES], other_counts[DT_SET_COUNT][CLASSES];
    dt_split *split = start(0.2, 0.2, 1);
    assign(split, mixed_label, a, counts);
    dt_split_free(split);
    split = start(0.2, 0.2, 1);
    assign(split, mixed_label, b, counts);
    dt_split_free(split);
    split = start(0.2, 0.2, 2);
    assign(split, mixed_label, other, other_counts);
    dt_split_free(split);
    assert_memory_equal(a, b, sizeof a);
    assert_memory_equal(counts, other_counts, sizeof counts);
    size_t moved = 0;
    for (size_t row = 0; row < ROWS; row++)
        moved += a[row] != other[row];
    /* Two draws that know nothing of each other differ in 1 - (.6^2 + .2^2 + .2^2) of the rows. */
    assert_in_range(moved, 480, 640);
}

/* A class's row goes where it goes because of its own class alone: how they mix is no matter. */
static void test_the_order_of_other_classes_does_not_matter(void **state)
{
    (void)state;
    dt_set sorted[ROWS], mixed[ROWS];
    uint64_t counts[DT_SET_COUNT][CLASSES];
    dt_split *split = start(0.2, 0.2, 1);
    assign(split, sorted_label, sorted, counts);
    dt_split_free(split);
    split = start(0.2, 0.2, 1);
    assign(split, mixed_label, mixed, counts);
    dt_split_free(split);
    for (size_t c = 0; c < CLASSES; c++) {
        size_t next = 0;
        for (size_t row = 0; row < ROWS; row++) {
            if (mixed_label(row) != c)
                continue;
            while (sorted_label(next) != c)
                next++;
            assert_int_equal(mixed[row], sorted[next++]);
        }
    }
}

/* Every row of a class has the same chance: the held-out rows lie all over the file. */
static void test_every_row_has_its_chance(void **state)
{
    (void)state;
    enum { SEEDS = 400 };
    uint64_t held_out[ROWS] = {0}, counts[DT_SET_COUNT][CLASSES];
    dt_set sets[ROWS];
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        dt_split *split = start(0.25, 0.25, seed);
        assign(split, sorted_label, sets, counts);
        for (size_t row = 0; row < ROWS; row++)
            held_out[row] += sets[row] != DT_TRAIN;
        dt_split_free(split);
    }
    for (size_t row = 0; row < 900; row++) /* half of them, within six standard deviations */
        assert_in_range(held_out[row], 200 - 60, 200 + 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_are_exact),
        cmocka_unit_test(test_the_total_is_exact),
        cmocka_unit_test(test_small_classes_stay_in_training),
        cmocka_unit_test(test_the_seed_decides),
        cmocka_unit_test(test_the_order_of_other_classes_does_not_matter),
        cmocka_unit_test(test_every_row_has_its_chance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
