/* rooms: data */
/* Splits that keep groups together, and tables in which rows stand several times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "table_preparing.h"

#include <stdio.h>
#include <string.h>

enum { GROUPS = 500, ROWS = 4000 };

static size_t group_of(size_t row)
{
    return row * row % 1009 % GROUPS;
}

/* In this order, or the other way round. */
static void write_groups(bool backwards)
{
    table_text t = {0};
    table_add(&t, "x,who,kind\n");
    for (size_t i = 0; i < ROWS; i++) {
        const size_t row = backwards ? ROWS - 1 - i : i;
        table_add(&t, "%zu,g%zu,%s\n", row, group_of(row), row % 3 == 0 ? "no" : "yes");
    }
    table_write(&t);
}

static dt_prepare_plan plan_groups(uint64_t seed)
{
    dt_prepare_plan plan = plan_all();
    plan.split_by = "who";
    plan.numeric = "x"; /* which would be dropped, since it counts the rows */
    plan.validation = 0.2;
    plan.test = 0.1;
    plan.seed = seed;
    return plan;
}

/* The set of each group; each row's must be that of its group. */
static void find_sets(int sets[GROUPS], const prepared *p, bool backwards)
{
    uint64_t rows[DT_SET_COUNT] = {0}, groups[DT_SET_COUNT] = {0};
    for (size_t g = 0; g < GROUPS; g++)
        sets[g] = -1;
    assert_int_equal(p->count, ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        const size_t group = group_of(backwards ? ROWS - 1 - i : i);
        const int set = (int)p->rows[i].set;
        rows[set]++;
        groups[set] += sets[group] < 0;
        assert_true(sets[group] < 0 || sets[group] == set);
        sets[group] = set;
    }
    assert_memory_equal(rows, p->table->set_rows, sizeof rows);
    assert_memory_equal(groups, p->table->group_counts, sizeof groups);
    assert_string_equal(p->table->split_by, "who");
}

static void test_groups(void **state)
{
    (void)state;
    int sets[3][GROUPS];
    size_t differ = 0;
    for (int i = 0; i < 3; i++) {
        prepared p;
        const dt_prepare_plan plan = plan_groups(i < 2 ? 5 : 6);
        write_groups(i == 1);
        prepared_make(&p, &plan);
        find_sets(sets[i], &p, i == 1);
        assert_int_equal(column_of(&p, "who")->role, DT_ROLE_DROPPED);
        assert_string_equal(column_of(&p, "who")->why, "keeps groups together");
        assert_int_equal(p.recipe->D, 1);
        /* Shares of groups, to four standard deviations, sqrt(n p (1 - p)). */
        const uint64_t *counts = p.table->group_counts;
        const double all = (double)(counts[0] + counts[1] + counts[2]);
        assert_close((double)counts[DT_VALIDATION], 0.2 * all, 4 * sqrt(all * 0.2 * 0.8));
        assert_close((double)counts[DT_TEST], 0.1 * all, 4 * sqrt(all * 0.1 * 0.9));
        prepared_clear(&p);
    }
    assert_memory_equal(sets[0], sets[1], sizeof sets[0]); /* whatever the order */
    for (size_t g = 0; g < GROUPS; g++)
        differ += sets[0][g] != sets[2][g];
    assert_true(differ > GROUPS / 5);
}

/* These sets stay what they are: runs are compared across versions and machines. */
static void test_known_sets(void **state)
{
    (void)state;
    prepared p;
    char sets[41] = "";
    table_text t = {0};
    table_add(&t, "x,who,kind\n");
    for (size_t i = 0; i < 40; i++)
        table_add(&t, "%zu,customer %zu,%s\n", i * 7 % 11, i, i % 2 == 0 ? "no" : "yes");
    table_write(&t);
    dt_prepare_plan plan = plan_groups(1);
    prepared_make(&p, &plan);
    for (size_t i = 0; i < 40; i++)
        sets[i] = "-vt"[p.rows[i].set];
    assert_string_equal(sets, "v-tv--v----v-----v-t-vv-v-----tt-v-----v");
    prepared_clear(&p);
}

static void test_group_as_input(void **state)
{
    (void)state;
    prepared p;
    dt_prepare_plan plan = plan_groups(5);
    plan.categorical = "who";
    plan.max_categories = 5;
    write_groups(false);
    prepared_make(&p, &plan);
    assert_int_equal(column_of(&p, "who")->role, DT_ROLE_CATEGORICAL);
    assert_int_equal(p.recipe->D, 6);
    prepared_clear(&p);
    plan = plan_groups(5); /* the id may be the group, too */
    plan.id = "who";
    assert_int_equal(prepared_survey(&p, &plan), DT_OK);
    prepared_clear(&p);
}

static void test_groups_refused(void **state)
{
    (void)state;
    dt_prepare_plan plan = plan_groups(5);
    table_write_text("x,who,kind\n1,a,no\n2,a,yes\n3,,yes\n");
    check_survey_refused(&plan, DT_DATA,
                         "t.csv: row 3 (line 4): column 'who' is empty, so the row has no group; "
                         "use --fill 'who=drop' to drop such rows");
    plan.fill = "who=drop";
    check_survey_refused(&plan, DT_DATA,
                         "none of its 2 rows is left for the validation set: 'who' has 1 group; "
                         "use a larger share, or another --seed");
    plan = plan_groups(5);
    plan.split_by = "whom";
    check_survey_refused(&plan, DT_DATA, "no column 'whom'; did you mean 'who'?");
    plan.split_by = "kind";
    check_survey_refused(&plan, DT_USAGE,
                         "--split-by takes a column of groups, but 'kind' is the target");
    plan = plan_groups(5);
    plan.test = 3;
    check_survey_refused(&plan, DT_USAGE,
                         "--test-split is 3, but with --split-by it must be a share below 1");
}

/* ---- rows that stand there several times ---- */

static void test_duplicates(void **state)
{
    (void)state;
    prepared p;
    dt_prepare_plan plan = plan_all();
    plan.drop_duplicates = true;
    plan.id = "key";
    plan.drop = "note";
    plan.fill = "kind=drop,mean,category";
    plan.weights = "w";
    table_write_text("key,x,job,note,kind,w\n"
                     "1,1,cook,a,no,1\n"
                     "2,1,cook,b,yes,1\n" /* another target */
                     "3,1.0,cook,c,no,1.0\n" /* again, as numbers are written in another way */
                     "4,1,cook,a,no,2\n" /* another weight */
                     "5,,cook,a,no,1\n" /* nothing is not 1 */
                     "6,NA,cook,a,no,1\n" /* again nothing */
                     "7,1,cook,a,,1\n" /* left out for its target */
                     "8,1,,a,no,1\n"
                     "9,1,cook,a,no,1\n"
                     "10,2,Cook,a,yes,1\n");
    prepared_make(&p, &plan);
    assert_int_equal(p.table->rows, 6);
    assert_int_equal(p.table->dropped_rows, 4);
    assert_int_equal(p.table->repeated_rows, 3);
    assert_int_equal(p.table->set_rows[DT_TRAIN], 6);
    assert_int_equal(p.table->class_rows[DT_TRAIN][0], 4);
    static const int32_t labels[] = {0, 1, 0, 0, 0, 1};
    assert_int_equal(p.count, 6);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(p.rows[i].label, labels[i]);
    assert_int_equal(column_of(&p, "x")->missing, 1);
    prepared_clear(&p);

    plan.drop_duplicates = false;
    assert_int_equal(prepared_survey(&p, &plan), DT_OK);
    assert_int_equal(p.table->rows, 9);
    assert_int_equal(p.table->repeated_rows, 0);
    prepared_clear(&p);
}

/* Columns that were dropped by themselves do not count, and stay dropped: without the repeats, `n`
 * does not count the rows any more. */
static void test_duplicates_among_dropped(void **state)
{
    (void)state;
    prepared p;
    dt_prepare_plan plan = plan_all();
    plan.drop_duplicates = true;
    plan.validation = plan.test = 0.1;
    plan.split_method = DT_SPLIT_RANDOM;
    table_text t = {0};
    table_add(&t, "n,one,x,text,kind\n");
    for (size_t i = 0; i < 200; i++)
        table_add(&t, "%zu,1,%zu.5,comment %zu,%s\n", i, i % 50 / (i < 100 ? 1 : 2), i,
                  i % 50 % 4 < 2 ? "no" : "yes");
    table_write(&t);
    prepared_make(&p, &plan);
    assert_int_equal(p.table->rows + p.table->repeated_rows, 200);
    assert_int_equal(p.table->rows, 62);
    assert_true(column_of(&p, "n")->is_counter);
    assert_true(column_of(&p, "text")->is_text);
    assert_true(column_of(&p, "one")->is_constant);
    assert_int_equal(p.recipe->D, 1);
    prepared_clear(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups),         cmocka_unit_test(test_known_sets),
        cmocka_unit_test(test_group_as_input), cmocka_unit_test(test_groups_refused),
        cmocka_unit_test(test_duplicates),     cmocka_unit_test(test_duplicates_among_dropped),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
