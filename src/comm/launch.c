#define _GNU_SOURCE /* sched_getaffinity */

#include "dtrain/comm/launch.h"

#include "comm_mpi.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static long number_in(const char *variable)
{
    const char *text = getenv(variable);
    return text != NULL ? strtol(text, NULL, 10) : 0;
}

/* How many ranks the launcher put on this host: mpirun says it plainly, srun as "4(x2),3". */
static long local_ranks(void)
{
    const long from_mpirun = number_in("OMPI_COMM_WORLD_LOCAL_SIZE");
    return from_mpirun > 0 ? from_mpirun : number_in("SLURM_STEP_TASKS_PER_NODE");
}

static long usable_cpus(void)
{
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    /* A rank that mpirun has bound sees its own CPUs only; the others have theirs. */
    if (number_in("OMPI_MCA_orte_bound_at_launch") > 0)
        return online;
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : online;
}

/* What Slurm started, where MPI could not see it: each task would be a job of its own. */
static dt_status check_singletons(void)
{
    static const char *const wired[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_FD"};
    const long tasks = number_in("SLURM_NTASKS");
    if (tasks < 2)
        return DT_OK;
    for (size_t i = 0; i < sizeof wired / sizeof *wired; i++)
        if (getenv(wired[i]) != NULL)
            return DT_OK;
    return dt_fail(DT_USAGE,
                   "Slurm has %ld tasks here, but MPI was not wired to them and each would train "
                   "alone; start it with: srun --mpi=pmix dtrain ... or: mpirun dtrain ...",
                   tasks);
}

dt_status dt_launch_prepare(void)
{
    if (local_ranks() > usable_cpus())
        (void)setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);
    (void)setenv("OMPI_MCA_btl_vader_eager_limit", "32768", 0);
    (void)setenv("HWLOC_COMPONENTS", "-gl", 0);
    return check_singletons();
}

void dt_launch_survey(dt_launch *out, const dt_comm *comm)
{
    *out = (dt_launch){.host_cpus = 1};
    if (gethostname(out->host, sizeof out->host - 1) != 0)
        memcpy(out->host, "unknown", sizeof "unknown");
    MPI_Comm host;
    MPI_Comm_split_type(comm->comm, MPI_COMM_TYPE_SHARED, comm->rank, MPI_INFO_NULL, &host);
    MPI_Comm_rank(host, &out->host_rank);
    MPI_Comm_size(host, &out->host_size);
    /* The CPUs that any rank of the host may run on. */
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        MPI_Allreduce(MPI_IN_PLACE, &set, sizeof set, MPI_BYTE, MPI_BOR, host);
        out->host_cpus = CPU_COUNT(&set);
    }
    MPI_Comm_free(&host);
    int counts[2] = {out->host_rank == 0, out->host_size > out->host_cpus};
    MPI_Allreduce(MPI_IN_PLACE, counts, 2, MPI_INT, MPI_SUM, comm->comm);
    out->host_count = counts[0];
    out->crowded = counts[1] > 0;
}
