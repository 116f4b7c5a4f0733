#ifndef DTRAIN_COMM_COMM_H
#define DTRAIN_COMM_COMM_H

#include "dtrain/base/status.h"

#include <stddef.h>
#include <stdint.h>

/**
 * The ranks of a job, and their communication. dt_job_start makes one (job.h).
 *
 * Unless said otherwise the calls are collective, over all ranks, with the same counts everywhere.
 * MPI's own errors end the job (MPI_ERRORS_ARE_FATAL), because the ranks cannot communicate after
 * them.
 */
typedef struct dt_comm dt_comm;

/** Return this rank's number, and how many ranks there are. Local. */
int dt_comm_rank(const dt_comm *comm);
int dt_comm_size(const dt_comm *comm);

/** Returns the version text of the MPI library, "Open MPI 4.1.4" or "MPICH 4.0.2". Local. */
const char *dt_comm_library(void);

/** Returns the version of the MPI that comm/ was compiled with, "4.1.4"; "" if unknown. Local. */
const char *dt_comm_built_with(void);

/** Returns the requirements of dtrain on MPI: the standard, and the thread level. Local. */
const char *dt_comm_standard(void);

/**
 * Makes all ranks return the same status: DT_OK when every rank passed DT_OK, else the status and
 * the text of the failed rank, the lowest of those with the highest code.
 *
 * Called after everything that can fail on a single rank.
 *
 * Cost:    one all-reduce of 8 bytes; on failure a broadcast of the text
 */
DT_MUST_USE dt_status dt_comm_agree(const dt_comm *comm, dt_status status);

/** Broadcasts `bytes` bytes of rank 0 to all ranks. Any size. */
void dt_comm_broadcast(const dt_comm *comm, void *data, size_t bytes);

/** Adds over the ranks, in place. */
void dt_comm_sum_i64(const dt_comm *comm, int64_t *data, size_t count);
void dt_comm_sum_f32(const dt_comm *comm, float *data, size_t count);

/** Take the maximum over the ranks of each element, in place. No NaN. */
void dt_comm_max_i64(const dt_comm *comm, int64_t *data, size_t count);
void dt_comm_max_f64(const dt_comm *comm, double *data, size_t count);

/** Returns when all ranks have called it. */
void dt_comm_barrier(const dt_comm *comm);

/** Gathers `bytes` bytes of each rank, in rank order, on all of them. */
void dt_comm_allgather(const dt_comm *comm, void *all, const void *mine, size_t bytes);

/**
 * Hands each rank its part of rank 0's `parts`.
 *
 * `bytes` [size] is read on rank 0 only; `my_bytes` is the size of this rank's part; every part is
 * below 2 GiB.
 */
void dt_comm_scatterv(const dt_comm *comm, void *mine, size_t my_bytes, const void *parts,
                      const size_t *bytes);

/**
 * Gathers a part of each rank on rank `root`, in rank order: the reverse of dt_comm_scatterv.
 *
 * `all` and `bytes` [size] are used on `root` only; `my_bytes`, which may be 0, is the size of this
 * rank's part, equal to bytes[rank]. Any size.
 */
void dt_comm_gatherv(const dt_comm *comm, int root, void *all, const size_t *bytes,
                     const void *mine, size_t my_bytes);

/**
 * Compares a value that must be the same on all ranks.
 *
 * Errors:  DT_INTERNAL with `what`, the first rank that differs from most, and both values
 */
DT_MUST_USE dt_status dt_comm_check_same(const dt_comm *comm, const char *what, uint32_t value);

#endif
