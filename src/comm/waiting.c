#include "waiting.h"

#include <sched.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <time.h>

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
 * ends in this time if all ranks have a CPU. Then it yields, and sleeps every 16th time, because
 * Linux yields only to processes of the same group, and mpiexec of MPICH starts each rank in its
 * own session and group. */
enum { TESTS = 100, TURNS_A_SLEEP = 16, SLEEP_NS = 1000 };

static void give_way(unsigned turns)
{
    static _Thread_local bool is_prompt;
    if (turns % TURNS_A_SLEEP != 0) {
        (void)sched_yield();
        return;
    }
    if (!is_prompt) /* else Linux adds 50 microseconds to each sleep */
        (void)prctl(PR_SET_TIMERSLACK, SLEEP_NS, 0, 0, 0);
    is_prompt = true;
    (void)nanosleep(&(struct timespec){.tv_nsec = SLEEP_NS}, NULL);
}

void dt_mpi_wait(MPI_Request *request)
{
    int ended = 0;
    for (unsigned tests = 1; ended == 0; tests++) {
        MPI_Test(request, &ended, MPI_STATUS_IGNORE);
        if (ended == 0 && tests > TESTS)
            give_way(tests);
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
