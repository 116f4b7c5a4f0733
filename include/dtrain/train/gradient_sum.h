#ifndef DTRAIN_TRAIN_GRADIENT_SUM_H
#define DTRAIN_TRAIN_GRADIENT_SUM_H

#include "dtrain/base/status.h"
#include "dtrain/comm/background_sum.h"
#include "dtrain/comm/comm.h"
#include "dtrain/nn/network.h"
#include "dtrain/train/settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The sum of a step's gradients over the ranks: all at once after the backward pass, or piece by
 * piece while it is still under way.
 *
 * Math:    v[i] = sum over ranks of v[i], i = 0 .. P+tail-1: the gradients in the network's order,
 *          and some numbers more that a step needs of all ranks
 *
 * A piece is a range of parameters. It goes out when the backward pass has told that they are done
 * (dt_gradient_done), so that the later layers' sums are on their way while the earlier layers are
 * computed. Pieces follow from the network alone: all ranks begin the same ones in the same order.
 *
 * Of integers the sum is the same bits in either way; of float32 it is so within rounding.
 */
typedef struct dt_gradient_sum {
    const dt_comm *comm;
    const dt_network *network;
    size_t tail;
    int64_t *counts; /* [P + tail], borrowed; or */
    float *floats; /* [P + tail], borrowed; one of them is NULL */

    dt_background_sum *background; /* NULL: all at once */
    size_t piece; /* parameters that are worth a piece of their own */
    size_t from; /* of the layer under way, the first parameter that is in no piece yet */
    size_t edge; /* the parameters from here on are in pieces */
} dt_gradient_sum;

/**
 * Chooses how the sum is made: returns the parameters of a piece, 2 MiB, or 0: all at once.
 *
 * DT_OVERLAP_AUTO takes pieces where the ranks are on several hosts and the gradient is of 1 MiB or
 * more: below that they gain nothing (MPI_Allreduce has better ways for short messages), and within a
 * host nothing is under way but what the same cores copy.
 *
 * Calls:   local; same on all ranks: the arguments
 */
size_t dt_gradient_sum_choose(dt_overlap overlap, int ranks, int hosts, size_t P,
                              size_t number_bytes);

/**
 * Prepares sums of `counts` [P + tail] (or of `floats`, when `counts` is NULL) in pieces of at least
 * `piece` parameters; 0: all at once.
 *
 * Calls:   local
 * Owns:    the caller clears; all arguments are borrowed until then
 * Errors:  DT_MEMORY
 */
DT_MUST_USE dt_status dt_gradient_sum_init(dt_gradient_sum *out, const dt_comm *comm,
                                           const dt_network *network, int64_t *counts,
                                           float *floats, size_t tail, size_t piece);

/** Frees; a zeroed one is allowed. Local. */
void dt_gradient_sum_clear(dt_gradient_sum *sum);

/** Begins; before the backward pass. Local. */
void dt_gradient_sum_begin(dt_gradient_sum *sum);

/**
 * Takes over what the backward pass tells of (dt_gradient_done), where the sum is made in pieces; with
 * `count` 0 it only lets those under way go on.
 *
 * Calls:   collective as to the ranges; with `count` 0 local
 * Cost:    a few microseconds, and MPI's share of the copying
 */
void dt_gradient_sum_take(dt_gradient_sum *sum, size_t first, size_t count);

/**
 * Returns when gradients and tail are summed; the tail may be written until here.
 *
 * Calls:   collective
 * Cost:    all at once: one all-reduce of P + tail numbers; in pieces: what is left of them, and one
 *          all-reduce of the tail
 */
void dt_gradient_sum_finish(dt_gradient_sum *sum);

#endif
