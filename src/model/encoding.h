#ifndef DTRAIN_MODEL_ENCODING_H
#define DTRAIN_MODEL_ENCODING_H

#include "dtrain/base/status.h"
#include "dtrain/nn/network.h"

#include <stddef.h>
#include <stdint.h>

/**
 * A piecewise-linear encoding as tables in which all encoded inputs have the same number of bins,
 * for programs without such a layer. All calls are local.
 *
 *     place[d,t] = (x[d] - edge[d,t]) / width[d,t], cut to [0,1]
 *     Y[d]       = sum over t of place[d,t] kernel[d,t] + x[d] kernel[d,T] + shift[d]
 *
 * It is dtrain's own formula: the places of the bins before that of x are 1, those behind it are 0.
 * The difference comes first, and is exact near an edge; x / width - edge / width would lose all
 * digits in bins that are much narrower than the edges are large.
 *
 * As products: (x power - edge power) (1 / (width power)), with a power of two that makes the
 * narrowest bin of the input at least 1 wide, so that no factor is denormal or infinite. The first
 * product and the difference are those above to the bit, the last one differs by its rounding.
 *
 * Bins that pad the table have edge 0, width 1 and a kernel of zeros.
 */
typedef struct dt_encoding {
    size_t E, T, width; /* encoded inputs; bins of each; outputs of each */
    size_t O; /* the other inputs, which follow the encoded ones as they are */
    int64_t *inputs; /* [E + O]: columns of the encoded ones, then of the others */
    float *edges, *widths; /* [E,T] */
    float *powers, *offsets, *inverses; /* [E,T]: power, - edge power, 1 / (width power) */
    float *kernel; /* [E,T+1,width]: the bins, and the slope */
    const float *shift; /* [E,width], borrowed from the network */
} dt_encoding;

/** Makes the tables of the network's encoding layer. Owns: the caller clears. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_encoding_make(dt_encoding *out, const dt_network *network,
                                       const dt_layer *layer);

/** Frees; a zeroed one is allowed. */
void dt_encoding_clear(dt_encoding *encoding);

#endif
