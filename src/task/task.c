#include "dtrain/task/task.h"

#include <string.h>

const dt_task *const dt_tasks[DT_TASK_COUNT] = {&dt_classification, &dt_regression};

const dt_task *dt_task_of(const dt_loss *loss)
{
    return loss->classes ? &dt_classification : &dt_regression;
}

/* A task and its metrics. Callers keep pointers to it, so each quality has one of its own. */
typedef struct variant {
    dt_task task;
    dt_metric metrics[DT_TASK_METRICS];
} variant;

const dt_task *dt_task_monitoring(const dt_task *task, const char *name)
{
    enum { QUALITIES = sizeof(dt_quality) / sizeof(double) };
    static variant variants[2][QUALITIES];
    size_t q = 0;
    while (q < task->quality_count && strcmp(task->qualities[q].name, name) != 0)
        q++;
    if (q == task->quality_count || dt_task_find_metric(task, name) != NULL)
        return task;
    const dt_quality_kind *quality = &task->qualities[q];
    const size_t count = task->metric_count;
    variant *out = &variants[task->classes][q];
    DT_ASSERT(count < DT_TASK_METRICS && task->quality_count <= QUALITIES);
    memcpy(out->metrics, task->metrics, count * sizeof *out->metrics);
    out->metrics[count] = (dt_metric){.name = quality->name,
                                      .unit = quality->unit,
                                      .offset = offsetof(dt_metrics, monitored),
                                      .larger_is_better = quality->larger_is_better,
                                      .any_size = !task->classes,
                                      .quality = quality};
    out->task = *task;
    out->task.metrics = out->metrics;
    out->task.monitored_count = 1;
    return &out->task;
}
