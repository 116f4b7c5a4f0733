#ifndef DTRAIN_REPORT_REPORT_INTERNAL_H
#define DTRAIN_REPORT_REPORT_INTERNAL_H

#include "dtrain/base/status.h"
#include "dtrain/io/h5.h"
#include "dtrain/report/text_table.h"
#include "report_buffer.h"
#include "report_gnuplot.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What the files of `dtrain report` share. Private to src/cli. All calls are local. */

/* ---- runs, as they were read (report_run.c) ---- */

/** An attribute of any kind, as text. */
typedef struct dt_report_fact {
    char *name, *text; /* a fraction in as many digits as it takes, a list with blanks */
    double number; /* NaN when it is no number */
} dt_report_fact;

typedef struct dt_report_facts {
    size_t count;
    dt_report_fact *items; /* in the order of their names */
} dt_report_facts;

enum { REPORT_COLUMNS_MAX = 9 };

/** The columns of a table that are of use here; one that the file has not is NaN throughout. */
typedef struct dt_report_table {
    size_t rows; /* 0: there is no such table, or it is empty */
    double *columns[REPORT_COLUMNS_MAX]; /* each [rows] */
} dt_report_table;

enum {
    EPOCH_NUMBER,
    EPOCH_TRAIN_LOSS,
    EPOCH_TRAIN_ACCURACY,
    EPOCH_VAL_LOSS,
    EPOCH_VAL_ACCURACY,
    EPOCH_SECONDS,
    EPOCH_IMPROVED
};
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
enum { ROC_FPR, ROC_TPR };
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

enum { SET_TRAIN, SET_VALIDATION, SET_TEST, SETS };

/** What the final weights reach on one set. */
typedef struct dt_report_set {
    bool there;
    dt_report_facts qualities;
    dt_report_table classes, calibration, roc;
    size_t C; /* of `confusion`; 0 without it */
    int64_t *confusion; /* [C, C] true, predicted */
} dt_report_set;

typedef struct dt_report_run {
    char *path, *name; /* as it was given; the folder's, or more of the path, unlike any other */
    char *place; /* absolute path of run.h5, links resolved */
    char *status;
    dt_report_facts config, data, environment, summary;
    dt_report_table epochs, ranks;
    dt_report_set sets[SETS];
    dt_h5_names class_names; /* none when the run does not say */
    dt_h5_names rank_hosts; /* likewise */
} dt_report_run;

/** Opens and reads one run; all but `name`. Errors: DT_DATA, naming the file; DT_MEMORY. */
DT_MUST_USE dt_status dt_report_run_read(dt_report_run *out, const char *path);

/** Frees a run; a zeroed one is allowed. */
void dt_report_run_clear(dt_report_run *run);

/** Gives each run a name unlike the others'. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_report_name_runs(dt_report_run *runs, size_t count);

/** Returns the fact of that name, NULL when there is none. */
const dt_report_fact *dt_report_fact_find(const dt_report_facts *facts, const char *name);

/** Returns the text of the fact of that name, "" when there is none. */
const char *dt_report_fact_text(const dt_report_facts *facts, const char *name);

/** Returns the class's name, or its id when names are not known. */
const char *dt_report_class_name(char *out, size_t bytes, const dt_report_run *run, size_t class);

/** Formats a number in as few digits as give it back. Returns `out`. */
const char *dt_report_format_exact(char *out, size_t bytes, double value);

/** Returns "training", "validation", "test". */
const char *dt_report_set_name(int set);

/** Returns the set that tells most of the runs: the test set, else validation; -1 for none. */
int dt_report_best_set(dt_report_run *const *runs, size_t count);

/* ---- what is shown of them (report_facts.c) ---- */

enum { REPORT_KEYS = 42 };

/** The results, in the order of --csv: "epochs", "val_loss", "test_roc_auc", "weights_crc" ... */
extern const char *const dt_report_keys[REPORT_KEYS];

/** Returns `key`, where one that begins with # is a quality of that set: "#_f1" is "test_f1". */
const char *dt_report_key_of(char *out, size_t bytes, const char *key, int set);

/** Returns a result of a run, NaN when it has none. */
double dt_report_value(const dt_report_run *run, const char *key);

/** Formats a result for people: as many digits as tell something; "-" for none. Returns `out`. */
const char *dt_report_format(char *out, size_t bytes, const char *key, double value);

/** Tells whether the better of two results of that name is the smaller one. */
bool dt_report_smaller_is_better(const char *key);

/**
 * Sorts runs by a result, an option of the configuration, "name" or "status"; best first, those
 * without it last, equals in the order they were given in.
 *
 * Errors:  DT_USAGE when none of the runs can have such a thing
 */
DT_MUST_USE dt_status dt_report_sort(dt_report_run **runs, size_t count, const char *key);

/** Something that the runs have in different kinds: a member of one of their lists of facts. */
typedef struct dt_report_difference {
    size_t group; /* offset of the list in dt_report_run */
    const char *name; /* borrowed from a run */
    char title[80];
} dt_report_difference;

/**
 * Finds what differs between the runs, of what may change a result: options, data, machine.
 *
 * Owns:    the caller frees *out with dt_memory_free
 */
DT_MUST_USE dt_status dt_report_differences(dt_report_difference **out, size_t *out_count,
                                            dt_report_run *const *runs, size_t count);

/** Returns what a run has there, "" when it has nothing. */
const char *dt_report_difference_text(const dt_report_run *run,
                                      const dt_report_difference *difference);

/** Tells whether an option of the configuration has not its default. */
bool dt_report_is_unusual(const dt_report_fact *option);

/**
 * Seconds a rank spent, in parts that do not overlap: all-reduce is without waiting, where that was
 * measured. NaN is what was not.
 */
enum { REPORT_PHASES = 7 };
extern const char *const dt_report_phase_names[REPORT_PHASES];
double dt_report_phase_seconds(const dt_report_table *ranks, size_t rank, int phase);

/** Formats the above for a table; "-" for NaN. Returns `out`. */
const char *dt_report_format_phase(char *out, size_t bytes, const dt_report_table *ranks,
                                   size_t rank, int phase);

/* ---- tables, for stdout and the page (report_tables.c) ---- */

enum { REPORT_RESULTS = 3 };

/** Fills one of the tables of results, which have a row a run, in that order. */
void dt_report_fill_results(dt_text_table *out, int which, dt_report_run *const *runs,
                            size_t count);

/** Fills the table of dt_report_differences. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_report_fill_differences(dt_text_table *out, dt_report_run *const *runs,
                                                 size_t count);

/**
 * Fill a table of one run, with at most `most` rows: a matrix of more is left without columns, and
 * so is a table of what the run does not have.
 */
void dt_report_fill_classes(dt_text_table *out, const dt_report_run *run, int set, size_t most);
void dt_report_fill_confusion(dt_text_table *out, const dt_report_run *run, int set, size_t most);
void dt_report_fill_ranks(dt_text_table *out, const dt_report_run *run, size_t most);

/* ---- outputs ---- */

/** Prints the tables: several runs side by side, in `width` columns of text, or one in full. */
DT_MUST_USE dt_status dt_report_print(dt_report_run *const *runs, size_t count, size_t width);
DT_MUST_USE dt_status dt_report_print_portrait(dt_report_run *run);

/** Prints the learning curves as text, by gnuplot; without it a line that says so. */
DT_MUST_USE dt_status dt_report_print_curves(dt_report_run *const *runs, size_t count,
                                             size_t width);

/** Writes all options and results, a line a run, to a file, or to stdout for "-". */
DT_MUST_USE dt_status dt_report_write_csv(const char *path, dt_report_run *const *runs,
                                          size_t count);

/** How many runs are drawn: so many can be told apart. Those beyond are in the tables alone. */
enum { REPORT_RUNS_DRAWN = 12, REPORT_COLOURS = 6 };

/** What the page is made in. */
typedef struct dt_report_page {
    dt_report_buffer html;
    size_t plots;
    char why[REPORT_GNUPLOT_WHY_BYTES]; /* why a plot is missing; "" while none is */
    bool given_up; /* on gnuplot */
} dt_report_page;

/** Adds a table and frees its cells; nothing without columns. `numbered`: with a number a row. */
void dt_report_page_table(dt_report_page *page, dt_text_table *table, bool numbered);

/** Adds a table of names and texts; nothing when there are none. */
void dt_report_page_facts(dt_report_page *page, const char *title, const dt_report_facts *facts);

/** Okabe and Ito's colours, which the colour-blind tell apart: of curves, and of phases. */
extern const char *const dt_report_colours[REPORT_COLOURS];
extern const char *const dt_report_phase_colours[REPORT_PHASES];

/** Add one figure each to the page; nothing when there is nothing to draw (report_charts.c). */
void dt_report_chart_epochs(dt_report_page *page, dt_report_run *const *runs, size_t count,
                            int column, int second_column, const char *title, const char *axis);
void dt_report_chart_roc(dt_report_page *page, dt_report_run *const *runs, size_t count, int set);
void dt_report_chart_calibration(dt_report_page *page, dt_report_run *const *runs, size_t count,
                                 int set);
void dt_report_chart_phases(dt_report_page *page, dt_report_run *const *runs, size_t count);
void dt_report_chart_ranks(dt_report_page *page, const dt_report_run *run);

/** Writes the page. `sorted_by` is what the runs are in the order of. */
DT_MUST_USE dt_status dt_report_write_html(const char *path, dt_report_run *const *runs,
                                           size_t count, const char *sorted_by);

#endif
