#ifndef DTRAIN_NN_LOSS_H
#define DTRAIN_NN_LOSS_H

#include <stddef.h>
#include <stdint.h>

/**
 * A loss: one file in nn/losses, which ends in one of these. It says what a network's outputs mean.
 *
 * All calls are local. Each row is computed on its own, so the bits do not depend on B. All three
 * functions give the same bits of `loss`, predictions and `predicted`.
 *
 * Shapes:  z [B,C] in: logits; y [B] in: class ids below C; loss, predicted [B] out
 * Units:   nats per row, for cross-entropy
 * Errors:  none. If a logit is NaN, or the largest logit or the label's is infinite, the loss is
 *          not finite and the predictions are NaN
 */
typedef struct dt_loss {
    const char *name; /* Keras's, in files too */

    /* z becomes the gradient of the sum over rows, not of the mean. */
    void (*gradient)(float *z, const int32_t *y, size_t B, size_t C, float *loss,
                     int32_t *predicted);

    /* z becomes the predictions: probabilities, each within 0..1. */
    void (*evaluate)(float *z, const int32_t *y, size_t B, size_t C, float *loss,
                     int32_t *predicted);

    /* Likewise, without labels. */
    void (*predict)(float *z, size_t B, size_t C, int32_t *predicted);
} dt_loss;

/** The losses. */
enum { DT_LOSS_COUNT = 1 };
extern const dt_loss *const dt_losses[DT_LOSS_COUNT];
extern const dt_loss dt_cross_entropy;

/** Returns the loss of that name; NULL: there is none. Local. */
const dt_loss *dt_loss_find(const char *name);

#endif
