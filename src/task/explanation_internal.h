#ifndef DTRAIN_TASK_EXPLANATION_INTERNAL_H
#define DTRAIN_TASK_EXPLANATION_INTERNAL_H

/* Shared by the files of an explanation. */
#include "dtrain/task/explanation.h"

/* Inputs of a number or a date: itself, sine and cosine of up to three parts, and an indicator. */
enum { DT_NUMBER_INPUTS_MAX = 8 };

/* An original column: its inputs stand next to each other. */
typedef struct dt_explained_column {
    char name[DT_EXPLANATION_TEXT_BYTES];
    dt_column_kind kind;
    size_t first, width; /* its inputs */
    const dt_recipe_column *recipe; /* NULL: an input as it is */
} dt_explained_column;

/* This rank's rows, and the numbers and places of all rows. */
typedef struct dt_explained_rows {
    size_t D, T; /* targets of a row */
    int host_ranks;
    size_t count, capacity;
    float *x; /* [capacity, D] */
    dt_target *y; /* [capacity, T] */
    float *w; /* [capacity]; NULL: each row weighs 1 */
    uint32_t *number; /* [capacity]: of the row among all, from 0 */
    size_t batch_count, batch_capacity;
    size_t *batch; /* [batch_count]: the end of each batch of rows that are predicted together */

    uint64_t N; /* of all ranks */
    size_t *counts; /* [ranks]: each rank's rows */
    uint32_t *place; /* [N]: the index of row n after all rows are gathered, rank after rank */
} dt_explained_rows;

/* The state of the computation. */
typedef struct dt_explainer {
    const dt_comm *comm;
    dt_predictor *predictor;
    const dt_explanation_plan *plan;
    dt_explanation *out;
    dt_explained_rows rows;
    size_t width_most; /* inputs of a column */
    dt_explained_column *columns; /* [count] */
    float *x; /* [capacity of the predictor, D]: rows for it */
    float *mine; /* [own rows, width]: this rank's inputs of one column */
    float *all; /* [N, width]: all ranks', rank after rank */
    size_t *bytes; /* [ranks] */
    uint32_t *permutation; /* [N] */
    size_t done, steps; /* of the work, for the progress */
} dt_explainer;

/* Copies a text, at most DT_EXPLANATION_TEXT_BYTES - 1 bytes of it, in whole characters. Local. */
void dt_explained_text(char out[DT_EXPLANATION_TEXT_BYTES], const char *text);

/* Lists the columns, in the order of their inputs. Local. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_explained_columns_new(dt_explained_column **out, size_t *count,
                                               const dt_recipe *recipe, size_t D);

/* Reads all rows. Collective. Errors: as dt_explanation_compute. */
DT_MUST_USE dt_status dt_explained_rows_read(dt_explained_rows *out, const dt_comm *comm,
                                             dt_rows *rows, size_t D, size_t T);
void dt_explained_rows_clear(dt_explained_rows *rows);

/* Gathers e->all of a column on all ranks. Collective. */
void dt_explainer_gather(dt_explainer *e, const dt_explained_column *column);

/* Draws e->permutation. Local. */
void dt_explainer_permute(dt_explainer *e, uint64_t stream);

/* Reports on rank 0 that a step is done. */
void dt_explainer_step(dt_explainer *e);

/* Appends the points of `column`, whose inputs are in e->all, and computes their predictions.
 * `sampled` [own rows]: the rows to average over. Collective. Errors: DT_MEMORY, DT_DIVERGED. */
DT_MUST_USE dt_status dt_explainer_depend(dt_explainer *e, const dt_explained_column *column,
                                          const bool *sampled);

/* A point, with the inputs that it sets. */
typedef struct dt_explained_point {
    dt_dependence_point shown;
    float inputs[DT_NUMBER_INPUTS_MAX]; /* of numbers and dates */
    size_t category; /* of categories: the input that is 1 */
} dt_explained_point;

/* Finds the points of a column whose inputs of all rows, [N, width], are in `all`; *cut reports
 * whether categories were omitted. Local. Owns: the caller frees *out. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_explained_points_find(dt_explained_point **out, size_t *count, bool *cut,
                                               const dt_explained_column *column, const float *all,
                                               size_t N, size_t most);

#endif
