#ifndef DTRAIN_RUN_EPOCH_TABLE_H
#define DTRAIN_RUN_EPOCH_TABLE_H

/* The table /epochs over dt_epoch, a row an epoch, as run.h5 and checkpoint.h5 have it. */

#include "dtrain/io/h5.h"
#include "dtrain/task/task.h"
#include "dtrain/train/trainer.h"

#define DT_EPOCH_TABLE_PATH "/epochs"

enum { DT_EPOCH_TABLE_COLUMNS = 6 + 2 * DT_TASK_METRICS };

/* A task's columns. Do not copy it: it contains pointers into itself. */
typedef struct dt_epoch_table {
    dt_h5_table table;
    dt_h5_column columns[DT_EPOCH_TABLE_COLUMNS];
    char names[DT_EPOCH_TABLE_COLUMNS][32]; /* of the metrics' columns */
} dt_epoch_table;

/* Lays the columns out: train_<metric> and val_<metric> in the order of the task's metrics, last
 * the monitored quality's. Returns out's table. Local. */
const dt_h5_table *dt_epoch_table_init(dt_epoch_table *out, const dt_task *task);

/* Continues the CRC-32 of a checkpoint with rows. It has places for as many metrics as a task may
 * have: zeros in those that are left. Errors: DT_MEMORY. Local. */
DT_MUST_USE dt_status dt_epoch_table_continue_crc(uint32_t *crc, const dt_task *task,
                                                  const dt_epoch *epochs, size_t count);

#endif
