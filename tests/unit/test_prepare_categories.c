/* rooms: data */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Which categories of the training rows the fit keeps. */
#include "table_preparing.h"

static void write_categories(const char *letters, const char *after)
{
    table_text t = {0};
    table_add(&t, "kind,job,x\n");
    for (size_t i = 0; letters[i] != '\0'; i++)
        if (letters[i] == '_')
            table_add(&t, "%c,,%zu\n", "ab"[i % 2], i % 5);
        else
            table_add(&t, "%c,%c%s,%zu\n", "ab"[i % 2], letters[i], after, i % 5);
    table_write(&t);
}

static void check_categories(size_t most, const char *expected, const char *fill_text)
{
    prepared p;
    char text[256] = "";
    dt_prepare_plan plan = plan_all();
    plan.max_categories = most;
    plan.fill = fill_text != NULL ? "mode" : "error";
    plan.categorical = "job";
    prepared_make(&p, &plan);
    const dt_recipe_column *job = recipe_column(&p, "job");
    for (size_t i = 0; i < job->category_count; i++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s ", job->categories[i]);
    (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s", job->rare ? "+" : "");
    assert_string_equal(text, expected);
    if (fill_text != NULL)
        assert_string_equal(job->fill_text != NULL ? job->fill_text : "", fill_text);
    prepared_clear(&p);
}

/* As the OneHotEncoder(max_categories=...) of scikit-learn 1.2.1 chooses them; but where there
 * are just so many, all are kept. */
static void test_most_frequent_categories(void **state)
{
    (void)state;
    write_categories("aaabbbbbcccdeeeeefff", "");
    check_categories(2, "e +", NULL);
    check_categories(3, "b e +", NULL);
    check_categories(4, "b e f +", NULL);
    check_categories(5, "b c e f +", NULL);
    check_categories(6, "a b c d e f ", NULL);
    /* The order is that of all values, be those that are kept all numbers. */
    table_text t = {0};
    table_add(&t, "kind,x,job\n");
    static const char *const values[] = {"10", "9", "1"};
    for (size_t i = 0; i < 16; i++)
        table_add(&t, "%c,%zu,%s\n", "ab"[i % 2], i, i == 15 ? "x" : values[i % 3]);
    table_write(&t);
    check_categories(3, "10 9 +", NULL);
    check_categories(4, "1 10 9 x ", NULL);
    write_categories("9988811111223", ""); /* all are numbers */
    check_categories(9, "1 2 3 8 9 ", NULL);
    check_categories(3, "1 8 +", NULL);
}

/* The most frequent value, the first of equals: it may have been folded with the rare ones. */
static void test_mode_of_categories(void **state)
{
    (void)state;
    write_categories("ccaabbd_", "");
    check_categories(9, "a b c d ", "a");
    check_categories(3, "b c +", "");
    write_categories("cccaabbd__", "");
    check_categories(2, "c +", "c");
    write_categories("__b_ba", "x y z");
    check_categories(9, "ax y z bx y z ", "bx y z");
}

/* Values that only held-out rows have are not categories, and not counted. */
static void test_categories_of_training_rows_alone(void **state)
{
    (void)state;
    prepared p;
    dt_prepare_plan plan = plan_all();
    plan.test = 4;
    plan.max_categories = 2;
    table_write_text("x,job,kind\n1,u,a\n2,v,b\n3,v,a\n4,t,b\n5,w,a\n6,u,b\n7,u,a\n8,u,b\n");
    plan.unseen = DT_UNSEEN_ERROR;
    prepared_make(&p, &plan); /* of u, v, v, t; w in the test is a rare one */
    assert_string_equal(recipe_column(&p, "job")->categories[0], "v");
    assert_true(recipe_column(&p, "job")->rare);
    prepared_clear(&p);
    plan.max_categories = 3;
    assert_int_equal(prepared_survey(&p, &plan), DT_OK);
    assert_int_equal(prepared_fit(&p), DT_OK);
    assert_int_equal(prepared_apply(&p), DT_DATA);
    assert_says("t.csv: row 5 (line 6): column 'job': 'w' is a category that no training row has");
    assert_int_equal(p.count, 4);
    prepared_clear(&p);
    plan.unseen = DT_UNSEEN_IGNORE;
    prepared_make(&p, &plan);
    assert_int_equal(dt_prepare_unseen(p.prepare)->count, 1);
    assert_int_equal(p.recipe->unseen, DT_UNSEEN_IGNORE);
    prepared_clear(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_most_frequent_categories, scratch_empty),
        cmocka_unit_test_teardown(test_mode_of_categories, scratch_empty),
        cmocka_unit_test_teardown(test_categories_of_training_rows_alone, scratch_empty),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
