#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/io/date.h"
#include "random_text.h"
#include "same_bits.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define BIT(order) (1u << (order))

static dt_date read_date(const char *text, dt_date_order order)
{
    dt_date date = {0};
    if (!dt_date_read(&date, text, strlen(text), order))
        fail_msg("'%s' is refused as %s", text, dt_date_order_name(order));
    return date;
}

/* `time` is in seconds; days are since 1970, as date -d DAY +%s has them. */
static void assert_days(const char *text, dt_date_order order, double days, double time)
{
    const double expected = days + time / 86400.0;
    const dt_date date = read_date(text, order);
    if (!same_bits(date.days, expected))
        fail_msg("'%s' is %.17g, expected %.17g", text, date.days, expected);
}

static void assert_orders(const char *text, unsigned expected)
{
    dt_date_look look;
    const bool fits = dt_date_look_at(&look, text, strlen(text));
    if (look.orders != expected || fits != (expected != 0))
        fail_msg("'%s' has orders %u, expected %u", text, look.orders, expected);
}

static void reads_dates(void **state)
{
    (void)state;
    enum { DAY = 18658 }; /* 2021-01-31 */
    static const char *const ymd[] = {"2021-01-31",
                                      "2021/1/31",
                                      "2021.01.31",
                                      "20210131",
                                      "21-01-31",
                                      "2021-Jan-31",
                                      "2021 January 31",
                                      " 2021-01-31 ",
                                      "20210131.0",
                                      "2021. 1. 31.",
                                      "Sun, 2021-01-31",
                                      "20210131T000000",
                                      "2021-01-31T00:00:00Z",
                                      "202101310000",
                                      "20210131000000",
                                      "2021-01-31 00:00:00.000",
                                      "2021-01-31 12:00 AM",
                                      "2021-01-30 24:00",
                                      "2021-01-31 00:00Z",
                                      "2021-01-31T020000+02:00"};
    static const char *const dmy[] = {"31.01.2021",
                                      "31.1.2021",
                                      "31/01/2021",
                                      "31-1-21",
                                      "31 Jan 2021",
                                      "31-JAN-2021",
                                      "31-Jan-21",
                                      "31 January 2021",
                                      "31st January, 2021",
                                      "31. 1. 2021",
                                      "31.1.2021 0:00",
                                      "Sunday, 31 January 2021",
                                      "31JAN2021",
                                      "31/Jan/21",
                                      "31/Jan/2021:00:00:00 +0000",
                                      "31. Jan 21",
                                      "31.1.21, 0:00 Uhr",
                                      "31.1.21 12:00 a.m.",
                                      "31.1.21, 00:00",
                                      "31/01/2021 00:00:00 UTC"};
    static const char *const mdy[] = {"01/31/2021",       "1/31/21",
                                      "1-31-2021",        "Jan 31, 2021",
                                      "January 31 2021",  "Jan. 31, 2021",
                                      "1/31/2021 0:00",   "1/31/2021, 12:00:00 AM",
                                      "Jan 31st, 2021",   "Sun Jan 31 00:00:00 2021",
                                      "Jan 31 21 00:00Z", "Sun Jan 31 00:00:00 +0000 2021"};
    for (size_t i = 0; i < sizeof ymd / sizeof *ymd; i++)
        assert_days(ymd[i], DT_DATE_YMD, DAY, 0);
    for (size_t i = 0; i < sizeof dmy / sizeof *dmy; i++)
        assert_days(dmy[i], DT_DATE_DMY, DAY, 0);
    for (size_t i = 0; i < sizeof mdy / sizeof *mdy; i++)
        assert_days(mdy[i], DT_DATE_MDY, DAY, 0);
    static const char *const foreign[] = {
        "31. Januar 2021", "31 janvier 2021", "31. J\u00c4N. 2021", "31-ene-21",
        "31 GEN 2021",     "31. jan. 2021",   "31/Janv/2021",       "31. J\u00e4nner 21"};
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        assert_days(foreign[i], DT_DATE_DMY, DAY, 0);
    static const char *const months[] = {"Jan",    "f\u00e9v", "M\u00e4rz", "avr",
                                         "maggio", "juin",     "Juil",      "AO\u00dbT",
                                         "set",    "Okt",      "nov",       "d\u00e9c"};
    static const int days[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    for (int i = 0; i < 12; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "1 %s 2021", months[i]);
        assert_days(text, DT_DATE_DMY, DAY - 30 + days[i], 0);
    }
    static const char *const full[] = {"Januar",   "f\u00e9vrier", "M\u00c4RZ", "abril",
                                       "Mai",      "juin",         "Juli",      "AO\u00dbT",
                                       "SETEMBRO", "Oktober",      "noviembre", "d\u00e9cembre"};
    for (int i = 0; i < 12; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "%s 2021", full[i]);
        assert_days(text, DT_DATE_MY, DAY - 30 + days[i], 0);
    }
    assert_days("12-set-20", DT_DATE_DMY, 18517, 0);
    assert_days("5. M\u00e4rz 21", DT_DATE_DMY, 18691, 0);
    assert_days("5. M\u00e4rz 1850", DT_DATE_DMY, -43766, 0);
    assert_days("M\u00e4rz 5, 2021", DT_DATE_MDY, 18691, 0);
    assert_days("Jan 1850", DT_DATE_MY, -43829, 0);
    assert_days("2021-01", DT_DATE_YM, DAY - 30, 0);
    assert_days("2021 Jan", DT_DATE_YM, DAY - 30, 0);
    assert_days("01/2021", DT_DATE_MY, DAY - 30, 0);
    assert_days("January 2021", DT_DATE_MY, DAY - 30, 0);
    assert_days("Jan-21", DT_DATE_MY, DAY - 30, 0);
    assert_days("2021Q1", DT_DATE_YM, DAY - 30, 0);
    assert_days("2021-q1", DT_DATE_YM, DAY - 30, 0);
    assert_days("Q1 2021", DT_DATE_MY, DAY - 30, 0);
    assert_days("2020Q4", DT_DATE_YM, DAY - 122, 0);
    assert_days("2020M10", DT_DATE_YM, DAY - 122, 0);
    assert_days("1969-12-31", DT_DATE_YMD, -1, 0);
    assert_days("2000-02-29", DT_DATE_YMD, 11016, 0);
    assert_days("1/2/68", DT_DATE_MDY, 35795, 0); /* 2068 */
    assert_days("1/2/69", DT_DATE_MDY, -364, 0); /* 1969 */
    assert_days("1899-12-30", DT_DATE_YMD, -25569, 0); /* where spreadsheets begin */
}

static void reads_times(void **state)
{
    (void)state;
    assert_days("13:45", DT_DATE_TIME, 0, 49500);
    assert_days("1:45 PM", DT_DATE_TIME, 0, 49500);
    assert_days("1:45:10pm", DT_DATE_TIME, 0, 49510);
    assert_days("12:30 AM", DT_DATE_TIME, 0, 1800);
    assert_days("12:30 PM", DT_DATE_TIME, 0, 45000);
    assert_days("5 PM", DT_DATE_TIME, 0, 61200);
    assert_days("5 p.m.", DT_DATE_TIME, 0, 61200);
    assert_days("9 a.m.", DT_DATE_TIME, 0, 32400);
    assert_days("00:00:00.25", DT_DATE_TIME, 0, 0.25);
    assert_days("2021-01-31 13:45", DT_DATE_YMD, 18658, 49500);
    assert_days("2021-01-31T13:45:10Z", DT_DATE_YMD, 18658, 49510);
    assert_days("2021-01-31 13:45:10.5", DT_DATE_YMD, 18658, 49510.5);
    assert_days("2021-01-31 13:45:10,5", DT_DATE_YMD, 18658, 49510.5);
    assert_days("2021-01-31T13:45:10+02:00", DT_DATE_YMD, 18658, 42310);
    assert_days("2021-01-31 13:45:10-0330", DT_DATE_YMD, 18658, 62110);
    assert_days("2021-01-31 13:45:10-05", DT_DATE_YMD, 18658, 67510);
    assert_days("20141013T134510", DT_DATE_YMD, 16356, 49510);
    assert_days("31.1.2021 1:45 pm", DT_DATE_DMY, 18658, 49500);
    assert_days("31JAN2021:13:45:10", DT_DATE_DMY, 18658, 49510);
}

static void tells_orders(void **state)
{
    (void)state;
    const unsigned both = BIT(DT_DATE_DMY) | BIT(DT_DATE_MDY);
    assert_orders("01/02/2021", both);
    assert_orders("01/13/2021", BIT(DT_DATE_MDY));
    assert_orders("13/01/2021", BIT(DT_DATE_DMY));
    assert_orders("2021-01-02", BIT(DT_DATE_YMD));
    assert_orders("01-02-03", both | BIT(DT_DATE_YMD));
    assert_orders("1/2/03", both);
    assert_orders("21-13-01", 0);
    assert_orders("1 Feb 03", BIT(DT_DATE_DMY));
    assert_orders("2021-02", BIT(DT_DATE_YM));
    assert_orders("13:45", BIT(DT_DATE_TIME));
    dt_date_look look;
    assert_true(dt_date_look_at(&look, "2009-10", 7) && look.is_season && look.divider == '-');
    assert_true(dt_date_look_at(&look, "2009-11", 7) && !look.is_season);
    assert_true(dt_date_look_at(&look, "1.2.2021", 8) && look.divider == '.');
}

static void refuses_what_are_no_dates(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "2021",
                                        "may",
                                        "Monday",
                                        "Jan 31",
                                        "31 Jan",
                                        "2021-02-29",
                                        "2021-13-01",
                                        "2021-1-32",
                                        "31-02-2021",
                                        "1-2",
                                        "1/2",
                                        "3-1",
                                        "16:9",
                                        "25:00",
                                        "13:60",
                                        "13:45:61",
                                        "1:5",
                                        "10.15.7",
                                        "192.168.1.1",
                                        "555-1234",
                                        "12-34-56",
                                        "1-2/2021",
                                        "2021-1.2",
                                        "20211301",
                                        "18991231",
                                        "21010101",
                                        "2021013",
                                        "2021-01-31x",
                                        "x2021-01-31",
                                        "-2021-01-31",
                                        "1 2 2021",
                                        "1,2,2021",
                                        "2021-01-31 13:45 13:45",
                                        "13:45-14:30",
                                        "2021-01-31 13 PM",
                                        "2021-01-31 0:10 AM",
                                        "0000-00-00",
                                        "0001-01-01",
                                        "2021--01-31",
                                        "Mon 13:45",
                                        "2021-01-31 13:45 PST",
                                        "T13:45",
                                        "Feb 2021 3",
                                        "Jan Feb 2021",
                                        "2021-01-31 13:45+20:00",
                                        "2021-01-31 13:45+02:99",
                                        "2021-01-31 25:00",
                                        "2020-21",
                                        "2020Q5",
                                        "2020Q10",
                                        "2020M13",
                                        "Q1",
                                        "SET-12",
                                        "GEN-21",
                                        "SET-1001",
                                        "GEN1001",
                                        "GEN2001",
                                        "Januar2021",
                                        "OUT-28-60",
                                        "OUT 2000",
                                        "OTT 2001",
                                        "MAI 2003",
                                        "2003 MAI",
                                        "12SET2001",
                                        "M\u00e4rz 1850",
                                        "DEC-1001",
                                        "9 a.x.",
                                        "1 jui 2021",
                                        "1 mag",
                                        "1 M\u00e4rzx 2021",
                                        "2021Q"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_orders(texts[i], 0);
    dt_date date = {.days = 7};
    assert_false(dt_date_read(&date, "31.01.2021", 10, DT_DATE_YMD));
    assert_false(dt_date_read(&date, "2021-01-31", 10, DT_DATE_DMY));
    assert_false(dt_date_read(&date, "2021-01-31", 10, DT_DATE_TIME));
    assert_false(dt_date_read(&date, "2021-01", 7, DT_DATE_YMD));
    assert_false(dt_date_read(&date, "2021-01-31", 10, DT_DATE_NONE));
    assert_true(same_bits(date.days, 7));
}

static void tells_shares(void **state)
{
    (void)state;
    dt_date date = read_date("2021-07-01", DT_DATE_YMD); /* a Thursday */
    assert_true(same_bits(date.month, 0.5) && same_bits(date.hour, 0.0));
    assert_true(same_bits(date.weekday, 3.0 / 7));
    assert_int_equal(date.day, 1);
    date = read_date("1969-12-29 12:00", DT_DATE_YMD); /* a Monday before the first day */
    assert_true(same_bits(date.weekday, 0.5 / 7) && same_bits(date.hour, 0.5));
    date = read_date("2020-12-31", DT_DATE_YMD);
    const dt_date other = read_date("2021-12-31", DT_DATE_YMD);
    assert_true(same_bits(date.month, other.month)); /* a leap year, too */
    date = read_date("2021-07", DT_DATE_YM);
    assert_true(same_bits(date.month, 0.5) && same_bits(date.weekday, 0.0));
    date = read_date("18:00", DT_DATE_TIME);
    assert_true(same_bits(date.hour, 0.75) && same_bits(date.days, 0.75));
    assert_true(same_bits(date.month, 0.0) && same_bits(date.weekday, 0.0) && date.day == 0);
}

static void shows_dates(void **state)
{
    (void)state;
    char text[DT_DATE_BYTES];
    assert_string_equal(dt_date_show(text, 18658, DT_DATE_DMY), "2021-01-31");
    assert_string_equal(dt_date_show(text, 18658.5, DT_DATE_DMY), "2021-01-31 12:00");
    assert_string_equal(dt_date_show(text, -0.25, DT_DATE_YMD), "1969-12-31 18:00");
    assert_string_equal(dt_date_show(text, 18658, DT_DATE_MY), "2021-01");
    assert_string_equal(dt_date_show(text, 49500.0 / 86400, DT_DATE_TIME), "13:45");
    assert_string_equal(dt_date_show(text, 1e9, DT_DATE_YMD), "day 1e+09");
    assert_string_equal(dt_date_show(text, (double)NAN, DT_DATE_YMD), "day nan");
    /* Every day of 1600 to 2400 is the one after the day before, and is shown as it is read. */
    for (double day = -135140; day < 157420; day++)
        assert_days(dt_date_show(text, day, DT_DATE_YMD), DT_DATE_YMD, day, 0);
}

static void bears_any_text(void **state)
{
    (void)state;
    static const char alphabet[] = "0123456789012345-/.,: +TZamAMpPJanFebMay\xc2\xa0";
    uint32_t random = 1;
    for (int round = 0; round < 300000; round++) {
        char text[24];
        dt_date_look look;
        dt_date date;
        const size_t bytes = random_text(text, sizeof text, alphabet, &random);
        (void)dt_date_look_at(&look, text, bytes);
        for (int order = DT_DATE_NONE; order < DT_DATE_ORDERS; order++)
            assert_int_equal(dt_date_read(&date, text, bytes, (dt_date_order)order),
                             (look.orders & BIT(order)) != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_dates),    cmocka_unit_test(reads_times),
        cmocka_unit_test(tells_orders),   cmocka_unit_test(refuses_what_are_no_dates),
        cmocka_unit_test(tells_shares),   cmocka_unit_test(shows_dates),
        cmocka_unit_test(bears_any_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
