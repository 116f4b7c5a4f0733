#ifndef DTRAIN_CLI_COMMANDS_H
#define DTRAIN_CLI_COMMANDS_H

#include "dtrain/base/status.h"
#include "dtrain/comm/comm.h"

/* The commands of this room, a file each; main.c has the list of all commands.
 *
 * dt_cli_NAME_help prints the help of `dtrain NAME`. Local.
 *
 * dt_cli_NAME runs the command; argv are the words after its name. With a communicator it is
 * collective, rank 0 reads argv, and all ranks return the same status. Without one it is local, and
 * MPI is not started. The status is the exit status; main.c prints its text. */

/* Trains a network and writes the results to a folder. Errors: any. */
void dt_cli_train_help(void);
DT_MUST_USE dt_status dt_cli_train(const dt_comm *comm, int argc, char **argv);

/* Trains many networks that differ in some settings. Errors: any. */
void dt_cli_search_help(void);
DT_MUST_USE dt_status dt_cli_search(const dt_comm *comm, int argc, char **argv);

/* Makes train.npz, validation.npz, test.npz and recipe.json from a table. Errors: DT_USAGE,
 * DT_DATA, DT_OUTPUT, DT_MEMORY; then no file has changed, unless renaming one of the four
 * failed. */
void dt_cli_prepare_help(void);
DT_MUST_USE dt_status dt_cli_prepare(int argc, char **argv);

/* Reports the scores of a model on labelled rows. Errors: DT_USAGE, DT_DATA, DT_DIVERGED,
 * DT_MEMORY. */
void dt_cli_evaluate_help(void);
DT_MUST_USE dt_status dt_cli_evaluate(const dt_comm *comm, int argc, char **argv);

/* Writes the classes and probabilities of rows, in their order, to stdout, a .csv or a .npz.
 * Errors: DT_USAGE, DT_DATA, DT_OUTPUT, DT_MEMORY; then no file has changed. */
void dt_cli_predict_help(void);
DT_MUST_USE dt_status dt_cli_predict(const dt_comm *comm, int argc, char **argv);

/* Writes which columns matter to a model, and how its predictions depend on them. Errors: DT_USAGE,
 * DT_DATA, DT_DIVERGED, DT_OUTPUT, DT_MEMORY; then no file has changed, unless renaming one of the
 * three failed. */
void dt_cli_explain_help(void);
DT_MUST_USE dt_status dt_cli_explain(const dt_comm *comm, int argc, char **argv);

/* Prints the contents of a .npz, a recipe, a model or a run. A .npz is read once as a stream, in
 * fixed memory. Errors: DT_USAGE; DT_MEMORY; DT_DATA, also if only some arrays of a .npz are
 * damaged: then the rest has been printed. */
void dt_cli_inspect_help(void);
DT_MUST_USE dt_status dt_cli_inspect(int argc, char **argv);

/* Writes a model for other programs. Errors: DT_USAGE, DT_DATA, DT_OUTPUT, DT_MEMORY. */
void dt_cli_export_help(void);
DT_MUST_USE dt_status dt_cli_export(int argc, char **argv);

/* Measures how long the ranks take to add up the gradients of a step, as training adds them up, in
 * microseconds. Errors: DT_USAGE, DT_MEMORY. */
void dt_cli_measure_help(void);
DT_MUST_USE dt_status dt_cli_measure(const dt_comm *comm, int argc, char **argv);

/* Prints what a bug report needs to know about this program, its libraries and this CPU. Starts no
 * MPI. */
void dt_cli_version(void);

#endif
