#ifndef DTRAIN_NN_NORMALIZATION_H
#define DTRAIN_NN_NORMALIZATION_H

#include "dtrain/base/status.h"

#include <stddef.h>

/**
 * What Keras's Normalization layer does to the inputs before the network sees them. A model that
 * has one takes raw rows. All calls are local.
 *
 * Source:  keras/src/layers/preprocessing/normalization.py
 */
typedef struct dt_normalization {
    size_t D; /* 0: there is none, and the inputs stay as they are */
    float *mean, *variance; /* [D] */
    float *spread; /* [D]: max(sqrt(variance), 1e-7) */
} dt_normalization;

/** Copies mean and variance [D]. Owns: the caller clears. Errors: DT_MEMORY; then *out is
 * zeroed. */
DT_MUST_USE dt_status dt_normalization_init(dt_normalization *out, size_t D, const float *mean,
                                            const float *variance);

/** Frees; a zeroed one is allowed. */
void dt_normalization_clear(dt_normalization *normalization);

/**
 * Normalises rows in place; none of them are changed when there is no normalization.
 *
 * Math:    x = (x - mean) / spread
 * Shapes:  X [B,D] in and out
 */
void dt_normalization_apply(const dt_normalization *normalization, float *X, size_t B);

#endif
