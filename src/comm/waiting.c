#include "waiting.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <time.h>

/* ---- the ranks of a host: an attribute of the communicator ---- */

static int free_host(MPI_Comm comm, int key, void *value, void *unused)
{
    MPI_Comm host = MPI_Comm_f2c((MPI_Fint)(intptr_t)value);
    (void)comm;
    (void)key;
    (void)unused;
    return MPI_Comm_free(&host);
}

MPI_Comm dt_mpi_host(MPI_Comm comm)
{
    static int key = MPI_KEYVAL_INVALID;
    void *value = NULL;
    int found = 0;
    if (key == MPI_KEYVAL_INVALID)
        MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, free_host, &key, NULL);
    MPI_Comm_get_attr(comm, key, (void *)&value, &found);
    if (found != 0)
        return MPI_Comm_f2c((MPI_Fint)(intptr_t)value);
    MPI_Comm host;
    MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &host);
    /* a number, since the attribute is a pointer */
    MPI_Comm_set_attr(comm, key, (void *)(intptr_t)MPI_Comm_c2f(host));
    return host;
}

/* ---- waiting ---- */

#ifdef OPEN_MPI

void dt_mpi_allreduce(const void *from, void *to, int count, MPI_Datatype type, MPI_Op op,
                      MPI_Comm comm)
{
    MPI_Allreduce(from, to, count, type, op, comm);
}

void dt_mpi_bcast(void *data, int count, MPI_Datatype type, int root, MPI_Comm comm)
{
    MPI_Bcast(data, count, type, root, comm);
}

void dt_mpi_barrier(MPI_Comm comm)
{
    MPI_Barrier(comm);
}

void dt_mpi_allgather(const void *from, int from_count, void *to, int to_count, MPI_Datatype type,
                      MPI_Comm comm)
{
    MPI_Allgather(from, from_count, type, to, to_count, type, comm);
}

void dt_mpi_send(const void *data, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm)
{
    MPI_Send(data, count, type, to, tag, comm);
}

void dt_mpi_recv(void *data, int count, MPI_Datatype type, int from, int tag, MPI_Comm comm)
{
    MPI_Recv(data, count, type, from, tag, comm, MPI_STATUS_IGNORE);
}

void dt_mpi_wait(MPI_Request *request)
{
    MPI_Wait(request, MPI_STATUS_IGNORE);
}

#else

/* A rank tests for a few microseconds before it gives up its CPU for the first time: a small sum
 * ends in this time if all ranks have a CPU. Then it sleeps, each time longer by a quarter, so that
 * a wait takes a quarter more at most. It does not yield, because Linux yields only to processes of
 * the same group, and mpiexec of MPICH starts each rank in its own session and group. The longest
 * sleep is short, because a large sum needs many tests. */
enum { TESTS = 100, SHORTEST_NS = 10000, LONGEST_NS = 200000, SLACK_NS = 1000 };

static void give_way(long *sleep_ns)
{
    static _Thread_local bool is_prompt;
    if (!is_prompt) /* else Linux adds 50 microseconds to each sleep */
        (void)prctl(PR_SET_TIMERSLACK, SLACK_NS, 0, 0, 0);
    is_prompt = true;
    (void)nanosleep(&(struct timespec){.tv_nsec = *sleep_ns}, NULL);
    const long longer = *sleep_ns + *sleep_ns / 4;
    *sleep_ns = longer < LONGEST_NS ? longer : LONGEST_NS;
}

void dt_mpi_wait(MPI_Request *request)
{
    int ended = 0;
    long sleep_ns = SHORTEST_NS;
    for (unsigned tests = 1; ended == 0; tests++) {
        MPI_Test(request, &ended, MPI_STATUS_IGNORE);
        if (ended == 0 && tests > TESTS)
            give_way(&sleep_ns);
    }
}

void dt_mpi_allreduce(const void *from, void *to, int count, MPI_Datatype type, MPI_Op op,
                      MPI_Comm comm)
{
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Iallreduce(from, to, count, type, op, comm, &request);
    dt_mpi_wait(&request);
}

void dt_mpi_bcast(void *data, int count, MPI_Datatype type, int root, MPI_Comm comm)
{
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Ibcast(data, count, type, root, comm, &request);
    dt_mpi_wait(&request);
}

void dt_mpi_barrier(MPI_Comm comm)
{
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Ibarrier(comm, &request);
    dt_mpi_wait(&request);
}

void dt_mpi_allgather(const void *from, int from_count, void *to, int to_count, MPI_Datatype type,
                      MPI_Comm comm)
{
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Iallgather(from, from_count, type, to, to_count, type, comm, &request);
    dt_mpi_wait(&request);
}

void dt_mpi_send(const void *data, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm)
{
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Isend(data, count, type, to, tag, comm, &request);
    dt_mpi_wait(&request);
}

void dt_mpi_recv(void *data, int count, MPI_Datatype type, int from, int tag, MPI_Comm comm)
{
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Irecv(data, count, type, from, tag, comm, &request);
    dt_mpi_wait(&request);
}

#endif
