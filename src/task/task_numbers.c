#include "dtrain/task/task.h"

#include <math.h>
#include <string.h>

dt_metrics dt_metrics_none(void)
{
    return (dt_metrics){.loss = NAN, .accuracy = NAN, .rmse = NAN, .mae = NAN, .monitored = NAN};
}

const dt_metric *dt_task_find_metric(const dt_task *task, const char *name)
{
    for (size_t m = 0; m < task->metric_count + task->monitored_count; m++)
        if (strcmp(task->metrics[m].name, name) == 0)
            return &task->metrics[m];
    return NULL;
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

double dt_quality_value(const dt_quality *quality, const dt_quality_kind *kind)
{
    double value = 0.0;
    memcpy(&value, (const char *)quality + kind->offset, sizeof value);
    return value;
}

dt_quality dt_quality_none(void)
{
    dt_quality out = {0};
    double *numbers = (double *)&out;
    for (size_t i = 0; i < sizeof out / sizeof *numbers; i++)
        numbers[i] = NAN;
    return out;
}
