/*
 * Mean squared error.
 *
 * Math:   loss = mean over the outputs of e^2, e = output - target
 * Source: Keras's MeanSquaredError
 */
#include "value_loss.h"

static inline float term(float e, float number, float *slope)
{
    (void)number;
    *slope = 2.0f * e;
    return e * e;
}

DT_VALUE_LOSS(term)

const dt_loss dt_mean_squared_error = {
    .name = "mean_squared_error",
    .option = "mse",
    .unit = "squared standard deviations of the target",
    .gradient = gradient,
    .evaluate = evaluate,
    .predict = dt_value_predict,
};
