/* Targets are values. */
#include "dtrain/task/task.h"

#include <math.h>

static const dt_metric metrics[] = {
    {"loss", NULL, offsetof(dt_metrics, loss), false},
    {"rmse", "units of the target", offsetof(dt_metrics, rmse), false, true},
    {"mae", "units of the target", offsetof(dt_metrics, mae), false, true},
};

static const dt_quality_kind qualities[] = {
    {"rmse", "RMSE", "units of the target", offsetof(dt_quality, rmse)},
    {"mae", "MAE", "units of the target", offsetof(dt_quality, mae), .compared = true},
    {"median_ae", "median AE", "units of the target", offsetof(dt_quality, median_ae),
     .needs_rows = true, .compared = true},
    {"r2", "R2", "1 is best", offsetof(dt_quality, r2), true, .compared = true},
    {"explained_variance", "expl. variance", "1 is best", offsetof(dt_quality, explained_variance),
     true, .compared = true},
    {"pinball", "pinball loss", "units of the target", offsetof(dt_quality, pinball),
     .compared = true},
};

static void add_rows(dt_tally *tally, const dt_loss_rows *rows, const dt_target *y, const float *w,
                     size_t from, size_t count)
{
    (void)y;
    double weights = 0.0, loss = 0.0, squared = 0.0, absolute = 0.0;
    for (size_t i = from; i < from + count; i++) {
        const double weight = w != NULL ? (double)w[i] : 1.0;
        weights += weight;
        loss += weight * (double)rows->loss[i];
        squared += weight * (double)rows->squared[i];
        absolute += weight * (double)rows->absolute[i];
    }
    dt_tally_add_term(tally, DT_TALLY_WEIGHT, weights);
    dt_tally_add_term(tally, DT_TALLY_LOSS, loss);
    dt_tally_add_term(tally, DT_TALLY_MEASURE, squared);
    dt_tally_add_term(tally, DT_TALLY_MEASURE_2, absolute);
}

static dt_metrics mean(const dt_tally *tally, double unit)
{
    dt_metrics out = dt_metrics_none();
    out.loss = dt_tally_mean(tally, DT_TALLY_LOSS);
    out.rmse = unit * sqrt(dt_tally_mean(tally, DT_TALLY_MEASURE));
    out.mae = unit * dt_tally_mean(tally, DT_TALLY_MEASURE_2);
    return out;
}

const dt_task dt_regression = {
    .name = "regression",
    .metric_count = sizeof metrics / sizeof *metrics,
    .metrics = metrics,
    .quality_count = sizeof qualities / sizeof *qualities,
    .qualities = qualities,
    .baseline = "baseline",
    .baseline_means = "always the mean of the training rows",
    .loss = &dt_mean_squared_error,
    .add_rows = add_rows,
    .mean = mean,
};
