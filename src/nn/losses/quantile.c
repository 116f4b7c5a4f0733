/*
 * The pinball loss: the outputs become the targets' q-quantile, given the inputs.
 *
 * Math:   loss = mean over the outputs of max(q (t - z), (q - 1) (t - z)), z the output, t the
 *         target; the derivative at 0 is 0
 * Source: Koenker and Bassett 1978; scikit-learn's mean_pinball_loss
 */
#include "value_loss.h"

static inline float term(float e, float q, float *slope)
{
    *slope = e > 0.0f ? 1.0f - q : e < 0.0f ? -q : e; /* a NaN stays one */
    return e > 0.0f ? (1.0f - q) * e : -q * e;
}

DT_VALUE_LOSS(term)

const dt_loss dt_quantile = {
    .name = "quantile",
    .option = "quantile",
    .unit = "standard deviations of the target",
    .number = "quantile",
    .fallback = 0.5,
    .gradient = gradient,
    .evaluate = evaluate,
    .predict = dt_value_predict,
};
