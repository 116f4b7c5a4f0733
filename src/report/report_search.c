/* A search as it is read from search.h5: its trials in the order of their values, and which setting
 * that order depends on. */
#include "report_search.h"

#include "dtrain/base/memory.h"
#include "dtrain/run/search_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_BYTES = 4096, GROUPS = 4 };

/* ---- reading ---- */

static const char *find_file(char out[PATH_BYTES], const char *path)
{
    struct stat found;
    const bool folder = stat(path, &found) == 0 && S_ISDIR(found.st_mode);
    const int length = snprintf(out, PATH_BYTES, folder ? "%s/" DT_SEARCH_FILE : "%s", path);
    return length > 0 && length < PATH_BYTES && stat(out, &found) == 0 ? out : NULL;
}

bool dt_report_is_search(const char *path)
{
    char file[PATH_BYTES];
    dt_h5 *h5 = NULL;
    struct stat found;
    const char *at = find_file(file, path);
    if (at == NULL)
        return false;
    if (stat(path, &found) == 0 && S_ISDIR(found.st_mode)) /* no run has that file */
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
    static const char *const names[] = {"trial",   "rung",  "trained_epochs", "best_epoch",
                                        "seconds", "ranks", "parameters"};
    dt_status status = DT_OK;
    for (size_t c = 0; c < SEARCH_COLUMNS; c++) {
        DT_TRY(dt_memory_alloc(&s->columns[c], s->trials, sizeof **s->columns, "trials"));
        DT_TRY(dt_h5_read_column_f64(h5, DT_SEARCH_TRIALS,
                                     c == SEARCH_VALUE ? s->monitor : names[c], s->columns[c],
                                     s->trials));
    }
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

/* Whoever was trained on longer is better: with --halving, values of few epochs do not compare. */
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

/* ---- what matters ---- */

static bool is_same(const dt_report_setting *setting, size_t a, size_t b)
{
    if (setting->numbers != NULL)
        return !(setting->numbers[a] < setting->numbers[b]) &&
               !(setting->numbers[a] > setting->numbers[b]);
    return strcmp(setting->texts.texts[a], setting->texts.texts[b]) == 0;
}

static int compare_numbers(const void *a, const void *b)
{
    const double first = *(const double *)a, second = *(const double *)b;
    return first < second ? -1 : first > second;
}

/* Of a range, quarters of the trials by their numbers. */
static void group_by_quarters(dt_report_setting *setting, const double *sorted, size_t trials)
{
    setting->group_count = trials < GROUPS ? trials : GROUPS;
    for (size_t i = 0; i < trials; i++) {
        size_t group = 0;
        while (group + 1 < setting->group_count &&
               setting->numbers[i] >= sorted[(group + 1) * trials / setting->group_count])
            group++;
        setting->groups[i] = group;
    }
}

/* A group for each value. Returns false if there are more than `most`. */
static bool group_by_value(dt_report_setting *setting, size_t trials, size_t most)
{
    setting->group_count = 0;
    for (size_t i = 0; i < trials; i++) {
        size_t before = 0;
        while (before < i && !is_same(setting, before, i))
            before++;
        setting->groups[i] = before < i ? setting->groups[before] : setting->group_count++;
        if (setting->group_count > most)
            return false;
    }
    return true;
}

/* The index of a trial's value among the choices of the space; how many choices there are: it is
 * none of them. */
static size_t find_choice(size_t *count, const dt_report_setting *setting, size_t trial)
{
    size_t found = SIZE_MAX;
    *count = 0;
    for (const char *at = setting->values; at != NULL; at = strchr(at, '|')) {
        char choice[128];
        at += *at == '|';
        at += strspn(at, " \t");
        size_t length = strcspn(at, "|");
        while (length > 0 && (at[length - 1] == ' ' || at[length - 1] == '\t'))
            length--;
        (void)snprintf(choice, sizeof choice, "%.*s", (int)length, at);
        const double number = strtod(choice, NULL);
        const bool same =
            setting->numbers != NULL
                ? !(number < setting->numbers[trial]) && !(number > setting->numbers[trial])
                : strcmp(choice, setting->texts.texts[trial]) == 0;
        if (same && found == SIZE_MAX)
            found = *count;
        ++*count;
    }
    return found == SIZE_MAX ? *count : found;
}

/* In the order of the space. Returns false if a value is not one of the choices. */
static bool group_by_choice(dt_report_setting *setting, size_t trials)
{
    for (size_t i = 0; i < trials; i++) {
        setting->groups[i] = find_choice(&setting->group_count, setting, i);
        if (setting->groups[i] == setting->group_count)
            return false;
    }
    return true;
}

DT_MUST_USE static dt_status make_groups(dt_report_setting *setting, size_t trials)
{
    dt_status status = DT_OK;
    double *sorted = NULL;
    if (setting->numbers == NULL || !setting->is_range) {
        if (!group_by_choice(setting, trials))
            (void)group_by_value(setting, trials, trials);
        return DT_OK;
    }
    if (group_by_value(setting, trials, GROUPS))
        return DT_OK;
    DT_TRY(dt_memory_alloc(&sorted, trials, sizeof *sorted, "trials"));
    memcpy(sorted, setting->numbers, trials * sizeof *sorted);
    qsort(sorted, trials, sizeof *sorted, compare_numbers);
    group_by_quarters(setting, sorted, trials);
out:
    dt_memory_free(sorted);
    return status;
}

/* The share of the variance of the trials' places that lies between the groups, less what chance
 * gives (epsilon squared of an analysis of variance). Places, since a few bad values would be all
 * of the variance. */
DT_MUST_USE static dt_status measure(dt_report_setting *setting, const dt_report_search *s)
{
    dt_status status = DT_OK;
    double *sums = NULL, *counts = NULL;
    double between = 0.0, total = 0.0, groups = 0.0;
    const double n = (double)s->ranked, mean = (n - 1.0) / 2.0;
    DT_TRY(dt_memory_alloc(&sums, setting->group_count, sizeof *sums, "groups"));
    DT_TRY(dt_memory_alloc(&counts, setting->group_count, sizeof *counts, "groups"));
    for (size_t place = 0; place < s->ranked; place++) {
        const size_t group = setting->groups[s->order[place]];
        sums[group] += (double)place - mean;
        counts[group] += 1.0;
        total += ((double)place - mean) * ((double)place - mean);
    }
    for (size_t g = 0; g < setting->group_count; g++) {
        between += counts[g] > 0.0 ? sums[g] * sums[g] / counts[g] : 0.0;
        groups += counts[g] > 0.0;
    }
    const double within = total - between;
    if (n > groups && groups > 1.0)
        setting->share = (between - (groups - 1.0) * within / (n - groups)) / total;
    setting->share = setting->share > 0.0 ? setting->share : 0.0; /* no NaN */
out:
    dt_memory_free(sums);
    dt_memory_free(counts);
    return status;
}

static int compare_shares(const void *a, const void *b)
{
    const dt_report_setting *first = a, *second = b;
    if (first->share > second->share || first->share < second->share)
        return first->share > second->share ? -1 : 1;
    return strcmp(first->name, second->name);
}

DT_MUST_USE static dt_status find_what_matters(dt_report_search *s)
{
    dt_status status = DT_OK;
    for (size_t i = 0; i < s->setting_count; i++) {
        DT_TRY(make_groups(&s->settings[i], s->trials));
        DT_TRY(measure(&s->settings[i], s));
    }
    if (s->setting_count > 0)
        qsort(s->settings, s->setting_count, sizeof *s->settings, compare_shares);
out:
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
    DT_TRY(find_what_matters(out));
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

/* ---- values ---- */

const char *dt_report_search_text(char out[64], const dt_report_setting *setting, size_t trial)
{
    if (setting->numbers != NULL)
        (void)snprintf(out, 64, "%.4g", setting->numbers[trial]);
    else
        (void)snprintf(out, 64, "%s", setting->texts.texts[trial]);
    return out;
}

/* "0.001 to 0.003": the numbers that the group's trials have. */
static void name_group(char out[64], const dt_report_search *s, const dt_report_setting *setting,
                       size_t group)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < s->trials; i++) {
        if (setting->groups[i] != group)
            continue;
        (void)dt_report_search_text(out, setting, i);
        if (setting->numbers == NULL)
            return;
        low = fmin(low, setting->numbers[i]);
        high = fmax(high, setting->numbers[i]);
    }
    if (low < high)
        (void)snprintf(out, 64, "%.3g to %.3g", low, high);
}

dt_status dt_report_search_group(dt_report_group_values *out, const dt_report_search *search,
                                 const dt_report_setting *setting, size_t group)
{
    dt_status status = DT_OK;
    double *values = NULL;
    *out = (dt_report_group_values){.median = NAN, .best = NAN};
    DT_TRY(dt_memory_alloc(&values, search->trials, sizeof *values, "trials"));
    name_group(out->name, search, setting, group);
    for (size_t place = 0; place < search->ranked; place++) {
        const size_t trial = search->order[place];
        if (setting->groups[trial] == group)
            values[out->count++] = search->columns[SEARCH_VALUE][trial];
    }
    if (out->count == 0)
        goto out;
    qsort(values, out->count, sizeof *values, compare_numbers);
    out->median = (values[(out->count - 1) / 2] + values[out->count / 2]) / 2.0;
    out->best = search->larger_is_better ? values[out->count - 1] : values[0];
out:
    dt_memory_free(values);
    return status;
}
