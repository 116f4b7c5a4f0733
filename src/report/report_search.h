#ifndef DTRAIN_REPORT_REPORT_SEARCH_H
#define DTRAIN_REPORT_REPORT_SEARCH_H

/* Searches in `dtrain report`. All calls are local. */

#include "report_internal.h"

#include <stdbool.h>
#include <stddef.h>

/* A setting that the trials vary. */
typedef struct dt_report_setting {
    const char *name; /* as an option: "learning-rate"; borrowed from `names` */
    const char *values; /* its values in the space; likewise */
    bool is_range, is_log;
    double *numbers; /* [trials]; NULL: its values are texts */
    dt_h5_names texts; /* [trials], else */
    size_t *groups; /* [trials]: a choice each, or a quarter of the numbers */
    size_t group_count;
    double share; /* share of the trials' ranking that the groups explain, 0 to 1 */
} dt_report_setting;

enum {
    SEARCH_TRIAL,
    SEARCH_RUNG,
    SEARCH_EPOCHS,
    SEARCH_BEST_EPOCH,
    SEARCH_SECONDS,
    SEARCH_RANKS,
    SEARCH_PARAMETERS,
    SEARCH_VALUE,
    SEARCH_DEVIATION,
    SEARCH_COLUMNS
};

typedef struct dt_report_search {
    char *path, *place; /* as it was given; absolute path of search.h5, links resolved */
    char *status, *reason, *monitor, *sample; /* monitor: "val_loss" */
    bool larger_is_better;
    int64_t halving, ranks;
    size_t trials;
    double *columns[SEARCH_COLUMNS]; /* each [trials] */
    bool has_deviation; /* with folds: that of the value over them */
    dt_h5_names states, reasons; /* [trials] */
    size_t *order; /* [trials]: the best first; those without a value last */
    size_t ranked; /* of them, those with a value */
    dt_h5_names names, values; /* of the space; names with dashes */
    size_t setting_count;
    dt_report_setting *settings; /* the one that matters most first */
    size_t curve_rows;
    double *curve_trial, *curve_epoch, *curve_value; /* [curve_rows] */
    dt_report_facts config, data, environment;
} dt_report_search;

/* Returns whether a path is that of a search: its folder, or search.h5. */
bool dt_report_is_search(const char *path);

/* Opens and reads a search. Errors: DT_DATA, naming the file; DT_MEMORY. Owns: the caller clears,
 * also after an error. */
DT_MUST_USE dt_status dt_report_search_read(dt_report_search *out, const char *path);

/* Frees; a zeroed one is allowed. */
void dt_report_search_clear(dt_report_search *search);

/* Divides each setting's values into groups, and sorts the settings by what they explain of the
 * order of the trials. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_report_search_find_what_matters(dt_report_search *search);

/* Returns a trial's value of a setting as text. */
const char *dt_report_search_text(char out[64], const dt_report_setting *setting, size_t trial);

/* Fills the ranking, at most `most` rows. */
void dt_report_fill_trials(dt_text_table *out, const dt_report_search *search, size_t most);

/* Returns the median and the best value, and the number, of a group's ranked trials. */
typedef struct dt_report_group_values {
    size_t count;
    double median, best;
    char name[64]; /* "64", "0.001 to 0.003" */
} dt_report_group_values;
DT_MUST_USE dt_status dt_report_search_group(dt_report_group_values *out,
                                             const dt_report_search *search,
                                             const dt_report_setting *setting, size_t group);

/* Describes the cost of the best trial; "" if there is none. Returns `out`. */
const char *dt_report_search_cost(char *out, size_t bytes, const dt_report_search *search);

/* Prints the search. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_report_search_print(const dt_report_search *search);

/* Writes all trials, a line each, to a file, or to stdout for "-". Errors: DT_OUTPUT, DT_MEMORY. */
DT_MUST_USE dt_status dt_report_search_csv(const char *path, const dt_report_search *search);

/* Prints all trials, the best first, as one JSON object. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_report_search_json(const dt_report_search *search);

/* Writes the page. Errors: DT_OUTPUT, DT_MEMORY. */
DT_MUST_USE dt_status dt_report_search_html(const char *path, const dt_report_search *search);

#endif
