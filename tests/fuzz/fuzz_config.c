/*
 * libFuzzer: any bytes as a configuration file of a run. What is taken can be written as it would
 * be on the command line, and read again as the same.
 */
#define _GNU_SOURCE
#include "dtrain/run/settings.h"
#include "fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    dt_assert_set_hook(abort);
    return 0;
}

static void check_option(const dt_option *option, const dt_settings *settings)
{
    static dt_settings again;
    const dt_option_table *table = dt_settings_table();
    char text[DT_OPTION_TEXT_BYTES], text_again[DT_OPTION_TEXT_BYTES];
    (void)dt_options_format(text, sizeof text, option, settings);
    dt_options_set_defaults(table, &again);
    if (text[0] == '\0' || option->kind == DT_OPTION_FLAG)
        return;
    assert(dt_options_set(table, &again, option->name, text) == DT_OK);
    (void)dt_options_format(text_again, sizeof text_again, option, &again);
    assert(strcmp(text, text_again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static dt_settings settings;
    const dt_option_table *table = dt_settings_table();
    char path[FUZZ_PATH_BYTES], option[] = "--config";
    const int file = fuzz_file(path, data, bytes);
    memset(&settings, 0, sizeof settings);
    dt_options_set_defaults(table, &settings);
    const dt_status status = dt_options_parse_file(table, &settings, path);
    fuzz_check(status, DT_USAGE);
    for (size_t i = 0; status == DT_OK && i < table->count; i++)
        if (dt_options_given(table, &settings, table->options[i].name))
            check_option(&table->options[i], &settings);
    fuzz_check(dt_settings_parse(&settings, 2, (char *[]){option, path, NULL}), DT_USAGE);
    (void)close(file);
    return 0;
}
