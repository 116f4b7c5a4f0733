#ifndef DTRAIN_TASK_MEDIAN_H
#define DTRAIN_TASK_MEDIAN_H

#include <stddef.h>

/** Medians. The result does not depend on the order of the values. Calls are local. */

/** A finite value and its weight: finite, not negative. */
typedef struct dt_weighted_value {
    double value, weight;
} dt_weighted_value;

/** Returns the median, for an even count the mean of the middle two, and sorts `values`; count > 0.
 */
double dt_median(double *values, size_t count);

/**
 * Returns the weighted median: the value at which the weights, added up in the order of the values,
 * pass half of their sum; if they reach just half of it, the mean of that value and the next one
 * that weighs anything. Sorts `values`; at least one of them weighs something.
 *
 * With whole weights this is dt_median of values that are repeated so often. Weights are multiples
 * of 2^-80 (dt_exact_total); what is less weighs nothing.
 *
 * Source:  numpy.quantile's averaged_inverted_cdf, as median_absolute_error of scikit-learn from
 *          1.8 on; older releases take the first value alone
 */
double dt_median_weighted(dt_weighted_value *values, size_t count);

#endif
