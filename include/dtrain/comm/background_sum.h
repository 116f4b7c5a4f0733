#ifndef DTRAIN_COMM_BACKGROUND_SUM_H
#define DTRAIN_COMM_BACKGROUND_SUM_H

#include "dtrain/base/status.h"
#include "dtrain/comm/comm.h"

#include <stddef.h>
#include <stdint.h>

/**
 * Sums over the ranks, in place, that are under way while the caller computes.
 *
 *     add, add, ...    some numbers each: all ranks the same counts in the same order
 *     poll             now and then in between, for MPI works only when it is called
 *     wait             all that was added is summed
 *
 * From `add` until `wait` returns the numbers belong to the sum. In between a rank may compute as
 * long as it likes, and take part in other collectives.
 */
typedef struct dt_background_sum dt_background_sum;

/**
 * Sets, before MPI_Init, how Open MPI goes about such sums, unless the user has set it in the
 * environment: OMPI_MCA_coll_libnbc_iallreduce_algorithm, 3 (Rabenseifner's) or 1 (a ring), by the
 * number of ranks. Over TCP that takes half to a third of the time of its own choice. Nothing is
 * set before Open MPI 4.1.2, where these give wrong sums, nor for other libraries.
 *
 * Calls:   local, no MPI
 */
void dt_background_sum_prepare(void);

/**
 * Makes one with nothing under way. `comm` is borrowed.
 *
 * Calls:   local
 * Owns:    the caller frees
 * Errors:  DT_MEMORY; *out = NULL
 */
DT_MUST_USE dt_status dt_background_sum_new(dt_background_sum **out, const dt_comm *comm);

/** Frees; NULL is allowed. Nothing is under way. Local. */
void dt_background_sum_free(dt_background_sum *sum);

/**
 * Begin to add up `count` numbers over the ranks.
 *
 * Calls:   collective; waits for the other ranks only when much is under way already: for the sum
 *          that was begun 32 before
 * Cost:    a nonblocking all-reduce, for which Open MPI holds up to as much memory until it is done
 */
void dt_background_sum_add_i64(dt_background_sum *sum, int64_t *data, size_t count);
void dt_background_sum_add_f32(dt_background_sum *sum, float *data, size_t count);

/** Lets MPI send and receive what it can without waiting. Calls: local. Cost: a few
 * microseconds. */
void dt_background_sum_poll(dt_background_sum *sum);

/** Returns when all that was added is summed. Collective. */
void dt_background_sum_wait(dt_background_sum *sum);

#endif
