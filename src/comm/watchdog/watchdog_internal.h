#ifndef DTRAIN_COMM_WATCHDOG_INTERNAL_H
#define DTRAIN_COMM_WATCHDOG_INTERNAL_H

/* The board on which the ranks of a host say where they are, and what is made of it. */

#include "../comm_internal.h"

#include "dtrain/base/watch_thread.h"
#include "dtrain/comm/launch.h"
#include "dtrain/comm/watchdog.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DT_LINE_BYTES = 2048 };

typedef struct dt_board {
    _Alignas(DT_SLOT_BYTES) atomic_int reported; /* a rank reported why the job ends */
    dt_slot slots[];
} dt_board;

/* A host's ranks, or, where they cannot share memory, one of them. */
typedef struct dt_host {
    char name[DT_HOST_BYTES];
    dt_board *board;
    int count; /* slots */
    int own; /* this rank's */
    int job_size;
    bool all; /* the slots are those of all its ranks */
    bool sees_pids;
} dt_host;

/* What a watchdog remembers of a slot. */
typedef struct dt_sight {
    unsigned long long calls, step, heartbeat;
    long long epoch;
    int place;
    double still_s; /* since when the heartbeat stands still */
    bool responds;
    bool dead;
} dt_sight;

/* ---- watchdog_board.c ---- */

/* Makes the board of the ranks of this host and fills the own slot. Collective over `comm`; without
 * memory to share each rank gets a board of its own. Errors: DT_MEMORY, on this rank alone. */
DT_MUST_USE dt_status dt_host_init(dt_host *out, MPI_Comm comm);
void dt_host_clear(dt_host *host);

/* Whether the process of slot `i` is no more, and did not say that it ended. A process that waits
 * for its parent to take note of its death is seen with `thorough` alone, which reads a file. */
bool dt_host_is_dead(const dt_host *host, int i, bool thorough);

/* ---- watchdog_line.c ---- */

/* Write the line about the ranks that sights[count] call dead, or about what nothing moved for
 * `still_s` waits for. */
void dt_line_of_dead(char out[DT_LINE_BYTES], const dt_host *host, const dt_sight *sights);
void dt_line_of_stall(char out[DT_LINE_BYTES], const dt_host *host, const dt_sight *sights,
                      double still_s);

/* ---- watchdog_start.c ---- */

/* Watches over the start of the ranks: over MPI_Init from before it, then while MPI connects them,
 * until all of them have the other watchdog. Local. Errors: DT_MEMORY, DT_INTERNAL; then nobody
 * watches. */
DT_MUST_USE dt_status dt_watch_start_begin(void);
void dt_watch_start_connects(void); /* MPI_Init has returned */
void dt_watch_start_end(void);

/* ---- watchdog.c ---- */

/* Writes a whole line on stderr, whatever stdio is doing. */
void dt_watch_print(const char *line);

/* Ends this process with DT_INTERNAL, when others have had time for their line. */
_Noreturn void dt_watch_leave(void);

typedef struct dt_watchdog dt_watchdog;

/* Starts to watch. Collective over `comm`. Errors: DT_MEMORY, DT_INTERNAL, on this rank alone;
 * *out = NULL. */
DT_MUST_USE dt_status dt_watchdog_start(dt_watchdog **out, MPI_Comm comm);

/* Says that this rank ended well, and ends the thread. NULL is allowed. */
void dt_watchdog_stop(dt_watchdog *watchdog);

/* Keeps the watchdogs of this host from a line of their own: another says why the job ends. */
void dt_watchdog_silence(dt_watchdog *watchdog);

dt_slot *dt_watchdog_slot(dt_watchdog *watchdog);
void dt_watchdog_set_limit(dt_watchdog *watchdog, double seconds);

#endif
