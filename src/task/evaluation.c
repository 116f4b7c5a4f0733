#include "dtrain/task/evaluation.h"

#include "dtrain/base/memory.h"
#include "evaluation_internal.h"

#include <math.h>
#include <string.h>

enum { TOTAL_LOSS, TOTAL_LOG_LOSS, TOTAL_BRIER, TOTAL_CONFIDENCE };
enum { TOTALS = TOTAL_CONFIDENCE + DT_CALIBRATION_BINS };

/* The scores' sums, after the reduction those of all ranks. */
typedef struct sums {
    int64_t rows, outside, unknown;
    dt_bin_count bins[DT_CALIBRATION_BINS];
    dt_exact_total totals[TOTALS];
    int64_t *counts; /* [3,C]: as in dt_scores */
} sums;

static dt_status allocate(dt_evaluation *out, sums *s, const dt_scores *scores)
{
    dt_status status = DT_OK;
    const size_t C = scores->C;
    DT_TRY(dt_memory_alloc(&s->counts, C, 3 * sizeof *s->counts, "counts of classes"));
    DT_TRY(dt_memory_alloc(&out->classes, C, sizeof *out->classes, "table of classes"));
    if (scores->confusion != NULL)
        DT_TRY(dt_memory_alloc(&out->confusion, C * C, sizeof *out->confusion, "confusion matrix"));
out:
    return status;
}

static void reduce(dt_evaluation *out, sums *s, const dt_comm *comm, const dt_scores *scores)
{
    const size_t C = scores->C;
    int64_t words[3 + 2 * DT_CALIBRATION_BINS] = {(int64_t)scores->rows, scores->outside,
                                                  scores->unknown};
    memcpy(words + 3, scores->bins, sizeof s->bins);
    dt_comm_sum_i64(comm, words, sizeof words / sizeof *words);
    s->rows = words[0];
    s->outside = words[1];
    s->unknown = words[2];
    memcpy(s->bins, words + 3, sizeof s->bins);

    s->totals[TOTAL_LOSS] = scores->loss;
    s->totals[TOTAL_LOG_LOSS] = scores->log_loss;
    s->totals[TOTAL_BRIER] = scores->brier;
    memcpy(s->totals + TOTAL_CONFIDENCE, scores->confidence, sizeof scores->confidence);
    dt_exact_total_sum(comm, s->totals, TOTALS);

    memcpy(s->counts, scores->counts, 3 * C * sizeof *s->counts);
    dt_comm_sum_i64(comm, s->counts, 3 * C);
    if (out->confusion != NULL) {
        memcpy(out->confusion, scores->confusion, C * C * sizeof *out->confusion);
        dt_comm_sum_i64(comm, out->confusion, C * C);
    }
}

/* The same on all ranks: the sums are. */
static dt_status check(const sums *s, size_t C)
{
    if (s->outside > 0)
        return dt_fail(DT_DIVERGED,
                       "probabilities: expected numbers from 0 to 1, found NaN or others in %lld "
                       "rows; check that the inputs are standardised as in training",
                       (long long)s->outside);
    if (s->unknown > 0)
        return dt_fail(DT_DATA, "labels: expected classes from 0 to %zu, found others in %lld rows",
                       C - 1, (long long)s->unknown);
    return DT_OK;
}

static void fill_bins(dt_evaluation *out, const sums *s)
{
    for (int b = 0; b < DT_CALIBRATION_BINS; b++) {
        const dt_exact_total *confidence = &s->totals[TOTAL_CONFIDENCE + b];
        const double rows = (double)s->bins[b].rows;
        out->bins[b] = (dt_calibration_bin){.lower = (double)b / DT_CALIBRATION_BINS,
                                            .upper = (double)(b + 1) / DT_CALIBRATION_BINS,
                                            .rows = s->bins[b].rows,
                                            .confidence = NAN,
                                            .accuracy = NAN};
        if (s->bins[b].rows == 0)
            continue;
        out->bins[b].confidence = dt_exact_total_value(confidence) / rows;
        out->bins[b].accuracy = (double)s->bins[b].hits / rows;
        out->model.calibration_error += dt_exact_total_distance(confidence, s->bins[b].hits);
    }
}

static void fill_model(dt_evaluation *out, const sums *s)
{
    const size_t C = out->C;
    const double N = (double)out->N; /* 0/0 is NaN: no rows, no numbers */
    dt_quality *model = &out->model;
    dt_class_means means = {0};
    int64_t hits = 0;
    for (size_t c = 0; c < C; c++) {
        out->classes[c] =
            dt_class_quality_of(c, s->counts[c], s->counts[C + c], s->counts[2 * C + c]);
        dt_class_means_add(&means, &out->classes[c]);
        hits += s->counts[2 * C + c];
    }
    fill_bins(out, s);
    dt_class_means_get(model, &means);
    model->loss = dt_exact_total_value(&s->totals[TOTAL_LOSS]) / N;
    model->log_loss = dt_exact_total_value(&s->totals[TOTAL_LOG_LOSS]) / N;
    model->brier = dt_exact_total_value(&s->totals[TOTAL_BRIER]) / N;
    model->accuracy = (double)hits / N;
    model->calibration_error /= N;
}

static void fill_areas(dt_evaluation *out)
{
    out->model.roc_auc = dt_class_mean_area(out, offsetof(dt_class_quality, roc_auc));
    out->model.pr_auc = dt_class_mean_area(out, offsetof(dt_class_quality, pr_auc));
}

dt_status dt_evaluation_compute(dt_evaluation *out, const dt_comm *comm, const dt_scores *scores,
                                const uint64_t *class_rows)
{
    dt_status status = DT_OK;
    sums s = {0};
    *out = (dt_evaluation){.C = scores->C};
    DT_TRY(dt_comm_agree(comm, allocate(out, &s, scores)));
    reduce(out, &s, comm, scores);
    DT_TRY(check(&s, scores->C));
    out->N = (uint64_t)s.rows;
    fill_model(out, &s);
    if (scores->curves)
        DT_TRY(dt_evaluation_measure_curves(out, comm, scores));
    fill_areas(out);
    DT_TRY(dt_comm_agree(comm, dt_evaluation_fill_baseline(out, class_rows)));
out:
    dt_memory_free(s.counts);
    if (status != DT_OK)
        dt_evaluation_clear(out);
    return status;
}

dt_status dt_evaluation_of_set(dt_evaluation *out, dt_metrics *metrics, const dt_comm *comm,
                               const dt_network *network, const dt_dataset *set,
                               const uint64_t *class_rows, bool curves, dt_pool *pool)
{
    dt_status status = DT_OK;
    dt_predictor predictor = {0};
    dt_scores scores = {0};
    dt_metrics means;
    *out = (dt_evaluation){0};
    if (set->C > network->C)
        return dt_fail(DT_DATA, "labels: expected at most the model's %zu classes, found %zu",
                       network->C, set->C);
    status = dt_scores_init(&scores, network->C, dt_dataset_own_rows(set), curves);
    if (status == DT_OK)
        status = dt_predictor_init(&predictor, network, false);
    DT_TRY(dt_comm_agree(comm, status));
    predictor.workspace.pool = pool;
    DT_TRY(dt_evaluate(&means, comm, &predictor, set, &scores));
    dt_predictor_clear(&predictor);
    DT_TRY(dt_evaluation_compute(out, comm, &scores, class_rows));
    if (metrics != NULL)
        *metrics = means;
out:
    dt_predictor_clear(&predictor);
    dt_scores_clear(&scores);
    return status;
}

void dt_evaluation_clear(dt_evaluation *evaluation)
{
    dt_memory_free(evaluation->classes);
    dt_memory_free(evaluation->confusion);
    dt_memory_free(evaluation->roc);
    *evaluation = (dt_evaluation){0};
}
