/* Targets are classes. */
#include "dtrain/task/task.h"

static const dt_metric metrics[] = {
    {"loss", NULL, offsetof(dt_metrics, loss), false},
    {"accuracy", "share of rows", offsetof(dt_metrics, accuracy), true},
};

static const dt_quality_kind qualities[] = {
    {"accuracy", "accuracy", "share of rows", offsetof(dt_quality, accuracy), true},
    {"loss", "loss", "nats per row, as Keras", offsetof(dt_quality, loss)},
    {"log_loss", "log loss", "nats per row", offsetof(dt_quality, log_loss), .compared = true},
    {"brier", "Brier score", "0 is best", offsetof(dt_quality, brier)},
    {"calibration_error", "calibration", "error, 10 bins", offsetof(dt_quality, calibration_error),
     .compared = true},
    {"roc_auc", "ROC-AUC", "area under the curve", offsetof(dt_quality, roc_auc), true,
     .needs_rows = true, .compared = true},
    {"pr_auc", "PR-AUC", "average precision", offsetof(dt_quality, pr_auc), true,
     .needs_rows = true, .compared = true},
    {"precision", "precision", "mean over classes", offsetof(dt_quality, precision), true},
    {"recall", "recall", "mean over classes", offsetof(dt_quality, recall), true},
    {"f1", "F1", "mean over classes", offsetof(dt_quality, f1), true, .compared = true},
};

static void add_rows(dt_tally *tally, const dt_loss_rows *rows, const dt_target *y, const float *w,
                     size_t from, size_t count)
{
    double weights = 0.0, loss = 0.0, hits = 0.0;
    size_t right = 0;
    for (size_t i = from; w == NULL && i < from + count; i++) { /* a part of each small step */
        loss += (double)rows->loss[i];
        right += rows->predicted[i] == y[i].label;
    }
    for (size_t i = from; w != NULL && i < from + count; i++) {
        const double weight = (double)w[i];
        weights += weight;
        loss += weight * (double)rows->loss[i];
        hits += rows->predicted[i] == y[i].label ? weight : 0.0;
    }
    dt_tally_add_term(tally, DT_TALLY_WEIGHT, w != NULL ? weights : (double)count);
    dt_tally_add_term(tally, DT_TALLY_LOSS, loss);
    dt_tally_add_term(tally, DT_TALLY_MEASURE, w != NULL ? hits : (double)right);
}

static dt_metrics mean(const dt_tally *tally, double unit)
{
    (void)unit;
    dt_metrics out = dt_metrics_none();
    out.loss = dt_tally_mean(tally, DT_TALLY_LOSS);
    out.accuracy = dt_tally_mean(tally, DT_TALLY_MEASURE);
    return out;
}

const dt_task dt_classification = {
    .name = "classification",
    .classes = true,
    .metric_count = sizeof metrics / sizeof *metrics,
    .metrics = metrics,
    .quality_count = sizeof qualities / sizeof *qualities,
    .qualities = qualities,
    .baseline = "majority",
    .baseline_means = "always the most frequent class",
    .loss = &dt_cross_entropy,
    .add_rows = add_rows,
    .mean = mean,
};
