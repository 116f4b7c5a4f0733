#include "dtrain/task/task.h"

#include <math.h>
#include <string.h>

static const dt_metric of_classes[] = {
    {"loss", "nats per row", offsetof(dt_metrics, loss), false},
    {"accuracy", "share of rows", offsetof(dt_metrics, accuracy), true},
};

const dt_task dt_classification = {
    .name = "classification",
    .metric_count = sizeof of_classes / sizeof *of_classes,
    .metrics = of_classes,
};

dt_metrics dt_metrics_none(void)
{
    return (dt_metrics){.loss = NAN, .accuracy = NAN};
}

double dt_metric_value(const dt_metrics *metrics, const dt_metric *metric)
{
    double value = 0.0;
    memcpy(&value, (const char *)metrics + metric->offset, sizeof value);
    return value;
}

void dt_metric_set(dt_metrics *metrics, const dt_metric *metric, double value)
{
    memcpy((char *)metrics + metric->offset, &value, sizeof value);
}
