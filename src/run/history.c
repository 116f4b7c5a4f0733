#include "dtrain/run/history.h"

#include "dtrain/base/clock.h"
#include "dtrain/base/crc32.h"
#include "dtrain/base/memory.h"
#include "epoch_table.h"

#include <stdio.h>
#include <stdlib.h>

static const char sessions_path[] = "/sessions";

static const dt_h5_column session_columns[] = {
    {"epoch", NULL, DT_H5_I64, offsetof(dt_session, epoch), 0},
    {"rows", "training rows", DT_H5_I64, offsetof(dt_session, rows), 0},
    {"ranks", NULL, DT_H5_I64, offsetof(dt_session, ranks), 0},
    {"hosts", NULL, DT_H5_I64, offsetof(dt_session, hosts), 0},
    {"started", NULL, DT_H5_TEXT, offsetof(dt_session, started), sizeof((dt_session *)0)->started},
    {"host", NULL, DT_H5_TEXT, offsetof(dt_session, host), sizeof((dt_session *)0)->host},
    {"slurm_job_id", NULL, DT_H5_TEXT, offsetof(dt_session, slurm_job_id),
     sizeof((dt_session *)0)->slurm_job_id},
};
enum { SESSION_COLUMNS = sizeof session_columns / sizeof *session_columns };

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

dt_status dt_history_write(dt_h5 *h5, const dt_history *history)
{
    dt_status status = DT_OK;
    DT_TRY(dt_epoch_table_make(h5));
    DT_TRY(dt_epoch_table_append(h5, history->epochs, history->epoch_count));
    DT_TRY(dt_h5_write_table(h5, sessions_path, session_columns, SESSION_COLUMNS,
                             sizeof(dt_session), history->sessions, history->session_count));
out:
    return status;
}

DT_MUST_USE static dt_status read_whole_column(dt_session *sessions, size_t count,
                                               const dt_h5_column *column, dt_h5 *h5)
{
    dt_status status = DT_OK;
    int64_t *wholes = NULL;
    DT_TRY(dt_memory_alloc(&wholes, count, sizeof *wholes, "sessions"));
    DT_TRY(dt_h5_read_column_i64(h5, sessions_path, column->name, wholes, count));
    for (size_t i = 0; i < count; i++)
        *(int64_t *)(void *)((char *)&sessions[i] + column->offset) = wholes[i];
out:
    dt_memory_free(wholes);
    return status;
}

DT_MUST_USE static dt_status read_text_column(dt_session *sessions, size_t count,
                                              const dt_h5_column *column, dt_h5 *h5)
{
    dt_status status = DT_OK;
    dt_h5_names texts = {0};
    DT_TRY(dt_h5_read_column_texts(&texts, h5, sessions_path, column->name));
    for (size_t i = 0; i < count && i < texts.count; i++)
        (void)snprintf((char *)&sessions[i] + column->offset, column->bytes, "%s", texts.texts[i]);
out:
    dt_h5_names_clear(&texts);
    return status;
}

DT_MUST_USE static dt_status read_sessions(dt_history *out, dt_h5 *h5)
{
    dt_status status = DT_OK;
    dt_h5_shape shape;
    DT_TRY(dt_h5_describe(&shape, h5, sessions_path));
    const size_t count = (size_t)shape.count;
    DT_TRY(dt_memory_alloc(&out->sessions, count, sizeof *out->sessions, "sessions"));
    out->session_count = count;
    for (size_t c = 0; count > 0 && c < SESSION_COLUMNS; c++) {
        const dt_h5_column *column = &session_columns[c];
        DT_TRY((column->type == DT_H5_TEXT ? read_text_column
                                           : read_whole_column)(out->sessions, count, column, h5));
    }
out:
    return status;
}

dt_status dt_history_read(dt_history *out, dt_h5 *h5)
{
    dt_status status = DT_OK;
    *out = (dt_history){0};
    DT_TRY(dt_epoch_table_read(&out->epochs, &out->epoch_count, h5));
    out->epoch_capacity = out->epoch_count;
    DT_TRY(read_sessions(out, h5));
out:
    if (status != DT_OK)
        dt_history_clear(out);
    return status;
}

dt_status dt_history_crc(uint32_t *out, const dt_history *history)
{
    dt_status status = DT_OK;
    DT_TRY(dt_epoch_table_crc(out, history->epochs, history->epoch_count));
    *out = dt_crc32(*out, history->sessions, history->session_count * sizeof *history->sessions);
out:
    return status;
}

void dt_history_clear(dt_history *history)
{
    dt_memory_free(history->epochs);
    dt_memory_free(history->sessions);
    *history = (dt_history){0};
}
