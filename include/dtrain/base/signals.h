#ifndef DTRAIN_BASE_SIGNALS_H
#define DTRAIN_BASE_SIGNALS_H

/**
 * Signals that ask a run to stop: SIGTERM (a time limit, scancel), SIGUSR1 (a warning before it),
 * SIGINT (Ctrl-C) and SIGHUP (a lost connection). The handlers only note them; code that can stop
 * in good order asks for the note.
 */

/**
 * Ignores SIGXFSZ: a write beyond the limit of `ulimit -f` then fails with EFBIG instead of ending
 * the process with a half-written file.
 *
 * Calls:   local; first in main, for every command
 */
void dt_signals_ignore_limits(void);

/**
 * Catches these signals except SIGTERM from here on, and ignores SIGPIPE. It is for the start of a
 * run: MPI_Init may hang then, a launcher that gives up on a rank sends SIGTERM, and nothing is
 * lost if the process ends at once.
 *
 * A second SIGINT ends the process at once, for a person who does not want to wait. A SIGINT or
 * SIGHUP that was ignored (a background job of a shell, nohup) stays ignored. Interrupted system
 * calls are restarted by the system if it can.
 *
 * Calls:   local; before threads are started and before MPI_Init
 */
void dt_signals_catch_warnings(void);

/**
 * Also catches SIGTERM: from here on there is something to save. Calling it again changes nothing.
 *
 * Calls:   local
 */
void dt_signals_catch(void);

/** Notes a signal that another rank received as if this rank had received it. Calls: local. */
void dt_signals_note(int signal);

/** Returns the first signal that was noted; 0: none so far. Calls: local; from any thread. */
int dt_signals_pending(void);

/** Returns "SIGTERM", "SIGUSR1", "SIGINT" or "SIGHUP"; for others "a signal". Calls: local. */
const char *dt_signals_name(int signal);

#endif
