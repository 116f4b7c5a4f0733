#ifndef DTRAIN_REPORT_REPORT_H
#define DTRAIN_REPORT_REPORT_H

#include "dtrain/base/status.h"

/** Prints the help of `dtrain report`. Local. */
void dt_cli_report_help(void);

/**
 * Runs `dtrain report`: shows training runs side by side, without MPI.
 *
 * argv are the words after `report`.
 *
 * Calls:   local
 * Errors:  DT_USAGE; DT_DATA when one of the runs cannot be read, naming it: then nothing has been
 *          printed or written; DT_OUTPUT, DT_MEMORY. The text is not printed yet
 */
DT_MUST_USE dt_status dt_cli_report(int argc, char **argv);

#endif
