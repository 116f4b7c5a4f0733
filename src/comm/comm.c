#include "comm_internal.h"
#include "waiting.h"

#include "dtrain/base/memory.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { TAG_SCATTER = 1, TAG_COLLECT = 2 };

/* Called around each wait for other ranks, equally often on all of them, because the watchdog
 * compares. */
static inline void enter(const dt_comm *comm)
{
    dt_slot_turn(comm->slot);
}

static inline void leave(const dt_comm *comm)
{
    dt_slot_turn(comm->slot);
}

int dt_comm_rank(const dt_comm *comm)
{
    return comm->rank;
}

int dt_comm_size(const dt_comm *comm)
{
    return comm->size;
}

const char *dt_comm_library(void)
{
    static char version[MPI_MAX_LIBRARY_VERSION_STRING];
    int length = 0;
    MPI_Get_library_version(version, &length);
    /* "Open MPI v4.1.4, package: ..., ident: ..." up to the first comma, without the v; of
     * "MPICH Version:\t4.0.2\nMPICH Release date: ..." likewise "MPICH 4.0.2" */
    version[strcspn(version, ",\n")] = '\0';
    char *v = strstr(version, " v"), *colon = strchr(version, ':');
    if (v != NULL)
        memmove(v + 1, v + 2, strlen(v + 2) + 1);
    else if (colon != NULL && strncmp(version, "MPICH ", 6) == 0) {
        const char *number = colon + 1 + strspn(colon + 1, " \t");
        memmove(version + 6, number, strlen(number) + 1);
    }
    return version;
}

#define TEXT_OF(macro) TEXT(macro)
#define TEXT(tokens) #tokens

const char *dt_comm_built_with(void)
{
#if defined OMPI_MAJOR_VERSION
    return TEXT_OF(OMPI_MAJOR_VERSION) "." TEXT_OF(OMPI_MINOR_VERSION) "." TEXT_OF(
        OMPI_RELEASE_VERSION);
#elif defined MPICH_VERSION
    return MPICH_VERSION;
#else
    return "";
#endif
}

const char *dt_comm_standard(void)
{
    return "MPI " TEXT_OF(MPI_VERSION) "." TEXT_OF(MPI_SUBVERSION) ", MPI_THREAD_FUNNELED";
}

dt_status dt_comm_agree(const dt_comm *comm, dt_status status)
{
    struct {
        int code, rank;
    } mine = {(int)status, comm->rank}, worst;
    /* MAXLOC breaks ties by the lower rank. */
    enter(comm);
    dt_mpi_allreduce(&mine, &worst, 1, MPI_2INT, MPI_MAXLOC, comm->comm);
    leave(comm);
    if (worst.code == DT_OK)
        return DT_OK;
    char text[DT_STATUS_TEXT_BYTES] = "";
    if (comm->rank == worst.rank)
        (void)snprintf(text, sizeof text, "%s", dt_status_text());
    enter(comm);
    dt_mpi_bcast(text, sizeof text, MPI_CHAR, worst.rank, comm->comm);
    leave(comm);
    dt_status_set_text(text);
    return (dt_status)worst.code;
}

void dt_comm_broadcast(const dt_comm *comm, void *data, size_t bytes)
{
    for (size_t done = 0; done < bytes; done += DT_MPI_PIECE) {
        const size_t piece = bytes - done < DT_MPI_PIECE ? bytes - done : DT_MPI_PIECE;
        enter(comm);
        dt_mpi_bcast((char *)data + done, (int)piece, MPI_BYTE, 0, comm->comm);
        leave(comm);
    }
}

/* In place, over the ranks. */
static void reduce(const dt_comm *comm, void *data, size_t count, size_t bytes, MPI_Datatype type,
                   MPI_Op op)
{
    /* A single rank returns at once, without calling Open MPI. */
    for (size_t done = 0; comm->size > 1 && done < count; done += DT_MPI_PIECE) {
        const size_t piece = count - done < DT_MPI_PIECE ? count - done : DT_MPI_PIECE;
        enter(comm);
        dt_mpi_allreduce(MPI_IN_PLACE, (char *)data + done * bytes, (int)piece, type, op,
                         comm->comm);
        leave(comm);
    }
}

void dt_comm_sum_i64(const dt_comm *comm, int64_t *data, size_t count)
{
    reduce(comm, data, count, sizeof *data, MPI_INT64_T, MPI_SUM);
}

void dt_comm_sum_f32(const dt_comm *comm, float *data, size_t count)
{
    reduce(comm, data, count, sizeof *data, MPI_FLOAT, MPI_SUM);
}

void dt_comm_max_i64(const dt_comm *comm, int64_t *data, size_t count)
{
    reduce(comm, data, count, sizeof *data, MPI_INT64_T, MPI_MAX);
}

void dt_comm_max_f64(const dt_comm *comm, double *data, size_t count)
{
    reduce(comm, data, count, sizeof *data, MPI_DOUBLE, MPI_MAX);
}

void dt_comm_barrier(const dt_comm *comm)
{
    if (comm->size > 1) {
        enter(comm);
        dt_mpi_barrier(comm->comm);
        leave(comm);
    }
}

void dt_comm_allgather(const dt_comm *comm, void *all, const void *mine, size_t bytes)
{
    DT_ASSERT(bytes <= INT_MAX);
    enter(comm);
    dt_mpi_allgather(mine, (int)bytes, all, (int)bytes, MPI_BYTE, comm->comm);
    leave(comm);
}

/* Point to point, as Open MPI's own scatterv does; but with size_t offsets. */
static void scatter_parts(const dt_comm *comm, void *mine, const void *parts, const size_t *bytes)
{
    memmove(mine, parts, bytes[0]); /* they may be the same */
    const char *part = (const char *)parts + bytes[0];
    for (int rank = 1; rank < comm->size; rank++) {
        if (bytes[rank] > 0)
            dt_mpi_send(part, (int)bytes[rank], MPI_BYTE, rank, TAG_SCATTER, comm->comm);
        part += bytes[rank];
    }
}

void dt_comm_scatterv(const dt_comm *comm, void *mine, size_t my_bytes, const void *parts,
                      const size_t *bytes)
{
    DT_ASSERT(my_bytes <= INT_MAX);
    enter(comm);
    if (comm->rank == 0)
        scatter_parts(comm, mine, parts, bytes);
    else if (my_bytes > 0)
        dt_mpi_recv(mine, (int)my_bytes, MPI_BYTE, 0, TAG_SCATTER, comm->comm);
    leave(comm);
}

/* Point to point: gatherv's offsets are int. Pieces from one rank arrive in order. */
static void send_part(const dt_comm *comm, int root, const char *mine, size_t my_bytes)
{
    for (size_t done = 0; done < my_bytes; done += DT_MPI_PIECE) {
        const size_t piece = my_bytes - done < DT_MPI_PIECE ? my_bytes - done : DT_MPI_PIECE;
        dt_mpi_send(mine + done, (int)piece, MPI_BYTE, root, TAG_COLLECT, comm->comm);
    }
}

static void collect_parts(const dt_comm *comm, void *all, const size_t *bytes, const void *mine)
{
    char *part = all;
    for (int rank = 0; rank < comm->size; rank++) {
        if (rank == comm->rank && bytes[rank] > 0)
            memmove(part, mine, bytes[rank]); /* it may already be there */
        for (size_t done = 0; rank != comm->rank && done < bytes[rank]; done += DT_MPI_PIECE) {
            const size_t piece =
                bytes[rank] - done < DT_MPI_PIECE ? bytes[rank] - done : DT_MPI_PIECE;
            dt_mpi_recv(part + done, (int)piece, MPI_BYTE, rank, TAG_COLLECT, comm->comm);
        }
        part += bytes[rank];
    }
}

void dt_comm_gatherv(const dt_comm *comm, int root, void *all, const size_t *bytes,
                     const void *mine, size_t my_bytes)
{
    DT_ASSERT(comm->rank != root || bytes[root] == my_bytes);
    enter(comm);
    if (comm->rank == root)
        collect_parts(comm, all, bytes, mine);
    else
        send_part(comm, root, mine, my_bytes);
    leave(comm);
}

/* The index of the first value that differs from the most frequent one, and of the first that is
 * the most frequent one. The values must differ. */
static int first_odd_one(const uint32_t *values, int count, int *usual)
{
    int best = 0;
    int best_votes = 0;
    for (int i = 0; i < count && best_votes <= count / 2; i++) {
        int votes = 0;
        for (int j = 0; j < count; j++)
            votes += values[j] == values[i];
        if (votes > best_votes) {
            best = i;
            best_votes = votes;
        }
    }
    *usual = best;
    int odd = 0;
    while (odd < count - 1 && values[odd] == values[best])
        odd++;
    return odd;
}

dt_status dt_comm_check_same(const dt_comm *comm, const char *what, uint32_t value)
{
    /* One small reduction if all values are equal: then the maxima of x and of ~x are
     * complements. */
    uint32_t range[2] = {value, ~value};
    enter(comm);
    dt_mpi_allreduce(MPI_IN_PLACE, range, 2, MPI_UINT32_T, MPI_MAX, comm->comm);
    leave(comm);
    if (range[0] == (uint32_t)~range[1])
        return DT_OK;
    uint32_t *values = NULL;
    dt_status status = dt_memory_alloc(&values, (size_t)comm->size, sizeof *values, what);
    status = dt_comm_agree(comm, status);
    if (status == DT_OK) {
        dt_comm_allgather(comm, values, &value, sizeof value);
        int usual = 0;
        const int odd = first_odd_one(values, comm->size, &usual);
        status = dt_fail(DT_INTERNAL, "%s differs on rank %d: %08x, where rank %d has %08x", what,
                         odd, values[odd], usual, values[usual]);
    }
    dt_memory_free(values);
    return status;
}
