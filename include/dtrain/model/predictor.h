#ifndef DTRAIN_MODEL_PREDICTOR_H
#define DTRAIN_MODEL_PREDICTOR_H

#include "dtrain/base/status.h"
#include "dtrain/nn/network.h"

#include <stddef.h>
#include <stdint.h>

/**
 * Class probabilities of rows, in float32. Products are always done in blocks of DT_PREDICTOR_BLOCK
 * rows, the last one filled up with zeros. With dtrain's own kernels a row's bits depend on the row
 * alone. OpenBLAS computes the rows of one product in different ways; with it they also depend on
 * the row's place in its block, and the same bits on any number of ranks need the same rows in the
 * same batches. All calls are local.
 */
typedef struct dt_predictor {
    const dt_network *network; /* borrowed */
    dt_workspace workspace;
    size_t capacity; /* rows of a call */
    float *block; /* [DT_PREDICTOR_BLOCK,D]: an incomplete block, or one that is prepared */
    float *p; /* [capacity,C] */
    int32_t *predicted; /* [capacity] */
} dt_predictor;

/** Rows of a product. */
enum { DT_PREDICTOR_BLOCK = 256 };

/** Allocates. Owns: the caller clears. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_predictor_init(dt_predictor *out, const dt_network *network);

/** Frees; a zeroed predictor is allowed. */
void dt_predictor_clear(dt_predictor *predictor);

/**
 * Computes predictor->p and predictor->predicted, the most probable class, the first of equals.
 *
 * Shapes:  X [B,D] in, B <= capacity
 * Cost:    2*B*P flop, B rounded up to whole blocks; allocates nothing
 */
void dt_predictor_run(dt_predictor *predictor, const float *X, size_t B);

#endif
