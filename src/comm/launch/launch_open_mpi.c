/* How Open MPI is to work (comm/launch.h says why); other libraries choose by themselves. */
#define _GNU_SOURCE /* sched_getaffinity */

#include "launch_internal.h"

#include <mpi.h>

#ifdef OPEN_MPI

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How many ranks the launcher put on this host: mpirun gives the number, srun those of all hosts,
 * as "4(x2),3": the largest counts. */
static long local_ranks(void)
{
    const long from_mpirun = dt_launch_number_in("OMPI_COMM_WORLD_LOCAL_SIZE");
    const char *list = getenv("SLURM_STEP_TASKS_PER_NODE");
    long most = 0;
    if (from_mpirun > 0 || list == NULL)
        return from_mpirun;
    for (; *list != '\0'; list += strcspn(list, ","), list += *list == ',') {
        const long tasks = strtol(list, NULL, 10);
        most = tasks > most ? tasks : most;
    }
    return most;
}

/* The CPUs that the ranks of this host have together. A rank that the launcher has bound sees only
 * its own; then Slurm's count is taken, which may be made up, or all there are. */
static long usable_cpus(void)
{
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    const long of_slurm = dt_launch_number_in("SLURM_CPUS_ON_NODE");
    cpu_set_t set;
    if (dt_launch_number_in("OMPI_MCA_orte_bound_at_launch") > 0)
        return online;
    const long own = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : online;
    const long promised = of_slurm < online ? of_slurm : online;
    return promised > own ? promised : own;
}

/* Whether all ranks are certain to be on this host. Of another launcher's ranks it is not known. */
static bool stays_on_host(void)
{
    if (getenv("OMPI_COMM_WORLD_SIZE") != NULL)
        return !dt_launch_spans_hosts();
    if (getenv("SLURM_HET_SIZE") != NULL || getenv("SLURM_PACK_SIZE") != NULL)
        return false; /* a part of a job that sees only its own hosts */
    return !dt_launch_is_wired() || dt_launch_number_in("SLURM_STEP_NUM_NODES") == 1;
}

/* Unless the user has chosen. A site's files do not count: they are about networks between
 * hosts. */
static void choose_shared_memory(void)
{
    static const char *const chosen[] = {"OMPI_MCA_pml", "OMPI_MCA_mtl", "OMPI_MCA_btl"};
    for (size_t i = 0; i < sizeof chosen / sizeof *chosen; i++)
        if (getenv(chosen[i]) != NULL)
            return;
    (void)setenv("OMPI_MCA_pml", "ob1", 1);
#if OMPI_MAJOR_VERSION < 5
    (void)setenv("OMPI_MCA_btl", "self,vader,tcp", 1);
#else
    (void)setenv("OMPI_MCA_btl", "self,sm,tcp", 1);
#endif
}

void dt_launch_set_open_mpi(void)
{
    if (local_ranks() > usable_cpus())
        (void)setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);
    (void)setenv("OMPI_MCA_btl_vader_eager_limit", "32768", 0);
    dt_launch_hear_mpi();
    if (stays_on_host())
        choose_shared_memory();
    if (dt_launch_spans_hosts())
        dt_launch_choose_interfaces();
    if (!dt_launch_is_wired()) {
        (void)setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);
        (void)setenv("OMPI_MCA_orte_create_session_dirs", "0", 0);
    }
}

#else

void dt_launch_set_open_mpi(void)
{
}

#endif
