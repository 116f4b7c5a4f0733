#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/base/random.h"
#include "dtrain/io/csv.h"
#include "same_bits.h"

#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES = 200000, TEXT_BYTES = 400 };

static void assert_number(const char *text, char decimal, double expected)
{
    double got = 7;
    if (!dt_csv_number(&got, text, strlen(text), decimal))
        fail_msg("'%s' is refused", text);
    if (!same_bits(got, expected))
        fail_msg("'%s' is %a, expected %a", text, got, expected);
}

static void assert_refused(const char *text, char decimal)
{
    double got = 7;
    if (dt_csv_number(&got, text, strlen(text), decimal))
        fail_msg("'%s' is taken for %.17g", text, got);
}

static void takes_numbers(void **state)
{
    (void)state;
    assert_number("0", '.', 0.0);
    assert_number("-0", '.', -0.0);
    assert_number("+3", '.', 3);
    assert_number("1.", '.', 1);
    assert_number(".5", '.', 0.5);
    assert_number("-.5", '.', -0.5);
    assert_number(" 12 ", '.', 12);
    assert_number("\t12\t", '.', 12);
    assert_number("1e5", '.', 1e5);
    assert_number("1E+5", '.', 1e5);
    assert_number("25e-1", '.', 2.5);
    assert_number("007", '.', 7);
    assert_number("0.000", '.', 0);
    assert_number("-0e99999999999999999999", '.', -0.0);
    assert_number("3,14", ',', 3.14);
    assert_number(",5", ',', 0.5);
    assert_number("1,", ',', 1);
    assert_number("-1,5e3", ',', -1500);
    assert_number("12", ',', 12);
    assert_number("9007199254740993", '.', 9007199254740992.0); /* 2^53 + 1: to even */
    assert_number("9007199254740993.0000000001", '.', 9007199254740994.0);
    assert_number("18446744073709551615", '.', 18446744073709551615.0);
    assert_number("0,1234567890123456789012345678901234567890", ',', 0.12345678901234568);
    assert_number("1.7976931348623157e308", '.', 1.7976931348623157e308);
    assert_number("4.9e-324", '.', 4.9e-324);
    assert_number("2.2250738585072011e-308", '.', 2.2250738585072011e-308);
    assert_number("1e-400", '.', 0.0);
    assert_number("-1e-99999999999", '.', -0.0);
    assert_number("0.000000000000000000000000000000000000000000001e45", '.', 1);
}

static void refuses_the_rest(void **state)
{
    (void)state;
    static const char *const texts[] = {"",        " ",
                                        ".",       "+",
                                        "-",       "e5",
                                        "1e",      "1e+",
                                        "1e-",     "--1",
                                        "+-1",     "0x10",
                                        "inf",     "nan",
                                        "-inf",    "INFINITY",
                                        "NaN",     "1 000",
                                        "1_000",   "1.2.3",
                                        "1e5.5",   "1e 5",
                                        "- 1",     "1-",
                                        "1a",      "a1",
                                        "1,5",     "1,",
                                        ",5",      "1'000",
                                        "1e400",   "-1e400",
                                        "1.8e308", "1e99999999999999999999",
                                        ".e5",     "1f",
                                        "1\n",     "\v1",
                                        "1d5",     "1%",
                                        "$1",      "\302\2401"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_refused(texts[i], '.');
    assert_refused("1.5", ',');
    assert_refused(".5", ',');
    assert_refused("1.000,5", ',');
    assert_refused(",", ',');
}

/* Only `bytes` of the text count, and a NUL among them is no part of a number. */
static void stays_within_its_bytes(void **state)
{
    (void)state;
    double got = 0;
    assert_true(dt_csv_number(&got, "123456", 3, '.'));
    assert_true(got == 123);
    assert_true(dt_csv_number(&got, "1e5", 1, '.'));
    assert_true(got == 1);
    assert_false(dt_csv_number(&got, "12\0", 3, '.'));
    assert_false(dt_csv_number(&got, "1", 0, '.'));
    assert_true(dt_csv_number(&got, "12345678901234567890123e-3999", 23, '.'));
    assert_true(same_bits(got, 12345678901234567890123.0));
}

static void takes_long_numbers(void **state)
{
    (void)state;
    char text[2000];
    double got = 0;
    memset(text, '3', sizeof text);
    text[1] = '.';
    assert_true(dt_csv_number(&got, text, 500, '.'));
    assert_true(same_bits(got, 10.0 / 3));
    assert_false(dt_csv_number(&got, text, sizeof text, '.'));
    memset(text, '0', sizeof text);
    text[1900] = '.';
    assert_true(dt_csv_number(&got, text, sizeof text, '.'));
    assert_true(got == 0);
    text[1899] = '5';
    assert_true(dt_csv_number(&got, text, sizeof text, '.'));
    assert_true(got == 5);
}

/* ---- against strtod, bit for bit ---- */

static void check_against_strtod(const char *text)
{
    double got = 7;
    const double expected = strtod(text, NULL);
    const bool good = dt_csv_number(&got, text, strlen(text), '.');
    if (good != isfinite(expected))
        fail_msg("'%s' is %s, strtod says %g", text, good ? "taken" : "refused", expected);
    if (good && !same_bits(got, expected))
        fail_msg("'%s' is %a, strtod says %a", text, got, expected);
}

static double random_double(dt_random *random)
{
    double value;
    do {
        const uint64_t bits =
            (uint64_t)dt_random_u32(random) << 32 | (uint64_t)dt_random_u32(random);
        memcpy(&value, &bits, sizeof value);
    } while (!isfinite(value));
    return value;
}

static void equals_strtod_on_printed_doubles(void **state)
{
    (void)state;
    dt_random random = dt_random_start(1, DT_RANDOM_EXAMPLE, 0);
    char text[TEXT_BYTES];
    for (int i = 0; i < TRIES; i++) {
        const int digits = 1 + (int)dt_random_below(&random, 21);
        const double near_one =
            dt_random_normal(&random) * pow(10, (int)dt_random_below(&random, 9));
        (void)snprintf(text, sizeof text, "%.*g", digits, random_double(&random));
        check_against_strtod(text);
        (void)snprintf(text, sizeof text, "%.*g", digits, near_one);
        check_against_strtod(text);
        (void)snprintf(text, sizeof text, "%.*f", digits, near_one);
        check_against_strtod(text);
    }
}

static void equals_strtod_on_random_digits(void **state)
{
    (void)state;
    dt_random random = dt_random_start(2, DT_RANDOM_EXAMPLE, 0);
    char text[TEXT_BYTES];
    for (int i = 0; i < TRIES; i++) {
        size_t used = 0;
        const size_t digits = 1 + dt_random_below(&random, 24);
        const size_t point = dt_random_below(&random, digits + 5);
        for (size_t d = 0; d < digits; d++) {
            if (d == point)
                text[used++] = '.';
            text[used++] = (char)('0' + dt_random_below(&random, 10));
        }
        const int exponent = (int)dt_random_below(&random, i % 2 == 0 ? 80 : 700);
        (void)snprintf(text + used, sizeof text - used, "e%d", exponent - (i % 2 == 0 ? 40 : 350));
        check_against_strtod(text);
    }
}

/* Half-way between two doubles, and a digit off it: where a rounding that is nearly right fails. */
static void equals_strtod_half_way(void **state)
{
    (void)state;
    dt_random random = dt_random_start(3, DT_RANDOM_EXAMPLE, 0);
    char text[TEXT_BYTES];
    for (int i = 0; i < TRIES; i++) {
        /* A 54-bit odd number is half-way; times a power of five it has a short decimal form. */
        const uint64_t odd = ((uint64_t)dt_random_u32(&random) << 22 |
                              (uint64_t)dt_random_u32(&random) >> 10 | UINT64_C(1) << 53 | 1) &
                             ((UINT64_C(1) << 54) - 1);
        const unsigned shift = (unsigned)dt_random_below(&random, 10);
        const uint64_t number = (odd << shift) + dt_random_below(&random, 3) - 1;
        (void)snprintf(text, sizeof text, "%llu", (unsigned long long)number);
        check_against_strtod(text);
        (void)snprintf(text, sizeof text, "%llu.%llue%d", (unsigned long long)(number / 1000),
                       (unsigned long long)(number % 1000 + 1000),
                       (int)dt_random_below(&random, 60) - 30);
        check_against_strtod(text);
        /* Few bits times 5^q, or divided by it: exact quotients and near misses. */
        uint64_t five = 1;
        for (uint64_t q = dt_random_below(&random, 12); q > 0; q--)
            five *= 5;
        const uint64_t bits = (number >> 27) * five;
        (void)snprintf(text, sizeof text, "%llue%d",
                       (unsigned long long)(bits + dt_random_below(&random, 2)),
                       -(int)dt_random_below(&random, 28));
        check_against_strtod(text);
    }
    for (int e = -30; e <= 30; e++) {
        static const char *const digits[] = {"1", "9007199254740991", "9007199254740992",
                                             "9223372036854775807", "9999999999999999999"};
        for (size_t i = 0; i < sizeof digits / sizeof digits[0]; i++) {
            (void)snprintf(text, sizeof text, "%se%d", digits[i], e);
            check_against_strtod(text);
        }
    }
}

/* What is taken is exactly what this expression says. */
static void takes_what_the_grammar_says(void **state)
{
    (void)state;
    static const char letters[] = "0123456789..eE+- \tx,";
    dt_random random = dt_random_start(4, DT_RANDOM_EXAMPLE, 0);
    regex_t grammar;
    int taken = 0;
    assert_int_equal(regcomp(&grammar,
                             "^[ \t]*[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?[ \t]*$",
                             REG_EXTENDED | REG_NOSUB),
                     0);
    for (int i = 0; i < TRIES; i++) {
        char text[10];
        double got = 0;
        const size_t bytes = dt_random_below(&random, sizeof text);
        for (size_t j = 0; j < bytes; j++)
            text[j] = letters[dt_random_below(&random, sizeof letters - 1)];
        text[bytes] = '\0';
        const double value = strtod(text, NULL);
        const bool expected = regexec(&grammar, text, 0, NULL, 0) == 0 && isfinite(value);
        if (dt_csv_number(&got, text, bytes, '.') != expected)
            fail_msg("'%s' is wrongly %s", text, expected ? "refused" : "taken");
        if (expected && !same_bits(got, value))
            fail_msg("'%s' is %g", text, got);
        taken += expected;
    }
    regfree(&grammar);
    assert_true(taken > TRIES / 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_numbers),
        cmocka_unit_test(refuses_the_rest),
        cmocka_unit_test(stays_within_its_bytes),
        cmocka_unit_test(takes_long_numbers),
        cmocka_unit_test(equals_strtod_on_printed_doubles),
        cmocka_unit_test(equals_strtod_on_random_digits),
        cmocka_unit_test(equals_strtod_half_way),
        cmocka_unit_test(takes_what_the_grammar_says),
    };
    return cmocka_run_group_tests_name("csv_number", tests, NULL, NULL);
}
