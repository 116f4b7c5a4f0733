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
 * Errors:  none; the loss is not finite where a logit is NaN, or the largest or the label's is
 *          infinite
 */
void dt_loss_cross_entropy(float *z, const int32_t *y, size_t B, size_t C, float *loss,
                           int32_t *predicted);

/**
 * As dt_loss_cross_entropy, but leaves the probabilities: the same bits of loss and predictions.
 *
 * Shapes:  z [B,C] in: logits, out: p = softmax(z)
 */
void dt_loss_probabilities(float *z, const int32_t *y, size_t B, size_t C, float *loss,
                           int32_t *predicted);

/**
 * Turns logits into probabilities and predictions, without labels: the same bits as
 * dt_loss_probabilities gives.
 *
 * Shapes:  z [B,C] in: logits, out: p = softmax(z), each within 0..1; predicted [B] out
 * Calls:   local; each row on its own, so the bits do not depend on B
 * Errors:  none; a row's p are NaN where a logit is NaN or the largest is infinite
 */
void dt_loss_softmax(float *z, size_t B, size_t C, int32_t *predicted);

#endif
