#ifndef DTRAIN_RUN_PREVIOUS_INTERNAL_H
#define DTRAIN_RUN_PREVIOUS_INTERNAL_H

#include "dtrain/base/status.h"
#include "dtrain/data/recipe.h"
#include "dtrain/io/h5.h"
#include "dtrain/run/previous.h"
#include "dtrain/run/settings.h"

/* Copies the settings that were not given from the file of the earlier run; an option that an older
 * dtrain did not have gets its default, with a warning if the run is resumed. Local. Errors:
 * DT_DATA, also if a newer dtrain has written an option that this one does not have, naming it;
 * DT_USAGE, DT_MEMORY, as dt_previous_read. */
DT_MUST_USE dt_status dt_previous_take_settings(dt_previous *previous, dt_settings *settings,
                                                const dt_settings *defaults, dt_h5 *h5);

/* Checks that the run to be resumed has not ended: then it has no checkpoint. Local. Errors:
 * DT_USAGE, naming the command that trains on from its model, in a folder that is free. An averaged
 * model cannot be trained, but each of its restarts or folds can. */
DT_MUST_USE dt_status dt_previous_check_unfinished(const dt_settings *settings);

/* Reads the recipe of a checkpoint, if it has one. Local. Errors: DT_DATA, DT_MEMORY. */
DT_MUST_USE dt_status dt_previous_read_recipe(dt_previous *previous, dt_h5 *h5);

/* Compares it with that of the data (D = 0: it has none). Local. Errors: DT_DATA, naming the first
 * thing that differs; DT_MEMORY. */
DT_MUST_USE dt_status dt_previous_check_recipe(const dt_previous *previous,
                                               const dt_recipe *recipe);

#endif
