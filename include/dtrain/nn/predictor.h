#ifndef DTRAIN_NN_PREDICTOR_H
#define DTRAIN_NN_PREDICTOR_H

#include "dtrain/base/status.h"
#include "dtrain/nn/members.h"
#include "dtrain/nn/network.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * Computes predictions of rows for validation, evaluation and `dtrain predict`. All calls are
 * local.
 *
 * Products are computed in blocks of DT_PREDICTOR_BLOCK rows; the last one may have fewer. With
 * dtrain's own kernels a row's bits depend on the row alone. OpenBLAS computes the rows of one
 * product in different ways; with it they also depend on the block, and the same bits on any number
 * of ranks need the same rows in the same calls.
 *
 * For an ensemble (dt_network.others), the predictions are averaged in the order of its networks,
 * in float32: probabilities, or values in the targets' units. The loss is that of the average, in
 * the first network's units.
 */
typedef struct dt_predictor {
    const dt_network *network; /* borrowed */
    dt_workspace workspace;
    size_t capacity; /* maximum rows of a call; depends only on the network */
    float *prepared; /* [capacity,D]: prepared rows; NULL: rows need no preparation */
    float *mean; /* [capacity,C]: of an ensemble; else NULL */
    float *p; /* [B,C]: the last call's predictions, in the workspace: probabilities, or values in
                 the targets' units */
    dt_target *y; /* [capacity,targets]: the last call's, in the units of training */
    dt_loss_rows rows; /* [capacity]: of the last call */
    dt_members members; /* of the network */
} dt_predictor;

/** Rows of a product. */
enum { DT_PREDICTOR_BLOCK = 256 };

/**
 * Allocates. `prepares`: the rows come as they are in files, and the network's normalization, if it
 * has one, is applied to a copy of them. A dataset's rows have been prepared already.
 *
 * Owns: the caller clears. Errors: DT_MEMORY.
 */
DT_MUST_USE dt_status dt_predictor_init(dt_predictor *out, const dt_network *network,
                                        bool prepares);

/** Frees; a zeroed predictor is allowed. */
void dt_predictor_clear(dt_predictor *predictor);

/**
 * Computes predictor->p and, as far as they need no targets, predictor->rows; with targets all of
 * predictor->rows.
 *
 * Shapes:  X [B,D] in, y [B,targets] in or NULL: in their own units, B <= capacity
 * Cost:    2*B*P flop for each network; allocates nothing
 */
void dt_predictor_run(dt_predictor *predictor, const float *X, const dt_target *y, size_t B);

#endif
