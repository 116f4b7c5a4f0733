#ifndef DTRAIN_DATA_PREPARE_INTERNAL_H
#define DTRAIN_DATA_PREPARE_INTERNAL_H

/* The state of the three passes of dt_prepare, and the functions that its files share. */

#include "dtrain/base/hash.h"
#include "dtrain/base/random.h"
#include "dtrain/base/text.h"
#include "dtrain/data/prepare.h"
#include "dtrain/data/split.h"

#include "../recipe/cells.h"
#include "../recipe/dictionary.h"
#include "../recipe/names.h"

#include <stdbool.h>

/* Kinds of a dictionary's entries. */
enum { DT_VALUE_NEW, DT_VALUE_NUMBER, DT_VALUE_TEXT, DT_VALUE_DATE };

/* The cells of a column as dates, while the orders are found. */
typedef struct dt_date_tally {
    uint64_t cells; /* that are dates */
    uint64_t values; /* distinct ones of these */
    unsigned orders; /* bit n: all are dates in dt_date_order n */
    bool has_months; /* some date is not a season, as 2009-10 is */
    char divider; /* in the last one */
    double first[DT_DATE_ORDERS], last[DT_DATE_ORDERS]; /* in orders with a day */
    char example[DT_TEXT_SHOWN_BYTES + 4]; /* the first */
    char doubtful[DT_TEXT_SHOWN_BYTES + 4]; /* the first ambiguous one */
} dt_date_tally;

/* The smallest of some numbers. */
typedef struct dt_extreme {
    double number, next; /* the second smallest */
    uint64_t cells; /* with it */
    char text[24]; /* of the first one; "": it is longer */
} dt_extreme;

/* One column, from the survey to the recipe. */
typedef struct dt_survey {
    bool asked; /* the role is the plan's */
    bool fill_asked, scale_asked;
    bool drops_rows; /* a row without a value here is dropped */
    bool is_value; /* a target or a weight: every cell must be a number */
    bool has_fraction; /* some number is not whole */
    bool keeps_step; /* each number so far was the previous one plus `step` */
    bool keeps_values; /* `values` has all distinct cells so far */
    bool no_dates; /* by the plan */
    bool is_compact; /* all numbers so far may be dates, as 20210131 */
    dt_date_order order; /* of its dates; DT_DATE_NONE: it has none */
    uint64_t numbers, texts; /* cells */
    uint64_t missing_row, missing_line; /* the first; the first one with a text if there is any */
    uint64_t empty; /* missing cells without a text */
    uint64_t na_cells; /* missing cells 'NA', also of rows that are left out for it */
    uint64_t missing_texts; /* bit n: a missing cell is text n; 63: or one behind it */
    char missing_text[DT_TEXT_SHOWN_BYTES + 4]; /* the first, to be shown */
    uint64_t text_row, text_line; /* the first */
    char text[DT_TEXT_SHOWN_BYTES + 4]; /* the first, to be shown */
    uint64_t digit_texts; /* texts that look like numbers */
    bool has_looks; /* some cell may be a number, or another number than was read */
    bool has_decimals; /* some cell certainly has the table's decimal sign */
    bool has_doubts, has_short; /* in some cell it may separate thousands; some cell is 1 to 999 */
    dt_number_format format; /* of its numbers */
    bool decimal_asked, group_asked; /* by the plan */
    uint64_t unit_cells, bare_cells; /* of the numbers: with the unit; without, but 0 */
    char bare[DT_TEXT_SHOWN_BYTES + 4]; /* the first of these */
    char written[DT_TEXT_SHOWN_BYTES + 4]; /* the first number that is not plain, and its meaning */
    char read_text[DT_TEXT_SHOWN_BYTES + 4]; /* a plain one that may mean another, as it is read */
    double read_number;
    double meant;
    char zeros[DT_TEXT_SHOWN_BYTES + 4]; /* the first number as 00501; "": none */
    dt_extreme low, high; /* of the numbers; of `high` with the other sign */
    uint64_t bad_row, bad_line; /* the first text that is not UTF-8; row 0: none */
    char bad_text[DT_TEXT_SHOWN_BYTES + 4]; /* to be shown */
    bool holds; /* a value, in a row that was dropped */
    uint64_t cells_kept; /* number of cells before `values` was full */
    double previous, step;
    dt_dictionary values; /* counts of all rows in the survey, of training rows in the fit */
    dt_date_tally dates;
    dt_date date; /* the first */
    bool varies[DT_PART_COUNT], day_varies, divider_varies; /* the others have another */
    bool has_short_years; /* some cell has */

    /* In the fit, of the training rows: */
    uint64_t fitted, missing; /* cells */
    double first, raw_first; /* f(x) and x of the first cell */
    double mean, squares; /* of f(x) - first; sum of the squared distances from the mean */
    double raw_mean; /* of x - raw_first; for DT_SCALE_LOG alone */
    double minimum, maximum; /* of x */
    double *sample; /* [up to sample_capacity] of x */
    size_t sample_count;
    dt_random random;
} dt_survey;

/* Rows that repeat earlier ones. */
typedef struct dt_repeats {
    unsigned char *bits; /* one for each row of the table */
    uint64_t rows; /* of the table */
    uint64_t count;
    /* Copies of all columns as found then: dropped columns stay dropped, although without the
     * repeats a column may no longer count the rows. */
    dt_prepare_column *columns;
} dt_repeats;

struct dt_prepare {
    dt_csv *csv;
    const dt_prepare_plan *plan;
    dt_prepare_progress *progress;
    void *progress_context;
    const char *pass;

    size_t count; /* of columns */
    const char **names; /* [count] */
    dt_prepare_column *columns; /* [count] */
    dt_survey *surveys; /* [count] */
    size_t T;
    size_t *targets; /* [T]: columns */
    size_t split_column, split_by, weights, id; /* SIZE_MAX: none */
    dt_split_method split_method;
    bool guessed; /* as dt_prepare_table.guessed */
    char codes_advice[512]; /* likewise */
    size_t missing_count;
    size_t missing_usual; /* of them, those that are not the plan's `missing` */
    char **missing_texts;
    dt_missing missing;
    char decimal; /* of columns for which no other was found or given */
    bool knows_numbers; /* the form of numbers in each column is known */
    bool knows_dates; /* the columns of dates are known */
    dt_date_order date_order; /* that the plan has for all columns */
    struct dt_number_tally *tallies; /* [count], while forms are found */
    dt_fill fill_numeric, fill_categorical;
    bool drops_rows; /* whatever is missing */

    dt_repeats repeats; /* dropped, too; without bits: no row repeats */
    dt_hash_set different; /* rows, while repeats are looked for */
    dt_hash_set groups; /* of split_by */
    uint64_t group_rows[DT_SET_COUNT], group_counts[DT_SET_COUNT];

    uint64_t rows, dropped_rows, malformed_rows, set_rows[DT_SET_COUNT];
    char malformed[256]; /* as dt_prepare_table.malformed */
    size_t class_count; /* 0: values, which count as one class */
    const char **classes; /* [class_count], sorted */
    const char *similar[2], *equal[2]; /* as in dt_prepare_table */
    uint64_t *class_rows[DT_SET_COUNT]; /* [class_count] */
    uint64_t *all_class_rows; /* [class_count] */
    double *values; /* [T]: of the row that is fitted; NULL: classes */
    dt_prepare_target *measured; /* [T]; NULL: classes */
    dt_prepare_table table;

    dt_split *split; /* for splits at random */
    uint64_t next_row; /* kept rows so far in this pass */
    uint64_t given_rows[DT_SET_COUNT]; /* of them, to each set */
    unsigned char *traces; /* two bits a row of the table: its set, or DT_SET_COUNT: dropped */
    size_t id_characters; /* of the longest id */
    bool id_is_text; /* of some row */
    size_t sample_capacity;
    dt_recipe recipe;
    struct dt_preprocess *preprocess;
    float *x; /* [D] */
    dt_target *y; /* [T] */
    dt_prepare_take *take;
    void *take_context;
};

/* prepare_common.c: shared by all passes */

/** Reads all rows again, and reports the progress. */
DT_MUST_USE dt_status dt_prepare_pass(dt_prepare *p, const char *name, dt_csv_take *take);

/** Reports the progress now and then. */
void dt_prepare_report_progress(const dt_prepare *p, const dt_csv_row *row);

/** Finds the column of a name, or of a number. Errors: DT_DATA. */
DT_MUST_USE dt_status dt_prepare_find_column(size_t *out, const dt_prepare *p, const char *name);

/**
 * Returns whether a row is dropped because a value is missing, or because it is malformed or a
 * repeat.
 */
bool dt_prepare_drops(const dt_prepare *p, const dt_csv_row *row);

/** Returns the class id of a kept row's target, which was surveyed before. Errors: DT_DATA. */
DT_MUST_USE dt_status dt_prepare_label(size_t *out, const dt_prepare *p, const dt_csv_row *row);

/** Reads a number, or a date in days; returns false when the cell is neither. */
bool dt_prepare_read(double *out, const dt_survey *survey, const dt_csv_field *cell);

/** Returns a number that was surveyed before. Errors: DT_DATA. */
DT_MUST_USE dt_status dt_prepare_number(double *out, const dt_prepare *p, const dt_csv_row *row,
                                        size_t c);

/** Fails because the file has changed since the survey. */
DT_MUST_USE dt_status dt_prepare_fail_changed(const dt_prepare *p);

/** Orders a column's values: as numbers when all are, else byte by byte. [count] pointers. */
void dt_prepare_sort(const dt_dictionary_entry **values, size_t count);

/** Fails because a column has too many distinct values. */
DT_MUST_USE dt_status dt_prepare_fail_distinct(const dt_prepare *p, const char *name);

/** Maximum number of distinct values of a column. */
enum { DT_PREPARE_DISTINCT_MAX = 1000000 };

/** Returns whether a column becomes inputs. */
bool dt_prepare_is_input(const dt_prepare_column *column);

/** Checks that the names of all columns are UTF-8. Errors: DT_DATA. */
DT_MUST_USE dt_status dt_prepare_check_names(const dt_prepare *p);

/** Fails with DT_DATA if the survey found a text in this column that is not UTF-8. */
DT_MUST_USE dt_status dt_prepare_check_text(const dt_prepare *p, size_t c);

/**
 * Returns whether so few of the cells are other than the rest that they are slips: fewer than one
 * in ten. More make another kind of column.
 */
bool dt_prepare_are_slips(uint64_t others, uint64_t cells);

/** Returns whether each cell of a column that holds something must be a number. */
bool dt_prepare_must_be_number(const dt_prepare *p, size_t c);

/** Returns the role of a column in words: "numeric", "a date". Owns: static text. */
const char *dt_prepare_role_words(dt_role role);

/* prepare_survey.c */

/** Looks at all cells of all columns that the plan does not drop. Errors: DT_DATA, DT_MEMORY. */
DT_MUST_USE dt_status dt_prepare_survey_all(dt_prepare *p);

/* prepare_plan.c */

/** Reads the plan's lists into the columns. Errors: DT_DATA, DT_USAGE, DT_MEMORY. */
DT_MUST_USE dt_status dt_prepare_read_plan(dt_prepare *p);

/* prepare_numbers.c */

/**
 * Finds the form of numbers in columns with texts that may be numbers, in a separate pass. Sets
 * *changed if a column has another form than the survey assumed: then the survey starts anew.
 * Errors: DT_DATA: the form is ambiguous; DT_MEMORY.
 */
DT_MUST_USE dt_status dt_prepare_find_numbers(bool *changed, dt_prepare *p);

/* prepare_slips.c */

/** Returns whether a column's cells are numbers with a few texts among them, most likely slips. */
bool dt_prepare_is_mixed(const dt_prepare *p, size_t c);

/** Fails for the mixed column `c` and all others, and names the options that solve it. */
DT_MUST_USE dt_status dt_prepare_fail_mixed(const dt_prepare *p, size_t c);

/** Fails for missing cells in the target or in the weights, `what`, in column `c`. */
DT_MUST_USE dt_status dt_prepare_fail_valueless(const dt_prepare *p, size_t c, const char *what);

/** Fails for column `c` and all others with missing cells without a filling. */
DT_MUST_USE dt_status dt_prepare_fail_unfilled(const dt_prepare *p, size_t c);

/** Finds columns of codes where NA may be one, too: that of Namibia, or of North America. */
void dt_prepare_find_codes(dt_prepare *p);

/* prepare_dates.c */

/** Starts a first pass. */
void dt_prepare_begin_dates(dt_survey *survey);

/** Returns in the first pass whether a new text is a date, and stores its possible meanings. */
bool dt_prepare_see_date(const dt_prepare *p, size_t c, const dt_csv_field *cell);

/** Updates whether all numbers may be dates with the next one, `number`. */
void dt_prepare_see_compact(dt_survey *survey, const dt_csv_field *cell, double number);

/**
 * Finds the columns of dates and their orders after the first pass. Sets *changed when there are
 * any: then the survey begins anew. Errors: DT_DATA: an order is ambiguous; a target is dates.
 */
DT_MUST_USE dt_status dt_prepare_find_dates(bool *changed, dt_prepare *p);

/** Reads a date, and records the parts that vary; returns false if it is not a date. */
bool dt_prepare_survey_date(double *out, dt_survey *survey, const dt_csv_field *cell);

/** Fails because a cell of a column that the plan reads as dates is not one. */
DT_MUST_USE dt_status dt_prepare_fail_date(const dt_prepare *p, size_t c, const dt_csv_row *row);

/** Decides the parts of dates that span this many days. */
void dt_prepare_find_parts(bool parts[DT_PART_COUNT], const dt_survey *survey, double span);

/* prepare_keys.c */

/**
 * Finds the reason why a column of texts is not categories; *why = NULL: it is. Errors: DT_MEMORY.
 */
DT_MUST_USE dt_status dt_prepare_find_text(const char **why, const dt_prepare *p, size_t c);

/** Returns a description of the texts of a dropped column; "": unknown. */
const char *dt_prepare_name_texts(const dt_prepare *p, size_t c);

/** Finds why texts that look like numbers are not numbers: column->odd and column->beside. */
void dt_prepare_find_odd(dt_prepare_column *column, const dt_survey *survey);

/** Returns whether a column's numbers go up or down by one step from row to row, in many rows. */
bool dt_prepare_keeps_step(const dt_survey *survey);

/** Returns whether a numeric column looks as if its numbers were keys. */
bool dt_prepare_is_key(const dt_prepare *p, size_t c);

/* prepare_roles.c */

/** Decides each column's role after the survey. Errors: DT_DATA, DT_USAGE. */
DT_MUST_USE dt_status dt_prepare_decide_roles(dt_prepare *p);

/* prepare_target.c */

/** Decides whether the target is classes or values, finds the classes, and checks the weights.
 * Errors: DT_DATA, DT_USAGE, DT_MEMORY. */
DT_MUST_USE dt_status dt_prepare_find_targets(dt_prepare *p);

/* prepare_recipe.c */

/** Makes the recipe from the measurements of the fit. Errors: DT_DATA, DT_MEMORY. */
DT_MUST_USE dt_status dt_prepare_make_recipe(dt_prepare *p);

/* prepare_repeats.c */

/**
 * Finds the rows that repeat earlier ones, by the kinds of the columns: cells of dropped columns do
 * not count. Errors: DT_DATA, DT_MEMORY.
 */
DT_MUST_USE dt_status dt_prepare_find_repeats(dt_repeats *out, dt_prepare *p);

/** Frees; zeroed repeats are allowed. */
void dt_prepare_clear_repeats(dt_repeats *repeats);

/* prepare_groups.c */

/** Finds the column that keeps groups together, and decides whether it is an input. Errors:
 * DT_DATA, DT_USAGE. */
DT_MUST_USE dt_status dt_prepare_read_groups(dt_prepare *p);

/** Removes all groups. */
void dt_prepare_begin_groups(dt_prepare *p);

/** Counts a kept row's group. Errors: DT_DATA: the row has none; DT_MEMORY. */
DT_MUST_USE dt_status dt_prepare_see_group(dt_prepare *p, const dt_csv_row *row);

/** Returns the set of a group: a function of the seed and the text. */
dt_set dt_prepare_set_of_group(const dt_prepare *p, const dt_csv_field *cell);

/* prepare_split.c */

/** Decides how many rows each set gets. Errors: DT_DATA, DT_USAGE, DT_MEMORY. */
DT_MUST_USE dt_status dt_prepare_plan_split(dt_prepare *p);

/** Returns the set of the next kept row, which is assigned in the fit. Errors: DT_DATA. */
DT_MUST_USE dt_status dt_prepare_next_set(dt_set *out, dt_prepare *p, const dt_csv_row *row,
                                          size_t label, bool fit);

#endif
