#ifndef DTRAIN_COMM_WAITING_H
#define DTRAIN_COMM_WAITING_H

/* MPI's calls that wait for other ranks, as comm/ makes them. */

#include <mpi.h>
#include <stddef.h>

/**
 * Calls that wait for other ranks, by MPI's names and with its arguments; the status of a receive
 * is not given.
 *
 * Open MPI yields its CPU while it waits, if it knows that there are more ranks than CPUs
 * (launch.c). Other libraries spin: with MPICH 4.0, 8 ranks on 2 CPUs add up 40 times slower, since
 * the rank that is waited for has no CPU. There each call is the nonblocking one, and a loop of
 * tests in which the rank gives up its CPU after some of them. MPI lets a blocking and a
 * nonblocking collective not meet, so that all ranks do the same.
 *
 * Calls:   as MPI's
 */
void dt_mpi_allreduce(const void *from, void *to, int count, MPI_Datatype type, MPI_Op op,
                      MPI_Comm comm);
void dt_mpi_bcast(void *data, int count, MPI_Datatype type, int root, MPI_Comm comm);
void dt_mpi_barrier(MPI_Comm comm);
void dt_mpi_allgather(const void *from, int from_count, void *to, int to_count, MPI_Datatype type,
                      MPI_Comm comm);
void dt_mpi_send(const void *data, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm);
void dt_mpi_recv(void *data, int count, MPI_Datatype type, int from, int tag, MPI_Comm comm);

/** Waits for a request, which may be MPI_REQUEST_NULL. */
void dt_mpi_wait(MPI_Request *request);

#endif
