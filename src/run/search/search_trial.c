/* A trial of a search: its settings, its run, and its result. */
#include "search_internal.h"

#include "../run_folds.h"

#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/io/file.h"
#include "dtrain/run/run_file.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- settings ---- */

const char *dt_search_value(char out[DT_SPACE_VALUE_BYTES], const dt_search *s, size_t index,
                            int64_t trial)
{
    const dt_space_setting *setting = &s->space.settings[index];
    if (s->settings.sampling == DT_SAMPLING_GRID)
        return dt_space_value(out, setting, dt_space_point(&s->space, index, trial));
    return dt_space_draw(out, setting, (uint64_t)s->run->settings.seed, trial);
}

const char *dt_search_show_value(char out[DT_SPACE_VALUE_BYTES], const dt_search *s, size_t index,
                                 int64_t trial, int digits)
{
    const dt_space_setting *setting = &s->space.settings[index];
    char *end = NULL;
    (void)dt_search_value(out, s, index, trial);
    const double number = strtod(out, &end);
    if (setting->is_range && !setting->is_whole && end != out && *end == '\0')
        (void)snprintf(out, DT_SPACE_VALUE_BYTES, "%.*g", digits, number);
    return out;
}

const char *dt_search_describe(char *out, size_t bytes, const dt_search *s, int64_t trial,
                               int digits)
{
    size_t used = 0;
    char value[DT_SPACE_VALUE_BYTES];
    out[0] = '\0';
    for (size_t i = 0; i < s->space.count && used < bytes; i++)
        used += (size_t)snprintf(out + used, bytes - used, "%s%s %s", i > 0 ? ", " : "",
                                 s->space.settings[i].name,
                                 dt_search_show_value(value, s, i, trial, digits));
    return out;
}

/* Sets one option, as if it had been given. */
DT_MUST_USE static dt_status set_value(dt_settings *out, const char *name, const char *value)
{
    return dt_options_set(dt_settings_table(), out, name, value);
}

/* The checks of a run's settings that depend on the data. */
DT_MUST_USE static dt_status check(dt_settings *settings, const dt_search *s)
{
    const dt_status status = dt_settings_complete(settings, dt_comm_size(s->run->comm));
    return status == DT_OK ? dt_run_check_settings(settings) : status;
}

dt_status dt_search_settings_of(dt_settings *out, const dt_search *s, int64_t trial)
{
    dt_status status = DT_OK;
    char value[DT_SPACE_VALUE_BYTES];
    *out = s->run->settings;
    out->split_seed = dt_settings_split_seed(out);
    out->progress = out->quiet = out->force = false;
    out->like[0] = out->resume[0] = out->config[0] = '\0';
    for (size_t i = 0; i < s->space.count; i++)
        DT_TRY(set_value(out, s->space.settings[i].name, dt_search_value(value, s, i, trial)));
    DT_TRY(check(out, s));
out:
    return status;
}

/* Finds a trial that accepts a value, among those that could be drawn. */
DT_MUST_USE static dt_status look_for_trial(dt_settings *scratch, const dt_search *s, size_t index,
                                            const char *value)
{
    enum { LOOKS = 200 };
    dt_status status = DT_OK;
    char drawn[DT_SPACE_VALUE_BYTES];
    for (int64_t look = 1; look <= LOOKS; look++) {
        *scratch = s->run->settings;
        for (size_t i = 0; i < s->space.count; i++)
            DT_TRY(set_value(scratch, s->space.settings[i].name,
                             i == index ? value
                                        : dt_space_draw(drawn, &s->space.settings[i], 0, look)));
        status = check(scratch, s);
        if (status == DT_OK)
            return DT_OK;
    }
out:
    return dt_fail(status, "%s = %s: %s", s->space.settings[index].name, value, dt_status_text());
}

dt_status dt_search_check_values(const dt_search *s)
{
    dt_status status = DT_OK;
    dt_settings *scratch = NULL; /* too large for the stack */
    char value[DT_SPACE_VALUE_BYTES];
    DT_TRY(dt_memory_alloc(&scratch, 1, sizeof *scratch, "settings"));
    for (size_t i = 0; i < s->space.count; i++) {
        const dt_space_setting *setting = &s->space.settings[i];
        const size_t count = setting->is_range ? 2 : setting->count; /* of a range the ends */
        for (size_t v = 0; v < count; v++) {
            if (setting->is_range)
                (void)snprintf(value, sizeof value, "%.16g", v == 0 ? setting->from : setting->to);
            else
                (void)dt_space_value(value, setting, v);
            DT_TRY(look_for_trial(scratch, s, i, value));
        }
    }
    status = DT_USAGE;
    for (int64_t trial = 1; trial <= s->trials && status != DT_OK; trial++)
        status = dt_search_settings_of(scratch, s, trial);
    if (status != DT_OK)
        status = dt_fail(status, "no trial is accepted; the last one: %s", dt_status_text());
out:
    dt_memory_free(scratch);
    return status;
}

/* ---- results ---- */

/* NaN is not a value. */
static bool is_better(const dt_metric *monitor, double value, double most)
{
    if (isnan(value) || isnan(most))
        return isnan(most) && !isnan(value);
    return monitor->larger_is_better ? value > most : value < most;
}

/* The result of the epochs; `best_epoch` 0: it has not ended, or none was judged. */
DT_MUST_USE static dt_status take_epochs(dt_trial *row, dt_curve *curve, const dt_history *history,
                                         const dt_settings *settings, int64_t best_epoch)
{
    const dt_metric *monitor = dt_settings_monitor(settings);
    const dt_status status = dt_memory_alloc(&curve->epochs, history->epoch_count,
                                             sizeof *curve->epochs, "epochs of a trial");
    if (status != DT_OK)
        return status;
    curve->count = history->epoch_count;
    row->epochs = (int64_t)history->epoch_count;
    row->seconds = 0.0;
    row->value = NAN;
    row->validation = dt_metrics_none();
    for (size_t i = 0; i < history->epoch_count; i++) {
        const dt_epoch *epoch = &history->epochs[i];
        const double value = dt_metric_value(&epoch->validation, monitor);
        curve->epochs[i] = (dt_trial_epoch){epoch->train.loss, value};
        row->seconds += epoch->seconds;
        if (best_epoch > 0 ? epoch->epoch != best_epoch : !is_better(monitor, value, row->value))
            continue;
        row->best_epoch = epoch->epoch;
        row->value = value;
        row->validation = epoch->validation;
    }
    if (history->session_count > 0)
        row->ranks = history->sessions[history->session_count - 1].ranks;
    return DT_OK;
}

static void set_state(dt_trial *row, const char *state, const char *reason)
{
    (void)snprintf(row->state, sizeof row->state, "%s", state);
    (void)snprintf(row->reason, sizeof row->reason, "%s", reason);
}

/* The facts in the log besides the epochs. */
DT_MUST_USE static dt_status read_summary(dt_trial *row, int64_t *best_epoch, dt_h5 *h5,
                                          const dt_search *s)
{
    dt_status status = DT_OK;
    int64_t epochs = 0;
    DT_TRY(dt_h5_get_int(&epochs, h5, "/summary", "epochs"));
    DT_TRY(dt_h5_get_int(best_epoch, h5, "/summary", "best_epoch"));
    DT_TRY(dt_h5_get_int(&row->weights_crc, h5, "/summary", "weights_crc"));
    *best_epoch = dt_run_kept_epoch(&s->run->settings, epochs, *best_epoch);
out:
    return status;
}

/* ---- folds: the numbers are means over them ---- */

static const dt_h5_column score_columns[] = {
    {"name", NULL, DT_H5_TEXT, DT_H5_FIELD(dt_fold_score, name)},
    {"mean", NULL, DT_H5_F64, DT_H5_FIELD(dt_fold_score, mean)},
    {"deviation", NULL, DT_H5_F64, DT_H5_FIELD(dt_fold_score, deviation)},
    {"folds", NULL, DT_H5_I64, DT_H5_FIELD(dt_fold_score, folds)},
};
static const dt_h5_table score_table = DT_H5_TABLE(score_columns, dt_fold_score);

static const dt_fold_score *find_score(const dt_fold_score *scores, size_t count,
                                       const dt_metric *metric)
{
    char name[64];
    (void)snprintf(name, sizeof name, "val_%s", metric->name);
    for (size_t i = 0; i < count; i++)
        if (strcmp(scores[i].name, name) == 0)
            return &scores[i];
    return NULL;
}

/* Means over different numbers of folds cannot be compared. */
static void take_scores(dt_trial *row, const dt_fold_score *scores, size_t count,
                        const dt_settings *settings)
{
    const dt_task *task = dt_settings_task(settings);
    const int64_t folds = settings->folds * settings->repeats;
    const dt_fold_score *monitored = find_score(scores, count, dt_settings_monitor(settings));
    row->best_epoch = 0;
    row->value = monitored != NULL ? monitored->mean : NAN;
    row->deviation = monitored != NULL ? monitored->deviation : NAN;
    for (size_t m = 0; m < task->metric_count + task->monitored_count; m++) {
        const dt_fold_score *score = find_score(scores, count, &task->metrics[m]);
        dt_metric_set(&row->validation, &task->metrics[m], score != NULL ? score->mean : NAN);
    }
    if (monitored != NULL && monitored->folds == folds)
        return;
    set_state(row, "diverged", "");
    (void)snprintf(row->reason, sizeof row->reason, "%lld of %lld folds have a result",
                   monitored != NULL ? (long long)monitored->folds : 0, (long long)folds);
}

/* The seconds of all folds, of the group's rank 0. */
DT_MUST_USE static dt_status read_seconds(double *out, dt_h5 *h5)
{
    static const char *const phases[] = {"forward_s", "backward_s", "allreduce_s", "update_s",
                                         "validate_s"};
    dt_status status = DT_OK;
    dt_h5_shape shape;
    double *column = NULL;
    *out = 0.0;
    DT_TRY(dt_h5_describe(&shape, h5, "/ranks"));
    DT_TRY(dt_memory_alloc(&column, shape.count, sizeof *column, "seconds"));
    for (size_t p = 0; shape.count > 0 && p < sizeof phases / sizeof *phases; p++) {
        DT_TRY(dt_h5_read_column_f64(h5, "/ranks", phases[p], column, shape.count));
        *out += column[0];
    }
out:
    dt_memory_free(column);
    return status;
}

DT_MUST_USE static dt_status read_folds(dt_trial *row, dt_h5 *h5, const dt_settings *settings)
{
    dt_status status = DT_OK;
    dt_h5_shape shape;
    dt_fold_score *scores = NULL;
    DT_TRY(dt_h5_describe(&shape, h5, "/fold_scores"));
    DT_TRY(dt_memory_alloc(&scores, shape.count, sizeof *scores, "folds"));
    DT_TRY(dt_h5_read_rows(h5, "/fold_scores", &score_table, scores, (size_t)shape.count));
    take_scores(row, scores, (size_t)shape.count, settings);
    DT_TRY(read_seconds(&row->seconds, h5));
out:
    dt_memory_free(scores);
    return status;
}

DT_MUST_USE static dt_status read_log(dt_trial *row, dt_curve *curve, dt_h5 *h5, const dt_search *s)
{
    dt_status status = DT_OK;
    dt_history history = {0};
    char *word = NULL, *reason = NULL;
    int64_t best_epoch = 0;
    DT_TRY(dt_h5_get_text(&word, h5, "/", "status"));
    const bool ok = strcmp(word, "ok") == 0, diverged = strcmp(word, "diverged") == 0;
    if (!ok && !diverged && strcmp(word, "stopped") != 0)
        goto out; /* it resumes from its checkpoint, or starts anew */
    if (diverged)
        DT_TRY(dt_h5_get_text(&reason, h5, "/", "reason"));
    DT_TRY(dt_history_read(&history, h5, dt_settings_task(&s->run->settings)));
    DT_TRY(dt_h5_get_int(&row->parameters, h5, "/data", "parameters"));
    if (ok)
        DT_TRY(read_summary(row, &best_epoch, h5, s));
    DT_TRY(take_epochs(row, curve, &history, &s->run->settings, best_epoch));
    set_state(row, ok ? "ok" : diverged ? "diverged" : "paused", diverged ? reason : "");
    if (ok && s->run->settings.folds > 0)
        DT_TRY(read_folds(row, h5, &s->run->settings));
out:
    dt_history_clear(&history);
    dt_memory_free(word);
    dt_memory_free(reason);
    return status;
}

dt_status dt_search_read_trial(dt_trial *row, dt_curve *curve, const dt_search *s)
{
    dt_status status = DT_OK;
    dt_h5 *h5 = NULL;
    char folder[PATH_BYTES], path[PATH_BYTES + 16];
    (void)snprintf(path, sizeof path, "%s/run.h5", dt_search_folder(folder, s, row->trial));
    if (access(path, F_OK) != 0)
        return DT_OK;
    DT_TRY(dt_run_file_open(&h5, folder));
    status = read_log(row, curve, h5, s);
    if (status != DT_OK)
        status = dt_fail(status, "%s: %s", path, dt_status_text());
out:
    dt_h5_free(h5);
    return status;
}

/* ---- training ---- */

/* The state of the trial for a status; other statuses end the search. */
static dt_status judge(dt_trial *row, const dt_order *order, dt_status status)
{
    switch (status) {
    case DT_OK:
        set_state(row, "ok", "");
        return DT_OK;
    case DT_DIVERGED:
        set_state(row, "diverged", dt_status_text());
        return DT_OK;
    case DT_USAGE:
    case DT_DATA:
        set_state(row, "refused", dt_status_text());
        return DT_OK;
    case DT_MEMORY:
        set_state(row, "failed", dt_status_text());
        return DT_OK;
    default: /* at the pause it was to make, or before */
        set_state(row, "paused", "");
        return status == DT_STOPPED && order->pause_after > 0 && row->epochs >= order->pause_after
                   ? DT_OK
                   : status;
    }
}

/* On the group's rank 0: its output goes to the trial's folder. */
DT_MUST_USE static dt_status open_output(FILE **out, const char *folder)
{
    char path[PATH_BYTES + 16];
    const dt_status status = dt_file_make_folder(folder);
    if (status != DT_OK)
        return status;
    (void)snprintf(path, sizeof path, "%s/output.txt", folder);
    *out = fopen(path, "a");
    return *out != NULL ? DT_OK : dt_fail(DT_OUTPUT, "%s: cannot be written", path);
}

static void report(dt_report *out, dt_curve *curve, const dt_run *run, const dt_order *order,
                   dt_status status)
{
    char text[DT_STATUS_TEXT_BYTES];
    (void)snprintf(text, sizeof text, "%s", dt_status_text());
    const bool ended = status == DT_OK;
    const int64_t best =
        ended ? dt_run_kept_epoch(&run->settings, run->result.epochs, run->result.best_epoch) : 0;
    out->row.parameters = (int64_t)run->model.network.P;
    out->row.weights_crc = ended ? run->result.weights_crc : 0;
    if (take_epochs(&out->row, curve, &run->history, &run->settings, best) != DT_OK &&
        status == DT_OK)
        status = DT_MEMORY;
    dt_status_set_text(text);
    status = judge(&out->row, order, status);
    out->status = (int)status;
    (void)snprintf(out->text, sizeof out->text, "trial %" PRId64 ": %.900s", order->trial, text);
    out->epochs = curve->count;
}

/* For a trial with folds that has ended: its log has the results. */
static void report_folds(dt_report *out, dt_curve *curve, const dt_search *s, const dt_order *order)
{
    out->status = (int)dt_search_read_trial(&out->row, curve, s);
    if (out->status != DT_OK)
        (void)snprintf(out->text, sizeof out->text, "trial %" PRId64 ": %.900s", order->trial,
                       dt_status_text());
    out->epochs = curve->count;
}

void dt_search_train(dt_report *out, dt_curve *curve, dt_search *s, const dt_order *order,
                     void (*between)(void *context))
{
    dt_status status = DT_OK;
    dt_run *run = NULL;
    FILE *output = NULL;
    *curve = (dt_curve){0};
    *out = (dt_report){.row = {.trial = order->trial, .value = NAN, .deviation = NAN}};
    out->row.validation = dt_metrics_none();
    DT_TRY(dt_comm_agree(s->run->comm, dt_run_new(&run, s->run->comm)));
    dt_run_part_borrow(run, s->run);
    run->is_trial = true;
    run->pause_after = order->pause_after;
    run->between_steps = between;
    run->between_context = s;
    if (run->root) {
        status = dt_search_settings_of(&run->settings, s, order->trial);
        if (status == DT_OK)
            status = open_output(&output, dt_search_folder(run->folder, s, order->trial));
        dt_run_part_settle(run);
    }
    DT_TRY(dt_comm_agree(run->comm, status));
    dt_comm_broadcast(run->comm, &run->settings, sizeof run->settings);
    (void)dt_log_divert(output);
    run->parts = run->settings.folds > 0 ? &dt_parts_folds : NULL;
    status = dt_run_part_train(run, dt_run_train);
    dt_run_end(run, status);
    (void)dt_log_divert(NULL);
out:
    if (run != NULL && run->root && run->parts != NULL && status == DT_OK)
        report_folds(out, curve, s, order);
    else if (run != NULL && run->root)
        report(out, curve, run, order, status);
    else
        out->status = (int)status;
    if (output != NULL)
        (void)fclose(output);
    if (s->leads && strcmp(out->row.state, "diverged") == 0)
        dt_search_remove_checkpoint(s, order->trial);
    if (run != NULL)
        dt_run_part_give_back(run);
    dt_run_free(run);
}
