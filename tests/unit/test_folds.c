/* rooms: data */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/data/folds.h"

#include <stdbool.h>
#include <string.h>

enum { ROWS = 1003, CLASSES = 4, FOLDS_MOST = 7 };

/* Classes of 701, 201, 94 and 7 rows, dealt out. */
static int32_t label_of(size_t row)
{
    const size_t at = row * 389 % ROWS;
    return at < 701 ? 0 : at < 902 ? 1 : at < 996 ? 2 : 3;
}

static void assign(uint16_t *out, bool classes, size_t K, uint64_t seed, uint64_t repeat)
{
    int32_t labels[ROWS];
    const dt_fold_plan plan = {.K = K, .C = classes ? CLASSES : 0, .seed = seed, .repeat = repeat};
    for (size_t i = 0; i < ROWS; i++)
        labels[i] = label_of(i);
    memset(out, 0xff, ROWS * sizeof *out);
    assert_int_equal(dt_folds_assign(out, classes ? labels : NULL, ROWS, &plan), DT_OK);
}

/* Each row is in one fold; of all rows and of each class the folds have as many, or one more. */
static void test_even(void **state)
{
    uint16_t folds[ROWS];
    (void)state;
    for (int classes = 0; classes < 2; classes++)
        for (size_t K = 2; K <= FOLDS_MOST; K++) {
            size_t rows[FOLDS_MOST] = {0}, of_class[FOLDS_MOST][CLASSES] = {{0}};
            size_t all[CLASSES] = {0};
            assign(folds, classes, K, 3, 0);
            for (size_t i = 0; i < ROWS; i++) {
                assert_true(folds[i] < K);
                rows[folds[i]]++;
                of_class[folds[i]][label_of(i)]++;
                all[label_of(i)]++;
            }
            for (size_t k = 0; k < K; k++) {
                assert_in_range(rows[k], ROWS / K, ROWS / K + 1);
                for (size_t c = 0; classes && c < CLASSES; c++)
                    assert_in_range(of_class[k][c], all[c] / K, all[c] / K + 1);
            }
        }
}

static size_t count_equal(const uint16_t *a, const uint16_t *b)
{
    size_t count = 0;
    for (size_t i = 0; i < ROWS; i++)
        count += a[i] == b[i];
    return count;
}

/* The same seed and repeat give the same folds; others share no more rows than chance has. */
static void test_seeds(void **state)
{
    uint16_t first[ROWS], again[ROWS], seed[ROWS], repeat[ROWS];
    (void)state;
    assign(first, true, 5, 3, 0);
    assign(again, true, 5, 3, 0);
    assign(seed, true, 5, 4, 0);
    assign(repeat, true, 5, 3, 1);
    assert_memory_equal(first, again, sizeof first);
    assert_in_range(count_equal(first, seed), ROWS / 7, ROWS / 4);
    assert_in_range(count_equal(first, repeat), ROWS / 7, ROWS / 4);
    assert_in_range(count_equal(seed, repeat), ROWS / 7, ROWS / 4);
    /* Neighbours are not dealt in turn. */
    size_t follows = 0;
    for (size_t i = 1; i < ROWS; i++)
        follows += first[i] == (first[i - 1] + 1) % 5;
    assert_in_range(follows, ROWS / 7, ROWS / 4);
}

/* As many folds as rows: each row is held out alone. */
static void test_one_row_each(void **state)
{
    enum { FEW = 6 };
    uint16_t folds[FEW];
    unsigned seen = 0;
    const dt_fold_plan plan = {.K = FEW, .seed = 1};
    (void)state;
    assert_int_equal(dt_folds_assign(folds, NULL, FEW, &plan), DT_OK);
    for (size_t i = 0; i < FEW; i++)
        seen |= 1u << folds[i];
    assert_int_equal(seen, (1u << FEW) - 1);
}

/* No group is in two folds; the folds differ by no more rows than a group has. */
static void test_groups(void **state)
{
    enum { GROUPS = 60, LARGEST = 40 };
    uint16_t folds[ROWS], other[ROWS];
    uint64_t groups[ROWS];
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        groups[i] = i < LARGEST ? 0 : (i * 7919 + i / 13) % GROUPS;
    for (size_t K = 2; K <= FOLDS_MOST; K++) {
        size_t rows[FOLDS_MOST] = {0}, fold_of[GROUPS];
        const dt_fold_plan plan = {.K = K, .seed = 3}, again = {.K = K, .seed = 3, .repeat = 1};
        for (size_t g = 0; g < GROUPS; g++)
            fold_of[g] = SIZE_MAX;
        assert_int_equal(dt_folds_assign_groups(folds, groups, ROWS, GROUPS, &plan), DT_OK);
        for (size_t i = 0; i < ROWS; i++) {
            assert_true(folds[i] < K);
            assert_true(fold_of[groups[i]] == SIZE_MAX || fold_of[groups[i]] == folds[i]);
            fold_of[groups[i]] = folds[i];
            rows[folds[i]]++;
        }
        for (size_t k = 0; k < K; k++)
            assert_in_range(rows[k], ROWS / K - LARGEST, ROWS / K + LARGEST);
        assert_int_equal(dt_folds_assign_groups(other, groups, ROWS, GROUPS, &again), DT_OK);
        assert_true(memcmp(folds, other, sizeof folds) != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_even),
        cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_one_row_each),
        cmocka_unit_test(test_groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
