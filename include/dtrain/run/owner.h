#ifndef DTRAIN_RUN_OWNER_H
#define DTRAIN_RUN_OWNER_H

#include "dtrain/base/status.h"

#include <stdbool.h>

/**
 * The owner of a folder of results, so that no other run writes there: a file `owner` in the folder
 * names host, process, start and Slurm job of the run. The file is created with O_EXCL; a thread
 * updates its time of modification every 5 s; it is removed at the end. All calls are local, and
 * made by rank 0 only; the ranks agree on the status.
 *
 * A run that was killed leaves the file. The next run takes the folder over, with a warning, if the
 * owner is certainly or very probably dead:
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
 * Makes this run the owner of an existing folder. If it takes the folder over, the temporary files
 * of the dead owner (run.h5, model.h5, checkpoint.h5) are removed.
 *
 * Units:   stall_s in seconds
 * Owns:    the caller ends it with dt_owner_release
 * Errors:  DT_USAGE, naming the run that owns it; DT_OUTPUT; DT_MEMORY, DT_INTERNAL; *out = NULL
 */
DT_MUST_USE dt_status dt_owner_take(dt_owner **out, const char *folder, double stall_s);

/**
 * Checks that no run owns a folder, as dt_owner_take does; the folder need not exist. Errors:
 * DT_USAGE, DT_MEMORY.
 */
DT_MUST_USE dt_status dt_owner_check_free(const char *folder, double stall_s);

/**
 * Checks before a write that the folder still belongs to this run. A folder that somebody removed
 * is created and owned again.
 *
 * Errors:  DT_OUTPUT: another run took it over, or the folder cannot be made; from then on always
 * Cost:    at most once a second it reads the file
 */
DT_MUST_USE dt_status dt_owner_check(dt_owner *owner);

/** Returns whether another run took the folder over, so that this one should end. Cost: a load. */
bool dt_owner_is_lost(const dt_owner *owner);

/** Removes the file, if it is still this run's, and frees; NULL is allowed. */
void dt_owner_release(dt_owner *owner);

/**
 * Asks the threads of all owners to remove their files, if the process is about to end without
 * dt_owner_release. They need a quarter of a second; the call does not wait.
 */
void dt_owner_release_all_soon(void);

#endif
