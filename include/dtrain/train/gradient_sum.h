#ifndef DTRAIN_TRAIN_GRADIENT_SUM_H
#define DTRAIN_TRAIN_GRADIENT_SUM_H

#include "dtrain/base/status.h"
#include "dtrain/comm/background_sum.h"
#include "dtrain/comm/comm.h"
#include "dtrain/comm/launch.h"
#include "dtrain/comm/window.h"
#include "dtrain/nn/network.h"
#include "dtrain/train/plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** How a step's gradients are added over the ranks. */
typedef struct dt_reduction {
    bool window; /* in shared memory of the ranks of a host; else by MPI_Allreduce */
    bool yields; /* ranks that wait at the window give up their CPU */
    size_t piece; /* minimum parameters of a piece; 0: all parameters at once */
} dt_reduction;

/**
 * The sum of a step's gradients over the ranks, in one of three ways:
 *
 *   - MPI_Allreduce of all numbers after the backward pass;
 *   - MPI_Iallreduce of pieces during the backward pass;
 *   - a window (comm/window.h): each rank adds the numbers of all ranks of its host in its slice,
 *     and updates the parameters of that slice for all of them.
 *
 * Math:    v[i] = sum over ranks of v[i], i = 0 .. P+tail-1: the gradients in the network's order,
 *          then some other numbers that a step sums over all ranks
 *
 * A piece is a range of parameters. It is sent when the backward pass has reported it as done
 * (dt_gradient_done), so that the sums of later layers are on their way while earlier layers are
 * computed. Pieces depend only on the network, so all ranks start the same pieces in the same
 * order.
 *
 * Integer sums have the same bits in all three ways; float32 sums are the same within rounding.
 *
 * A step: dt_gradient_sum_begin, the backward pass, dt_gradient_sum_finish, dt_gradient_sum_block
 * for the parameters of the slice, dt_gradient_sum_end.
 */
typedef struct dt_gradient_sum {
    const dt_comm *comm;
    const dt_network *network;
    bool exact; /* numbers are int64_t; else float */
    size_t tail;
    void *own; /* [P + tail]: this rank's numbers */
    void *tail_sums; /* [tail], from dt_gradient_sum_finish on */
    size_t slice_first, slice_count; /* the parameters that this rank updates */

    dt_window *window; /* NULL: MPI_Allreduce, and `own` is this rank's memory */
    size_t states; /* shared arrays */
    void *slice; /* with a window on several hosts: the sums of slice and tail */

    dt_background_sum *background; /* NULL: all at once */
    size_t piece; /* minimum parameters of a piece */
    size_t edge; /* the first parameter that is sent in pieces */
} dt_gradient_sum;

/**
 * Chooses how `P` numbers of `bytes_a_number` bytes are added.
 *
 * DT_REDUCE_AUTO takes a window if some ranks share a host, unless pieces are sent. DT_OVERLAP_AUTO
 * sends pieces of 2 MiB if the ranks are on several hosts and the gradient has 1 MiB or more:
 * shorter sums gain nothing (MPI_Allreduce has better algorithms for short messages), and within a
 * host the same cores copy the data. DT_REDUCE_WINDOW sends no pieces.
 *
 * Calls:   local; same on all ranks: the arguments
 */
dt_reduction dt_gradient_sum_choose(dt_reduce reduce, dt_overlap overlap, int ranks, int hosts,
                                    size_t P, size_t bytes_a_number);

/**
 * Prepares sums of P + `tail` numbers: int64_t if `exact`, else float. If there is no memory for a
 * window, a warning says so and MPI_Allreduce is used. A window has room for `states` arrays [P] of
 * float, which the ranks of a host share (dt_gradient_sum_state).
 *
 * Calls:   collective
 * Owns:    the caller clears; the other arguments are borrowed until then
 * Errors:  DT_MEMORY, on this rank alone
 */
DT_MUST_USE dt_status dt_gradient_sum_init(dt_gradient_sum *out, const dt_comm *comm,
                                           const dt_launch *launch, const dt_network *network,
                                           bool exact, size_t tail, size_t states,
                                           dt_reduction how);

/** Returns shared array `state` [P] of a window; NULL without a window. Local. */
float *dt_gradient_sum_state(const dt_gradient_sum *sum, size_t state);

/** Frees; a zeroed one is allowed. Collective. */
void dt_gradient_sum_clear(dt_gradient_sum *sum);

/** Starts the sum, before the backward pass. Without rows, all gradients are zeros. Local. */
void dt_gradient_sum_begin(dt_gradient_sum *sum, bool has_rows);

/**
 * Handles a report of the backward pass (dt_gradient_done) if the sum is made in pieces: sends the
 * new parameters from `first` on if they make a piece, and advances the pieces that were sent.
 *
 * Calls:   collective as to the suffixes; repeated calls with the same `first` are local
 * Cost:    a few microseconds, and MPI's share of the copying
 */
void dt_gradient_sum_take(dt_gradient_sum *sum, size_t first);

/**
 * Waits until the sums of the tail and of this rank's slice can be read. This rank's own numbers
 * may be written until this call.
 *
 * Calls:   collective
 * Cost:    one all-reduce of P + tail numbers; in pieces, what is left of them, and one all-reduce
 *          of the tail; with a window one wait, and on several hosts an all-reduce of the slice
 */
void dt_gradient_sum_finish(dt_gradient_sum *sum);

/**
 * Returns the sums of `count` parameters from `first` on, int64_t or float, all in this rank's
 * slice; `scratch` has room for [count] int64_t. Local; any thread.
 */
const void *dt_gradient_sum_block(const dt_gradient_sum *sum, size_t first, size_t count,
                                  void *scratch);

/** Ends a step: every rank's parameters are updated, and numbers may be written again.
 * Collective. */
void dt_gradient_sum_end(dt_gradient_sum *sum);

#endif
