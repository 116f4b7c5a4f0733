#ifndef DTRAIN_NN_NORMALIZATION_H
#define DTRAIN_NN_NORMALIZATION_H

#include "dtrain/nn/network.h"

/** What the layer of this name subtracts from its inputs, and divides them by the root of. */
typedef struct dt_normalization {
    const float *mean, *variance; /* [D] */
} dt_normalization;

/** The layer divides by no less than this, as Keras's. */
#define DT_NORMALIZATION_SPREAD_MIN 1e-7

/** Does to rows X [B,D], in place, what dt_network_prepare does with a network that has these
 * numbers. Local. */
void dt_normalization_apply(const dt_normalization *by, float *X, size_t B, size_t D);

/** Copies the numbers into the constants of a network that begins with such a layer. Local. */
void dt_normalization_put(dt_network *network, const dt_normalization *by);

#endif
