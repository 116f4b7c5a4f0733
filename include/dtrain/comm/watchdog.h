#ifndef DTRAIN_COMM_WATCHDOG_H
#define DTRAIN_COMM_WATCHDOG_H

#include "dtrain/comm/comm.h"

#include <stdint.h>

/**
 * Ends the job if a rank is dead or stuck, with one line on stderr that names the rank, so that no
 * rank waits for it for ever.
 *
 * From dt_job_start to dt_job_end a thread in each rank checks four times a second a board in
 * shared memory of the ranks of a host, on which each rank writes its place. The thread makes no
 * MPI calls.
 *
 * What is promised:
 *   - A rank that is killed, crashes, or exits before dt_job_end, and shares its host with another
 *     one: within a second
 *         dtrain: error: rank 2 on HOST died in a training step (epoch 3, step 17); the job ends
 *     and 1.5 s later the ranks of that host end with DT_INTERNAL, upon which the launcher ends the
 *     others.
 *   - No rank of a host entered or left a collective, or said by dt_comm_at that it is elsewhere
 *     than before, for the stall timeout: one line a host, from one of its ranks,
 *         dtrain: error: nothing went on for 600 s: rank 2 on HOST is stuck in a training step
 *         (epoch 3, step 17); the job ends
 *     or "does not respond (stopped?)", or "ranks 0-3 on HOST wait for those of other hosts"; and
 *     its ranks end likewise. That holds for a job of one rank, too.
 *   - MPI_Init has not returned after a minute, since a rank does not arrive, or since it hangs:
 *     one line a host,
 *         dtrain: error: rank 0 on HOST waits in MPI_Init for 60 s: another of the 8 ranks did not
 *         start, or hangs; DTRAIN_START_TIMEOUT=5min waits longer
 *     from the first rank that is there, 5 s later for each one that is not (30 s at most), and its
 *     ranks end likewise.
 *   - The ranks have not all connected to each other a minute after MPI_Init (on several hosts: by
 *     the wrong network interface, or a firewall): one line a host,
 *         dtrain: error: rank 2 on h2 cannot reach the ranks of other hosts: no word for 60 s;
 *         MPI over TCP may use the wrong one of eth0 10.99.1.2/24, eth1 192.168.7.2/24; set
 *         OMPI_MCA_btl_tcp_if_include to the network that all hosts share ...; the job ends
 *     and its ranks end likewise. DTRAIN_START_TIMEOUT in the environment sets both limits: "5min",
 *     "never" (0).
 *   - Time in which the whole job is stopped (SIGTSTP, a machine that sleeps) does not count.
 *
 * What is not:
 *   - A launcher that ends all ranks at once leaves no time for a line: mpirun, where three or more
 *     die in the same moment.
 *   - The only rank of its host dies: the launcher alone sees it, and ends the job.
 *   - The dead are looked for where there is /proc, and the ranks of the host see each other's
 *     process ids: not with a container for each rank. Then, too, it is the launcher's task.
 *   - A host that fails, or a cable that is cut: the ranks that are left say after the stall
 *     timeout that they wait for those of other hosts, and end; the launcher may not.
 *   - Nobody watches after dt_job_end, nor before dt_job_start. If all ranks of a host are stopped
 *     in MPI_Init, that time does not count.
 *   - Work of one rank that takes longer than the stall timeout without a word to the others is
 *     taken for a stall, and so is output that nobody takes (a pager, Ctrl-S). Calls of dt_comm_at
 *     with another `step` show that work goes on, but on the same host only.
 */

/** The place of a rank in the program, for the line about it. */
typedef enum dt_place {
    DT_AT_START,
    DT_AT_LOAD,
    DT_AT_STEP,
    DT_AT_VALIDATE,
    DT_AT_CHECKPOINT,
    DT_AT_LOG,
    DT_AT_EVALUATE,
    DT_AT_SAVE,
    DT_AT_END, /* in dt_job_end, which sets it */
    DT_AT_COUNT
} dt_place;

/** Returns the place in words: "in a training step", "while reading the data". Local. */
const char *dt_place_name(dt_place place);

/**
 * Sets the place of this rank from now on. `epoch` and `step` count from 1; 0: none. The line about
 * a rank names its step only in DT_AT_STEP: in other places `step` may be any number that grows, to
 * show progress.
 *
 * Calls:   local
 * Cost:    three stores
 */
void dt_comm_at(const dt_comm *comm, dt_place place, int64_t epoch, uint64_t step);

/** Reports that this rank makes progress. Calls: local. Cost: a load and a store. */
void dt_comm_report_progress(const dt_comm *comm);

/**
 * Sets how long this rank looks on while nothing moves; 0: for ever. At first 600 s.
 *
 * The limit is `seconds`, or 20 times the longest pause seen so far in the place where this rank
 * is, whichever is longer: large networks have long steps.
 *
 * Units:   seconds, at least 0
 * Calls:   local; the same on all ranks, or the minimum of a host counts
 */
void dt_comm_set_stall_timeout(const dt_comm *comm, double seconds);

#endif
