#include "dtrain/run/run_log.h"

#include "dtrain/base/clock.h"
#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/retry.h"
#include "epoch_table.h"
#include "run_log_internal.h"

#include <stdbool.h>
#include <stddef.h>

#define SECONDS_BETWEEN_WRITES 2.0

/* Epochs that are added to the file together: one by one they take longer than to train a small
 * network. */
enum { EPOCHS_TOGETHER = 64 };

struct dt_run_log {
    dt_h5 *h5;
    char *path;
    const dt_task *task;
    dt_epoch epochs[EPOCHS_TOGETHER]; /* [epoch_count]: that are not in the table yet */
    size_t epoch_count;
    double written_s; /* when the file was last written */
    bool warned;
};

DT_MUST_USE static dt_status append_epochs(dt_run_log *log)
{
    dt_epoch_table table;
    dt_status status = DT_OK;
    if (log->epoch_count > 0)
        status =
            dt_h5_append_rows(log->h5, DT_EPOCH_TABLE_PATH, dt_epoch_table_init(&table, log->task),
                              log->epochs, log->epoch_count);
    if (status == DT_OK)
        log->epoch_count = 0;
    return status;
}

static dt_status write_file(void *context)
{
    dt_run_log *log = context;
    dt_status status = append_epochs(log);
    if (status == DT_OK)
        status = dt_h5_save(log->h5, log->path);
    log->written_s = dt_clock_s();
    return status;
}

dt_status dt_run_log_open(dt_run_log **out, const char *path, const dt_run_facts *facts,
                          const dt_history *history, bool at_once)
{
    dt_status status = DT_OK;
    dt_run_log *log = NULL;
    *out = NULL;
    DT_TRY(dt_memory_alloc(&log, 1, sizeof *log, "run log"));
    log->task = dt_settings_task(facts->settings);
    DT_TRY(dt_memory_copy_text(&log->path, path));
    DT_TRY(dt_h5_new(&log->h5));
    DT_TRY(dt_run_log_write_facts(log->h5, facts));
    DT_TRY(dt_history_write(log->h5, history, log->task));
    DT_TRY(dt_h5_set_text(log->h5, "/", "status", "running"));
    log->written_s = dt_clock_s();
    if (at_once)
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
    dt_status status = log->epoch_count == EPOCHS_TOGETHER ? append_epochs(log) : DT_OK;
    if (status == DT_OK)
        log->epochs[log->epoch_count++] = *epoch;
    if (status == DT_OK && dt_clock_s() - log->written_s >= SECONDS_BETWEEN_WRITES)
        status = write_file(log);
    if (status != DT_OK && !log->warned) {
        dt_log_warn("%s; training continues, and the log will be tried again", dt_status_text());
        log->warned = true;
    }
}

dt_status dt_run_log_add_result(dt_run_log *log, const dt_result *result, const dt_rank_row *ranks,
                                size_t rank_count)
{
    return dt_run_log_write_result(log->h5, log->task, result, ranks, rank_count);
}

dt_status dt_run_log_add_table(dt_run_log *log, const char *path, const dt_h5_table *table,
                               const void *rows, size_t count)
{
    return dt_h5_write_table(log->h5, path, table, rows, count);
}

dt_status dt_run_log_close(dt_run_log *log, const char *run_status, const char *reason)
{
    if (log == NULL)
        return DT_OK;
    dt_status status = DT_OK;
    if (run_status == NULL)
        goto out;
    status = dt_h5_set_text(log->h5, "/", "status", run_status);
    if (status == DT_OK && reason != NULL)
        status = dt_h5_set_text(log->h5, "/", "reason", reason);
    if (status == DT_OK)
        status = dt_retry_output(write_file, log);
out:
    dt_h5_free(log->h5);
    dt_memory_free(log->path);
    dt_memory_free(log);
    return status;
}
