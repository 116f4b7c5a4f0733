/*
 * Mean absolute error: the outputs become medians.
 *
 * Math:   loss = mean over the outputs of |e|, e = output - target; the derivative at 0 is 0
 * Source: Keras's MeanAbsoluteError
 */
#include "value_loss.h"

static inline float term(float e, float number, float *slope)
{
    (void)number;
    *slope = e > 0.0f ? 1.0f : e < 0.0f ? -1.0f : e; /* a NaN stays one */
    return fabsf(e);
}

DT_VALUE_LOSS(term)

const dt_loss dt_mean_absolute_error = {
    .name = "mean_absolute_error",
    .option = "mae",
    .unit = "standard deviations of the target",
    .gradient = gradient,
    .evaluate = evaluate,
    .predict = dt_value_predict,
};
