#include "dtrain/run/history.h"

#include "dtrain/base/clock.h"
#include "dtrain/base/memory.h"
#include "epoch_table.h"

#include <stdio.h>
#include <stdlib.h>

static const char sessions_path[] = "/sessions";

static const dt_h5_column session_columns[] = {
    {"epoch", NULL, DT_H5_I64, DT_H5_FIELD(dt_session, epoch)},
    {"rows", "training rows", DT_H5_I64, DT_H5_FIELD(dt_session, rows)},
    {"ranks", NULL, DT_H5_I64, DT_H5_FIELD(dt_session, ranks)},
    {"hosts", NULL, DT_H5_I64, DT_H5_FIELD(dt_session, hosts)},
    {"started", NULL, DT_H5_TEXT, DT_H5_FIELD(dt_session, started)},
    {"host", NULL, DT_H5_TEXT, DT_H5_FIELD(dt_session, host)},
    {"slurm_job_id", NULL, DT_H5_TEXT, DT_H5_FIELD(dt_session, slurm_job_id)},
};
static const dt_h5_table session_table = DT_H5_TABLE(session_columns, dt_session);

dt_status dt_history_add_epoch(dt_history *history, const dt_epoch *epoch)
{
    dt_status status = DT_OK;
    const size_t count = history->epoch_count;
    if (count == history->epoch_capacity) {
        const size_t capacity = count < 64 ? 64 : 2 * count;
        DT_TRY(dt_memory_grow(&history->epochs, count, capacity, sizeof *epoch, "epochs"));
        history->epoch_capacity = capacity;
    }
    history->epochs[history->epoch_count++] = *epoch;
out:
    return status;
}

dt_status dt_history_add_session(dt_history *history, const dt_environment *environment,
                                 const dt_training *training)
{
    dt_status status = DT_OK;
    dt_session session = {
        .epoch = 1, .ranks = environment->ranks, .hosts = environment->launch.host_count};
    const char *job = getenv("SLURM_JOB_ID");
    if (training != NULL) {
        session.epoch = training->epoch;
        session.rows = (int64_t)training->rows;
    }
    dt_clock_utc(session.started, sizeof session.started, DT_CLOCK_ISO);
    (void)snprintf(session.host, sizeof session.host, "%s", environment->launch.host);
    (void)snprintf(session.slurm_job_id, sizeof session.slurm_job_id, "%s", job ? job : "");
    DT_TRY(dt_memory_grow(&history->sessions, history->session_count, history->session_count + 1,
                          sizeof session, "sessions"));
    history->sessions[history->session_count++] = session;
out:
    return status;
}

dt_status dt_history_write(dt_h5 *h5, const dt_history *history, const dt_task *task)
{
    dt_status status = DT_OK;
    dt_epoch_table epochs;
    DT_TRY(dt_h5_write_table(h5, DT_EPOCH_TABLE_PATH, dt_epoch_table_init(&epochs, task),
                             history->epochs, history->epoch_count));
    DT_TRY(dt_h5_write_table(h5, sessions_path, &session_table, history->sessions,
                             history->session_count));
out:
    return status;
}

dt_status dt_history_read(dt_history *out, dt_h5 *h5, const dt_task *task)
{
    dt_status status = DT_OK;
    dt_h5_shape epochs, sessions;
    dt_epoch_table table;
    *out = (dt_history){0};
    DT_TRY(dt_h5_describe(&epochs, h5, DT_EPOCH_TABLE_PATH));
    DT_TRY(dt_h5_describe(&sessions, h5, sessions_path));
    DT_TRY(dt_memory_alloc(&out->epochs, epochs.count, sizeof *out->epochs, "epochs"));
    DT_TRY(dt_memory_alloc(&out->sessions, sessions.count, sizeof *out->sessions, "sessions"));
    out->epoch_count = out->epoch_capacity = epochs.count;
    out->session_count = sessions.count;
    for (size_t i = 0; i < epochs.count; i++)
        out->epochs[i].train = out->epochs[i].validation = dt_metrics_none();
    DT_TRY(dt_h5_read_rows(h5, DT_EPOCH_TABLE_PATH, dt_epoch_table_init(&table, task), out->epochs,
                           epochs.count));
    DT_TRY(dt_h5_read_rows(h5, sessions_path, &session_table, out->sessions, sessions.count));
out:
    if (status != DT_OK)
        dt_history_clear(out);
    return status;
}

dt_status dt_history_crc(uint32_t *out, const dt_history *history, const dt_task *task)
{
    dt_status status = DT_OK;
    *out = 0;
    DT_TRY(dt_epoch_table_continue_crc(out, task, history->epochs, history->epoch_count));
    DT_TRY(dt_h5_continue_crc(out, &session_table, history->sessions, history->session_count));
out:
    return status;
}

void dt_history_clear(dt_history *history)
{
    dt_memory_free(history->epochs);
    dt_memory_free(history->sessions);
    *history = (dt_history){0};
}
