#ifndef DTRAIN_RUN_PRESET_H
#define DTRAIN_RUN_PRESET_H

#include "dtrain/base/options.h"
#include "dtrain/base/status.h"

#include <stdbool.h>
#include <stdint.h>

/**
 * Presets are names for the values of many options. preset.c has one table of presets for each
 * command.
 *
 * A preset only replaces the defaults of options: an option that is given on the command line or by
 * --config keeps its value, and an option that the preset sets does not count as given. All calls
 * are local.
 */
typedef enum dt_preset {
    DT_PRESET_TUTORIAL, /* the defaults of the options' tables; it has no rows */
    DT_PRESET_TABULAR /* a larger network, for the quality of boosted trees on tables */
} dt_preset;
#define DT_PRESET_NAMES "tutorial|tabular"

/**
 * Sets the options of `dtrain prepare`; `table` is the table of these options. Errors: DT_USAGE as
 * dt_options_set.
 */
DT_MUST_USE dt_status dt_preset_prepare(const dt_option_table *table, void *settings,
                                        dt_preset preset);

/**
 * Sets the options of `dtrain train`; `table` is the table of these options. Errors: DT_USAGE as
 * dt_options_set.
 */
DT_MUST_USE dt_status dt_preset_train(const dt_option_table *table, void *settings,
                                      dt_preset preset);

/** Returns whether the preset sets this option of `dtrain train`. */
bool dt_preset_has(dt_preset preset, const char *option);

/** The facts that the rules of a preset depend on. */
typedef struct dt_preset_data {
    bool classes; /* else targets are values */
    uint64_t rows; /* for training */
} dt_preset_data;

/** Sets the options of `dtrain train` that depend on the data, once it is known. Errors: DT_USAGE
 * as dt_options_set. */
DT_MUST_USE dt_status dt_preset_fit(const dt_option_table *table, void *settings, dt_preset preset,
                                    const dt_preset_data *data);

#endif
