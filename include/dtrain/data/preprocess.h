#ifndef DTRAIN_DATA_PREPROCESS_H
#define DTRAIN_DATA_PREPROCESS_H

#include "dtrain/base/status.h"
#include "dtrain/base/text.h"
#include "dtrain/data/recipe.h"
#include "dtrain/io/csv.h"
#include "dtrain/nn/loss.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Turns rows of a table into inputs, as a recipe says. All calls are local.
 *
 * The table's columns are found by their names, so they may be in another order, and other columns
 * are ignored. Categories and classes are also recognized in other spellings if these are
 * unambiguous: blanks, upper and lower case, "1.0" for "1", TRUE for True or 1 (dt_spelling in
 * names.h).
 */
typedef struct dt_preprocess dt_preprocess;

/** The table to prepare. Lists come from options, and may be NULL. */
typedef struct dt_preprocess_plan {
    const char *path; /* for error lines */
    const char *const *names; /* [count]: of its columns */
    size_t count;
    bool nameless; /* it has no header */
    bool labels; /* the target columns must be there, too, and that of weights is used if it is */
    bool own; /* the recipe was made from it, so that its cells are unambiguous */
    char decimal; /* its decimal sign, for columns without their own sign in the recipe */
    const char *decimals, *thousands; /* as in dt_prepare_plan */
    const char *numeric; /* columns whose numbers are the same with and without their unit */
    const char *missing; /* cells that mean a missing value, beside those of the recipe */
    const char *advice; /* advice for error lines about a cell; NULL: none */
} dt_preprocess_plan;

/**
 * Binds a recipe to a table.
 *
 * The recipe, the plan's names and its path are borrowed.
 *
 * Owns:    the caller frees with dt_preprocess_free
 * Errors:  DT_DATA: a column that the recipe needs is not there (the nearest name is given); a
 *          column keeps the decimal sign of the recipe's table, but this table has the other one;
 *          DT_DATA, DT_USAGE: invalid lists; DT_MEMORY; *out = NULL
 */
DT_MUST_USE dt_status dt_preprocess_new(dt_preprocess **out, const dt_recipe *recipe,
                                        const dt_preprocess_plan *plan);

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
 * Errors:  DT_DATA with row, line, column and cell: not a number, a missing value without a filling
 *          in the recipe, a category or class that the training rows do not have, a negative weight
 * Cost:    some 15 ns a column; allocates nothing
 */
DT_MUST_USE dt_status dt_preprocess_row(dt_preprocess *preprocess, const dt_csv_row *row, float *x,
                                        dt_target *y, float *w);

enum { DT_NOTE_BYTES = 256 };

/** Rows of which something is to be said. */
typedef struct dt_row_note {
    uint64_t count, row; /* how many, or how many cells; the first row's number */
    char example[DT_NOTE_BYTES]; /* what is in it, for people; "" when there are none */
} dt_row_note;

/** What the cells of a column are. */
enum {
    DT_SEEN_KNOWN, /* categories of the recipe */
    DT_SEEN_NUMBERS, /* numbers, or dates */
    /* Of numbers: */
    DT_SEEN_SURE, /* they have the column's decimal sign, or its thousands, for sure */
    DT_SEEN_OTHER, /* ... the other decimal sign */
    DT_SEEN_DOUBTS, /* they may be two numbers: 1.234 */
    DT_SEEN_NEAR, /* of these: the number that was read is the nearer one to the training rows */
    DT_SEEN_FAR_READING, /* ... the farther one */
    DT_SEEN_USUAL, /* ... not the nearer one; it has the training rows' groups, in their range */
    DT_SEEN_FAR_USUAL, /* ... the farther one of these; not counted in DT_SEEN_FAR_READING */
    DT_SEEN_SHORT, /* they are whole, and below 1000 */
    DT_SEEN_LONG, /* ... from 1000 on */
    /* Kinds of which the first cell is kept: */
    DT_SEEN_UNSEEN, /* categories that no training row had */
    DT_SEEN_UNIT, /* numbers without the training rows' unit, or with one, if these have none */
    /* Numbers and dates beyond the range of the training rows: by more than its margin, */
    DT_SEEN_FAR,
    DT_SEEN_OUTSIDE, /* ... by more than a tenth of it */
    DT_SEEN_KINDS,
    DT_SEEN_FIRSTS = DT_SEEN_KINDS - DT_SEEN_UNSEEN
};

/** What was seen of a column. */
typedef struct dt_column_seen {
    int64_t cells[DT_SEEN_KINDS];
    struct {
        uint64_t row;
        char text[DT_TEXT_SHOWN_BYTES + 4]; /* to be shown */
    } first[DT_SEEN_FIRSTS]; /* cell of kind DT_SEEN_UNSEEN + i */
    char example[DT_TEXT_SHOWN_BYTES + 4]; /* the first of the doubts, to be shown */
    double read, other; /* the number that was read, and the other possible one */
    char sign; /* in it */
    char unit[DT_NUMBER_UNIT_BYTES]; /* of numbers that should have none */
    bool units_differ; /* of them */
} dt_column_seen;

/** Returns the cells seen in the i-th column so far; borrowed. */
const dt_column_seen *dt_preprocess_seen(const dt_preprocess *preprocess, size_t i);

/** Returns the i-th column; borrowed. */
const dt_recipe_column *dt_preprocess_column(const dt_preprocess *preprocess, size_t i);

/**
 * Returns whether the doubtful numbers of a column are ambiguous, given the cells of all ranks: if
 * another cell has the other decimal sign; if no cell has the column's sign, and the other reading
 * is nearer to the training rows; or if neither is nearer, and the other cells are whole numbers
 * below 1000.
 */
bool dt_column_seen_is_doubtful(const int64_t cells[DT_SEEN_KINDS]);

/** Returns how many columns are prepared; the same for the same recipe and table's columns. */
size_t dt_preprocess_columns(const dt_preprocess *preprocess);

/** Returns the cells with a category that no training row had, among the rows so far; borrowed. */
const dt_row_note *dt_preprocess_unseen(const dt_preprocess *preprocess);

#endif
