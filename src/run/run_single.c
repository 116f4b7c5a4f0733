/* The calls that a run and its parts share: new, begin, train, end, free. */
#include "run_folds.h"

#include "dtrain/base/clock.h"
#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"

#include <stdio.h>

int64_t dt_run_kept_epoch(const dt_settings *s, int64_t epochs, int64_t best_epoch)
{
    return best_epoch == 0 || s->no_restore_best ? epochs : best_epoch;
}

static bool resumes(const dt_run *r)
{
    return r->settings.resume[0] != '\0';
}

dt_status dt_run_new(dt_run **out, const dt_comm *comm)
{
    dt_run *r = NULL; /* too large for the stack */
    const dt_status status = dt_memory_alloc(&r, 1, sizeof *r, "run");
    *out = r;
    if (status != DT_OK)
        return status;
    r->comm = comm;
    r->root = dt_comm_rank(comm) == 0;
    r->started_s = dt_clock_s();
    return DT_OK;
}

/* The learning rate may depend on the epochs before: of rank 0, which has their history. */
static void judge_history(dt_run *r)
{
    const dt_plan plan = dt_settings_plan(&r->settings);
    const dt_history *history = &r->checkpoint.history;
    dt_plateaus *plateaus = &r->checkpoint.training.plateaus;
    *plateaus = dt_plateaus_start(&plan);
    for (size_t i = 0; i < history->epoch_count; i++)
        dt_plateaus_judge(plateaus, &plan, (int64_t)i, &history->epochs[i].validation);
}

dt_status dt_run_begin(dt_run *r)
{
    dt_status status = DT_OK;
    DT_TRY(dt_run_make_model(r));
    if (resumes(r) && r->parts != NULL) {
        DT_TRY(dt_comm_agree(r->comm, r->root ? dt_run_read_part_sessions(r) : DT_OK));
    } else if (resumes(r)) {
        DT_TRY(dt_checkpoint_load(&r->checkpoint, r->comm, r->settings.resume,
                                  dt_settings_task(&r->settings), r->sets[DT_TRAIN].N,
                                  &r->model.network, &r->model.optimizer));
        dt_run_set_optimizer(r);
        judge_history(r);
    }
    DT_TRY(dt_comm_agree(r->comm, r->root ? dt_run_open_logs(r) : DT_OK));
    dt_run_report_start(r);
out:
    return status;
}

dt_status dt_run_train_single(dt_run *r)
{
    const dt_observer observer = dt_run_observer(r);
    dt_plan plan = dt_settings_plan(&r->settings);
    plan.pause_after = r->pause_after;
    return dt_trainer_run(&r->result, r->comm, &r->environment.launch, &plan, r->sets,
                          &r->model.network, &r->model.optimizer,
                          resumes(r) ? &r->checkpoint.training : NULL, &observer);
}

static const char *status_word(dt_status status)
{
    return status == DT_DIVERGED ? "diverged" : status == DT_STOPPED ? "stopped" : "failed";
}

void dt_run_end(dt_run *r, dt_status status)
{
    if (r == NULL)
        return;
    /* A failure to write a log must not replace the text of what ended the run. */
    char text[DT_STATUS_TEXT_BYTES];
    (void)snprintf(text, sizeof text, "%s", dt_status_text());
    if (r->log != NULL)
        (void)!dt_run_check_own(r); /* a lost folder's files no longer belong to this run */
    const char *word = dt_owner_is_lost(r->owner) ? NULL : status_word(status);
    if (r->log != NULL && dt_run_log_close(r->log, word, text) != DT_OK && status == DT_STOPPED)
        dt_log_warn("%s; the resumed run writes it again", dt_status_text());
    if (dt_csv_log_close(r->csv_log) != DT_OK)
        dt_log_warn("%s", dt_status_text());
    r->log = NULL;
    r->csv_log = NULL;
    dt_owner_release(r->owner);
    r->owner = NULL;
    dt_status_set_text(text);
    if (status == DT_STOPPED && r->part == 0)
        dt_run_report_stop(r);
}

void dt_run_free(dt_run *r)
{
    if (r == NULL)
        return;
    dt_source_clear(&r->source);
    dt_preparation_close(&r->table);
    dt_recipe_clear(&r->recipe);
    dt_previous_clear(&r->previous);
    dt_environment_clear(&r->environment);
    for (int p = 0; p < DT_SET_COUNT; p++)
        dt_dataset_clear(&r->sets[p]);
    dt_dataset_clear(&r->undivided);
    dt_memory_free(r->fold_scores);
    dt_memory_free(r->input_mean);
    dt_memory_free(r->input_variance);
    dt_memory_free(r->scale);
    dt_model_clear(&r->model);
    dt_checkpoint_clear(&r->checkpoint);
    dt_history_clear(&r->history);
    dt_result_clear(&r->result);
    dt_memory_free(r);
}
