#ifndef DTRAIN_RUN_CSV_LOG_H
#define DTRAIN_RUN_CSV_LOG_H

#include "dtrain/base/status.h"
#include "dtrain/train/trainer.h"

#include <stdbool.h>

/**
 * A log of the epochs as Keras's CSVLogger writes it: epochs from 0, metrics in the order of their
 * names, one line at the end of each epoch. All calls are local, and made by rank 0 only.
 *
 * Source:  keras/src/callbacks/csv_logger.py
 */
typedef struct dt_csv_log dt_csv_log;

/**
 * Opens the file; its columns are epoch, the task's metrics (accuracy,loss), and with `validation`
 * val_accuracy,val_loss. An older file is unchanged until the first epoch is added.
 *
 * Owns:    the caller ends with dt_csv_log_close
 * Errors:  DT_OUTPUT, also if the path is neither a file nor a device; DT_MEMORY
 */
DT_MUST_USE dt_status dt_csv_log_open(dt_csv_log **out, const char *path, const dt_task *task,
                                      bool validation);

/** Adds an epoch, with digits that restore the same doubles. dt_csv_log_close reports a failure. */
void dt_csv_log_add_epoch(dt_csv_log *log, const dt_epoch *epoch);

/**
 * Closes and frees; NULL is allowed. A new file without epochs is removed. Errors: DT_OUTPUT when a
 * line could not be written.
 */
DT_MUST_USE dt_status dt_csv_log_close(dt_csv_log *log);

#endif
