#ifndef DTRAIN_COMM_LAUNCH_H
#define DTRAIN_COMM_LAUNCH_H

#include "dtrain/base/status.h"
#include "dtrain/comm/comm.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * The launch doctor: checks how the job was started, corrects what it can, and reports the rest.
 */
enum { DT_HOST_BYTES = 72 }; /* a host name has up to 64 letters */

typedef struct dt_launch {
    char host[DT_HOST_BYTES]; /* this rank's */
    int host_count;
    int host_rank, host_size; /* this rank's number among the ranks of its host, and their count */
    int host_cpus; /* CPUs that the ranks of this host may run on, together */
    bool crowded; /* on some host there are more ranks than CPUs */
    const char *left_out; /* interfaces kept from MPI on this rank's host, "docker0,virbr0" */
} dt_launch;

/**
 * Looks at the environment before MPI_Init: local, no MPI.
 *
 * Sets what the user has not set in the environment, each for a reason. OMPI_MCA_... are Open MPI's
 * own; with another MPI they are left alone.
 *
 * OMPI_MCA_mpi_yield_when_idle, when the ranks of a host outnumber its CPUs: waiting ranks yield.
 * An 8-rank all-reduce of 6 KB on 2 CPUs takes 70 microseconds then, and 48,600 otherwise; Open MPI
 * does it by itself only when mpirun knows.
 *
 * OMPI_MCA_btl_vader_eager_limit: a small network's gradient goes through shared memory in one
 * message. 13 KB between 2 ranks: 4 microseconds instead of 8.
 *
 * OMPI_MCA_pml and OMPI_MCA_btl, when all ranks are on one host: ob1 with shared memory. Without
 * them Open MPI first looks for cluster networks, and MPI_Init takes 0.2 s longer.
 *
 * OMPI_MCA_ess_singleton_isolated, without a launcher: Open MPI starts no daemon beside the
 * process, which would only serve MPI_Comm_spawn. MPI_Init takes 0.1 s less.
 * OMPI_MCA_orte_create_session_dirs, then: such processes would all use the same folder in /tmp,
 * and one that ends removes it under one that starts (12 of 480 starts failed, 8 at a time).
 *
 * HWLOC_COMPONENTS without "gl": hwloc does not look for graphics cards on the X displays of
 * localhost, which takes each rank 5 to 20 s where /etc/hosts does not name it.
 *
 * OMPI_MCA_orte_execute_quiet, of mpirun -q, is removed for MPI_Init: it also silences the ranks'
 * MPI, and one that cannot reach another ends there without a word. mpirun itself stays quiet.
 *
 * OMPI_MCA_btl_tcp_if_exclude, when the ranks are on several hosts. Open MPI uses every interface
 * that is up and looks alike on both sides; with a docker0 172.17.0.1/16 on each host it connects
 * to that and waits for ever. Besides what Open MPI leaves out by itself, dtrain leaves out bridges
 * of containers and virtual machines (dt_launch_is_inner_bridge), and interfaces without a cable or
 * with link-local addresses only. It leaves out nothing if btl_tcp_if_include or _exclude is set
 * in the environment, by mpirun --mca, or in any of Open MPI's files; asking Open MPI takes 0.25 s,
 * on hosts with such an interface only. Nor does it if no other interface has an IPv4 address. The
 * connections of mpirun itself (oob_tcp_if_include, _exclude) are made before this program starts.
 *
 * DTRAIN_START_TIMEOUT in the environment ("60s", "never") is how long MPI_Init may take, and then
 * the ranks to connect to each other (watchdog.h). mpirun takes it to other hosts with -x
 * DTRAIN_START_TIMEOUT.
 *
 * SLURM_STEP_ID, SLURM_STEPID and SLURM_NODELIST are removed, when MPI is not connected to a
 * launcher: in salloc's shell and in a step of one task Open MPI would end the process. So are
 * PMIX_NAMESPACE and PMIX_RANK, which then belong to another process.
 *
 * Errors:  DT_USAGE when Slurm, or the launcher of another MPI, has started several processes that
 *          would each be a separate job
 */
DT_MUST_USE dt_status dt_launch_prepare(void);

/**
 * Checks that a parallel command is not the only process of a Slurm job of several tasks, outside
 * any step: then the script has forgotten srun or mpirun. Local, before MPI_Init.
 *
 * Errors:  DT_USAGE
 */
DT_MUST_USE dt_status dt_launch_check_script(void);

/**
 * Waits for 0.3 s if the ranks are on several hosts, or if another process reports for all: before
 * MPI_Init, an exit status that is not 0 makes a launcher end the job at once, and the message of a
 * process on another host may be lost. Calls: local, on all ranks that are about to fail together.
 */
void dt_launch_linger(void);

/**
 * Returns whether an interface is a bridge without a way out of the host: no port is hardware, or a
 * VLAN, a bond or anything else on top of another interface. The bridges of Docker, Podman, LXD and
 * libvirt are such, whatever their names. A bridge that carries the host's own address has a
 * network card as a port. A tunnel as a port does not count: its packets go through another
 * interface, which stays in.
 *
 * Only bridges are judged, because a wrong exclusion is worse than a needless inclusion: a VLAN, a
 * bond, a WireGuard tunnel, Open vSwitch, and the network of a container have no hardware, either.
 *
 * `folder` is Linux's /sys/class/net. An interface that it does not show is not a bridge.
 *
 * Calls:   local
 */
bool dt_launch_is_inner_bridge(const char *folder, const char *name);

/**
 * Returns the kernel family of OpenBLAS that runs on the CPUs of all of `families`, for
 * OPENBLAS_CORETYPE; NULL if one of them is not known. A family that is right alone may not be
 * right for several: Bulldozer's kernels run on its own CPUs only.
 *
 * Calls:   local
 * Source:  the families and their names: OpenBLAS 0.3.21, driver/others/dynamic.c
 */
const char *dt_launch_common_kernels(const char *const *families, size_t count);

/** Returns whether this process reports for all, according to the launcher. Local. */
bool dt_launch_is_first(void);

/**
 * Finds the placement of the ranks on the hosts. Collective; same on all ranks: host_count,
 * crowded.
 */
void dt_launch_survey(dt_launch *out, const dt_comm *comm);

#endif
