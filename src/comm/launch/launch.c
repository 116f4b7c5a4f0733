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

/* Seconds. Ranks connect in far less than a second, or never, because Open MPI does not try another
 * interface than the one it has chosen. */
static const double START_TIMEOUT = 60.0;

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

dt_status dt_launch_prepare(void)
{
    (void)setenv("HWLOC_COMPONENTS", "-gl", 0);
    dt_launch_set_open_mpi();
    if (dt_launch_is_wired())
        return DT_OK;
    const dt_status status = dt_launch_check_world(1);
    if (status == DT_OK) /* after an error, the variables still show which task reports it */
        dt_launch_be_alone();
    return status;
}

void dt_launch_survey(dt_launch *out, const dt_comm *comm)
{
    *out = (dt_launch){.host_cpus = 1, .left_out = dt_launch_left_out()};
    dt_launch_read_host(out->host);
    MPI_Comm host = dt_mpi_host(comm->comm);
    MPI_Comm_rank(host, &out->host_rank);
    MPI_Comm_size(host, &out->host_size);
    /* The CPUs that any rank of the host may use; all, if the machine has more than a set holds. */
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        CPU_ZERO(&set);
    dt_mpi_allreduce(MPI_IN_PLACE, &set, sizeof set, MPI_BYTE, MPI_BOR, host);
    out->host_cpus = CPU_COUNT(&set) > 0 ? CPU_COUNT(&set) : (int)sysconf(_SC_NPROCESSORS_ONLN);
    int counts[2] = {out->host_rank == 0, out->host_size > out->host_cpus};
    dt_mpi_allreduce(MPI_IN_PLACE, counts, 2, MPI_INT, MPI_SUM, comm->comm);
    out->host_count = counts[0];
    out->crowded = counts[1] > 0;
}
