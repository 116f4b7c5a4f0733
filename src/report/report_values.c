/* The numbers for comparing runs, which depend on the task. */
#include "report_internal.h"

#include "dtrain/base/text.h"
#include "dtrain/nn/loss.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- groups of runs ---- */

size_t dt_report_group(dt_report_run *const *runs, size_t count)
{
    size_t same = 0;
    while (same < count && dt_report_is_comparable(runs[same], runs[0]))
        same++;
    return same;
}

int dt_report_best_set(dt_report_run *const *runs, size_t count)
{
    for (int set = SETS - 1; set > SET_TRAIN; set--)
        for (size_t i = 0; i < count; i++)
            if (runs[i]->sets[set].there)
                return set;
    return -1;
}

/* ---- names ---- */

static const char *const set_prefixes[SETS] = {"train_", "val_", "test_"};

const char *dt_report_key(char out[REPORT_KEY_BYTES], int set, const char *name)
{
    (void)snprintf(out, REPORT_KEY_BYTES, "%s%s", set_prefixes[set], name);
    return out;
}

const char *dt_report_baseline_key(char out[REPORT_KEY_BYTES], int set, const dt_task *task)
{
    (void)snprintf(out, REPORT_KEY_BYTES, "%s%s_%s", set_prefixes[set], task->baseline,
                   task->qualities[0].name);
    return out;
}

const dt_metric *dt_report_metric(const dt_task *task, const char *name)
{
    for (size_t m = 0; m < task->metric_count; m++)
        if (strcmp(task->metrics[m].name, name) == 0)
            return &task->metrics[m];
    return NULL;
}

static const dt_quality_kind *find_quality(const dt_task *task, const char *name)
{
    for (size_t i = 0; i < task->quality_count; i++)
        if (strcmp(task->qualities[i].name, name) == 0)
            return &task->qualities[i];
    return NULL;
}

const char *dt_report_title(const dt_task *task, const char *name)
{
    const dt_quality_kind *kind = find_quality(task, name);
    return kind != NULL ? kind->title : name;
}

static bool has_several_targets(const dt_report_run *run)
{
    const dt_report_fact *values = dt_report_fact_find(&run->data, "values");
    return values != NULL && values->number > 1.0;
}

static const dt_loss *loss_of(const dt_report_run *run)
{
    const char *option = dt_report_fact_text(&run->config, "loss");
    for (size_t i = 0; i < DT_LOSS_COUNT; i++)
        if (strcmp(dt_losses[i]->option, option) == 0)
            return dt_losses[i];
    return run->task->loss;
}

static const char *unit_of(const dt_report_run *run, const dt_metric *metric)
{
    if (metric->unit == NULL)
        return loss_of(run)->unit;
    return metric->any_size && has_several_targets(run) ? "standard deviations of the target"
                                                        : metric->unit;
}

const char *dt_report_unit(dt_report_run *const *runs, size_t count, const dt_metric *metric)
{
    for (size_t i = 1; i < count; i++)
        if (strcmp(unit_of(runs[i], metric), unit_of(runs[0], metric)) != 0 ||
            (metric->unit == NULL && loss_of(runs[i]) != loss_of(runs[0])))
            return "";
    return unit_of(runs[0], metric);
}

static void add_key(dt_report_keys *out, const char *key)
{
    for (size_t i = 0; i < out->count; i++)
        if (strcmp(out->names[i], key) == 0)
            return;
    DT_ASSERT(out->count < REPORT_KEYS_MAX);
    (void)snprintf(out->names[out->count++], REPORT_KEY_BYTES, "%s", key);
}

static void add_task(dt_report_keys *out, int set, const dt_task *task)
{
    char key[REPORT_KEY_BYTES];
    add_key(out, dt_report_key(key, set, "rows"));
    for (size_t m = 0; m < task->metric_count; m++)
        add_key(out, dt_report_key(key, set, task->metrics[m].name));
    add_key(out, dt_report_baseline_key(key, set, task));
    for (size_t i = 0; i < task->quality_count; i++)
        add_key(out, dt_report_key(key, set, task->qualities[i].name));
}

void dt_report_list_keys(dt_report_keys *out, dt_report_run *const *runs, size_t count)
{
    static const char *const first[] = {"epochs", "best_epoch"};
    static const char *const last[] = {"seconds", "samples_per_second", "ranks", "weights_crc"};
    out->count = 0;
    for (size_t i = 0; i < sizeof first / sizeof *first; i++)
        add_key(out, first[i]);
    for (int set = 0; set < SETS; set++)
        for (size_t i = 0; i < count; i++)
            add_task(out, set, runs[i]->task);
    for (size_t i = 0; i < count; i++)
        if (runs[i]->task->classes)
            add_key(out, "threshold");
    for (size_t i = 0; i < sizeof last / sizeof *last; i++)
        add_key(out, last[i]);
}

/* ---- values ---- */

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

/* Until a run has ended, its best epoch replaces the evaluation. */
static double value_so_far(const dt_report_run *run, const char *quality)
{
    const size_t best = best_epoch(run);
    if (strcmp(run->status, "running") != 0 || best == SIZE_MAX)
        return NAN;
    const dt_metric *metric = dt_report_metric(run->task, quality);
    return metric != NULL ? run->epochs.columns[EPOCH_VAL(metric - run->task->metrics)][best] : NAN;
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

/* The part of a key behind its set; NULL: it is not of this set. */
static const char *name_in_set(const char *key, int set)
{
    const size_t length = strlen(set_prefixes[set]);
    return strncmp(key, set_prefixes[set], length) == 0 ? key + length : NULL;
}

static double value_of_set(const dt_report_run *run, int set, const char *name)
{
    const size_t length = strlen(run->task->baseline);
    const bool of_baseline = strncmp(name, run->task->baseline, length) == 0 && name[length] == '_';
    if (!run->sets[set].there)
        return set == SET_VALIDATION ? value_so_far(run, name) : NAN;
    if (of_baseline && has_several_targets(run))
        return NAN;
    return number_of(&run->sets[set].qualities, name);
}

double dt_report_value(const dt_report_run *run, const char *key)
{
    for (int set = 0; set < SETS; set++)
        if (name_in_set(key, set) != NULL)
            return value_of_set(run, set, name_in_set(key, set));
    if (strcmp(key, "ranks") == 0)
        return number_of(&run->environment, key);
    const double summed_up = number_of(&run->summary, key);
    return isnan(summed_up) ? value_of_epochs(run, key) : summed_up;
}

static bool is_larger_better(const dt_task *task, const char *name)
{
    const size_t length = strlen(task->baseline);
    if (strncmp(name, task->baseline, length) == 0 && name[length] == '_')
        name += length + 1;
    const dt_quality_kind *kind = find_quality(task, name);
    return kind != NULL && kind->larger_is_better;
}

bool dt_report_smaller_is_better(const char *key)
{
    for (int set = 0; set < SETS; set++)
        for (size_t i = 0; i < DT_TASK_COUNT; i++)
            if (name_in_set(key, set) != NULL &&
                is_larger_better(dt_tasks[i], name_in_set(key, set)))
                return false;
    return !dt_text_ends_in(key, "_per_second");
}

const char *dt_report_format(char *out, size_t bytes, const char *key, double value)
{
    char number[DT_TEXT_NUMBER_BYTES];
    if (isnan(value))
        (void)snprintf(out, bytes, "-");
    else if (strcmp(key, "weights_crc") == 0 && value >= 0.0 && value <= (double)UINT32_MAX)
        (void)snprintf(out, bytes, "%08llx", (unsigned long long)value);
    else if (dt_text_ends_in(key, "samples_per_second"))
        (void)snprintf(out, bytes, value < 1e16 ? "%.0f" : "%.4g", value);
    else if (strcmp(key, "seconds") == 0)
        (void)snprintf(out, bytes, value < 0.01 ? "%.4f" : value < 100.0 ? "%.3g" : "%.0f", value);
    else if (dt_text_ends_in(key, "epochs") || dt_text_ends_in(key, "best_epoch") ||
             dt_text_ends_in(key, "ranks") || dt_text_ends_in(key, "_rows"))
        (void)snprintf(out, bytes, "%.0f", value);
    else if (value == 0.0 || (fabs(value) >= 0.001 && fabs(value) < 100.0))
        (void)snprintf(out, bytes, "%.4f", value);
    else
        (void)snprintf(out, bytes, "%s", dt_text_number(number, value, fabs(value) < 1.0 ? 3 : 6));
    return out;
}
