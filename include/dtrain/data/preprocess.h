#ifndef DTRAIN_DATA_PREPROCESS_H
#define DTRAIN_DATA_PREPROCESS_H

#include "dtrain/base/status.h"
#include "dtrain/data/recipe.h"
#include "dtrain/io/csv.h"
#include "dtrain/nn/loss.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Turns rows of a table into inputs, as a recipe says. All calls are local.
 *
 * The table's columns are found by their names, so they may stand in another order, and further
 * ones are passed over. Categories and classes are also known in other spellings, where these can
 * mean one alone: blanks, upper and lower case, "1.0" for "1", TRUE for True or 1 (dt_spelling in
 * names.h).
 */
typedef struct dt_preprocess dt_preprocess;

/**
 * Binds a recipe to a table.
 *
 * `names` are the table's columns; `path` is for error lines; `decimal` is the table's decimal
 * sign: of columns that the recipe has no other for, or of all if it is `asked` for; with `labels`
 * the target columns must be there too, and the column of weights is used if it is there. All are
 * borrowed, and so is the recipe.
 *
 * Owns:    the caller frees with dt_preprocess_free
 * Errors:  DT_DATA: a column that the recipe needs is not there (the nearest name is given); a
 *          column keeps the decimal sign of the recipe's table, but this table has the other one;
 *          DT_MEMORY; *out = NULL
 */
DT_MUST_USE dt_status dt_preprocess_new(dt_preprocess **out, const dt_recipe *recipe,
                                        const char *const *names, size_t name_count, char decimal,
                                        bool asked, bool labels, const char *path);

/** Frees; NULL is allowed. */
void dt_preprocess_free(dt_preprocess *preprocess);

/** Returns whether the rows have weights: labels were asked for, and the table has the column. */
bool dt_preprocess_has_weights(const dt_preprocess *preprocess);

/**
 * Prepares one row.
 *
 * Math:    x = (f(cell) - center) / spread in float64, with the scale "clipped" smoothly clipped,
 *          rounded once to float32; one-hot categories
 * Shapes:  x [D] out; y [T] out: the class id or the values, unless the preprocessor was made
 *          without labels; *w out: the weight, if rows have weights
 * Errors:  DT_DATA, naming row, line, column and cell: no number, nothing where the recipe knows no
 *          filling, a category or class that the training rows did not have, a negative weight
 * Cost:    some 15 ns a column; allocates nothing
 */
DT_MUST_USE dt_status dt_preprocess_row(dt_preprocess *preprocess, const dt_csv_row *row, float *x,
                                        dt_target *y, float *w);

enum { DT_UNSEEN_BYTES = 128 };

/** Cells with a category that no training row had, which were passed over. */
typedef struct dt_unseen_cells {
    uint64_t count;
    char example[DT_UNSEEN_BYTES]; /* "column 'job': 'astronaut'"; "" when there are none */
} dt_unseen_cells;

/** The cells of one column that hold something. */
typedef struct dt_category_cells {
    uint64_t known, unseen; /* both 0: no categories */
    const char *example; /* the first of the unseen, as above; borrowed */
} dt_category_cells;

/** Returns how many columns are prepared; the same for the same recipe and table's columns. */
size_t dt_preprocess_columns(const dt_preprocess *preprocess);

/** Returns the cells among the rows so far of the i-th of these columns. */
dt_category_cells dt_preprocess_cells(const dt_preprocess *preprocess, size_t i);

/** Returns the cells of that kind among the rows so far; borrowed. */
const dt_unseen_cells *dt_preprocess_unseen(const dt_preprocess *preprocess);

#endif
