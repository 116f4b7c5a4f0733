/* A search as it is read from search.h5: its trials in the order of their values. */
#include "report_search.h"

#include "dtrain/base/memory.h"
#include "dtrain/io/file.h"
#include "dtrain/run/search_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

/* ---- reading ---- */

static const char *find_file(char out[PATH_BYTES], const char *path)
{
    const int length =
        snprintf(out, PATH_BYTES, dt_file_is_folder(path) ? "%s/" DT_SEARCH_FILE : "%s", path);
    return length > 0 && length < PATH_BYTES && access(out, F_OK) == 0 ? out : NULL;
}

bool dt_report_is_search(const char *path)
{
    char file[PATH_BYTES];
    dt_h5 *h5 = NULL;
    const char *at = find_file(file, path);
    if (at == NULL)
        return false;
    if (dt_file_is_folder(path)) /* no run has that file */
        return true;
    const bool is = dt_h5_is_file(at) && dt_h5_open(&h5, at) == DT_OK &&
                    dt_h5_has_attribute(h5, "/", DT_SEARCH_VERSION_NAME);
    dt_h5_free(h5);
    return is;
}

/* "learning-rate" as files have it. */
static void change_name(char *out, size_t bytes, const char *name, char from, char to)
{
    (void)snprintf(out, bytes, "%s", name);
    for (char *c = out; *c != '\0'; c++)
        *c = *c == from ? to : *c;
}

DT_MUST_USE static dt_status read_columns(dt_report_search *s, dt_h5 *h5)
{
    const char *const names[SEARCH_COLUMNS] = {"trial",      "rung",     "trained_epochs",
                                               "best_epoch", "seconds",  "ranks",
                                               "parameters", s->monitor, "deviation"};
    dt_status status = DT_OK;
    for (size_t c = 0; c < SEARCH_COLUMNS; c++) {
        DT_TRY(dt_memory_alloc(&s->columns[c], s->trials, sizeof **s->columns, "trials"));
        DT_TRY(dt_h5_read_column_f64(h5, DT_SEARCH_TRIALS, names[c], s->columns[c], s->trials));
    }
    for (size_t i = 0; i < s->trials; i++)
        s->has_deviation = s->has_deviation || !isnan(s->columns[SEARCH_DEVIATION][i]);
    DT_TRY(dt_h5_read_column_texts(&s->states, h5, DT_SEARCH_TRIALS, "state"));
    DT_TRY(dt_h5_read_column_texts(&s->reasons, h5, DT_SEARCH_TRIALS, "reason"));
out:
    return status;
}

DT_MUST_USE static dt_status read_setting(dt_report_setting *out, const dt_report_search *s,
                                          size_t index, dt_h5 *h5)
{
    dt_status status = DT_OK;
    char column[64];
    out->name = s->names.texts[index];
    out->values = s->values.texts[index];
    out->is_range = strstr(out->values, "..") != NULL;
    out->is_log = strncmp(out->values, "log ", 4) == 0;
    change_name(column, sizeof column, out->name, '-', '_');
    DT_TRY(dt_memory_alloc(&out->groups, s->trials, sizeof *out->groups, "trials"));
    DT_TRY(dt_memory_alloc(&out->numbers, s->trials, sizeof *out->numbers, "trials"));
    if (dt_h5_read_column_f64(h5, DT_SEARCH_TRIALS, column, out->numbers, s->trials) == DT_OK)
        goto out;
    dt_memory_free(out->numbers);
    out->numbers = NULL;
    DT_TRY(dt_h5_read_column_texts(&out->texts, h5, DT_SEARCH_TRIALS, column));
out:
    return status;
}

DT_MUST_USE static dt_status read_settings(dt_report_search *s, dt_h5 *h5)
{
    dt_status status = DT_OK;
    DT_TRY(dt_h5_read_column_texts(&s->names, h5, DT_SEARCH_SPACE, "name"));
    DT_TRY(dt_h5_read_column_texts(&s->values, h5, DT_SEARCH_SPACE, "values"));
    if (s->names.count != s->values.count)
        DT_TRY(dt_fail(DT_DATA, DT_SEARCH_SPACE " has %zu names, but %zu values", s->names.count,
                       s->values.count));
    DT_TRY(dt_memory_alloc(&s->settings, s->names.count, sizeof *s->settings, "settings"));
    for (s->setting_count = 0; s->setting_count < s->names.count; s->setting_count++)
        DT_TRY(read_setting(&s->settings[s->setting_count], s, s->setting_count, h5));
out:
    return status;
}

DT_MUST_USE static dt_status read_curves(dt_report_search *s, dt_h5 *h5)
{
    dt_status status = DT_OK;
    dt_h5_shape shape;
    DT_TRY(dt_h5_describe(&shape, h5, DT_SEARCH_CURVES));
    s->curve_rows = (size_t)shape.count;
    const struct {
        double **at;
        const char *name;
    } columns[] = {
        {&s->curve_trial, "trial"}, {&s->curve_epoch, "epoch"}, {&s->curve_value, s->monitor}};
    for (size_t c = 0; c < sizeof columns / sizeof *columns && shape.count > 0; c++) {
        double *column = NULL;
        DT_TRY(dt_memory_alloc(&column, s->curve_rows, sizeof *column, "curves"));
        *columns[c].at = column;
        DT_TRY(dt_h5_read_column_f64(h5, DT_SEARCH_CURVES, columns[c].name, column, shape.count));
    }
out:
    return status;
}

DT_MUST_USE static dt_status read_facts(dt_report_search *s, dt_h5 *h5)
{
    dt_status status = DT_OK;
    int64_t version = 0, larger = 0;
    dt_h5_shape shape;
    DT_TRY(dt_h5_get_int(&version, h5, "/", DT_SEARCH_VERSION_NAME));
    if (version != DT_SEARCH_VERSION)
        DT_TRY(dt_fail(DT_DATA, "its search version is %lld, and this dtrain reads %d",
                       (long long)version, DT_SEARCH_VERSION));
    DT_TRY(dt_h5_get_text(&s->status, h5, "/", "status"));
    if (dt_h5_has_attribute(h5, "/", "reason"))
        DT_TRY(dt_h5_get_text(&s->reason, h5, "/", "reason"));
    DT_TRY(dt_h5_get_text(&s->monitor, h5, DT_SEARCH_GROUP, "monitor"));
    DT_TRY(dt_h5_get_text(&s->sample, h5, DT_SEARCH_GROUP, "sample"));
    DT_TRY(dt_h5_get_int(&larger, h5, DT_SEARCH_GROUP, "larger_is_better"));
    DT_TRY(dt_h5_get_int(&s->halving, h5, DT_SEARCH_GROUP, "halving"));
    DT_TRY(dt_h5_get_int(&s->ranks, h5, DT_SEARCH_GROUP, "ranks"));
    s->larger_is_better = larger != 0;
    DT_TRY(dt_h5_describe(&shape, h5, DT_SEARCH_TRIALS));
    if (shape.count == 0)
        DT_TRY(dt_fail(DT_DATA, DT_SEARCH_TRIALS " has no trials"));
    s->trials = (size_t)shape.count;
    DT_TRY(dt_report_facts_read(&s->config, h5, "/config"));
    DT_TRY(dt_report_facts_read(&s->data, h5, "/data"));
    DT_TRY(dt_report_facts_read(&s->environment, h5, "/environment"));
out:
    return status;
}

/* ---- the order ---- */

/* One trial while they are sorted. */
typedef struct ranked {
    size_t index;
    double rung, value; /* value: the smaller the better */
} ranked;

/* A trial that was trained longer is better: with --halving, values after different numbers of
 * epochs cannot be compared. */
static int compare(const void *a, const void *b)
{
    const ranked *first = a, *second = b;
    if (isnan(first->value) || isnan(second->value)) {
        if (isnan(first->value) && isnan(second->value))
            return first->index < second->index ? -1 : first->index > second->index;
        return isnan(first->value) ? 1 : -1;
    }
    if (first->rung > second->rung || first->rung < second->rung)
        return first->rung > second->rung ? -1 : 1;
    if (first->value < second->value || first->value > second->value)
        return first->value < second->value ? -1 : 1;
    return first->index < second->index ? -1 : first->index > second->index;
}

DT_MUST_USE static dt_status sort_trials(dt_report_search *s)
{
    dt_status status = DT_OK;
    ranked *all = NULL;
    DT_TRY(dt_memory_alloc(&all, s->trials, sizeof *all, "trials"));
    DT_TRY(dt_memory_alloc(&s->order, s->trials, sizeof *s->order, "trials"));
    for (size_t i = 0; i < s->trials; i++) {
        const char *state = s->states.texts[i];
        const double value = s->columns[SEARCH_VALUE][i];
        const bool counts = strcmp(state, "ok") == 0 || strcmp(state, "dropped") == 0;
        all[i] = (ranked){i, strcmp(state, "ok") == 0 ? INFINITY : s->columns[SEARCH_RUNG][i],
                          !counts               ? NAN
                          : s->larger_is_better ? -value
                                                : value};
        s->ranked += counts && !isnan(value);
    }
    qsort(all, s->trials, sizeof *all, compare);
    for (size_t i = 0; i < s->trials; i++)
        s->order[i] = all[i].index;
out:
    dt_memory_free(all);
    return status;
}

dt_status dt_report_search_read(dt_report_search *out, const char *path)
{
    dt_status status = DT_OK;
    dt_h5 *h5 = NULL;
    char file[PATH_BYTES];
    const char *at = find_file(file, path);
    *out = (dt_report_search){0};
    if (at == NULL)
        return dt_fail(DT_DATA, "%s: has no " DT_SEARCH_FILE, path);
    DT_TRY(dt_memory_copy_text(&out->path, path));
    char *place = realpath(at, NULL);
    status = dt_memory_copy_text(&out->place, place != NULL ? place : at);
    free(place);
    DT_TRY(status);
    DT_TRY(dt_h5_open(&h5, at));
    status = read_facts(out, h5);
    if (status == DT_OK)
        status = read_columns(out, h5);
    if (status == DT_OK)
        status = read_settings(out, h5);
    if (status == DT_OK)
        status = read_curves(out, h5);
    if (status == DT_OK)
        status = dt_h5_check(h5);
    if (status == DT_OK && (out->states.count != out->trials || out->reasons.count != out->trials))
        status = dt_fail(DT_DATA, "its columns have other numbers of rows");
    if (status != DT_OK)
        status = dt_fail(status, "%s: %s", at, dt_status_text());
    DT_TRY(status);
    DT_TRY(sort_trials(out));
    DT_TRY(dt_report_search_find_what_matters(out));
out:
    dt_h5_free(h5);
    return status;
}

void dt_report_search_clear(dt_report_search *search)
{
    char *const texts[] = {search->path,   search->place,   search->status,
                           search->reason, search->monitor, search->sample};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        dt_memory_free(texts[i]);
    for (size_t c = 0; c < SEARCH_COLUMNS; c++)
        dt_memory_free(search->columns[c]);
    for (size_t i = 0; search->settings != NULL && i < search->names.count; i++) {
        dt_memory_free(search->settings[i].numbers);
        dt_memory_free(search->settings[i].groups);
        dt_h5_names_clear(&search->settings[i].texts);
    }
    dt_memory_free(search->settings);
    dt_memory_free(search->order);
    dt_memory_free(search->curve_trial);
    dt_memory_free(search->curve_epoch);
    dt_memory_free(search->curve_value);
    dt_h5_names_clear(&search->states);
    dt_h5_names_clear(&search->reasons);
    dt_h5_names_clear(&search->names);
    dt_h5_names_clear(&search->values);
    dt_report_facts_clear(&search->config);
    dt_report_facts_clear(&search->data);
    dt_report_facts_clear(&search->environment);
    *search = (dt_report_search){0};
}
