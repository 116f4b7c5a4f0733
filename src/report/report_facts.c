#include "report_internal.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"
#include "dtrain/run/settings.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the order ---- */

typedef struct sort_key {
    bool there; /* runs without the result come last */
    double number;
    const char *text;
} sort_key;

static bool is_key(const dt_report_keys *keys, const char *key)
{
    for (size_t i = 0; i < keys->count; i++)
        if (strcmp(keys->names[i], key) == 0)
            return true;
    return false;
}

/* An option with the name of a result is written with "config_" before it. */
static const dt_report_fact *find_option(const dt_report_run *run, const char *key)
{
    char name[64];
    (void)snprintf(name, sizeof name, "%s", strncmp(key, "config_", 7) == 0 ? key + 7 : key);
    for (char *c = name; *c != '\0'; c++)
        *c = *c == '-' ? '_' : *c;
    return dt_report_fact_find(&run->config, name);
}

static sort_key sort_key_of(const dt_report_run *run, const char *key, bool is_result)
{
    sort_key r = {.number = NAN};
    if (strcmp(key, "name") == 0) {
        r.text = run->name;
    } else if (strcmp(key, "status") == 0) {
        r.text = run->status;
    } else if (is_result) {
        r.number = dt_report_value(run, key);
        r.number = dt_report_smaller_is_better(key) ? r.number : -r.number;
    } else {
        const dt_report_fact *option = find_option(run, key);
        char *end = NULL;
        r.text = option != NULL ? option->text : NULL;
        if (r.text != NULL) /* a single number in a list too */
            r.number = strtod(r.text, &end);
        if (r.text != NULL && (*end != '\0' || end == r.text))
            r.number = NAN;
    }
    r.there = r.text != NULL || !isnan(r.number);
    return r;
}

static int compare(const sort_key *a, const sort_key *b)
{
    if (a->there != b->there)
        return a->there ? -1 : 1;
    if (isnan(a->number) != isnan(b->number))
        return isnan(a->number) ? 1 : -1;
    if (!isnan(a->number))
        return (a->number > b->number) - (a->number < b->number);
    return a->text != NULL && b->text != NULL ? strcmp(a->text, b->text) : 0;
}

DT_MUST_USE static dt_status check_key(dt_report_run *const *runs, size_t count,
                                       const dt_report_keys *keys, const char *key)
{
    const char *known[REPORT_KEYS_MAX + 2 + DT_OPTION_MAX];
    size_t known_count = 0;
    if (is_key(keys, key) || strcmp(key, "name") == 0 || strcmp(key, "status") == 0)
        return DT_OK;
    for (size_t i = 0; i < count; i++)
        if (find_option(runs[i], key) != NULL)
            return DT_OK;
    for (size_t i = 0; i < keys->count; i++)
        known[known_count++] = keys->names[i];
    known[known_count++] = "name";
    known[known_count++] = "status";
    for (size_t i = 0; i < runs[0]->config.count && i < DT_OPTION_MAX; i++)
        known[known_count++] = runs[0]->config.items[i].name;
    const size_t nearest = dt_text_nearest(key, known, known_count);
    if (nearest != SIZE_MAX)
        return dt_fail(DT_USAGE, "--sort %.60s: no such result or option; did you mean %.60s?", key,
                       known[nearest]);
    return dt_fail(DT_USAGE,
                   "--sort %.60s: no such result or option; expected name, status, an option as "
                   "learning_rate, or a result as val_loss, seconds",
                   key);
}

/* `is_result`: it is the name of a result, not of an option. */
static void sort_group(dt_report_run **runs, size_t count, const char *key, bool is_result)
{
    for (size_t i = 1; i < count; i++) {
        dt_report_run *moved = runs[i];
        const sort_key r = sort_key_of(moved, key, is_result);
        size_t to = i;
        for (; to > 0; to--) {
            const sort_key before = sort_key_of(runs[to - 1], key, is_result);
            if (compare(&r, &before) >= 0)
                break;
            runs[to] = runs[to - 1];
        }
        runs[to] = moved;
    }
}

/* Of runs of one task. */
static const char *usual_key(char out[REPORT_KEY_BYTES], dt_report_run *const *runs, size_t count)
{
    const dt_metric *metrics = runs[0]->task->metrics;
    const bool comparable = dt_report_unit(runs, count, &metrics[0])[0] != '\0';
    return dt_report_key(out, SET_VALIDATION, metrics[comparable ? 0 : 1].name);
}

static void move(dt_report_run **runs, size_t from, size_t to)
{
    dt_report_run *moved = runs[from];
    memmove(runs + to + 1, runs + to, (from - to) * sizeof *runs);
    runs[to] = moved;
}

/* Comparable runs together: by task in the order of dt_tasks, by data in the order given. */
static void sort_by_group(dt_report_run **runs, size_t count)
{
    size_t sorted = 0;
    for (size_t t = 0; t < DT_TASK_COUNT; t++)
        for (size_t i = sorted; i < count; i++) {
            if (runs[i]->task != dt_tasks[t])
                continue;
            move(runs, i, sorted++);
            const dt_report_run *first = runs[sorted - 1];
            for (size_t k = sorted; k < count; k++)
                if (dt_report_is_comparable(runs[k], first))
                    move(runs, k, sorted++);
            i = sorted - 1;
        }
}

dt_status dt_report_sort(dt_report_run **runs, size_t count, const char *key)
{
    dt_report_keys keys;
    char usual[REPORT_KEY_BYTES];
    dt_report_list_keys(&keys, runs, count);
    const dt_status status = key != NULL ? check_key(runs, count, &keys, key) : DT_OK;
    if (status != DT_OK)
        return status;
    sort_by_group(runs, count);
    for (size_t from = 0, same = 0; from < count; from += same) {
        same = dt_report_group(runs + from, count - from);
        const char *by = key != NULL ? key : usual_key(usual, runs + from, same);
        sort_group(runs + from, same, by, is_key(&keys, by));
    }
    for (size_t i = 0; i < count; i++)
        runs[i]->number = i + 1;
    return DT_OK;
}

static void sort_by_number(dt_report_run **runs, size_t count)
{
    for (size_t i = 1; i < count; i++)
        for (size_t to = i; to > 0 && runs[to]->number < runs[to - 1]->number; to--)
            move(runs, to, to - 1);
}

void dt_report_choose_drawn(dt_report_run **out, dt_report_run *const *runs, size_t count,
                            const char *key)
{
    dt_report_keys keys;
    char usual[REPORT_KEY_BYTES];
    dt_report_list_keys(&keys, runs, count);
    memcpy(out, runs, count * sizeof *out);
    if (key == NULL || is_key(&keys, key)) /* they are sorted by a result already */
        return;
    for (size_t from = 0, same = 0; from < count; from += same) {
        same = dt_report_group(runs + from, count - from);
        sort_group(out + from, same, usual_key(usual, runs + from, same), true);
        sort_by_number(out + from, same < REPORT_RUNS_DRAWN ? same : REPORT_RUNS_DRAWN);
    }
}

/* ---- differences ---- */

/* Facts that cannot change a result, or that follow from others that are shown. */
static bool is_of_interest(size_t group, const char *name)
{
    const unsigned out = DT_SETTING_SESSION | DT_SETTING_NO_WEIGHT | DT_SETTING_THREADS;
    static const char *const data_out[] = {"network", "task", NULL}; /* the option --task */
    static const char *const environment_in[] = {
        "ranks",
        "hosts",
        "cpu",
        "kernels",
        "blas",
        "blas_kernels",
        "openblas_coretype",
        "blas_threads",
        "dtrain_version",
        "git_commit",
        "host",
        "mpi",
        NULL,
    };
    if (group == offsetof(dt_report_run, config)) {
        const dt_option *option = dt_settings_option(name);
        return option == NULL || (option->flags & out) == 0;
    }
    if (group == offsetof(dt_report_run, data))
        return !dt_text_is_among(name, data_out);
    return dt_text_is_among(name, environment_in);
}

static const dt_report_facts *facts_of(const dt_report_run *run, size_t group)
{
    return (const dt_report_facts *)(const void *)((const char *)run + group);
}

/* The text in the log. */
static const char *text_of(const dt_report_run *run, const dt_report_difference *difference)
{
    return dt_report_fact_text(facts_of(run, difference->group), difference->name);
}

const char *dt_report_difference_text(const dt_report_run *run,
                                      const dt_report_difference *difference)
{
    const char *text = text_of(run, difference);
    const bool is_seed = difference->group == offsetof(dt_report_run, config) &&
                         strcmp(difference->name, "split_seed") == 0 && strcmp(text, "-1") == 0;
    return is_seed ? dt_report_fact_text(&run->config, "seed") : text;
}

/* If no run has a --split-seed, --seed alone shows the difference. */
static bool differs(dt_report_run *const *runs, size_t count,
                    const dt_report_difference *difference)
{
    bool in_log = false, shown = false;
    for (size_t i = 1; i < count; i++) {
        in_log = in_log || strcmp(text_of(runs[0], difference), text_of(runs[i], difference)) != 0;
        shown = shown || strcmp(dt_report_difference_text(runs[0], difference),
                                dt_report_difference_text(runs[i], difference)) != 0;
    }
    return in_log && shown;
}

static bool is_known(const dt_report_difference *known, size_t count, size_t group,
                     const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (known[i].group == group && strcmp(known[i].name, name) == 0)
            return true;
    return false;
}

dt_status dt_report_differences(dt_report_difference **out, size_t *out_count,
                                dt_report_run *const *runs, size_t count)
{
    static const size_t groups[] = {offsetof(dt_report_run, config), offsetof(dt_report_run, data),
                                    offsetof(dt_report_run, environment)};
    dt_status status = DT_OK;
    size_t room = 0, found = 0;
    *out = NULL;
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
        for (size_t i = 0; i < count; i++) {
            const dt_report_facts *facts = facts_of(runs[i], groups[g]);
            for (size_t f = 0; f < facts->count; f++) {
                dt_report_difference d = {.group = groups[g], .name = facts->items[f].name};
                if (!is_of_interest(groups[g], d.name) || !differs(runs, count, &d) ||
                    is_known(*out, found, groups[g], d.name))
                    continue;
                (void)snprintf(d.title, sizeof d.title, "%s%.70s",
                               g == 1 && strcmp(d.name, "inputs") == 0 ? "data " : "", d.name);
                if (found == room) {
                    DT_TRY(dt_memory_grow(out, room, 2 * room + 16, sizeof **out, "differences"));
                    room = 2 * room + 16;
                }
                (*out)[found++] = d;
            }
        }
    }
out:
    *out_count = found;
    return status;
}

bool dt_report_is_unusual(const dt_report_fact *option)
{
    const dt_option_table *table = dt_settings_table();
    char name[64];
    for (size_t i = 0; i < table->count; i++) {
        const dt_option *known = &table->options[i];
        (void)snprintf(name, sizeof name, "%s", known->name);
        for (char *c = name; *c != '\0'; c++)
            *c = *c == '-' ? '_' : *c;
        if (strcmp(name, option->name) != 0)
            continue;
        if (known->kind == DT_OPTION_FLAG)
            return option->number != 0.0;
        if (known->kind == DT_OPTION_FLOAT || known->kind == DT_OPTION_INT)
            return !isnan(option->number) && /* "none" */
                   option->number != strtod(known->fallback != NULL ? known->fallback : "", NULL);
        return strcmp(option->text, known->fallback != NULL ? known->fallback : "") != 0;
    }
    return option->text[0] != '\0';
}

/* ---- phases ---- */

const char *const dt_report_phase_names[REPORT_PHASES] = {
    "load", "forward", "backward", "all-reduce", "waiting", "update", "validate"};

double dt_report_phase_seconds(const dt_report_table *ranks, size_t rank, int phase)
{
    static const int columns[REPORT_PHASES] = {RANK_LOAD,      RANK_FORWARD, RANK_BACKWARD,
                                               RANK_ALLREDUCE, RANK_WAIT,    RANK_UPDATE,
                                               RANK_VALIDATE};
    const double seconds = ranks->columns[columns[phase]][rank];
    const double waited = ranks->columns[RANK_WAIT][rank];
    return columns[phase] == RANK_ALLREDUCE && waited > 0.0 ? fmax(0.0, seconds - waited) : seconds;
}

const char *dt_report_format_phase(char *out, size_t bytes, const dt_report_table *ranks,
                                   size_t rank, int phase)
{
    const double seconds = dt_report_phase_seconds(ranks, rank, phase);
    if (isnan(seconds))
        (void)snprintf(out, bytes, "-");
    else
        (void)snprintf(out, bytes, "%.4f", seconds);
    return out;
}
