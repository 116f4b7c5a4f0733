#ifndef DTRAIN_TASK_EXPLANATION_H
#define DTRAIN_TASK_EXPLANATION_H

#include "dtrain/base/status.h"
#include "dtrain/comm/comm.h"
#include "dtrain/data/recipe.h"
#include "dtrain/data/rows.h"
#include "dtrain/nn/predictor.h"
#include "dtrain/task/task.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Which columns of the data matter to a model, and how its predictions depend on them. A column is
 * a column of the recipe with all its inputs; without a recipe, each input is a column. Every
 * number is the same, bit for bit, on any number of ranks.
 */

/** Bytes of a name or a value with its NUL; longer texts are cut. */
enum { DT_EXPLANATION_TEXT_BYTES = 128 };

typedef enum dt_column_kind { DT_COLUMN_NUMBER, DT_COLUMN_DATE, DT_COLUMN_CATEGORY } dt_column_kind;

/**
 * The importance of a column: how much worse the metric becomes if the column's values are permuted
 * over the rows; the mean of the repeats. It is positive if the metric becomes worse.
 *
 * Source:  Breiman, "Random forests", 2001; sklearn.inspection.permutation_importance
 */
typedef struct dt_column_importance {
    char column[DT_EXPLANATION_TEXT_BYTES];
    int32_t number; /* of the column among all, in the order of their inputs, from 0 */
    int32_t kind; /* a dt_column_kind */
    int32_t inputs;
    double importance, standard_error; /* the error is NaN for a single repeat */
    double second, second_error; /* likewise, by dt_explanation.second */
} dt_column_importance;

/** A value that is assigned to a column in all rows. */
typedef struct dt_dependence_point {
    char column[DT_EXPLANATION_TEXT_BYTES];
    char text[DT_EXPLANATION_TEXT_BYTES]; /* the value for people: a number, a date, a category */
    int32_t number, kind; /* of the column */
    double value; /* in the column's unit; of a date in days; NaN: a category, or none */
    double share; /* share of the rows whose value is nearest to this point */
} dt_dependence_point;

typedef struct dt_explanation {
    const dt_task *task;
    const dt_quality_kind *metric, *second;
    uint64_t N; /* rows */
    bool weighted; /* rows have weights, which all metrics and means use */
    uint64_t seed;
    size_t repeats;
    size_t count; /* columns */
    double *unpermuted; /* [qualities of the task]: of the model; NaN where undefined */
    double *permuted; /* [count, repeats, qualities]; the columns in the order of `columns` */
    dt_column_importance *columns; /* [count]: the largest importance first */
    uint64_t dependence_rows; /* whose predictions are averaged; 0: there are no points */
    size_t C; /* outputs */
    size_t point_count;
    dt_dependence_point *points; /* [point_count]: column after column, in the order of `columns` */
    double *predictions; /* [point_count, C]: mean probabilities, or values in the targets' units */
    size_t cut; /* columns with more categories than points */
} dt_explanation;

/** The options of an explanation; the same on all ranks. */
typedef struct dt_explanation_plan {
    const dt_recipe *recipe; /* of the model, borrowed; NULL: none */
    const dt_quality_kind *metric; /* one of the task's; NULL: loss, or RMSE for values */
    uint64_t seed;
    size_t repeats; /* from 1 on */
    size_t points; /* maximum of a column; for categories the most frequent ones. 0: none */
    uint64_t rows; /* maximum number of rows for an average, at least 1; they are drawn by the
                    * seed */
    int host_ranks; /* ranks on this host */
} dt_explanation_plan;

/**
 * Reads all rows, which have targets, and explains the predictor's network.
 *
 * Repeat r of column c uses a permutation of 0 .. N-1, drawn by dt_random_permutation from the
 * stream (seed, DT_RANDOM_EXPLAIN, c << 32 | r): row n gets the inputs that row permutation[n] has
 * in the column. The rows of a dependence are the first ones of the permutation of the stream 2^64
 * - 1.
 *
 * The points of a number or a date are all its values if they are at most plan->points, else
 * quantiles from the first to the last hundredth; rows without a value, if an indicator tells them,
 * are one more. With a date go all its parts, as of a row of that date.
 *
 * Calls:   collective; the result is the same on all ranks. Rank 0 shows the progress
 * Owns:    the caller clears *out with dt_explanation_clear, also after an error
 * Errors:  DT_DATA: fewer than 2 rows, or more than 2^32 - 1; a metric that is undefined; as
 *          dt_rows_next. DT_DIVERGED as dt_evaluation_compute. DT_MEMORY
 * Cost:    (1 + columns * repeats) evaluations of all rows, and columns * points predictions of
 *          plan->rows rows; each rank keeps its rows, and all rows' inputs of one column
 */
DT_MUST_USE dt_status dt_explanation_compute(dt_explanation *out, const dt_comm *comm,
                                             dt_rows *rows, dt_predictor *predictor,
                                             const dt_explanation_plan *plan);

/** Frees; a zeroed explanation is allowed. Local. */
void dt_explanation_clear(dt_explanation *explanation);

/** Returns "number", "date" or "category". Owns: static text. */
const char *dt_column_kind_name(int32_t kind);

#endif
