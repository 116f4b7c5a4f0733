#ifndef DTRAIN_RUN_OWNER_H
#define DTRAIN_RUN_OWNER_H

#include "dtrain/base/status.h"

#include <stdbool.h>

/**
 * The run that a folder of results belongs to, so that no other one writes there: a file `owner` in
 * the folder names host, process, start and Slurm job of the run. It is made with O_EXCL, renewed
 * (its time of change) every 5 s by a thread, and removed at the end. All calls are local, and made
 * by rank 0 only; the ranks agree on the status.
 *
 * A run that was killed leaves the file. The next one takes the folder over, with a warning, if the
 * owner is surely or most likely dead:
 *   - It ran on this machine, and its process is gone; that its id is another process's by now is
 *     seen by the time when that one began. While the process is there, the folder is the owner's.
 *   - It was an earlier start of this Slurm job, which has been queued again since (the same
 *     SLURM_JOB_ID, a lower SLURM_RESTART_COUNT): Slurm has ended it. The same start of the job may
 *     have two steps, so that of it the next rule holds.
 *   - Elsewhere (another host, another container): the file was not renewed for the stall timeout;
 *     0: never. Both times are the file system's: of the file, and of one that is made now.
 *
 * Of several that take over at once one wins: it makes a file whose name belongs to the dead owner
 * alone, looks again, and renames that over the owner's. The others find it, or the new owner.
 *
 * A run that was stopped so long (a machine that slept) that another one took over does not write
 * any more once it goes on.
 */
typedef struct dt_owner dt_owner;

/**
 * Makes this run the owner of a folder that is there. If it takes over, what the dead owner left
 * of unfinished writes to run.h5, model.h5 and checkpoint.h5 is removed.
 *
 * Units:   stall_s in seconds
 * Owns:    the caller ends it with dt_owner_release
 * Errors:  DT_USAGE, naming the run that owns it; DT_OUTPUT; DT_MEMORY, DT_INTERNAL; *out = NULL
 */
DT_MUST_USE dt_status dt_owner_take(dt_owner **out, const char *folder, double stall_s);

/** Checks that no run owns a folder, which need not be there, as dt_owner_take would. Errors:
 * DT_USAGE, DT_MEMORY. */
DT_MUST_USE dt_status dt_owner_check_free(const char *folder, double stall_s);

/**
 * Checks that the folder is still this run's, before something is written there. One that has gone
 * (somebody removed it) is made again, and taken.
 *
 * Errors:  DT_OUTPUT: another run took it over, or the folder cannot be made; from then on always
 * Cost:    at most once a second it reads the file
 */
DT_MUST_USE dt_status dt_owner_check(dt_owner *owner);

/** Returns whether another run took the folder over: this one should end. Cost: a load. */
bool dt_owner_is_lost(const dt_owner *owner);

/** Removes the file, if it is still this run's, and frees; NULL is allowed. */
void dt_owner_release(dt_owner *owner);

/** Asks the threads of all owners to remove their files, where the process is about to end without
 * dt_owner_release. Takes them a quarter of a second; does not wait. */
void dt_owner_release_all_soon(void);

#endif
