#ifndef DTRAIN_COMM_WATCHDOG_INTERNAL_H
#define DTRAIN_COMM_WATCHDOG_INTERNAL_H

/* The board on which the ranks of a host write their places, and the lines about it. */

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

/* A host's ranks, or one of them if they cannot share memory. */
typedef struct dt_host {
    char name[DT_HOST_BYTES];
    dt_board *board;
    int count; /* slots */
    int own; /* this rank's */
    int job_size;
    bool all; /* the slots are those of all its ranks */
    bool sees_pids;
} dt_host;

/* The last observation of a slot by a watchdog. */
typedef struct dt_sight {
    unsigned long long calls, step, heartbeat;
    long long epoch;
    int place;
    double still_s; /* time of the last heartbeat */
    bool responds;
    bool dead;
} dt_sight;

/* ---- watchdog_board.c ---- */

/* Makes the board of the ranks of this host and fills the own slot. Collective over `comm`; without
 * shared memory each rank gets its own board. Errors: DT_MEMORY, on this rank alone. */
DT_MUST_USE dt_status dt_host_init(dt_host *out, MPI_Comm comm);
void dt_host_clear(dt_host *host);

/* Whether the process of slot `i` has ended without marking its end. A zombie is detected only with
 * `thorough`, which reads a file. */
bool dt_host_is_dead(const dt_host *host, int i, bool thorough);

/* ---- watchdog_line.c ---- */

/* Write the line about the ranks that are dead by sights[count], or about the ranks that caused
 * `still_s` seconds without progress. */
void dt_line_of_dead(char out[DT_LINE_BYTES], const dt_host *host, const dt_sight *sights);
void dt_line_of_stall(char out[DT_LINE_BYTES], const dt_host *host, const dt_sight *sights,
                      double still_s);

/* ---- watchdog_start.c ---- */

/* Watches the start of the ranks: MPI_Init, and then the connection of the ranks, until all of them
 * have the other watchdog. Local. Errors: DT_MEMORY, DT_INTERNAL; then the start is not watched. */
DT_MUST_USE dt_status dt_watch_start_begin(void);
void dt_watch_start_connects(void); /* MPI_Init has returned */
void dt_watch_start_end(void);

/* ---- watchdog.c ---- */

/* Writes a whole line to stderr, independent of stdio. */
void dt_watch_print(const char *line);

/* Ends this process with DT_INTERNAL, after others have had time for their lines. */
_Noreturn void dt_watch_leave(void);

typedef struct dt_watchdog dt_watchdog;

/* Starts to watch. Collective over `comm`. Errors: DT_MEMORY, DT_INTERNAL, on this rank alone;
 * *out = NULL. */
DT_MUST_USE dt_status dt_watchdog_start(dt_watchdog **out, MPI_Comm comm);

/* Marks that this rank ended well, and ends the thread. NULL is allowed. */
void dt_watchdog_stop(dt_watchdog *watchdog);

/* Prevents lines of this host's watchdogs: the reason is reported elsewhere. */
void dt_watchdog_silence(dt_watchdog *watchdog);

dt_slot *dt_watchdog_slot(dt_watchdog *watchdog);
void dt_watchdog_set_limit(dt_watchdog *watchdog, double seconds);

#endif
