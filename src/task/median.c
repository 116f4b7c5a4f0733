#include "median.h"

#include "dtrain/base/exact_total.h"
#include "dtrain/base/status.h"

#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double dt_median(double *values, size_t count)
{
    DT_ASSERT(count > 0);
    qsort(values, count, sizeof *values, by_value);
    return (values[(count - 1) / 2] + values[count / 2]) / 2.0;
}

static dt_int128 steps_of(double weight)
{
    dt_exact_total total = {0};
    dt_exact_total_add(&total, weight);
    return total.steps;
}

/* Equal values may be in any order: the median depends on where the sum of weights reaches half,
 * and on the next value with a weight above 0. */
double dt_median_weighted(dt_weighted_value *values, size_t count)
{
    dt_int128 all = 0, below = 0;
    size_t lower = 0;
    for (size_t i = 0; i < count; i++)
        all += steps_of(values[i].weight);
    DT_ASSERT(all > 0);
    qsort(values, count, sizeof *values, by_value); /* the value comes first */
    for (; lower < count; lower++) {
        below += steps_of(values[lower].weight);
        if (below >= all - below)
            break;
    }
    size_t upper = lower;
    if (below == all - below)
        do
            upper++;
        while (steps_of(values[upper].weight) == 0);
    return (values[lower].value + values[upper].value) / 2.0;
}
