#ifndef DTRAIN_COMM_JOB_H
#define DTRAIN_COMM_JOB_H

#include "dtrain/base/status.h"
#include "dtrain/comm/comm.h"

/**
 * Starts MPI and returns dtrain's own communicator. The ranks are watched (watchdog.h), and a
 * failed DT_ASSERT aborts the job, until dt_job_end.
 *
 * Before MPI_Init it corrects the launcher's settings: if there are more ranks than CPUs, waiting
 * ranks yield (dt_launch_prepare).
 *
 * Calls:   collective, once
 * Errors:  DT_USAGE if the launcher started single processes that do not see each other, if the
 *          ranks run different builds, or if DTRAIN_START_TIMEOUT is not a time;
 *          DT_MEMORY or DT_INTERNAL if a rank got no memory or no thread for the watchdog
 */
DT_MUST_USE dt_status dt_job_start(dt_comm **out);

/**
 * Sets a function that a watchdog calls 1.5 s before it ends the process; it must not wait. NULL:
 * none. Local.
 */
void dt_job_set_last_hook(void (*hook)(void));

/**
 * Ends MPI and frees. Every rank calls it exactly once: a rank that ends without it counts as dead.
 *
 * Calls:   collective
 */
void dt_job_end(dt_comm *comm);

#endif
