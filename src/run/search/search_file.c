/* search.h5, which results/README.md describes. It is written as a whole, as run.h5. */
#include "search_internal.h"

#include "../run_log_internal.h"

#include "dtrain/base/clock.h"
#include "dtrain/base/memory.h"
#include "dtrain/io/h5.h"
#include "dtrain/run/search_file.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- the table of trials ---- */

/* A row: the facts about the trial, then its values. */
typedef union trial_value {
    double number;
    char text[DT_SPACE_VALUE_BYTES];
} trial_value;

enum { FIXED_MAX = 13, COLUMNS_MAX = FIXED_MAX + DT_SPACE_SETTINGS_MAX + DT_TASK_METRICS };

typedef struct trial_table {
    dt_h5_table table;
    dt_h5_column columns[COLUMNS_MAX];
    char names[COLUMNS_MAX][64];
} trial_table;

static void add(trial_table *t, const char *name, dt_h5_column column)
{
    const size_t i = t->table.column_count++;
    DT_ASSERT(i < COLUMNS_MAX);
    (void)snprintf(t->names[i], sizeof t->names[i], "%s", name);
    t->columns[i] = column;
    t->columns[i].name = t->names[i];
}

static bool is_number(const dt_option *option)
{
    return option->kind == DT_OPTION_INT || option->kind == DT_OPTION_FLOAT;
}

static const dt_option *option_of(const dt_space_setting *setting)
{
    char name[64];
    return dt_settings_option(dt_options_log_name(name, &(dt_option){.name = setting->name}));
}

static void add_settings(trial_table *t, const dt_space *space)
{
    for (size_t i = 0; i < space->count; i++) {
        char name[64];
        const dt_option *option = option_of(&space->settings[i]);
        const bool number = is_number(option);
        add(t, dt_options_log_name(name, option),
            (dt_h5_column){.type = number ? DT_H5_F64 : DT_H5_TEXT,
                           .offset = sizeof(dt_trial) + i * sizeof(trial_value),
                           .bytes = number ? sizeof(double) : sizeof(trial_value)});
    }
}

static void add_metrics(trial_table *t, const dt_task *task)
{
    for (size_t m = 0; m < task->metric_count + task->monitored_count; m++) {
        const dt_metric *metric = &task->metrics[m];
        char name[64];
        (void)snprintf(name, sizeof name, "val_%s", metric->name);
        add(t, name,
            (dt_h5_column){.unit = metric->unit,
                           .type = DT_H5_F64,
                           .offset = offsetof(dt_trial, validation) + metric->offset,
                           .bytes = sizeof(double)});
    }
}

#define COLUMN(type, field) ((dt_h5_column){NULL, NULL, type, DT_H5_FIELD(dt_trial, field)})

static void make_table(trial_table *t, const dt_search *s)
{
    *t = (trial_table){0};
    t->table.columns = t->columns;
    t->table.row_bytes = sizeof(dt_trial) + s->space.count * sizeof(trial_value);
    add(t, "trial", COLUMN(DT_H5_I64, trial));
    add(t, "state", COLUMN(DT_H5_TEXT, state));
    add_settings(t, &s->space);
    add(t, "rung", COLUMN(DT_H5_I64, rung));
    add(t, "trained_epochs", COLUMN(DT_H5_I64, epochs));
    add(t, "best_epoch", COLUMN(DT_H5_I64, best_epoch));
    add_metrics(t, dt_settings_task(&s->run->settings));
    add(t, "deviation", COLUMN(DT_H5_F64, deviation));
    dt_h5_column seconds = COLUMN(DT_H5_F64, seconds);
    seconds.unit = "s";
    add(t, "seconds", seconds);
    add(t, "ranks", COLUMN(DT_H5_I64, ranks));
    add(t, "parameters", COLUMN(DT_H5_I64, parameters));
    add(t, "weights_crc", COLUMN(DT_H5_I64, weights_crc));
    add(t, "reason", COLUMN(DT_H5_TEXT, reason));
}

/* The value in a run with these settings. */
DT_MUST_USE static dt_status take_value(trial_value *out, const dt_search *s, size_t index,
                                        int64_t trial, dt_settings *scratch)
{
    const dt_option *option = option_of(&s->space.settings[index]);
    (void)dt_search_value(out->text, s, index, trial);
    if (!is_number(option))
        return DT_OK;
    const dt_status status = dt_options_parse_value(option, scratch, out->text, false);
    const void *at = (const char *)scratch + option->offset;
    out->number =
        option->kind == DT_OPTION_INT ? (double)*(const int64_t *)at : *(const double *)at;
    return status;
}

DT_MUST_USE static dt_status write_trials(dt_h5 *h5, const dt_search *s)
{
    dt_status status = DT_OK;
    trial_table *t = NULL;
    dt_settings *scratch = NULL; /* too large for the stack, both of them */
    char *rows = NULL;
    DT_TRY(dt_memory_alloc(&t, 1, sizeof *t, "table of trials"));
    DT_TRY(dt_memory_alloc(&scratch, 1, sizeof *scratch, "settings"));
    make_table(t, s);
    DT_TRY(dt_memory_alloc(&rows, (size_t)s->trials, t->table.row_bytes, "table of trials"));
    for (int64_t i = 0; i < s->trials; i++) {
        char *row = rows + (size_t)i * t->table.row_bytes;
        memcpy(row, &s->dealer.rows[i], sizeof(dt_trial));
        for (size_t v = 0; v < s->space.count; v++) {
            trial_value value;
            DT_TRY(take_value(&value, s, v, i + 1, scratch));
            memcpy(row + sizeof(dt_trial) + v * sizeof value, &value, sizeof value);
        }
    }
    DT_TRY(dt_h5_write_table(h5, DT_SEARCH_TRIALS, &t->table, rows, (size_t)s->trials));
out:
    dt_memory_free(rows);
    dt_memory_free(scratch);
    dt_memory_free(t);
    return status;
}

/* ---- the curves ---- */

typedef struct curve_row {
    int64_t trial, epoch;
    double train_loss, value;
} curve_row;

DT_MUST_USE static dt_status write_curves(dt_h5 *h5, const dt_search *s)
{
    dt_status status = DT_OK;
    char name[64];
    curve_row *rows = NULL;
    size_t capacity = 1;
    (void)snprintf(name, sizeof name, "val_%s", dt_settings_monitor(&s->run->settings)->name);
    const dt_h5_column columns[] = {
        {"trial", NULL, DT_H5_I64, DT_H5_FIELD(curve_row, trial)},
        {"epoch", NULL, DT_H5_I64, DT_H5_FIELD(curve_row, epoch)},
        {"train_loss", NULL, DT_H5_F64, DT_H5_FIELD(curve_row, train_loss)},
        {name, NULL, DT_H5_F64, DT_H5_FIELD(curve_row, value)},
    };
    const dt_h5_table table = DT_H5_TABLE(columns, curve_row);
    for (int64_t i = 0; i < s->trials; i++)
        if (s->dealer.curves[i].count > capacity)
            capacity = s->dealer.curves[i].count;
    DT_TRY(dt_h5_make_table(h5, DT_SEARCH_CURVES, &table));
    DT_TRY(dt_memory_alloc(&rows, capacity, sizeof *rows, "curves"));
    for (int64_t i = 0; i < s->trials; i++) {
        const dt_curve *curve = &s->dealer.curves[i];
        for (size_t e = 0; e < curve->count; e++)
            rows[e] = (curve_row){i + 1, (int64_t)e + 1, curve->epochs[e].train_loss,
                                  curve->epochs[e].value};
        DT_TRY(dt_h5_append_rows(h5, DT_SEARCH_CURVES, &table, rows, curve->count));
    }
out:
    dt_memory_free(rows);
    return status;
}

/* ---- the search ---- */

static const dt_h5_column space_columns[] = {
    {"name", NULL, DT_H5_TEXT, DT_H5_FIELD(dt_space_setting, name)},
    {"values", NULL, DT_H5_TEXT, DT_H5_FIELD(dt_space_setting, text)},
};
static const dt_h5_table space_table = DT_H5_TABLE(space_columns, dt_space_setting);

static const char *format(char out[64], const dt_search *s, const char *name)
{
    const dt_option_table *table = dt_search_options();
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->options[i].name, name) == 0)
            return dt_options_format(out, 64, &table->options[i], &s->settings);
    return "";
}

DT_MUST_USE static dt_status write_search(dt_h5 *h5, const dt_search *s)
{
    dt_status status = DT_OK;
    char name[64], sampling[64];
    const dt_metric *monitor = dt_settings_monitor(&s->run->settings);
    const int64_t best = dt_search_best(s);
    (void)snprintf(name, sizeof name, "val_%s", monitor->name);
    const struct {
        const char *name;
        int64_t value;
    } numbers[] = {
        {"trials", s->trials},
        {"halving", s->settings.halving},
        {"folds", s->run->settings.folds * s->run->settings.repeats},
        {"rungs", dt_search_rungs(s)},
        {"ranks", dt_comm_size(s->all)},
        {"ranks_per_trial", dt_comm_size(s->run->comm)},
        {"larger_is_better", monitor->larger_is_better},
        {"best_trial", best + 1},
    };
    DT_TRY(dt_h5_make_group(h5, DT_SEARCH_GROUP));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        DT_TRY(dt_h5_set_int(h5, DT_SEARCH_GROUP, numbers[i].name, numbers[i].value));
    DT_TRY(dt_h5_set_text(h5, DT_SEARCH_GROUP, "sample", format(sampling, s, "sample")));
    DT_TRY(dt_h5_set_text(h5, DT_SEARCH_GROUP, "monitor", name));
    DT_TRY(dt_h5_set_double(h5, DT_SEARCH_GROUP, "seconds", dt_clock_s() - s->started_s));
    DT_TRY(dt_h5_write_table(h5, DT_SEARCH_SPACE, &space_table, s->space.settings, s->space.count));
out:
    return status;
}

dt_status dt_search_save(dt_search *s, const char *state, const char *reason)
{
    dt_status status = DT_OK;
    dt_h5 *h5 = NULL;
    char path[PATH_BYTES + 16];
    dt_run_facts facts = dt_run_facts_of(s->run);
    facts.environment = &s->environment;
    DT_TRY(dt_owner_check(s->run->owner));
    DT_TRY(dt_h5_new(&h5));
    DT_TRY(dt_h5_set_int(h5, "/", DT_SEARCH_VERSION_NAME, DT_SEARCH_VERSION));
    DT_TRY(dt_run_log_write_facts(h5, &facts));
    DT_TRY(dt_h5_set_text(h5, "/", "status", state));
    if (reason != NULL)
        DT_TRY(dt_h5_set_text(h5, "/", "reason", reason));
    DT_TRY(write_search(h5, s));
    DT_TRY(write_trials(h5, s));
    DT_TRY(write_curves(h5, s));
    (void)snprintf(path, sizeof path, "%s/" DT_SEARCH_FILE, s->run->folder);
    DT_TRY(dt_h5_save(h5, path));
out:
    dt_h5_free(h5);
    return status;
}

/* ---- a resumed search ---- */

DT_MUST_USE static dt_status read_space(dt_space *out, dt_h5 *h5)
{
    dt_status status = DT_OK;
    dt_h5_shape shape;
    dt_space_setting *lines = NULL;
    *out = (dt_space){0};
    DT_TRY(dt_h5_describe(&shape, h5, DT_SEARCH_SPACE));
    if (shape.count > DT_SPACE_SETTINGS_MAX)
        DT_TRY(dt_fail(DT_DATA, DT_SEARCH_SPACE " has %llu lines, expected at most %d",
                       (unsigned long long)shape.count, DT_SPACE_SETTINGS_MAX));
    DT_TRY(dt_memory_alloc(&lines, shape.count, sizeof *lines, "space"));
    DT_TRY(dt_h5_read_rows(h5, DT_SEARCH_SPACE, &space_table, lines, (size_t)shape.count));
    for (size_t i = 0; i < shape.count; i++)
        if (dt_space_add(out, lines[i].name, lines[i].text) != DT_OK)
            DT_TRY(dt_fail(DT_DATA, DT_SEARCH_SPACE ": %s", dt_status_text()));
out:
    dt_memory_free(lines);
    return status;
}

/* Copies a number, unless it was given; then it must be the same. */
DT_MUST_USE static dt_status take_number(int64_t *out, const dt_search *s, const char *name,
                                         dt_h5 *h5)
{
    int64_t was = 0;
    const dt_status status = dt_h5_get_int(&was, h5, DT_SEARCH_GROUP, name);
    if (status == DT_OK && dt_options_given(dt_search_options(), &s->settings, name) && was != *out)
        return dt_fail(
            DT_USAGE,
            "--%s is %lld, but was %lld; remove it, or start another search with another --out",
            name, (long long)*out, (long long)was);
    *out = was;
    return status;
}

DT_MUST_USE static dt_status take_sampling(dt_search *s, dt_h5 *h5)
{
    dt_status status = DT_OK;
    char *was = NULL;
    char now[64];
    DT_TRY(dt_h5_get_text(&was, h5, DT_SEARCH_GROUP, "sample"));
    if (dt_options_given(dt_search_options(), &s->settings, "sample") &&
        strcmp(was, format(now, s, "sample")) != 0)
        DT_TRY(dt_fail(
            DT_USAGE,
            "--sample is %s, but was %s; remove it, or start another search with another --out",
            now, was));
    if (dt_options_set(dt_search_options(), &s->settings, "sample", was) != DT_OK)
        DT_TRY(dt_fail(DT_DATA, "%s", dt_status_text()));
out:
    dt_memory_free(was);
    return status;
}

DT_MUST_USE static dt_status take_space(dt_search *s, dt_h5 *h5)
{
    dt_status status = DT_OK;
    dt_space *was = NULL; /* too large for the stack */
    char why[512];
    DT_TRY(dt_memory_alloc(&was, 1, sizeof *was, "space"));
    DT_TRY(read_space(was, h5));
    if (s->settings.space[0] != '\0' && dt_space_differ(why, sizeof why, was, &s->space))
        DT_TRY(dt_fail(
            DT_USAGE,
            "--space %s: %s; the search had another space. Start another search with another --out",
            s->settings.space, why));
    s->space = *was;
out:
    dt_memory_free(was);
    return status;
}

/* A search that has ended has no more trials to train. */
DT_MUST_USE static dt_status check_unfinished(dt_h5 *h5)
{
    dt_status status = DT_OK;
    char *state = NULL;
    DT_TRY(dt_h5_get_text(&state, h5, "/", "status"));
    if (strcmp(state, "ok") == 0 || strcmp(state, "diverged") == 0)
        status = dt_fail(DT_USAGE, "the search has ended; start another one with another --out");
out:
    dt_memory_free(state);
    return status;
}

dt_status dt_search_take_previous(dt_search *s, const char *folder)
{
    dt_status status = DT_OK;
    dt_h5 *h5 = NULL;
    char path[PATH_BYTES + 16];
    (void)snprintf(path, sizeof path, "%.*s/" DT_SEARCH_FILE, DT_OPTION_TEXT_BYTES, folder);
    if (access(path, F_OK) != 0)
        return dt_fail(DT_DATA, "--resume %s: has no " DT_SEARCH_FILE ", so it is not a search",
                       folder);
    DT_TRY(dt_h5_open(&h5, path));
    status = check_unfinished(h5);
    if (status == DT_OK)
        status = take_space(s, h5);
    if (status == DT_OK)
        status = take_number(&s->settings.trials, s, "trials", h5);
    if (status == DT_OK)
        status = take_number(&s->settings.halving, s, "halving", h5);
    if (status == DT_OK)
        status = take_sampling(s, h5);
    if (status != DT_OK)
        status = dt_fail(status, "--resume %s: %s", folder, dt_status_text());
out:
    dt_h5_free(h5);
    return status;
}
