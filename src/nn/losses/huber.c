/*
 * Huber's loss: squares near the target, absolute errors far from it, so that outliers weigh less.
 *
 * Math:   loss = mean over the outputs of e^2 / 2 if |e| <= delta, else delta (|e| - delta / 2);
 *         e = output - target
 * Source: Keras's Huber; Huber 1964
 */
#include "value_loss.h"

static inline float term(float e, float delta, float *slope)
{
    const float size = fabsf(e);
    if (!(size > delta)) { /* a NaN stays one */
        *slope = e;
        return 0.5f * e * e;
    }
    *slope = e > 0.0f ? delta : -delta;
    return delta * (size - 0.5f * delta);
}

DT_VALUE_LOSS(term)

const dt_loss dt_huber = {
    .name = "huber",
    .option = "huber",
    .unit = "standard deviations of the target",
    .number = "huber-delta",
    .fallback = 1.0,
    .gradient = gradient,
    .evaluate = evaluate,
    .predict = dt_value_predict,
};
