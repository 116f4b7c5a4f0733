#ifndef DTRAIN_NN_NORMALIZATION_H
#define DTRAIN_NN_NORMALIZATION_H

#include "dtrain/nn/network.h"

/**
 * The mean that the normalization layer subtracts from its inputs, and the variance by whose root
 * it divides.
 */
typedef struct dt_normalization {
    const float *mean, *variance; /* [D] */
} dt_normalization;

/** The minimum divisor of the layer, as in Keras. */
#define DT_NORMALIZATION_SPREAD_MIN 1e-7

/**
 * Normalizes rows X [B,D] in place, as dt_network_prepare does for a network with these numbers.
 * Local.
 */
void dt_normalization_apply(const dt_normalization *by, float *X, size_t B, size_t D);

/** Copies the numbers into the constants of a network that begins with such a layer. Local. */
void dt_normalization_put(dt_network *network, const dt_normalization *by);

#endif
