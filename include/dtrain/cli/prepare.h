#ifndef DTRAIN_CLI_PREPARE_H
#define DTRAIN_CLI_PREPARE_H

#include "dtrain/base/status.h"

/** Prints the help of `dtrain prepare`. Calls: local. */
void dt_cli_prepare_help(void);

/**
 * Runs `dtrain prepare` with the words after the subcommand: from a table to train.npz,
 * validation.npz, test.npz and recipe.json.
 *
 * Calls:   local; without MPI
 * Errors:  DT_USAGE, DT_DATA, DT_OUTPUT, DT_MEMORY; then no file has changed, unless renaming
 *          one of the four failed
 */
DT_MUST_USE dt_status dt_cli_prepare(int argc, char **argv);

#endif
