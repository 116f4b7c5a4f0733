#ifndef DTRAIN_TASK_TASK_H
#define DTRAIN_TASK_TASK_H

#include <stdbool.h>
#include <stddef.h>

/** Means over rows; NaN without rows, and for a metric that the task does not have. */
typedef struct dt_metrics {
    double loss; /* nats per row */
    double accuracy;
} dt_metrics;

/** A metric: a column train_<name> and val_<name> of /epochs, and a part of each line about an
 * epoch. */
typedef struct dt_metric {
    const char *name; /* "accuracy", as Keras has it */
    const char *unit;
    size_t offset; /* of a double in dt_metrics */
    bool larger_is_better;
} dt_metric;

/** What targets mean; one file in task/ ends in one of these. */
typedef struct dt_task {
    const char *name; /* "classification" */
    size_t metric_count;
    const dt_metric *metrics; /* the loss comes first */
} dt_task;

extern const dt_task dt_classification;

/** What --monitor accepts, in the order of the task's metrics. */
#define DT_MONITOR_NAMES "val_loss|val_accuracy"

/** Returns metrics of which none is known. Local. */
dt_metrics dt_metrics_none(void);

/** Returns the value of a metric. Local. */
double dt_metric_value(const dt_metrics *metrics, const dt_metric *metric);

/** Sets the value of a metric. Local. */
void dt_metric_set(dt_metrics *metrics, const dt_metric *metric, double value);

#endif
