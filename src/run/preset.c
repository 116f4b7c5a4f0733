#include "dtrain/run/preset.h"

#include <stdio.h>
#include <string.h>

static const dt_option_preset of_prepare[] = {
    {DT_PRESET_TABULAR, "scale", "clipped"},
    {DT_PRESET_TABULAR, "fill", "median-indicator,category"},
};

static const dt_option_preset of_train[] = {
    {DT_PRESET_TABULAR, "numeric-embedding", "piecewise"},
    {DT_PRESET_TABULAR, "members", "8"},
    {DT_PRESET_TABULAR, "init", "fan_in_uniform"},
    {DT_PRESET_TABULAR, "hidden", "256,256"},
    {DT_PRESET_TABULAR, "dropout", "0.1"},
    {DT_PRESET_TABULAR, "optimizer", "adamw"},
    {DT_PRESET_TABULAR, "learning-rate", "0.002"},
    {DT_PRESET_TABULAR, "weight-decay", "0.03"},
    {DT_PRESET_TABULAR, "ema", "0.998"},
    {DT_PRESET_TABULAR, "batch", "256"},
    {DT_PRESET_TABULAR, "patience", "12"},
    {DT_PRESET_TABULAR, "epochs", "200"},
};

enum {
    OF_PREPARE = sizeof of_prepare / sizeof *of_prepare,
    OF_TRAIN = sizeof of_train / sizeof *of_train
};

/* ---- rules: values that depend on the data, and replace those above ---- */

enum { VALUE_BYTES = 64 };

/* A third layer helps for values; for classes it halves the speed without a gain. */
static bool find_hidden(char value[VALUE_BYTES], const dt_preset_data *data)
{
    (void)snprintf(value, VALUE_BYTES, "256,256,256");
    return !data->classes;
}

/* Few rows give few steps: at least eight an epoch, unless steps would have single rows. */
static bool find_batch(char value[VALUE_BYTES], const dt_preset_data *data)
{
    enum { ROWS_FEW = 2048, STEPS = 8, BATCH_MIN = 32 };
    uint64_t batch = BATCH_MIN;
    while (2 * batch <= data->rows / STEPS)
        batch *= 2;
    (void)snprintf(value, VALUE_BYTES, "%llu", (unsigned long long)batch);
    return data->rows < ROWS_FEW;
}

static const struct {
    dt_preset preset;
    const char *option;
    bool (*find)(char value[VALUE_BYTES], const dt_preset_data *data); /* false: the row counts */
} rules[] = {
    {DT_PRESET_TABULAR, "hidden", find_hidden},
    {DT_PRESET_TABULAR, "batch", find_batch},
};

/* ---- calls ---- */

dt_status dt_preset_prepare(const dt_option_table *table, void *settings, dt_preset preset)
{
    return dt_options_apply_preset(table, settings, of_prepare, OF_PREPARE, (int)preset);
}

dt_status dt_preset_train(const dt_option_table *table, void *settings, dt_preset preset)
{
    return dt_options_apply_preset(table, settings, of_train, OF_TRAIN, (int)preset);
}

bool dt_preset_has(dt_preset preset, const char *option)
{
    for (size_t i = 0; i < OF_TRAIN; i++)
        if (of_train[i].preset == (int)preset && strcmp(of_train[i].option, option) == 0)
            return true;
    return false;
}

dt_status dt_preset_fit(const dt_option_table *table, void *settings, dt_preset preset,
                        const dt_preset_data *data)
{
    dt_status status = DT_OK;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        char value[VALUE_BYTES];
        if (rules[i].preset != preset || !rules[i].find(value, data))
            continue;
        const dt_option_preset row = {(int)preset, rules[i].option, value};
        DT_TRY(dt_options_apply_preset(table, settings, &row, 1, (int)preset));
    }
out:
    return status;
}
