#ifndef DTRAIN_DATA_PREPARE_H
#define DTRAIN_DATA_PREPARE_H

#include "dtrain/base/status.h"
#include "dtrain/data/dataset.h"
#include "dtrain/data/preprocess.h"
#include "dtrain/data/recipe.h"
#include "dtrain/data/source.h"
#include "dtrain/io/csv.h"
#include "dtrain/io/date.h"
#include "dtrain/io/number.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Makes a recipe from a table, and prepares the table's rows with it, in three passes: a survey of
 * all rows, which decides the kind of each column and the set of each row; a fit on the training
 * rows only; and the application to all rows. Weights need another pass. Memory is four bits a row,
 * and grows with the distinct values of columns. All calls are local.
 *
 * With split_by, memory has 11 to 32 bytes for each group. With drop_duplicates the survey is made
 * once again without the repeats, if there are some; another pass finds them, with as many bytes
 * for each different row.
 */
typedef struct dt_prepare dt_prepare;

/** The way to split rows into sets. */
typedef enum dt_split_method {
    DT_SPLIT_STRATIFIED, /* at random, class by class (dt_split) */
    DT_SPLIT_RANDOM, /* at random */
    DT_SPLIT_ORDERED /* the first rows for training, the last for the test */
} dt_split_method;
#define DT_SPLIT_NAMES "stratified|random|ordered"

/** Texts that mean a missing value: pandas' (read_csv, na_values, release 2.2). */
#define DT_MISSING_TEXTS                                                                           \
    "NA, N/A, n/a, NaN, nan, NULL, null, None, <NA>, #N/A, #NA, #N/A N/A, -NaN, -nan, 1.#IND, "    \
    "-1.#IND, 1.#QNAN, -1.#QNAN"

/** The options of a preparation. Lists are separated by commas; empty texts are not given. */
typedef struct dt_prepare_plan {
    const char *target; /* one column, or several if they are values */
    dt_targets task; /* what the target is */
    const char *weights; /* column of row weights */
    const char *id; /* column whose cells name the rows; not an input */
    const char *drop, *numeric, *categorical; /* columns */
    const char *scale; /* METHOD or COLUMN=METHOD, ... */
    const char *fill; /* METHOD or COLUMN=METHOD, ...; a METHOD is for all columns that it applies
                       * to */
    const char *missing; /* cells that mean a missing value, beside empty ones and those of
                          * missing_only */
    const char *missing_only; /* NULL: DT_MISSING_TEXTS */
    const char *decimal; /* auto, point, comma, or COLUMN= one of them, ... */
    const char *thousands; /* auto, none, comma, point, space, quote, or COLUMN= one, ... */
    const char *dates; /* auto, none, an order of DT_DATE_NAMES, or COLUMN= one, ... */
    bool skips_malformed; /* rows that format->takes_malformed gives; else they are an error */
    dt_unseen unseen;
    size_t max_categories; /* of a column, at least 2; the rarest are joined */
    dt_split_method split_method;
    bool split_asked; /* --split was given; else values are split at random instead of stratified */
    const char *split_column; /* column with train, validation or test, instead of `split_method` */
    /* Rows with the same cell of this column go to the same set, instead of `split_method`: at
     * random, by seed and cell alone. It is an input only if the plan names its kind. */
    const char *split_by;
    bool drop_duplicates; /* keep the first of rows with the same inputs, targets and weight */
    double validation, test; /* below 1: shares of the rows; else numbers of rows */
    uint64_t seed;
} dt_prepare_plan;

/** The result of the survey for a column. */
typedef struct dt_prepare_column {
    const char *name;
    dt_role role;
    bool asked; /* the role is the plan's */
    const char *why; /* reason for its role or for dropping it; "" if that is obvious */
    bool is_constant; /* dropped because it has only one value, or is empty */
    bool is_counter; /* dropped because it counts the rows */
    bool is_text; /* dropped because its texts hardly repeat */
    bool is_key; /* its numbers look like keys, but are inputs */
    const char *text; /* the first text, to be shown; "": none */
    const char *kind; /* of texts that were dropped: "durations"; "": unknown */
    /* For texts that nearly all look like numbers: the first that is not a number, or that is not
     * one in the same form as `beside` (NULL: it is not a number). */
    const char *odd, *beside;
    const char *similar[2]; /* categories that differ only in blanks or case; NULL: none */
    uint64_t unit_cells, bare_cells; /* numbers with the format's unit; numbers without it, except
                                      * 0 */
    const char *bare; /* the first of these */
    uint64_t na_cells; /* that are 'NA' among codes of letters, and mean nothing */
    const char *zeros; /* the first number with leading zeros, as 01067; "": none */
    /* A number that repeats far more often than all others, and looks like a sign for a missing
     * value, such as -999: the text of its cells; NULL: there is none. */
    const char *sentinel;
    uint64_t sentinel_cells;
    dt_scale scale;
    dt_fill fill;
    uint64_t missing; /* cells */
    uint64_t distinct; /* values */
    bool distinct_is_more; /* there are more: counting stopped */
    uint64_t number_cells, text_cells; /* cells that are not empty */
    uint64_t digit_cells; /* of the texts: those that look like numbers (dt_number_is_like) */
    dt_number_format format; /* of its numbers, as in a recipe */
    dt_date_order order; /* of dates, and what follows them; as in a recipe */
    bool parts[DT_PART_COUNT];
    const char *written; /* a number with a group, a unit or another decimal sign than the table's;
                          * a date; "": there is none */
    double meant; /* by it */
    double minimum, maximum; /* of the numbers */
    const char *first, *last; /* of the texts, sorted; NULL when not all were kept */
} dt_prepare_column;

/** A target that is a value, measured on the training rows. */
typedef struct dt_prepare_target {
    const char *name;
    double mean, deviation, minimum, maximum;
} dt_prepare_target;

/** The result of the survey for the table. */
typedef struct dt_prepare_table {
    size_t column_count;
    const dt_prepare_column *columns; /* [column_count], in the table's order */
    char decimal; /* sign, where a column has no other */
    uint64_t rows; /* that are kept */
    uint64_t dropped_rows; /* rows with a missing value, malformed rows, and repeats */
    uint64_t malformed_rows; /* of them */
    const char *malformed; /* the error of the first: "t.csv: row 81 (line 83) has 1 field" */
    uint64_t repeated_rows; /* of these, rows that repeat earlier ones */
    const char *split_by; /* name of the column that keeps groups together; NULL: none */
    uint64_t group_counts[DT_SET_COUNT]; /* of each set */
    uint64_t set_rows[DT_SET_COUNT];
    dt_split_method split_method;
    const char *weights; /* name of the column; NULL: rows have no weights */
    /* With an id, after dt_prepare_fit: its longest cell; 0: all are whole numbers of 64 bits, as
     * they are usually written. */
    size_t id_characters;
    bool guessed; /* the plan did not set the task, and the target could be values */
    size_t T; /* targets of a row */
    const dt_prepare_target *targets; /* [T], known after dt_prepare_fit; NULL: classes */
    size_t class_count; /* 0: values */
    const char *const *classes; /* [class_count]: their names */
    const char *codes_advice; /* the option with which 'NA' is a code; "": there is none */
    const char *similar[2]; /* classes that differ only in blanks or case; NULL: there are none */
    const char *equal[2]; /* the same number in two texts, which are one class; NULL: none are */
    const uint64_t *class_rows[DT_SET_COUNT]; /* [class_count]; known after dt_prepare_fit */
} dt_prepare_table;

/** Called with the progress of a pass, 0 to 1; may be NULL. */
typedef void dt_prepare_progress(void *context, const char *pass, double share);

/** One row of a pass. */
typedef struct dt_prepare_row {
    dt_set set;
    uint64_t row; /* of the table, from 1 */
    const dt_csv_field *id, *group; /* in dt_prepare_identify, if rows have them; else NULL */
    int32_t label; /* the class; 0: the target is values */
    const double *values; /* [T], if the target is values; NULL: classes, or in dt_prepare_weigh */
    const float *x; /* [D], in the application; else NULL */
    double weight; /* if rows have weights, except in the fit; else 0 */
} dt_prepare_row;

/** Handles one row. A status other than DT_OK ends the pass. */
typedef dt_status dt_prepare_take(void *context, const dt_prepare_row *row);

/**
 * Reads all rows, and decides the roles of the columns.
 *
 * A column's role, where the plan does not say: numeric when all cells are numbers; categorical
 * when at least one in ten is none. Dropped are columns that count the rows (1, 2, 3 ...), texts
 * that hardly repeat, columns of one value, and empty ones. Texts hardly repeat when there are
 * fewer than two cells a value in more than 100 cells, or nine of ten or more of 20 to 100 cells
 * differ; when all differ, if there are more than categories; and when of more than 1000 values
 * those that become categories hold less than a quarter of the cells. Yet a column of one value and
 * missing cells needs a filling first: that they are missing may say something.
 *
 * Numbers look like keys when there are 20 or more, whole and not negative, 19 in 20 of them
 * differ, and either the last word of the name is id, key, nr, no, number, customer or the like, or
 * all have the same number of digits, eight or more, and are not times since 1970; numbers of 16
 * digits may even repeat. So do 32 or more that all differ and are all between the least and the
 * greatest, or go by one step from row to row, unless they are years or times; and numbers from
 * 10000 on that all differ, though six pairs or more would be equal if they were drawn from their
 * range. They stay inputs.
 *
 * A column is dates when more than nine in ten of its cells are dates in one order (others are an
 * error then), or all are months without a day or times; whole numbers when all are dates as
 * 20210131 and three or more differ. What follows the days (dt_recipe): the parts in which the
 * column varies, if it reaches over half a year, half a week or half a day; no weekday where all
 * dates are the same day of a month. A target that is dates is refused, unless `task` is given.
 *
 * A target is values if there are several columns, or if all its cells are numbers and some is not
 * whole, or more than 20 and more than half of the rows differ, or more than 100 and more than a
 * tenth, or all of three or more; else it is classes.
 *
 * Owns:    the caller frees with dt_prepare_free; `csv` and `plan` are borrowed until then
 * Errors:  DT_DATA, one line: as dt_csv_read; a column that is not there (the nearest name is
 *          given); names, and texts that are used, that are not UTF-8; text in a numeric column
 *          (row, line, column, cell); nothing in a cell of a column that knows no filling; no
 *          column that is left; a target that is one class or one value only, too many classes, or
 *          dates, or the same number as two classes ("1", "01"); a date whose order cannot be told;
 *          text or nothing in a target that is values, or in a weight; a negative weight; a set
 *          without rows, or a class without training rows. DT_USAGE: a plan that contradicts
 *          itself. DT_MEMORY. On error *out = NULL.
 */
DT_MUST_USE dt_status dt_prepare_survey(dt_prepare **out, dt_csv *csv, const dt_prepare_plan *plan,
                                        dt_prepare_progress *progress, void *context);

/** Returns the result of the survey; borrowed. */
const dt_prepare_table *dt_prepare_table_of(const dt_prepare *prepare);

/**
 * Measures the training rows, and makes the recipe; `take` gets every kept row's set and targets.
 *
 * Median, quartiles and quantiles are those of all training rows, up to 100,000 a column (fewer
 * when there are more than 40 such columns); beyond that, those of a sample of this size, drawn by
 * the seed.
 *
 * Errors:  DT_DATA, DT_MEMORY, what `take` returned
 */
DT_MUST_USE dt_status dt_prepare_fit(dt_prepare *prepare, dt_prepare_take *take, void *context);

/** Returns the recipe that dt_prepare_fit made; borrowed. */
const dt_recipe *dt_prepare_recipe(const dt_prepare *prepare);

/**
 * Passes every kept row's weight to `take`, after the fit. Errors: DT_DATA; what `take` returned.
 */
DT_MUST_USE dt_status dt_prepare_weigh(dt_prepare *prepare, dt_prepare_take *take, void *context);

/**
 * Passes every kept row's id and, with split_by, its group to `take`, after the fit.
 *
 * Errors: DT_DATA; what `take` returned.
 */
DT_MUST_USE dt_status dt_prepare_identify(dt_prepare *prepare, dt_prepare_take *take,
                                          void *context);

/**
 * Passes every kept row's number in the table to `take`, after the fit, without reading the table.
 * Errors: what `take` returned.
 */
DT_MUST_USE dt_status dt_prepare_trace(dt_prepare *prepare, dt_prepare_take *take, void *context);

/** Applies the recipe to every kept row. Errors: as dt_preprocess_row; what `take` returned. */
DT_MUST_USE dt_status dt_prepare_apply(dt_prepare *prepare, dt_prepare_take *take, void *context);

/** Returns the cells with a category that no training row had; after dt_prepare_apply; borrowed. */
const dt_row_note *dt_prepare_unseen(const dt_prepare *prepare);

/** Frees; NULL is allowed. */
void dt_prepare_free(dt_prepare *prepare);

#endif
