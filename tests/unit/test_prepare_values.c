/* rooms: data */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Targets that are values, and row weights. */
#include "table_preparing.h"

static dt_prepare_plan plan_of(const char *target, dt_targets task)
{
    dt_prepare_plan plan = plan_all();
    plan.target = target;
    plan.task = task;
    return plan;
}

/* ---- classes or values ---- */

/* Rows of `count` numbers in turn, i * step; `last` is the last row's cell, if not NULL. */
static void write_numbers(size_t rows, size_t count, double step, const char *last)
{
    table_text t = {0};
    table_add(&t, "x,kind\n");
    for (size_t i = 0; i < rows; i++)
        if (last != NULL && i + 1 == rows)
            table_add(&t, "%zu,%s\n", i * i % 7, last);
        else
            table_add(&t, "%zu,%g\n", i * i % 7, (double)(i % count) * step);
    table_write(&t);
}

static void check_guess(size_t rows, size_t count, double step, size_t classes, bool guessed)
{
    prepared p;
    const dt_prepare_plan plan = plan_of("kind", DT_TARGETS_AUTO);
    write_numbers(rows, count, step, NULL);
    prepared_make(&p, &plan);
    if (p.table->class_count != classes || p.table->guessed != guessed)
        fail_msg("%zu numbers in %zu rows: %zu classes, guessed %d", count, rows,
                 p.table->class_count, (int)p.table->guessed);
    assert_int_equal(p.table->targets != NULL, classes == 0);
    assert_int_equal(p.recipe->class_count, classes);
    prepared_clear(&p);
}

static void test_classes_or_values(void **state)
{
    (void)state;
    check_guess(100, 2, 1.0, 2, false);
    check_guess(100, 2, 0.5, 0, false); /* one number is not whole */
    check_guess(40, 20, 1.0, 20, false); /* few whole numbers are classes */
    check_guess(30, 20, 1.0, 20, false);
    check_guess(20, 19, 1.0, 19, false);
    check_guess(20, 20, 1.0, 0, false); /* no two are of a class */
    check_guess(42, 21, 1.0, 21, true); /* half of the rows: a class may be meant */
    check_guess(41, 21, 1.0, 0, false); /* more: a quantity */
    check_guess(1000, 100, 1.0, 100, true);
    check_guess(1010, 101, 1.0, 101, true);
    check_guess(1009, 101, 1.0, 0, false); /* fewer than 10 rows of each */
    check_guess(140000, 65536, 1.0, 0, false); /* fewer than 10 again */
    check_guess(70000, 70000, 1.0, 0, false);
}

static void test_tasks_asked_for(void **state)
{
    (void)state;
    prepared p;
    dt_prepare_plan plan = plan_of("kind", DT_TARGETS_VALUES);
    write_numbers(30, 2, 1.0, NULL);
    prepared_make(&p, &plan);
    assert_int_equal(p.table->class_count, 0);
    prepared_clear(&p);
    plan.task = DT_TARGETS_CLASSES;
    write_numbers(60, 30, 0.5, NULL);
    prepared_make(&p, &plan);
    assert_int_equal(p.table->class_count, 30);
    assert_false(p.table->guessed);
    prepared_clear(&p);
    write_numbers(70000, 65537, 1.0, NULL);
    check_survey_refused(&plan, DT_DATA, "has 65537 distinct values; at most 65536 can be classes");
    plan = plan_of("x,kind", DT_TARGETS_CLASSES);
    check_survey_refused(&plan, DT_USAGE,
                         "--target names 2 columns, but --task classification takes one");
}

/* ---- values ---- */

static void test_values(void **state)
{
    (void)state;
    prepared p;
    dt_prepare_plan plan = plan_of("rent, price", DT_TARGETS_AUTO);
    plan.scale = "log"; /* of inputs alone */
    plan.test = 2;
    table_write_text("price,x,rent\n1e9,1,5\n1000000001,2,-1\n1000000002.5,3,2\n7,4,7\n8,5,8\n");
    prepared_make(&p, &plan);
    assert_int_equal(p.table->T, 2);
    const dt_prepare_target *rent = &p.table->targets[0], *price = &p.table->targets[1];
    assert_string_equal(rent->name, "rent");
    assert_close(rent->mean, 2.0, 1e-15); /* of the training rows */
    assert_close(rent->deviation, sqrt(6.0), 1e-15);
    assert_close(rent->minimum, -1.0, 0);
    assert_close(rent->maximum, 5.0, 0);
    assert_close(price->mean, 1e9 + 3.5 / 3, 1e-6);
    assert_close(price->deviation, sqrt((1.0 + 6.25) / 3 - 3.5 * 3.5 / 9), 1e-6);
    assert_close(p.value_sums[0], 21.0, 0); /* the fit gives all rows' values */
    assert_close(p.value_sums[1], 3e9 + 18.5, 0);
    assert_int_equal(p.recipe->T, 2);
    assert_string_equal(p.recipe->targets[0], "rent");
    assert_string_equal(p.recipe->targets[1], "price");
    assert_int_equal(p.recipe->D, 1);
    assert_int_equal(column_of(&p, "price")->role, DT_ROLE_TARGET);
    prepared_clear(&p);
}

/* A name with a comma is one column if there is one of this name. */
static void test_names_with_commas(void **state)
{
    (void)state;
    prepared p;
    const dt_prepare_plan plan = plan_of("a,b", DT_TARGETS_AUTO);
    table_write_text("\"a,b\",a,b\n0.5,1,2\n1,2,4\n2,4,1\n");
    prepared_make(&p, &plan);
    assert_int_equal(p.table->T, 1);
    assert_int_equal(p.recipe->D, 2);
    prepared_clear(&p);
}

static void test_splits_of_values(void **state)
{
    (void)state;
    prepared p;
    dt_prepare_plan plan = plan_of("kind", DT_TARGETS_VALUES);
    plan.split_method = DT_SPLIT_STRATIFIED;
    plan.test = 0.25;
    write_numbers(100, 7, 1.5, NULL);
    prepared_make(&p, &plan);
    assert_int_equal(p.table->split_method, DT_SPLIT_RANDOM);
    assert_int_equal(p.seen[DT_TEST], 25);
    prepared_clear(&p);
    plan.split_asked = true;
    check_survey_refused(&plan, DT_USAGE,
                         "--split stratified is for classes, but the target 'kind' is values");
}

static void test_values_refused(void **state)
{
    (void)state;
    const dt_prepare_plan asked = plan_of("kind", DT_TARGETS_VALUES);
    const dt_prepare_plan both = plan_of("x,kind", DT_TARGETS_AUTO);
    dt_prepare_plan plan = plan_of("kind", DT_TARGETS_AUTO);
    write_numbers(50, 49, 0.5, "abc");
    check_survey_refused(&asked, DT_DATA,
                         "t.csv: row 50 (line 51): column 'kind': 'abc' is not a number");
    check_survey_refused(&both, DT_DATA, "row 50 (line 51): column 'kind': 'abc' is not a number");
    check_survey_refused(
        &plan, DT_DATA,
        "t.csv: row 50 (line 51): the target 'kind': 'abc' is not a number, but 49 "
        "of its 50 cells are; use --missing 'abc' --fill 'kind=drop', or --task "
        "classification");
    write_numbers(50, 49, 0.5, "?");
    check_survey_refused(
        &plan, DT_DATA,
        "t.csv: row 50 (line 51): the target 'kind' has no value here, and in 1 "
        "row in all: '?' means a missing value; use --fill 'kind=drop' to drop such rows");
    plan.fill = "kind=drop";
    prepared p;
    prepared_make(&p, &plan);
    assert_int_equal(p.table->rows, 49);
    prepared_clear(&p);
    write_numbers(50, 1, 0.5, "0.0"); /* two texts of one number */
    check_survey_refused(&asked, DT_DATA, "t.csv: every row's 'kind' is 0; there is nothing to");
    table_write_text("x,y,kind\n1,2,3\n");
    plan = plan_of("kind,y,kind", DT_TARGETS_AUTO);
    check_survey_refused(&plan, DT_USAGE, "--target names column 'kind' twice");
    plan = plan_of("kind,z", DT_TARGETS_AUTO);
    check_survey_refused(&plan, DT_DATA, "t.csv: no column 'z' among its 3");
}

/* Of all rows the values differ, of the training rows they do not. */
static void test_constant_in_training(void **state)
{
    (void)state;
    prepared p;
    dt_prepare_plan plan = plan_of("kind", DT_TARGETS_VALUES);
    plan.test = 1;
    write_numbers(50, 1, 0.5, "7.5");
    assert_int_equal(prepared_survey(&p, &plan), DT_OK);
    assert_int_equal(prepared_fit(&p), DT_DATA);
    assert_says("t.csv: the target 'kind' is 0 in every training row; there is nothing to learn");
    prepared_clear(&p);
}

static void test_values_beyond_float32(void **state)
{
    (void)state;
    prepared p;
    const dt_prepare_plan plan = plan_of("kind", DT_TARGETS_AUTO);
    write_numbers(50, 49, 0.5, "-1e39");
    assert_int_equal(prepared_survey(&p, &plan), DT_OK);
    assert_int_equal(prepared_fit(&p), DT_OK);
    assert_int_equal(prepared_apply(&p), DT_DATA);
    assert_says("t.csv: row 50 (line 51): column 'kind': '-1e39' is beyond the range of float32");
    prepared_clear(&p);
}

/* ---- weights ---- */

typedef struct weights {
    double sum;
    uint64_t rows[DT_SET_COUNT];
} weights;

static dt_status take_weight(void *context, const dt_prepare_row *row)
{
    weights *w = context;
    w->sum = 10.0 * w->sum + row->weight;
    w->rows[row->set]++;
    return DT_OK;
}

static void test_weights(void **state)
{
    (void)state;
    prepared p;
    weights w = {0};
    dt_prepare_plan plan = plan_all();
    plan.weights = "n";
    plan.test = 1;
    table_write_text("x,n,kind\n1,0.125,a\n2,0,b\n3,4,a\n");
    prepared_make(&p, &plan);
    assert_int_equal(dt_prepare_weigh(p.prepare, take_weight, &w), DT_OK);
    assert_close(w.sum, 12.5 + 4.0, 0); /* in the table's order */
    assert_int_equal(w.rows[DT_TRAIN], 2);
    assert_int_equal(w.rows[DT_TEST], 1);
    assert_string_equal(p.table->weights, "n");
    assert_string_equal(p.recipe->weights, "n");
    assert_int_equal(p.recipe->D, 1);
    assert_int_equal(recipe_column(&p, "n")->role, DT_ROLE_WEIGHTS);
    prepared_clear(&p);
}

static void check_weights_refused(const char *column, dt_status code, const char *text)
{
    char table[256] = "x,n,kind\n";
    dt_prepare_plan plan = plan_all();
    plan.weights = "n";
    for (const char *at = column; *at != '\0'; at += strcspn(at, " "), at += *at == ' ') {
        const size_t used = strlen(table);
        (void)snprintf(table + used, sizeof table - used, "%zu,%.*s,%s\n", used,
                       (int)strcspn(at, " "), at, used % 2 == 0 ? "a" : "b");
    }
    table_write_text(table);
    check_survey_refused(&plan, code, text);
}

static void test_weights_refused(void **state)
{
    (void)state;
    check_weights_refused("1 2 -0.5", DT_DATA,
                          "t.csv: row 3 (line 4): column 'n': '-0.5' is negative, which a weight "
                          "must not be");
    check_weights_refused("1 two 3", DT_DATA,
                          "t.csv: row 2 (line 3): column 'n': 'two' is not a number");
    check_weights_refused("1 inf 3", DT_DATA,
                          "t.csv: row 2 (line 3): column 'n': 'inf' is not a number");
    check_weights_refused(
        "1 NA 3", DT_DATA,
        "t.csv: row 2 (line 3): the weight 'n' has no value here, and in 1 row "
        "in all: 'NA' means a missing value; use --fill 'n=drop' to drop such rows");
    check_weights_refused("0 0 0", DT_DATA, "t.csv: the weight 'n' is 0 in every row");
    dt_prepare_plan plan = plan_all();
    plan.weights = "kind";
    check_survey_refused(&plan, DT_USAGE,
                         "column 'kind' cannot be both the target and the weights");
    plan.weights = "n";
    plan.fill = "n=mean";
    table_write_text("x,n,kind\n1,1,a\n2,2,b\n");
    check_survey_refused(&plan, DT_USAGE, "--fill: column 'n' is the weight; a row without it");
    plan = plan_all();
    plan.weights = "n";
    plan.scale = "n=log";
    check_survey_refused(&plan, DT_USAGE, "--scale: column 'n' is the weights");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_classes_or_values, scratch_empty),
        cmocka_unit_test_teardown(test_tasks_asked_for, scratch_empty),
        cmocka_unit_test_teardown(test_values, scratch_empty),
        cmocka_unit_test_teardown(test_names_with_commas, scratch_empty),
        cmocka_unit_test_teardown(test_splits_of_values, scratch_empty),
        cmocka_unit_test_teardown(test_values_refused, scratch_empty),
        cmocka_unit_test_teardown(test_constant_in_training, scratch_empty),
        cmocka_unit_test_teardown(test_values_beyond_float32, scratch_empty),
        cmocka_unit_test_teardown(test_weights, scratch_empty),
        cmocka_unit_test_teardown(test_weights_refused, scratch_empty),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
