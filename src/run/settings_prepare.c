/* Settings about DATA: those shared by tables and arrays, and those for only one of them. */
#include "dtrain/run/settings.h"

#include "dtrain/base/text.h"
#include "dtrain/data/rows.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

bool dt_settings_has_table(const dt_settings *settings)
{
    return settings->data_count == 1 && dt_rows_is_table(settings->data[0]);
}

int64_t dt_settings_split_seed(const dt_settings *settings)
{
    return settings->split_seed >= 0 ? settings->split_seed : settings->seed;
}

/* 1 + an index; 0 is auto. */
const dt_loss *dt_settings_loss(const dt_settings *settings)
{
    return settings->loss > 0 ? dt_losses[settings->loss - 1] : NULL;
}

dt_targets dt_settings_targets(const dt_settings *settings)
{
    const dt_loss *loss = dt_settings_loss(settings);
    if (settings->task != DT_TARGETS_AUTO || loss == NULL)
        return (dt_targets)settings->task;
    return loss->classes ? DT_TARGETS_CLASSES : DT_TARGETS_VALUES;
}

void dt_settings_prepare(dt_prepare_settings *out, const dt_settings *settings)
{
    *out = settings->prepare;
    out->task = (int)dt_settings_targets(settings);
    out->validation_split = settings->validation_split;
    out->test_split = settings->test_split;
    out->seed = dt_settings_split_seed(settings);
    (void)snprintf(out->weights, sizeof out->weights, "%s", settings->weights);
    (void)snprintf(out->scale, sizeof out->scale, "%s", settings->scale);
}

/* Without one it is none. */
static bool find_input_scale(dt_input_scale *out, const char *name)
{
    const int index = dt_text_find_choice(DT_INPUT_SCALE_NAMES, name);
    *out = index > 0 ? (dt_input_scale)index : DT_INPUT_SCALE_NONE;
    return index >= 0 || name[0] == '\0';
}

void dt_settings_settle_scale(dt_settings *settings, bool typed)
{
    dt_input_scale scale = DT_INPUT_SCALE_NONE;
    const bool table = dt_settings_has_table(settings);
    const bool fits = find_input_scale(&scale, settings->scale) && settings->init_from[0] == '\0';
    if (!table && !typed && !fits) {
        settings->scale[0] = '\0';
        scale = DT_INPUT_SCALE_NONE;
    }
    settings->input_scale = (int)(table ? DT_INPUT_SCALE_NONE : scale);
}

/* Returns the first option with one of these flags that was given; NULL: there is none. */
static const char *first_given(const dt_settings *s, unsigned flags)
{
    const dt_option_table *table = dt_settings_table();
    for (size_t i = 0; i < table->count; i++)
        if ((table->options[i].flags & flags) != 0 &&
            dt_options_given(table, s, table->options[i].name))
            return table->options[i].name;
    return NULL;
}

DT_MUST_USE static dt_status check_table(const dt_settings *s)
{
    static const char *const arrays[] = {"inputs", "targets"};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        if (dt_options_given(dt_settings_table(), s, arrays[i]))
            return dt_fail(DT_USAGE,
                           "--%s names an array, but %s is a table of text; use --target for the "
                           "column to predict",
                           arrays[i], s->data[0]);
    return dt_prepare_check(dt_settings_table(), s, &s->prepare);
}

DT_MUST_USE static dt_status check_arrays(const dt_settings *s)
{
    const struct {
        const char *option;
        double share;
    } splits[] = {{"validation-split", s->validation_split}, {"test-split", s->test_split}};
    enum { SPLITS = sizeof splits / sizeof *splits };
    const double most = 0.9;
    const char *given = first_given(s, DT_SETTING_TABLE);
    struct stat found;
    bool all_given = true;
    dt_input_scale scale = DT_INPUT_SCALE_NONE;
    if (!find_input_scale(&scale, s->scale))
        return dt_fail(DT_USAGE,
                       "--scale takes one of %s, unless DATA is a table of text, not '%s'",
                       DT_INPUT_SCALE_NAMES, s->scale);
    if (given != NULL && s->data_count == 1 && stat(s->data[0], &found) != 0 && errno == ENOENT)
        return dt_fail(DT_DATA, "%s: no such file; --%s requires a table of text", s->data[0],
                       given);
    if (given != NULL && s->data_count > 1)
        return dt_fail(DT_USAGE,
                       "--%s requires one table of text, but DATA is %d words: '%s', '%s'%s; join "
                       "tables in one file (repeated headers are skipped), and check that each "
                       "option has its value, which may be ''",
                       given, s->data_count, s->data[0], s->data[1],
                       s->data_count > 2 ? " ..." : "");
    if (given != NULL && s->data_count > 0)
        return dt_fail(DT_USAGE, "--%s requires a table of text, which %s is not", given,
                       s->data[0]);
    for (size_t i = 0; i < SPLITS; i++) {
        if (splits[i].share > most)
            return dt_fail(DT_USAGE,
                           "--%s is %g, but must be between 0 and %g, unless DATA is a table of "
                           "text",
                           splits[i].option, splits[i].share, most);
        all_given = all_given && dt_options_given(dt_settings_table(), s, splits[i].option);
    }
    if (all_given && s->validation_split + s->test_split >= 1.0)
        return dt_fail(DT_USAGE,
                       "--validation-split %g and --test-split %g leave no rows for training",
                       s->validation_split, s->test_split);
    return DT_OK;
}

dt_status dt_settings_check_data(const dt_settings *settings)
{
    return dt_settings_has_table(settings) ? check_table(settings) : check_arrays(settings);
}
