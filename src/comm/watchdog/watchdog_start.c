#include "../launch/launch_internal.h"
#include "watchdog_internal.h"

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

/* Seconds. One rank of the host speaks, and the job ends with it; the others speak only where that
 * one did not come so far, or is through already. */
static const double OTHERS_LATER = 5.0;

enum { INTERFACES_BYTES = 512, NETWORK_BYTES = 64 };

typedef struct start_watch {
    dt_watch_thread *thread;
    double limit_s;
    int rank;
} start_watch;

static start_watch the_watch;

/* Number of this rank among those of its host, as far as the launcher says. */
static long local_rank(void)
{
    return dt_launch_number_in(getenv("OMPI_COMM_WORLD_LOCAL_RANK") != NULL
                                   ? "OMPI_COMM_WORLD_LOCAL_RANK"
                                   : "SLURM_LOCALID");
}

static void make_line(char out[DT_LINE_BYTES], int rank, double limit_s)
{
    char host[DT_HOST_BYTES], interfaces[INTERFACES_BYTES], network[NETWORK_BYTES],
        why[DT_LINE_BYTES / 2];
    const bool several = dt_launch_spans_hosts();
    const char *chosen = getenv("OMPI_MCA_btl_tcp_if_include");
    const char *left_out = dt_launch_left_out();
    dt_launch_read_host(host);
    const int count =
        dt_launch_describe_interfaces(interfaces, sizeof interfaces, network, sizeof network);
    if (!several)
        (void)snprintf(why, sizeof why, "MPI could not connect them");
    else if (chosen != NULL)
        (void)snprintf(why, sizeof why,
                       "OMPI_MCA_btl_tcp_if_include=%.200s has to be the network that all hosts "
                       "share, without a firewall; this host has %s",
                       chosen, interfaces);
    else if (count < 2)
        (void)snprintf(why, sizeof why,
                       "MPI over TCP has %s here%s%.200s; a firewall between the hosts may be in "
                       "its way",
                       count == 1 ? interfaces : "no network",
                       left_out[0] != '\0' ? ", without " : "", left_out);
    else
        (void)snprintf(why, sizeof why,
                       "MPI over TCP may use the wrong one of %s; set OMPI_MCA_btl_tcp_if_include "
                       "to the network that all hosts share, without a firewall, as in "
                       "OMPI_MCA_btl_tcp_if_include=%s",
                       interfaces, network);
    (void)snprintf(out, DT_LINE_BYTES,
                   "dtrain: error: rank %d on %s cannot reach the ranks of %s: no word for %.0f s; "
                   "%s; the job ends\n",
                   rank, host, several ? "other hosts" : "this host", limit_s, why);
}

static void watch(void *argument, dt_watch_thread *self)
{
    const start_watch *w = argument;
    const double limit_s = w->limit_s + (local_rank() == 0 ? 0.0 : OTHERS_LATER);
    char line[DT_LINE_BYTES];
    double still_s = 0.0, passed_s = 0.0;
    while (dt_watch_thread_tick(self, &passed_s)) {
        still_s += passed_s;
        if (still_s < limit_s)
            continue;
        make_line(line, w->rank, still_s);
        dt_watch_print(line);
        dt_watch_leave();
    }
}

dt_status dt_watch_start_begin(void)
{
    start_watch *w = &the_watch;
    int size = 0;
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Comm_rank(MPI_COMM_WORLD, &w->rank);
    /* What cannot be read is reported when the ranks can speak to each other. */
    (void)!dt_launch_read_start_timeout(&w->limit_s);
    if (size < 2 || w->limit_s <= 0.0)
        return DT_OK;
    return dt_watch_thread_start(&w->thread, watch, w);
}

void dt_watch_start_end(void)
{
    dt_watch_thread_stop(the_watch.thread);
    the_watch.thread = NULL;
}
