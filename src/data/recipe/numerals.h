#ifndef DTRAIN_DATA_NUMERALS_H
#define DTRAIN_DATA_NUMERALS_H

/*
 * The numbers of a column in a table that a recipe prepares. Its cells are read as in the recipe's
 * table, or in another way if only that fits. Ambiguous cells are counted, and judged after all
 * rows, because rows are streamed. Local.
 */

#include "dtrain/base/text.h"
#include "dtrain/data/preprocess.h"
#include "dtrain/data/recipe.h"
#include "dtrain/io/csv.h"
#include "methods.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct dt_numerals {
    const dt_recipe_column *column;
    dt_number_format format;
    bool decimal_asked, group_asked; /* by a person */
    bool needs_unit; /* all numbers of the training rows have the format's */
    dt_column_seen seen;
} dt_numerals;

/** Keeps a cell of a kind from DT_SEEN_UNSEEN on. */
void dt_column_note(dt_column_seen *seen, int kind, const dt_csv_row *row,
                    const dt_csv_field *cell);

/**
 * Reads a cell. Returns false if it is not a number, or if it can mean two numbers and the training
 * rows do not decide which one: for example a share in a column of percentages.
 */
bool dt_numerals_read(double *out, dt_numerals *numerals, const dt_csv_row *row,
                      const dt_csv_field *cell);

/** Fails with DT_DATA, after dt_numerals_read returned false. The line ends in `missing`, if the
 * cell may mean a missing value, and in `advice`, "; use ...". */
DT_MUST_USE dt_status dt_numerals_fail(const dt_numerals *numerals, const char *path,
                                       const dt_csv_row *row, const dt_csv_field *cell,
                                       const char *missing, const char *advice);

#endif
