#ifndef DTRAIN_RUN_PREVIOUS_INTERNAL_H
#define DTRAIN_RUN_PREVIOUS_INTERNAL_H

#include "dtrain/base/status.h"
#include "dtrain/run/settings.h"

/* Checks that the run to be resumed has not ended: then it has no checkpoint. Local. Errors:
 * DT_USAGE, naming the command that trains on from its model, in a folder that is free. An averaged
 * model cannot be trained, but each of its restarts can. */
DT_MUST_USE dt_status dt_previous_check_unfinished(const dt_settings *settings);

#endif
