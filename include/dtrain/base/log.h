#ifndef DTRAIN_BASE_LOG_H
#define DTRAIN_BASE_LOG_H

#include "dtrain/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/**
 * The program's output: the run itself goes to stdout, `dtrain: warning: ...` and `dtrain: error:
 * ...` go to stderr. Only one rank prints; on the others these calls do nothing.
 */

/**
 * Sets whether this process prints, and whether it is --quiet. Also finds out whether stdout is a
 * terminal, even behind mpirun; therefore the first call comes before MPI_Init.
 */
void dt_log_init(bool talks, bool quiet);

/**
 * Prints to stdout, for people, unless quiet. Each line is flushed, because stdout is a pipe under
 * srun. A line wider than dt_log_width is continued on further lines, below the text behind its
 * first two blanks; a path that is wider loses its middle. A command (mpirun ...) stays whole.
 */
DT_PRINTF(1, 2) void dt_log_say(const char *format, ...);

/** As dt_log_say, also when quiet. */
DT_PRINTF(1, 2) void dt_log_show(const char *format, ...);

/** Prints to stdout even when quiet, as it is, for programs: the summary block, JSON, CSV. */
DT_PRINTF(1, 2) void dt_log_result(const char *format, ...);

/**
 * Returns how many columns a line for people has: $COLUMNS; without it the width of the terminal
 * that stdout is; without either 80. It is 60 at least and 1000 at most.
 */
size_t dt_log_width(void);

/**
 * Prints `summary.KEY=TEXT` even when quiet: one line, with control characters escaped by
 * dt_text_escape. For texts that contain a name or a path.
 */
DT_PRINTF(2, 3) void dt_log_summary(const char *key, const char *format, ...);

/** Prints one line with a prefix to stderr; the format has no newline. */
DT_PRINTF(1, 2) void dt_log_warn(const char *format, ...);
DT_PRINTF(1, 2) void dt_log_error(const char *format, ...);

/**
 * Redirects all output (messages, results, warnings and errors, also with --quiet) of any rank to
 * `file`, and suspends the live line. NULL ends the redirection. Returns the previous file.
 */
FILE *dt_log_divert(FILE *file);

/**
 * Progress of long work: on a terminal one line that is updated in place and removed at the end;
 * elsewhere plain lines, at most one a minute.
 *
 * dt_log_live_due returns whether the next line is due, so that no line is formatted in vain;
 * dt_log_live shows the line (its format has no newline); dt_log_live_end removes it before other
 * output.
 */
bool dt_log_live_due(void);
DT_PRINTF(1, 2) void dt_log_live(const char *format, ...);
void dt_log_live_end(void);

/** Shows the progress of work by these functions: `share` goes from 0 to 1, and 1 ends it. */
void dt_log_progress(const char *what, double share);

/** Checks that all output to stdout was written. Errors: DT_OUTPUT. */
DT_MUST_USE dt_status dt_log_check(void);

#endif
