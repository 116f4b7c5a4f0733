/* rooms: run */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/run/preset.h"
#include "dtrain/run/settings.h"

#include <stdio.h>
#include <string.h>

/* Too large for the stack. */
static dt_settings parsed;

static void parse(const char *first, const char *second)
{
    char words[2][64];
    char *argv[] = {words[0], words[1]};
    (void)snprintf(words[0], sizeof words[0], "%s", first);
    (void)snprintf(words[1], sizeof words[1], "%s", second != NULL ? second : "");
    if (dt_settings_parse(&parsed, second != NULL ? 2 : 1, argv) != DT_OK)
        fail_msg("%s", dt_status_text());
}

static void check(const char *name, const char *expected)
{
    char value[DT_OPTION_TEXT_BYTES];
    const dt_option *option = dt_settings_option(name);
    assert_non_null(option);
    (void)dt_options_format(value, sizeof value, option, &parsed);
    if (strcmp(value, expected) != 0)
        fail_msg("%s: expected %s, found %s", name, expected, value);
}

static void fit(bool classes, uint64_t rows)
{
    const dt_preset_data data = {.classes = classes, .rows = rows};
    if (dt_preset_fit(dt_settings_table(), &parsed, (dt_preset)parsed.preset, &data) != DT_OK)
        fail_msg("%s", dt_status_text());
}

static void test_values_replace_defaults(void **state)
{
    (void)state;
    static const char *const expected[][2] = {
        {"hidden", "256,256"},      {"dropout", "0.1"},       {"optimizer", "adamw"},
        {"learning_rate", "0.002"}, {"weight_decay", "0.03"}, {"ema", "0.998"},
        {"batch", "256"},           {"patience", "12"},       {"epochs", "200"},
        {"activation", "relu"},     {"schedule", "constant"}, {"preset", "tabular"}};
    parse("--preset=tabular", NULL);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        check(expected[i][0], expected[i][1]);
        assert_int_equal(dt_preset_has(DT_PRESET_TABULAR, expected[i][0]),
                         i < 9 && i != 3 && i != 4);
        assert_false(dt_preset_has(DT_PRESET_TUTORIAL, expected[i][0]));
    }
    assert_true(dt_preset_has(DT_PRESET_TABULAR, "weight-decay"));
    assert_false(dt_options_given(dt_settings_table(), &parsed, "hidden"));
    parse("--preset=tutorial", NULL);
    check("hidden", "30");
    check("batch", "100");
    check("optimizer", "adam");
    fit(false, 100);
    check("hidden", "30");
    check("batch", "100");
}

static void test_given_options_win(void **state)
{
    (void)state;
    for (int first = 0; first < 2; first++) {
        parse(first ? "--preset=tabular" : "--batch=100",
              first ? "--batch=100" : "--preset=tabular");
        check("batch", "100"); /* though it is the default */
        check("hidden", "256,256");
        fit(false, 1000);
        check("batch", "100");
        check("hidden", "256,256,256");
    }
    parse("--preset=tabular", "--hidden=30");
    fit(false, 1000);
    check("hidden", "30");
    check("batch", "64");
}

static void test_rules(void **state)
{
    (void)state;
    static const struct {
        uint64_t rows;
        const char *batch;
    } cases[] = {{0, "32"},     {1, "32"},     {511, "32"},   {512, "64"},   {1023, "64"},
                 {1024, "128"}, {2047, "128"}, {2048, "256"}, {2049, "256"}, {1 << 30, "256"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        parse("--preset=tabular", NULL);
        fit(i % 2 == 0, cases[i].rows);
        check("batch", cases[i].batch);
        check("hidden", i % 2 == 0 ? "256,256" : "256,256,256");
        assert_false(dt_options_given(dt_settings_table(), &parsed, "batch"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_replace_defaults),
        cmocka_unit_test(test_given_options_win),
        cmocka_unit_test(test_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
