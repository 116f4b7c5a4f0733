#include "dtrain/comm/exact_total.h"
#include "dtrain/data/dataset.h"

#include <math.h>

/* A power of two that is not below any rank's `largest`: totals have room for what is below 2^47,
 * and dividing by it is exact. */
static double unit_for(const dt_comm *comm, double largest)
{
    int exponent = 0;
    dt_comm_max_f64(comm, &largest, 1);
    (void)frexp(largest, &exponent);
    return ldexp(1.0, exponent);
}

static double largest_target(const dt_dataset *set, size_t j)
{
    double largest = 0.0;
    for (size_t i = 0; i < dt_dataset_own_rows(set); i++)
        largest = fmax(largest, fabs((double)set->y[i * set->T + j].value));
    return largest;
}

static dt_target_scale measure(const dt_comm *comm, const dt_dataset *set, size_t j)
{
    const double unit = unit_for(comm, largest_target(set, j)), N = (double)set->N;
    dt_exact_total sum = {0}, squares = {0};
    for (size_t i = 0; i < dt_dataset_own_rows(set); i++)
        dt_exact_total_add(&sum, (double)set->y[i * set->T + j].value / unit);
    dt_exact_total_sum(comm, &sum, 1);
    const double mean = dt_exact_total_value(&sum) / N;
    for (size_t i = 0; i < dt_dataset_own_rows(set); i++) {
        const double distance = (double)set->y[i * set->T + j].value / unit - mean;
        dt_exact_total_add(&squares, distance * distance);
    }
    dt_exact_total_sum(comm, &squares, 1);
    return (dt_target_scale){.mean = unit * mean,
                             .deviation = unit * sqrt(dt_exact_total_value(&squares) / N)};
}

dt_status dt_dataset_measure(dt_target_scale *out, const dt_comm *comm, const dt_dataset *set)
{
    for (size_t j = 0; j < set->T; j++) {
        out[j] = measure(comm, set, j);
        /* Of equal values the mean may be off by a rounding. */
        if (!(out[j].deviation > 1e-12 * fabs(out[j].mean)))
            return dt_fail(DT_DATA,
                           "target %zu of %zu is %.9g in every training row; there is nothing to "
                           "learn",
                           j + 1, set->T, out[j].mean);
    }
    return DT_OK;
}

/* Of one of this rank's values, in standard deviations. */
static double distance_of(const dt_dataset *set, const dt_target_scale *scale, size_t i)
{
    const dt_target_scale *of = &scale[i % set->T];
    return ((double)set->y[i].value - of->mean) / of->deviation;
}

double dt_dataset_distance(const dt_comm *comm, const dt_dataset *set, const dt_target_scale *scale)
{
    dt_exact_total squares = {0}, weights = {0};
    const size_t own = dt_dataset_own_rows(set) * set->T;
    double largest = 0.0;
    for (size_t i = 0; i < own; i++)
        largest = fmax(largest, fabs(distance_of(set, scale, i)));
    const double unit = unit_for(comm, largest);
    for (size_t i = 0; i < own; i++) {
        const double distance = distance_of(set, scale, i) / unit;
        const double weight = set->w != NULL ? (double)set->w[i / set->T] : 1.0;
        dt_exact_total_add(&squares, weight * (distance * distance));
        dt_exact_total_add(&weights, weight);
    }
    dt_exact_total_sum(comm, &squares, 1);
    dt_exact_total_sum(comm, &weights, 1);
    /* 0 / 0 is NaN: no rows */
    const double mean =
        unit * sqrt(dt_exact_total_value(&squares) / dt_exact_total_value(&weights));
    return set->T == 1 ? scale->deviation * mean : mean;
}
