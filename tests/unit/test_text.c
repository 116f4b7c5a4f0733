/* rooms: base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/base/random.h"
#include "dtrain/base/text.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- dt_text_nearest ---- */

static const char *const names[] = {"age", "balance", "job", "duration", "day", "campaign"};
enum { NAMES = sizeof names / sizeof *names };

static void check_nearest(const char *name, const char *expected)
{
    const size_t at = dt_text_nearest(name, names, NAMES);
    const char *found = at == SIZE_MAX ? "(none)" : at < NAMES ? names[at] : "(beyond)";
    if (strcmp(found, expected) != 0)
        fail_msg("'%s': found %s, expected %s", name, found, expected);
}

static void test_nearest(void **state)
{
    (void)state;
    check_nearest("balance", "balance");
    check_nearest("balanse", "balance"); /* replaced */
    check_nearest("balnce", "balance"); /* left out */
    check_nearest("ballance", "balance"); /* put in */
    check_nearest("blaance", "balance"); /* swapped: a distance of 2 */
    check_nearest("jab", "job");
    check_nearest("ag", "age");
    check_nearest("aga", "age");
    check_nearest("durations of", "duration"); /* a distance of 4, of twelve bytes */
    check_nearest("days of the", "(none)");
    check_nearest("salary", "(none)");
    check_nearest("xyz", "(none)");
    check_nearest("dey", "day");
    check_nearest("", "(none)");
    assert_true(dt_text_nearest("age", names, 0) == SIZE_MAX);
}

static void test_nearest_of_equals_and_long_names(void **state)
{
    (void)state;
    static const char *const equal[] = {"cart", "card", "care", "car"};
    assert_int_equal(dt_text_nearest("carx", equal, 3), 0); /* the first of equals */
    assert_int_equal(dt_text_nearest("car", equal, 4), 3); /* but the same one before all */
    char longest[64 + 1], text[80];
    memset(longest, 'n', 64);
    longest[64] = '\0';
    memset(text, 'n', 79);
    text[79] = '\0';
    const char *const some[] = {text, longest};
    assert_true(dt_text_nearest(longest, some, 2) == SIZE_MAX); /* of 64 bytes: not looked for */
    assert_int_equal(dt_text_nearest(longest + 1, some, 2), 1);
}

/* ---- dt_text_show ---- */

static void check_show(const char *text, size_t bytes, const char *expected)
{
    char out[DT_TEXT_SHOWN_BYTES + 4];
    memset(out, 'x', sizeof out);
    assert_ptr_equal(dt_text_show(out, text, bytes), out);
    assert_string_equal(out, expected);
}

static void test_show(void **state)
{
    (void)state;
    static const char forty[] = "0123456789012345678901234567890123456789";
    static const char longer[] = "0123456789012345678901234567890123456789!";
    check_show("plain", 5, "plain");
    check_show("plain", 2, "pl");
    check_show("", 0, "");
    check_show("a\nb\tc\rd\x7f\x01", 9, "a?b?c?d??");
    check_show("a\0b", 3, "a?b");
    check_show("\xc3\xa4 \xff", 4, "\xc3\xa4 ?"); /* not ASCII is no control character */
    check_show("K\xf6ln", 4, "K?ln");
    check_show("\xe2\x82", 2, "?\?"); /* cut short by the text's end */
    check_show(forty, 40, forty);
    check_show(longer, 41, "0123456789012345678901234567890123456789...");
    /* No character is cut. */
    check_show("012345678901234567890123456789012345678\xc3\xa4", 41,
               "012345678901234567890123456789012345678...");
    check_show("01234567890123456789012345678901234567\xc3\xa4", 40,
               "01234567890123456789012345678901234567\xc3\xa4");
    check_show("012345678901234567890123456789012345\xf0\x9f\x98\x80!", 41,
               "012345678901234567890123456789012345\xf0\x9f\x98\x80...");
}

/* ---- dt_text_is_utf8 ---- */

/* A character's bytes by the definition: of the smallest length, of what U+0000 to U+10FFFF has. */
static size_t encode(unsigned char *out, uint32_t code, size_t length)
{
    static const unsigned char leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = length; i-- > 1; code >>= 6)
        out[i] = (unsigned char)(0x80 | (code & 0x3F));
    out[0] = (unsigned char)(leads[length] | code);
    return length;
}

static size_t least_length(uint32_t code)
{
    return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

/* Alone, and behind and before ASCII that is read eight bytes at a time. */
static void check_utf8(const unsigned char *bytes, size_t count, bool expected)
{
    for (size_t before = 0; before < 18; before++)
        for (size_t after = 0; after < 18; after += 17) {
            char *text = malloc(before + count + after); /* so that a byte too far is seen */
            assert_non_null(text);
            memset(text, 'a', before + count + after);
            memcpy(text + before, bytes, count);
            const bool is = dt_text_is_utf8(text, before + count + after);
            free(text);
            if (is != expected)
                fail_msg("%02x %02x.. of %zu bytes, behind %zu: %d", bytes[0],
                         count > 1 ? bytes[1] : 0, count, before, (int)is);
        }
}

static void test_utf8_characters(void **state)
{
    (void)state;
    char text[4];
    for (uint32_t code = 0; code < 0x200000; code++)
        for (size_t length = 1; length <= 4; length++) {
            static const uint32_t ends[] = {0, 0x80, 0x800, 0x10000, 0x200000};
            if (code >= ends[length])
                continue;
            encode((unsigned char *)text, code, length);
            const bool right = length == least_length(code) && code <= 0x10FFFF &&
                               !(code >= 0xD800 && code <= 0xDFFF);
            if (dt_text_is_utf8(text, length) != right)
                fail_msg("U+%04x in %zu bytes: expected %d", code, length, (int)right);
        }
}

static void test_put_character(void **state)
{
    (void)state;
    for (uint32_t code = 0; code <= 0x10FFFF; code++) {
        char text[] = "....", expected[] = "....";
        const size_t length = least_length(code);
        encode((unsigned char *)expected, code, length);
        if (dt_text_put_character(text, code) != length || strcmp(text, expected) != 0)
            fail_msg("U+%04x: %s", code, text);
    }
}

static void test_utf8_places(void **state)
{
    (void)state;
    static const uint32_t codes[] = {'z',    0x80,   0xE4,    0x7FF,   0x800,
                                     0x20AC, 0xFFFF, 0x10000, 0x10FFFF};
    unsigned char bytes[4];
    assert_true(dt_text_is_utf8("", 0));
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        const size_t length = encode(bytes, codes[i], least_length(codes[i]));
        check_utf8(bytes, length, true);
        for (size_t cut = 1; cut < length; cut++) {
            check_utf8(bytes, cut, false); /* its end lacks */
            check_utf8(bytes + cut, length - cut, false); /* its beginning */
        }
        for (size_t k = 1; k < length; k++) {
            const unsigned char kept = bytes[k];
            bytes[k] = 0xC3; /* a lead where a later byte must be */
            check_utf8(bytes, length, false);
            bytes[k] = kept;
        }
    }
    check_utf8((const unsigned char *)"\xc0\x80", 2, false); /* overlong */
    check_utf8((const unsigned char *)"\xc1\xbf", 2, false);
    check_utf8((const unsigned char *)"\xe0\x9f\xbf", 3, false);
    check_utf8((const unsigned char *)"\xf0\x8f\xbf\xbf", 4, false);
    check_utf8((const unsigned char *)"\xed\xa0\x80", 3, false); /* surrogates */
    check_utf8((const unsigned char *)"\xed\xbf\xbf", 3, false);
    check_utf8((const unsigned char *)"\xf4\x90\x80\x80", 4, false); /* above U+10FFFF */
    check_utf8((const unsigned char *)"\xf8\x88\x80\x80\x80", 5, false);
    check_utf8((const unsigned char *)"\xff", 1, false);
    check_utf8((const unsigned char *)"M\xfcnchen", 7, false); /* Latin-1 */
}

/* ---- numbers ---- */

static void check_probability(float value)
{
    char expected[64], got[24];
    memset(got, 'x', sizeof got);
    const int length = snprintf(expected, sizeof expected, "%.9g", (double)value);
    const size_t written = dt_text_probability(got, value);
    if (written >= sizeof got || got[written] != '\0' || strcmp(got, expected) != 0 ||
        written != (size_t)length)
        fail_msg("%a: %.*s, expected %s", (double)value, (int)sizeof got - 1, got, expected);
    const float back = strtof(got, NULL);
    if (!isnan(value) && memcmp(&back, &value, sizeof back) != 0)
        fail_msg("%a: %s reads as %a", (double)value, got, (double)back);
}

static float next_float(float value, int steps)
{
    for (; steps > 0; steps--)
        value = nextafterf(value, 2.0f);
    for (; steps < 0; steps++)
        value = nextafterf(value, 0.0f);
    return value;
}

static void test_probability_edges(void **state)
{
    (void)state;
    check_probability(0.0f);
    check_probability(1.0f);
    check_probability(0.99999994f);
    check_probability(1e-45f);
    check_probability(1.17549435e-38f);
    check_probability(1.17549421e-38f);
    check_probability(NAN);
    static const float tens[] = {1e-5f, 1e-4f, 1e-3f, 1e-2f, 1e-1f, 1.0f, 0.5f, 0.25f};
    for (size_t i = 0; i < sizeof tens / sizeof *tens; i++)
        for (int step = -2000; step <= (tens[i] < 1.0f ? 2000 : 0); step++)
            check_probability(next_float(tens[i], step));
    /* Halves of many places: where the tenth digit is an exact 5 in decimal. */
    for (int power = 1; power <= 30; power++)
        for (int odd = 1; odd < 256; odd += 2)
            if (ldexpf((float)odd, -power) <= 1.0f)
                check_probability(ldexpf((float)odd, -power));
}

static void test_probability_at_random(void **state)
{
    (void)state;
    dt_random random = dt_random_start(1, DT_RANDOM_EXAMPLE, 0);
    for (int i = 0; i < 1000000; i++) {
        /* bits: all magnitudes alike; below: those that a network gives */
        const uint32_t bits = (uint32_t)dt_random_below(&random, UINT32_C(0x3f800001));
        float value;
        memcpy(&value, &bits, sizeof value);
        if (i % 2 == 0)
            value = ldexpf((float)dt_random_below(&random, 1 << 24),
                           -24 - (int)dt_random_below(&random, 16));
        check_probability(value);
    }
}

static void check_whole(uint64_t value)
{
    char expected[32], got[24];
    memset(got, 'x', sizeof got);
    (void)snprintf(expected, sizeof expected, "%" PRIu64, value);
    assert_int_equal(dt_text_whole(got, value), strlen(expected));
    assert_string_equal(got, expected);
}

static void test_whole(void **state)
{
    (void)state;
    check_whole(0);
    check_whole(UINT64_MAX);
    check_whole(UINT64_MAX - 1);
    for (uint64_t ten = 1; ten <= UINT64_C(1000000000000000000); ten *= 10) {
        check_whole(ten - 1);
        check_whole(ten);
        check_whole(ten + 1);
        check_whole(9 * ten);
    }
    for (unsigned bit = 0; bit < 64; bit++)
        check_whole(UINT64_C(1) << bit);
}

/* ---- times ---- */

static void test_duration(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double seconds;
    } good[] = {{"90s", 90},
                {"10min", 600},
                {"1.5h", 5400},
                {"2d", 172800},
                {"never", 0},
                {"0s", 0},
                {".5min", 30},
                {"5.s", 5},
                {"1e3s", 1000},
                {"1e-400s", 0},
                {"00:00:01", 1},
                {"0:10:00", 600},
                {"01:02:03", 3723},
                {"23:59:59", 86399},
                {"100:00:00", 360000},
                {"1-00:00:00", 86400},
                {"10-23:59:59", 950399}};
    static const char *const bad[] = {"",
                                      "s",
                                      "min",
                                      "90",
                                      "1.5",
                                      "-1s",
                                      "+1s",
                                      " 1s",
                                      "1s ",
                                      "1 s",
                                      "1S",
                                      "1m",
                                      "1sec",
                                      "1hour",
                                      "1ms",
                                      "1s1s",
                                      "1h30min",
                                      "0x10s",
                                      "0X1d",
                                      "inf",
                                      "infs",
                                      "nans",
                                      "nan",
                                      "1e400s",
                                      "1e308d",
                                      ".s",
                                      ".",
                                      "-",
                                      ":",
                                      "00:00",
                                      "1:2:3",
                                      "00:60:00",
                                      "00:00:60",
                                      "00:1:00",
                                      "00:00:00s",
                                      "00:00:1",
                                      "00:000:00",
                                      "00:00:00:00",
                                      "00:00:00.5",
                                      "1-",
                                      "1-00:00",
                                      "1-24:00:00",
                                      "-1-00:00:00",
                                      "1--00:00:00",
                                      "1-2-00:00:00",
                                      "1.5-00:00:00",
                                      "1.5:00:00",
                                      "never!",
                                      "NEVER",
                                      "nevers",
                                      "1d-00:00:00",
                                      ":00:00",
                                      "00::00",
                                      "00:00:"};
    double seconds = 7;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!dt_text_duration(&seconds, good[i].text) || fabs(seconds - good[i].seconds) > 0)
            fail_msg("%s is read as %g", good[i].text, seconds);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        seconds = 7;
        if (dt_text_duration(&seconds, bad[i]) || fabs(seconds) > 0)
            fail_msg("'%s' is read as %g", bad[i], seconds);
    }
    char digits[400];
    memset(digits, '9', sizeof digits);
    (void)snprintf(digits + 350, sizeof digits - 350, ":00:00");
    assert_false(dt_text_duration(&seconds, digits)); /* infinity */
    (void)snprintf(digits + 350, sizeof digits - 350, "-00:00:00");
    assert_false(dt_text_duration(&seconds, digits));
}

static void check_shown(double seconds, const char *expected)
{
    char text[DT_TEXT_DURATION_BYTES + 1];
    double back = -1;
    memset(text, 'x', sizeof text);
    (void)dt_text_show_duration(text, seconds);
    if (expected != NULL && strcmp(text, expected) != 0)
        fail_msg("%a s: %s, expected %s", seconds, text, expected);
    if (text[DT_TEXT_DURATION_BYTES] != 'x' || !dt_text_duration(&back, text) ||
        memcmp(&back, &seconds, sizeof back) != 0)
        fail_msg("%a s: %s reads as %a", seconds, text, back);
}

static void test_duration_shown(void **state)
{
    (void)state;
    static const struct {
        double seconds;
        const char *text;
    } cases[] = {{0, "never"},      {1, "1s"},      {90, "90s"},       {600, "10min"},
                 {1800, "30min"},   {3600, "1h"},   {5400, "1.5h"},    {9000, "2.5h"},
                 {86400, "1d"},     {172800, "2d"}, {129600, "36h"},   {3723, "3723s"},
                 {0.5, "0.5s"},     {0.1, "0.1s"},  {8640000, "100d"}, {1e-9, "1e-09s"},
                 {31536000, "365d"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_shown(cases[i].seconds, cases[i].text);
    check_shown(DBL_MAX, NULL);
    check_shown(DBL_MIN, NULL);
    check_shown(5e-324, NULL);
    dt_random random = dt_random_start(1, DT_RANDOM_EXAMPLE, 0);
    for (int i = 0; i < 2000; i++) {
        const uint64_t bits = dt_random_below(&random, UINT32_C(0x7ff00000)) << 32 |
                              dt_random_below(&random, UINT32_MAX);
        double value;
        memcpy(&value, &bits, sizeof value);
        check_shown(value, NULL); /* all magnitudes alike */
        check_shown((double)dt_random_below(&random, 10000000) / 1000, NULL);
        check_shown((double)dt_random_below(&random, 10000000) * 1.1, NULL);
    }
}

static void check_items(const char *list, const char *expected)
{
    char item[16], got[128] = "";
    for (const char *at = list; dt_text_next_item(item, sizeof item, &at);) {
        strcat(got, "[");
        strcat(got, item);
        strcat(got, "]");
    }
    assert_string_equal(got, expected);
}

static void test_items(void **state)
{
    (void)state;
    check_items("", "");
    check_items(" a , b c,,d", "[a][b c][][d]");
    check_items("a,", "[a]");
    check_items("\"a, b\" ,\"say \"\"no\"\"\"", "[a, b][say \"no\"]");
    check_items("\"a, b\"=mean,c=\"x", "[a, b=mean][c=\"x]");
    check_items("\"a,b", "[\"a][b]"); /* never closed: no quote */
    check_items("\"\",x", "[][x]");
    check_items("abcdefghijklmnopqrstuvw,\"abcdefghijklmnopqrstuvw\"",
                "[abcdefghijklmno][abcdefghijklmno]");
}

static void test_quoted_items(void **state)
{
    (void)state;
    static const char *const plain[] = {"", "a", "a b", "it's", "a=b"};
    static const char *const others[] = {"a,b", ",", "say \"no\"", "\"", " a", "a\t", "\"a\", b"};
    char quoted[32], item[32];
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        assert_string_equal(dt_text_quote_item(quoted, sizeof quoted, plain[i]), plain[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        const char *at = dt_text_quote_item(quoted, sizeof quoted, others[i]);
        assert_true(dt_text_next_item(item, sizeof item, &at));
        assert_string_equal(item, others[i]);
        assert_string_equal(at, "");
    }
    for (size_t bytes = 1; bytes < 12; bytes++)
        assert_true(strlen(dt_text_quote_item(quoted, bytes, "\"\",\"\"\"\"")) < bytes);
}

static void test_choices(void **state)
{
    (void)state;
    assert_int_equal(dt_text_find_choice("none|standard|minmax", "none"), 0);
    assert_int_equal(dt_text_find_choice("none|standard|minmax", "minmax"), 2);
    assert_int_equal(dt_text_find_choice("none|standard|minmax", "min"), -1);
    assert_int_equal(dt_text_find_choice("none|standard|minmax", "none|standard"), -1);
    assert_int_equal(dt_text_find_choice("none", ""), -1);
    assert_int_equal(dt_text_find_choice("auto|comma|semicolon", ";"), -1);
    assert_int_equal(dt_text_find_typed("auto|comma|semicolon", ";"), 2);
    assert_int_equal(dt_text_find_typed("auto|caret|tilde|colon", "^"), 1);
    assert_int_equal(dt_text_find_typed("auto|comma|tab", "\t"), 2);
    assert_int_equal(dt_text_find_typed("auto|comma|tab", "\\t"), 2);
    assert_int_equal(dt_text_find_typed("auto|comma|tab", "tab"), 2);
    assert_int_equal(dt_text_find_typed("auto|comma|tab", "."), -1);
}

static void check_lower(const char *text, const char *expected)
{
    char copy[64];
    (void)snprintf(copy, sizeof copy, "%s", text);
    dt_text_to_lower(copy, strlen(copy));
    assert_string_equal(copy, expected);
    assert_true(dt_text_is_alike(text, expected) && dt_text_is_alike(expected, text));
}

static void test_small_letters(void **state)
{
    (void)state;
    check_lower("Az[@`{09 _", "az[@`{09 _");
    check_lower("\u00c0\u00d6\u00d7\u00d8\u00de\u00df\u00ff",
                "\u00e0\u00f6\u00d7\u00f8\u00fe\u00df\u00ff");
    check_lower("\u0100\u0101\u0141\u0142\u017d\u0178\u0130",
                "\u0101\u0101\u0142\u0142\u017e\u0178\u0130");
    check_lower("\u0386\u0391\u03a9\u038c\u038f", "\u03ac\u03b1\u03c9\u03cc\u03ce");
    check_lower("\u0401\u0410\u042f\u0490", "\u0451\u0430\u044f\u0491");
    check_lower("\u20ac\xc3", "\u20ac\xc3"); /* three bytes; half a character */
    assert_false(dt_text_is_alike("\u00c4", "\u00d6"));
    assert_false(dt_text_is_alike("a", "ab"));
    assert_false(dt_text_is_alike("\u00c4", "\xc3"));
    assert_false(dt_text_is_alike("", "a"));
}

static void test_whole_numbers(void **state)
{
    (void)state;
    static const char *const others[] = {"",   "007", "+1",  "-0", " 1",
                                         "1 ", "1.0", "1e3", "x",  "9223372036854775808"};
    int64_t number = 7;
    assert_true(dt_text_to_whole(&number, "0") && number == 0);
    assert_true(dt_text_to_whole(&number, "-9223372036854775808") && number == INT64_MIN);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(dt_text_to_whole(&number, others[i]));
}

static void test_quoted_fields(void **state)
{
    (void)state;
    char out[16];
    assert_int_equal(dt_text_put_quoted(out, "a\"b", 3), 6);
    assert_memory_equal(out, "\"a\"\"b\"", 6);
    assert_int_equal(dt_text_put_quoted(out, "", 0), 2);
}

static void test_formulas(void **state)
{
    (void)state;
    static const char *const formulas[] = {"=1+1", "+1+1",   "-2-3", "@SUM(A1)", "\t=1", "\r=1",
                                           "\n",   "-x",     "+",    "-",        "-.",   "-1e",
                                           "-1%%", "-1e5+1", "--1",  "=5",       "+1|x", "-'"};
    static const char *const others[] = {"",     "a=b",      "1-2",       "-5",  "-1.5", "+1.5e-3",
                                         "-1,5", "-1.234,5", "-1'000.25", "-5%", "-.5",  "'=1"};
    for (size_t i = 0; i < sizeof formulas / sizeof *formulas; i++)
        assert_true(dt_text_is_formula(formulas[i]));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(dt_text_is_formula(others[i]));
}

static void test_fields(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"a", "a"},
        {"a,b", "\"a,b\""},
        {" a", "\" a\""},
        {"", ""},
        {"-1.5", "-1.5"},
        {"=1", "'=1"},
        {"-1,5", "\"-1,5\""},
        {"=A1,B1", "\"'=A1,B1\""},
        {"+\"", "\"'+\"\"\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[32];
        const size_t bytes = strlen(cases[i][0]);
        const size_t used = dt_text_put_field(out, cases[i][0], bytes);
        assert_true(used <= 2 * bytes + 3);
        out[used] = '\0';
        assert_string_equal(out, cases[i][1]);
    }
}

static void test_escaped(void **state)
{
    (void)state;
    char out[32];
    assert_string_equal(dt_text_escape(out, sizeof out, "a b\xc3\xa4"), "a b\xc3\xa4");
    assert_string_equal(dt_text_escape(out, sizeof out, "a\nb\tc\rd\\n"), "a\\nb\\tc\\rd\\\\n");
    assert_string_equal(dt_text_escape(out, sizeof out, "\x1b[2J\x7f"), "\\0033[2J\\0177");
    assert_string_equal(dt_text_escape(out, 6, "abc\n\n"), "abc\\n"); /* whole items only */
}

static void test_rounded(void **state)
{
    (void)state;
    static const struct {
        double value;
        int digits;
        const char *expected;
    } cases[] = {
        {0.5, 4, "0.5000"},          {0.0, 4, "0.000"},
        {1234567.0, 4, "1234567"},   {179480.4, 5, "179480"},
        {99999.7, 5, "100000"},      {12345.4, 5, "12345"},
        {-2.5, 2, "-2.5"},           {-123.4, 2, "-123"},
        {9.9999e9, 3, "9999900000"}, {1e10, 3, "1.00e+10"},
        {0.0001234, 2, "0.00012"},   {0.00001234, 2, "1.2e-05"},
        {INFINITY, 4, "inf"},        {-1e300, 9, "-1.00000000e+300"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[DT_TEXT_NUMBER_BYTES];
        assert_string_equal(dt_text_rounded(out, cases[i].value, cases[i].digits),
                            cases[i].expected);
    }
}

static void test_numbers(void **state)
{
    (void)state;
    static const struct {
        double value;
        int digits;
        const char *expected;
    } cases[] = {
        {0.5, 6, "0.5"},
        {-0.0, 6, "0"},
        {1164794.0, 6, "1164794"},
        {7.7e6, 6, "7700000"},
        {-122.5190001, 6, "-122.519"},
        {999999.6, 6, "1000000"},
        {1e-9, 6, "1e-09"},
        {1.5e12, 6, "1.5e+12"},
        {1234567890.0, 9, "1234567890"},
        {INFINITY, 6, "inf"},
    };
    char out[DT_TEXT_NUMBER_BYTES], range[DT_TEXT_RANGE_BYTES];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(dt_text_number(out, cases[i].value, cases[i].digits),
                            cases[i].expected);
    static const struct {
        double value, size;
        const char *expected;
    } aligned[] = {
        {0.009, 0.2, "0.0090"},
        {0.2, 0.2, "0.2000"},
        {866.1, 77885.0, "866"},
        {12.5, 1.5, "12.500"},
        {0.001234, 1e-5, "0.001234"},
        {1e12, 2.0, "1.000e+12"},
        {0.0, 0.2, "0.0000"},
        {-0.0, 0.2, "0.0000"},
        /* not 0 */
        {0.00004, 0.2, "4e-05"},
        {-0.00004, 0.2, "-4e-05"},
        {-0.00012, 0.99999, "-0.0001"},
        {0.5, 77885.0, "0.5"},
    };
    for (size_t i = 0; i < sizeof aligned / sizeof *aligned; i++)
        assert_string_equal(dt_text_aligned(out, aligned[i].value, aligned[i].size, 4),
                            aligned[i].expected);
    assert_string_equal(dt_text_range(range, 520.0, 1164794.0, 6), "520 to 1164794");
    assert_true(strlen(dt_text_range(range, -DBL_MIN, -DBL_MAX, 9)) < sizeof range - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choices),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_small_letters),
        cmocka_unit_test(test_whole_numbers),
        cmocka_unit_test(test_quoted_fields),
        cmocka_unit_test(test_formulas),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_escaped),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_nearest_of_equals_and_long_names),
        cmocka_unit_test(test_show),
        cmocka_unit_test(test_utf8_characters),
        cmocka_unit_test(test_put_character),
        cmocka_unit_test(test_utf8_places),
        cmocka_unit_test(test_items),
        cmocka_unit_test(test_quoted_items),
        cmocka_unit_test(test_probability_edges),
        cmocka_unit_test(test_probability_at_random),
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_duration),
        cmocka_unit_test(test_duration_shown),
        cmocka_unit_test(test_rounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
