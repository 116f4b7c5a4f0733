#ifndef DTRAIN_NN_LOSS_H
#define DTRAIN_NN_LOSS_H

#include <stddef.h>
#include <stdint.h>

/**
 * Turns logits into sparse categorical cross-entropy, its gradient, and a prediction, row by row.
 *
 * Math:    p = softmax(z); loss[i] = -log p[i, y[i]] by log-sum-exp, not clipped;
 *          dz = p - onehot(y); predicted[i] = the class of the largest logit, the first of equals
 * Shapes:  z [B,C] in: logits, out: dz; y [B] in: class ids below C; loss, predicted [B] out
 * Units:   nats per row; dz belongs to the sum over rows, not to the mean
 * Calls:   local; each row on its own, so the bits do not depend on B
 * Source:  Keras's SparseCategoricalCrossentropy as the TensorFlow backend computes it
 * Errors:  none; the loss is not finite where a logit is NaN, or the largest or the label's is infinite
 */
void dt_loss_cross_entropy(float *z, const int32_t *y, size_t B, size_t C, float *loss,
                           int32_t *predicted);

#endif
