#ifndef DTRAIN_CLI_PREDICT_H
#define DTRAIN_CLI_PREDICT_H

#include "dtrain/base/status.h"
#include "dtrain/comm/comm.h"

/** Prints the help of `dtrain predict`. Calls: local. */
void dt_cli_predict_help(void);

/**
 * Runs `dtrain predict` with the words after the subcommand: the classes and probabilities of rows,
 * in their order, to stdout, a .csv or a .npz.
 *
 * Calls:   collective
 * Errors:  DT_USAGE, DT_DATA, DT_OUTPUT, DT_MEMORY; then no file has changed
 */
DT_MUST_USE dt_status dt_cli_predict(const dt_comm *comm, int argc, char **argv);

#endif
