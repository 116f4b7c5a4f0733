#include "report_internal.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"
#include "dtrain/run/settings.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- results ---- */

#define OF_SET(set)                                                                                \
    set "_rows", set "_loss", set "_accuracy", set "_majority_accuracy", set "_roc_auc",           \
        set "_pr_auc", set "_precision", set "_recall", set "_f1", set "_log_loss", set "_brier",  \
        set "_calibration_error"

const char *const dt_report_keys[REPORT_KEYS] = {
    "epochs",  "best_epoch",         OF_SET("train"), OF_SET("val"), OF_SET("test"),
    "seconds", "samples_per_second", "ranks",         "weights_crc",
};

static double number_of(const dt_report_facts *facts, const char *name)
{
    const dt_report_fact *fact = dt_report_fact_find(facts, name);
    return fact != NULL ? fact->number : NAN;
}

/* The last that improved; SIZE_MAX without one. */
static size_t best_epoch(const dt_report_run *run)
{
    for (size_t i = run->epochs.rows; i-- > 0;)
        if (run->epochs.columns[EPOCH_IMPROVED][i] > 0.0)
            return i;
    return SIZE_MAX;
}

/* While a run is under way its best epoch stands for the evaluation to come. */
static double value_so_far(const dt_report_run *run, const char *quality)
{
    const size_t best = best_epoch(run);
    if (strcmp(run->status, "running") != 0 || best == SIZE_MAX)
        return NAN;
    if (strcmp(quality, "loss") == 0)
        return run->epochs.columns[EPOCH_VAL_LOSS][best];
    if (strcmp(quality, "accuracy") == 0)
        return run->epochs.columns[EPOCH_VAL_ACCURACY][best];
    return NAN;
}

static double value_of_epochs(const dt_report_run *run, const char *key)
{
    const dt_report_table *epochs = &run->epochs;
    double seconds = 0.0;
    if (strcmp(key, "epochs") == 0)
        return (double)epochs->rows;
    if (strcmp(key, "best_epoch") == 0) {
        const size_t best = best_epoch(run);
        return best == SIZE_MAX ? NAN : epochs->columns[EPOCH_NUMBER][best];
    }
    if (strcmp(key, "seconds") != 0 || epochs->rows == 0)
        return NAN;
    for (size_t i = 0; i < epochs->rows; i++)
        seconds += epochs->columns[EPOCH_SECONDS][i];
    return seconds;
}

static const char *const set_prefixes[SETS] = {"train_", "val_", "test_"};

const char *dt_report_key_of(char *out, size_t bytes, const char *key, int set)
{
    const bool of_set = strncmp(key, "#_", 2) == 0;
    (void)snprintf(out, bytes, "%s%s", of_set ? set_prefixes[set] : "", key + (of_set ? 2 : 0));
    return out;
}

double dt_report_value(const dt_report_run *run, const char *key)
{
    for (int set = 0; set < SETS; set++) {
        const size_t length = strlen(set_prefixes[set]);
        if (strncmp(key, set_prefixes[set], length) != 0)
            continue;
        if (run->sets[set].there)
            return number_of(&run->sets[set].qualities, key + length);
        return set == SET_VALIDATION ? value_so_far(run, key + length) : NAN;
    }
    if (strcmp(key, "ranks") == 0)
        return number_of(&run->environment, key);
    const double summed_up = number_of(&run->summary, key);
    return isnan(summed_up) ? value_of_epochs(run, key) : summed_up;
}

bool dt_report_smaller_is_better(const char *key)
{
    static const char *const larger[] = {"accuracy", "_auc", "precision",
                                         "recall",   "f1",   "_per_second"};
    for (size_t i = 0; i < sizeof larger / sizeof *larger; i++)
        if (dt_text_ends_in(key, larger[i]))
            return false;
    return true;
}

const char *dt_report_format(char *out, size_t bytes, const char *key, double value)
{
    if (isnan(value))
        (void)snprintf(out, bytes, "-");
    else if (strcmp(key, "weights_crc") == 0 && value >= 0.0 && value <= (double)UINT32_MAX)
        (void)snprintf(out, bytes, "%08llx", (unsigned long long)value);
    else if (dt_text_ends_in(key, "samples_per_second"))
        (void)snprintf(out, bytes, value < 1e16 ? "%.0f" : "%.4g", value);
    else if (strcmp(key, "seconds") == 0)
        (void)snprintf(out, bytes, value < 100.0 ? "%.3g" : "%.0f", value);
    else if (dt_text_ends_in(key, "epochs") || dt_text_ends_in(key, "best_epoch") ||
             dt_text_ends_in(key, "ranks") || dt_text_ends_in(key, "_rows"))
        (void)snprintf(out, bytes, "%.0f", value);
    else if (value == 0.0 || (fabs(value) >= 0.001 && fabs(value) < 1e5))
        (void)snprintf(out, bytes, "%.4f", value);
    else
        (void)snprintf(out, bytes, "%.3g", value);
    return out;
}

int dt_report_best_set(dt_report_run *const *runs, size_t count)
{
    for (int set = SETS - 1; set > SET_TRAIN; set--)
        for (size_t i = 0; i < count; i++)
            if (runs[i]->sets[set].there)
                return set;
    return -1;
}

/* ---- the order ---- */

typedef struct sort_key {
    bool there; /* those without come last */
    double number;
    const char *text;
} sort_key;

static bool is_key(const char *key)
{
    for (size_t i = 0; i < REPORT_KEYS; i++)
        if (strcmp(dt_report_keys[i], key) == 0)
            return true;
    return false;
}

/* An option that shares its name with a result is meant with "config_" before it. */
static const dt_report_fact *find_option(const dt_report_run *run, const char *key)
{
    char name[64];
    (void)snprintf(name, sizeof name, "%s", strncmp(key, "config_", 7) == 0 ? key + 7 : key);
    for (char *c = name; *c != '\0'; c++)
        *c = *c == '-' ? '_' : *c;
    return dt_report_fact_find(&run->config, name);
}

static sort_key sort_key_of(const dt_report_run *run, const char *key)
{
    sort_key r = {.number = NAN};
    if (strcmp(key, "name") == 0) {
        r.text = run->name;
    } else if (strcmp(key, "status") == 0) {
        r.text = run->status;
    } else if (is_key(key)) {
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

DT_MUST_USE static dt_status check_key(dt_report_run *const *runs, size_t count, const char *key)
{
    const char *known[REPORT_KEYS + 2 + DT_OPTION_MAX];
    size_t known_count = 0;
    if (is_key(key) || strcmp(key, "name") == 0 || strcmp(key, "status") == 0)
        return DT_OK;
    for (size_t i = 0; i < count; i++)
        if (find_option(runs[i], key) != NULL)
            return DT_OK;
    for (size_t i = 0; i < REPORT_KEYS; i++)
        known[known_count++] = dt_report_keys[i];
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
                   "learning_rate, or a result as val_loss, test_accuracy, seconds",
                   key);
}

dt_status dt_report_sort(dt_report_run **runs, size_t count, const char *key)
{
    const dt_status status = check_key(runs, count, key);
    for (size_t i = 1; i < count && status == DT_OK; i++) {
        dt_report_run *moved = runs[i];
        const sort_key r = sort_key_of(moved, key);
        size_t to = i;
        for (; to > 0; to--) {
            const sort_key before = sort_key_of(runs[to - 1], key);
            if (compare(&r, &before) >= 0)
                break;
            runs[to] = runs[to - 1];
        }
        runs[to] = moved;
    }
    return status;
}

/* ---- differences ---- */

/* What cannot change a result, or follows from something else that is shown. */
static bool is_of_interest(size_t group, const char *name)
{
    const unsigned out = DT_SETTING_SESSION | DT_SETTING_NO_WEIGHT | DT_SETTING_THREADS;
    static const char *const data_out[] = {"network", NULL};
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

const char *dt_report_difference_text(const dt_report_run *run,
                                      const dt_report_difference *difference)
{
    return dt_report_fact_text(facts_of(run, difference->group), difference->name);
}

static bool differs(dt_report_run *const *runs, size_t count,
                    const dt_report_difference *difference)
{
    for (size_t i = 1; i < count; i++)
        if (strcmp(dt_report_difference_text(runs[0], difference),
                   dt_report_difference_text(runs[i], difference)) != 0)
            return true;
    return false;
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
            return option->number != strtod(known->fallback != NULL ? known->fallback : "", NULL);
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
