#ifndef DTRAIN_CLI_EVALUATE_H
#define DTRAIN_CLI_EVALUATE_H

#include "dtrain/base/status.h"
#include "dtrain/comm/comm.h"

/** Prints the help of `dtrain evaluate`. Calls: local. */
void dt_cli_evaluate_help(void);

/**
 * Runs `dtrain evaluate` with the words after the subcommand: how good a model is on labelled rows.
 *
 * Calls:   collective
 * Errors:  DT_USAGE, DT_DATA, DT_DIVERGED, DT_MEMORY
 */
DT_MUST_USE dt_status dt_cli_evaluate(const dt_comm *comm, int argc, char **argv);

#endif
