#include "dtrain/base/memory.h"
#include "dtrain/comm/exact_total.h"
#include "dtrain/data/dataset.h"

#include <math.h>

/* A power of two that is at least `largest`: totals have room for numbers below 2^47, and dividing
 * by it is exact. */
static double power_above(double largest)
{
    int exponent = 0;
    (void)frexp(largest, &exponent);
    return ldexp(1.0, exponent);
}

/* ---- mean, deviation and range ---- */

/* The data shared by the passes over the rows. The columns are inputs or targets. */
typedef struct spreads {
    const dt_dataset *set;
    const float *values; /* [own rows, D] */
    size_t D, every;
    dt_input_spread *out; /* [D] */
    dt_exact_total *totals; /* [D] */
    double *most; /* [2 D]: the largest values, and those of the negative values; then powers of two
                     for the first D */
} spreads;

/* Finds this rank's extremes. Returns how many rows there were. */
static int64_t find_extremes(const spreads *s)
{
    const dt_dataset *set = s->set;
    const size_t D = s->D;
    int64_t rows = 0;
    for (size_t shard = 0; shard < set->shard_count; shard++)
        for (size_t i = set->shard_start[shard]; i < set->shard_start[shard + 1]; i += s->every) {
            const float *x = s->values + i * D;
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
    const size_t D = s->D;
    for (size_t shard = 0; shard < set->shard_count; shard++)
        for (size_t i = set->shard_start[shard]; i < set->shard_start[shard + 1]; i += s->every)
            for (size_t d = 0; d < D; d++) {
                const double value = (double)s->values[i * D + d] / s->most[d];
                const double distance = value - s->out[d].mean;
                dt_exact_total_add(&s->totals[d], squares ? distance * distance : value);
            }
}

static void measure(const spreads *s, const dt_comm *comm)
{
    const size_t D = s->D;
    for (size_t i = 0; i < 2 * D; i++)
        s->most[i] = -INFINITY;
    int64_t rows = find_extremes(s);
    dt_comm_sum_i64(comm, &rows, 1);
    dt_comm_max_f64(comm, s->most, 2 * D);
    for (size_t d = 0; d < D; d++) {
        s->out[d] = (dt_input_spread){.minimum = -s->most[D + d], .maximum = s->most[d]};
        s->most[d] = power_above(fmax(fabs(s->out[d].minimum), fabs(s->out[d].maximum)));
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

/* `values` are set->x or set->y, of D columns. Collective. Errors: DT_MEMORY, on all ranks. */
static dt_status spread(dt_input_spread *out, const dt_comm *comm, const dt_dataset *set,
                        const float *values, size_t D, size_t every)
{
    dt_status status = DT_OK;
    spreads s = {.set = set, .values = values, .D = D, .every = every, .out = out};
    status = dt_memory_alloc(&s.totals, D, sizeof *s.totals, "sums of columns");
    if (status == DT_OK)
        status = dt_memory_alloc(&s.most, 2 * D, sizeof *s.most, "ranges of columns");
    DT_TRY(dt_comm_agree(comm, status));
    measure(&s, comm);
out:
    dt_memory_free(s.totals);
    dt_memory_free(s.most);
    return status;
}

dt_status dt_dataset_spread(dt_input_spread *out, const dt_comm *comm, const dt_dataset *set,
                            size_t every)
{
    return spread(out, comm, set, set->x, set->D, every);
}

/* ---- targets ---- */

dt_status dt_dataset_measure(dt_target_scale *out, const dt_comm *comm, const dt_dataset *set)
{
    dt_status status = DT_OK;
    dt_input_spread *of = NULL;
    DT_TRY(dt_comm_agree(comm, dt_memory_alloc(&of, set->T, sizeof *of, "ranges of targets")));
    DT_TRY(spread(of, comm, set, (const float *)(const void *)set->y, set->T, 1));
    for (size_t j = 0; j < set->T; j++) {
        out[j] = (dt_target_scale){.mean = of[j].mean, .deviation = of[j].deviation};
        /* The mean of equal values may differ from them by a rounding. */
        if (!(out[j].deviation > 1e-12 * fabs(out[j].mean)))
            DT_TRY(dt_fail(DT_DATA,
                           "target %zu of %zu is %.9g in every training row; there is nothing to "
                           "learn",
                           j + 1, set->T, out[j].mean));
    }
out:
    dt_memory_free(of);
    return status;
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
    dt_comm_max_f64(comm, &largest, 1);
    const double unit = power_above(largest);
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
