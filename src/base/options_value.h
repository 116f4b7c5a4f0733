#ifndef DTRAIN_BASE_OPTIONS_VALUE_H
#define DTRAIN_BASE_OPTIONS_VALUE_H

#include "dtrain/base/options.h"

/**
 * Sets an option's value from text; with `again` a list of words is added to. Private to src/base.
 *
 * Calls:   local
 * Errors:  DT_USAGE, one sentence
 */
DT_MUST_USE dt_status dt_options_parse_value(const dt_option *option, void *settings,
                                             const char *text, bool again);

#endif
