#include "report_internal.h"

#include "dtrain/base/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- runs side by side ---- */

/* A key of dt_report_key_of, or "status"; the best run is marked if the title begins with +. */
typedef struct result_column {
    const char *key, *title;
} result_column;

static const result_column reached[] = {
    {"train_loss", "+train loss"}, {"val_loss", "+val loss"},
    {"test_loss", "+test loss"},   {"train_accuracy", "+train acc."},
    {"val_accuracy", "+val acc."}, {"test_accuracy", "+test acc."},
};
static const result_column qualities[] = {
    {"#_majority_accuracy", "majority acc."},
    {"#_roc_auc", "+ROC-AUC"},
    {"#_pr_auc", "+PR-AUC"},
    {"#_f1", "+F1"},
    {"#_log_loss", "+log loss"},
    {"#_calibration_error", "+calib. error"},
};
static const result_column course[] = {
    {"status", "status"},           {"epochs", "epochs"}, {"best_epoch", "best"},
    {"seconds", "seconds"},         {"ranks", "ranks"},   {"samples_per_second", "samples/s"},
    {"weights_crc", "weights CRC"},
};

enum { RESULT_COLUMNS_MAX = 7 };
#define RESULTS(columns) columns, sizeof(columns) / sizeof *(columns)
static const struct {
    const char *title; /* NULL: "on the test set", if any run has one */
    const result_column *columns;
    size_t count;
} results[REPORT_RESULTS] = {
    {"loss, accuracy", RESULTS(reached)}, {NULL, RESULTS(qualities)}, {"course", RESULTS(course)}};

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

void dt_report_fill_results(dt_text_table *out, int which, dt_report_run *const *runs, size_t count)
{
    const int set = dt_report_best_set(runs, count);
    const result_column *columns = results[which].columns;
    char keys[RESULT_COLUMNS_MAX][64];
    double best[RESULT_COLUMNS_MAX] = {0};
    *out = (dt_text_table){.first_width = 32, .width = 40};
    if (results[which].title == NULL && set < 0)
        return;
    if (results[which].title == NULL)
        dt_text_table_title(out, "on the %s set", dt_report_set_name(set));
    else
        dt_text_table_title(out, "%s", results[which].title);
    for (size_t c = 0; c < results[which].count; c++) {
        const bool has_best = columns[c].title[0] == '+';
        dt_text_table_title(out, ">%s", columns[c].title + has_best);
        (void)dt_report_key_of(keys[c], sizeof keys[c], columns[c].key, set);
        best[c] = has_best ? best_value(runs, count, keys[c]) : NAN;
    }
    for (size_t i = 0; i < count; i++) {
        dt_text_table_add(out, "%s", runs[i]->name);
        for (size_t c = 0; c < results[which].count; c++)
            add_result(out, runs[i], keys[c], best[c]);
    }
}

dt_status dt_report_fill_differences(dt_text_table *out, dt_report_run *const *runs, size_t count)
{
    dt_report_difference *differences = NULL;
    size_t found = 0;
    *out = (dt_text_table){.first_width = 32, .width = 40};
    const dt_status status = dt_report_differences(&differences, &found, runs, count);
    if (status == DT_OK && found > 0) {
        dt_text_table_title(out, "what differs");
        for (size_t d = 0; d < found; d++)
            dt_text_table_title(out, ">%s", differences[d].title);
        for (size_t i = 0; i < count; i++) {
            dt_text_table_add(out, "%s", runs[i]->name);
            for (size_t d = 0; d < found; d++) {
                const char *text = dt_report_difference_text(runs[i], &differences[d]);
                dt_text_table_add(out, "%s", text[0] != '\0' ? text : "-");
            }
        }
    }
    dt_memory_free(differences);
    return status;
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
    const dt_report_set *s = &run->sets[set];
    *out = (dt_text_table){0};
    if (s->C > 0 && s->C <= most)
        dt_text_table_confusion(out, s->confusion, s->C,
                                (const char *const *)run->class_names.texts,
                                run->class_names.count);
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
