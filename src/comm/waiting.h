#ifndef DTRAIN_COMM_WAITING_H
#define DTRAIN_COMM_WAITING_H

/* MPI's calls that wait for other ranks, as comm/ makes them. */

#include <mpi.h>
#include <stddef.h>

/**
 * Calls that wait for other ranks, with MPI's names and arguments. A receive does not return its
 * status.
 *
 * Open MPI yields its CPU while it waits, if it knows that there are more ranks than CPUs
 * (launch.c). Other libraries spin: with MPICH 4.0, sums of 8 ranks on 2 CPUs take 40 times longer,
 * because the rank that the others wait for has no CPU. With such a library each call is MPI's
 * nonblocking one, followed by a loop of tests that gives up the CPU after some of them. All ranks
 * do the same, because MPI does not match a blocking collective with a nonblocking one.
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

/**
 * Returns the communicator of the ranks of `comm` on this host, in its order. It is made once and
 * freed with `comm`: MPI cannot split without blocking, which takes other libraries than Open MPI
 * 50 ms of CPU a rank if there are 8 ranks on 2 CPUs.
 *
 * Calls:   collective
 * Owns:    `comm` owns it
 */
MPI_Comm dt_mpi_host(MPI_Comm comm);

#endif
