#include "dtrain/base/log.h"
#include "report_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LINE_BYTES = 1024, CLASSES_SHOWN = 20, CONFUSION_SHOWN = 10, RANKS_SHOWN = 16 };

static void print_line(const char *title, const char *text)
{
    char line[LINE_BYTES];
    if (text[0] != '\0')
        dt_log_result("%-12s %s\n", title, dt_text_table_printable(line, sizeof line, text));
}

static void print_options(const dt_report_run *run)
{
    char line[LINE_BYTES];
    size_t printed = 0;
    for (size_t i = 0; i < run->config.count; i++) {
        const dt_report_fact *option = &run->config.items[i];
        if (strcmp(option->name, "data") == 0 || !dt_report_is_unusual(option))
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
        {"epochs", "epochs"},   {"best epoch", "best_epoch"},
        {"seconds", "seconds"}, {"samples/s", "samples_per_second"},
        {"ranks", "ranks"},     {"weights CRC", "weights_crc"},
    };
    char text[64];
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        const double value = dt_report_value(run, shown[i].key);
        if (!isnan(value))
            print_line(shown[i].title, dt_report_format(text, sizeof text, shown[i].key, value));
    }
}

/* The network and the rows, as far as the file says. */
static void print_data(const dt_report_run *run)
{
    static const char *const facts[][2] = {
        {"inputs", "inputs"},
        {"classes", "classes"},
        {"parameters", "parameters"},
        {"train_rows", "training rows"},
        {"validation_rows", "validation rows"},
        {"test_rows", "test rows"},
    };
    char line[LINE_BYTES];
    size_t used = 0;
    line[0] = '\0';
    print_line("data", dt_report_fact_text(&run->config, "data"));
    print_line("network", dt_report_fact_text(&run->data, "network"));
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        const char *text = dt_report_fact_text(&run->data, facts[i][0]);
        if (text[0] != '\0')
            used += (size_t)snprintf(line + used, sizeof line - used, "%s%.40s %s",
                                     used > 0 ? ", " : "", text, facts[i][1]);
    }
    print_line("", line);
}

/* ---- tables ---- */

/* Below an empty line. */
DT_MUST_USE static dt_status print_table(dt_text_table *table)
{
    if (table->columns > 0)
        dt_log_result("\n");
    return dt_text_table_print(table);
}

DT_MUST_USE static dt_status print_qualities(const dt_report_run *run)
{
    static const struct {
        const char *key, *title, *unit;
    } shown[] = {
        {"rows", "rows", ""},
        {"loss", "loss", "nats per row"},
        {"accuracy", "accuracy", "share of rows"},
        {"majority_accuracy", "majority", "accuracy of the most frequent class"},
        {"roc_auc", "ROC-AUC", "area under the curve"},
        {"pr_auc", "PR-AUC", "average precision"},
        {"precision", "precision", "mean over classes"},
        {"recall", "recall", "mean over classes"},
        {"f1", "F1", "mean over classes"},
        {"log_loss", "log loss", "nats per row, of the probabilities"},
        {"brier", "Brier score", "0 is best"},
        {"calibration_error", "calibration", "error, 10 bins"},
    };
    static const char *const prefixes[SETS] = {"train_", "val_", "test_"};
    dt_text_table table = {0};
    if (!run->sets[SET_TRAIN].there && !run->sets[SET_VALIDATION].there &&
        !run->sets[SET_TEST].there)
        return DT_OK;
    dt_text_table_title(&table, "%s", "");
    for (int set = 0; set < SETS; set++)
        if (run->sets[set].there)
            dt_text_table_title(&table, ">%s", dt_report_set_name(set));
    dt_text_table_title(&table, "%s", "");
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        dt_text_table_add(&table, "%s", shown[i].title);
        for (int set = 0; set < SETS; set++) {
            char key[64], text[64];
            (void)snprintf(key, sizeof key, "%s%s", prefixes[set], shown[i].key);
            if (run->sets[set].there)
                dt_text_table_add(
                    &table, "%s",
                    dt_report_format(text, sizeof text, key, dt_report_value(run, key)));
        }
        dt_text_table_add(&table, "%s", shown[i].unit);
    }
    return print_table(&table);
}

DT_MUST_USE static dt_status print_epochs(const dt_report_run *run)
{
    const dt_report_table *e = &run->epochs;
    dt_text_table table = {0};
    const double best = dt_report_value(run, "best_epoch");
    dt_text_table_titles(&table, "|>epoch|>train loss|>train acc.|>val loss|>val acc.");
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
        for (int c = EPOCH_TRAIN_LOSS; c <= EPOCH_VAL_ACCURACY; c++)
            dt_text_table_add(&table, "%s",
                              dt_report_format(text, sizeof text, "loss", e->columns[c][i]));
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
    if (run->epochs.rows == 0) {
        dt_log_result("\nno epochs%s\n", strcmp(run->status, "running") == 0 ? " yet" : "");
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
    }
    dt_report_fill_ranks(&table, run, RANKS_SHOWN);
    DT_TRY(print_table(&table));
    dt_log_result("\n");
out:
    return status;
}
