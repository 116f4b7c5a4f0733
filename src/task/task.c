#include "dtrain/task/task.h"

#include <math.h>
#include <string.h>

static const dt_metric metrics[] = {
    {"loss", "nats per row", offsetof(dt_metrics, loss), false},
    {"accuracy", "share of rows", offsetof(dt_metrics, accuracy), true},
};

const dt_task dt_classification = {
    .name = "classification",
    .metric_count = sizeof metrics / sizeof *metrics,
    .metrics = metrics,
};

dt_metrics dt_metrics_none(void)
{
    return (dt_metrics){.loss = NAN, .accuracy = NAN};
}

double dt_metric_value(const dt_metrics *values, const dt_metric *metric)
{
    double value = 0.0;
    memcpy(&value, (const char *)values + metric->offset, sizeof value);
    return value;
}

void dt_metric_set(dt_metrics *values, const dt_metric *metric, double value)
{
    memcpy((char *)values + metric->offset, &value, sizeof value);
}
