#define _GNU_SOURCE /* syscall */

#include "dtrain/comm/window.h"

#include "comm_internal.h"
#include "shared_memory.h"
#include "waiting.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/spin.h"

#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Slices and areas begin at whole cache lines, also those of float32 numbers and of their pairs. */
enum { LINE_BYTES = 64, SLICE_STEP = 64 };

/* Looks at another rank's turn before this one yields, if the ranks outnumber their CPUs: the
 * rank that is waited for may need this CPU. Otherwise a rank does not yield, since another
 * program would get the CPU for a whole time slice. */
enum { LOOKS = 100 };

/* Looks from one call of MPI to the next: MPI promises progress within its calls alone, and another
 * rank may need a message that is still queued here before it gets to the wait. */
enum { LOOKS_A_PROBE = 1000, UNUSED_TAG = 3 };

/* A rank that yields sleeps every 16th time, until the other rank wakes it. The reason: Linux
 * yields only to processes of the same group, and mpiexec of MPICH starts each rank in its own
 * session and group. Without sleep, 8 ranks on 2 CPUs kept their CPUs for whole time slices, and
 * were 10 times slower. Under mpirun of Open MPI a sleep is rare. */
enum { YIELDS_A_SLEEP = 16, SLEEP_NS = 1000000 };

/* How often a rank has waited. Each rank has its own cache line, so that none waits for the line of
 * another. */
typedef struct turn {
    _Alignas(LINE_BYTES) atomic_uint count;
    atomic_uint sleepers; /* ranks that may be asleep until `count` changes */
} turn;

struct dt_window {
    const dt_comm *comm;
    dt_comm owners; /* of this rank's slice, one a host; of size 0: none, or on one host */
    int rank, size; /* of this host */
    int hosts;
    int slices;
    bool yields;
    turn *turns; /* [size] */
    char *arrays, *areas;
    size_t array_bytes, area_bytes; /* of one array, of a rank's area */
    size_t bytes; /* of all */
};

/* The ranks' numbers: on this host, and of those that own the same slice. */
static void find_ranks(dt_window *w, MPI_Comm host, MPI_Comm all)
{
    MPI_Comm_rank(host, &w->rank);
    MPI_Comm_size(host, &w->size);
    int is_first = w->rank == 0;
    dt_mpi_allreduce(&is_first, &w->hosts, 1, MPI_INT, MPI_SUM, all);
    dt_mpi_allreduce(&w->size, &w->slices, 1, MPI_INT, MPI_MIN, all);
    if (w->hosts > 1)
        MPI_Comm_split(all, w->rank < w->slices ? w->rank : MPI_UNDEFINED, 0, &w->owners.comm);
    if (w->owners.comm != MPI_COMM_NULL) {
        MPI_Comm_rank(w->owners.comm, &w->owners.rank);
        MPI_Comm_size(w->owners.comm, &w->owners.size);
    }
}

/* Where everything lies, and which of it this rank allocates: its area, and its part of each array.
 * Returns the number of ranges. */
static size_t lay_out(dt_window *w, dt_shared_range *own, size_t arrays)
{
    const size_t turns = dt_shared_pages((size_t)w->size * sizeof(turn));
    const size_t size = (size_t)w->size, rank = (size_t)w->rank,
                 areas = turns + arrays * w->array_bytes;
    const size_t pages = w->array_bytes / DT_SHARED_PAGE;
    size_t count = 0;
    w->bytes = areas + size * w->area_bytes;
    if (rank == 0)
        own[count++] = (dt_shared_range){0, turns};
    for (size_t i = 0; i < arrays; i++) {
        const size_t from = pages * rank / size, to = pages * (rank + 1) / size;
        own[count++] = (dt_shared_range){turns + i * w->array_bytes + from * DT_SHARED_PAGE,
                                         (to - from) * DT_SHARED_PAGE};
    }
    own[count++] = (dt_shared_range){areas + rank * w->area_bytes, w->area_bytes};
    return count;
}

static dt_status map(dt_window *w, MPI_Comm host, const char *name, size_t arrays)
{
    dt_shared_range own[DT_WINDOW_ARRAYS + 2];
    const size_t count = lay_out(w, own, arrays);
    char *memory = dt_shared_memory_map(host, w->bytes, own, count, false);
    if (memory == NULL)
        return dt_fail(DT_MEMORY, "%s: the %d ranks cannot share %.1f MiB in /dev/shm", name,
                       w->size, (double)w->bytes / (1 << 20));
    w->turns = (turn *)memory;
    w->arrays = memory + dt_shared_pages((size_t)w->size * sizeof(turn));
    w->areas = w->arrays + arrays * w->array_bytes;
    return DT_OK;
}

dt_status dt_window_new(dt_window **out, const dt_comm *comm, const dt_launch *launch, bool yields,
                        size_t area_bytes, size_t arrays, size_t array_bytes)
{
    dt_window *w = NULL;
    *out = NULL;
    DT_ASSERT(arrays <= DT_WINDOW_ARRAYS);
    dt_status status = dt_comm_agree(comm, dt_memory_alloc(&w, 1, sizeof *w, "window"));
    if (status != DT_OK) {
        dt_memory_free(w);
        return status;
    }
    *w = (dt_window){.comm = comm, .yields = yields};
    w->owners = (dt_comm){.comm = MPI_COMM_NULL, .slot = comm->slot};
    w->area_bytes = dt_shared_pages(area_bytes);
    w->array_bytes = dt_shared_pages(array_bytes);
    dt_slot_turn(comm->slot);
    MPI_Comm host = dt_mpi_host(comm->comm);
    find_ranks(w, host, comm->comm);
    status = map(w, host, launch->host, arrays);
    dt_slot_turn(comm->slot);
    status = dt_comm_agree(comm, status);
    if (status == DT_OK)
        *out = w;
    else
        dt_window_free(w);
    return status;
}

void dt_window_free(dt_window *window)
{
    if (window == NULL)
        return;
    if (window->owners.comm != MPI_COMM_NULL)
        MPI_Comm_free(&window->owners.comm);
    dt_shared_memory_unmap(window->turns, window->bytes);
    dt_memory_free(window);
}

int dt_window_size(const dt_window *window)
{
    return window->size;
}

int dt_window_rank(const dt_window *window)
{
    return window->rank;
}

int dt_window_hosts(const dt_window *window)
{
    return window->hosts;
}

void *dt_window_area(const dt_window *window, int rank)
{
    return window->areas + (size_t)rank * window->area_bytes;
}

void *dt_window_array(const dt_window *window, size_t array)
{
    return window->arrays + array * window->array_bytes;
}

void dt_window_slice(const dt_window *window, size_t count, size_t *slice_first,
                     size_t *slice_count)
{
    const size_t steps = (count + SLICE_STEP - 1) / SLICE_STEP, slices = (size_t)window->slices;
    size_t from = count, to = count;
    if (window->rank < window->slices) {
        from = steps * (size_t)window->rank / slices * SLICE_STEP;
        to = steps * ((size_t)window->rank + 1) / slices * SLICE_STEP;
    }
    *slice_first = from < count ? from : count;
    *slice_count = (to < count ? to : count) - *slice_first;
}

static void let_mpi_proceed(const dt_window *window)
{
    int found = 0;
    MPI_Iprobe(MPI_ANY_SOURCE, UNUSED_TAG, window->comm->comm, &found, MPI_STATUS_IGNORE);
}

/* Sleeps while the other rank's count is `seen`, a millisecond at most: then MPI is due. The ranks
 * have the page at different addresses, so it is not a private futex. */
static void sleep_while(turn *other, unsigned seen)
{
    static const struct timespec longest = {.tv_nsec = SLEEP_NS};
    atomic_fetch_add(&other->sleepers, 1);
    (void)syscall(SYS_futex, &other->count, FUTEX_WAIT, seen, &longest, NULL, 0);
    atomic_fetch_sub(&other->sleepers, 1);
}

/* Returns when the rank has waited as often as this one. The difference, not the order: the count
 * may wrap around. */
static void wait_for(const dt_window *window, turn *other, unsigned own)
{
    for (unsigned looks = 1;; looks++) {
        const unsigned seen = atomic_load_explicit(&other->count, memory_order_acquire);
        if (seen - own <= UINT_MAX / 2)
            return;
        const bool sleeps = window->yields && looks > LOOKS && looks % YIELDS_A_SLEEP == 0;
        if (sleeps)
            sleep_while(other, seen);
        else if (window->yields && looks > LOOKS)
            (void)sched_yield();
        else
            dt_spin_pause();
        if (sleeps || looks % LOOKS_A_PROBE == 0)
            let_mpi_proceed(window);
    }
}

void dt_window_wait(dt_window *window)
{
    dt_slot_turn(window->comm->slot);
    const unsigned own =
        atomic_load_explicit(&window->turns[window->rank].count, memory_order_relaxed) + 1;
    turn *mine = &window->turns[window->rank];
    atomic_store(&mine->count, own); /* before the look at sleepers, on all CPUs */
    if (window->yields && atomic_load(&mine->sleepers) > 0)
        (void)syscall(SYS_futex, &mine->count, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
    for (int i = 1; i < window->size; i++)
        wait_for(window, &window->turns[(window->rank + i) % window->size], own);
    dt_slot_turn(window->comm->slot);
}

const dt_comm *dt_window_owners(const dt_window *window)
{
    return &window->owners;
}
