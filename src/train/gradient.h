#ifndef DTRAIN_TRAIN_GRADIENT_H
#define DTRAIN_TRAIN_GRADIENT_H

#include "dtrain/train/stepper.h"

/**
 * A way to add a step's gradients: the type of the numbers, and the rows of one term. All calls are
 * local.
 */
struct dt_gradient_kind {
    /* Numbers are int64_t counts of a grid's steps, a shard's rows at a time; else float, this
     * rank's rows at once. */
    bool exact;
    int coarsest; /* doublings of the grid's step that a gradient out of range may lead to */

    /* Receives the gradients of the backward pass; the context is the stepper. */
    dt_gradient_sink *take;

    /* Returns the largest magnitude of a gradient in range. */
    double (*range)(const dt_stepper *stepper);

    /* Writes this rank's tail, the slots behind its P gradients. */
    void (*put_tail)(const dt_stepper *stepper, const dt_tally *tally);

    /* Reads the tail's sums over all ranks: *tally, stepper->stops. Returns the first tensor
     * that had a gradient out of range on some rank, or the number of tensors. */
    size_t (*get_tail)(dt_stepper *stepper, dt_tally *tally);

    /* Computes gradients from their sums: out[i] = sums[i] * scale. */
    void (*finish)(const dt_stepper *stepper, float *out, const void *sums, size_t count,
                   double scale);
};

extern const dt_gradient_kind dt_gradient_exact, dt_gradient_fast;

#endif
