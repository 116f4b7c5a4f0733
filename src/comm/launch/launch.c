#define _GNU_SOURCE /* sched_getaffinity */

#include "dtrain/comm/launch.h"

#include "../comm_internal.h"
#include "../waiting.h"
#include "launch_internal.h"

#include "dtrain/base/text.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Seconds. Connections are made in far less than a second, or never: Open MPI stays with the
 * interface that it has chosen. */
static const double START_TIMEOUT = 60.0;

/* How many ranks the launcher put on this host: mpirun and hydra say it plainly, srun of all hosts,
 * as "4(x2),3": the most is taken. */
static long local_ranks(void)
{
    const long from_mpirun = dt_launch_number_in(getenv("OMPI_COMM_WORLD_LOCAL_SIZE") != NULL
                                                     ? "OMPI_COMM_WORLD_LOCAL_SIZE"
                                                     : "MPI_LOCALNRANKS");
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

bool dt_launch_spans_hosts(void)
{
    if (getenv("OMPI_COMM_WORLD_SIZE") != NULL)
        return dt_launch_number_in("OMPI_COMM_WORLD_LOCAL_SIZE") <
               dt_launch_number_in("OMPI_COMM_WORLD_SIZE");
    return dt_launch_number_in("SLURM_STEP_NUM_NODES") > 1;
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

void dt_launch_linger(void)
{
    if (dt_launch_spans_hosts() || !dt_launch_is_first())
        (void)nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
}

void dt_launch_read_host(char out[DT_HOST_BYTES])
{
    memset(out, 0, DT_HOST_BYTES);
    if (gethostname(out, DT_HOST_BYTES - 1) != 0)
        memcpy(out, "unknown", sizeof "unknown");
}

dt_status dt_launch_read_start_timeout(double *out)
{
    static const char variable[] = "DTRAIN_START_TIMEOUT";
    const char *text = getenv(variable);
    double seconds = 0.0;
    *out = START_TIMEOUT;
    if (text == NULL)
        return DT_OK;
    if (!dt_text_duration(&seconds, text))
        return dt_fail(DT_USAGE,
                       "%s=%.40s: expected a time such as 60s or 5min, or never, for ever",
                       variable, text);
    *out = seconds;
    return DT_OK;
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

dt_status dt_launch_prepare(void)
{
    if (local_ranks() > usable_cpus())
        (void)setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);
    (void)setenv("OMPI_MCA_btl_vader_eager_limit", "32768", 0);
    (void)setenv("HWLOC_COMPONENTS", "-gl", 0);
    dt_launch_hear_mpi();
    if (stays_on_host())
        choose_shared_memory();
    if (dt_launch_spans_hosts())
        dt_launch_choose_interfaces();
    if (dt_launch_is_wired())
        return DT_OK;
    const dt_status status = dt_launch_check_world(1);
    (void)setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);
    (void)setenv("OMPI_MCA_orte_create_session_dirs", "0", 0);
    if (status == DT_OK) /* else it is still asked which task speaks for all */
        dt_launch_be_alone();
    return status;
}

void dt_launch_survey(dt_launch *out, const dt_comm *comm)
{
    *out = (dt_launch){.host_cpus = 1, .left_out = dt_launch_left_out()};
    dt_launch_read_host(out->host);
    MPI_Comm host;
    MPI_Comm_split_type(comm->comm, MPI_COMM_TYPE_SHARED, comm->rank, MPI_INFO_NULL, &host);
    MPI_Comm_rank(host, &out->host_rank);
    MPI_Comm_size(host, &out->host_size);
    /* The CPUs that any rank of the host may run on; a machine with more than the set holds: all.
     */
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        CPU_ZERO(&set);
    dt_mpi_allreduce(MPI_IN_PLACE, &set, sizeof set, MPI_BYTE, MPI_BOR, host);
    out->host_cpus = CPU_COUNT(&set) > 0 ? CPU_COUNT(&set) : (int)sysconf(_SC_NPROCESSORS_ONLN);
    MPI_Comm_free(&host);
    int counts[2] = {out->host_rank == 0, out->host_size > out->host_cpus};
    dt_mpi_allreduce(MPI_IN_PLACE, counts, 2, MPI_INT, MPI_SUM, comm->comm);
    out->host_count = counts[0];
    out->crowded = counts[1] > 0;
}
