#include "dtrain/base/clock.h"
#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/io/file.h"
#include "report_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* gnuplot draws axes and words in black: they follow the page, light or dark. */
static const char style[] =
    ":root{color-scheme:light dark;--text:#1a1a1a;--page:#fff;--line:#ccc;--head:#f3f3f3;"
    "--shade:0,114,178}\n"
    "@media(prefers-color-scheme:dark){:root{--text:#e4e4e4;--page:#16181b;--line:#444;"
    "--head:#24272b;--shade:86,180,233}}\n"
    "body{font:15px/1.5 system-ui,sans-serif;color:var(--text);background:var(--page);"
    "max-width:1200px;margin:0 auto;padding:1rem}\n"
    "h1{font-size:1.6rem;margin:.3rem 0}h2{font-size:1.2rem;margin:2rem 0 .5rem;"
    "border-bottom:1px solid var(--line)}h3{font-size:1rem;margin:1rem 0 .3rem}\n"
    ".scroll{overflow-x:auto;margin:.5rem 0}table{border-collapse:collapse;font-size:.87rem}\n"
    "th,td{padding:.25rem .5rem;border:1px solid var(--line);text-align:right;white-space:nowrap;"
    "font-variant-numeric:tabular-nums}\n"
    "tr:first-child>th{vertical-align:bottom}"
    "tr:first-child>th:not(:first-child):not(.text){white-space:normal}\n"
    "th{background:var(--head)}th:first-child,td.text,th.text{text-align:left}\n"
    "td.best{font-weight:bold}td.long{white-space:normal;overflow-wrap:anywhere;text-align:left}\n"
    ".figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,440px),1fr));"
    "gap:1rem}.tables{display:flex;flex-wrap:wrap;gap:0 1.5rem}\n.tables>div{max-width:100%}"
    "figure{margin:0;min-width:0;max-width:620px}"
    "figcaption{font-weight:bold;margin:.3rem 0}\n"
    "figure svg{width:100%;height:auto;display:block}\n"
    "figure svg [fill='black']{fill:var(--text)}"
    "figure svg [stroke='black']{stroke:var(--text)}\n"
    "figure svg [color='black']{color:var(--text)}\n"
    "figure svg [fill-opacity]{fill:rgb(var(--shade))}\n"
    ".legend{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;padding:0;margin:.5rem 0;"
    "list-style:none;overflow-wrap:anywhere}\n"
    ".key{display:inline-block;width:2rem;border-top:3px solid;vertical-align:middle;"
    "margin-right:.4rem}\n"
    ".box{display:inline-block;width:.9rem;height:.9rem;vertical-align:middle;margin-right:.4rem}\n"
    "table.bars td{border:0;padding:.1rem .6rem .1rem 0}td.bar{width:min(14rem,22vw)}"
    "td.bar span{display:block;height:.8rem;background:rgb(var(--shade))}\n"
    "details{margin:.4rem 0}summary{cursor:pointer}.note{font-style:italic}\n";

/* ---- tables ---- */

enum {
    CONFUSION_SHOWN = 30,
    CLASSES_SHOWN = 100,
    RANKS_SHOWN = 64,
    TARGETS_SHOWN = 100,
    TARGETS_DRAWN = 4,
    AXIS_CHARACTERS = 40
};

/* Of runs of one task. */
static void add_units(dt_report_page *page, dt_report_run *const *runs, size_t count)
{
    const dt_task *task = runs[0]->task;
    dt_report_buffer_puts(&page->html, "<p>Units: ");
    for (size_t m = 0; m < task->metric_count; m++) {
        const char *unit = dt_report_unit(runs, count, &task->metrics[m]);
        dt_report_buffer_add(&page->html, "%s%s: %s", m > 0 ? "; " : "",
                             dt_report_title(task, task->metrics[m].name),
                             unit[0] != '\0' ? unit : "not the same for all runs");
    }
    dt_report_buffer_add(&page->html, ".%s</p>\n",
                         count > 1 ? " The best on the validation set are in bold." : "");
}

DT_MUST_USE static dt_status add_results(dt_report_page *page, dt_report_run *const *runs,
                                         size_t count)
{
    dt_status status = DT_OK;
    dt_text_table table;
    dt_report_buffer_puts(&page->html, "<h2>Results</h2>\n");
    for (size_t from = 0, same = 0; from < count; from += same) {
        same = dt_report_group(runs + from, count - from);
        if (same < count)
            dt_report_page_subject(page, runs + from, same);
        DT_TRY(dt_report_fill_overview(&table, runs + from, same));
        dt_report_page_table(page, &table, runs[from]->number);
        dt_report_fill_results(&table, REPORT_QUALITIES, runs + from, same);
        dt_report_page_table(page, &table, runs[from]->number);
        add_units(page, runs + from, same);
    }
    dt_report_fill_results(&table, REPORT_COURSE, runs, count);
    dt_report_page_table(page, &table, 1);
out:
    return status;
}

/* Of several groups; within a group the results have them. */
DT_MUST_USE static dt_status add_differences(dt_report_page *page, dt_report_run *const *runs,
                                             size_t count)
{
    dt_text_table table;
    if (dt_report_group(runs, count) == count)
        return DT_OK;
    const dt_status status = dt_report_fill_differences(&table, runs, count);
    dt_report_buffer_puts(&page->html, "<h2>What differs</h2>\n");
    dt_report_page_table(page, &table, 1);
    return status;
}

static void add_confusion(dt_report_page *page, const dt_report_run *run, int set)
{
    dt_text_table table;
    const size_t C = run->sets[set].confusion.extent[0];
    if (C == 0)
        return;
    dt_report_buffer_add(&page->html, "<h3>%zu: ", run->number);
    dt_report_buffer_escape(&page->html, run->name);
    dt_report_buffer_add(&page->html, ", %s set</h3>\n", dt_report_set_name(set));
    if (C > CONFUSION_SHOWN)
        dt_report_buffer_add(&page->html, "<p>%zu classes: the matrix is only in run.h5.</p>\n", C);
    dt_report_fill_confusion(&table, run, set, CONFUSION_SHOWN);
    dt_report_page_table(page, &table, 0);
}

static void add_classes(dt_report_page *page, const dt_report_run *run, int set)
{
    dt_text_table table;
    if (run->sets[set].classes.rows > 0)
        dt_report_buffer_puts(&page->html, "<h2>Classes</h2>\n");
    dt_report_fill_classes(&table, run, set, CLASSES_SHOWN);
    dt_report_page_table(page, &table, 0);
}

/* ---- the parts of the page ---- */

void dt_report_page_begin(dt_report_page *page, const char *title)
{
    char made[32];
    dt_clock_utc(made, sizeof made, "%Y-%m-%d %H:%M UTC");
    dt_report_buffer_puts(&page->html, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
                                       "<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
                                       "content=\"width=device-width, initial-scale=1\">\n<title>");
    dt_report_buffer_escape(&page->html, title);
    dt_report_buffer_add(
        &page->html, " - dtrain report</title>\n<style>\n%s</style>\n</head>\n<body>\n<h1>", style);
    dt_report_buffer_escape(&page->html, title);
    dt_report_buffer_add(&page->html, "</h1>\n<p>dtrain %s, %s", DTRAIN_VERSION, made);
}

static void add_head(dt_report_page *page, dt_report_run *const *runs, size_t count,
                     const char *sorted_by)
{
    char title[64];
    (void)snprintf(title, sizeof title, "%zu runs", count);
    dt_report_page_begin(page, count == 1 ? runs[0]->name : title);
    if (count > 1) {
        dt_report_buffer_puts(&page->html, "; in the order of ");
        dt_report_buffer_escape(&page->html, sorted_by != NULL ? sorted_by : "validation");
    }
    dt_report_buffer_puts(&page->html, "</p>\n");
    if (dt_report_group(runs, count) == count)
        dt_report_page_subject(page, runs, count);
    for (size_t i = 0; i < count; i++) {
        if (runs[i]->epochs.rows > 0 && strcmp(runs[i]->status, "running") != 0)
            continue;
        dt_report_buffer_puts(&page->html, "<p class=\"note\">");
        dt_report_buffer_escape(&page->html, runs[i]->name);
        dt_report_buffer_puts(&page->html, runs[i]->epochs.rows == 0
                                               ? strcmp(runs[i]->status, "running") == 0
                                                     ? ": no epochs yet.</p>\n"
                                                     : ": no epochs.</p>\n"
                                               : ": running, or killed; its validation metrics are "
                                                 "those of the best epoch.</p>\n");
    }
}

/* "ROC-AUC 0.9127 (validation), 0.9080 (test)" */
static void add_areas(dt_report_page *page, const dt_report_run *run, const char *name)
{
    char key[REPORT_KEY_BYTES], text[64];
    const char *title = dt_report_title(run->task, name), *before = "; ";
    for (int set = SET_VALIDATION; set < SETS; set++) {
        const double area = dt_report_value(run, dt_report_key(key, set, name));
        if (isnan(area))
            continue;
        dt_report_buffer_add(&page->html, "%s%s %s (%s)", before, title,
                             dt_report_format(text, sizeof text, key, area),
                             dt_report_set_name(set));
        before = ",";
        title = "";
    }
}

/* With the areas below the curves, if `areas`. */
static void add_legend(dt_report_page *page, dt_report_run *const *runs, size_t count, bool areas)
{
    static const char *const of[] = {"roc_auc", "pr_auc"};
    dt_report_buffer_puts(&page->html, "<ul class=\"legend\">\n");
    for (size_t i = 0; i < count && i < REPORT_RUNS_DRAWN; i++) {
        dt_report_buffer_add(&page->html,
                             "<li><span class=\"key\" style=\"border-color:%s\"></span>%zu: ",
                             dt_report_colours[i], runs[i]->number);
        dt_report_buffer_escape(&page->html, runs[i]->name);
        for (size_t k = 0; areas && k < sizeof of / sizeof *of; k++)
            add_areas(page, runs[i], of[k]);
        dt_report_buffer_puts(&page->html, "</li>\n");
    }
    if (count > REPORT_RUNS_DRAWN)
        dt_report_buffer_add(&page->html, "<li>only in the tables: %zu more</li>\n",
                             count - REPORT_RUNS_DRAWN);
    dt_report_buffer_puts(&page->html, "</ul>\n");
}

/* The figures of one metric of runs of one task; training and validation share one, if a run is
 * alone on the page. */
static void add_metric(dt_report_page *page, dt_report_run *const *runs, size_t count, bool alone,
                       size_t m)
{
    const dt_task *task = runs[0]->task;
    const char *name = dt_report_title(task, task->metrics[m].name);
    const char *unit = dt_report_unit(runs, count, &task->metrics[m]);
    char axis[96], training[64], validation[64];
    /* A longer unit does not fit beside the axis; it stands below the results. */
    const bool fits = unit[0] != '\0' && strlen(name) + strlen(unit) < AXIS_CHARACTERS;
    (void)snprintf(axis, sizeof axis, "%s%s%s", name, fits ? ", " : "", fits ? unit : "");
    (void)snprintf(training, sizeof training, "training %s", name);
    (void)snprintf(validation, sizeof validation, "validation %s", name);
    if (alone) {
        dt_report_chart_epochs(page, runs, 1, EPOCH_TRAIN(m), EPOCH_VAL(m), name, axis);
    } else {
        dt_report_chart_epochs(page, runs, count, EPOCH_TRAIN(m), -1, training, axis);
        dt_report_chart_epochs(page, runs, count, EPOCH_VAL(m), -1, validation, axis);
    }
}

static void add_curves(dt_report_page *page, dt_report_run *const *runs, size_t count)
{
    dt_report_buffer_puts(&page->html, "<h2>Learning curves</h2>\n");
    if (count == 1)
        dt_report_buffer_add(
            &page->html,
            "<ul class=\"legend\"><li><span class=\"key\" style=\"border-color:%s\">"
            "</span>training</li><li><span class=\"key\" style=\"border-color:%s\">"
            "</span>validation</li></ul>\n",
            dt_report_colours[0], dt_report_colours[1]);
    dt_report_buffer_puts(&page->html, "<p>A ring marks the best epoch.</p>\n");
    for (size_t from = 0, same = 0; from < count; from += same) {
        same = dt_report_group(runs + from, count - from);
        if (count > 1)
            add_legend(page, runs + from, same, false);
        dt_report_buffer_puts(&page->html, "<div class=\"figures\">\n");
        for (size_t m = 0; m < REPORT_METRICS_COMPARED; m++)
            add_metric(page, runs + from, same, count == 1, m);
        dt_report_buffer_puts(&page->html, "</div>\n");
    }
}

/* The explanation of the dots on the curves. */
static void add_threshold(dt_report_page *page, dt_report_run *const *runs, size_t count)
{
    bool any = false;
    for (size_t i = 0; i < count && i < REPORT_RUNS_DRAWN; i++)
        any = any || !isnan(dt_report_value(runs[i], "threshold"));
    if (any)
        dt_report_buffer_puts(&page->html,
                              "<p>The dot on a curve is the run's threshold, the minimum "
                              "probability at which class 1 is predicted.</p>\n");
}

/* For runs of one task, and the most important set. */
static void add_class_quality(dt_report_page *page, dt_report_run *const *runs, size_t count,
                              int set)
{
    dt_report_buffer_puts(&page->html, "<h2>Quality of the probabilities</h2>\n");
    add_legend(page, runs, count, true);
    add_threshold(page, runs, count);
    dt_report_buffer_puts(&page->html, "<div class=\"figures\">\n");
    for (int s = SET_VALIDATION; s < SETS; s++) {
        dt_report_chart_roc(page, runs, count, s);
        dt_report_chart_pr(page, runs, count, s);
    }
    for (int s = SET_VALIDATION; s < SETS; s++)
        dt_report_chart_calibration(page, runs, count, s);
    dt_report_buffer_puts(
        &page->html, "</div>\n"
                     "<h2>Confusion</h2>\n"
                     "<p>Rows by true and predicted class, and as shares of the true class.</p>\n"
                     "<div class=\"tables\">\n");
    for (size_t i = 0; i < count && i < REPORT_RUNS_DRAWN; i++) {
        dt_report_buffer_puts(&page->html, "<div>");
        add_confusion(page, runs[i], set);
        dt_report_buffer_puts(&page->html, "</div>\n");
    }
    dt_report_buffer_puts(&page->html, "</div>\n");
    if (count == 1)
        add_classes(page, runs[0], set);
}

/* The maximum number of targets of the runs that are drawn. */
static size_t targets_drawn(dt_report_run *const *runs, size_t count, int set)
{
    size_t most = 0;
    for (size_t i = 0; i < count; i++)
        most = runs[i]->sets[set].targets.rows > most ? runs[i]->sets[set].targets.rows : most;
    return most < TARGETS_DRAWN ? most : TARGETS_DRAWN;
}

/* Likewise. */
static void add_value_quality(dt_report_page *page, dt_report_run *const *runs, size_t count,
                              bool legend, int set)
{
    const size_t T = targets_drawn(runs, count, set);
    dt_text_table table;
    dt_report_buffer_puts(&page->html,
                          "<h2>Predictions and residuals</h2>\n"
                          "<p>A residual is the prediction minus the target. The outermost bins "
                          "also contain the rows beyond them. The colour of a cell follows the "
                          "logarithm of its rows, or of their weights.</p>\n");
    if (legend)
        add_legend(page, runs, count, false);
    dt_report_buffer_puts(&page->html, "<div class=\"figures\">\n");
    for (size_t i = 0; i < count && i < REPORT_RUNS_DRAWN; i++)
        for (size_t j = 0; j < T; j++)
            dt_report_chart_joint(page, runs[i], legend, set, j);
    for (int s = SET_VALIDATION; s < SETS; s++)
        for (size_t j = 0; j < T; j++)
            dt_report_chart_residuals(page, runs, count, s, j);
    dt_report_buffer_puts(&page->html, "</div>\n");
    for (size_t i = 0; i < count && i < REPORT_RUNS_DRAWN; i++) {
        if (runs[i]->sets[set].targets.rows < 2)
            continue;
        dt_report_buffer_add(&page->html, "<h3>%zu: ", runs[i]->number);
        dt_report_buffer_escape(&page->html, runs[i]->name);
        dt_report_buffer_puts(&page->html, "</h3>\n");
        dt_report_fill_targets(&table, runs[i], set, TARGETS_SHOWN);
        dt_report_page_table(page, &table, 0);
    }
}

static void add_quality(dt_report_page *page, dt_report_run *const *runs, size_t count)
{
    for (size_t from = 0, same = 0; from < count; from += same) {
        same = dt_report_group(runs + from, count - from);
        const int set = dt_report_best_set(runs + from, same);
        if (set < 0)
            continue;
        if (runs[from]->task->classes)
            add_class_quality(page, runs + from, same, set);
        else
            add_value_quality(page, runs + from, same, count > 1, set);
    }
}

static void add_times(dt_report_page *page, dt_report_run *const *runs, size_t count)
{
    dt_text_table table;
    size_t timed = 0;
    for (size_t i = 0; i < count; i++)
        timed += runs[i]->ranks.rows > 0;
    if (timed == 0)
        return;
    dt_report_buffer_puts(&page->html, "<h2>Time</h2>\n<ul class=\"legend\">\n");
    for (int phase = 0; phase < REPORT_PHASES; phase++)
        dt_report_buffer_add(&page->html,
                             "<li><span class=\"box\" style=\"background:%s\"></span>%s</li>\n",
                             dt_report_phase_colours[phase], dt_report_phase_names[phase]);
    dt_report_buffer_puts(&page->html, "</ul>\n"
                                       "<p>All-reduce excludes the estimated wait for other ranks; "
                                       "if the wait was not measured (-), it is included.</p>\n");
    if (count > 1) {
        dt_report_buffer_puts(&page->html, "<div class=\"figures\">\n");
        dt_report_chart_phases(page, runs, count);
        dt_report_buffer_puts(&page->html, "</div>\n");
    }
    for (size_t i = 0; i < count && i < REPORT_RUNS_DRAWN; i++) {
        if (runs[i]->ranks.rows == 0)
            continue;
        dt_report_buffer_add(&page->html, "<details%s><summary>%zu: ", count == 1 ? " open" : "",
                             i + 1);
        dt_report_buffer_escape(&page->html, runs[i]->name);
        dt_report_buffer_puts(&page->html, ", rank by rank</summary>\n<div class=\"figures\">\n");
        dt_report_chart_ranks(page, runs[i]);
        dt_report_buffer_puts(&page->html, "</div>\n");
        dt_report_fill_ranks(&table, runs[i], RANKS_SHOWN);
        dt_report_page_table(page, &table, 0);
        dt_report_buffer_puts(&page->html, "</details>\n");
    }
}

static void add_details(dt_report_page *page, dt_report_run *const *runs, size_t count)
{
    dt_report_buffer_puts(&page->html, "<h2>Configuration, data and environment</h2>\n");
    for (size_t i = 0; i < count; i++) {
        dt_report_buffer_add(&page->html, "<details><summary>%zu: ", runs[i]->number);
        dt_report_buffer_escape(&page->html, runs[i]->name);
        dt_report_buffer_puts(&page->html, "</summary>\n<p>");
        dt_report_buffer_escape(&page->html, runs[i]->path);
        dt_report_buffer_puts(&page->html, "</p>\n");
        dt_report_page_facts(page, "Configuration", &runs[i]->config);
        dt_report_page_facts(page, "Data", &runs[i]->data);
        dt_report_page_facts(page, "Environment", &runs[i]->environment);
        dt_report_buffer_puts(&page->html, "</details>\n");
    }
}

static const char restarts_headline[] =
    "<h2>Restarts</h2>\n<p>The run's model consists of the restarts that are kept. Its learning "
    "curves are those of the best restart.</p>\n";
static const char folds_headline[] =
    "<h2>Folds</h2>\n"
    "<p>The numbers of a fold are the scores, on the rows that it holds out, of the model that was "
    "trained on the others. The run's model predicts the mean of all; its learning curves are "
    "those of the best fold.</p>\n";

dt_status dt_report_page_write(dt_report_page *page, const char *path)
{
    dt_status status = DT_OK;
    if (page->why[0] != '\0') {
        dt_report_buffer_puts(&page->html, "<p class=\"note\">Some plots are missing: ");
        dt_report_buffer_escape(&page->html, page->why);
        dt_report_buffer_puts(&page->html, ". They are made by gnuplot (Debian: apt install "
                                           "gnuplot-nox).</p>\n");
    }
    dt_report_buffer_puts(&page->html, "</body>\n</html>\n");
    DT_TRY(page->html.status);
    DT_TRY(dt_file_replace(path, page->html.text, page->html.bytes));
    if (page->why[0] != '\0')
        dt_log_warn("%s: some plots are missing: %s; they are made by gnuplot (Debian: apt install "
                    "gnuplot-nox)",
                    path, page->why);
out:
    return status;
}

dt_status dt_report_write_html(const char *path, dt_report_run *const *runs,
                               dt_report_run *const *drawn, size_t count, const char *sorted_by)
{
    dt_status status = DT_OK;
    dt_report_page page = {0};
    add_head(&page, runs, count, sorted_by);
    DT_TRY(add_results(&page, runs, count));
    DT_TRY(add_differences(&page, runs, count));
    dt_report_page_runs(&page, runs, count, restarts_headline, dt_report_fill_restarts);
    dt_report_page_runs(&page, runs, count, folds_headline, dt_report_fill_folds);
    add_curves(&page, drawn, count);
    add_quality(&page, drawn, count);
    dt_report_page_explanations(&page, drawn, count);
    add_times(&page, runs, count);
    add_details(&page, runs, count);
    status = dt_report_page_write(&page, path);
out:
    dt_report_buffer_clear(&page.html);
    return status;
}
