#include "search_internal.h"

#include "dtrain/base/clock.h"
#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/signals.h"
#include "dtrain/comm/watchdog.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- what is asked for ---- */

/* Options of a run that a search cannot have. */
DT_MUST_USE static dt_status check_options(const dt_settings *s)
{
    static const char *const refused[] = {"init-from", "restarts", "average", "fold", "csv-log"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (dt_options_given(dt_settings_table(), s, refused[i]))
            return dt_fail(DT_USAGE,
                           "--%s was given, but dtrain search does not have it; remove it",
                           refused[i]);
    if (s->data_count == 0 && s->resume[0] == '\0' && s->like[0] == '\0')
        return dt_fail(DT_USAGE, "dtrain search requires DATA; --help says more");
    if (s->resume[0] != '\0' && s->out[0] != '\0' && strcmp(s->resume, s->out) != 0)
        return dt_fail(
            DT_USAGE,
            "--resume %s and --out %s were given, but a search resumes in its folder; remove --out",
            s->resume, s->out);
    return DT_OK;
}

static bool varies(const dt_space *space, const char *name)
{
    for (size_t i = 0; i < space->count; i++)
        if (strcmp(space->settings[i].name, name) == 0)
            return true;
    return false;
}

/* `typed` has the options of the command line, without those of an earlier run. */
DT_MUST_USE static dt_status check_typed(const dt_space *space, const dt_settings *typed)
{
    for (size_t i = 0; i < space->count; i++)
        if (dt_options_given(dt_settings_table(), typed, space->settings[i].name))
            return dt_fail(DT_USAGE, "--%s was given, but the space varies it; remove one of them",
                           space->settings[i].name);
    return DT_OK;
}

/* Values of --monitor must have the same meaning in all trials. */
DT_MUST_USE static dt_status check_space(const dt_search *s, const dt_settings *settings)
{
    static const char *const of_loss[] = {"loss", "label-smoothing", "huber-delta", "quantile"};
    const dt_space *space = &s->space;
    char monitor[64];
    (void)dt_options_format(monitor, sizeof monitor, dt_settings_option("monitor"), settings);
    for (size_t i = 0; i < sizeof of_loss / sizeof *of_loss; i++)
        if (varies(space, of_loss[i]) && strcmp(monitor, "val_loss") == 0)
            return dt_fail(DT_USAGE,
                           "%s varies, so that val_loss means something else in each trial; set "
                           "--monitor to another metric",
                           of_loss[i]);
    if (s->settings.halving > 0 && settings->folds > 0)
        return dt_fail(DT_USAGE, "--halving and --folds were given, but the epochs of a trial are "
                                 "divided in one way; remove one of them");
    if (s->settings.halving > 0 && varies(space, "epochs"))
        return dt_fail(DT_USAGE, "epochs varies, but --halving divides them; remove one of them");
    return DT_OK;
}

DT_MUST_USE static dt_status count_trials(dt_search *s)
{
    dt_status status = DT_OK;
    s->trials = s->settings.trials;
    if (s->settings.sampling != DT_SAMPLING_GRID)
        return DT_OK;
    DT_TRY(dt_space_count(&s->trials, &s->space, DT_TRIALS_MAX));
    if (dt_options_given(dt_search_options(), &s->settings, "trials") &&
        s->trials != s->settings.trials)
        return dt_fail(DT_USAGE,
                       "--trials is %lld, but the grid has %lld points; remove --trials, or use "
                       "--sample random",
                       (long long)s->settings.trials, (long long)s->trials);
    s->settings.trials = s->trials;
out:
    return status;
}

/* ---- the start ---- */

/* Of rank 0. */
DT_MUST_USE static dt_status complete(dt_search *s, const dt_settings *settings)
{
    dt_status status = DT_OK;
    dt_run *r = s->run;
    r->settings = *settings;
    DT_TRY(check_options(settings));
    if (s->settings.space[0] != '\0')
        DT_TRY(dt_space_read(&s->space, s->settings.space));
    else if (settings->resume[0] == '\0')
        DT_TRY(dt_fail(DT_USAGE, "--space FILE is required: the settings that the trials vary"));
    if (settings->resume[0] != '\0')
        DT_TRY(dt_search_take_previous(s, settings->resume));
    DT_TRY(check_typed(&s->space, settings));
    DT_TRY(dt_run_complete_settings(r, 1));
    r->settings.restarts = 1; /* of a run of --like */
    r->settings.average = false;
    r->settings.fold = 0;
    DT_TRY(check_space(s, &r->settings));
    DT_TRY(count_trials(s));
out:
    return status;
}

/* Sends the results of rank 0 to all. */
static void share_plan(dt_search *s)
{
    dt_comm_broadcast(s->all, &s->settings, sizeof s->settings);
    dt_comm_broadcast(s->all, s->command_line, sizeof s->command_line);
    dt_comm_broadcast(s->all, &s->space, sizeof s->space);
    dt_comm_broadcast(s->all, &s->trials, sizeof s->trials);
    dt_comm_broadcast(s->all, &s->run->settings, sizeof s->run->settings);
    s->run->command_line = s->command_line;
    dt_log_init(s->root, s->run->settings.quiet);
    dt_comm_set_stall_timeout(s->all, s->run->settings.stall_timeout);
}

/* The first group reads the data. It may take long, and the others yield their CPUs. */
DT_MUST_USE static dt_status load(dt_search *s)
{
    dt_status status = DT_OK;
    char wait = 0;
    if (dt_crew_index(s->crew) == 0)
        status = dt_run_load_data(s->run);
    dt_crew_share(s->crew, dt_crew_peers(s->crew), &wait, sizeof wait);
    DT_TRY(dt_comm_agree(s->all, status));
    DT_TRY(dt_search_share_data(s));
    dt_signals_catch(); /* until here SIGTERM ends the process at once: there is nothing to save */
out:
    return status;
}

/* ---- the folder ---- */

/* The log describes the data by a network: that of the first trial that is accepted. */
DT_MUST_USE static dt_status make_network(dt_search *s)
{
    dt_status status = DT_OK;
    dt_run *r = s->run;
    dt_settings *base = NULL; /* too large for the stack */
    DT_TRY(dt_comm_agree(r->comm, dt_memory_alloc(&base, 1, sizeof *base, "settings")));
    *base = r->settings;
    dt_settings trial = *base;
    for (int64_t i = 1; i <= s->trials && dt_search_settings_of(&trial, s, i) != DT_OK; i++)
        ;
    r->settings = trial;
    status = dt_run_make_model(r);
    dt_optimizer_clear(&r->model.optimizer);
    r->settings = *base;
out:
    dt_memory_free(base);
    return status;
}

DT_MUST_USE static dt_status allocate(dt_search *s)
{
    dt_status status = DT_OK;
    dt_dealer *d = &s->dealer;
    const size_t trials = (size_t)s->trials, groups = (size_t)dt_crew_count(s->crew);
    DT_TRY(dt_memory_alloc(&d->rows, trials, sizeof *d->rows, "trials"));
    DT_TRY(dt_memory_alloc(&d->curves, trials, sizeof *d->curves, "trials"));
    DT_TRY(dt_memory_alloc(&d->queue, trials, sizeof *d->queue, "trials"));
    DT_TRY(dt_memory_alloc(&d->ranking, trials, sizeof *d->ranking, "trials"));
    DT_TRY(dt_memory_alloc(&d->groups, groups, sizeof *d->groups, "groups of ranks"));
    for (int64_t i = 0; i < s->trials; i++) {
        d->rows[i] = (dt_trial){.trial = i + 1, .state = "waiting", .value = NAN, .deviation = NAN};
        d->rows[i].validation = dt_metrics_none();
    }
out:
    return status;
}

/* Reads the results of the trials of a resumed search. */
DT_MUST_USE static dt_status read_trials(dt_search *s)
{
    dt_dealer *d = &s->dealer;
    for (int64_t i = 0; i < s->trials; i++) {
        const dt_status status = dt_search_read_trial(&d->rows[i], &d->curves[i], s);
        if (status != DT_OK)
            return status;
        d->done_before += strcmp(d->rows[i].state, "ok") == 0;
    }
    return DT_OK;
}

/* Of rank 0. */
DT_MUST_USE static dt_status open_folder(dt_search *s)
{
    dt_status status = DT_OK;
    dt_run *r = s->run;
    DT_TRY(allocate(s));
    if (r->folder[0] == '\0')
        DT_TRY(dt_run_make_folder(r, r->source.name));
    if (strlen(r->folder) + sizeof "/trial-10000" > DT_OPTION_TEXT_BYTES)
        DT_TRY(dt_fail(DT_USAGE, "%s: too long a name for the folder of a search", r->folder));
    if (r->settings.resume[0] != '\0')
        DT_TRY(read_trials(s));
    DT_TRY(dt_search_check_folders(s));
out:
    return status;
}

/* Of rank 0: the first files of the search. */
DT_MUST_USE static dt_status begin_files(dt_search *s)
{
    dt_status status = DT_OK;
    dt_run *r = s->run;
    const bool resumes = r->settings.resume[0] != '\0';
    char path[PATH_BYTES + 16];
    if (!resumes)
        DT_TRY(dt_search_remove_old(s));
    DT_TRY(dt_search_save(s, "running", NULL));
    if (!resumes) {
        const dt_run_facts facts = dt_run_facts_of(r);
        DT_TRY(dt_history_add_session(&r->history, &s->environment, NULL));
        DT_TRY(dt_checkpoint_save(dt_checkpoint_path(path, sizeof path, r->folder), &facts,
                                  &r->history, NULL, NULL));
    }
out:
    return status;
}

DT_MUST_USE static dt_status check_data(const dt_search *s)
{
    if (s->run->sets[DT_VALIDATION].N == 0 && s->run->settings.folds == 0)
        return dt_fail(DT_USAGE, "a search needs a validation set to compare trials; set "
                                 "--validation-split");
    return dt_search_check_values(s);
}

DT_MUST_USE static dt_status prepare(dt_search *s)
{
    dt_status status = DT_OK;
    const bool first = dt_crew_index(s->crew) == 0;
    DT_TRY(dt_comm_agree(s->all, s->root ? check_data(s) : DT_OK));
    DT_TRY(dt_comm_agree(s->all, first ? make_network(s) : DT_OK));
    DT_TRY(dt_search_regroup(s, s->root ? dt_search_choose_merge(s, s->trials) : 0));
    DT_TRY(dt_comm_agree(s->all, s->root ? open_folder(s) : DT_OK));
    dt_comm_broadcast(s->all, s->run->folder, sizeof s->run->folder);
    DT_TRY(dt_comm_agree(s->all, dt_search_check_leader(s)));
    DT_TRY(dt_comm_agree(s->all, s->root ? begin_files(s) : DT_OK));
    if (s->root)
        dt_search_print_start(s);
out:
    return status;
}

/* ---- the end ---- */

/* On rank 0: the result of the search. */
DT_MUST_USE static dt_status finish(dt_search *s, dt_status status)
{
    char text[DT_STATUS_TEXT_BYTES];
    const int64_t best = dt_search_best(s);
    if (status == DT_OK && best < 0)
        status =
            dt_fail(DT_DIVERGED, "no trial has a result; the first: %s", s->dealer.rows[0].reason);
    (void)snprintf(text, sizeof text, "%s", dt_status_text());
    const char *state = status == DT_OK         ? "ok"
                        : status == DT_STOPPED  ? "stopped"
                        : status == DT_DIVERGED ? "diverged"
                                                : "failed";
    dt_status saved = dt_search_save(s, state, status != DT_OK ? text : NULL);
    if (best >= 0 && saved == DT_OK)
        dt_search_link_best(s, best + 1);
    if (saved == DT_OK && (status == DT_OK || status == DT_DIVERGED))
        saved = dt_checkpoint_remove(s->run->folder);
    if (status == DT_OK && saved != DT_OK)
        return saved;
    dt_status_set_text(text);
    dt_search_print_end(s, status);
    return status;
}

static void clear(dt_search *s)
{
    dt_dealer *d = &s->dealer;
    if (s->run != NULL)
        dt_owner_release(s->run->owner);
    dt_run_free(s->run);
    dt_environment_clear(&s->environment);
    dt_crew_free(s->crew);
    for (int64_t i = 0; d->curves != NULL && i < s->trials; i++)
        dt_memory_free(d->curves[i].epochs);
    dt_memory_free(d->rows);
    dt_memory_free(d->curves);
    dt_memory_free(d->queue);
    dt_memory_free(d->ranking);
    dt_memory_free(d->groups);
    dt_memory_free(s);
}

dt_status dt_search_run(const dt_comm *comm, const dt_search_settings *search,
                        const dt_settings *settings, const char *command_line,
                        dt_run_table_report *table_report)
{
    dt_search *s = NULL; /* too large for the stack */
    dt_status status = dt_memory_alloc(&s, 1, sizeof *s, "search");
    if (status == DT_OK) {
        *s = (dt_search){.all = comm, .root = dt_comm_rank(comm) == 0, .started_s = dt_clock_s()};
        status = dt_run_new(&s->run, comm);
    }
    if (status == DT_OK && s->root) {
        s->settings = *search;
        (void)snprintf(s->command_line, sizeof s->command_line, "%s", command_line);
        dt_run_set_table_report(s->run, table_report);
        status = complete(s, settings);
    }
    DT_TRY(dt_comm_agree(comm, status));
    share_plan(s);
    DT_TRY(dt_search_form_groups(s));
    DT_TRY(load(s));
    DT_TRY(prepare(s));
    status = dt_search_deal(s);
    status = dt_comm_agree(comm, s->root ? finish(s, status) : DT_OK);
out:
    if (s != NULL)
        clear(s);
    return status;
}
