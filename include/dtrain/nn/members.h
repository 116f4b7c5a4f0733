#ifndef DTRAIN_NN_MEMBERS_H
#define DTRAIN_NN_MEMBERS_H

#include "dtrain/base/status.h"
#include "dtrain/nn/network.h"

#include <stddef.h>

/**
 * What the outputs of a network's members mean together. Each member is trained by its own loss;
 * the prediction is the mean of their predictions: of probabilities, or of values. For K = 1 the
 * calls below are those of the loss.
 *
 * Shapes:  z [B,K,C]: outputs of the network; y [B,targets]
 * Source:  Gorishniy, Kotelnikov and Babenko, "TabM", ICLR 2025
 */
typedef struct dt_members {
    const dt_network *network; /* borrowed */
    float *z; /* [capacity,K,C] */
    dt_target *y; /* [capacity,K,targets] */
    dt_loss_rows rows; /* [capacity,K] */
} dt_members;

/** Allocates for calls of up to `rows` rows. Owns: the caller clears. Errors: DT_MEMORY. Local. */
DT_MUST_USE dt_status dt_members_init(dt_members *out, const dt_network *network, size_t rows);

/** Frees; zeroed members are allowed. Local. */
void dt_members_clear(dt_members *members);

/**
 * Computes the gradient of the sum over rows of the mean of the members' losses. z becomes the
 * gradient. rows->loss is the mean of the members' losses; the rest of `rows` is that of the
 * prediction, without a threshold. Local.
 */
void dt_members_gradient(dt_members *members, float *z, const dt_target *y, size_t B,
                         const dt_loss_rows *rows);

/**
 * Combines the members' outputs into one output for each row: z becomes [B,C], for which the loss
 * gives the mean prediction. For classes these are the logarithms of the mean probabilities. Local.
 */
void dt_members_average(dt_members *members, float *z, size_t B);

#endif
