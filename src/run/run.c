#include "run_parts.h"

#include "dtrain/base/log.h"
#include "dtrain/base/signals.h"
#include "dtrain/comm/watchdog.h"
#include "dtrain/run/search_file.h"

#include <stdio.h>
#include <unistd.h>

/* Options about DATA require DATA. */
static dt_status check_data_options(const dt_settings *settings)
{
    const dt_option_table *table = dt_settings_table();
    for (size_t i = 0; settings->data_count == 0 && i < table->count; i++)
        if ((table->options[i].flags & DT_SETTING_DATA) != 0 &&
            dt_options_given(table, settings, table->options[i].name))
            return dt_fail(DT_USAGE,
                           "--%s was given without DATA, but the built-in example has its own "
                           "arrays and sets; name DATA",
                           table->options[i].name);
    return DT_OK;
}

dt_status dt_run_complete_settings(dt_run *r, int ranks)
{
    dt_status status = DT_OK;
    const bool scale_typed = dt_options_given(dt_settings_table(), &r->settings, "scale");
    DT_TRY(dt_run_own_early(r));
    DT_TRY(dt_previous_read(&r->previous, &r->settings));
    DT_TRY(check_data_options(&r->settings));
    dt_settings_settle_scale(&r->settings, scale_typed || r->settings.resume[0] != '\0');
    DT_TRY(dt_settings_check_data(&r->settings));
    DT_TRY(dt_settings_complete(&r->settings, ranks));
out:
    return status;
}

/* The folder of a search has a checkpoint, too, but no network in it. */
static dt_status check_no_search(const dt_settings *settings)
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/" DT_SEARCH_FILE, settings->resume);
    if (settings->resume[0] == '\0' || access(path, F_OK) != 0)
        return DT_OK;
    return dt_fail(DT_USAGE, "--resume %s: is a search; use dtrain search --resume %s",
                   settings->resume, settings->resume);
}

static dt_status share_settings(dt_run *r, const dt_settings *settings)
{
    dt_status status = DT_OK;
    if (r->root) {
        r->settings = *settings;
        status = check_no_search(settings);
        if (status == DT_OK)
            status = dt_run_complete_settings(r, dt_comm_size(r->comm));
    }
    DT_TRY(dt_comm_agree(r->comm, status));
    dt_comm_broadcast(r->comm, &r->settings, sizeof r->settings);
    r->parts = r->settings.restarts > 1                         ? &dt_parts_restarts
               : r->settings.folds > 0 && r->settings.fold == 0 ? &dt_parts_folds
                                                                : NULL;
    dt_log_init(r->root, r->settings.quiet);
    dt_comm_set_stall_timeout(r->comm, r->settings.stall_timeout);
out:
    return status;
}

void dt_run_set_table_report(dt_run *run, dt_run_table_report *report)
{
    run->table_report = report;
}

dt_status dt_run_start(dt_run *r, const dt_settings *settings, const char *command_line)
{
    dt_status status = DT_OK;
    r->command_line = command_line;
    DT_TRY(share_settings(r, settings));
    DT_TRY(dt_environment_survey(&r->environment, r->comm, (int)r->settings.threads,
                                 (dt_engine)r->settings.engine));
    DT_TRY(dt_run_load_data(r));
    dt_signals_catch(); /* until here SIGTERM ends the process at once: there is nothing to save */
    DT_TRY(dt_run_begin(r));
out:
    return status;
}

dt_status dt_run_train(dt_run *r)
{
    return r->parts != NULL ? dt_run_train_parts(r) : dt_run_train_single(r);
}
