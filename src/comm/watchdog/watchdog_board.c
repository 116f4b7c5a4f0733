#include "../shared_memory.h"
#include "../waiting.h"
#include "watchdog_internal.h"

#include "dtrain/base/process.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t board_bytes(int count)
{
    return sizeof(dt_board) + (size_t)count * sizeof(dt_slot);
}

/* ---- processes ---- */

/* Process ids are comparable only in the same namespace. */
static bool sees_all_pids(const dt_host *host)
{
    const uint64_t space = dt_process_space();
    for (int i = 0; i < host->count; i++) {
        const dt_slot *slot = &host->board->slots[i];
        if (space == 0 || atomic_load(&slot->pid_space) != space ||
            (kill(atomic_load(&slot->pid), 0) != 0 && errno != EPERM))
            return false;
    }
    return true;
}

bool dt_host_is_dead(const dt_host *host, int i, bool thorough)
{
    const dt_slot *slot = &host->board->slots[i];
    const int pid = atomic_load_explicit(&slot->pid, memory_order_relaxed);
    if (!host->sees_pids || i == host->own)
        return false;
    if (!(kill(pid, 0) != 0 && errno == ESRCH) && !(thorough && dt_process_is_zombie(pid)))
        return false;
    /* Checked last: the rank may have ended between the checks of `ended` and of the process. */
    return atomic_load(&slot->ended) == 0;
}

/* ---- the host ---- */

/* A few hundred bytes: rank 0 allocates all of them. */
static dt_board *share_board(MPI_Comm ranks, const dt_host *host)
{
    const dt_shared_range all = {0, board_bytes(host->count)};
    return dt_shared_memory_map(ranks, all.count, &all, host->own == 0, true);
}

static void fill_own_slot(const dt_host *host, MPI_Comm comm)
{
    dt_slot *slot = &host->board->slots[host->own];
    int rank = 0;
    MPI_Comm_rank(comm, &rank);
    atomic_store(&slot->rank, rank);
    atomic_store(&slot->pid, (int)getpid());
    atomic_store(&slot->pid_space, dt_process_space());
    atomic_store(&slot->place, DT_AT_START);
}

dt_status dt_host_init(dt_host *out, MPI_Comm comm)
{
    *out = (dt_host){.all = true};
    if (gethostname(out->name, sizeof out->name - 1) != 0)
        memcpy(out->name, "this host", sizeof "this host");
    MPI_Comm ranks = dt_mpi_host(comm);
    MPI_Comm_size(comm, &out->job_size);
    MPI_Comm_rank(ranks, &out->own);
    MPI_Comm_size(ranks, &out->count);
    if (out->count > 1)
        out->board = share_board(ranks, out);
    if (out->board == NULL) {
        out->all = out->count == 1;
        out->own = 0;
        out->count = 1;
        void *memory =
            mmap(NULL, board_bytes(1), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        out->board = memory != MAP_FAILED ? memory : NULL;
    }
    if (out->board != NULL)
        fill_own_slot(out, comm);
    dt_mpi_barrier(ranks); /* before any rank reads the slots */
    if (out->board == NULL)
        return dt_fail(DT_MEMORY, "watchdog: no memory for its board");
    out->sees_pids = sees_all_pids(out);
    return DT_OK;
}

void dt_host_clear(dt_host *host)
{
    if (host->count > 1)
        dt_shared_memory_unmap(host->board, board_bytes(host->count));
    else if (host->board != NULL)
        (void)munmap(host->board, board_bytes(1));
    *host = (dt_host){0};
}
