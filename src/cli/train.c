#include "dtrain/cli/train.h"

#include "dtrain/run/run.h"

#include "dtrain/base/clock.h"
#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/comm/watchdog.h"

#include <stdio.h>
#include <string.h>

void dt_cli_train_help(void)
{
    dt_options_print_help(dt_settings_table());
}

static void join_words(char *out, size_t bytes, int argc, char **argv)
{
    size_t used = (size_t)snprintf(out, bytes, "dtrain");
    for (int i = 0; i < argc && used < bytes; i++)
        used += (size_t)snprintf(out + used, bytes - used, " %s", argv[i]);
}

/* What is said of DATA is of no use without it. */
static dt_status check_data_options(const dt_settings *settings)
{
    static const char *const options[] = {"inputs", "targets", "validation-split", "test-split"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (settings->data_count == 0 &&
            dt_options_given(dt_settings_table(), settings, options[i]))
            return dt_fail(DT_USAGE,
                           "--%s was given, but no DATA; the built-in example has its arrays "
                           "and sets",
                           options[i]);
    return DT_OK;
}

static dt_status read_settings(dt_run *r, int argc, char **argv)
{
    dt_status status = DT_OK;
    if (r->root) {
        join_words(r->command_line, sizeof r->command_line, argc, argv);
        status = dt_settings_parse(&r->settings, argc, argv);
        if (status == DT_OK)
            status = dt_like_read(&r->like, &r->settings);
        if (status == DT_OK)
            status = check_data_options(&r->settings);
        if (status == DT_OK)
            status = dt_settings_complete(&r->settings, dt_comm_size(r->comm));
    }
    status = dt_comm_agree(r->comm, status);
    if (status != DT_OK)
        return status;
    dt_comm_broadcast(r->comm, &r->settings, sizeof r->settings);
    dt_log_init(r->root, r->settings.quiet);
    dt_comm_set_stall_timeout(r->comm, r->settings.stall_timeout);
    return status;
}

static dt_status run_all(dt_run *r, int argc, char **argv)
{
    dt_status status = DT_OK;
    DT_TRY(read_settings(r, argc, argv));
    const bool resumes = r->settings.resume[0] != '\0';
    DT_TRY(dt_environment_survey(&r->environment, r->comm, (int)r->settings.threads,
                                 (dt_engine)r->settings.engine));
    DT_TRY(dt_run_load_data(r));
    DT_TRY(dt_run_make_model(r));
    if (resumes)
        DT_TRY(dt_checkpoint_load(&r->checkpoint, r->comm, r->settings.resume, r->sets[DT_TRAIN].N,
                                  &r->model.network, &r->model.adam));
    DT_TRY(dt_comm_agree(r->comm, r->root ? dt_run_open_logs(r) : DT_OK));
    dt_run_report_start(r);
    const dt_observer observer = dt_run_observer(r);
    const dt_plan plan = dt_settings_plan(&r->settings);
    DT_TRY(dt_trainer_run(&r->result, r->comm, &r->environment.launch, &plan, r->sets,
                          &r->model.network, &r->model.adam,
                          resumes ? &r->checkpoint.training : NULL, &observer));
    DT_TRY(dt_run_save_results(r));
out:
    return status;
}

static const char *status_word(dt_status status)
{
    return status == DT_DIVERGED ? "diverged" : status == DT_STOPPED ? "stopped" : "failed";
}

dt_status dt_cli_train(const dt_comm *comm, int argc, char **argv)
{
    dt_run *r = NULL; /* too large for the stack */
    dt_status status = dt_comm_agree(comm, dt_memory_alloc(&r, 1, sizeof *r, "run"));
    if (status != DT_OK)
        goto out;
    r->comm = comm;
    r->root = dt_comm_rank(comm) == 0;
    r->started_s = dt_clock_s();
    status = run_all(r, argc, argv);
    if (r->log != NULL) {
        /* The log's last words; what ended the run is what gets reported. */
        char text[DT_STATUS_TEXT_BYTES];
        (void)snprintf(text, sizeof text, "%s", dt_status_text());
        if (dt_run_log_close(r->log, status_word(status)) != DT_OK && status == DT_STOPPED)
            dt_log_warn("%s; the run that goes on writes it anew", dt_status_text());
        dt_status_set_text(text);
    }
    if (status == DT_STOPPED)
        dt_run_report_stop(r);
    dt_source_clear(&r->source);
    dt_recipe_clear(&r->recipe);
    dt_environment_clear(&r->environment);
    for (int p = 0; p < DT_PART_COUNT; p++)
        dt_dataset_clear(&r->sets[p]);
    dt_model_clear(&r->model);
    dt_checkpoint_clear(&r->checkpoint);
    dt_history_clear(&r->history);
    (void)!dt_csv_log_close(r->csv_log);
    dt_result_clear(&r->result);
out:
    dt_memory_free(r);
    return status;
}
