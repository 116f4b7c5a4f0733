#ifndef DTRAIN_COMM_LAUNCH_H
#define DTRAIN_COMM_LAUNCH_H

#include "dtrain/base/status.h"
#include "dtrain/comm/comm.h"

#include <stdbool.h>

/**
 * The launch doctor: looks at how the job was started, mends what it can, and has a line for the
 * rest.
 */
enum { DT_HOST_BYTES = 72 }; /* a host name has up to 64 letters */

typedef struct dt_launch {
    char host[DT_HOST_BYTES]; /* this rank's */
    int host_count;
    int host_rank, host_size; /* this rank's number among the ranks of its host, and their count */
    int host_cpus; /* CPUs that the ranks of this host may run on, together */
    bool crowded; /* on some host the ranks outnumber their CPUs */
} dt_launch;

/**
 * Looks at the environment before MPI_Init: local, no MPI.
 *
 * Sets what the user has not set in the environment, each for a reason.
 *
 * OMPI_MCA_mpi_yield_when_idle, when the ranks of a host outnumber its CPUs: waiting ranks yield.
 * An 8-rank all-reduce of 6 KB on 2 CPUs takes 70 microseconds then, and 48,600 otherwise; Open MPI
 * does it by itself only when mpirun knows.
 *
 * OMPI_MCA_btl_vader_eager_limit: a small network's gradient goes through shared memory in one
 * message. 13 KB between 2 ranks: 4 microseconds instead of 8.
 *
 * HWLOC_COMPONENTS without "gl": hwloc does not look for graphics cards on the X displays of
 * localhost, which takes each rank 5 to 20 s where /etc/hosts does not name it.
 *
 * Errors:  DT_USAGE when Slurm started several tasks that would each be a job of its own
 */
DT_MUST_USE dt_status dt_launch_prepare(void);

/**
 * Looks again after MPI_Init: a world of one rank, where Slurm's step has several tasks.
 *
 * Calls:   local
 * Errors:  DT_USAGE as above
 */
DT_MUST_USE dt_status dt_launch_check_world(int size);

/** Tells whether this process is the one to speak for all, as far as the launcher says. Local. */
bool dt_launch_is_first(void);

/** Finds out how the ranks lie on the hosts. Collective; same on all ranks: host_count, crowded. */
void dt_launch_survey(dt_launch *out, const dt_comm *comm);

#endif
