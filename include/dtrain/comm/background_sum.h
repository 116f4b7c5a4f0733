#ifndef DTRAIN_COMM_BACKGROUND_SUM_H
#define DTRAIN_COMM_BACKGROUND_SUM_H

#include "dtrain/base/status.h"
#include "dtrain/comm/comm.h"

#include <stddef.h>
#include <stdint.h>

/**
 * Sums over the ranks, in place, that proceed while the caller computes.
 *
 *     add, add, ...    some numbers each: all ranks the same counts in the same order
 *     poll             called repeatedly in between, because MPI only works when it is called
 *     wait             waits until all added numbers are summed
 *
 * The numbers belong to the sum from `add` until `wait` returns. In between a rank may compute for
 * any time, and take part in other collectives.
 */
typedef struct dt_background_sum dt_background_sum;

/**
 * Sets Open MPI's algorithm for such sums before MPI_Init, unless the user has set it in the
 * environment: OMPI_MCA_coll_libnbc_iallreduce_algorithm, 3 (Rabenseifner's) or 1 (a ring), by the
 * number of ranks. Over TCP these need half to a third of the time of Open MPI's own choice.
 * Nothing is set for Open MPI before 4.1.2, where they give wrong sums, or for other libraries.
 *
 * Calls:   local, no MPI
 */
void dt_background_sum_prepare(void);

/**
 * Makes a background sum without any numbers. `comm` is borrowed.
 *
 * Calls:   local
 * Owns:    the caller frees
 * Errors:  DT_MEMORY; *out = NULL
 */
DT_MUST_USE dt_status dt_background_sum_new(dt_background_sum **out, const dt_comm *comm);

/** Frees; NULL is allowed. All sums must have ended. Local. */
void dt_background_sum_free(dt_background_sum *sum);

/**
 * Start to add `count` numbers over the ranks.
 *
 * Calls:   collective; waits for other ranks only if many sums are in progress: for the sum started
 *          32 calls before
 * Cost:    a nonblocking all-reduce, for which Open MPI holds up to the same amount of memory until
 *          it is done
 */
void dt_background_sum_add_i64(dt_background_sum *sum, int64_t *data, size_t count);
void dt_background_sum_add_f32(dt_background_sum *sum, float *data, size_t count);

/** Lets MPI send and receive what it can without waiting. Calls: local. Cost: a few
 * microseconds. */
void dt_background_sum_poll(dt_background_sum *sum);

/** Waits until all added numbers are summed. Collective. */
void dt_background_sum_wait(dt_background_sum *sum);

#endif
