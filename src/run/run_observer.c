#include "run_parts.h"

#include "dtrain/base/log.h"
#include "dtrain/comm/watchdog.h"
#include "dtrain/io/file.h"
#include "dtrain/run/search_file.h"

#include <stdio.h>
#include <unistd.h>

static void take_epoch(void *context, const dt_epoch *row)
{
    dt_run *r = context;
    dt_comm_at(r->comm, DT_AT_LOG, row->epoch, 0);
    dt_run_report_epoch(r, row);
    if (!r->history_incomplete && dt_history_add_epoch(&r->history, row) != DT_OK) {
        dt_log_warn("%s; no more checkpoints will be written", dt_status_text());
        r->history_incomplete = true;
    }
    if (r->owner == NULL || dt_owner_check(r->owner) == DT_OK)
        dt_run_log_add_epoch(r->log, row);
    if (r->csv_log != NULL)
        dt_csv_log_add_epoch(r->csv_log, row);
}

static void take_step(void *context, const dt_step *step)
{
    const dt_run *r = context;
    if (r->between_steps != NULL)
        r->between_steps(r->between_context);
    if (r->settings.progress)
        dt_run_report_step(r, step);
}

static bool is_lost(void *context)
{
    const dt_run *r = context;
    return dt_owner_is_lost(r->owner);
}

dt_run_facts dt_run_facts_of(const dt_run *r)
{
    return (dt_run_facts){.settings = &r->settings,
                          .environment = &r->environment,
                          .sets = r->sets,
                          .members = r->members,
                          .member_count = r->member_count,
                          .recipe = &r->recipe,
                          .network = &r->model.network,
                          .class_names = dt_run_class_names(r),
                          .target_names =
                              r->recipe.T == r->model.network.C && r->recipe.class_count == 0
                                  ? r->recipe.targets
                                  : NULL,
                          .has_init = r->has_init,
                          .init_weights_crc = r->init_weights_crc,
                          .init_state_crc = r->init_state_crc,
                          .command_line = r->command_line};
}

static dt_status take_checkpoint(void *context, const dt_training *training)
{
    const dt_run *r = context;
    char path[PATH_BYTES + 16];
    const dt_run_facts facts = dt_run_facts_of(r);
    if (r->history_incomplete)
        return dt_fail(DT_MEMORY,
                       "no checkpoint, because there was no memory for an epoch of the log");
    const dt_status status = dt_run_check_own(r);
    if (status != DT_OK)
        return status;
    return dt_checkpoint_save(dt_checkpoint_path(path, sizeof path, r->folder), &facts, &r->history,
                              training, &r->model.optimizer);
}
/* The file is opened before it is compared, because a path to an input or to another result can
 * only be recognized when the file exists. It may be in the run's folder. */
static dt_status open_csv_log(dt_run *r)
{
    dt_status status = DT_OK;
    const dt_settings *s = &r->settings;
    const size_t count = r->member_count;
    enum { OWN = 6 };
    char model[PATH_BYTES + 16], results[OWN - 2][PATH_BYTES + 16];
    const char *taken[OWN + DT_FINGERPRINT_MAX] = {
        dt_model_find(model, sizeof model, s->init_from),
        s->like,
        results[0],
        results[1],
        dt_checkpoint_path(results[2], sizeof results[2], r->folder),
        dt_checkpoint_path(results[3], sizeof results[3], s->resume)};
    (void)snprintf(results[0], sizeof results[0], "%s/run.h5", r->folder);
    (void)snprintf(results[1], sizeof results[1], "%s/model.h5", r->folder);
    for (size_t i = 0; i < count; i++)
        taken[OWN + i] = r->members[i].file;
    DT_TRY(dt_csv_log_open(&r->csv_log, s->csv_log, dt_settings_task(s),
                           r->sets[DT_VALIDATION].N > 0));
    for (size_t i = 0; i < OWN + count; i++)
        if (dt_file_same(s->csv_log, taken[i]))
            DT_TRY(
                dt_fail(DT_USAGE, "--csv-log %s would be written over %s", s->csv_log, taken[i]));
    for (size_t i = 0; i < r->history.epoch_count; i++) /* of a resumed run */
        dt_csv_log_add_epoch(r->csv_log, &r->history.epochs[i]);
out:
    /* A refused run leaves no folder: a new folder is still empty. */
    if (status != DT_OK) {
        (void)!dt_csv_log_close(r->csv_log);
        r->csv_log = NULL;
        dt_owner_release(r->owner);
        r->owner = NULL;
        if (s->out[0] == '\0')
            (void)rmdir(r->folder);
    }
    return status;
}

/* An older checkpoint could be resumed by mistake, and --resume refuses the folder of a search. */
DT_MUST_USE static dt_status remove_older(const dt_run *r)
{
    char path[PATH_BYTES + 16];
    (void)snprintf(path, sizeof path, "%s/" DT_SEARCH_FILE, r->folder);
    if (access(path, F_OK) == 0 && unlink(path) != 0)
        return dt_fail(DT_OUTPUT, "%s: cannot remove it; use another --out", path);
    return dt_checkpoint_remove(r->folder);
}

static dt_status begin_history(dt_run *r)
{
    dt_status status = DT_OK;
    const bool resumes = r->settings.resume[0] != '\0';
    if (resumes) {
        r->history = r->checkpoint.history; /* for the report its count stays there */
        r->checkpoint.history.epochs = NULL;
        r->checkpoint.history.sessions = NULL;
    }
    DT_TRY(dt_history_add_session(&r->history, &r->environment,
                                  resumes ? &r->checkpoint.training : NULL));
out:
    return status;
}

dt_status dt_run_open_logs(dt_run *r)
{
    dt_status status = DT_OK;
    char path[PATH_BYTES + 16];
    const dt_run_facts facts = dt_run_facts_of(r);
    if (r->folder[0] == '\0') /* the example has its folder already */
        DT_TRY(dt_run_make_folder(r, r->source.name));
    DT_TRY(begin_history(r));
    if (r->settings.csv_log[0] != '\0')
        DT_TRY(open_csv_log(r));
    (void)snprintf(path, sizeof path, "%s/run.h5", r->folder);
    DT_TRY(dt_run_log_open(&r->log, path, &facts, &r->history, !r->is_trial));
    if (r->settings.resume[0] == '\0')
        DT_TRY(remove_older(r));
    if (r->parts != NULL)
        DT_TRY(dt_run_prepare_parts(r, &facts));
out:
    return status;
}

dt_observer dt_run_observer(dt_run *r)
{
    return (dt_observer){
        .epoch_ended = take_epoch,
        .context = r,
        .step_ended = r->settings.progress || r->between_steps != NULL ? take_step : NULL,
        .save = take_checkpoint,
        .is_lost = is_lost,
        .limit = r->root ? dt_time_limit_start(r->settings.time_limit, r->started_s)
                         : (dt_time_limit){0}};
}
