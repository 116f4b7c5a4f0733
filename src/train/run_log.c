#include "dtrain/train/run_log.h"

#include "dtrain/base/clock.h"
#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "run_log_parts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SECONDS_BETWEEN_WRITES 2.0

struct dt_run_log {
    dt_h5 *h5;
    char *path;
    double written_s; /* when the file was last written */
    bool warned;
};

/* One row of /epochs, as it stands in the file. */
typedef struct epoch_row {
    int64_t epoch;
    double train_loss, train_accuracy, val_loss, val_accuracy;
    double learning_rate, seconds, samples_per_second;
    uint32_t weights_crc;
    int32_t improved;
} epoch_row;

static const dt_h5_column epoch_columns[] = {
    {"epoch", NULL, DT_H5_I64, offsetof(epoch_row, epoch), 0},
    {"train_loss", "nats per row", DT_H5_F64, offsetof(epoch_row, train_loss), 0},
    {"train_accuracy", "share of rows", DT_H5_F64, offsetof(epoch_row, train_accuracy), 0},
    {"val_loss", "nats per row", DT_H5_F64, offsetof(epoch_row, val_loss), 0},
    {"val_accuracy", "share of rows", DT_H5_F64, offsetof(epoch_row, val_accuracy), 0},
    {"learning_rate", NULL, DT_H5_F64, offsetof(epoch_row, learning_rate), 0},
    {"seconds", "s", DT_H5_F64, offsetof(epoch_row, seconds), 0},
    {"samples_per_second", "rows/s", DT_H5_F64, offsetof(epoch_row, samples_per_second), 0},
    {"weights_crc", NULL, DT_H5_U32, offsetof(epoch_row, weights_crc), 0},
    {"improved", NULL, DT_H5_I32, offsetof(epoch_row, improved), 0},
};
enum { EPOCH_COLUMNS = COLUMNS(epoch_columns) };

static dt_status write_file(dt_run_log *log)
{
    dt_status status = dt_h5_save(log->h5, log->path);
    log->written_s = dt_clock_s();
    return status;
}

dt_status dt_run_log_write_table(dt_h5 *h5, const char *group, const char *name,
                                 const dt_h5_column *columns, size_t column_count, size_t row_bytes,
                                 const void *rows, size_t row_count)
{
    dt_status status = DT_OK;
    char path[96];
    (void)snprintf(path, sizeof path, "%s/%s", group, name);
    DT_TRY(dt_h5_make_table(h5, path, columns, column_count, row_bytes));
    DT_TRY(dt_h5_append_rows(h5, path, columns, column_count, row_bytes, rows, row_count));
out:
    return status;
}

dt_status dt_run_log_open(dt_run_log **out, const char *path, const dt_run_facts *facts)
{
    dt_status status = DT_OK;
    dt_run_log *log = NULL;
    *out = NULL;
    DT_TRY(dt_memory_alloc(&log, 1, sizeof *log, "run log"));
    DT_TRY(dt_memory_copy_text(&log->path, path));
    DT_TRY(dt_h5_new(&log->h5));
    DT_TRY(dt_run_log_write_facts(log->h5, facts));
    DT_TRY(dt_h5_make_table(log->h5, "/epochs", epoch_columns, EPOCH_COLUMNS, sizeof(epoch_row)));
    DT_TRY(dt_h5_set_text(log->h5, "/", "status", "running"));
    DT_TRY(write_file(log));
    *out = log;
out:
    if (status != DT_OK && log != NULL) {
        dt_h5_free(log->h5);
        dt_memory_free(log->path);
        dt_memory_free(log);
    }
    return status;
}

void dt_run_log_add_epoch(dt_run_log *log, const dt_epoch *epoch)
{
    const epoch_row row = {
        .epoch = epoch->epoch,
        .train_loss = epoch->train.loss,
        .train_accuracy = epoch->train.accuracy,
        .val_loss = epoch->validation.loss,
        .val_accuracy = epoch->validation.accuracy,
        .learning_rate = epoch->learning_rate,
        .seconds = epoch->seconds,
        .samples_per_second = epoch->samples_per_second,
        .weights_crc = epoch->weights_crc,
        .improved = epoch->improved,
    };
    dt_status status =
        dt_h5_append_rows(log->h5, "/epochs", epoch_columns, EPOCH_COLUMNS, sizeof row, &row, 1);
    if (status == DT_OK && dt_clock_s() - log->written_s >= SECONDS_BETWEEN_WRITES)
        status = write_file(log);
    if (status != DT_OK && !log->warned) {
        dt_log_warn("%s; training goes on, and the log is tried again", dt_status_text());
        log->warned = true;
    }
}

dt_status dt_run_log_add_result(dt_run_log *log, const dt_result *result, const dt_rank_row *ranks,
                                size_t rank_count)
{
    return dt_run_log_write_result(log->h5, result, ranks, rank_count);
}

dt_status dt_run_log_close(dt_run_log *log, const char *run_status)
{
    if (log == NULL)
        return DT_OK;
    dt_status status = dt_h5_set_text(log->h5, "/", "status", run_status);
    if (status == DT_OK)
        status = write_file(log);
    dt_h5_free(log->h5);
    dt_memory_free(log->path);
    dt_memory_free(log);
    return status;
}
