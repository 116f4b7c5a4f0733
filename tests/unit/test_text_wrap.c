#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dtrain/base/text_wrap.h"

/* The lines of `text` are those of `expected`, which "\n" divides. */
static void check(const char *text, size_t width, size_t least, const char *expected)
{
    char lines[512] = "";
    for (size_t used = 0; *text != '\0'; text += strspn(text, " ")) {
        const size_t bytes = dt_text_break(text, width, least);
        assert_true(bytes > 0);
        used += (size_t)snprintf(lines + used, sizeof lines - used, "%s%.*s", used > 0 ? "\n" : "",
                                 (int)bytes, text);
        text += bytes;
    }
    assert_string_equal(lines, expected);
}

static void lines_break_at_blanks(void **state)
{
    (void)state;
    check("", 10, 10, "");
    check("one", 10, 10, "one");
    check("ten letter", 10, 10, "ten letter");
    check("ten letters", 10, 10, "ten\nletters");
    check("a  b   c", 3, 3, "a\nb\nc");
    check("\xc3\xa4\xc3\xb6\xc3\xbc \xc3\xa4", 5, 5, "\xc3\xa4\xc3\xb6\xc3\xbc \xc3\xa4");
    check("\xc3\xa4\xc3\xb6\xc3\xbc \xc3\xa4", 4, 4, "\xc3\xa4\xc3\xb6\xc3\xbc\n\xc3\xa4");
}

static void phrases_are_kept_together(void **state)
{
    (void)state;
    check("loss 1, rate 2, size 3", 14, 14, "loss 1, rate\n2, size 3");
    check("loss 1, rate 2, size 3", 14, 5, "loss 1,\nrate 2, size 3");
    check("loss 1, rate 2, size 3", 14, 9, "loss 1, rate\n2, size 3");
}

static void wide_words_break_at_joints(void **state)
{
    (void)state;
    check("one of (first|second|third)", 12, 12, "one of\n(first|\nsecond|\nthird)");
    check("[1,22,333,4444]", 8, 8, "[1,22,\n333,\n4444]");
    check("a unbreakable b", 5, 5, "a\nunbreakable\nb");
}

static void middles_are_left_out(void **state)
{
    (void)state;
    char text[32] = "a/long/path/of/\xc3\xa4\xc3\xb6\xc3\xbc";
    dt_text_shorten(text, 18, 5);
    assert_string_equal(text, "a/long/path/of/\xc3\xa4\xc3\xb6\xc3\xbc");
    dt_text_shorten(text, 12, 4);
    assert_string_equal(text, "a/lo...f/\xc3\xa4\xc3\xb6\xc3\xbc");
    assert_int_equal(dt_text_width(text), 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_break_at_blanks),
        cmocka_unit_test(phrases_are_kept_together),
        cmocka_unit_test(wide_words_break_at_joints),
        cmocka_unit_test(middles_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
