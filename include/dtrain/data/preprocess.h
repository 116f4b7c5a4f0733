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
 * The table's columns are found by their names, so they may stand in another order, and further
 * ones are passed over. Categories and classes are also known in other spellings, where these can
 * mean one alone: blanks, upper and lower case, "1.0" for "1", TRUE for True or 1 (dt_spelling in
 * names.h).
 */
typedef struct dt_preprocess dt_preprocess;

/** The table that is prepared. Lists are those of a person, and may be NULL. */
typedef struct dt_preprocess_plan {
    const char *path; /* for error lines */
    const char *const *names; /* [count]: of its columns */
    size_t count;
    bool nameless; /* it has no header */
    bool labels; /* the target columns must be there, too, and that of weights is used if it is */
    bool own; /* the recipe was made from it, so that there are no doubts about its cells */
    char decimal; /* its decimal sign, of columns that the recipe has no other for */
    const char *decimals, *thousands; /* as in dt_prepare_plan */
    const char *numeric; /* columns whose numbers are the same with and without their unit */
    const char *missing; /* cells that hold nothing, beside those of the recipe */
    const char *advice; /* behind errors of a cell: what the command can do; NULL: nothing */
} dt_preprocess_plan;

/**
 * Binds a recipe to a table.
 *
 * The recipe, the plan's names and its path are borrowed.
 *
 * Owns:    the caller frees with dt_preprocess_free
 * Errors:  DT_DATA: a column that the recipe needs is not there (the nearest name is given); a
 *          column keeps the decimal sign of the recipe's table, but this table has the other one;
 *          DT_DATA, DT_USAGE: lists that cannot be understood; DT_MEMORY; *out = NULL
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
 * Errors:  DT_DATA, naming row, line, column and cell: no number, nothing where the recipe knows no
 *          filling, a category or class that the training rows did not have, a negative weight
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
    DT_SEEN_SHORT, /* they are whole, and below 1000 */
    DT_SEEN_LONG, /* ... from 1000 on */
    /* Kinds of which the first cell is kept: */
    DT_SEEN_UNSEEN, /* categories that no training row had */
    DT_SEEN_UNIT, /* numbers without the training rows' unit, or with one, if these have none */
    /* Numbers and dates beyond the range of the training rows: by more than its margin, */
    DT_SEEN_FAR,
    DT_SEEN_OUTSIDE, /* ... by more than a quarter of it */
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
    double read, other; /* what it was read as, and what else it may be */
    char sign; /* in it */
    char unit[DT_NUMBER_UNIT_BYTES]; /* of numbers that should have none */
    bool units_differ; /* of them */
} dt_column_seen;

/** Returns what was seen of the i-th column so far; borrowed. */
const dt_column_seen *dt_preprocess_seen(const dt_preprocess *preprocess, size_t i);

/** Returns the i-th column; borrowed. */
const dt_recipe_column *dt_preprocess_column(const dt_preprocess *preprocess, size_t i);

/**
 * Returns whether all cells of a column, of all ranks together, leave it open which numbers the
 * doubtful ones are: some other cell has the other decimal sign; or none has the column's, and the
 * other reading is nearer to the training rows; or nobody knows which is nearer, and they stand
 * between whole numbers below 1000.
 */
bool dt_column_seen_is_doubtful(const int64_t cells[DT_SEEN_KINDS]);

/** Returns how many columns are prepared; the same for the same recipe and table's columns. */
size_t dt_preprocess_columns(const dt_preprocess *preprocess);

/** Returns the cells with a category that no training row had, among the rows so far; borrowed. */
const dt_row_note *dt_preprocess_unseen(const dt_preprocess *preprocess);

#endif
