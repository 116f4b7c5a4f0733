#include "dtrain/base/memory.h"
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

/* ---- inputs ---- */

/* What the passes over the rows share. */
typedef struct spreads {
    const dt_dataset *set;
    size_t every;
    dt_input_spread *out; /* [D] */
    dt_exact_total *totals; /* [D] */
    double *most; /* [2 D]: the largest values, and those of the negative values; then powers of two
                     for the first D */
} spreads;

/* Finds this rank's extremes. Returns how many rows there were. */
static int64_t find_extremes(const spreads *s)
{
    const dt_dataset *set = s->set;
    const size_t D = set->D;
    int64_t rows = 0;
    for (size_t shard = 0; shard < set->shard_count; shard++)
        for (size_t i = set->shard_start[shard]; i < set->shard_start[shard + 1]; i += s->every) {
            const float *x = set->x + i * D;
            rows++;
            for (size_t d = 0; d < D; d++) {
                s->most[d] = fmax(s->most[d], (double)x[d]);
                s->most[D + d] = fmax(s->most[D + d], -(double)x[d]);
            }
        }
    return rows;
}

/* Adds up this rank's values in their unit or, of squares, squared distances from the mean. */
static void add_values(const spreads *s, bool squares)
{
    const dt_dataset *set = s->set;
    const size_t D = set->D;
    for (size_t shard = 0; shard < set->shard_count; shard++)
        for (size_t i = set->shard_start[shard]; i < set->shard_start[shard + 1]; i += s->every)
            for (size_t d = 0; d < D; d++) {
                const double value = (double)set->x[i * D + d] / s->most[d];
                const double distance = value - s->out[d].mean;
                dt_exact_total_add(&s->totals[d], squares ? distance * distance : value);
            }
}

static void measure_inputs(const spreads *s, const dt_comm *comm)
{
    const size_t D = s->set->D;
    for (size_t i = 0; i < 2 * D; i++)
        s->most[i] = -INFINITY;
    int64_t rows = find_extremes(s);
    dt_comm_sum_i64(comm, &rows, 1);
    dt_comm_max_f64(comm, s->most, 2 * D);
    for (size_t d = 0; d < D; d++) {
        int exponent = 0;
        s->out[d] = (dt_input_spread){.minimum = -s->most[D + d], .maximum = s->most[d]};
        (void)frexp(fmax(fabs(s->out[d].minimum), fabs(s->out[d].maximum)), &exponent);
        s->most[d] = ldexp(1.0, exponent);
    }
    add_values(s, false);
    dt_exact_total_sum(comm, s->totals, D);
    for (size_t d = 0; d < D; d++) {
        s->out[d].mean = dt_exact_total_value(&s->totals[d]) / (double)rows;
        s->totals[d] = (dt_exact_total){0};
    }
    add_values(s, true);
    dt_exact_total_sum(comm, s->totals, D);
    for (size_t d = 0; d < D; d++) {
        s->out[d].deviation = s->most[d] * sqrt(dt_exact_total_value(&s->totals[d]) / (double)rows);
        s->out[d].mean *= s->most[d];
    }
}

dt_status dt_dataset_spread(dt_input_spread *out, const dt_comm *comm, const dt_dataset *set,
                            size_t every)
{
    dt_status status = DT_OK;
    spreads s = {.set = set, .every = every, .out = out};
    status = dt_memory_alloc(&s.totals, set->D, sizeof *s.totals, "sums of inputs");
    if (status == DT_OK)
        status = dt_memory_alloc(&s.most, 2 * set->D, sizeof *s.most, "ranges of inputs");
    DT_TRY(dt_comm_agree(comm, status));
    measure_inputs(&s, comm);
out:
    dt_memory_free(s.totals);
    dt_memory_free(s.most);
    return status;
}
