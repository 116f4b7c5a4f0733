/*
 * --restarts: several runs that differ in their seed, on the same rows. Each one is an ordinary run
 * with a folder of its own (run_restarts_files.c).
 *
 * Which restarts have ended is read from their logs, so that there is no second record that a kill
 * could leave out of step.
 */
#include "run_internal.h"

#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/run/run_file.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- what a restart came to ---- */

/* The epoch whose weights it has: the last one if none was judged, or with --no-restore-best. */
static int64_t kept_epoch(const dt_settings *s, int64_t epochs, int64_t best_epoch)
{
    return best_epoch == 0 || s->no_restore_best ? epochs : best_epoch;
}

DT_MUST_USE static dt_status read_result(dt_restart *row, const dt_run *r, dt_h5 *h5,
                                         dt_history *history, double *rate)
{
    dt_status status = DT_OK;
    int64_t epochs = 0, best_epoch = 0;
    DT_TRY(dt_h5_get_int(&epochs, h5, "/summary", "epochs"));
    DT_TRY(dt_h5_get_int(&best_epoch, h5, "/summary", "best_epoch"));
    DT_TRY(dt_h5_get_int(&row->weights_crc, h5, "/summary", "weights_crc"));
    DT_TRY(dt_h5_get_double(rate, h5, "/summary", "samples_per_second"));
    DT_TRY(dt_history_read(history, h5, dt_settings_task(&r->settings)));
    row->best_epoch = kept_epoch(&r->settings, epochs, best_epoch);
    if (row->best_epoch < 1 || (uint64_t)row->best_epoch > history->epoch_count)
        DT_TRY(dt_fail(DT_DATA, "its /epochs has no epoch %" PRId64, row->best_epoch));
    row->value = dt_metric_value(&history->epochs[row->best_epoch - 1].validation,
                                 dt_settings_monitor(&r->settings));
out:
    return status;
}

/* Fills in a restart's row from its log, and gives its epochs and the rows it trained in a second.
 * *ended is false if it has still to be trained; then the row has no result. */
DT_MUST_USE static dt_status read_restart(dt_restart *row, bool *ended, dt_history *history,
                                          double *rate, const dt_run *r)
{
    dt_status status = DT_OK;
    dt_h5 *h5 = NULL;
    char *word = NULL, *reason = NULL;
    char folder[PATH_BYTES], path[PATH_BYTES + 16];
    *ended = false;
    *history = (dt_history){0};
    (void)snprintf(path, sizeof path, "%s/run.h5", dt_run_restart_folder(folder, r, row->restart));
    if (access(path, F_OK) != 0)
        goto out;
    DT_TRY(dt_run_file_open(&h5, folder));
    DT_TRY(dt_h5_get_text(&word, h5, "/", "status"));
    (void)snprintf(row->status, sizeof row->status, "%s", word);
    if (strcmp(word, "ok") == 0) {
        DT_TRY(read_result(row, r, h5, history, rate));
        *ended = true;
    } else if (strcmp(word, "diverged") == 0) {
        DT_TRY(dt_h5_get_text(&reason, h5, "/", "reason"));
        (void)snprintf(row->reason, sizeof row->reason, "%s", reason);
        *ended = true;
    }
out:
    if (status != DT_OK)
        status = dt_fail(status, "%s: %s", path, dt_status_text());
    dt_memory_free(word);
    dt_memory_free(reason);
    dt_h5_free(h5);
    return status;
}

/* The same on all ranks. */
DT_MUST_USE static dt_status look_at(dt_restart *row, bool *ended, const dt_run *r)
{
    dt_status status = DT_OK;
    dt_history history = {0};
    double rate = 0.0;
    *ended = false;
    if (r->root)
        status = read_restart(row, ended, &history, &rate, r);
    dt_history_clear(&history);
    DT_TRY(dt_comm_agree(r->comm, status));
    dt_comm_broadcast(r->comm, ended, sizeof *ended);
    dt_comm_broadcast(r->comm, row, sizeof *row);
out:
    return status;
}

/* ---- training one ---- */

/* An ordinary run's, so that --like and --resume take this restart alone, too. */
static void set_settings(dt_run *out, const dt_run *r, int64_t restart)
{
    dt_settings *s = &out->settings;
    s->restarts = 1;
    s->average = false;
    s->split_seed = dt_settings_split_seed(s);
    s->seed += restart - 1;
    out->restart = restart;
    if (!r->root)
        return;
    (void)dt_run_restart_folder(out->folder, r, restart);
    dt_run_part_settle(out);
}

static void add_phases(dt_phases *sum, const dt_phases *phases)
{
    for (int p = 0; p < DT_PHASE_COUNT; p++)
        sum->seconds[p] += phases->seconds[p];
    sum->wait_s += phases->wait_s;
}

DT_MUST_USE static dt_status train_one(dt_run *r, int64_t restart)
{
    dt_status status = DT_OK;
    dt_run *run = NULL;
    DT_TRY(dt_comm_agree(r->comm, dt_run_new(&run, r->comm)));
    dt_run_part_borrow(run, r);
    set_settings(run, r, restart);
    dt_comm_broadcast(r->comm, &run->settings, sizeof run->settings);
    DT_TRY(dt_run_part_train(run));
out:
    if (status == DT_STOPPED)
        status = dt_fail(status, "%s, restart %" PRId64, dt_status_text(), restart);
    if (run != NULL) {
        add_phases(&r->result.phases, &run->result.phases);
        r->result.epochs = run->result.epochs; /* for what is said of a run that stops */
        dt_run_end(run, status);
        dt_run_part_give_back(run);
    }
    dt_run_free(run);
    return status;
}

/* ---- all of them ---- */

/* Trains what has not ended. */
DT_MUST_USE static dt_status train_all(dt_restart *rows, dt_run *r)
{
    dt_status status = DT_OK;
    for (int64_t i = 0; i < r->settings.restarts; i++) {
        bool ended = false;
        rows[i] = (dt_restart){.restart = i + 1, .seed = r->settings.seed + i, .value = NAN};
        DT_TRY(look_at(&rows[i], &ended, r));
        if (ended)
            continue;
        status = train_one(r, i + 1);
        if (status == DT_DIVERGED && r->root)
            dt_log_warn("restart %" PRId64 " diverged: %s", i + 1, dt_status_text());
        if (status != DT_OK && status != DT_DIVERGED)
            goto out;
        DT_TRY(look_at(&rows[i], &ended, r));
        if (!ended)
            DT_TRY(dt_fail(DT_OUTPUT, "restart %" PRId64 ": its log could not be written", i + 1));
        dt_log_say("\n");
    }
out:
    return status;
}

/* Of equals the first. Returns the index of the best restart; -1: all diverged. */
static int64_t find_best(const dt_restart *rows, const dt_settings *s)
{
    const dt_metric *monitor = dt_settings_monitor(s);
    int64_t best = -1;
    for (int64_t i = 0; i < s->restarts; i++) {
        if (strcmp(rows[i].status, "ok") != 0)
            continue;
        const double value = rows[i].value;
        const double most = best < 0 ? NAN : rows[best].value;
        if (best < 0 || (monitor->larger_is_better ? value > most : value < most))
            best = i;
    }
    return best;
}

static void report(const dt_restart *rows, const dt_settings *s)
{
    dt_log_say("restart   seed  best epoch  val_%s\n", dt_settings_monitor(s)->name);
    for (int64_t i = 0; i < s->restarts; i++) {
        dt_log_say("%7" PRId64 "  %5" PRId64 "  ", rows[i].restart, rows[i].seed);
        if (strcmp(rows[i].status, "ok") == 0)
            dt_log_say("%10" PRId64 "  %.9g%s\n", rows[i].best_epoch, rows[i].value,
                       rows[i].kept != 0 ? "  kept" : "");
        else
            dt_log_say("         -  %s: %s\n", rows[i].status, rows[i].reason);
    }
}

/* Adds a restart's model to what the run has by now. */
DT_MUST_USE static dt_status take_model(dt_run *r, int64_t restart)
{
    dt_status status = DT_OK;
    dt_model model = {0};
    char folder[PATH_BYTES], path[PATH_BYTES + 16];
    (void)snprintf(path, sizeof path, "%s/model.h5", dt_run_restart_folder(folder, r, restart));
    DT_TRY(dt_model_load(&model, r->comm, path));
    model.network.threshold = NAN; /* chosen anew, if --threshold is given */
    if (r->settings.average) { /* no state goes with a mean */
        dt_optimizer numbers = model.optimizer;
        dt_optimizer_clear(&model.optimizer);
        memset(numbers.states, 0, sizeof numbers.states);
        numbers.average = NULL;
        numbers.P = 0;
        model.optimizer = numbers;
    }
    if (r->model.network.layer_count == 0) {
        r->model = model;
        model = (dt_model){0};
    } else {
        DT_TRY(dt_comm_agree(r->comm, dt_network_add(&r->model.network, &model.network)));
    }
out:
    dt_model_clear(&model);
    return status;
}

/* The log has the best restart's epochs, and a row of each restart. */
DT_MUST_USE static dt_status log_all(dt_run *r, const dt_restart *rows, const dt_restart *best)
{
    dt_status status = DT_OK;
    dt_history history = {0};
    dt_restart row = *best;
    bool ended = false;
    DT_TRY(read_restart(&row, &ended, &history, &r->result.samples_per_second, r));
    for (size_t i = 0; i < history.epoch_count; i++)
        dt_run_log_add_epoch(r->log, &history.epochs[i]);
    r->result.epochs = (int64_t)history.epoch_count;
    DT_TRY(dt_run_log_add_restarts(r->log, rows, (size_t)r->settings.restarts));
out:
    dt_history_clear(&history);
    return status;
}

DT_MUST_USE static dt_status keep(dt_run *r, dt_restart *rows, int64_t best)
{
    dt_status status = DT_OK;
    const dt_plan plan = dt_settings_plan(&r->settings);
    for (int64_t i = 0; i < r->settings.restarts; i++) {
        rows[i].kept = r->settings.average ? strcmp(rows[i].status, "ok") == 0 : i == best;
        if (rows[i].kept != 0)
            DT_TRY(take_model(r, rows[i].restart));
    }
    if (r->root) {
        report(rows, &r->settings);
        status = log_all(r, rows, &rows[best]);
    }
    DT_TRY(dt_comm_agree(r->comm, status));
    dt_result *result = &r->result;
    dt_comm_broadcast(r->comm, &result->epochs, sizeof result->epochs);
    dt_comm_broadcast(r->comm, &result->samples_per_second, sizeof result->samples_per_second);
    result->best_epoch = rows[best].best_epoch;
    result->weights_crc = dt_trainer_crc(&r->model.network);
    result->reduce =
        dt_comm_size(r->comm) == 1 ? "none"
        : dt_trainer_reduction(&plan, r->comm, &r->environment.launch, r->model.network.P).window
            ? "window"
            : "allreduce";
out:
    return status;
}

dt_status dt_run_train_restarts(dt_run *r)
{
    dt_status status = DT_OK;
    dt_restart *rows = NULL;
    r->result.threshold = NAN;
    for (int p = 0; p < DT_SET_COUNT; p++)
        r->result.metrics[p] = dt_metrics_none();
    dt_model_clear(&r->model); /* it served to check the settings; each restart makes its own */
    DT_TRY(dt_comm_agree(
        r->comm, dt_memory_alloc(&rows, (size_t)r->settings.restarts, sizeof *rows, "restarts")));
    DT_TRY(train_all(rows, r));
    const int64_t best = find_best(rows, &r->settings);
    if (best < 0) {
        if (r->root) {
            report(rows, &r->settings);
            status = dt_run_log_add_restarts(r->log, rows, (size_t)r->settings.restarts);
            if (status == DT_OK) /* there is nothing to resume */
                status = dt_checkpoint_remove(r->folder);
        }
        DT_TRY(dt_comm_agree(r->comm, status));
        DT_TRY(dt_fail(DT_DIVERGED, "all %" PRId64 " restarts diverged; the first: %s",
                       r->settings.restarts, rows[0].reason));
    }
    DT_TRY(keep(r, rows, best));
out:
    dt_memory_free(rows);
    return status;
}
