/*
 * Several runs of one command, one after the other, and what becomes of their models.
 *
 * Which parts have ended is read from their logs, so that there is no second record that a kill
 * could leave out of step.
 */
#include "run_parts.h"

#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/run/run_file.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- what a part came to ---- */

DT_MUST_USE static dt_status read_result(dt_part *row, const dt_run *r, dt_h5 *h5,
                                         dt_history *history, double *rate)
{
    dt_status status = DT_OK;
    int64_t epochs = 0, best_epoch = 0;
    DT_TRY(dt_h5_get_int(&epochs, h5, "/summary", "epochs"));
    DT_TRY(dt_h5_get_int(&best_epoch, h5, "/summary", "best_epoch"));
    DT_TRY(dt_h5_get_int(&row->weights_crc, h5, "/summary", "weights_crc"));
    DT_TRY(dt_h5_get_double(rate, h5, "/summary", "samples_per_second"));
    if (dt_h5_has_attribute(h5, "/summary", "threshold"))
        DT_TRY(dt_h5_get_double(&row->threshold, h5, "/summary", "threshold"));
    DT_TRY(dt_history_read(history, h5, dt_settings_task(&r->settings)));
    row->best_epoch = dt_run_kept_epoch(&r->settings, epochs, best_epoch);
    if (row->best_epoch < 1 || (uint64_t)row->best_epoch > history->epoch_count)
        DT_TRY(dt_fail(DT_DATA, "its /epochs has no epoch %" PRId64, row->best_epoch));
    row->value = dt_metric_value(&history->epochs[row->best_epoch - 1].validation,
                                 dt_settings_monitor(&r->settings));
out:
    return status;
}

/* Fills in a part's row from its log, and returns its epochs and its training rows per second.
 * *ended is false if the part must still be trained; then the row has no result. */
DT_MUST_USE static dt_status read_part(dt_part *row, bool *ended, dt_history *history, double *rate,
                                       const dt_run *r)
{
    dt_status status = DT_OK;
    dt_h5 *h5 = NULL;
    char *word = NULL, *reason = NULL;
    char folder[PATH_BYTES], path[PATH_BYTES + 16];
    *ended = false;
    *history = (dt_history){0};
    (void)snprintf(path, sizeof path, "%s/run.h5", dt_run_part_folder(folder, r, row->number));
    if (access(path, F_OK) != 0)
        goto out;
    DT_TRY(dt_run_file_open(&h5, folder));
    DT_TRY(dt_h5_get_int(&row->seed, h5, "/config", "seed"));
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
DT_MUST_USE static dt_status look_at(dt_part *row, bool *ended, const dt_run *r)
{
    dt_status status = DT_OK;
    dt_history history = {0};
    double rate = 0.0;
    *ended = false;
    if (r->root)
        status = read_part(row, ended, &history, &rate, r);
    dt_history_clear(&history);
    DT_TRY(dt_comm_agree(r->comm, status));
    dt_comm_broadcast(r->comm, ended, sizeof *ended);
    dt_comm_broadcast(r->comm, row, sizeof *row);
out:
    return status;
}

/* ---- training one ---- */

static void add_phases(dt_phases *sum, const dt_phases *phases)
{
    for (int p = 0; p < DT_PHASE_COUNT; p++)
        sum->seconds[p] += phases->seconds[p];
    sum->wait_s += phases->wait_s;
}

DT_MUST_USE static dt_status train_one(dt_run *r, const dt_parts_kind *kind, int64_t number)
{
    dt_status status = DT_OK;
    dt_run *part = NULL;
    DT_TRY(dt_comm_agree(r->comm, dt_run_new(&part, r->comm)));
    dt_run_part_borrow(part, r);
    part->part = number;
    part->kind = kind;
    DT_TRY(kind->set_up(part, r));
    if (r->root) {
        (void)dt_run_part_folder(part->folder, r, number);
        dt_run_part_settle(part);
    }
    dt_comm_broadcast(r->comm, &part->settings, sizeof part->settings);
    DT_TRY(dt_run_part_train(part, dt_run_train_single));
out:
    if (status == DT_STOPPED)
        status = dt_fail(status, "%s, %s %" PRId64, dt_status_text(), kind->word, number);
    if (part != NULL) {
        add_phases(&r->result.phases, &part->result.phases);
        r->result.epochs = part->result.epochs; /* for the message about a stopped run */
        dt_run_end(part, status);
        if (kind->clear != NULL)
            kind->clear(part);
        dt_run_part_give_back(part);
    }
    dt_run_free(part);
    return status;
}

/* ---- all of them ---- */

/* It is not resumed. */
static void leave_diverged(const dt_run *r, const dt_parts_kind *kind, int64_t number)
{
    char folder[PATH_BYTES];
    dt_log_warn("%s %" PRId64 " diverged: %s", kind->word, number, dt_status_text());
    if (dt_checkpoint_remove(dt_run_part_folder(folder, r, number)) != DT_OK)
        dt_log_warn("%s", dt_status_text());
}

/* Trains the parts that have not ended. */
DT_MUST_USE static dt_status train_all(dt_part *rows, dt_run *r, const dt_parts_kind *kind)
{
    dt_status status = DT_OK;
    for (int64_t i = 0; i < kind->count(&r->settings); i++) {
        bool ended = false;
        rows[i] = (dt_part){.number = i + 1, .value = NAN, .threshold = NAN};
        DT_TRY(look_at(&rows[i], &ended, r));
        if (ended)
            continue;
        status = train_one(r, kind, i + 1);
        if (status == DT_DIVERGED && r->root)
            leave_diverged(r, kind, i + 1);
        if (status != DT_OK && status != DT_DIVERGED)
            goto out;
        DT_TRY(look_at(&rows[i], &ended, r));
        if (!ended)
            DT_TRY(dt_fail(DT_OUTPUT, "%s %" PRId64 ": its log could not be written", kind->word,
                           i + 1));
        dt_log_say("\n");
    }
out:
    return status;
}

/* Returns the index of the best part, the first among equals; -1: all diverged. */
static int64_t find_best(const dt_part *rows, int64_t count, const dt_settings *s)
{
    const dt_metric *monitor = dt_settings_monitor(s);
    int64_t best = -1;
    for (int64_t i = 0; i < count; i++) {
        if (strcmp(rows[i].status, "ok") != 0)
            continue;
        const double value = rows[i].value;
        const double most = best < 0 ? NAN : rows[best].value;
        if (best < 0 || (monitor->larger_is_better ? value > most : value < most))
            best = i;
    }
    return best;
}

/* Adds a part's model to the run's model. */
DT_MUST_USE static dt_status take_model(dt_run *r, int64_t number, bool averages)
{
    dt_status status = DT_OK;
    dt_model model = {0};
    char folder[PATH_BYTES], path[PATH_BYTES + 16];
    (void)snprintf(path, sizeof path, "%s/model.h5", dt_run_part_folder(folder, r, number));
    DT_TRY(dt_model_load(&model, r->comm, path));
    model.network.threshold = NAN; /* chosen anew, if --threshold is given */
    if (averages) { /* a mean has no optimizer state */
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

/* The log has the best part's epochs, and a row of each part. */
DT_MUST_USE static dt_status log_all(dt_run *r, const dt_parts_kind *kind, const dt_part *rows,
                                     int64_t best)
{
    dt_status status = DT_OK;
    dt_history history = {0};
    dt_part row = rows[best];
    bool ended = false;
    DT_TRY(read_part(&row, &ended, &history, &r->result.samples_per_second, r));
    for (size_t i = 0; i < history.epoch_count; i++)
        dt_run_log_add_epoch(r->log, &history.epochs[i]);
    r->result.epochs = (int64_t)history.epoch_count;
    DT_TRY(kind->record(r, rows));
out:
    dt_history_clear(&history);
    return status;
}

DT_MUST_USE static dt_status keep(dt_run *r, const dt_parts_kind *kind, dt_part *rows, int64_t best)
{
    dt_status status = DT_OK;
    const dt_plan plan = dt_settings_plan(&r->settings);
    const bool averages = kind->keeps_all(&r->settings);
    double thresholds = 0.0;
    for (int64_t i = 0; i < kind->count(&r->settings); i++) {
        rows[i].kept = averages ? strcmp(rows[i].status, "ok") == 0 : i == best;
        if (rows[i].kept == 0)
            continue;
        DT_TRY(take_model(r, rows[i].number, averages));
        thresholds += rows[i].threshold;
    }
    r->parts_threshold = thresholds / (double)(r->model.network.other_count + 1);
    if (r->root)
        status = log_all(r, kind, rows, best);
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
    if (kind->finish != NULL)
        DT_TRY(kind->finish(r, rows));
out:
    return status;
}

dt_status dt_run_train_parts(dt_run *r)
{
    dt_status status = DT_OK;
    dt_part *rows = NULL;
    const dt_parts_kind *kind = r->parts;
    const int64_t count = kind->count(&r->settings);
    r->result.threshold = NAN;
    for (int p = 0; p < DT_SET_COUNT; p++)
        r->result.metrics[p] = dt_metrics_none();
    dt_model_clear(&r->model); /* it served to check the settings; each part makes its own */
    DT_TRY(dt_comm_agree(r->comm, dt_memory_alloc(&rows, (size_t)count, sizeof *rows, "parts")));
    DT_TRY(train_all(rows, r, kind));
    const int64_t best = find_best(rows, count, &r->settings);
    if (best < 0) {
        if (r->root) {
            status = kind->record(r, rows);
            if (status == DT_OK) /* there is nothing to resume */
                status = dt_checkpoint_remove(r->folder);
        }
        DT_TRY(dt_comm_agree(r->comm, status));
        DT_TRY(dt_fail(DT_DIVERGED, "all %" PRId64 " %ss diverged; the first: %s", count,
                       kind->word, rows[0].reason));
    }
    DT_TRY(keep(r, kind, rows, best));
out:
    dt_memory_free(rows);
    return status;
}
