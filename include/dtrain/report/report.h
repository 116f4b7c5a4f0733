#ifndef DTRAIN_REPORT_REPORT_H
#define DTRAIN_REPORT_REPORT_H

#include "dtrain/base/status.h"
#include "dtrain/run/explanation_file.h"

#include <stdbool.h>
#include <stddef.h>

/** Prints the help of `dtrain report`. Local. */
void dt_cli_report_help(void);

/**
 * Runs `dtrain report`: compares training runs, without MPI.
 *
 * argv are the words after `report`.
 *
 * Calls:   local
 * Errors:  DT_USAGE; DT_DATA with the name of a run that cannot be read: then nothing has been
 *          printed or written; DT_OUTPUT, DT_MEMORY. The text is not printed yet
 */
DT_MUST_USE dt_status dt_cli_report(int argc, char **argv);

/** Paths of runs; zeroed, there are none. */
typedef struct dt_report_paths {
    size_t count, room;
    char **texts;
} dt_report_paths;

/**
 * Finds the runs that words [count] name: a run itself, or a folder with runs in it, at any depth,
 * in the order of their names. (report_find.c)
 *
 * Calls:   local
 * Owns:    the caller clears *out with dt_report_paths_clear, also after an error
 * Errors:  DT_USAGE: an empty word; DT_DATA: a folder without runs; DT_MEMORY
 */
DT_MUST_USE dt_status dt_report_find_runs(dt_report_paths *out, char *const *words, size_t count);
void dt_report_paths_clear(dt_report_paths *paths);

/** Prints what an explanation says. Errors: DT_MEMORY. Local. */
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
