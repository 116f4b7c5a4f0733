#ifndef DTRAIN_CLI_INSPECT_H
#define DTRAIN_CLI_INSPECT_H

#include "dtrain/base/status.h"

/** Prints the help of `dtrain inspect`. Local. */
void dt_cli_inspect_help(void);

/**
 * Runs `dtrain inspect`: prints what is in a .npz, a recipe, a model or a run, without MPI.
 *
 * argv are the words after `inspect`.
 *
 * Calls:   local
 * Errors:  DT_USAGE; DT_DATA, also when only some arrays of a .npz are damaged: then the rest has
 *          been printed; DT_MEMORY. The text is not printed yet
 * Cost:    a .npz is read once as a stream, in fixed memory
 */
DT_MUST_USE dt_status dt_cli_inspect(int argc, char **argv);

#endif
