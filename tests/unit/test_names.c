/* rooms: data */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/data/recipe/names.h"

#include <string.h>

static void assert_spelled(const char *text, const char *expected)
{
    char form[DT_SPELLING_BYTES] = "";
    const size_t length = dt_spelling(form, text, strlen(text));
    if (length != strlen(expected) || (length > 0 && strcmp(form, expected) != 0))
        fail_msg("'%s' has the form '%s', expected '%s'", text, form, expected);
}

static void finds_the_form(void **state)
{
    (void)state;
    assert_spelled("New  York ", "new york");
    assert_spelled("\tNew\nYork", "new york");
    assert_spelled("K\u00d6LN\u00a0S\u00dcD ", "k\u00f6ln s\u00fcd");
    assert_spelled("1.0", "1");
    assert_spelled("1.50", "1.5");
    assert_spelled("+1.", "1");
    assert_spelled("-0.0", "0");
    assert_spelled("-2.0", "-2");
    assert_spelled("100", "100");
    assert_spelled("007", "007");
    assert_spelled("1.0.0", "1.0.0");
    assert_spelled("v1.0", "v1.0");
    assert_spelled(".0", ".0");
    assert_spelled("TRUE", "1");
    assert_spelled("false", "0");
    assert_spelled("", "");
    assert_spelled("  ", "");
    char text[DT_SPELLING_BYTES + 1];
    memset(text, 'a', sizeof text);
    text[sizeof text - 2] = '\0';
    assert_spelled(text, text);
    text[sizeof text - 2] = 'a';
    text[sizeof text - 1] = '\0';
    assert_spelled(text, "");
}

static int32_t find(const dt_names *names, const char *text)
{
    const int32_t exact = dt_names_find(names, text, strlen(text));
    return exact >= 0 ? exact : dt_names_find_spelled(names, text, strlen(text));
}

static void finds_one_name_alone(void **state)
{
    (void)state;
    static const char *const texts[] = {"Yes", "no", "NO", "1", "2.0", "unknown"};
    dt_names names = {0};
    for (int32_t i = 0; i < 6; i++)
        assert_int_equal(dt_names_add(&names, texts[i], strlen(texts[i]), i), 0);
    assert_int_equal(find(&names, "Yes"), 0);
    assert_int_equal(find(&names, "YES "), 0);
    assert_int_equal(find(&names, "no"), 1);
    assert_int_equal(find(&names, "NO"), 2);
    assert_int_equal(find(&names, "No"), -1); /* one of two */
    assert_int_equal(find(&names, "1.0"), 3);
    assert_int_equal(find(&names, "True"), 3);
    assert_int_equal(find(&names, "2"), 4);
    assert_int_equal(find(&names, "3"), -1);
    assert_int_equal(find(&names, ""), -1);
    dt_names_clear(&names);
    assert_int_equal(find(&names, "Yes"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_form),
        cmocka_unit_test(finds_one_name_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
