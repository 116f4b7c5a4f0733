#ifndef DTRAIN_CLI_TRAIN_H
#define DTRAIN_CLI_TRAIN_H

#include "dtrain/base/status.h"
#include "dtrain/comm/comm.h"

/** Prints the help of `dtrain train`. Local. */
void dt_cli_train_help(void);

/**
 * Runs `dtrain train`: from the words after it to results in a folder.
 *
 * Calls:   collective; argv is read on rank 0
 * Errors:  any status, the same on all ranks; the text is not printed yet
 */
DT_MUST_USE dt_status dt_cli_train(const dt_comm *comm, int argc, char **argv);

#endif
