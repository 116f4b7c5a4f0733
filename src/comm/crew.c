#include "dtrain/comm/crew.h"

#include "comm_internal.h"
#include "waiting.h"

#include "dtrain/base/memory.h"
#include "dtrain/comm/watchdog.h"

#include <limits.h>
#include <time.h>

enum { TAG_MESSAGE = 4, PAUSE_NS = 500000 };

struct dt_crew {
    dt_comm group, peers;
    bool spans_hosts;
};

/* Whether the ranks are on more than one host. */
static bool span_hosts(const dt_comm *all)
{
    int size = 0;
    dt_slot_turn(all->slot);
    MPI_Comm_size(dt_mpi_host(all->comm), &size);
    dt_slot_turn(all->slot);
    return size < all->size;
}

static void split(dt_comm *out, const dt_comm *all, int color, int place)
{
    *out = (dt_comm){.watchdog = all->watchdog, .slot = all->slot};
    dt_slot_turn(all->slot);
    MPI_Comm_split(all->comm, color, place, &out->comm);
    dt_slot_turn(all->slot);
    MPI_Comm_rank(out->comm, &out->rank);
    MPI_Comm_size(out->comm, &out->size);
}

dt_status dt_crew_new(dt_crew **out, const dt_comm *all, int ranks_each)
{
    dt_status status = DT_OK;
    dt_crew *crew = NULL;
    *out = NULL;
    DT_ASSERT(ranks_each > 0 && all->size % ranks_each == 0);
    DT_TRY(dt_comm_agree(all, dt_memory_alloc(&crew, 1, sizeof *crew, "groups of ranks")));
    crew->spans_hosts = span_hosts(all);
    split(&crew->group, all, all->rank / ranks_each, all->rank);
    split(&crew->peers, all, all->rank % ranks_each, all->rank);
    *out = crew;
    crew = NULL;
out:
    dt_memory_free(crew);
    return status;
}

static void free_communicators(dt_crew *crew)
{
    MPI_Comm_free(&crew->group.comm);
    MPI_Comm_free(&crew->peers.comm);
}

void dt_crew_merge(dt_crew *crew, const dt_comm *all, int together)
{
    const int group = crew->peers.rank / together, index = crew->peers.rank % together;
    const int rank = crew->group.rank * together + index;
    DT_ASSERT(together > 0 && crew->peers.size % together == 0);
    free_communicators(crew);
    split(&crew->group, all, group, rank);
    split(&crew->peers, all, rank, group);
}

void dt_crew_free(dt_crew *crew)
{
    if (crew == NULL)
        return;
    free_communicators(crew);
    dt_memory_free(crew);
}

const dt_comm *dt_crew_group(const dt_crew *crew)
{
    return &crew->group;
}

const dt_comm *dt_crew_peers(const dt_crew *crew)
{
    return &crew->peers;
}

int dt_crew_index(const dt_crew *crew)
{
    return crew->peers.rank;
}

int dt_crew_count(const dt_crew *crew)
{
    return crew->peers.size;
}

void dt_crew_share(const dt_crew *crew, const dt_comm *comm, void *data, size_t bytes)
{
    MPI_Request request = MPI_REQUEST_NULL;
    int done = comm->size == 1;
    DT_ASSERT(bytes <= INT_MAX);
    if (!done)
        MPI_Ibcast(data, (int)bytes, MPI_BYTE, 0, comm->comm, &request);
    dt_slot_turn(comm->slot);
    while (!done) {
        MPI_Test(&request, &done, MPI_STATUS_IGNORE);
        if (!done)
            dt_crew_pause(crew);
    }
    dt_slot_turn(comm->slot);
}

void dt_crew_send(const dt_crew *crew, int to, const void *data, size_t bytes)
{
    MPI_Request request = MPI_REQUEST_NULL;
    int done = 0;
    DT_ASSERT(bytes <= INT_MAX);
    MPI_Isend(data, (int)bytes, MPI_BYTE, to, TAG_MESSAGE, crew->peers.comm, &request);
    for (;;) {
        MPI_Test(&request, &done, MPI_STATUS_IGNORE);
        if (done)
            return;
        dt_crew_pause(crew);
    }
}

bool dt_crew_arrived(const dt_crew *crew, int *from, size_t *bytes)
{
    MPI_Status found;
    int there = 0, count = 0;
    MPI_Iprobe(MPI_ANY_SOURCE, TAG_MESSAGE, crew->peers.comm, &there, &found);
    if (!there)
        return false;
    MPI_Get_count(&found, MPI_BYTE, &count);
    *from = found.MPI_SOURCE;
    *bytes = (size_t)count;
    return true;
}

void dt_crew_receive(const dt_crew *crew, int from, void *data, size_t bytes)
{
    MPI_Recv(data, (int)bytes, MPI_BYTE, from, TAG_MESSAGE, crew->peers.comm, MPI_STATUS_IGNORE);
}

void dt_crew_begin_wait(const dt_crew *crew)
{
    dt_slot_turn(crew->group.slot);
}

void dt_crew_end_wait(const dt_crew *crew)
{
    dt_slot_turn(crew->group.slot);
}

void dt_crew_pause(const dt_crew *crew)
{
    /* On one host the ranks that work show it themselves, and one that is stuck must be seen. */
    if (crew->spans_hosts)
        dt_comm_report_progress(&crew->group);
    (void)nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
}
