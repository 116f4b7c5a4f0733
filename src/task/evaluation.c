#include "dtrain/task/evaluation.h"

#include "dtrain/base/memory.h"
#include "dtrain/comm/exact_total.h"
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
    dt_exact_total weight; /* of all rows, if they have weights */
    dt_weight_sums *weights; /* [C + bins]; NULL: each row weighs 1 */
} sums;

static dt_status allocate(dt_evaluation *out, sums *s, const dt_scores *scores)
{
    dt_status status = DT_OK;
    const size_t C = scores->C;
    DT_TRY(dt_memory_alloc(&s->counts, C, 3 * sizeof *s->counts, "counts of classes"));
    if (scores->weights != NULL)
        DT_TRY(dt_memory_alloc(&s->weights, C + DT_CALIBRATION_BINS, sizeof *s->weights,
                               "weights of classes"));
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
    if (s->weights != NULL) {
        const size_t totals = (C + DT_CALIBRATION_BINS) * sizeof *s->weights / sizeof s->weight;
        s->weight = scores->weight;
        memcpy(s->weights, scores->weights, totals * sizeof s->weight);
        dt_exact_total_sum(comm, &s->weight, 1);
        dt_exact_total_sum(comm, &s->weights->rows, totals);
    }
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
        const dt_weight_sums *weights = s->weights != NULL ? &s->weights[out->C + (size_t)b] : NULL;
        const double rows =
            weights != NULL ? dt_exact_total_value(&weights->rows) : (double)s->bins[b].rows;
        const double hits =
            weights != NULL ? dt_exact_total_value(&weights->hits) : (double)s->bins[b].hits;
        out->bins[b] = (dt_calibration_bin){.lower = (double)b / DT_CALIBRATION_BINS,
                                            .upper = (double)(b + 1) / DT_CALIBRATION_BINS,
                                            .rows = s->bins[b].rows,
                                            .confidence = NAN,
                                            .accuracy = NAN};
        if (s->bins[b].rows == 0)
            continue;
        out->bins[b].confidence = dt_exact_total_value(confidence) / rows;
        out->bins[b].accuracy = hits / rows;
        out->model.calibration_error += weights != NULL
                                            ? fabs(dt_exact_total_value(confidence) - hits)
                                            : dt_exact_total_distance(confidence, s->bins[b].hits);
    }
}

/* The weight of a class's rows, or their number without weights. */
static dt_class_weight weight_of(const sums *s, size_t C, size_t c)
{
    if (s->weights == NULL)
        return (dt_class_weight){.rows = (double)s->counts[c],
                                 .predicted = (double)s->counts[C + c],
                                 .hits = (double)s->counts[2 * C + c]};
    const dt_weight_sums *weights = &s->weights[c];
    return (dt_class_weight){.rows = dt_exact_total_value(&weights->rows),
                             .predicted = dt_exact_total_value(&weights->predicted),
                             .hits = dt_exact_total_value(&weights->hits)};
}

static void fill_model(dt_evaluation *out, const sums *s)
{
    const size_t C = out->C;
    const double N = out->weight; /* 0/0 is NaN: no rows, no numbers */
    dt_quality *model = &out->model;
    dt_class_means means = {0};
    double hits = 0.0;
    for (size_t c = 0; c < C; c++) {
        const dt_class_weight weight = weight_of(s, C, c);
        out->classes[c] = dt_class_quality_of(c, s->counts[c], s->counts[C + c], &weight);
        dt_class_means_add(&means, &out->classes[c]);
        hits += weight.hits;
    }
    model->calibration_error = 0.0;
    fill_bins(out, s);
    dt_class_means_get(model, &means);
    model->loss = dt_exact_total_value(&s->totals[TOTAL_LOSS]) / N;
    model->log_loss = dt_exact_total_value(&s->totals[TOTAL_LOG_LOSS]) / N;
    model->brier = dt_exact_total_value(&s->totals[TOTAL_BRIER]) / N;
    model->accuracy = hits / N;
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
    *out =
        (dt_evaluation){.C = scores->C, .model = dt_quality_none(), .majority = dt_quality_none()};
    if (scores->values != NULL) {
        status = dt_evaluation_measure_values(out, comm, scores);
        goto out;
    }
    DT_TRY(dt_comm_agree(comm, allocate(out, &s, scores)));
    reduce(out, &s, comm, scores);
    DT_TRY(check(&s, scores->C));
    out->N = (uint64_t)s.rows;
    out->weighted = s.weights != NULL;
    out->weight = s.weights != NULL ? dt_exact_total_value(&s.weight) : (double)out->N;
    fill_model(out, &s);
    if (scores->curves)
        DT_TRY(dt_evaluation_measure_curves(out, comm, scores));
    fill_areas(out);
    DT_TRY(dt_comm_agree(comm, dt_evaluation_fill_baseline(out, class_rows)));
out:
    dt_memory_free(s.counts);
    dt_memory_free(s.weights);
    if (status != DT_OK)
        dt_evaluation_clear(out);
    return status;
}

/* The metrics of an epoch are rounded term by term; here they are more exact. */
static dt_metrics refine(const dt_metrics *means, const dt_evaluation *evaluation)
{
    dt_metrics out = *means;
    if (evaluation->values == NULL) {
        out.accuracy = evaluation->model.accuracy;
    } else if (evaluation->C == 1) { /* several targets have different units */
        out.rmse = evaluation->model.rmse;
        out.mae = evaluation->model.mae;
    }
    return out;
}

dt_status dt_scores_of_set(dt_scores *scores, dt_metrics *means, const dt_comm *comm,
                           const dt_network *network, const dt_dataset *set, bool curves,
                           dt_pool *pool)
{
    dt_predictor predictor = {0};
    dt_status status =
        dt_scores_init(scores, network, dt_dataset_own_rows(set), curves, set->w != NULL);
    if (status == DT_OK)
        status = dt_predictor_init(&predictor, network, false);
    DT_TRY(dt_comm_agree(comm, status));
    predictor.workspace.pool = pool;
    DT_TRY(dt_evaluate(means, comm, &predictor, set, scores));
out:
    dt_predictor_clear(&predictor);
    return status;
}

dt_status dt_evaluation_of_set(dt_evaluation *out, dt_metrics *metrics, const dt_comm *comm,
                               const dt_network *network, const dt_dataset *set,
                               const uint64_t *class_rows, bool curves, dt_pool *pool)
{
    dt_status status = DT_OK;
    dt_scores scores = {0};
    dt_metrics means;
    *out = (dt_evaluation){0};
    if (network->loss->classes && set->C > network->C)
        return dt_fail(DT_DATA, "labels: expected at most the model's %zu classes, found %zu",
                       network->C, set->C);
    DT_TRY(dt_scores_of_set(&scores, &means, comm, network, set, curves, pool));
    DT_TRY(dt_evaluation_compute(out, comm, &scores, class_rows));
    if (metrics != NULL)
        *metrics = refine(&means, out);
out:
    dt_scores_clear(&scores);
    return status;
}

dt_status dt_evaluation_of_metric(dt_metrics *out, const dt_comm *comm, dt_predictor *predictor,
                                  const dt_dataset *set, const dt_metric *monitored)
{
    dt_status status = DT_OK;
    dt_scores scores = {0};
    dt_evaluation evaluation = {0};
    const dt_quality_kind *quality = monitored->quality;
    if (quality == NULL)
        return dt_evaluate(out, comm, predictor, set, NULL);
    status = dt_scores_init(&scores, predictor->network, dt_dataset_own_rows(set),
                            quality->needs_rows, set->w != NULL);
    DT_TRY(dt_comm_agree(comm, status));
    DT_TRY(dt_evaluate(out, comm, predictor, set, &scores));
    DT_TRY(dt_evaluation_compute(&evaluation, comm, &scores, NULL));
    dt_metric_set(out, monitored, dt_quality_value(&evaluation.model, quality));
    if (isnan(out->monitored))
        status = dt_fail(DT_DATA,
                         "%s is undefined for these targets: a class has no rows or all of them, "
                         "there are too many classes, or a target is constant; use another "
                         "--monitor",
                         quality->name);
out:
    dt_scores_clear(&scores);
    dt_evaluation_clear(&evaluation);
    return status;
}

void dt_evaluation_clear(dt_evaluation *evaluation)
{
    dt_memory_free(evaluation->values);
    dt_memory_free(evaluation->classes);
    dt_memory_free(evaluation->confusion);
    dt_memory_free(evaluation->roc);
    dt_memory_free(evaluation->pr);
    *evaluation = (dt_evaluation){0};
}
