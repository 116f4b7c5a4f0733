#include "epoch_table.h"

#include "dtrain/base/crc32.h"

#include <stdio.h>

/* Behind the metrics. */
static const dt_h5_column last[] = {
    {"learning_rate", NULL, DT_H5_F64, DT_H5_FIELD(dt_epoch, learning_rate)},
    {"seconds", "s", DT_H5_F64, DT_H5_FIELD(dt_epoch, seconds)},
    {"samples_per_second", "rows/s", DT_H5_F64, DT_H5_FIELD(dt_epoch, samples_per_second)},
    {"weights_crc", NULL, DT_H5_U32, DT_H5_FIELD(dt_epoch, weights_crc)},
    {"improved", NULL, DT_H5_I32, DT_H5_FIELD(dt_epoch, improved)},
};

static void add(dt_epoch_table *out, dt_h5_column column)
{
    out->columns[out->table.column_count++] = column;
}

static void add_metrics(dt_epoch_table *out, const dt_task *task, size_t count, const char *prefix,
                        size_t offset)
{
    for (size_t m = 0; m < count; m++) {
        const dt_metric *metric = &task->metrics[m];
        char *name = out->names[out->table.column_count];
        (void)snprintf(name, sizeof out->names[0], "%s_%s", prefix, metric->name);
        add(out,
            (dt_h5_column){name, metric->unit, DT_H5_F64, offset + metric->offset, sizeof(double)});
    }
}

const dt_h5_table *dt_epoch_table_init(dt_epoch_table *out, const dt_task *task)
{
    const size_t M = task->metric_count, V = M + task->monitored_count;
    DT_ASSERT(V <= DT_TASK_METRICS);
    out->table = (dt_h5_table){.columns = out->columns, .row_bytes = sizeof(dt_epoch)};
    add(out, (dt_h5_column){"epoch", NULL, DT_H5_I64, DT_H5_FIELD(dt_epoch, epoch)});
    add_metrics(out, task, M, "train", offsetof(dt_epoch, train));
    add_metrics(out, task, V, "val", offsetof(dt_epoch, validation));
    for (size_t i = 0; i < sizeof last / sizeof *last; i++)
        add(out, last[i]);
    return &out->table;
}

dt_status dt_epoch_table_continue_crc(uint32_t *crc, const dt_task *task, const dt_epoch *epochs,
                                      size_t count)
{
    static const double none[DT_TASK_METRICS] = {0};
    dt_status status = DT_OK;
    dt_epoch_table all;
    const size_t columns = dt_epoch_table_init(&all, task)->column_count;
    const size_t M = task->metric_count, V = M + task->monitored_count, end = 1 + M + V;
    const size_t left[] = {DT_TASK_METRICS - M, DT_TASK_METRICS - V, 0};
    const dt_h5_table parts[] = {{all.columns, 1 + M, sizeof *epochs},
                                 {all.columns + 1 + M, V, sizeof *epochs},
                                 {all.columns + end, columns - end, sizeof *epochs}};
    for (size_t i = 0; i < count; i++)
        for (size_t part = 0; part < 3; part++) {
            DT_TRY(dt_h5_continue_crc(crc, &parts[part], &epochs[i], 1));
            *crc = dt_crc32(*crc, none, left[part] * sizeof *none);
        }
out:
    return status;
}
