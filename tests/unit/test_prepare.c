/* rooms: data */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* What the survey finds and decides. */
#include "same_bits.h"
#include "table_preparing.h"

static const char *kind_of(size_t row)
{
    return row % 3 == 0 ? "yes" : "no";
}

/* ---- roles ---- */

/* Sixty rows: a counter from 5 on, texts of which no two are the same, ages, jobs, a rate that is
 * missing in each tenth row, numbers that are all different. */
static void write_sixty(void)
{
    static const char *const jobs[] = {"pilot", "cook", "baker"};
    table_text t = {0};
    table_add(&t, "id,code,age,job,kind,rate,price\n");
    for (size_t i = 0; i < 60; i++) {
        table_add(&t, "%zu,c%02zu,%zu,%s,%s,", i + 5, i, 20 + i % 7, jobs[i % 3], kind_of(i / 2));
        table_add(&t, i % 10 == 3 ? "NA," : "%g,", (double)(i % 4) - 1.5);
        table_add(&t, "%g\n", (double)i * (double)i / 8 - 3);
    }
    table_write(&t);
}

static void check_column(const prepared *p, const char *name, dt_role role, const char *why,
                         uint64_t distinct, uint64_t missing)
{
    const dt_prepare_column *column = column_of(p, name);
    if (column->role != role || strcmp(column->why, why) != 0)
        fail_msg("%s: role %d, '%s'; expected %d, '%s'", name, (int)column->role, column->why,
                 (int)role, why);
    assert_int_equal(column->distinct, distinct);
    assert_false(column->distinct_is_more);
    assert_int_equal(column->missing, missing);
}

static void test_roles(void **state)
{
    (void)state;
    prepared p;
    dt_prepare_plan plan = plan_all();
    plan.fill = "mean";
    plan.max_categories = 50;
    write_sixty();
    if (prepared_survey(&p, &plan) != DT_OK)
        fail_msg("%s", dt_status_text());
    assert_int_equal(p.table->column_count, 7);
    assert_int_equal(p.table->rows, 60);
    assert_int_equal(p.table->dropped_rows, 0);
    check_column(&p, "id", DT_ROLE_DROPPED, "counts the rows", 60, 0);
    check_column(&p, "code", DT_ROLE_DROPPED, "no two are the same", 60, 0);
    check_column(&p, "age", DT_ROLE_NUMERIC, "", 7, 0);
    check_column(&p, "job", DT_ROLE_CATEGORICAL, "", 3, 0);
    check_column(&p, "kind", DT_ROLE_TARGET, "", 2, 0);
    check_column(&p, "rate", DT_ROLE_NUMERIC, "", 4, 6);
    check_column(&p, "price", DT_ROLE_NUMERIC, "", 60, 0);
    const dt_prepare_column *price = column_of(&p, "price"), *job = column_of(&p, "job");
    assert_true(price->number_cells > 0 && price->text_cells == 0 && job->number_cells == 0);
    assert_close(price->minimum, -3, 0);
    assert_close(price->maximum, 59.0 * 59 / 8 - 3, 1e-3);
    assert_null(price->first);
    assert_string_equal(job->first, "baker");
    assert_string_equal(job->last, "pilot");
    assert_string_equal(column_of(&p, "code")->last, "c59");
    assert_int_equal(p.table->class_count, 2);
    assert_string_equal(p.table->classes[0], "no");
    assert_string_equal(p.table->classes[1], "yes");
    prepared_clear(&p);
}

static void test_roles_asked_for(void **state)
{
    (void)state;
    prepared p;
    dt_prepare_plan plan = plan_all();
    plan.fill = "mean";
    plan.numeric = "id";
    plan.categorical = " age ,code";
    plan.drop = "rate,,price,";
    write_sixty();
    if (prepared_survey(&p, &plan) != DT_OK)
        fail_msg("%s", dt_status_text());
    check_column(&p, "id", DT_ROLE_NUMERIC, "", 60, 0);
    check_column(&p, "age", DT_ROLE_CATEGORICAL, "", 7, 0);
    check_column(&p, "code", DT_ROLE_CATEGORICAL, "", 60, 0);
    check_column(&p, "rate", DT_ROLE_DROPPED, "", 0, 0); /* is not looked at */
    check_column(&p, "price", DT_ROLE_DROPPED, "", 0, 0);
    assert_int_equal(prepared_fit(&p), DT_OK);
    assert_int_equal(p.recipe->D, 1 + 7 + 60 + 3);
    prepared_clear(&p);
    plan = plan_all();
    plan.numeric = "job";
    check_survey_refused(&plan, DT_DATA,
                         "t.csv: row 1 (line 2): column 'job': 'pilot' is not a number");
}

/* The shortest table that shows it, and one row less. */
static void test_limits_of_counters(void **state)
{
    (void)state;
    dt_prepare_plan plan = plan_all();
    plan.max_categories = 31;
    for (size_t rows = 31; rows <= 32; rows++) {
        prepared p;
        table_text t = {0};
        table_add(&t, "id,gap,back,kind,x\n");
        for (size_t i = 0; i < rows; i++)
            table_add(&t, "%zu,%zu,%d,%s,%zu\n", i + 1, i + (i > 20), 50 - (int)i, kind_of(i),
                      i % 5);
        table_write(&t);
        if (prepared_survey(&p, &plan) != DT_OK)
            fail_msg("%s", dt_status_text());
        assert_int_equal(column_of(&p, "id")->role, rows < 32 ? DT_ROLE_NUMERIC : DT_ROLE_DROPPED);
        assert_int_equal(column_of(&p, "gap")->role, DT_ROLE_NUMERIC);
        assert_int_equal(column_of(&p, "back")->role, DT_ROLE_NUMERIC);
        prepared_clear(&p);
    }
}

/* A number that counts on behind a cell that holds nothing counts something else. */
static void test_counters_with_holes(void **state)
{
    (void)state;
    prepared p;
    dt_prepare_plan plan = plan_all();
    plan.fill = "mean";
    table_text t = {0};
    table_add(&t, "a,b,kind\n");
    for (int i = 0; i < 40; i++)
        if (i == 20)
            table_add(&t, "NA,%d,%s\n", i + 1, kind_of((size_t)i));
        else
            table_add(&t, "%d,%d,%s\n", i < 20 ? i : i - 1, i + 1, kind_of((size_t)i));
    table_write(&t);
    if (prepared_survey(&p, &plan) != DT_OK)
        fail_msg("%s", dt_status_text());
    check_column(&p, "a", DT_ROLE_NUMERIC, "", 39, 1);
    check_column(&p, "b", DT_ROLE_DROPPED, "counts the rows", 40, 0);
    prepared_clear(&p);
}

/* `texts` of `rows` cells are no numbers. */
static void write_mixed(size_t rows, size_t texts)
{
    table_text t = {0};
    table_add(&t, "a,b,kind\n");
    for (size_t i = 0; i < rows; i++)
        table_add(&t, i >= 3 && i < 3 + texts ? "old,%zu,%s\n" : "4%zu,1,%s\n", i % 3, kind_of(i));
    table_write(&t);
}

static void test_mixed_columns(void **state)
{
    (void)state;
    prepared p;
    dt_prepare_plan plan = plan_all();
    write_mixed(40, 2);
    check_survey_refused(
        &plan, DT_DATA,
        "t.csv: row 4 (line 5): column 'a': 'old' is not a number, but 38 of its 40 "
        "cells are; use --missing 'old' --fill median, --categorical or --drop");
    static const size_t right[][2] = {{40, 4}, {20, 2}, {10, 1}, {11, 2}, {39, 4}};
    for (size_t i = 0; i < 5; i++) {
        write_mixed(right[i][0], right[i][1]);
        if (prepared_survey(&p, &plan) != DT_OK)
            fail_msg("%s", dt_status_text());
        assert_int_equal(column_of(&p, "a")->role, DT_ROLE_CATEGORICAL);
        assert_true(column_of(&p, "a")->text_cells > 0);
        prepared_clear(&p);
    }
    static const size_t wrong[][2] = {{41, 4}, {11, 1}, {19, 1}, {29, 2}};
    for (size_t i = 0; i < 4; i++) {
        write_mixed(wrong[i][0], wrong[i][1]);
        check_survey_refused(&plan, DT_DATA, "'old' is not a number");
    }
    /* What is asked for settles it. */
    write_mixed(40, 2);
    plan.categorical = "a";
    assert_int_equal(prepared_survey(&p, &plan), DT_OK);
    prepared_clear(&p);
    plan.categorical = "";
    plan.missing = "NA,old";
    plan.fill = "median";
    assert_int_equal(prepared_survey(&p, &plan), DT_OK);
    assert_int_equal(column_of(&p, "a")->missing, 2);
    assert_int_equal(column_of(&p, "a")->role, DT_ROLE_NUMERIC);
    prepared_clear(&p);
}

/* Distinct numbers are counted to 10,000; texts of more than that are kept. */
static void test_many_distinct_values(void **state)
{
    (void)state;
    prepared p;
    dt_prepare_plan plan = plan_all();
    table_text t = {0};
    table_add(&t, "exact,more,text,kind\n");
    for (size_t i = 0; i < 20002; i++)
        table_add(&t, "%zu,%zu,n%zu,%s\n", i % 10000 * 2, i % 10001 * 2, i % 15000, kind_of(i));
    table_write(&t);
    if (prepared_survey(&p, &plan) != DT_OK)
        fail_msg("%s", dt_status_text());
    assert_int_equal(column_of(&p, "exact")->distinct, 10000);
    assert_false(column_of(&p, "exact")->distinct_is_more);
    assert_int_equal(column_of(&p, "more")->distinct, 10000);
    assert_true(column_of(&p, "more")->distinct_is_more);
    assert_close(column_of(&p, "more")->maximum, 20000, 0);
    assert_int_equal(column_of(&p, "text")->distinct, 15000);
    assert_string_equal(column_of(&p, "text")->last, "n9999");
    prepared_clear(&p);
}

/* ---- the target ---- */

static void check_classes(const char *column, const char *expected)
{
    prepared p;
    char text[512] = "";
    const dt_prepare_plan plan = plan_all();
    table_text t = {0};
    table_add(&t, "x,kind\n");
    for (const char *at = column; *at != '\0'; at += strcspn(at, " "), at += *at == ' ')
        table_add(&t, "%d,%.*s\n", (int)(at - column), (int)strcspn(at, " "), at);
    table_write(&t);
    if (prepared_survey(&p, &plan) != DT_OK)
        fail_msg("%s", dt_status_text());
    for (size_t i = 0; i < p.table->class_count; i++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i > 0 ? " " : "",
                       p.table->classes[i]);
    assert_string_equal(text, expected);
    prepared_clear(&p);
}

static void test_classes_in_order(void **state)
{
    (void)state;
    check_classes("yes no yes no", "no yes");
    check_classes("10 9 -1 2 10", "-1 2 9 10"); /* numbers as numbers */
    check_classes("10 9 x 2", "10 2 9 x"); /* but all or none */
    check_classes("0.5 1.5 a a", "0.5 1.5 a");
    check_classes("b B a A", "A B a b");
    check_classes("ä z a", "a z ä"); /* byte by byte */
}

static void test_targets_refused(void **state)
{
    (void)state;
    const dt_prepare_plan plan = plan_all();
    table_write_text("x,kind\n1,a\n2,a\n3,a\n");
    check_survey_refused(&plan, DT_DATA, "t.csv: every row's 'kind' is 'a'");
    table_write_text("x,kind\n1,a\n2,b\n3,?\n");
    check_survey_refused(
        &plan, DT_DATA,
        "t.csv: row 3 (line 4): the target 'kind' has no value here, and in 1 row "
        "in all: '?' means a missing value; use --fill 'kind=drop' to drop such rows");
    dt_prepare_plan usual = plan_all();
    usual.missing = "";
    usual.missing_only = NULL; /* the texts that are usual */
    table_write_text("x,kind\n1,a\n2,\n3,None\n4,b\n5,None\n");
    check_survey_refused(&usual, DT_DATA,
                         "t.csv: row 3 (line 4): the target 'kind' has no value here, and in 3 "
                         "rows in all: 'None' means a missing value; use --fill 'kind=drop' to "
                         "drop such rows, --missing-only '' --fill 'kind=drop' makes it a class");
    table_write_text("x,y,kind\n1,NA,a\n2,N/A,None\n3,1,b\n4,2,b\n");
    check_survey_refused(&usual, DT_DATA,
                         "to drop such rows, --missing-only 'NA,N/A' makes it a class");
    usual.missing_only = "NA,N/A";
    usual.fill = "mean";
    prepared q;
    assert_int_equal(prepared_survey(&q, &usual), DT_OK);
    assert_int_equal(q.table->class_count, 3);
    prepared_clear(&q);
    usual.missing_only = NULL;
    table_write_text("x,y,kind\n1,NA,a\n2,N/A,None\n3,None,b\n4,2,b\n");
    check_survey_refused(&usual, DT_DATA, "use --fill 'kind=drop' to drop such rows");
    assert_null(strstr(dt_status_text(), "missing-only")); /* y has it, too */
    usual.fill = "";
    table_write_text("x,land,kind\n1,NA,a\n2,DE,a\n3,FR,b\n4,NA,b\n");
    check_survey_refused(&usual, DT_DATA,
                         "column 'land' has no value here, and in 2 cells in all: 'NA' means a "
                         "missing value; use --fill with one of drop, mode, category; "
                         "--missing-only '' makes it a category");
    table_text t = {0};
    table_add(&t, "x,kind\n");
    for (size_t i = 0; i < 21; i++)
        table_add(&t, "%zu,n%zu\n", i % 4, i);
    table_write(&t);
    check_survey_refused(&plan, DT_DATA,
                         "t.csv: the target 'kind' has 21 distinct values in 21 rows; use --task "
                         "classification if they are classes");
    table_write_text("x,y\n1,a\n2,b\n");
    check_survey_refused(&plan, DT_DATA, "t.csv: no column 'kind' among its 2");
    table_write_text("x,kid\n1,a\n2,b\n");
    check_survey_refused(&plan, DT_DATA, "t.csv: no column 'kind'; did you mean 'kid'?");
    table_write_text("kind\na\nb\n");
    check_survey_refused(&plan, DT_DATA, "no column except the target 'kind' is left");
}

/* Distinct texts that are one number. */
static void test_targets_twice(void **state)
{
    (void)state;
    const dt_prepare_plan plan = plan_all();
    table_write_text("x,kind\n1,other\n2,01\n3,2\n4,1e0\n"); /* among texts as well */
    check_survey_refused(&plan, DT_DATA,
                         "t.csv: the target 'kind' has both '01' and '1e0', which are the same "
                         "number but would be two classes; use one spelling");
    table_write_text("x,kind\n1,0\n2,1\n3,1.0\n4,true\n"); /* which of the two is 1.0? */
    check_survey_refused(&plan, DT_DATA, "has both '1' and '1.0'");
    table_write_text("x,kind\n1,1\n2,1.0\n3,1\n");
    check_survey_refused(&plan, DT_DATA, "every row's 'kind' is '1'; there is nothing to learn");
    check_classes("0 1 1.0 1 +2.0 2 2", "0 1 +2.0");
    check_classes("0 1 -0 1.0 1", "-0 1");
    check_classes("10 x 1.0 1 10.0 1.00", "1 10 x"); /* they need not be neighbours */
    check_classes("12345678901234567890 12345678901234567891",
                  "12345678901234567890 12345678901234567891"); /* no double tells them apart */
    check_classes("1 1.5 v1 V1 v1.0", "1 1.5 V1 v1 v1.0");
}

/* ---- cells and columns refused ---- */

static void test_missing_cells(void **state)
{
    (void)state;
    dt_prepare_plan plan = plan_all();
    table_write_text("x,job,kind\n1,a,no\n2,,yes\n,b,no\nNA,a,yes\n5,b,no\n");
    check_survey_refused(
        &plan, DT_DATA,
        "t.csv: row 4 (line 5): column 'x' has no value here, and in 2 cells in all (also in "
        "'job'): 'NA' means a missing value; use --fill median,category, or --fill drop to drop "
        "such rows");
    plan.fill = "category";
    check_survey_refused(
        &plan, DT_DATA,
        "t.csv: row 4 (line 5): column 'x' has no value here, and in 2 cells in all: 'NA' means a "
        "missing value; use --fill with one of drop, mean, median, mode, indicator, "
        "median-indicator");
    plan.fill = "mean";
    check_survey_refused(&plan, DT_DATA,
                         "t.csv: row 2 (line 3): column 'job' has no value here, and in 1 cell in "
                         "all; use --fill with one of drop, mode, category");
    plan.fill = "mean,category";
    prepared p;
    assert_int_equal(prepared_survey(&p, &plan), DT_OK);
    assert_int_equal(column_of(&p, "x")->fill, DT_FILL_MEAN);
    assert_int_equal(column_of(&p, "job")->fill, DT_FILL_CATEGORY);
    prepared_clear(&p);
    plan.fill = "job=mode,mode,x=median"; /* the order does not matter */
    assert_int_equal(prepared_survey(&p, &plan), DT_OK);
    assert_int_equal(column_of(&p, "x")->fill, DT_FILL_MEDIAN);
    assert_int_equal(column_of(&p, "job")->fill, DT_FILL_MODE);
    prepared_clear(&p);
}

static void test_constant_columns(void **state)
{
    (void)state;
    prepared p;
    dt_prepare_plan plan = plan_all();
    plan.numeric = "asked";
    table_write_text(
        "x,y,job,gone,na,asked,kind\n1,7,a,,NA,5,no\n2,7.0,a,,?,5,yes\n3,7,a,,,5,no\n");
    prepared_make(&p, &plan);
    check_column(&p, "y", DT_ROLE_DROPPED, "has one value", 2, 0);
    check_column(&p, "job", DT_ROLE_DROPPED, "has one value", 1, 0);
    check_column(&p, "gone", DT_ROLE_DROPPED, "is empty", 0, 3);
    check_column(&p, "na", DT_ROLE_DROPPED, "is empty", 0, 3);
    check_column(&p, "asked", DT_ROLE_DROPPED, "has one value", 1, 0);
    check_column(&p, "x", DT_ROLE_NUMERIC, "", 3, 0);
    for (size_t c = 0; c < p.table->column_count; c++) /* all but the first and the target */
        assert_int_equal(p.table->columns[c].is_constant, c > 0 && c < 6);
    assert_int_equal(p.recipe->D, 1);
    assert_int_equal(recipe_column(&p, "y")->role, DT_ROLE_DROPPED);
    prepared_clear(&p);
    /* That a cell is missing may say something: two values then, or a filling is needed. */
    table_write_text("x,flag,kind\n1,yes,no\n2,,yes\n3,yes,no\n");
    plan = plan_all();
    check_survey_refused(&plan, DT_DATA, "row 2 (line 3): column 'flag' has no value here");
    plan.fill = "category";
    prepared_make(&p, &plan);
    check_column(&p, "flag", DT_ROLE_CATEGORICAL, "", 1, 1);
    prepared_clear(&p);
    plan.fill = "mode";
    prepared_make(&p, &plan);
    check_column(&p, "flag", DT_ROLE_DROPPED, "has one value", 1, 1);
    prepared_clear(&p);
    table_write_text("y,kind\n7,no\n7,yes\n7,no\n");
    check_survey_refused(&plan, DT_DATA, "no column except the target 'kind' is left");
    table_write_text("y,kind\n7,no\n8,no\n7,no\n"); /* the target is never dropped */
    check_survey_refused(&plan, DT_DATA, "every row's 'kind' is 'no'");
    table_write_text("y,gone,kind\n7,,no\n8,,yes\n7,?,no\n");
    plan.fill = "drop";
    check_survey_refused(&plan, DT_DATA,
                         "t.csv: column 'gone' is empty, so --fill drop drops every row");
}

/* ---- other encodings ---- */

#define CONVERT "is not UTF-8; use --encoding windows-1252, or repair the table"

static void test_latin1(void **state)
{
    (void)state;
    prepared p;
    dt_prepare_plan plan = plan_all();
    table_write_text(
        "x,city,kind\n1,Z\xc3\xbcrich,no\n2,K\xf6ln,yes\n3,N\xc3\xaemes,no\n4,Bonn,no\n");
    check_survey_refused(&plan, DT_DATA, "t.csv: row 2 (line 3): column 'city': 'K?ln' " CONVERT);
    plan.drop = "city"; /* what is not used does not matter */
    assert_int_equal(prepared_survey(&p, &plan), DT_OK);
    prepared_clear(&p);
    table_write_text("x,kind\n1,f\xc3\xbc\n2,\xc3\xbc\n3,m\xe4\xdfig\n");
    plan = plan_all();
    check_survey_refused(&plan, DT_DATA, "t.csv: row 3 (line 4): column 'kind': 'm??ig' " CONVERT);
    table_write_text("x,gr\xf6\xdf"
                     "e,kind\n1,1,\xc3\xb6\n2,2,\xc3\xbc\n");
    check_survey_refused(&plan, DT_DATA, "t.csv: header: the name of column 2, 'gr??e', " CONVERT);
    plan.target = "gr\xc3\xb6\xc3\x9f"
                  "e"; /* and is not merely not found */
    check_survey_refused(&plan, DT_DATA, "header: the name of column 2, 'gr??e'");
    plan = plan_all();
    table_write_text("x,city,kind\n1,Bonn,no\n2,K\xc3\xb6ln,yes\n3,K\xc3\xb6ln,ja\n");
    prepared_make(&p, &plan);
    prepared_clear(&p);
}

/* Texts of which no two are the same are left out anyway. */
static void test_latin1_in_names_left_out(void **state)
{
    (void)state;
    prepared p;
    dt_prepare_plan plan = plan_all();
    table_text t = {0};
    table_add(&t, "who,x,kind\n");
    for (size_t i = 0; i < 40; i++)
        table_add(&t, "M%s %zu,%zu,%s\n", i == 0 ? "\xfcller" : "\xc3\xbcller", i, i * i,
                  kind_of(i));
    table_write(&t);
    plan.max_categories = 30;
    prepared_make(&p, &plan);
    check_column(&p, "who", DT_ROLE_DROPPED, "no two are the same", 40, 0);
    prepared_clear(&p);
    plan.categorical = "who";
    check_survey_refused(&plan, DT_DATA, "row 1 (line 2): column 'who': 'M?ller 0' " CONVERT);
}

/* ---- how numbers are written ---- */

/* The first 256 KiB and more are whole numbers; `cell` is in the last row. */
static void write_late(const char *separator, const char *cell)
{
    table_text t = {0};
    table_add(&t, "a%skind\n", separator);
    for (size_t i = 0; i < 50000; i++)
        table_add(&t, "%zu%s%s\n", 100000 + i % 99, separator, kind_of(i));
    table_add(&t, "%s%sno\n", cell, separator);
    table_write(&t);
}

static void check_format(const dt_prepare_plan *plan, size_t c, char decimal, char group,
                         const char *unit, double maximum)
{
    prepared p;
    prepared_make(&p, plan);
    const dt_prepare_column *column = &dt_prepare_table_of(p.prepare)->columns[c];
    assert_true(column->role == DT_ROLE_NUMERIC);
    assert_true((column->format.decimal == decimal || column->format.decimal == 0) &&
                column->format.group == group);
    assert_string_equal(column->format.unit, unit);
    assert_true(same_bits(column->maximum, maximum));
    prepared_clear(&p);
}

/* What the error says mends the whole table, whatever else is missing. */
static void test_slips_of_all_columns(void **state)
{
    (void)state;
    dt_prepare_plan plan = plan_all();
    plan.missing = "";
    table_text t = {0};
    prepared p;
    table_add(&t, "a,b,job,kind\n");
    for (size_t i = 0; i < 60; i++)
        table_add(&t, "%s,%s,%s,%s\n",
                  i == 7   ? "?"
                  : i == 9 ? "<NA>"
                           : "1.5",
                  i == 5 || i == 50 ? "unknown"
                  : i == 51         ? "-"
                  : i % 2           ? "2"
                                    : "3",
                  i == 3  ? "None"
                  : i % 3 ? "cook"
                          : "smith",
                  kind_of(i));
    table_write(&t);
    check_survey_refused(&plan, DT_DATA,
                         "t.csv: row 8 (line 9): column 'a': '?' is not a number, but 58 of its 59 "
                         "cells are (also in 'b'); use --missing '?,unknown,-' --fill "
                         "median,category, --categorical or --drop");
    plan.missing = "?,unknown,-";
    plan.fill = "median,category";
    prepared_make(&p, &plan);
    check_column(&p, "b", DT_ROLE_NUMERIC, "", 2, 3);
    check_column(&p, "job", DT_ROLE_CATEGORICAL, "", 2, 1);
    prepared_clear(&p);
    plan.missing_only = "?"; /* then <NA> is a slip, and None a category */
    plan.missing = "";
    check_survey_refused(&plan, DT_DATA,
                         "column 'a': '<NA>' is not a number, but 58 of its 59 cells are (also in "
                         "'b'); use --missing '<NA>,unknown,-', --categorical or --drop");
}

static void test_late_decimals(void **state)
{
    (void)state;
    dt_prepare_plan plan = plan_all();
    write_late(";", "3,14");
    check_format(&plan, 0, ',', '\0', "", 100098);
    plan.numeric = "a";
    check_format(&plan, 0, ',', '\0', "", 100098);
    write_late(";", "3,14,15"); /* which is one with neither */
    check_survey_refused(&plan, DT_DATA,
                         "'3,14,15' is not a number, but 50000 of its 50001 "
                         "cells are; leave it out of --numeric");
    plan.numeric = "";
    check_survey_refused(&plan, DT_DATA, "cells are; use --categorical or --drop");
    table_write_text("a;b;kind\n1,5;1;no\n2;2;yes\n3.5;1;no\n");
    plan.numeric = "a";
    check_survey_refused(&plan, DT_DATA,
                         "column 'a': '1,5' is not a number, but 2 of its 3 cells are; leave "
                         "it out of --numeric");
    plan.decimal = "a=comma";
    check_survey_refused(&plan, DT_DATA, "row 3 (line 4): column 'a': '3.5' is not a number");
}

static void test_groups(void **state)
{
    (void)state;
    dt_prepare_plan plan = plan_all();
    table_write_text("a\tb\tkind\n1,023\t1\tno\n12,000\t2\tyes\n999\t1\tno\n");
    check_format(&plan, 0, '.', ',', "", 12000);
    plan.decimal = "a=comma"; /* as is said of them */
    check_format(&plan, 0, ',', '\0', "", 999);
    plan = plan_all();
    /* German: other columns say that commas are decimals, so that points are none. */
    table_write_text("a;b;kind\n1.023;1.234,5;no\n12.000;2;yes\n999;1,25;no\n");
    check_format(&plan, 0, ',', '.', "", 12000);
    check_format(&plan, 1, ',', '.', "", 1234.5);
    /* A table of points: three decimals are decimals. */
    table_write_text("a;b;kind\n1.023;$1,234.5;no\n12.125;$2;yes\n9.625;$1;no\n");
    check_format(&plan, 0, '.', '\0', "", 12.125);
    check_format(&plan, 1, '.', ',', "$", 1234.5);
    /* The same between commas, and with numbers above 999; in all cells alone they are, too. */
    table_write_text("a,b,kind\n1.628,0.5,no\n894,2,yes\n999,1,no\n");
    check_format(&plan, 0, '.', '\0', "", 999);
    table_write_text("a,kind\n1.628,no\n894,yes\n1894,no\n");
    check_format(&plan, 0, '.', '\0', "", 1894);
    table_write_text("a;kind\n1.628;no\n12.345;yes\n0;no\n");
    check_format(&plan, 0, '.', '\0', "", 12.345);
    /* A decimal point elsewhere says that commas divide, also between semicolons. */
    table_write_text("a;b;kind\n3,600;0.5;no\n12;2;yes\n999;1;no\n");
    check_format(&plan, 0, '.', ',', "", 3600);
}

static void test_doubtful_groups(void **state)
{
    (void)state;
    static const char *const tables[] = {
        "a;b;kind\n1,023;1;no\n1500;2;yes\n999;1;no\n", /* above 999 without a comma */
        "a;b;kind\n1,023;1,5;no\n12,000;2;yes\n999;1;no\n", /* decimal commas elsewhere */
        "a;b;kind\n1,023;1;no\n1.023;2;yes\n999;1;no\n", /* both signs */
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        dt_prepare_plan plan = plan_all();
        table_write_text(tables[i]);
        check_survey_refused(&plan, DT_DATA,
                             "column 'a': '1,023' may be 1023 or 1.023; use --thousands 'a=comma' "
                             "for 1023, --decimal 'a=comma' for 1.023");
        plan.thousands = "a=comma"; /* both pieces of advice work */
        check_format(&plan, 0, '.', ',', "", i == 0 ? 1500 : i == 1 ? 12000 : 1023);
        plan.thousands = "";
        plan.decimal = "a=comma";
        check_format(&plan, 0, ',', i == 2 ? '.' : '\0', "", i == 0 ? 1500 : i == 2 ? 1023 : 999);
    }
}

static void check_written(const char *text, const char *written)
{
    prepared p;
    const dt_prepare_plan plan = plan_all();
    table_write_text(text);
    if (prepared_survey(&p, &plan) != DT_OK)
        fail_msg("%s", dt_status_text());
    assert_string_equal(column_of(&p, "a")->written, written);
    if (written[0] != '\0')
        assert_true(same_bits(column_of(&p, "a")->meant, 1.628));
    prepared_clear(&p);
}

/* Points that are read as decimals, although they may separate thousands: this is shown. */
static void test_shown_decimals(void **state)
{
    (void)state;
    check_written("a;kind\n1.628;no\n12.345;yes\n603.776;no\n", "1.628");
    check_written("a;b;kind\n1.628;0.5;no\n894;2;yes\n999;1;no\n", "1.628");
    check_written("a,b,kind\n1.628,0.5,no\n894,2,yes\n999,1,no\n", "1.628");
    check_written("a;kind\n1.628;no\n12.34;yes\n603.776;no\n", ""); /* a decimal point */
    check_written("a;kind\n1.628;no\n0.345;yes\n603.776;no\n", "");
    check_written("a;b;kind\n1.628;0.5;no\n12.345;2;yes\n603.776;1;no\n", ""); /* elsewhere */
    check_written("a,kind\n1.628,no\n12.345,yes\n603.776,no\n", ""); /* the usual form */
    check_written("a;kind\n1.628;no\n12.345;yes\n1603;no\n", ""); /* would be 1.603 */
}

/* Cells of 1 to 999 beside others with three digits behind a sign. */
static void test_doubtful_decimals(void **state)
{
    (void)state;
    dt_prepare_plan plan = plan_all();
    table_write_text("a;\"b, c\";kind\n1.628;2.175 \xe2\x82\xac;no\n894;971 \xe2\x82\xac;yes\n"
                     "12;7;no\n");
    check_survey_refused(&plan, DT_DATA,
                         "t.csv: column 'a': '1.628' may be 1.628 or 1628; also column 'b, c'; use "
                         "--thousands 'a=point,\"b, c\"=point' for 1628, --decimal "
                         "'a=point,\"b, c\"=point' for 1.628");
    plan.thousands = "a=point,\"b, c\"=point";
    check_format(&plan, 0, ',', '.', "", 1628);
    check_format(&plan, 1, ',', '.', "\xe2\x82\xac", 2175);
    plan.thousands = "";
    plan.decimal = "a=point,\"b, c\"=point";
    check_format(&plan, 0, '.', '\0', "", 894);
    plan.decimal = "";
    table_write_text("a;kind\n3,600;no\n12;yes\n7;no\n");
    check_survey_refused(&plan, DT_DATA,
                         "column 'a': '3,600' may be 3600 or 3.6; use --thousands 'a=comma' for "
                         "3600, --decimal 'a=comma' for 3.6");
    table_write_text("a;kind\n3,600;no\n12,125;yes\n7,250;no\n"); /* also in all cells */
    check_survey_refused(&plan, DT_DATA, "column 'a': '3,600' may be 3600 or 3.6");
}

static void test_units(void **state)
{
    (void)state;
    dt_prepare_plan plan = plan_all();
    table_write_text("a,b,kind\n12 kg,1,no\n7 kg,2,yes\n(30 kg),1,no\n");
    check_format(&plan, 0, '.', '\0', "kg", 12);
    table_write_text("a,b,kind\n12 kg,1,no\n7 lb,2,yes\n3 kg,1,no\n"); /* one is none */
    prepared p;
    prepared_make(&p, &plan);
    assert_true(dt_prepare_table_of(p.prepare)->columns[0].role == DT_ROLE_CATEGORICAL);
    assert_int_equal(dt_prepare_table_of(p.prepare)->columns[0].digit_cells, 3);
    prepared_clear(&p);
    plan.numeric = "a";
    check_survey_refused(&plan, DT_DATA, "row 2 (line 3): column 'a': '7 lb' is not a number");
    plan = plan_all();
    plan.categorical = "a";
    table_write_text("a,b,kind\n12 kg,1,no\n7 kg,2,yes\n12 kg,1,no\n");
    prepared_make(&p, &plan);
    assert_true(dt_prepare_table_of(p.prepare)->columns[0].role == DT_ROLE_CATEGORICAL);
    prepared_clear(&p);
}

static void test_signs_asked_for(void **state)
{
    (void)state;
    dt_prepare_plan plan = plan_all();
    table_write_text("a,b,kind\n12,1,no\n7,2,yes\n12,1,no\n");
    plan.decimal = "point,comma";
    check_survey_refused(&plan, DT_USAGE, "--decimal has two methods for all columns");
    plan.decimal = "dot";
    check_survey_refused(&plan, DT_USAGE, "--decimal takes auto|point|comma");
    plan.decimal = "a=comma";
    plan.thousands = "comma";
    check_survey_refused(&plan, DT_USAGE, "column 'a': --decimal and --thousands are the same");
}

static void test_rows_dropped(void **state)
{
    (void)state;
    prepared p;
    dt_prepare_plan plan = plan_all();
    table_write_text("x,job,note,kind\n1,a,u,no\n2,,v,yes\n?,b,v,no\n4,a,,yes\n5,b,v,\n6,b,u,yes\n"
                     "7,a,v,no\n");
    plan.fill = "drop";
    assert_int_equal(prepared_survey(&p, &plan), DT_OK);
    assert_int_equal(p.table->rows, 3);
    assert_int_equal(p.table->dropped_rows, 4);
    assert_int_equal(p.table->set_rows[DT_TRAIN], 3);
    assert_int_equal(column_of(&p, "x")->missing, 0);
    assert_close(column_of(&p, "x")->maximum, 7, 0);
    assert_int_equal(prepared_fit(&p), DT_OK);
    assert_int_equal(prepared_apply(&p), DT_OK);
    assert_int_equal(p.count, 3);
    assert_int_equal(p.rows[1].label, 1);
    assert_close(recipe_column(&p, "x")->center, 14.0 / 3, 1e-15);
    prepared_clear(&p);
    plan.drop = "note"; /* a dropped column's cells do not matter */
    assert_int_equal(prepared_survey(&p, &plan), DT_OK);
    assert_int_equal(p.table->rows, 4);
    prepared_clear(&p);
    plan.fill = "kind=drop,x=drop,mode";
    assert_int_equal(prepared_survey(&p, &plan), DT_OK);
    assert_int_equal(p.table->rows, 5);
    assert_int_equal(p.table->dropped_rows, 2);
    prepared_clear(&p);
    table_write_text("x,job,kind\n,a,no\n2,,yes\n?,b,no\n");
    plan = plan_all();
    plan.fill = "drop";
    check_survey_refused(&plan, DT_DATA, "t.csv: every row has a missing value");
}

/* ---- plans ---- */

static void check_plan(dt_prepare_plan plan, dt_status code, const char *text)
{
    check_survey_refused(&plan, code, text);
}

static void test_plans_refused(void **state)
{
    (void)state;
    table_write_text("x,job,set,kind\n1,a,train,no\n2,b,test,yes\n3,a,train,yes\n4,b,train,no\n");
    dt_prepare_plan plan = plan_all();
#define REFUSED(member, value, code, text)                                                         \
    plan = plan_all();                                                                             \
    plan.member = (value);                                                                         \
    check_plan(plan, code, text)
    REFUSED(drop, "kind", DT_USAGE, "column 'kind' cannot be both the target and dropped");
    REFUSED(numeric, "kind", DT_USAGE, "column 'kind' cannot be both the target and numeric");
    REFUSED(split_column, "kind", DT_USAGE,
            "column 'kind' cannot be both the target and the one that names the set");
    REFUSED(drop, "jobs", DT_DATA, "t.csv: no column 'jobs'; did you mean 'job'?");
    REFUSED(categorical, "x,far away", DT_DATA, "t.csv: no column 'far away'");
    REFUSED(
        scale, "standart", DT_USAGE,
        "--scale takes standard|minmax|robust|quantile|none|log|clipped, or COLUMN= before one of "
        "them, not 'standart'");
    REFUSED(scale, "x=", DT_USAGE, "not ''");
    REFUSED(scale, "x=stand", DT_USAGE, "not 'stand'");
    REFUSED(scale, "y=log", DT_DATA, "t.csv: no column 'y'");
    REFUSED(fill, "zero", DT_USAGE,
            "--fill takes error|drop|mean|median|mode|category|indicator|median-indicator, or "
            "COLUMN= before one of them, not 'zero'");
    REFUSED(fill, "job=mean", DT_USAGE, "--fill: column 'job' is categorical");
    REFUSED(fill, "job=indicator", DT_USAGE, "--fill: column 'job' is categorical");
    REFUSED(fill, "job=median-indicator", DT_USAGE, "--fill: column 'job' is categorical");
    REFUSED(fill, "indicator,median-indicator", DT_USAGE, "--fill has two methods for the same");
    REFUSED(fill, "x=category", DT_USAGE, "--fill: column 'x' is numeric");
    REFUSED(fill, "drop,mean", DT_USAGE, "--fill drop leaves nothing for another method");
    REFUSED(split_column, "sat", DT_DATA, "t.csv: no column 'sat'; did you mean 'set'?");
    REFUSED(validation, 1.5, DT_USAGE,
            "--validation-split is 1.5, but must be a share below 1 or a");
    REFUSED(test, 4, DT_DATA, "t.csv: --test-split 4 leaves none of the 4 rows for training");
    REFUSED(test, 0.95, DT_DATA, "leaves none of the 4 rows");
    REFUSED(test, 0.01, DT_DATA, "t.csv: none of its 4 rows is left for the test set");
#undef REFUSED
    plan = plan_all();
    plan.numeric = "job";
    plan.categorical = "job";
    check_plan(plan, DT_USAGE, "column 'job' cannot be both numeric and categorical");
    plan = plan_all();
    plan.validation = 2;
    plan.test = 0.5;
    check_plan(plan, DT_DATA, "2 validation and 2 test rows leave none of the 4 for training");
}

/* ---- sets ---- */

static void test_sets_by_column(void **state)
{
    (void)state;
    prepared p;
    dt_prepare_plan plan = plan_all();
    plan.split_column = "set";
    plan.validation = plan.test = 0.1; /* do not matter */
    table_write_text("x,set,kind\n1,train,no\n2,Test,yes\n3,dev,yes\n4,TRAINING,yes\n9,val,no\n"
                     "6,testing,no\n");
    prepared_make(&p, &plan);
    static const dt_set sets[] = {DT_TRAIN, DT_TEST,       DT_VALIDATION,
                                  DT_TRAIN, DT_VALIDATION, DT_TEST};
    assert_int_equal(p.count, 6);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(p.rows[i].set, sets[i]);
    for (int set = 0; set < DT_SET_COUNT; set++) {
        assert_int_equal(p.table->set_rows[set], 2);
        assert_int_equal(p.table->class_rows[set][0], 1);
        assert_int_equal(p.table->class_rows[set][1], 1);
    }
    assert_int_equal(column_of(&p, "set")->role, DT_ROLE_DROPPED);
    assert_string_equal(column_of(&p, "set")->why, "names the set of a row");
    assert_close(recipe_column(&p, "x")->center, 2.5, 0); /* of the training rows */
    assert_close(recipe_column(&p, "x")->spread, 1.5, 0);
    prepared_clear(&p);
    table_write_text("x,set,kind\n1,train,no\n2,trial,yes\n3,dev,yes\n");
    check_survey_refused(&plan, DT_DATA, "t.csv: column 'set' is 'trial'; expected train");
    table_write_text("x,set,kind\n1,train,no\n2,train,yes\n3,,yes\n");
    check_survey_refused(&plan, DT_DATA, "t.csv: row 3 (line 4): column 'set' does not name a set");
    table_write_text("x,set,kind\n1,dev,no\n2,test,yes\n");
    check_survey_refused(&plan, DT_DATA, "none of its 2 rows is left for the train set");
}

static void check_split(dt_split_method method, double validation, double test)
{
    prepared p;
    dt_prepare_plan plan = plan_all();
    uint64_t rows[DT_SET_COUNT] = {0}, class_rows[DT_SET_COUNT][2] = {{0}};
    plan.split_method = method;
    plan.validation = validation;
    plan.test = test;
    prepared_make(&p, &plan);
    for (size_t i = 0; i < p.count; i++) {
        rows[p.rows[i].set]++;
        class_rows[p.rows[i].set][p.rows[i].label]++;
        assert_int_equal(p.rows[i].label, i % 3 == 0);
        if (method == DT_SPLIT_ORDERED && i > 0)
            assert_true(p.rows[i].set >= p.rows[i - 1].set);
    }
    assert_int_equal(p.count, 1000);
    for (int set = 0; set < DT_SET_COUNT; set++) {
        assert_int_equal(rows[set], p.table->set_rows[set]);
        assert_int_equal(rows[set], p.seen[set]);
        for (int c = 0; c < 2; c++)
            assert_int_equal(class_rows[set][c], p.table->class_rows[set][c]);
        if (method == DT_SPLIT_STRATIFIED) /* a third of each set is of the second class */
            assert_close((double)class_rows[set][1], (double)rows[set] * 0.334, 1.0);
    }
    assert_close((double)rows[DT_VALIDATION], validation < 1 ? 1000 * validation : validation, 0.5);
    assert_close((double)rows[DT_TEST], test < 1 ? 1000 * test : test, 0.5);
    prepared_clear(&p);
}

static void test_split_methods(void **state)
{
    (void)state;
    table_text t = {0};
    table_add(&t, "x,kind\n");
    for (size_t i = 0; i < 1000; i++)
        table_add(&t, "%zu,%s\n", i * i % 97, kind_of(i));
    table_write(&t);
    for (int method = DT_SPLIT_STRATIFIED; method <= DT_SPLIT_ORDERED; method++) {
        check_split((dt_split_method)method, 0.1, 0.1);
        check_split((dt_split_method)method, 0.333, 0.1237);
        check_split((dt_split_method)method, 17, 0.2);
        check_split((dt_split_method)method, 0, 1);
        check_split((dt_split_method)method, 333, 500);
        check_split((dt_split_method)method, 0, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_roles, scratch_empty),
        cmocka_unit_test_teardown(test_roles_asked_for, scratch_empty),
        cmocka_unit_test_teardown(test_limits_of_counters, scratch_empty),
        cmocka_unit_test_teardown(test_counters_with_holes, scratch_empty),
        cmocka_unit_test_teardown(test_mixed_columns, scratch_empty),
        cmocka_unit_test_teardown(test_many_distinct_values, scratch_empty),
        cmocka_unit_test_teardown(test_classes_in_order, scratch_empty),
        cmocka_unit_test_teardown(test_targets_refused, scratch_empty),
        cmocka_unit_test_teardown(test_missing_cells, scratch_empty),
        cmocka_unit_test_teardown(test_targets_twice, scratch_empty),
        cmocka_unit_test_teardown(test_constant_columns, scratch_empty),
        cmocka_unit_test_teardown(test_latin1, scratch_empty),
        cmocka_unit_test_teardown(test_latin1_in_names_left_out, scratch_empty),
        cmocka_unit_test_teardown(test_slips_of_all_columns, scratch_empty),
        cmocka_unit_test_teardown(test_late_decimals, scratch_empty),
        cmocka_unit_test_teardown(test_groups, scratch_empty),
        cmocka_unit_test_teardown(test_doubtful_groups, scratch_empty),
        cmocka_unit_test_teardown(test_shown_decimals, scratch_empty),
        cmocka_unit_test_teardown(test_doubtful_decimals, scratch_empty),
        cmocka_unit_test_teardown(test_units, scratch_empty),
        cmocka_unit_test_teardown(test_signs_asked_for, scratch_empty),
        cmocka_unit_test_teardown(test_rows_dropped, scratch_empty),
        cmocka_unit_test_teardown(test_plans_refused, scratch_empty),
        cmocka_unit_test_teardown(test_sets_by_column, scratch_empty),
        cmocka_unit_test_teardown(test_split_methods, scratch_empty),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
