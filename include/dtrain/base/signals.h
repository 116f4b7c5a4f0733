#ifndef DTRAIN_BASE_SIGNALS_H
#define DTRAIN_BASE_SIGNALS_H

/**
 * Signals that ask a run to stop: SIGTERM (a time limit, scancel), SIGUSR1 (a warning before it),
 * SIGINT (Ctrl-C) and SIGHUP (a lost connection). They are only noted; whoever can stop in good
 * order asks for them.
 */

/**
 * Ignores SIGXFSZ, so that a file at the limit of `ulimit -f` is a write that fails (EFBIG), and
 * not the end of the process with a half-written file.
 *
 * Calls:   local; first in main, for every command
 */
void dt_signals_ignore_limits(void);

/**
 * Catches these signals but SIGTERM from here on: for the start of a run, in which nothing is lost
 * by an end at once, and MPI_Init may hang. A launcher that gives up on a rank sends SIGTERM.
 * SIGPIPE is ignored.
 *
 * A second SIGINT ends the process as if the first had not been caught: for a person who will not
 * wait. A SIGINT or SIGHUP that was ignored stays so, as of a job in a shell's background, or under
 * nohup. Interrupted system calls go on by themselves where the system can.
 *
 * Calls:   local; before threads are started and before MPI_Init
 */
void dt_signals_catch_warnings(void);

/**
 * Catches SIGTERM, too: from here on there is something to save. Calling it again changes nothing.
 *
 * Calls:   local
 */
void dt_signals_catch(void);

/** Notes a signal that another rank got, as if it were this one's. Calls: local. */
void dt_signals_note(int signal);

/** Returns the signal that was seen first, 0: none so far. Calls: local; from any thread. */
int dt_signals_pending(void);

/** Returns "SIGTERM", "SIGUSR1", "SIGINT" or "SIGHUP"; for others "a signal". Calls: local. */
const char *dt_signals_name(int signal);

#endif
