#ifndef DTRAIN_COMM_LAUNCH_INTERNAL_H
#define DTRAIN_COMM_LAUNCH_INTERNAL_H

/* Shared by the files of the launch doctor, the watchdog and job.c. */

#include "dtrain/comm/launch.h"

#include <stdbool.h>
#include <stddef.h>

/* ---- launch.c ---- */

/* Reads how long the ranks may take to connect; 0: for ever. Errors: DT_USAGE, with the default. */
DT_MUST_USE dt_status dt_launch_read_start_timeout(double *out);

/* Writes the name of this host, or "unknown". */
void dt_launch_read_host(char out[DT_HOST_BYTES]);

/* ---- launch_open_mpi.c ---- */

/* Sets how Open MPI is to work, in the environment, unless the user has. With another MPI it does
 * nothing. Local, before MPI_Init. */
void dt_launch_set_open_mpi(void);

/* ---- launch_world.c ---- */

/* Returns the whole number in an environment variable; 0 if there is none. */
long dt_launch_number_in(const char *variable);

/* Return this process's rank and the number of ranks according to the launcher; 0 and 1 without
 * one. */
long dt_launch_rank(void);
long dt_launch_size(void);

/* Returns whether the ranks are on several hosts, according to the launcher, before MPI_Init. */
bool dt_launch_spans_hosts(void);

/* Returns whether MPI may be connected to a launcher: mpirun, or srun with a matching MPI. */
bool dt_launch_is_wired(void);

/* Checks that a world of one rank is not one of several processes that a launcher has started: of
 * another MPI, or of Slurm. Local. Errors: DT_USAGE with the launcher and the right command. */
DT_MUST_USE dt_status dt_launch_check_world(int size);

/* Hides the step of Slurm from MPI, and the PMIx of another process. Without PMIx, Open MPI ends a
 * process within a step, even if it is the only task or belongs to salloc's shell. */
void dt_launch_be_alone(void);

/* ---- launch_library.c ---- */

/* Tells whether the MPI library is Open MPI. */
bool dt_launch_is_open_mpi(void);

/* Writes the path of the mpirun that belongs to the MPI library. Returns whether there is one. */
bool dt_launch_find_mpirun(char *out, size_t bytes);

/* Under mpirun -q the ranks' MPI is silent, too. dt_launch_hear_mpi lets it speak in MPI_Init,
 * which ends a rank that cannot reach another; dt_launch_hush_mpi, after MPI_Init, suppresses MPI's
 * own messages next to the watchdog's line. Local. */
void dt_launch_hear_mpi(void);
void dt_launch_hush_mpi(void);

/* Returns whether the MPI library may also be connected by PMI-1 or PMI-2. */
bool dt_launch_may_speak_pmi(void);

/* ---- launch_build.c ---- */

/* Compares the ranks' builds of dtrain: the version, and the CRC-32 of the program file. Different
 * builds may compute different bits, or not understand each other. This is the first collective of
 * a job, so that it is the same in every version. `status` is this rank's own status so far.
 * Errors: a rank's own; DT_USAGE, naming rank 0, the first rank that differs, their hosts and
 * builds, or if DTRAIN_START_TIMEOUT is not a time. */
DT_MUST_USE dt_status dt_launch_check_ranks(const dt_comm *comm, dt_status status);

/* ---- launch_interfaces.c ---- */

/* Has Open MPI's TCP leave out the interfaces that lead nowhere (dt_launch_prepare). */
void dt_launch_choose_interfaces(void);

/* Returns what was left out, "docker0,virbr0"; "" for nothing. */
const char *dt_launch_left_out(void);

/* Writes the interfaces of this host that MPI may use over TCP, as "eth0 10.99.1.2/24, eth1 ...",
 * and the network of the first that is not link-local, as "10.99.1.0/24". Returns how many. */
int dt_launch_describe_interfaces(char *out, size_t bytes, char *network, size_t network_bytes);

#endif
