/* rooms: data */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Which columns are dates, in which order, and what they become. */
#include "same_bits.h"
#include "table_preparing.h"

#include <stdio.h>
#include <string.h>

static void check_date(const dt_prepare_plan *plan, const char *name, dt_date_order order,
                       const char *first)
{
    prepared p;
    char shown[DT_DATE_BYTES];
    prepared_make(&p, plan);
    const dt_prepare_column *column = column_of(&p, name);
    if (column->role != DT_ROLE_DATE || column->order != order)
        fail_msg("%s: role %d, order '%s'", name, (int)column->role,
                 dt_date_order_name(column->order));
    assert_string_equal(dt_date_show(shown, column->minimum, order), first);
    assert_int_equal(recipe_column(&p, name)->order, order);
    prepared_clear(&p);
}

static void check_role(const dt_prepare_plan *plan, const char *name, dt_role role)
{
    prepared p;
    prepared_make(&p, plan);
    if (column_of(&p, name)->role != role)
        fail_msg("%s: role %d, expected %d", name, (int)column_of(&p, name)->role, (int)role);
    prepared_clear(&p);
}

/* A table of one column of such cells, x and a target. */
static void write_cells(const char *const *cells, size_t count)
{
    table_text t = {0};
    table_add(&t, "when;x;kind\n");
    for (size_t i = 0; i < count; i++)
        table_add(&t, "%s;%zu;%s\n", cells[i], i * i % 7, i % 3 == 0 ? "yes" : "no");
    table_write(&t);
}

#define WRITE(...)                                                                                 \
    do {                                                                                           \
        static const char *const cells[] = {__VA_ARGS__};                                          \
        write_cells(cells, sizeof cells / sizeof *cells);                                          \
    } while (0)

static void test_orders_from_all_cells(void **state)
{
    (void)state;
    const dt_prepare_plan plan = plan_all();
    WRITE("2021-03-04", "2021-03-05", "2021-03-07");
    check_date(&plan, "when", DT_DATE_YMD, "2021-03-04");
    WRITE("03/04/2021", "03/05/2021", "12/31/2021");
    check_date(&plan, "when", DT_DATE_MDY, "2021-03-04");
    WRITE("03/04/2021", "03/05/2021", "31/12/2021");
    check_date(&plan, "when", DT_DATE_DMY, "2021-04-03");
    WRITE("03.04.2021", "03.05.2021", "04.06.2021"); /* points divide days first */
    check_date(&plan, "when", DT_DATE_DMY, "2021-04-03");
    WRITE("03.04.2021", "03.15.2021", "04.06.2021");
    check_date(&plan, "when", DT_DATE_MDY, "2021-03-04");
    WRITE("2 Apr 21", "13 May 21", "2 Jun 21");
    check_date(&plan, "when", DT_DATE_DMY, "2021-04-02");
    WRITE("01/01/2021", "02/02/2021", "12/12/2021"); /* the same in both orders */
    check_date(&plan, "when", DT_DATE_DMY, "2021-01-01");
    WRITE("20210304", "20210305", "20211231");
    check_date(&plan, "when", DT_DATE_YMD, "2021-03-04");
    WRITE("20210304T1300", "20210305T1400", "20211231T0000");
    check_date(&plan, "when", DT_DATE_YMD, "2021-03-04 13:00");
    WRITE("2021-03", "2021-01", "2020-12");
    check_date(&plan, "when", DT_DATE_YM, "2020-12");
    WRITE("03/2021", "01/2021", "12/2020");
    check_date(&plan, "when", DT_DATE_MY, "2020-12");
    WRITE("9:30", "13:45", "17:00");
    check_date(&plan, "when", DT_DATE_TIME, "09:30");
}

/* Where a year of two digits stands, the dates span less time. */
static void test_years_of_two_digits(void **state)
{
    (void)state;
    const dt_prepare_plan plan = plan_all();
    WRITE("21-01-05", "21-02-28", "21-03-17", "22-01-11");
    check_date(&plan, "when", DT_DATE_YMD, "2021-01-05");
    WRITE("05-01-21", "28-02-21", "17-03-21", "11-01-22");
    check_date(&plan, "when", DT_DATE_DMY, "2021-01-05");
    WRITE("21/01/05", "21/02/28", "21/03/17", "22/01/11");
    check_date(&plan, "when", DT_DATE_YMD, "2021-01-05");
    WRITE("01/05/21", "02/28/21", "03/17/21", "01/11/22");
    check_date(&plan, "when", DT_DATE_MDY, "2021-01-05");
}

static void test_doubtful_orders(void **state)
{
    (void)state;
    dt_prepare_plan plan = plan_all();
    WRITE("01/01/2021", "03/04/2021", "12/05/2021");
    check_survey_refused(&plan, DT_DATA,
                         "column 'when': '03/04/2021' may be 2021-04-03 or 2021-03-04; use --dates "
                         "'when=dmy' or 'when=mdy'");
    plan.dates = "when=dmy"; /* both pieces of advice work, and others */
    check_date(&plan, "when", DT_DATE_DMY, "2021-01-01");
    plan.dates = "when=mdy";
    check_date(&plan, "when", DT_DATE_MDY, "2021-01-01");
    plan.dates = "mdy";
    check_date(&plan, "when", DT_DATE_MDY, "2021-01-01");
    plan.dates = "ymd"; /* which does not fit */
    check_survey_refused(&plan, DT_DATA, "may be 2021-04-03 or 2021-03-04");
    plan.dates = "none";
    check_role(&plan, "when", DT_ROLE_CATEGORICAL);
    plan.dates = "mdy,when=none";
    check_role(&plan, "when", DT_ROLE_CATEGORICAL);
    plan.dates = "none,when=mdy";
    check_date(&plan, "when", DT_DATE_MDY, "2021-01-01");
    plan = plan_all();
    table_write_text(
        "a,b,kind\n03/04/2021,3/31/21,no\n01/02/2021,4/1/21,yes\n1/1/2021,4/2/21,no\n");
    check_date(&plan, "a", DT_DATE_MDY, "2021-01-01"); /* as the other column has it */
    table_write_text("a,b,c,kind\n03/04/2021,3/31/21,31/3/21,no\n01/02/2021,4/1/21,1/4/21,yes\n");
    check_survey_refused(&plan, DT_DATA, "column 'a': '03/04/2021' may be"); /* two others differ */
}

static void test_what_are_no_dates(void **state)
{
    (void)state;
    dt_prepare_plan plan = plan_all();
    WRITE("2009-10", "2010-11", "2011-12"); /* seasons */
    check_role(&plan, "when", DT_ROLE_CATEGORICAL);
    WRITE("2009-10", "2010-11", "2012-13");
    check_role(&plan, "when", DT_ROLE_CATEGORICAL);
    WRITE("31/01/2021", "01/31/2021", "02/02/2021"); /* in no one order */
    check_role(&plan, "when", DT_ROLE_CATEGORICAL);
    WRITE("9:30", "13:45", "25:00");
    check_role(&plan, "when", DT_ROLE_CATEGORICAL);
    WRITE("20210304", "20210305", "20211331");
    check_role(&plan, "when", DT_ROLE_NUMERIC);
    WRITE("20210304", "20210305", "20210304"); /* two by chance */
    check_role(&plan, "when", DT_ROLE_NUMERIC);
    WRITE("10.5.1", "10.15.7", "10.5.1");
    check_role(&plan, "when", DT_ROLE_CATEGORICAL);
    WRITE("may", "jun", "jul");
    check_role(&plan, "when", DT_ROLE_CATEGORICAL);
    WRITE("2021-03-04", "2021-03-04", "2021-03-04");
    check_role(&plan, "when", DT_ROLE_DROPPED);
}

static void test_slips(void **state)
{
    (void)state;
    dt_prepare_plan plan = plan_all();
    for (int texts = 1; texts <= 2; texts++) {
        table_text t = {0};
        table_add(&t, "when,x,kind\n");
        for (int i = 0; i < 20; i++) {
            if (i < texts)
                table_add(&t, "soon");
            else
                table_add(&t, "2021-03-%02d", i + 1);
            table_add(&t, ",%d,%s\n", i * i % 7, i % 2 ? "no" : "yes");
        }
        table_write(&t);
        if (texts == 1)
            check_survey_refused(
                &plan, DT_DATA,
                "row 1 (line 2): column 'when': 'soon' is not a date, but 19 of its "
                "20 cells are; use --missing 'soon' --fill median, --categorical");
        else /* texts, of which 19 in 20 differ */
            check_role(&plan, "when", DT_ROLE_DROPPED);
        plan.dates = "when=ymd";
        check_survey_refused(&plan, DT_DATA, "'soon' is not a date (ymd); use --missing if it");
        plan.missing = "soon";
        plan.fill = "mean";
        check_date(&plan, "when", DT_DATE_YMD, texts == 1 ? "2021-03-02" : "2021-03-03");
        plan = plan_all();
        plan.categorical = "when";
        check_role(&plan, "when", DT_ROLE_CATEGORICAL);
        plan = plan_all();
    }
}

static void test_roles_asked_for(void **state)
{
    (void)state;
    dt_prepare_plan plan = plan_all();
    WRITE("20210304", "20210305", "20211231");
    plan.numeric = "when";
    check_role(&plan, "when", DT_ROLE_NUMERIC);
    WRITE("2021-03-04", "2021-03-05", "2021-03-07");
    check_survey_refused(&plan, DT_DATA, "column 'when': '2021-03-04' is a date, not a number");
    plan.dates = "when=ymd";
    check_survey_refused(&plan, DT_USAGE, "column 'when' cannot be both numeric and a date");
    plan = plan_all();
    plan.dates = "when=german";
    check_survey_refused(&plan, DT_USAGE, "--dates takes auto|none|ymd|dmy|mdy|ym|my|time");
    plan.dates = "";
    plan.target = "when";
    check_survey_refused(&plan, DT_DATA,
                         "the target 'when' holds dates, as '2021-03-04', which cannot be");
    plan.task = DT_TARGETS_VALUES;
    check_survey_refused(&plan, DT_DATA, "'2021-03-04' is a date, not a number");
    plan.task = DT_TARGETS_CLASSES;
    check_role(&plan, "when", DT_ROLE_TARGET);
}

/* Days of a month in a year, as yyyy-mm-dd hh:mm. */
static void write_span(int days, int hours)
{
    table_text t = {0};
    char shown[DT_DATE_BYTES];
    table_add(&t, "when,x,kind\n");
    for (int i = 0; i <= 24; i++)
        table_add(&t, "%s,%d,%s\n",
                  dt_date_show(shown, 18640 + days * i / 24 + hours * i / 24 / 24.0, DT_DATE_YMD),
                  i * i % 7, i % 2 ? "no" : "yes");
    table_write(&t);
}

static void check_parts(const char *expected)
{
    prepared p;
    char described[64];
    const dt_prepare_plan plan = plan_all();
    prepared_make(&p, &plan);
    const dt_prepare_column *column = column_of(&p, "when");
    assert_int_equal(column->role, DT_ROLE_DATE);
    assert_string_equal(
        dt_recipe_describe_date(described, sizeof described, column->order, column->parts),
        expected);
    prepared_clear(&p);
}

static void test_parts_that_vary(void **state)
{
    (void)state;
    write_span(183, 0);
    check_parts("ymd; month, weekday");
    write_span(182, 0);
    check_parts("ymd; weekday");
    write_span(4, 0);
    check_parts("ymd; weekday");
    write_span(3, 0);
    check_parts("ymd");
    write_span(0, 12);
    check_parts("ymd; hour");
    write_span(0, 11);
    check_parts("ymd");
    write_span(400, 23);
    check_parts("ymd; month, weekday, hour");
    WRITE("2019-12-31", "2020-12-31", "2021-12-31"); /* the same day each year */
    check_parts("ymd");
    WRITE("2020-01-01", "2020-02-01", "2020-10-01", "2021-04-01"); /* months */
    check_parts("ymd; month");
    WRITE("2020-01", "2020-02", "2020-10", "2021-04");
    check_parts("ym; month");
    WRITE("9:30", "9:45", "10:00");
    check_parts("time; hour");
}

static void test_inputs(void **state)
{
    (void)state;
    prepared p;
    dt_prepare_plan plan = plan_all();
    char name[64];
    static const char *const names[] = {"when day",         "when month sin",   "when month cos",
                                        "when weekday sin", "when weekday cos", "when hour sin",
                                        "when hour cos",    "when is missing",  "x"};
    plan.scale = "none";
    plan.fill = "indicator";
    WRITE("2021-07-01 06:00", "", "2021-01-04 00:00", "2021-10-16 12:00");
    prepared_make(&p, &plan);
    assert_int_equal(p.recipe->D, sizeof names / sizeof *names);
    for (size_t i = 0; i < p.recipe->D; i++)
        assert_string_equal(dt_recipe_input_name(name, sizeof name, p.recipe, i), names[i]);
    const float *x = p.rows[0].x; /* a quarter of the first of July, a Thursday */
    const double turn = 6.283185307179586, month = (6 + 0.25 / 31) / 12, week = 3.25 / 7;
    const double expected[] = {
        18809.25, sin(turn * month), cos(turn * month), sin(turn * week), cos(turn * week), 1, 0,
        0};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_close((double)x[i], expected[i], 1e-7 + 1e-3 * (i == 0));
    x = p.rows[2].x; /* a Monday */
    assert_close((double)x[3], 0, 1e-7);
    assert_true(same_bits((double)x[4], 1.0));
    x = p.rows[1].x; /* is missing: the mean, in the middle of the circles */
    assert_close((double)x[0], (18809.25 + 18631 + 18916.5) / 3, 1e-3);
    for (size_t i = 1; i < 7; i++)
        assert_true(same_bits((double)x[i], 0.0));
    assert_true(same_bits((double)x[7], 1.0));
    prepared_clear(&p);
}

/* Each day is the one before plus 1, and yet no row number. */
static void test_days_in_a_row(void **state)
{
    (void)state;
    table_text t = {0};
    char shown[DT_DATE_BYTES];
    const dt_prepare_plan plan = plan_all();
    table_add(&t, "when,x,kind\n");
    for (int i = 0; i < 40000; i++)
        table_add(&t, "%s,%d,%s\n", dt_date_show(shown, i, DT_DATE_YMD), i * i % 7,
                  i % 2 ? "no" : "yes");
    table_write(&t);
    check_date(&plan, "when", DT_DATE_YMD, "1970-01-01");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_orders_from_all_cells),
        cmocka_unit_test(test_years_of_two_digits),
        cmocka_unit_test(test_doubtful_orders),
        cmocka_unit_test(test_what_are_no_dates),
        cmocka_unit_test(test_slips),
        cmocka_unit_test(test_roles_asked_for),
        cmocka_unit_test(test_parts_that_vary),
        cmocka_unit_test(test_inputs),
        cmocka_unit_test(test_days_in_a_row),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
