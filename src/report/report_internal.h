#ifndef DTRAIN_REPORT_REPORT_INTERNAL_H
#define DTRAIN_REPORT_REPORT_INTERNAL_H

#include "dtrain/base/status.h"
#include "dtrain/io/h5.h"
#include "dtrain/report/report.h"
#include "dtrain/report/text_table.h"
#include "dtrain/run/explanation_file.h"
#include "dtrain/task/task.h"
#include "report_buffer.h"
#include "report_gnuplot.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Shared by the files of `dtrain report`. All calls are local. */

/* ---- runs, as they were read (report_run.c) ---- */

/** An attribute of any kind, as text. */
typedef struct dt_report_fact {
    char *name, *text; /* a fraction with the digits that restore it, a list with blanks */
    double number; /* NaN if it is not a number */
} dt_report_fact;

typedef struct dt_report_facts {
    size_t count;
    dt_report_fact *items; /* in the order of their names */
} dt_report_facts;

enum { REPORT_COLUMNS_MAX = 16 };

/** The columns of a table that are used; a column that the file does not have is all NaN. */
typedef struct dt_report_table {
    size_t rows; /* 0: there is no such table, or it is empty */
    double *columns[REPORT_COLUMNS_MAX]; /* each [rows] */
} dt_report_table;

/* Behind them two columns for each metric of the run's task. */
enum { EPOCH_NUMBER, EPOCH_SECONDS, EPOCH_IMPROVED, EPOCH_METRICS };
#define EPOCH_TRAIN(metric) (EPOCH_METRICS + 2 * (int)(metric))
#define EPOCH_VAL(metric) (EPOCH_TRAIN(metric) + 1)
enum {
    CLASS_ROWS,
    CLASS_PREDICTED,
    CLASS_PRECISION,
    CLASS_RECALL,
    CLASS_F1,
    CLASS_ROC_AUC,
    CLASS_PR_AUC
};
enum { BIN_LOWER, BIN_UPPER, BIN_ROWS, BIN_CONFIDENCE, BIN_ACCURACY };
enum { CURVE_X, CURVE_Y, CURVE_THRESHOLD };
/* Behind them the qualities of the run's task. */
enum { TARGET_LIMIT, TARGET_LOW, TARGET_HIGH, TARGET_BASELINE, TARGET_QUALITIES };
enum {
    RANK_NUMBER,
    RANK_ROWS,
    RANK_LOAD,
    RANK_FORWARD,
    RANK_BACKWARD,
    RANK_ALLREDUCE,
    RANK_UPDATE,
    RANK_VALIDATE,
    RANK_WAIT /* part of all-reduce */
};

enum { RESTART_NUMBER, RESTART_SEED, RESTART_EPOCH, RESTART_VALUE, RESTART_KEPT };

/* Behind them the numbers that are shown. */
enum { FOLD_REPEAT, FOLD_NUMBER, FOLD_ROWS, FOLD_EPOCH, FOLD_SCORES };
enum { FOLD_SCORE_MEAN, FOLD_SCORE_DEVIATION, FOLD_SCORE_SHOWN };

enum { SET_TRAIN, SET_VALIDATION, SET_TEST, SETS };

/** Counts of rows; zeroed when the file does not have them. */
typedef struct dt_report_counts {
    size_t extent[3];
    int64_t *counts; /* [extent 0, 1, 2], or of fewer dimensions */
} dt_report_counts;

/** The same for rows that may have weights. */
typedef struct dt_report_histogram {
    size_t extent[3];
    bool weighted; /* sums of weights, else numbers of rows */
    double *sums; /* [extent 0, 1, 2], or of fewer dimensions; not negative */
} dt_report_histogram;

/** The scores of the final weights on one set. */
typedef struct dt_report_set {
    bool there;
    dt_report_facts qualities;
    dt_report_table classes, calibration; /* of classes */
    dt_report_table roc, pr; /* likewise: of class 1 of two */
    dt_report_counts confusion; /* [C, C] true, predicted */
    dt_report_table targets; /* of values; [T] */
    dt_report_histogram residuals; /* [T, bins], from -limit to limit */
    dt_report_histogram joint; /* [T, bins, bins] true, predicted; from low to high */
} dt_report_set;

typedef struct dt_report_run {
    size_t number; /* from 1, in the order in which the runs are shown */
    const dt_task *task;
    char *path, *name; /* as it was given; the name of the folder, or more of the path to make it
                        * unique */
    char *place; /* absolute path of run.h5, links resolved */
    char *status;
    dt_report_facts config, data, environment, summary;
    dt_report_table epochs, ranks;
    dt_report_table restarts; /* of a run with --restarts */
    dt_report_table folds, fold_scores; /* of a run with --folds: a row a fold, and a number */
    dt_report_set sets[SETS];
    dt_h5_names class_names; /* none when the run does not say */
    dt_h5_names target_names; /* likewise */
    dt_h5_names rank_hosts; /* likewise */
    dt_h5_names restart_status; /* likewise */
    dt_h5_names fold_status, fold_score_names; /* likewise */
    dt_explanation_file explanation; /* of explain.h5 in the folder, if it belongs to this model */
} dt_report_run;

/** Opens and reads one run; all but `name` and `number`. Errors: DT_DATA, naming the file;
 * DT_MEMORY. */
DT_MUST_USE dt_status dt_report_run_read(dt_report_run *out, const char *path);

/** Frees a run; a zeroed one is allowed. */
void dt_report_run_clear(dt_report_run *run);

/** Finds the numbers of folds that are shown, by their rows in fold_scores. Returns how many.
 * (report_folds.c) */
size_t dt_report_list_fold_scores(size_t out[REPORT_COLUMNS_MAX], const dt_report_run *run);

/** Gives each run a unique name. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_report_name_runs(dt_report_run *runs, size_t count);

/**
 * Reads the attributes of a group that have a text into zeroed *out; none if the group is missing.
 * There is room for one more fact. (report_attributes.c)
 *
 * Owns:    the caller clears *out with dt_report_facts_clear, also after an error
 * Errors:  DT_DATA, DT_MEMORY
 */
DT_MUST_USE dt_status dt_report_facts_read(dt_report_facts *out, dt_h5 *h5, const char *group);
void dt_report_facts_clear(dt_report_facts *facts);

/** Makes a fact. Errors: DT_MEMORY; what has been copied is freed with the facts. */
DT_MUST_USE dt_status dt_report_fact_set(dt_report_fact *out, const char *name, const char *text,
                                         double number);

/** Returns the fact of that name, NULL when there is none. */
const dt_report_fact *dt_report_fact_find(const dt_report_facts *facts, const char *name);

/** Returns the text of the fact of that name, "" when there is none. */
const char *dt_report_fact_text(const dt_report_facts *facts, const char *name);

/** Return the name of a class or target, or its number when names are not known. */
const char *dt_report_class_name(char *out, size_t bytes, const dt_report_run *run, size_t class);
const char *dt_report_target_name(char *out, size_t bytes, const dt_report_run *run, size_t target);

/** Formats a number with the fewest digits that restore it. Returns `out`. */
const char *dt_report_format_exact(char *out, size_t bytes, double value);

/** Returns "training", "validation", "test". */
const char *dt_report_set_name(int set);

/* ---- results (report_values.c) ---- */

/** Returns whether two runs have the same task and the same data: the files' names, the targets and
 * the number of rows in all sets. How the rows are split may differ. (report_subject.c) */
bool dt_report_is_comparable(const dt_report_run *a, const dt_report_run *b);

/** Returns how many of the runs, from the first one on, are comparable with the first one. */
size_t dt_report_group(dt_report_run *const *runs, size_t count);

/** Returns the most important set of the runs: the test set, else validation; -1: none. */
int dt_report_best_set(dt_report_run *const *runs, size_t count);

enum { REPORT_KEYS_MAX = 96, REPORT_KEY_BYTES = 48 };

/** Names of results: "epochs", "val_loss", "test_roc_auc", "test_baseline_rmse" ... */
typedef struct dt_report_keys {
    size_t count;
    char names[REPORT_KEYS_MAX][REPORT_KEY_BYTES];
} dt_report_keys;

/** Lists the results that runs of these tasks can have, in the order of --csv. */
void dt_report_list_keys(dt_report_keys *out, dt_report_run *const *runs, size_t count);

/** Returns the key of a number of a set: "val_" and `name`. */
const char *dt_report_key(char out[REPORT_KEY_BYTES], int set, const char *name);

/** Returns the key of the baseline's number that is most used to compare models of the task. */
const char *dt_report_baseline_key(char out[REPORT_KEY_BYTES], int set, const dt_task *task);

/** Returns the title of a metric or a quality of a task: "ROC-AUC"; its name if it has no title. */
const char *dt_report_title(const dt_task *task, const char *name);

/** Metrics that have curves, and columns of all sets: the loss, and the task's first measure. */
enum { REPORT_METRICS_COMPARED = 2 };

/** Returns the unit of a metric; "" if the runs, which are of one task, have different units or
 * different losses, so that their numbers cannot be compared. */
const char *dt_report_unit(dt_report_run *const *runs, size_t count, const dt_metric *metric);

/** Returns the metric of that name; NULL: the task has none. */
const dt_metric *dt_report_metric(const dt_task *task, const char *name);

/**
 * Returns a result of a run, NaN when it has none. With several targets, metrics are in standard
 * deviations of the targets, but the baseline's numbers are not: these are NaN then.
 */
double dt_report_value(const dt_report_run *run, const char *key);

/** Formats a result with its significant digits; "-" for none. Returns `out`. */
const char *dt_report_format(char *out, size_t bytes, const char *key, double value);

/** Returns whether smaller is better for results of that name. */
bool dt_report_smaller_is_better(const char *key);

/* ---- what is shown of them (report_facts.c) ---- */

/**
 * Sorts the runs of each task by a result, an option of the configuration, "name" or "status"; best
 * first, those without it last, equals in the order they were given in. NULL: by val_loss, or if
 * their losses differ by the task's first measure. Then numbers the runs.
 *
 * Errors:  DT_USAGE when none of the runs can have such a thing
 */
DT_MUST_USE dt_status dt_report_sort(dt_report_run **runs, size_t count, const char *key);

/**
 * Orders sorted runs for figures, in which only the first REPORT_RUNS_DRAWN of a group have room:
 * those are the best by validation if `key`, as in dt_report_sort, is not a result.
 *
 * Shapes:  out, runs [count]
 */
void dt_report_choose_drawn(dt_report_run **out, dt_report_run *const *runs, size_t count,
                            const char *key);

/** A fact that differs between the runs. */
typedef struct dt_report_difference {
    size_t group; /* offset of the list in dt_report_run */
    const char *name; /* borrowed from a run */
    char title[80];
} dt_report_difference;

/**
 * Finds the differences between the runs that may change a result: options, data, machine.
 *
 * Owns:    the caller frees *out with dt_memory_free
 */
DT_MUST_USE dt_status dt_report_differences(dt_report_difference **out, size_t *out_count,
                                            dt_report_run *const *runs, size_t count);

/** Returns a run's text of the fact, "" if it has none; of split_seed -1 the seed. */
const char *dt_report_difference_text(const dt_report_run *run,
                                      const dt_report_difference *difference);

/** Returns whether an option of the configuration differs from its default. */
bool dt_report_is_unusual(const dt_report_fact *option);

/**
 * Seconds of a rank in parts that do not overlap: all-reduce excludes waiting if that was measured.
 * NaN: not measured.
 */
enum { REPORT_PHASES = 7 };
extern const char *const dt_report_phase_names[REPORT_PHASES];
double dt_report_phase_seconds(const dt_report_table *ranks, size_t rank, int phase);

/** Formats seconds for a table; "-" for NaN. Returns `out`. */
const char *dt_report_format_phase(char *out, size_t bytes, const dt_report_table *ranks,
                                   size_t rank, int phase);

/* ---- tables, for stdout and the page (report_tables.c) ---- */

/** Tables of results: metrics of all sets, qualities of one set, and how the training went. The
 * runs of the first two have one task. */
enum { REPORT_METRICS, REPORT_QUALITIES, REPORT_COURSE };

/** Fills one of them, a row a run, in that order. */
void dt_report_fill_results(dt_text_table *out, int which, dt_report_run *const *runs,
                            size_t count);

/** Fills the table of dt_report_differences. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_report_fill_differences(dt_text_table *out, dt_report_run *const *runs,
                                                 size_t count);

/** Fills one table of both: what differs between runs of one group, and their metrics of all sets.
 * Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_report_fill_overview(dt_text_table *out, dt_report_run *const *runs,
                                              size_t count);

/**
 * Fill a table of one run, with at most `most` rows: a larger matrix has no columns, and neither
 * has a table of results that the run does not have.
 */
void dt_report_fill_classes(dt_text_table *out, const dt_report_run *run, int set, size_t most);
void dt_report_fill_confusion(dt_text_table *out, const dt_report_run *run, int set, size_t most);
void dt_report_fill_targets(dt_text_table *out, const dt_report_run *run, int set, size_t most);
void dt_report_fill_residuals(dt_text_table *out, const dt_report_run *run, int set);
void dt_report_fill_restarts(dt_text_table *out, const dt_report_run *run, size_t most);
void dt_report_fill_folds(dt_text_table *out, const dt_report_run *run, size_t most);
void dt_report_fill_ranks(dt_text_table *out, const dt_report_run *run, size_t most);

/* ---- outputs ---- */

/** Prints the tables: several runs side by side, or one in full. */
DT_MUST_USE dt_status dt_report_print(dt_report_run *const *runs, size_t count);
DT_MUST_USE dt_status dt_report_print_portrait(dt_report_run *run);

/** Prints all options and results of the runs as one JSON object. Errors: DT_MEMORY.
 * (report_json.c) */
DT_MUST_USE dt_status dt_report_print_json(dt_report_run *const *runs, size_t count);

/** Prints the learning curves as text, by gnuplot; without it a line that says so. */
DT_MUST_USE dt_status dt_report_print_curves(dt_report_run *const *runs, size_t count,
                                             size_t width);

/** Writes all options and results, a line a run, to a file, or to stdout for "-". */
DT_MUST_USE dt_status dt_report_write_csv(const char *path, dt_report_run *const *runs,
                                          size_t count);

/** Makes the text of a table. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_report_make_csv(dt_report_buffer *out, const dt_text_table *table);

/** Writes a table to a file, or to stdout for "-". Errors: DT_MEMORY, DT_OUTPUT. */
DT_MUST_USE dt_status dt_report_put_csv(const char *path, const dt_text_table *table);

/** Adds a cell with all digits of a number, empty if it is NaN. */
void dt_report_add_exact(dt_text_table *table, double value);

/** Adds a cell as dt_text_aligned writes it, "-" if it is NaN. */
void dt_report_add_aligned(dt_text_table *table, double value, double size, int digits);

/* ---- explanations (report_explanation.c, report_explanation_page.c) ---- */

/** Returns the number of a column's points, and their first one. */
size_t dt_report_points_of(size_t *first, const dt_explanation *e, int32_t number);

/**
 * Returns the most informative output of some points: the second of two classes, else the one that
 * varies most.
 */
size_t dt_report_output_shown(const dt_explanation *e, size_t first, size_t count);

/** Return the lengths of the bars of a column and of a point, 0 to 1. */
double dt_report_importance_share(const dt_explanation *e, size_t i);
double dt_report_bar_share(const dt_explanation *e, size_t first, size_t count, size_t output,
                           size_t point);

/** Returns the largest importances without their signs, `importance` and `second`, by which the
 * numbers of the columns line up. */
dt_column_importance dt_report_importance_size(const dt_explanation *e);

/** Returns the largest prediction of some points without its sign: the same for a dependence. */
double dt_report_prediction_size(const dt_explanation *e, size_t first, size_t count,
                                 size_t output);

/** How many runs are drawn, the first ones: so many colours can be told apart. Those beyond are in
 * the tables alone. */
enum { REPORT_COLOURS = 6, REPORT_RUNS_DRAWN = REPORT_COLOURS };

/** The page that is being written. */
typedef struct dt_report_page {
    dt_report_buffer html;
    size_t plots;
    char why[REPORT_GNUPLOT_WHY_BYTES]; /* why a plot is missing; "" while none is */
    bool given_up; /* on gnuplot */
} dt_report_page;

/** Begins a page: style, title, headline, and when it was made; that paragraph is left open. */
void dt_report_page_begin(dt_report_page *page, const char *title);

/** Ends the page and writes it. Errors: DT_OUTPUT, DT_MEMORY. */
DT_MUST_USE dt_status dt_report_page_write(dt_report_page *page, const char *path);

/** Adds what runs of one group trained on what: task, target, data, rows, and the network if it is
 * the same. (report_subject.c) */
void dt_report_page_subject(dt_report_page *page, dt_report_run *const *runs, size_t count);

/** Adds the same of a search, whose trials may have different networks. */
void dt_report_page_search_subject(dt_report_page *page, const dt_report_facts *config,
                                   const dt_report_facts *data);

/** Adds a row of a table of bars: a name, a bar of `share` (0 to 1), and a text behind it. */
void dt_report_page_bar(dt_report_page *page, const char *name, double share, const char *text);

/** Adds a table and frees its cells; nothing without columns. Rows are numbered from `first`; 0:
 * they are not. */
void dt_report_page_table(dt_report_page *page, dt_text_table *table, size_t first);

/** Fills a table of one run, with at most `most` rows. */
typedef void dt_report_fill(dt_text_table *out, const dt_report_run *run, size_t most);

/** Adds a table of each run that has one, under one headline; nothing if no run has one. */
void dt_report_page_runs(dt_report_page *page, dt_report_run *const *runs, size_t count,
                         const char *headline, dt_report_fill *fill);

/** Adds the runs' explanations, with a headline; nothing if no run has one. */
void dt_report_page_explanations(dt_report_page *page, dt_report_run *const *runs, size_t count);

/** Adds a table of names and texts; nothing when there are none. */
void dt_report_page_facts(dt_report_page *page, const char *title, const dt_report_facts *facts);

/**
 * Okabe and Ito's colours, which colour-blind readers can distinguish: for curves, and for phases.
 */
extern const char *const dt_report_colours[REPORT_COLOURS];
extern const char *const dt_report_phase_colours[REPORT_PHASES];

/** Maximum number of points of a curve. */
enum { REPORT_POINTS_MAX = 1000 };

/**
 * Functions for figures: they start a script, add a number or a curve's style to it, and add the
 * finished figure to the page, with a space between the thousands of a text that is a number. A
 * name in a script ends in a blank, so that it is no number. The title is not escaped.
 * (report_charts.c)
 */
void dt_report_figure_begin(dt_report_buffer *script, int width, int height);
void dt_report_figure_number(dt_report_buffer *script, double value);
void dt_report_figure_style(dt_report_buffer *script, size_t curve);
void dt_report_figure_add(dt_report_page *page, const dt_report_buffer *script, const char *title);

/** Returns the step for at most `most` ticks of whole numbers. */
double dt_report_figure_step(double range, double most);

double dt_report_sum(const double *sums, size_t count); /* of bins of a histogram */

/** Returns the step of about five ticks of an axis: its first digit is 1, 2 or 5. */
double dt_report_figure_ticks(double range);

/** Add one figure each to the page; nothing when there is nothing to draw. Runs that share a figure
 * have one task. Of values: `target` is drawn; `numbered`: the title has the run's number
 * (report_charts_classes.c, report_charts_values.c). */
void dt_report_chart_epochs(dt_report_page *page, dt_report_run *const *runs, size_t count,
                            int column, int second_column, const char *title, const char *axis);
void dt_report_chart_roc(dt_report_page *page, dt_report_run *const *runs, size_t count, int set);
void dt_report_chart_pr(dt_report_page *page, dt_report_run *const *runs, size_t count, int set);
void dt_report_chart_calibration(dt_report_page *page, dt_report_run *const *runs, size_t count,
                                 int set);
void dt_report_chart_residuals(dt_report_page *page, dt_report_run *const *runs, size_t count,
                               int set, size_t target);
void dt_report_chart_joint(dt_report_page *page, const dt_report_run *run, bool numbered, int set,
                           size_t target);
void dt_report_chart_phases(dt_report_page *page, dt_report_run *const *runs, size_t count);
void dt_report_chart_ranks(dt_report_page *page, const dt_report_run *run);

/** Writes the page. `drawn` has the runs as dt_report_choose_drawn orders them; `sorted_by` is the
 * order of `runs`, as in dt_report_sort. */
DT_MUST_USE dt_status dt_report_write_html(const char *path, dt_report_run *const *runs,
                                           dt_report_run *const *drawn, size_t count,
                                           const char *sorted_by);

#endif
