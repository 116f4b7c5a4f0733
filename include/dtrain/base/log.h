#ifndef DTRAIN_BASE_LOG_H
#define DTRAIN_BASE_LOG_H

#include "dtrain/base/status.h"

#include <stdbool.h>

/**
 * Where the program's words go: the run itself to stdout, `dtrain: warning: ...` and
 * `dtrain: error: ...` to stderr. One rank alone talks; on the others these calls do nothing.
 */

/** Chooses whether this process talks at all, and whether it leaves out what --quiet leaves out. */
void dt_log_init(bool talks, bool quiet);

/** Prints to stdout unless quiet; flushed at each line's end, since srun hands us a pipe. */
DT_PRINTF(1, 2) void dt_log_say(const char *format, ...);

/** Prints to stdout even when quiet: the summary block. */
DT_PRINTF(1, 2) void dt_log_result(const char *format, ...);

/** Prints one line to stderr, prefixed; the format carries no newline. */
DT_PRINTF(1, 2) void dt_log_warn(const char *format, ...);
DT_PRINTF(1, 2) void dt_log_error(const char *format, ...);

/**
 * Says how far long work is: `share` from 0 to 1, which ends it. On a terminal one line that changes,
 * and is gone at the end; elsewhere plain lines, at most one a minute.
 */
void dt_log_progress(const char *what, double share);

/** Tells whether all that was printed to stdout so far got there. Errors: DT_OUTPUT. */
DT_MUST_USE dt_status dt_log_check(void);

#endif
