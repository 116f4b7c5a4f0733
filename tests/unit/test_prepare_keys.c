/* rooms: data */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Texts that are no categories, and numbers that look like keys: both sides of every limit. */
#include "table_preparing.h"

#include <stdio.h>
#include <string.h>

/* `rows` rows of `distinct` texts, each about as often as the others. */
static void write_texts(size_t rows, size_t distinct)
{
    table_text t = {0};
    table_add(&t, "text,x,kind\n");
    for (size_t i = 0; i < rows; i++)
        table_add(&t, "the %zu,%zu,%s\n", i % distinct, i * i % 7, i % 3 == 0 ? "yes" : "no");
    table_write(&t);
}

static void check_text(const dt_prepare_plan *plan, const char *why)
{
    prepared p;
    if (prepared_survey(&p, plan) != DT_OK)
        fail_msg("%s", dt_status_text());
    const dt_prepare_column *column = column_of(&p, "text");
    assert_string_equal(column->why, why);
    assert_int_equal(column->role, why[0] == '\0' ? DT_ROLE_CATEGORICAL : DT_ROLE_DROPPED);
    assert_int_equal(column->is_text, why[0] != '\0');
    assert_string_equal(column->text, "the 0");
    prepared_clear(&p);
}

static void test_texts_that_hardly_repeat(void **state)
{
    (void)state;
    dt_prepare_plan plan = plan_all();
    plan.max_categories = 1000;
    write_texts(19, 19);
    check_text(&plan, "");
    write_texts(20, 20);
    check_text(&plan, "no two are the same");
    write_texts(20, 18);
    check_text(&plan, "texts that hardly repeat");
    write_texts(20, 17);
    check_text(&plan, "");
    write_texts(100, 89);
    check_text(&plan, "");
    write_texts(100, 90);
    check_text(&plan, "texts that hardly repeat");
    write_texts(102, 51);
    check_text(&plan, "");
    write_texts(102, 52);
    check_text(&plan, "texts that hardly repeat");
    plan.categorical = "text";
    prepared p;
    assert_int_equal(prepared_survey(&p, &plan), DT_OK);
    assert_int_equal(column_of(&p, "text")->role, DT_ROLE_CATEGORICAL);
    prepared_clear(&p);
}

/* Fewer rows than texts that all differ are as many inputs as rows. */
static void test_more_texts_than_categories(void **state)
{
    (void)state;
    dt_prepare_plan plan = plan_all();
    plan.max_categories = 12;
    write_texts(12, 12);
    check_text(&plan, "");
    write_texts(13, 13);
    check_text(&plan, "no two are the same");
}

static void test_categories_that_hold_few_rows(void **state)
{
    (void)state;
    dt_prepare_plan plan = plan_all();
    plan.max_categories = 300; /* of 1001, of which 299 are kept: 30 % of the rows */
    write_texts(4004, 1001);
    check_text(&plan, "");
    plan.max_categories = 200;
    check_text(&plan, "categories would hold few rows");
    write_texts(4000, 1000); /* which --max-categories may well be told to merge */
    check_text(&plan, "");
}

/* ---- keys ---- */

static bool is_key(const char *name, size_t rows, double first, double step, size_t same)
{
    prepared p;
    table_text t = {0};
    const dt_prepare_plan plan = plan_all();
    table_add(&t, "%s,x,kind\n", name);
    for (size_t i = 0; i < rows; i++) {
        const size_t at = i < same ? 0 : i * 7 % rows; /* in no order */
        table_add(&t, "%.17g,%zu,%s\n", first + step * (double)at, i * i % 7,
                  i % 3 == 0 ? "yes" : "no");
    }
    table_write(&t);
    if (prepared_survey(&p, &plan) != DT_OK)
        fail_msg("%s", dt_status_text());
    const bool found = column_of(&p, name)->is_key;
    assert_int_equal(column_of(&p, name)->role, DT_ROLE_NUMERIC);
    assert_int_equal(column_of(&p, name)->asked, false);
    prepared_clear(&p);
    return found;
}

static void test_names_of_keys(void **state)
{
    (void)state;
    static const char *const keys[] = {"id",        "ID",          "CustomerId",  "customer_id",
                                       "userID",    "customerid",  "Invoice No.", "order-nr",
                                       "RowNumber", "primary key", "acc.num",     "invoiceNo",
                                       "customer",  "Old Client"};
    static const char *const others[] = {
        "paid", "bid",     "amountPaid",      "grid",   "casino", "monkey", "volcano", "y",
        "idle", "balance", "number_of_rooms", "unpaid", "Humid",  "piano"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!is_key(keys[i], 40, 15, 3, 0))
            fail_msg("%s", keys[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (is_key(others[i], 40, 15, 3, 0))
            fail_msg("%s", others[i]);
}

static void test_numbers_of_keys(void **state)
{
    (void)state;
    assert_true(is_key("id", 20, 15, 3, 0));
    assert_false(is_key("id", 19, 15, 3, 0));
    assert_true(is_key("id", 40, 15, 3, 21)); /* twenty repeat */
    assert_false(is_key("id", 40, 15, 3, 22));
    assert_false(is_key("id", 40, 15.5, 3, 0));
    assert_false(is_key("id", 40, -15, 3, 0));
    assert_true(is_key("a", 40, 15000000, 1000, 0));
    assert_true(is_key("a", 40, 15000000, 1000, 3)); /* two repeat */
    assert_false(is_key("a", 40, 15000000, 1000, 4));
    assert_false(is_key("a", 40, 1500000, 1000, 0)); /* seven digits */
    assert_true(is_key("a", 2000, 1500000, 3, 0)); /* that many measures would repeat: */
    assert_true(is_key("a", 1000, 1500000, 83, 0)); /* 499500 / 82918 pairs */
    assert_false(is_key("a", 1000, 1500000, 84, 0));
    assert_false(is_key("a", 2000, 1500000, 3, 2));
    assert_false(is_key("a", 2000, 9999, 3, 0)); /* too small */
    assert_false(is_key("a", 40, 99990000, 1000, 0)); /* eight and nine */
    assert_false(is_key("a", 40, 1600000000, 86400, 0)); /* seconds since 1970 */
    assert_false(is_key("a", 40, 1600000000000, 86400000, 0));
    assert_false(is_key("a", 40, 15000000, 1000, 30));
    assert_true(is_key("a", 40, 4000652160411907, 1000, 30)); /* cards */
    assert_true(is_key("Id", 20000, 15, 3, 0)); /* more than are counted */
    assert_false(is_key("Id", 20000, 15, 3, 19000));
}

/* Numbers that count the rows in another way than 1, 2, 3. */
static bool counts(const char *name, size_t rows, double first, double step, size_t other)
{
    prepared p;
    table_text t = {0};
    const dt_prepare_plan plan = plan_all();
    table_add(&t, "%s,x,kind\n", name);
    for (size_t i = 0; i < rows; i++)
        table_add(&t, "%.17g,%zu,%s\n", first + step * (double)i + (i == other ? 1.0 : 0.0),
                  i * i % 7, i % 3 == 0 ? "yes" : "no");
    table_write(&t);
    if (prepared_survey(&p, &plan) != DT_OK)
        fail_msg("%s", dt_status_text());
    const bool found = column_of(&p, name)->is_key;
    prepared_clear(&p);
    return found;
}

static void test_numbers_that_number_rows(void **state)
{
    (void)state;
    assert_true(is_key("a", 33, 1, 1, 0)); /* all numbers from 1 to 33, in another order */
    assert_false(is_key("a", 31, 1, 1, 0));
    assert_false(is_key("a", 40, 1, 2, 0)); /* every second */
    assert_false(is_key("a", 33, 1, 1, 2)); /* one is there twice, one is not */
    assert_false(is_key("a", 33, 1960, 1, 0)); /* years */
    assert_true(is_key("a", 20000, 0, 1, 0)); /* more than are counted */
    assert_true(counts("a", 40, 1000, 10, SIZE_MAX));
    assert_true(counts("a", 40, 1000, -10, SIZE_MAX));
    assert_false(counts("a", 40, 1000, 10, 20));
    assert_false(counts("a", 31, 1000, 10, SIZE_MAX));
    assert_false(counts("a", 40, 1600000000, 600, SIZE_MAX)); /* times */
}

/* ---- what columns of texts are ---- */

static void write_column(const char *cells, size_t rows)
{
    table_text t = {0};
    size_t count = 1;
    for (const char *c = cells; *c != '\0'; c++)
        count += *c == ' ';
    table_add(&t, "text,x,kind\n");
    for (size_t i = 0; i < rows; i++) {
        const char *at = cells;
        for (size_t skip = i % count; skip > 0; skip--)
            at += strcspn(at, " ") + 1;
        table_add(&t, "\"%.*s\",%zu,%s\n", (int)strcspn(at, " "), at, i * i % 7,
                  i % 3 == 0 ? "yes" : "no");
    }
    table_write(&t);
}

static void check_texts(const char *cells, const char *odd, const char *beside, const char *similar)
{
    prepared p;
    const dt_prepare_plan plan = plan_all();
    write_column(cells, 40);
    if (prepared_survey(&p, &plan) != DT_OK)
        fail_msg("%s", dt_status_text());
    const dt_prepare_column *column = column_of(&p, "text");
    assert_int_equal(column->role, DT_ROLE_CATEGORICAL);
    const struct {
        const char *found, *expected;
    } texts[] = {{column->odd, odd}, {column->beside, beside}, {column->similar[1], similar}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if ((texts[i].found == NULL) != (texts[i].expected == NULL) ||
            (texts[i].found != NULL && strcmp(texts[i].found, texts[i].expected) != 0))
            fail_msg("%s: text %zu is %s", cells, i, texts[i].found == NULL ? "" : texts[i].found);
    prepared_clear(&p);
}

static void test_texts_like_numbers(void **state)
{
    (void)state;
    check_texts("$20.00 - $31.50", "-", NULL, NULL);
    check_texts("$20 20€ $31", "20€", "$20", NULL);
    check_texts("1.5 2,5 3.5 4,5 1 2", "2,5", "1.5", NULL);
    check_texts("ber BER ulm", "ber", NULL, "BER");
    check_texts("red 1 1.0", "red", NULL, NULL); /* equal numbers are one category */
    check_texts("red 1 1.0 true", "red", NULL, "true");
    check_texts("TRUE false true", "TRUE", NULL, "true");
    check_texts("red Redd", "red", NULL, NULL);
}

static void check_kind(const char *format, const char *kind)
{
    prepared p;
    table_text t = {0};
    const dt_prepare_plan plan = plan_all();
    table_add(&t, "text,x,kind\n");
    for (unsigned i = 0; i < 40; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "%u:%02u:%02u", i + 24, i, 59 - i);
        if (strcmp(format, "date") == 0 && i % 2 == 0)
            (void)snprintf(text, sizeof text, "20%02u-%02u-11", i + 10, i % 9 + 1);
        else if (strcmp(format, "date") == 0)
            (void)snprintf(text, sizeof text, "%u.07.20%02u", i % 9 + 1, i + 10);
        if (strcmp(format, "text") == 0)
            (void)snprintf(text, sizeof text, "n%u:%02u", i + 24, i);
        table_add(&t, "%s,%u,%s\n", text, i * i % 7, i % 3 == 0 ? "yes" : "no");
    }
    table_write(&t);
    if (prepared_survey(&p, &plan) != DT_OK)
        fail_msg("%s", dt_status_text());
    assert_true(column_of(&p, "text")->is_text);
    assert_string_equal(column_of(&p, "text")->kind, kind);
    prepared_clear(&p);
}

static void test_kinds_of_texts(void **state)
{
    (void)state;
    check_kind("duration", "times or durations: write numbers, as seconds");
    check_kind("date", "dates in more than one form: write one");
    check_kind("text", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_that_hardly_repeat),
        cmocka_unit_test(test_more_texts_than_categories),
        cmocka_unit_test(test_categories_that_hold_few_rows),
        cmocka_unit_test(test_names_of_keys),
        cmocka_unit_test(test_numbers_of_keys),
        cmocka_unit_test(test_numbers_that_number_rows),
        cmocka_unit_test(test_texts_like_numbers),
        cmocka_unit_test(test_kinds_of_texts),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
