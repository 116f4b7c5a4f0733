/* The quality of values: errors are added up in standard deviations of the target. */
#include "evaluation_internal.h"

#include "dtrain/base/memory.h"
#include "dtrain/comm/exact_total.h"
#include "median.h"

#include <math.h>
#include <string.h>

enum {
    TOTALS = sizeof(dt_value_sums) / sizeof(dt_exact_total),
    JOINT = DT_JOINT_BINS * DT_JOINT_BINS,
    BINS = DT_RESIDUAL_BINS + JOINT
};

typedef struct work {
    size_t error_bytes; /* of an error: a double, or with weights a dt_weighted_value */
    void *own; /* [own rows]: this rank's absolute errors of one target */
    void *all; /* [N]: all ranks', on rank 0 */
    size_t *bytes; /* [size]: of each rank's errors */
    dt_exact_total *bins; /* [BINS]: of the histograms of one target */
    dt_value_sums *sums; /* [C]: of all ranks */
} work;

static dt_status allocate(work *w, dt_evaluation *out, const dt_comm *comm, const dt_scores *scores)
{
    dt_status status = DT_OK;
    DT_TRY(dt_memory_alloc(&out->values, out->C, sizeof *out->values, "quality of the targets"));
    DT_TRY(dt_memory_alloc(&w->sums, out->C, sizeof *w->sums, "sums of errors"));
    memcpy(w->sums, scores->values, out->C * sizeof *w->sums);
    if (!scores->curves)
        return DT_OK;
    DT_TRY(dt_memory_alloc(&w->bins, BINS, sizeof *w->bins, "histograms"));
    w->error_bytes = scores->weighted ? sizeof(dt_weighted_value) : sizeof(double);
    DT_TRY(dt_memory_alloc(&w->own, scores->rows, w->error_bytes, "errors"));
    DT_TRY(dt_memory_alloc(&w->bytes, (size_t)dt_comm_size(comm), sizeof *w->bytes, "sizes"));
    if (dt_comm_rank(comm) == 0)
        DT_TRY(dt_memory_alloc(&w->all, (size_t)out->N, w->error_bytes, "all ranks' errors"));
out:
    return status;
}

/* The scores that follow from sums; `unit` is the standard deviation. */
static void fill_from_sums(dt_quality *out, const dt_value_sums *s, double N, double unit,
                           bool baseline)
{
    const double squared = dt_exact_total_value(baseline ? &s->t_squared : &s->squared) / N;
    const double absolute = dt_exact_total_value(baseline ? &s->t_absolute : &s->absolute) / N;
    const double mean = dt_exact_total_value(baseline ? &s->t : &s->e) / N;
    const double t = dt_exact_total_value(&s->t) / N;
    const double t_squared = dt_exact_total_value(&s->t_squared) / N;
    const double spread = t_squared - t * t;
    const bool varies = spread > 1e-12 * t_squared; /* else the spread is only rounding of 0 */
    *out = dt_quality_none();
    out->rmse = unit * sqrt(squared);
    out->mae = unit * absolute;
    out->r2 = varies ? 1.0 - squared / spread : NAN;
    out->explained_variance = varies ? 1.0 - (squared - mean * mean) / spread : NAN;
}

static double weight_of(const dt_scores *scores, size_t i)
{
    return scores->weighted ? (double)scores->w[i] : 1.0;
}

/* Stores the error of this rank's row i. */
static void set_error(work *w, const dt_scores *scores, size_t i, double error)
{
    if (scores->weighted)
        ((dt_weighted_value *)w->own)[i] = (dt_weighted_value){fabs(error), weight_of(scores, i)};
    else
        ((double *)w->own)[i] = fabs(error);
}

/* The median of the errors that are noted on the ranks, on all of them. */
static double median(work *w, const dt_comm *comm, const dt_scores *scores, size_t N)
{
    double out = 0.0; /* but on rank 0, so that the largest is the one */
    dt_comm_gatherv(comm, 0, w->all, w->bytes, w->own, scores->rows * w->error_bytes);
    if (w->all != NULL) /* on rank 0 */
        out = scores->weighted ? dt_median_weighted(w->all, N) : dt_median(w->all, N);
    dt_comm_max_f64(comm, &out, 1);
    return out;
}

static size_t bin_of(double value, double low, double high, size_t bins)
{
    const double place = (value - low) / (high - low) * (double)bins;
    return !(place >= 0.0) ? 0 : place < (double)bins ? (size_t)place : bins - 1;
}

/* Residuals first, then targets and predictions. */
static void fill_histograms(dt_value_quality *out, work *w, const dt_comm *comm,
                            const dt_scores *scores, size_t j)
{
    dt_exact_total *joint = w->bins + DT_RESIDUAL_BINS;
    const double limit = out->residual_limit, low = out->low, high = out->high;
    memset(w->bins, 0, BINS * sizeof *w->bins);
    for (size_t i = 0; i < scores->rows; i++) {
        const double p = (double)scores->p[i * scores->C + j];
        const double y = (double)scores->y[i * scores->C + j].value;
        const size_t row = bin_of(y, low, high, DT_JOINT_BINS);
        const size_t column = bin_of(p, low, high, DT_JOINT_BINS);
        dt_exact_total_add(&w->bins[bin_of(p - y, -limit, limit, DT_RESIDUAL_BINS)],
                           weight_of(scores, i));
        dt_exact_total_add(&joint[row * DT_JOINT_BINS + column], weight_of(scores, i));
    }
    dt_exact_total_sum(comm, w->bins, BINS);
    for (size_t b = 0; b < DT_RESIDUAL_BINS; b++)
        out->residuals[b] = dt_exact_total_value(&w->bins[b]);
    for (size_t b = 0; b < JOINT; b++)
        (&out->joint[0][0])[b] = dt_exact_total_value(&joint[b]);
}

/* The scores that need each row: medians and histograms. */
static void measure_rows(dt_value_quality *out, work *w, const dt_comm *comm,
                         const dt_scores *scores, size_t j, size_t N)
{
    const size_t C = scores->C;
    const double mean = dt_scores_scale(scores, j).mean;
    double ends[2] = {-INFINITY, -INFINITY};
    for (size_t i = 0; i < scores->rows; i++) {
        const double y = (double)scores->y[i * C + j].value;
        set_error(w, scores, i, (double)scores->p[i * C + j] - y);
        if (weight_of(scores, i) > 0.0) {
            ends[0] = fmax(ends[0], -y);
            ends[1] = fmax(ends[1], y);
        }
    }
    out->model.median_ae = median(w, comm, scores, N);
    for (size_t i = 0; i < scores->rows; i++)
        set_error(w, scores, i, (double)scores->y[i * C + j].value - mean);
    out->baseline.median_ae = median(w, comm, scores, N);
    dt_comm_max_f64(comm, ends, 2);
    out->low = -ends[0];
    out->high = ends[1];
    out->residual_limit = 4.0 * out->model.rmse;
    fill_histograms(out, w, comm, scores, j);
}

/* Adds up one number of all targets, for their mean. */
static void add_mean(dt_quality *out, const dt_quality *one, size_t C)
{
    double *to = (double *)out;
    const double *from = (const double *)one;
    for (size_t i = 0; i < sizeof *out / sizeof *to; i++)
        to[i] += from[i] / (double)C;
}

static void fill_targets(dt_evaluation *out, work *w, const dt_comm *comm, const dt_scores *scores)
{
    const double N = out->weight;
    out->model = out->majority = (dt_quality){0};
    for (size_t j = 0; j < out->C; j++) {
        dt_value_quality *value = &out->values[j];
        const dt_value_sums *sums = &w->sums[j];
        const double unit = dt_scores_scale(scores, j).deviation;
        fill_from_sums(&value->model, sums, N, unit, false);
        fill_from_sums(&value->baseline, sums, N, unit, true);
        if (!isnan(scores->quantile))
            value->model.pinball = unit * dt_exact_total_value(&sums->pinball) / N;
        if (scores->curves && out->weight > 0.0)
            measure_rows(value, w, comm, scores, j, (size_t)out->N);
        add_mean(&out->model, &value->model, out->C);
        add_mean(&out->majority, &value->baseline, out->C);
    }
}

dt_status dt_evaluation_measure_values(dt_evaluation *out, const dt_comm *comm,
                                       const dt_scores *scores)
{
    dt_status status = DT_OK;
    work w = {0};
    int64_t rows[2] = {(int64_t)scores->rows, scores->outside};
    dt_comm_sum_i64(comm, rows, 2);
    out->N = (uint64_t)rows[0];
    if (rows[1] > 0)
        return dt_fail(
            DT_DIVERGED,
            "predictions: %lld rows are not finite or very far from their targets; check "
            "that the inputs are standardised as in training",
            (long long)rows[1]);
    DT_TRY(dt_comm_agree(comm, allocate(&w, out, comm, scores)));
    dt_exact_total_sum(comm, (dt_exact_total *)w.sums, out->C * TOTALS);
    dt_exact_total weight = scores->weight;
    dt_exact_total_sum(comm, &weight, 1);
    out->weighted = scores->weighted;
    out->weight = scores->weighted ? dt_exact_total_value(&weight) : (double)out->N;
    if (scores->curves) {
        const size_t own_bytes = scores->rows * w.error_bytes;
        dt_comm_allgather(comm, w.bytes, &own_bytes, sizeof own_bytes);
    }
    fill_targets(out, &w, comm, scores);
out:
    dt_memory_free(w.own);
    dt_memory_free(w.all);
    dt_memory_free(w.bytes);
    dt_memory_free(w.bins);
    dt_memory_free(w.sums);
    return status;
}
