#ifndef DTRAIN_BASE_SIGNALS_H
#define DTRAIN_BASE_SIGNALS_H

/**
 * Signals that ask a run to stop: SIGTERM (a time limit, scancel), SIGUSR1 (a warning before it)
 * and SIGINT (Ctrl-C). They are only noted; whoever can stop in good order asks for them.
 */

/**
 * Catches the three signals from here on; calling it again changes nothing.
 *
 * A second SIGINT ends the process as if the first had not been caught: for a person who will not
 * wait. A SIGINT that was ignored stays so, as of a job in a shell's background. Interrupted system
 * calls go on by themselves where the system can.
 *
 * Calls:   local; before threads are started and before MPI_Init
 */
void dt_signals_catch(void);

/** Returns the signal that was seen first, 0: none so far. Calls: local; from any thread. */
int dt_signals_pending(void);

/** Returns "SIGTERM", "SIGUSR1" or "SIGINT"; for all others "a signal". Calls: local. */
const char *dt_signals_name(int signal);

#endif
