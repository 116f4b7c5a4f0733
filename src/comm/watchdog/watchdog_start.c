#include "../launch/launch_internal.h"
#include "watchdog_internal.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* Seconds. Local rank 0 reports and ends the job. Local rank n waits n times NEXT_LATER longer, at
 * most LATEST: it reports only if the ranks before it did not get so far, or have connected. */
static const double NEXT_LATER = 5.0, LATEST = 30.0;

enum { INTERFACES_BYTES = 512, NETWORK_BYTES = 64 };

/* The lines are made before MPI_Init: the main thread may hang while it holds a lock of malloc or
 * of the environment. */
typedef struct start_watch {
    dt_watch_thread *thread;
    double limit_s;
    atomic_bool connects; /* MPI_Init has returned */
    char in_init[DT_LINE_BYTES], connecting[DT_LINE_BYTES];
} start_watch;

static start_watch the_watch;

/* Number of this rank among those of its host, if the launcher gives it; else 0. */
static long local_rank(void)
{
    static const char *const ranks[] = {"OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID",
                                        "SLURM_LOCALID"};
    for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++)
        if (getenv(ranks[i]) != NULL)
            return dt_launch_number_in(ranks[i]);
    return 0;
}

static void make_line_in_init(char out[DT_LINE_BYTES], double limit_s)
{
    char host[DT_HOST_BYTES];
    const long size = dt_launch_size();
    dt_launch_read_host(host);
    if (size > 1)
        (void)snprintf(
            out, DT_LINE_BYTES,
            "dtrain: error: rank %ld on %s waits in MPI_Init for %.0f s: another of the "
            "%ld ranks did not start, or hangs; DTRAIN_START_TIMEOUT=5min waits longer\n",
            dt_launch_rank(), host, limit_s, size);
    else
        (void)snprintf(out, DT_LINE_BYTES,
                       "dtrain: error: MPI_Init hangs on %s for %.0f s; DTRAIN_START_TIMEOUT=5min "
                       "waits longer\n",
                       host, limit_s);
}

static void make_line_connecting(char out[DT_LINE_BYTES], double limit_s)
{
    char host[DT_HOST_BYTES], interfaces[INTERFACES_BYTES], network[NETWORK_BYTES],
        why[DT_LINE_BYTES / 2];
    const bool several = dt_launch_spans_hosts();
    const char *chosen = getenv("OMPI_MCA_btl_tcp_if_include");
    const char *left_out = dt_launch_left_out();
    dt_launch_read_host(host);
    const int count =
        dt_launch_describe_interfaces(interfaces, sizeof interfaces, network, sizeof network);
    if (!several || !dt_launch_is_open_mpi())
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
    (void)snprintf(
        out, DT_LINE_BYTES,
        "dtrain: error: rank %ld on %s cannot reach the ranks of %s: no word for %.0f s; "
        "%s; the job ends\n",
        dt_launch_rank(), host, several ? "other hosts" : "this host", limit_s, why);
}

static void watch(void *argument, dt_watch_thread *self)
{
    const start_watch *w = argument;
    double still_s = 0.0, passed_s = 0.0;
    bool connected = false;
    while (dt_watch_thread_tick(self, &passed_s)) {
        const bool connects = atomic_load(&w->connects);
        still_s = connects == connected ? still_s + passed_s : 0.0;
        connected = connects;
        if (still_s < w->limit_s)
            continue;
        dt_watch_print(connects ? w->connecting : w->in_init);
        dt_watch_leave();
    }
}

dt_status dt_watch_start_begin(void)
{
    start_watch *w = &the_watch;
    /* What cannot be read is reported when the ranks can speak to each other. */
    (void)!dt_launch_read_start_timeout(&w->limit_s);
    if (w->limit_s <= 0.0)
        return DT_OK;
    w->limit_s += fmin(NEXT_LATER * (double)local_rank(), LATEST);
    make_line_in_init(w->in_init, w->limit_s);
    make_line_connecting(w->connecting, w->limit_s);
    return dt_watch_thread_start(&w->thread, watch, w);
}

void dt_watch_start_connects(void)
{
    atomic_store(&the_watch.connects, true);
}

void dt_watch_start_end(void)
{
    dt_watch_thread_stop(the_watch.thread);
    the_watch.thread = NULL;
}
