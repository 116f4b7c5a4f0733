#include "dtrain/base/log.h"
#include "dtrain/base/text.h"
#include "report_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    LINE_BYTES = 1024,
    CLASSES_SHOWN = 20,
    CONFUSION_SHOWN = 10,
    RANKS_SHOWN = 16,
    RESTARTS_SHOWN = 32,
    TARGETS_SHOWN = 20
};

static void print_line(const char *title, const char *text)
{
    char line[LINE_BYTES];
    if (text[0] != '\0')
        dt_log_show("%-12s %s\n", title, dt_text_table_printable(line, sizeof line, text));
}

static void print_options(const dt_report_run *run)
{
    static const char *const shown[] = {"data", "loss", "task", NULL}; /* elsewhere */
    char line[LINE_BYTES];
    size_t printed = 0;
    for (size_t i = 0; i < run->config.count; i++) {
        const dt_report_fact *option = &run->config.items[i];
        if (dt_text_is_among(option->name, shown) || !dt_report_is_unusual(option))
            continue;
        (void)snprintf(line, sizeof line, "%.60s = %.900s", option->name, option->text);
        print_line(printed++ == 0 ? "options" : "", line);
    }
    if (printed == 0)
        print_line("options", "all as by default");
}

static void print_course(const dt_report_run *run)
{
    static const struct {
        const char *title, *key;
    } shown[] = {
        {"epochs", "epochs"},
        {"best epoch", "best_epoch"},
        {"threshold", "threshold"},
        {"seconds", "seconds"},
        {"samples/s", "samples_per_second"},
        {"ranks", "ranks"},
        {"weights CRC", "weights_crc"},
    };
    char text[64];
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        const double value = dt_report_value(run, shown[i].key);
        if (!isnan(value))
            print_line(shown[i].title, dt_report_format(text, sizeof text, shown[i].key, value));
    }
}

/* The network and the rows, if the file has them. */
static void print_data(const dt_report_run *run)
{
    static const char *const facts[][2] = {
        {"inputs", "inputs"},
        {"classes", "classes"},
        {"values", "targets"},
        {"parameters", "parameters"},
        {"train_rows", "training rows"},
        {"validation_rows", "validation rows"},
        {"test_rows", "test rows"},
    };
    const char *loss = dt_report_fact_text(&run->config, "loss");
    char line[LINE_BYTES];
    size_t used = 0;
    print_line("data", dt_report_fact_text(&run->config, "data"));
    (void)snprintf(line, sizeof line, "%s%s%.60s", run->task->name,
                   loss[0] != '\0' ? ", loss " : "", loss);
    print_line("task", line);
    line[0] = '\0';
    print_line("network", dt_report_fact_text(&run->data, "network"));
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        const char *text = dt_report_fact_text(&run->data, facts[i][0]);
        if (text[0] != '\0')
            used += (size_t)snprintf(
                line + used, sizeof line - used, "%s%.40s %.*s", used > 0 ? ", " : "", text,
                (int)strlen(facts[i][1]) - (strcmp(text, "1") == 0), facts[i][1]);
    }
    print_line("", line);
}

/* ---- tables ---- */

/* Below an empty line. */
DT_MUST_USE static dt_status print_table(dt_text_table *table)
{
    if (table->columns > 0)
        dt_log_show("\n");
    return dt_text_table_print(table);
}

/* A line of the table of qualities: a number for each set; no line if no set has it. */
static void add_quality(dt_text_table *table, const dt_report_run *run, const char *name,
                        const char *title, const char *unit)
{
    char key[REPORT_KEY_BYTES], text[64];
    bool any = false;
    for (int set = 0; set < SETS; set++)
        any = any || !isnan(dt_report_value(run, dt_report_key(key, set, name)));
    if (!any)
        return;
    dt_text_table_add(table, "%s", title);
    for (int set = 0; set < SETS; set++)
        if (run->sets[set].there) {
            (void)dt_report_key(key, set, name);
            dt_text_table_add(table, "%s",
                              dt_report_format(text, sizeof text, key, dt_report_value(run, key)));
        }
    dt_text_table_add(table, "%s", unit);
}

/* Metrics first: each is the number of training, even if it is also a quality. */
static void add_qualities(dt_text_table *table, dt_report_run *run)
{
    const dt_task *task = run->task;
    char name[64], title[64];
    add_quality(table, run, "rows", "rows", "");
    for (size_t m = 0; m < task->metric_count; m++) {
        const dt_metric *metric = &task->metrics[m];
        add_quality(table, run, metric->name, dt_report_title(task, metric->name),
                    dt_report_unit(&run, 1, metric));
    }
    (void)snprintf(name, sizeof name, "%s_%s", task->baseline, task->qualities[0].name);
    (void)snprintf(title, sizeof title, "%s %s", task->baseline, task->qualities[0].title);
    add_quality(table, run, name, title, task->baseline_means);
    for (size_t i = 0; i < task->quality_count; i++)
        if (dt_report_metric(task, task->qualities[i].name) == NULL)
            add_quality(table, run, task->qualities[i].name, task->qualities[i].title,
                        task->qualities[i].unit);
}

DT_MUST_USE static dt_status print_qualities(dt_report_run *run)
{
    dt_text_table table = {0};
    if (!run->sets[SET_TRAIN].there && !run->sets[SET_VALIDATION].there &&
        !run->sets[SET_TEST].there)
        return DT_OK;
    dt_text_table_title(&table, "%s", "");
    for (int set = 0; set < SETS; set++)
        if (run->sets[set].there)
            dt_text_table_title(&table, ">%s", dt_report_set_name(set));
    dt_text_table_title(&table, "%s", "");
    add_qualities(&table, run);
    return print_table(&table);
}

DT_MUST_USE static dt_status print_epochs(const dt_report_run *run)
{
    const dt_report_table *e = &run->epochs;
    const dt_task *task = run->task;
    dt_text_table table = {0};
    const double best = dt_report_value(run, "best_epoch");
    dt_text_table_titles(&table, "|>epoch");
    for (int val = 0; val < 2; val++)
        for (size_t m = 0; m < task->metric_count; m++)
            dt_text_table_title(&table, ">%s %s", val == 0 ? "train" : "val",
                                dt_report_title(task, task->metrics[m].name));
    for (size_t i = 0; i < e->rows; i++) {
        const bool is_best = e->columns[EPOCH_NUMBER][i] == best;
        char text[64];
        if (!is_best && i + 1 < e->rows)
            continue;
        dt_text_table_add(&table, "%s",
                          !is_best          ? "last"
                          : i + 1 < e->rows ? "best"
                                            : "best, last");
        dt_text_table_add(&table, "%.0f", e->columns[EPOCH_NUMBER][i]);
        for (int val = 0; val < 2; val++)
            for (size_t m = 0; m < task->metric_count; m++) {
                const int column = val == 0 ? EPOCH_TRAIN(m) : EPOCH_VAL(m);
                dt_text_table_add(
                    &table, "%s",
                    dt_report_format(text, sizeof text, "loss", e->columns[column][i]));
            }
    }
    return print_table(&table);
}

DT_MUST_USE static dt_status print_calibration(const dt_report_run *run, int set)
{
    const dt_report_table *bins = &run->sets[set].calibration;
    dt_text_table table = {0};
    for (size_t b = 0; b < bins->rows; b++) {
        double *const *columns = bins->columns;
        if (!(columns[BIN_ROWS][b] > 0.0))
            continue;
        if (table.columns == 0)
            dt_text_table_titles(&table, "confidence|>rows|>mean|>accuracy");
        dt_text_table_add(&table, "%.1f to %.1f", columns[BIN_LOWER][b], columns[BIN_UPPER][b]);
        dt_text_table_add(&table, "%.0f", columns[BIN_ROWS][b]);
        dt_text_table_add(&table, "%.4f", columns[BIN_CONFIDENCE][b]);
        dt_text_table_add(&table, "%.4f", columns[BIN_ACCURACY][b]);
    }
    return print_table(&table);
}

/* ---- the whole ---- */

dt_status dt_report_print_portrait(dt_report_run *run)
{
    dt_status status = DT_OK;
    dt_report_run *const runs[1] = {run};
    const int set = dt_report_best_set(runs, 1);
    dt_text_table table;
    print_line("run", run->name);
    print_line("status", run->status);
    print_line("started", dt_report_fact_text(&run->environment, "started"));
    print_data(run);
    print_options(run);
    print_course(run);
    dt_report_fill_restarts(&table, run, RESTARTS_SHOWN);
    DT_TRY(print_table(&table));
    dt_report_fill_folds(&table, run, RESTARTS_SHOWN);
    DT_TRY(print_table(&table));
    if (run->epochs.rows == 0) {
        dt_log_show("\nno epochs%s\n", strcmp(run->status, "running") == 0 ? " yet" : "");
        return DT_OK;
    }
    DT_TRY(print_epochs(run));
    DT_TRY(print_qualities(run));
    if (set >= 0) {
        dt_report_fill_classes(&table, run, set, CLASSES_SHOWN);
        DT_TRY(print_table(&table));
        dt_report_fill_confusion(&table, run, set, CONFUSION_SHOWN);
        DT_TRY(print_table(&table));
        DT_TRY(print_calibration(run, set));
        if (run->sets[set].targets.rows > 1) {
            dt_report_fill_targets(&table, run, set, TARGETS_SHOWN);
            DT_TRY(print_table(&table));
        }
        dt_report_fill_residuals(&table, run, set);
        DT_TRY(print_table(&table));
    }
    dt_report_fill_ranks(&table, run, RANKS_SHOWN);
    DT_TRY(print_table(&table));
    dt_log_show("\n");
    if (run->explanation.explanation.count > 0) {
        DT_TRY(dt_report_explanation_print(&run->explanation));
        dt_log_show("\n");
    }
out:
    return status;
}
