#ifndef DTRAIN_REPORT_REPORT_H
#define DTRAIN_REPORT_REPORT_H

#include "dtrain/base/status.h"
#include "dtrain/run/explanation_file.h"

#include <stdbool.h>

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

/** Prints what an explanation says, in lines of 80 columns. Errors: DT_MEMORY. Local. */
DT_MUST_USE dt_status dt_report_explanation_print(const dt_explanation_file *file);

/**
 * Makes a CSV of the importances, a line a column, or of the dependences, a line a point.
 *
 * Calls:   local
 * Owns:    the caller frees *out with dt_memory_free
 * Errors:  DT_MEMORY
 */
DT_MUST_USE dt_status dt_report_explanation_csv(char **out, const dt_explanation_file *file,
                                                bool points);

#endif
