#include "report_internal.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- runs side by side ---- */

enum { RESULT_COLUMNS_MAX = 32 };

/* Key and title of a column; `has_best`: its best number is marked. */
typedef struct result_column {
    char key[REPORT_KEY_BYTES], title[REPORT_KEY_BYTES];
    bool has_best;
} result_column;

typedef struct result_columns {
    size_t count;
    result_column items[RESULT_COLUMNS_MAX];
} result_columns;

DT_PRINTF(4, 5)
static void add_column(result_columns *out, const char *key, bool has_best, const char *format, ...)
{
    va_list arguments;
    DT_ASSERT(out->count < RESULT_COLUMNS_MAX);
    result_column *column = &out->items[out->count++];
    column->has_best = has_best;
    (void)snprintf(column->key, sizeof column->key, "%s", key);
    va_start(arguments, format);
    (void)vsnprintf(column->title, sizeof column->title, format, arguments);
    va_end(arguments);
}

/* Losses in different units have no best one; and who chooses a model by its test results has no
 * test set left. */
static void add_metrics(result_columns *out, dt_report_run *const *runs, size_t count)
{
    static const char *const sets[SETS] = {"train", "val", "test"};
    const dt_task *task = runs[0]->task;
    char key[REPORT_KEY_BYTES];
    for (size_t m = 0; m < REPORT_METRICS_COMPARED; m++) {
        const dt_metric *metric = &task->metrics[m];
        const bool comparable = dt_report_unit(runs, count, metric)[0] != '\0';
        for (int set = 0; set < SETS; set++)
            add_column(out, dt_report_key(key, set, metric->name),
                       comparable && set == SET_VALIDATION, "%s %s", sets[set],
                       dt_report_title(task, metric->name));
    }
}

/* A metric that the first table does not have is among them. */
static void add_qualities(result_columns *out, dt_report_run *const *runs, size_t count, int set)
{
    const dt_task *task = runs[0]->task;
    char key[REPORT_KEY_BYTES];
    add_column(out, dt_report_baseline_key(key, set, task), false, "%s %s", task->baseline,
               task->qualities[0].title);
    for (size_t i = 0; i < task->quality_count; i++) {
        const dt_quality_kind *kind = &task->qualities[i];
        const dt_metric *metric = dt_report_metric(task, kind->name);
        const bool comparable = set == SET_VALIDATION &&
                                (metric == NULL || dt_report_unit(runs, count, metric)[0] != '\0');
        if (kind->compared)
            add_column(out, dt_report_key(key, set, kind->name), comparable, "%s", kind->title);
    }
}

static bool any_has(dt_report_run *const *runs, size_t count, const char *key)
{
    bool any = false;
    for (size_t i = 0; i < count && !any; i++)
        any = !isnan(dt_report_value(runs[i], key));
    return any;
}

static void add_course(result_columns *out, dt_report_run *const *runs, size_t count)
{
    static const char *const course[][2] = {
        {"status", "status"},
        {"epochs", "epochs"},
        {"best_epoch", "best"},
        {"threshold", "threshold"},
        {"seconds", "seconds"},
        {"ranks", "ranks"},
        {"samples_per_second", "samples/s"},
        {"weights_crc", "weights CRC"},
    };
    for (size_t i = 0; i < sizeof course / sizeof *course; i++)
        if (strcmp(course[i][0], "threshold") != 0 || any_has(runs, count, "threshold"))
            add_column(out, course[i][0], false, "%s", course[i][1]);
}

static double best_value(dt_report_run *const *runs, size_t count, const char *key)
{
    const double sign = dt_report_smaller_is_better(key) ? 1.0 : -1.0;
    double best = NAN;
    for (size_t i = 0; i < count; i++)
        best = fmin(best, sign * dt_report_value(runs[i], key));
    return count > 1 ? sign * best : NAN;
}

static void add_result(dt_text_table *table, const dt_report_run *run, const char *key, double best)
{
    char text[64];
    if (strcmp(key, "status") == 0) {
        dt_text_table_add(table, "%s", run->status);
        return;
    }
    const double value = dt_report_value(run, key);
    dt_text_table_add(table, "%s", dt_report_format(text, sizeof text, key, value));
    if (value == best)
        dt_text_table_set_best(table);
}

/* Results that no run has: the pinball loss, if no quantile was trained. */
static void drop_empty(result_columns *columns, dt_report_run *const *runs, size_t count)
{
    size_t kept = 0;
    for (size_t c = 0; c < columns->count; c++)
        if (any_has(runs, count, columns->items[c].key))
            columns->items[kept++] = columns->items[c];
    columns->count = kept;
}

/* In six digits if it is a long number: the details have all of them. */
static void add_setting(dt_text_table *table, const char *text)
{
    enum { LONG = 12 };
    char *end = NULL, shown[DT_TEXT_NUMBER_BYTES];
    const double number = strtod(text, &end);
    if (strlen(text) > LONG && *end == '\0')
        dt_text_table_add(table, "%s", dt_text_number(shown, number, 6));
    else
        dt_text_table_add(table, "%s", text[0] != '\0' ? text : "-");
}

/* The differences stand before the results. */
static void fill(dt_text_table *out, const dt_report_difference *differences, size_t found,
                 const result_columns *columns, dt_report_run *const *runs, size_t count)
{
    double best[RESULT_COLUMNS_MAX] = {0};
    for (size_t d = 0; d < found; d++)
        dt_text_table_title(out, ">%s", differences[d].title);
    for (size_t c = 0; c < columns->count; c++) {
        const result_column *column = &columns->items[c];
        dt_text_table_title(out, ">%s", column->title);
        best[c] = column->has_best ? best_value(runs, count, column->key) : NAN;
    }
    for (size_t i = 0; i < count; i++) {
        dt_text_table_add(out, "%s", runs[i]->name);
        for (size_t d = 0; d < found; d++)
            add_setting(out, dt_report_difference_text(runs[i], &differences[d]));
        for (size_t c = 0; c < columns->count; c++)
            add_result(out, runs[i], columns->items[c].key, best[c]);
    }
}

void dt_report_fill_results(dt_text_table *out, int which, dt_report_run *const *runs, size_t count)
{
    const int set = dt_report_best_set(runs, count);
    result_columns columns = {0};
    *out = (dt_text_table){.first_width = 32, .width = 40};
    if (which == REPORT_METRICS) {
        dt_text_table_title(out, "%s", runs[0]->task->name);
        add_metrics(&columns, runs, count);
    } else if (which == REPORT_COURSE) {
        dt_text_table_title(out, "course");
        add_course(&columns, runs, count);
    } else if (set >= 0) {
        dt_text_table_title(out, "on the %s set", dt_report_set_name(set));
        add_qualities(&columns, runs, count, set);
        drop_empty(&columns, runs, count);
    }
    if (out->columns > 0)
        fill(out, NULL, 0, &columns, runs, count);
}

DT_MUST_USE static dt_status fill_differences(dt_text_table *out, const char *title,
                                              const result_columns *columns,
                                              dt_report_run *const *runs, size_t count)
{
    dt_report_difference *differences = NULL;
    size_t found = 0;
    *out = (dt_text_table){.first_width = 32, .width = 40};
    const dt_status status = dt_report_differences(&differences, &found, runs, count);
    if (status == DT_OK && found + columns->count > 0) {
        dt_text_table_title(out, "%s", title);
        fill(out, differences, found, columns, runs, count);
    }
    dt_memory_free(differences);
    return status;
}

dt_status dt_report_fill_differences(dt_text_table *out, dt_report_run *const *runs, size_t count)
{
    const result_columns none = {0};
    return fill_differences(out, "what differs", &none, runs, count);
}

dt_status dt_report_fill_overview(dt_text_table *out, dt_report_run *const *runs, size_t count)
{
    result_columns columns = {0};
    add_metrics(&columns, runs, count);
    return fill_differences(out, runs[0]->task->name, &columns, runs, count);
}

/* ---- one run ---- */

void dt_report_fill_classes(dt_text_table *out, const dt_report_run *run, int set, size_t most)
{
    const dt_report_table *classes = &run->sets[set].classes;
    const size_t shown = classes->rows < most ? classes->rows : most;
    char text[DT_TEXT_TABLE_CELL_BYTES];
    *out = (dt_text_table){.first_width = 30, .more = classes->rows - shown};
    if (shown == 0)
        return;
    dt_text_table_title(out, "class, %s set", dt_report_set_name(set));
    dt_text_table_titles(out, ">rows|>predicted|>precision|>recall|>F1|>ROC-AUC|>PR-AUC");
    for (size_t i = 0; i < shown; i++) {
        dt_text_table_add(out, "%s", dt_report_class_name(text, sizeof text, run, i));
        for (int c = CLASS_ROWS; c <= CLASS_PR_AUC; c++)
            dt_text_table_add(out, "%s",
                              dt_report_format(text, sizeof text,
                                               c <= CLASS_PREDICTED ? "_rows" : "f1",
                                               classes->columns[c][i]));
    }
}

void dt_report_fill_confusion(dt_text_table *out, const dt_report_run *run, int set, size_t most)
{
    const dt_report_counts *confusion = &run->sets[set].confusion;
    *out = (dt_text_table){0};
    if (confusion->extent[0] > 0 && confusion->extent[0] <= most)
        dt_text_table_confusion(out, confusion->counts, confusion->extent[0],
                                (const char *const *)run->class_names.texts,
                                run->class_names.count);
}

/* The qualities of the task in the table. */
static bool has_quality(const dt_report_table *targets, size_t quality)
{
    for (size_t i = 0; i < targets->rows; i++)
        if (!isnan(targets->columns[TARGET_QUALITIES + quality][i]))
            return true;
    return false;
}

void dt_report_fill_targets(dt_text_table *out, const dt_report_run *run, int set, size_t most)
{
    const dt_report_table *targets = &run->sets[set].targets;
    const dt_task *task = run->task;
    const size_t shown = targets->rows < most ? targets->rows : most;
    char text[64], name[DT_TEXT_TABLE_CELL_BYTES];
    *out = (dt_text_table){.first_width = 30, .more = targets->rows - shown};
    if (shown == 0)
        return;
    dt_text_table_title(out, "target, %s set", dt_report_set_name(set));
    for (size_t q = 0; q < task->quality_count; q++)
        if (has_quality(targets, q))
            dt_text_table_title(out, ">%s", task->qualities[q].title);
    dt_text_table_title(out, ">%s %s", task->baseline, task->qualities[0].title);
    for (size_t i = 0; i < shown; i++) {
        dt_text_table_add(out, "%s", dt_report_target_name(name, sizeof name, run, i));
        for (size_t q = 0; q < task->quality_count; q++)
            if (has_quality(targets, q))
                dt_text_table_add(out, "%s",
                                  dt_report_format(text, sizeof text, task->qualities[q].name,
                                                   targets->columns[TARGET_QUALITIES + q][i]));
        dt_text_table_add(out, "%s",
                          dt_report_format(text, sizeof text, task->qualities[0].name,
                                           targets->columns[TARGET_BASELINE][i]));
    }
}

/* Ten bins in units of the RMSE, which are the same for all targets, because the limit is four
 * times the RMSE. */
void dt_report_fill_residuals(dt_text_table *out, const dt_report_run *run, int set)
{
    enum { SHOWN = 10, TARGETS_SHOWN = 6, LIMIT_IN_RMSE = 4 };
    const dt_report_histogram *residuals = &run->sets[set].residuals;
    const size_t bins = residuals->extent[1], width = bins / SHOWN;
    const size_t T = residuals->extent[0] < TARGETS_SHOWN ? residuals->extent[0] : TARGETS_SHOWN;
    const double step = 2.0 * LIMIT_IN_RMSE / SHOWN;
    const char *counted = residuals->weighted ? "weight" : "rows";
    char name[DT_TEXT_TABLE_CELL_BYTES], shown[DT_TEXT_SHOWN_BYTES + 4];
    *out = (dt_text_table){0};
    if (T == 0 || bins % SHOWN != 0)
        return;
    dt_text_table_title(out, "residual in RMSE");
    for (size_t j = 0; j < T; j++) {
        (void)dt_report_target_name(name, sizeof name, run, j);
        if (T > 1)
            dt_text_table_title(out, ">%s, target %s", counted,
                                dt_text_show(shown, name, strlen(name)));
        else
            dt_text_table_title(out, ">%s", counted);
    }
    for (size_t b = 0; b < SHOWN; b++) {
        const double lower = step * (double)b - LIMIT_IN_RMSE;
        if (b == 0)
            dt_text_table_add(out, "below %.1f", lower + step);
        else if (b == SHOWN - 1)
            dt_text_table_add(out, "above %.1f", lower);
        else
            dt_text_table_add(out, "%.1f to %.1f", lower, lower + step);
        for (size_t j = 0; j < T; j++) {
            const double *rows = residuals->sums + j * bins;
            const double sum = dt_report_sum(rows + b * width, width);
            if (residuals->weighted)
                dt_report_add_aligned(out, sum, dt_report_sum(rows, bins), 5);
            else
                dt_text_table_add(out, "%.0f", sum);
        }
    }
}

void dt_report_fill_restarts(dt_text_table *out, const dt_report_run *run, size_t most)
{
    const dt_report_table *restarts = &run->restarts;
    const size_t shown = restarts->rows < most ? restarts->rows : most;
    char text[64];
    *out = (dt_text_table){.width = 30, .more = restarts->rows - shown};
    if (shown == 0)
        return;
    dt_text_table_titles(out, ">restart|>seed|status|>best epoch");
    const char *monitor = dt_report_fact_text(&run->config, "monitor");
    dt_text_table_title(out, ">%s", monitor[0] != '\0' ? monitor : "value");
    dt_text_table_title(out, "kept");
    for (size_t i = 0; i < shown; i++) {
        const double epoch = restarts->columns[RESTART_EPOCH][i];
        const bool kept = restarts->columns[RESTART_KEPT][i] > 0.0;
        dt_text_table_add(out, "%.0f", restarts->columns[RESTART_NUMBER][i]);
        dt_text_table_add(out, "%.0f", restarts->columns[RESTART_SEED][i]);
        dt_text_table_add(out, "%s",
                          i < run->restart_status.count ? run->restart_status.texts[i] : "-");
        /* 0: it diverged */
        dt_text_table_add(
            out, "%s",
            dt_report_format(text, sizeof text, "best_epoch", epoch > 0.0 ? epoch : NAN));
        dt_text_table_add(
            out, "%s",
            dt_report_format(text, sizeof text, "value", restarts->columns[RESTART_VALUE][i]));
        if (kept)
            dt_text_table_set_best(out);
        dt_text_table_add(out, "%s", kept ? "yes" : "no");
    }
}

void dt_report_fill_ranks(dt_text_table *out, const dt_report_run *run, size_t most)
{
    const dt_report_table *ranks = &run->ranks;
    const size_t shown = ranks->rows < most ? ranks->rows : most;
    char text[64];
    *out = (dt_text_table){.width = 30, .more = ranks->rows - shown};
    if (shown == 0)
        return;
    dt_text_table_titles(out, ">rank|host|>training rows");
    for (int phase = 0; phase < REPORT_PHASES; phase++)
        dt_text_table_title(out, ">%s s", dt_report_phase_names[phase]);
    for (size_t i = 0; i < shown; i++) {
        dt_text_table_add(out, "%.0f", ranks->columns[RANK_NUMBER][i]);
        dt_text_table_add(out, "%s", i < run->rank_hosts.count ? run->rank_hosts.texts[i] : "-");
        dt_text_table_add(out, "%.0f", ranks->columns[RANK_ROWS][i]);
        for (int phase = 0; phase < REPORT_PHASES; phase++)
            dt_text_table_add(out, "%s",
                              dt_report_format_phase(text, sizeof text, ranks, i, phase));
    }
}
