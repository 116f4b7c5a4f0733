#ifndef DTRAIN_CLI_TRAINING_H
#define DTRAIN_CLI_TRAINING_H

/* Shared by the commands that train. All calls are local. */

#include "dtrain/base/status.h"
#include "dtrain/run/preparation.h"

#include <stdbool.h>
#include <stddef.h>

enum { DT_COMMAND_BYTES = 4096 };

/* Writes the command line: "dtrain", the command's word or "", and its words. */
void dt_training_join_words(char *out, size_t bytes, int argc, char **argv, const char *command);

/* Prints the decisions of a preparation, as a dt_run_table_report. */
dt_status dt_training_report_table(const dt_preparation *preparation, bool dealt);

#endif
