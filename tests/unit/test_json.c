#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/base/memory.h"
#include "dtrain/io/json.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static dt_json *start(void)
{
    dt_json *json = NULL;
    assert_int_equal(dt_json_new(&json), DT_OK);
    return json;
}

static void assert_text(dt_json *json, const char *expected)
{
    char *text = NULL;
    assert_int_equal(dt_json_finish(&text, json), DT_OK);
    assert_string_equal(text, expected);
    dt_memory_free(text);
}

static void an_empty_object_is_one(void **state)
{
    (void)state;
    assert_text(start(), "{}\n");
}

static void members_keep_their_order(void **state)
{
    (void)state;
    dt_json *json = start();
    dt_json_add_text(json, "z", "a \"quote\"\n");
    dt_json_add_int(json, "i", INT64_MIN);
    dt_json_add_bool(json, "b", true);
    dt_json_add_null(json, "n");
    dt_json_add_text(json, "t", NULL);
    dt_json_begin_list(json, "l");
    dt_json_add_double(json, NULL, 0.5);
    dt_json_begin_object(json, NULL);
    dt_json_add_int(json, "deep", 1);
    dt_json_end(json);
    dt_json_end(json);
    dt_json_begin_object(json, "o");
    dt_json_end(json);
    dt_json_add_bool(json, "a", false);
    assert_text(json, "{\n  \"z\": \"a \\\"quote\\\"\\n\",\n  \"i\": -9223372036854775808,\n"
                      "  \"b\": true,\n  \"n\": null,\n  \"t\": null,\n  \"l\": [\n    0.5,\n"
                      "    {\n      \"deep\": 1\n    }\n  ],\n  \"o\": {},\n  \"a\": false\n}\n");
}

static void what_is_open_is_closed(void **state)
{
    (void)state;
    dt_json *json = start();
    dt_json_begin_list(json, "l");
    dt_json_begin_list(json, NULL);
    assert_text(json, "{\n  \"l\": [\n    []\n  ]\n}\n");
    dt_json_discard(start());
    dt_json_discard(NULL);
}

static void numbers_that_json_has_not_are_null(void **state)
{
    (void)state;
    dt_json *json = start();
    dt_json_add_double(json, "a", NAN);
    dt_json_add_double(json, "b", -INFINITY);
    assert_text(json, "{\n  \"a\": null,\n  \"b\": null\n}\n");
}

static void doubles_keep_their_bits(void **state)
{
    (void)state;
    static const double values[] = {
        0.1, 1.0 / 3.0, DBL_MAX, DBL_MIN, 4.9406564584124654e-324, -0.0, 9007199254740993.0};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char *text = NULL;
        dt_json *json = start();
        dt_json_add_double(json, "v", values[i]);
        assert_int_equal(dt_json_finish(&text, json), DT_OK);
        const double back = strtod(strchr(text, ':') + 1, NULL);
        assert_memory_equal(&back, &values[i], sizeof back);
        dt_memory_free(text);
    }
}

#define BAD "\xef\xbf\xbd"

static void bytes_that_are_no_utf_8_are_replaced(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"\xc3\xa9t\xc3\xa9 \xf0\x9f\x98\x80 \xe2\x82\xac",
         "\xc3\xa9t\xc3\xa9 \xf0\x9f\x98\x80 \xe2\x82\xac"},
        {"\xe9t\xe9", BAD "t" BAD},
        {"\xc3", BAD}, /* cut off */
        {"\xf0\x9f\x98", BAD BAD BAD},
        {"\xc0\xaf", BAD BAD}, /* overlong */
        {"\xe0\x80\xaf", BAD BAD BAD},
        {"\xf0\x80\x80\xaf", BAD BAD BAD BAD},
        {"\xed\xa0\x80", BAD BAD BAD}, /* a surrogate */
        {"\xf4\x90\x80\x80", BAD BAD BAD BAD}, /* beyond U+10FFFF */
        {"\xf4\x8f\xbf\xbf \xee\x80\x80", "\xf4\x8f\xbf\xbf \xee\x80\x80"},
        {"\x80x\xff", BAD "x" BAD},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char expected[128];
        dt_json *json = start();
        dt_json_add_text(json, cases[i].text, cases[i].text);
        (void)snprintf(expected, sizeof expected, "{\n  \"%s\": \"%s\"\n}\n", cases[i].expected,
                       cases[i].expected);
        assert_text(json, expected);
    }
}

/* Whatever two bytes follow each other, what comes out is a text. */
static void every_pair_of_bytes_becomes_a_text(void **state)
{
    (void)state;
    dt_json *json = start();
    dt_json_begin_list(json, "l");
    for (int a = 1; a < 256; a++)
        for (int b = 1; b < 256; b++) {
            const char text[] = {'\xe0', (char)a, (char)b, '\xf0', (char)a, (char)b, '\x80', '\0'};
            dt_json_add_text(json, NULL, text);
            dt_json_add_text(json, NULL, text + 1);
        }
    char *out = NULL;
    assert_int_equal(dt_json_finish(&out, json), DT_OK);
    dt_memory_free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_object_is_one),
        cmocka_unit_test(members_keep_their_order),
        cmocka_unit_test(what_is_open_is_closed),
        cmocka_unit_test(numbers_that_json_has_not_are_null),
        cmocka_unit_test(doubles_keep_their_bits),
        cmocka_unit_test(bytes_that_are_no_utf_8_are_replaced),
        cmocka_unit_test(every_pair_of_bytes_becomes_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
