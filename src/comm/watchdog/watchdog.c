#include "watchdog_internal.h"

#include "dtrain/base/memory.h"
#include "dtrain/comm/job.h"

#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Seconds before a death is reported: a launcher that kills all ranks at once also kills this
 * one. */
static const double GRACE = 0.2;
/* Seconds between the line and the end: other hosts and the launcher also print theirs. */
static const double LAST_WORDS = 1.5;
static const double FIRST_LIMIT = 600.0, PAUSES = 20.0, SILENCE = 2.0;

struct dt_watchdog {
    dt_host host;
    dt_slot *slot;
    dt_sight *sights; /* [host.count] */
    double still_s; /* time of the last progress on this host */
    double longest_s[DT_AT_COUNT]; /* longest pauses, by the place of this rank */
    unsigned long long ticks;
    atomic_llong limit_ms;
    dt_watch_thread *thread; /* the starter's, to end it */
    dt_watch_thread *self; /* the same, the thread's own */
};

/* ---- the end of the job ---- */

static void (*_Atomic last_hook)(void);

void dt_job_set_last_hook(void (*hook)(void))
{
    atomic_store(&last_hook, hook);
}

_Noreturn void dt_watch_leave(void)
{
    const struct timespec end = dt_watch_later(LAST_WORDS);
    void (*hook)(void) = atomic_load(&last_hook);
    if (hook != NULL)
        hook();
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL) != 0)
        ;
    /* The main thread may be anywhere: exit handlers and MPI_Abort are not safe. */
    _exit(DT_INTERNAL);
}

/* One rank of the host reports why. */
static bool may_report(dt_watchdog *w)
{
    return atomic_exchange(&w->host.board->reported, 1) == 0;
}

void dt_watch_print(const char *line)
{
    /* In one call, so that it does not mix with the output of other ranks. stdio may be locked. */
    const ssize_t written = write(STDERR_FILENO, line, strlen(line));
    (void)written; /* an error cannot be reported */
}

/* ---- the dead ---- */

static bool find_dead(dt_watchdog *w)
{
    bool found = false;
    const unsigned long long count = (unsigned long long)w->host.count;
    /* The thorough check covers one slot a tick, a different one on each rank. */
    const unsigned long long closely = (w->ticks + (unsigned long long)w->host.own) % count;
    for (int i = 0; i < w->host.count; i++) {
        dt_sight *sight = &w->sights[i];
        sight->dead = sight->dead || dt_host_is_dead(&w->host, i, (unsigned long long)i == closely);
        found = found || sight->dead;
    }
    return found;
}

static void look_for_dead(dt_watchdog *w)
{
    if (!find_dead(w) || !dt_watch_thread_sleep(w->self, GRACE))
        return;
    (void)find_dead(w);
    if (may_report(w)) {
        char line[DT_LINE_BYTES];
        dt_line_of_dead(line, &w->host, w->sights);
        dt_watch_print(line);
    }
    dt_watch_leave();
}

/* ---- a stall ---- */

/* Copies a slot's values; returns whether its rank made progress since the last check. */
static bool look_at(dt_sight *sight, const dt_slot *slot, double passed_s)
{
    const dt_sight old = *sight;
    sight->calls = atomic_load_explicit(&slot->calls, memory_order_relaxed);
    sight->epoch = atomic_load_explicit(&slot->epoch, memory_order_relaxed);
    sight->step = atomic_load_explicit(&slot->step, memory_order_relaxed);
    sight->place = atomic_load_explicit(&slot->place, memory_order_relaxed);
    sight->heartbeat = atomic_load_explicit(&slot->heartbeat, memory_order_relaxed);
    sight->still_s = sight->heartbeat == old.heartbeat ? old.still_s + passed_s : 0.0;
    return sight->calls != old.calls || sight->epoch != old.epoch || sight->step != old.step ||
           sight->place != old.place;
}

static void look_for_stall(dt_watchdog *w, double passed_s)
{
    bool went_on = false;
    for (int i = 0; i < w->host.count; i++)
        went_on = look_at(&w->sights[i], &w->host.board->slots[i], passed_s) || went_on;
    double *longest = &w->longest_s[w->sights[w->host.own].place];
    if (went_on) {
        *longest = w->still_s > *longest ? w->still_s : *longest;
        w->still_s = 0.0;
        return;
    }
    w->still_s += passed_s;
    const double limit = (double)atomic_load_explicit(&w->limit_ms, memory_order_relaxed) * 1e-3;
    if (limit <= 0.0 || w->still_s < limit || w->still_s < PAUSES * *longest)
        return;
    for (int i = 0; i < w->host.count; i++)
        w->sights[i].responds = w->sights[i].still_s < (limit < SILENCE ? limit : SILENCE);
    if (may_report(w)) {
        char line[DT_LINE_BYTES];
        dt_line_of_stall(line, &w->host, w->sights, w->still_s);
        dt_watch_print(line);
    }
    dt_watch_leave();
}

/* ---- the thread ---- */

static void watch(void *argument, dt_watch_thread *self)
{
    dt_watchdog *w = argument;
    double passed_s = 0.0;
    w->self = self;
    while (dt_watch_thread_tick(self, &passed_s)) {
        w->ticks++;
        atomic_store_explicit(&w->slot->heartbeat, w->ticks, memory_order_relaxed);
        if (atomic_load(&w->host.board->reported) != 0)
            dt_watch_leave();
        look_for_dead(w);
        look_for_stall(w, passed_s);
    }
}

static void release(dt_watchdog *w)
{
    dt_host_clear(&w->host);
    dt_memory_free(w->sights);
    dt_memory_free(w);
}

dt_status dt_watchdog_start(dt_watchdog **out, MPI_Comm comm)
{
    *out = NULL;
    dt_host host;
    dt_watchdog *w = NULL;
    dt_status status = dt_host_init(&host, comm); /* first, since it is collective */
    if (status != DT_OK)
        return status;
    status = dt_memory_alloc(&w, 1, sizeof *w, "watchdog");
    if (status != DT_OK) {
        dt_host_clear(&host);
        return status;
    }
    w->host = host;
    w->slot = &host.board->slots[host.own];
    atomic_store(&w->limit_ms, (long long)(FIRST_LIMIT * 1e3));
    DT_TRY(dt_memory_alloc(&w->sights, (size_t)host.count, sizeof *w->sights, "watchdog"));
    DT_TRY(dt_watch_thread_start(&w->thread, watch, w));
    *out = w;
out:
    if (status != DT_OK)
        release(w);
    return status;
}

void dt_watchdog_stop(dt_watchdog *w)
{
    if (w == NULL)
        return;
    atomic_store(&w->slot->ended, 1);
    dt_watch_thread_stop(w->thread);
    release(w);
}

void dt_watchdog_silence(dt_watchdog *w)
{
    if (w != NULL)
        atomic_store(&w->host.board->reported, 1);
}

dt_slot *dt_watchdog_slot(dt_watchdog *w)
{
    return w != NULL ? w->slot : NULL;
}

void dt_watchdog_set_limit(dt_watchdog *w, double seconds)
{
    DT_ASSERT(seconds >= 0.0 && seconds < 1e12);
    if (w != NULL)
        atomic_store_explicit(&w->limit_ms, (long long)ceil(seconds * 1e3), memory_order_relaxed);
}

/* ---- what a rank says ---- */

void dt_comm_at(const dt_comm *comm, dt_place place, int64_t epoch, uint64_t step)
{
    dt_slot *slot = comm->slot;
    if (slot == NULL)
        return;
    atomic_store_explicit(&slot->place, (int)place, memory_order_relaxed);
    atomic_store_explicit(&slot->epoch, epoch, memory_order_relaxed);
    atomic_store_explicit(&slot->step, step, memory_order_relaxed);
}

void dt_comm_report_progress(const dt_comm *comm)
{
    dt_slot *slot = comm->slot;
    if (slot == NULL)
        return;
    const unsigned long long step = atomic_load_explicit(&slot->step, memory_order_relaxed);
    atomic_store_explicit(&slot->step, step + 1, memory_order_relaxed);
}

void dt_comm_set_stall_timeout(const dt_comm *comm, double seconds)
{
    dt_watchdog_set_limit(comm->watchdog, seconds);
}
