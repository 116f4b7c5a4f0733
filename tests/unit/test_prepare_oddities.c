/* rooms: data */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Cells of numeric columns that are no numbers, or mean something else. */
#include "table_preparing.h"

#include <stdio.h>
#include <string.h>

/* 60 rows: column `a` counts modulo `numbers` in halves, and each third cell is one of `texts`. */
static void write_texts(size_t numbers, const char *const *texts, size_t count)
{
    table_text t = {0};
    char number[16];
    table_add(&t, "a,b,kind\n");
    for (size_t i = 0; i < 60; i++) {
        (void)snprintf(number, sizeof number, "%g", 0.5 * (double)(i % numbers));
        table_add(&t, "%s,%zu,%s\n", i % 3 == 0 ? texts[i / 3 % count] : number, i * i % 7,
                  i % 2 ? "no" : "yes");
    }
    table_write(&t);
}

static void check_categories(const dt_prepare_plan *plan)
{
    prepared p;
    if (prepared_survey(&p, plan) != DT_OK)
        fail_msg("%s", dt_status_text());
    assert_int_equal(column_of(&p, "a")->role, DT_ROLE_CATEGORICAL);
    prepared_clear(&p);
}

/* However often they occur, unless there are few numbers, or many texts. */
static void test_markers(void **state)
{
    (void)state;
    static const char *const marks[] = {"?", "-", "\\N", "unknown"};
    static const char *const words[] = {"low", "high", "mid", "none yet"};
    dt_prepare_plan plan = plan_all();
    plan.missing = "";
    write_texts(7, marks, 1);
    check_survey_refused(&plan, DT_DATA,
                         "t.csv: row 1 (line 2): column 'a': '?' is not a number, but 40 of its 60 "
                         "cells are; use --missing '?' --fill median, --categorical or --drop");
    write_texts(7, marks, 3);
    check_survey_refused(&plan, DT_DATA, "use --missing '?,-,\\N' --fill median");
    plan.missing = "?,-,\\N";
    plan.fill = "median";
    prepared p;
    prepared_make(&p, &plan);
    assert_int_equal(column_of(&p, "a")->role, DT_ROLE_NUMERIC);
    prepared_clear(&p);
    plan.missing = plan.fill = "";
    write_texts(7, marks, 4);
    check_categories(&plan);
    write_texts(4, marks, 1);
    check_categories(&plan);
    write_texts(40, words, 3);
    check_survey_refused(&plan, DT_DATA, "use --missing 'low,high,mid' --fill median");
    write_texts(12, words, 3);
    check_categories(&plan);
    write_texts(40, words, 4);
    check_categories(&plan);
}

/* Of columns that must be numbers all texts are named, and what mends the table. */
static void test_texts_of_asked_numbers(void **state)
{
    (void)state;
    static const char *const words[] = {"low", "high", "mid"};
    dt_prepare_plan plan = plan_all();
    plan.numeric = "a";
    write_texts(12, words, 3);
    check_survey_refused(
        &plan, DT_DATA,
        "t.csv: row 1 (line 2): column 'a': 'low' is not a number, but 40 of its 60 "
        "cells are; use --missing 'low,high,mid' --fill median, or leave it out "
        "of --numeric");
    plan.numeric = "";
    plan.target = "a";
    plan.task = DT_TARGETS_VALUES;
    check_survey_refused(&plan, DT_DATA,
                         "use --missing 'low,high,mid' --fill 'a=drop', or correct the table");
    plan.missing = "low,high,mid";
    plan.fill = "a=drop";
    prepared p;
    prepared_make(&p, &plan);
    assert_int_equal(p.table->dropped_rows, 20);
    prepared_clear(&p);
}

/* Without its texts, such a column would have no row. */
static void test_texts_alone(void **state)
{
    (void)state;
    static const char *const words[] = {"low", "high", "mid"};
    dt_prepare_plan plan = plan_all();
    plan.numeric = "kind";
    plan.target = "b";
    write_texts(12, words, 3);
    check_survey_refused(&plan, DT_DATA,
                         "t.csv: row 1 (line 2): column 'kind': 'yes' is not a number, and none of "
                         "the column's 60 cells is a number; leave it out of --numeric");
    plan.numeric = "";
    plan.target = "kind";
    plan.task = DT_TARGETS_VALUES;
    check_survey_refused(&plan, DT_DATA, "texts are classes: use --task classification");
    plan.target = "kind,b";
    plan.task = DT_TARGETS_AUTO;
    check_survey_refused(&plan, DT_DATA, "texts are classes: name no other target");
}

/* 100 rows of 0 to 9 times `step`, of which `count` are `sentinel`. */
static const dt_prepare_column *find_among(prepared *p, const char *sentinel, size_t count,
                                           int step)
{
    const dt_prepare_plan plan = plan_all();
    table_text t = {0};
    table_add(&t, "a,kind\n");
    for (size_t i = 0; i < 100; i++)
        if (i < count)
            table_add(&t, "%s,%s\n", sentinel, i % 2 ? "no" : "yes");
        else
            table_add(&t, "%d,%s\n", (int)(i % 10) * step, i % 2 ? "no" : "yes");
    table_write(&t);
    if (prepared_survey(p, &plan) != DT_OK)
        fail_msg("%s", dt_status_text());
    return column_of(p, "a");
}

static const dt_prepare_column *find_sentinel(prepared *p, const char *sentinel, size_t count)
{
    return find_among(p, sentinel, count, 1);
}

static void test_sentinels(void **state)
{
    (void)state;
    static const char *const found[] = {"-999", "99", "9999", "-99", "-9999.0", "99999"};
    static const char *const usual[] = {"-1", "15", "-9", "998", "1000"};
    prepared p;
    for (size_t i = 0; i < sizeof found / sizeof *found; i++) {
        const dt_prepare_column *column = find_sentinel(&p, found[i], 3);
        if (column->sentinel == NULL)
            fail_msg("'%s' is not found", found[i]);
        assert_string_equal(column->sentinel, found[i]);
        assert_int_equal(column->sentinel_cells, 3);
        prepared_clear(&p);
        assert_null(find_sentinel(&p, found[i], 2)->sentinel);
        prepared_clear(&p);
    }
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        assert_null(find_sentinel(&p, usual[i], 5)->sentinel);
        prepared_clear(&p);
    }
}

/* Nearer to the others than their range, but the only negative number. */
static void test_negative_sentinels(void **state)
{
    (void)state;
    prepared p;
    const dt_prepare_column *column = find_among(&p, "-999", 3, 300);
    assert_non_null(column->sentinel);
    assert_string_equal(column->sentinel, "-999");
    prepared_clear(&p);
    assert_null(find_among(&p, "-999", 2, 300)->sentinel);
    prepared_clear(&p);
    assert_null(find_among(&p, "999", 3, 300)->sentinel);
    prepared_clear(&p);
    assert_null(find_among(&p, "999", 3, -300)->sentinel); /* the only positive one may be one */
    prepared_clear(&p);
    assert_null(find_among(&p, "-999", 3, -300)->sentinel);
    prepared_clear(&p);
}

static void test_leading_zeros(void **state)
{
    (void)state;
    static const struct {
        const char *cells, *shown;
    } tables[] = {{"10115,no\n01067,yes\n80331,no\n", "01067"},
                  {"1,no\n007,yes\n12,no\n", "007"},
                  {"01,no\n12,yes\n00,no\n", ""},
                  {"0.125,no\n0,yes\n100,no\n", ""}};
    const dt_prepare_plan plan = plan_all();
    prepared p;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        char text[128];
        (void)snprintf(text, sizeof text, "a,kind\n%s", tables[i].cells);
        table_write_text(text);
        assert_int_equal(prepared_survey(&p, &plan), DT_OK);
        assert_string_equal(column_of(&p, "a")->zeros, tables[i].shown);
        prepared_clear(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_markers),
        cmocka_unit_test(test_texts_of_asked_numbers),
        cmocka_unit_test(test_texts_alone),
        cmocka_unit_test(test_sentinels),
        cmocka_unit_test(test_negative_sentinels),
        cmocka_unit_test(test_leading_zeros),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
