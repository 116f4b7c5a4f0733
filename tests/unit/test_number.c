#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/io/number.h"
#include "random_text.h"
#include "same_bits.h"

#include <string.h>

#define NBSP "\xc2\xa0"
#define NARROW "\xe2\x80\xaf"
#define MINUS "\xe2\x88\x92"
#define QUOTE "\xe2\x80\x99"
#define EURO "\xe2\x82\xac"

static const dt_number_format points = {.decimal = '.'}, commas = {.decimal = ','};

static void assert_reads(const char *text, dt_number_format format, double expected)
{
    double got = 7;
    if (!dt_number_read(&got, text, strlen(text), &format))
        fail_msg("'%s' is refused", text);
    if (!same_bits(got, expected))
        fail_msg("'%s' is %.17g, expected %.17g", text, got, expected);
}

static void assert_refuses(const char *text, dt_number_format format)
{
    double got = 7;
    if (dt_number_read(&got, text, strlen(text), &format))
        fail_msg("'%s' is taken for %.17g", text, got);
}

static dt_number_format grouped(char decimal, char group)
{
    return (dt_number_format){.decimal = decimal, .group = group};
}

static dt_number_format with_unit(const char *unit)
{
    dt_number_format format = points;
    memcpy(format.unit, unit, strlen(unit) + 1);
    return format;
}

static void reads_groups(void **state)
{
    (void)state;
    const dt_number_format comma = grouped('.', ','), point = grouped(',', '.');
    const dt_number_format blank = grouped(',', ' '), quote = grouped('.', '\'');
    assert_reads("1,023", comma, 1023);
    assert_reads("-1,234,567.25", comma, -1234567.25);
    assert_reads("12,34,567", comma, 1234567); /* lakhs */
    assert_reads("999", comma, 999);
    assert_reads("1023.5", comma, 1023.5);
    assert_reads("1.234,50", point, 1234.5);
    assert_reads("1.234.567", point, 1234567);
    assert_reads("13,75", point, 13.75);
    assert_reads("1 234,5", blank, 1234.5);
    assert_reads("1" NBSP "234" NBSP "567", blank, 1234567);
    assert_reads("1" NARROW "234,5", blank, 1234.5);
    assert_reads("1'234.5", quote, 1234.5);
    assert_reads("1" QUOTE "234", quote, 1234);
    assert_reads("1,023e3", comma, 1023000);
}

static void refuses_what_are_no_groups(void **state)
{
    (void)state;
    const dt_number_format comma = grouped('.', ','), point = grouped(',', '.');
    static const char *const texts[] = {
        "1,02",   "1,0234",  "0,123",     "012,345",   "1234,567",   ",123",      "1,234,56",
        "1,,234", "1.234,5", "1,234 567", "1,23,456,", "123,45,678", "12,345.6,7"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_refuses(texts[i], comma);
    assert_refuses("1,234", points); /* no groups are known */
    assert_refuses("1 234", comma);
    assert_refuses("01.02.2024", point);
    assert_refuses("2024-01-31", comma);
    assert_refuses("12:30", comma);
    assert_refuses("10-20", comma);
    assert_refuses("", comma);
    assert_refuses("-", comma);
    assert_refuses("()", comma);
    assert_refuses("$", comma);
}

static void reads_signs(void **state)
{
    (void)state;
    assert_reads(MINUS "4.75", points, -4.75);
    assert_reads("- 5", points, -5);
    assert_reads("+ 5", points, 5);
    assert_reads("(12)", points, -12);
    assert_reads("( 12.5 )", points, -12.5);
    assert_reads("12-", points, -12);
    assert_reads(NBSP "12" NBSP, points, 12);
    assert_refuses("--5", points);
    assert_refuses("-(5)", points);
    assert_refuses("(-5)", points);
    assert_refuses("-5-", points);
}

static void reads_exponents(void **state)
{
    (void)state;
    assert_reads("1.5D+03", points, 1500);
    assert_reads("1.5d-1", points, 0.15);
    assert_reads("0.25-101", points, 0.25e-101); /* Fortran leaves out the letter */
    assert_reads("0.25+101", points, 0.25e101);
    assert_reads("1,5D2", commas, 150);
    assert_refuses("25-101", points);
    assert_refuses("1.5D", points);
    assert_refuses("1.5D+3x", points);
}

static void reads_units(void **state)
{
    (void)state;
    assert_reads("$12", with_unit("$"), 12);
    assert_reads("-$12", with_unit("$"), -12);
    assert_reads("$-12", with_unit("$"), -12);
    assert_reads("($ 12)", with_unit("$"), -12);
    assert_reads("$(12.5)", with_unit("$"), -12.5);
    assert_reads("$ ( 12 )", with_unit("$"), -12);
    assert_refuses("-$(12)", with_unit("$"));
    assert_refuses("($(12))", with_unit("$"));
    assert_refuses("$(-12)", with_unit("$"));
    assert_reads("12", with_unit("$"), 12);
    assert_reads(EURO " 12", with_unit(EURO), 12);
    assert_reads("12 " EURO, with_unit(EURO), 12);
    assert_reads("USD 12.5", with_unit("USD"), 12.5);
    assert_reads("13.75%", with_unit("%"), 13.75);
    assert_reads("13.75 %", with_unit("%"), 13.75);
    assert_reads("12 kg", with_unit("kg"), 12);
    assert_reads("12kg", with_unit("kg"), 12);
    assert_reads("36 months", with_unit("months"), 36);
    assert_reads("80 km/h", with_unit("km/h"), 80);
    assert_reads("85 m2", with_unit("m2"), 85);
    assert_reads("21 \xc2\xb0"
                 "C",
                 with_unit("\xc2\xb0"
                           "C"),
                 21);
    assert_refuses("12 lb", with_unit("kg"));
    assert_refuses("12 kg", points);
    assert_refuses("user12", with_unit("user"));
    assert_refuses("Q1", with_unit("Q"));
    assert_refuses("12 kg 3", with_unit("kg"));
    assert_refuses("3 of the things that are many", points);
}

static void tells_both_readings(void **state)
{
    (void)state;
    dt_number_look look;
    assert_true(dt_number_look_at(&look, "1,023", 5));
    assert_true(look.point.fits && look.point.group == ',' && same_bits(look.point.value, 1023));
    assert_true(look.comma.fits && look.comma.group == 0 && same_bits(look.comma.value, 1.023));
    assert_false(look.is_long);
    assert_true(dt_number_look_at(&look, "1.234,5 kg", 10));
    assert_true(!look.point.fits && look.comma.fits && look.comma.group == '.');
    assert_string_equal(look.unit, "kg");
    assert_true(dt_number_look_at(&look, "1,234,567", 9));
    assert_true(look.point.fits && !look.comma.fits);
    assert_true(dt_number_look_at(&look, "0,123", 5));
    assert_true(!look.point.fits && look.comma.fits);
    assert_true(dt_number_look_at(&look, "1234", 4));
    assert_true(look.is_long && same_bits(look.point.value, look.comma.value));
    static const char *const not_short[] = {"1234", "0", "00", "1.5", "1,023", "1e2", "none"};
    for (size_t i = 0; i < sizeof not_short / sizeof *not_short; i++)
        assert_false(dt_number_look_at(&look, not_short[i], strlen(not_short[i])) && look.is_short);
    assert_true(dt_number_look_at(&look, "- 999 kg", 8) && look.is_short);
    assert_false(dt_number_look_at(&look, "none", 4));
    assert_false(dt_number_look_at(&look, "1,2,3", 5));
}

/* Codes, which letters lead, do not; numbers that cannot be read, and currencies, do. */
static void knows_what_is_like_one(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_like;
    } cells[] = {{"A1", false},
                 {"z17", false},
                 {"Q4 2020", false},
                 {"(B12)", false},
                 {"-A1", false},
                 {"none", false},
                 {"", false},
                 {"kg", false},
                 {"$A5", false},
                 {"about 12", false},
                 {"CHF 12.-", true},
                 {"Rs. 5 lakh", true},
                 {"12 to 15", true},
                 {"3h20", true},
                 {"<5", true},
                 {"(12 x)", true},
                 {"12 kg 3", true},
                 {"1.2.3", true},
                 {"\xe2\x89\x88 5", true},
                 {"\xe2\x82\xac 5 m", true},
                 {"-5 to 5", true},
                 {"12A4", true}};
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        if (dt_number_is_like(cells[i].text, strlen(cells[i].text)) != cells[i].is_like)
            fail_msg("'%s'", cells[i].text);
}

/* Any bytes: nothing is written beyond an end, and what is refused leaves the number alone. */
static void bears_any_text(void **state)
{
    (void)state;
    static const char alphabet[] = "0123456789.,' -+()eEdD$%k\xc2\xa0\xe2\x88\x92";
    uint32_t random = 1;
    for (int round = 0; round < 200000; round++) {
        char text[100];
        dt_number_look look;
        double got = 7;
        const size_t bytes = random_text(text, sizeof text, alphabet, &random);
        (void)dt_number_is_like(text, bytes);
        if (!dt_number_read(&got, text, bytes, &points))
            assert_true(same_bits(got, 7));
        else
            assert_true(dt_number_look_at(&look, text, bytes) && look.point.fits);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_groups),   cmocka_unit_test(refuses_what_are_no_groups),
        cmocka_unit_test(reads_signs),    cmocka_unit_test(reads_exponents),
        cmocka_unit_test(reads_units),    cmocka_unit_test(tells_both_readings),
        cmocka_unit_test(bears_any_text), cmocka_unit_test(knows_what_is_like_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
