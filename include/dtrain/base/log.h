#ifndef DTRAIN_BASE_LOG_H
#define DTRAIN_BASE_LOG_H

#include "dtrain/base/status.h"

#include <stdbool.h>
#include <stdio.h>

/**
 * Where the program's words go: the run itself to stdout, `dtrain: warning: ...` and
 * `dtrain: error: ...` to stderr. One rank alone talks; on the others these calls do nothing.
 */

/**
 * Chooses whether this process talks at all, and whether it leaves out what --quiet leaves out; and
 * looks whether stdout is a terminal, behind mpirun too: for that the first call comes before MPI
 * is started.
 */
void dt_log_init(bool talks, bool quiet);

/** Prints to stdout unless quiet; flushed at each line's end, since srun hands us a pipe. */
DT_PRINTF(1, 2) void dt_log_say(const char *format, ...);

/** Prints to stdout even when quiet: the summary block. */
DT_PRINTF(1, 2) void dt_log_result(const char *format, ...);

/** Prints `summary.KEY=TEXT` likewise: one line, with the text's control characters escaped by
 * dt_text_escape. For all that has a name or a path in it. */
DT_PRINTF(2, 3) void dt_log_summary(const char *key, const char *format, ...);

/** Prints one line to stderr, prefixed; the format carries no newline. */
DT_PRINTF(1, 2) void dt_log_warn(const char *format, ...);
DT_PRINTF(1, 2) void dt_log_error(const char *format, ...);

/**
 * Sends what is said, results, warnings and errors to `file` instead, whoever talks, also what
 * --quiet leaves out; nothing is shown live meanwhile. NULL: ends that. Returns what it was.
 */
FILE *dt_log_divert(FILE *file);

/**
 * How far long work is: on a terminal one line that changes, and is gone at the end; elsewhere
 * plain lines, at most one a minute.
 *
 * dt_log_live_due tells whether it is time for the next one, so that nothing is formatted in vain;
 * dt_log_live shows it, its format without newline; dt_log_live_end ends it, before anything else
 * is said.
 */
bool dt_log_live_due(void);
DT_PRINTF(1, 2) void dt_log_live(const char *format, ...);
void dt_log_live_end(void);

/** Says, by the above, how far work is: `share` from 0 to 1, which ends it. */
void dt_log_progress(const char *what, double share);

/** Tells whether all that was printed to stdout so far got there. Errors: DT_OUTPUT. */
DT_MUST_USE dt_status dt_log_check(void);

#endif
