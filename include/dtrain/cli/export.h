#ifndef DTRAIN_CLI_EXPORT_H
#define DTRAIN_CLI_EXPORT_H

#include "dtrain/base/status.h"

/** Prints the help of `dtrain export`. Calls: local. */
void dt_cli_export_help(void);

/**
 * Runs `dtrain export` with the words after it.
 *
 * Calls:   local; MPI is not started
 * Errors:  DT_USAGE, DT_DATA, DT_OUTPUT, DT_MEMORY: the exit status
 */
DT_MUST_USE dt_status dt_cli_export(int argc, char **argv);

#endif
