#ifndef DTRAIN_CLI_MEASURE_H
#define DTRAIN_CLI_MEASURE_H

#include "dtrain/base/status.h"
#include "dtrain/comm/comm.h"

/** Prints the help of `dtrain measure`. Calls: local. */
void dt_cli_measure_help(void);

/**
 * Runs `dtrain measure` with the words after the subcommand: how long the ranks take to add up the
 * gradients of a step, as training adds them up, without any training.
 *
 * Units:   microseconds in what it prints
 * Calls:   collective
 * Errors:  DT_USAGE, DT_MEMORY
 */
DT_MUST_USE dt_status dt_cli_measure(const dt_comm *comm, int argc, char **argv);

#endif
