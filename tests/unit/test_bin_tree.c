/* Edges of bins by a decision tree, in cases that can be solved by hand. tests/cli/test_bins_by.sh
 * compares the edges of larger data with a reference in NumPy. */
#include "dtrain/nn/bin_tree.h"

#include "status_checks.h"

#include <math.h>
#include <string.h>

enum { GROUPS = 8, CLASSES = 2 };

/* A group of one value, and its rows of each class or its rows and their sum. */
typedef struct group {
    float value;
    int64_t rows[CLASSES];
} group;

static void expect_edges(const dt_bin_groups *groups, size_t bins, const float *edges, size_t count)
{
    float out[DT_BINS_MAX + 1];
    size_t found = 99;
    assert_ok(dt_bin_tree_choose(out, &found, groups, bins));
    assert_int_equal(found, count);
    for (size_t i = 0; i < count; i++)
        assert_true(out[i] == edges[i]);
}

static void check_classes(const group *list, size_t count, size_t bins, const float *edges,
                          size_t edge_count)
{
    float values[GROUPS];
    int64_t sums[GROUPS][1 + CLASSES];
    assert_true(count <= GROUPS);
    for (size_t i = 0; i < count; i++) {
        values[i] = list[i].value;
        sums[i][0] = list[i].rows[0] + list[i].rows[1];
        sums[i][1] = list[i].rows[0];
        sums[i][2] = list[i].rows[1];
    }
    const dt_bin_groups groups = {
        .count = count, .K = CLASSES, .first = values, .last = values, .sums = sums[0]};
    expect_edges(&groups, bins, edges, edge_count);
}

static void check_values(const group *list, size_t count, size_t bins, const float *edges,
                         size_t edge_count)
{
    float values[GROUPS];
    int64_t sums[GROUPS][2];
    assert_true(count <= GROUPS);
    for (size_t i = 0; i < count; i++) {
        values[i] = list[i].value;
        memcpy(sums[i], list[i].rows, sizeof sums[i]);
    }
    const dt_bin_groups groups = {
        .count = count, .K = 1, .first = values, .last = values, .sums = sums[0]};
    expect_edges(&groups, bins, edges, edge_count);
}

#define EDGES(...) (const float[]){__VA_ARGS__}, sizeof((float[]){__VA_ARGS__}) / sizeof(float)

/* The classes change between 1 and 4, and that is the one threshold; nothing is left to split. */
static void test_pure_sides(void **state)
{
    (void)state;
    const group list[] = {{0.0f, {70, 0}}, {1.0f, {5, 0}}, {4.0f, {0, 30}}, {6.0f, {0, 40}}};
    check_classes(list, 4, 48, EDGES(0.0f, 2.5f, 6.0f));
}

/* Gains by hand, as l r / (l + r) * squared distance of the shares, of which there are two: before
 * 1: 100 * 300 / 400 * 2 * (1/5 - 2/3)^2 = 32 2/3; before 2: 200 * 200 / 400 * 2 * (3/10 - 4/5)^2 =
 * 50; before 3: 300 * 100 / 400 * 2 * (1/2 - 7/10)^2 = 6. Then 0 | 1 gains 100 * 100 / 200 * 2 *
 * (1/5 - 2/5)^2 = 4, and 2 | 3 gains 100 * 100 / 200 * 2 * (9/10 - 7/10)^2 = 4: of equal ones the
 * lower. */
static const group four[] = {
    {0.0f, {80, 20}}, {1.0f, {60, 40}}, {2.0f, {10, 90}}, {3.0f, {30, 70}}};

static void test_best_first(void **state)
{
    (void)state;
    check_classes(four, 4, 2, EDGES(0.0f, 1.5f, 3.0f));
    check_classes(four, 4, 3, EDGES(0.0f, 0.5f, 1.5f, 3.0f));
    check_classes(four, 4, 4, EDGES(0.0f, 0.5f, 1.5f, 2.5f, 3.0f));
    check_classes(four, 4, DT_BINS_MAX, EDGES(0.0f, 0.5f, 1.5f, 2.5f, 3.0f));
}

/* The larger gain is split first, though its leaf comes last. */
static void test_later_leaf_first(void **state)
{
    (void)state;
    const group list[] = {{0.0f, {80, 20}}, {1.0f, {70, 30}}, {2.0f, {0, 100}}, {3.0f, {30, 70}}};
    check_classes(list, 4, 3, EDGES(0.0f, 1.5f, 2.5f, 3.0f));
}

/* Both cuts of a symmetric input gain the same: the lower one counts. */
static void test_mirror_images(void **state)
{
    (void)state;
    const group list[] = {{-1.0f, {90, 7}}, {0.0f, {11, 93}}, {1.0f, {90, 7}}};
    check_classes(list, 3, 2, EDGES(-1.0f, -0.5f, 1.0f));
    check_classes(list, 3, 3, EDGES(-1.0f, -0.5f, 0.5f, 1.0f));
}

/* The best cut leaves 63 rows on one side; with one row more there it counts. */
static void test_rows_of_a_bin(void **state)
{
    (void)state;
    group list[] = {{0.0f, {63, 0}}, {1.0f, {10, 40}}, {2.0f, {0, 40}}, {3.0f, {0, 40}}};
    check_classes(list, 4, 48, EDGES(0.0f, 1.5f, 3.0f));
    list[0].rows[0] = 64;
    check_classes(list, 4, 48, EDGES(0.0f, 0.5f, 3.0f));
    const group mirrored[] = {{0.0f, {0, 80}}, {1.0f, {10, 40}}, {2.0f, {63, 0}}};
    check_classes(mirrored, 3, 48, EDGES(0.0f, 0.5f, 2.0f));
}

/* Too few rows, or targets that do not depend on the input: one bin. One value: not encoded. */
static void test_no_split(void **state)
{
    (void)state;
    const group few[] = {{0.0f, {63, 0}}, {5.0f, {0, 64}}};
    check_classes(few, 2, 48, EDGES(0.0f, 5.0f));
    const group same[] = {{0.0f, {100, 200}}, {2.0f, {700, 1400}}, {7.0f, {33, 66}}};
    check_classes(same, 3, 48, EDGES(0.0f, 7.0f));
    const group one[] = {{3.0f, {100, 200}}};
    check_classes(one, 1, 48, NULL, 0);
}

/* Means 1, 2, 10 and 4: gains before 1, 2 and 3 are 100 * 300 / 400 * (1 - 16/3)^2 = 1408 1/3,
 * 200 * 200 / 400 * (3/2 - 7)^2 = 3025 and 300 * 100 / 400 * (13/3 - 4)^2 = 8 1/3. */
static void test_values(void **state)
{
    (void)state;
    const group list[] = {
        {-8.0f, {100, 100}}, {-7.0f, {100, 200}}, {1.0f, {100, 1000}}, {2.0f, {100, 400}}};
    check_values(list, 4, 2, EDGES(-8.0f, -3.0f, 2.0f));
    check_values(list, 4, 3, EDGES(-8.0f, -3.0f, 1.5f, 2.0f));
    const group constant[] = {
        {1.0f, {100, -700}}, {2.0f, {300, -2100}}, {3.0f, {65, -455}}, {4.0f, {97, -679}}};
    check_values(constant, 4, 48, EDGES(1.0f, 4.0f));
}

/* Two targets: what one of them hides the other shows. */
static void test_two_targets(void **state)
{
    (void)state;
    float values[] = {0.0f, 1.0f, 2.0f};
    int64_t sums[] = {100, 500, -300, 100, 500, 900, 100, 520, 900};
    const dt_bin_groups groups = {
        .count = 3, .K = 2, .first = values, .last = values, .sums = sums};
    expect_edges(&groups, 2, EDGES(0.0f, 0.5f, 2.0f));
    sums[5] = -300;
    expect_edges(&groups, 2, EDGES(0.0f, 1.5f, 2.0f));
}

/* A middle that rounds to the upper value is replaced by the lower one; large values do not
 * overflow. */
static void test_thresholds(void **state)
{
    (void)state;
    const float odd = nextafterf(1.0f, 2.0f), even = nextafterf(odd, 2.0f);
    const group near[] = {{0.9999f, {64, 0}}, {odd, {64, 0}}, {even, {0, 99}}, {1.0001f, {0, 64}}};
    check_classes(near, 4, 48, EDGES(0.9999f, odd, 1.0001f));
    const group huge[] = {{1e38f, {64, 0}}, {3e38f, {0, 64}}};
    check_classes(huge, 2, 48, EDGES(1e38f, 2e38f, 3e38f));
    const group close[] = {{0.0f, {64, 0}}, {1e-7f, {0, 64}}, {2.0f, {64, 0}}};
    check_classes(close, 3, 48, EDGES(0.0f, 1.0f, 2.0f)); /* 5e-8 is left out */
}

/* ---- groups ---- */

static void test_groups_of_few_values(void **state)
{
    (void)state;
    float first[4], last[4];
    dt_bin_groups groups = {.first = first, .last = last};
    const dt_value_count values[] = {{-2.0f, 1000}, {0.0f, 1}, {0.5f, 1}, {7.0f, 3}};
    dt_bin_groups_make(&groups, values, 4, 4);
    assert_int_equal(groups.count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_true(first[i] == values[i].value && last[i] == values[i].value);
        assert_int_equal(dt_bin_groups_find(&groups, values[i].value), i);
    }
    assert_int_equal(dt_bin_groups_find(&groups, -0.0f), 1);
}

/* Twelve rows in four groups: three a group, and a frequent value ends the group it begins. */
static void test_groups_of_many_values(void **state)
{
    (void)state;
    float first[4], last[4];
    dt_bin_groups groups = {.first = first, .last = last};
    const dt_value_count values[] = {{0.0f, 1}, {1.0f, 1}, {2.0f, 6}, {3.0f, 1},
                                     {4.0f, 1}, {5.0f, 1}, {6.0f, 1}};
    dt_bin_groups_make(&groups, values, 7, 4);
    assert_int_equal(groups.count, 3);
    assert_true(first[0] == 0.0f && last[0] == 2.0f);
    assert_true(first[1] == 3.0f && last[1] == 3.0f);
    assert_true(first[2] == 4.0f && last[2] == 6.0f);
    const size_t expected[] = {0, 0, 0, 1, 2, 2, 2};
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(dt_bin_groups_find(&groups, values[i].value), expected[i]);
}

/* A threshold between groups is the middle of the neighbouring values. */
static void test_threshold_between_groups(void **state)
{
    (void)state;
    float first[] = {0.0f, 10.0f}, last[] = {4.0f, 20.0f};
    int64_t sums[] = {64, 64, 64, -64};
    const dt_bin_groups groups = {.count = 2, .K = 1, .first = first, .last = last, .sums = sums};
    expect_edges(&groups, 48, EDGES(0.0f, 7.0f, 20.0f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pure_sides),
        cmocka_unit_test(test_best_first),
        cmocka_unit_test(test_later_leaf_first),
        cmocka_unit_test(test_mirror_images),
        cmocka_unit_test(test_rows_of_a_bin),
        cmocka_unit_test(test_no_split),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_two_targets),
        cmocka_unit_test(test_thresholds),
        cmocka_unit_test(test_groups_of_few_values),
        cmocka_unit_test(test_groups_of_many_values),
        cmocka_unit_test(test_threshold_between_groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
