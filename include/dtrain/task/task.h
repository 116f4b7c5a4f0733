#ifndef DTRAIN_TASK_TASK_H
#define DTRAIN_TASK_TASK_H

#include "dtrain/nn/loss.h"
#include "dtrain/task/tally.h"

#include <stdbool.h>
#include <stddef.h>

/** Means over rows; NaN without rows, and for a metric that the task does not have. */
typedef struct dt_metrics {
    double loss; /* in the loss's unit */
    double accuracy; /* share of rows */
    double rmse, mae; /* root of the mean squared error, mean absolute error: in the target's unit;
                         with several targets in their standard deviations */
    double monitored; /* of the validation set: the quality that dt_task_monitoring added */
} dt_metrics;

/**
 * The scores of a model, or of the baseline, which always predicts the majority class or the mean
 * of the training rows.
 */
typedef struct dt_quality {
    double loss; /* nats per row: mean of -log p(true class), p clipped to 1e-7 .. 1 - 1e-7 as
                    Keras does; the loss of training is not clipped, so it may be larger */
    double accuracy; /* share of rows */
    double log_loss; /* nats per row; sklearn.metrics.log_loss (1.2.1) in float64: a row clipped to
                        eps .. 1 - eps, eps = 2^-52, then divided by its sum */
    double brier; /* C = 2: mean of (p(class 1) - y)^2, 0 .. 1, as sklearn.metrics
                     .brier_score_loss; C > 2: mean over rows of the sum over all classes of
                     (p - onehot(y))^2, 0 .. 2: twice the other when C is 2 */
    double calibration_error; /* expected: mean over rows of |accuracy - confidence| of their bin */
    double precision, recall, f1; /* means over the classes that occur as true or predicted ones */
    double roc_auc; /* area under the ROC curve. C = 2: of class 1; C > 2: mean over the classes of
                       one against the rest, over those where it is defined */
    double pr_auc; /* average precision (sklearn.metrics.average_precision_score), likewise */

    /* For values; each is the mean over the targets, as in sklearn.metrics. */
    double rmse, mae, median_ae; /* root of the mean squared error, mean and median of the absolute
                                    error; in the target's unit */
    double r2; /* 1 - squared error / squared distance from the rows' mean; NaN when that is 0 */
    double explained_variance; /* the same for errors minus their mean */
    double pinball; /* for the trained quantile; in the target's unit */
} dt_quality;

/** A number of dt_quality: an attribute of /evaluation, and a line of evaluate's and the report's
 * tables. */
typedef struct dt_quality_kind {
    const char *name; /* "roc_auc": in files and summaries */
    const char *title; /* "ROC-AUC": for people */
    const char *unit;
    size_t offset; /* of a double in dt_quality */
    bool larger_is_better;
    bool needs_rows; /* it is NaN unless dt_scores.curves */
    bool compared; /* it has a column in the table that compares runs */
} dt_quality_kind;

/** A metric: a column train_<name> and val_<name> of /epochs, and a part of each line about an
 * epoch. */
typedef struct dt_metric {
    const char *name; /* "accuracy", as Keras has it */
    const char *unit; /* NULL: that of the loss */
    size_t offset; /* of a double in dt_metrics */
    bool larger_is_better;
    bool any_size; /* for values: its size is not near 1 */
    const dt_quality_kind *quality; /* NULL, unless it is dt_metrics.monitored */
} dt_metric;

/** Maximum number of metrics of a task, including the monitored quality. */
enum { DT_TASK_METRICS = 8 };

/** A task: the meaning of targets. One file in task/ ends in one of these. */
typedef struct dt_task {
    const char *name; /* "classification" */
    bool classes; /* targets are classes, else values */
    size_t metric_count;
    const dt_metric *metrics; /* the loss comes first */
    size_t monitored_count; /* 0 or 1: a metric behind those, only for the validation set */
    size_t quality_count;
    const dt_quality_kind *qualities; /* the most important ones first */
    const char *baseline; /* prefix of the names of the baseline's numbers: "majority" */
    const char *baseline_means; /* description of the baseline in texts */
    const dt_loss *loss; /* the default of --loss */

    /* Adds rows of one shard as one term: the results of the loss for the rows from ..
     * from+count-1, with their targets and weights (NULL: 1 each). Local. */
    void (*add_rows)(dt_tally *tally, const dt_loss_rows *rows, const dt_target *y, const float *w,
                     size_t from, size_t count);

    /* Returns the means. `unit` is the standard deviation that a target was divided by; 1: none.
     * Local. */
    dt_metrics (*mean)(const dt_tally *tally, double unit);
} dt_task;

/** The tasks. */
enum { DT_TASK_COUNT = 2 };
extern const dt_task *const dt_tasks[DT_TASK_COUNT];
extern const dt_task dt_classification, dt_regression;

/** Returns the task that a loss is for. Local. */
const dt_task *dt_task_of(const dt_loss *loss);

/** What --monitor accepts: the metrics and the qualities of all tasks. */
#define DT_MONITOR_NAMES                                                                           \
    "val_loss|val_accuracy|val_log_loss|val_brier|val_calibration_error|val_roc_auc|val_pr_auc|"   \
    "val_precision|val_recall|val_f1|val_rmse|val_mae|val_median_ae|val_r2|"                       \
    "val_explained_variance|val_pinball"

/** Returns the metric of that name, without "val_"; NULL if the task does not have it. Local. */
const dt_metric *dt_task_find_metric(const dt_task *task, const char *name);

/**
 * Returns the task with one of its qualities as an additional metric of the validation set. Returns
 * the unchanged task if it has a metric of that name, or no such quality. Owns: static. Local, one
 * thread at a time.
 */
const dt_task *dt_task_monitoring(const dt_task *task, const char *name);

/** Returns qualities that are all NaN. Local. */
dt_quality dt_quality_none(void);

/** Returns one of the numbers. Local. */
double dt_quality_value(const dt_quality *quality, const dt_quality_kind *kind);

/** Returns metrics that are all NaN. Local. */
dt_metrics dt_metrics_none(void);

/** Returns the value of a metric. Local. */
double dt_metric_value(const dt_metrics *metrics, const dt_metric *metric);

/** Sets the value of a metric. Local. */
void dt_metric_set(dt_metrics *metrics, const dt_metric *metric, double value);

#endif
