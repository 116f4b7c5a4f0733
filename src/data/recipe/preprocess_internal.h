#ifndef DTRAIN_DATA_PREPROCESS_INTERNAL_H
#define DTRAIN_DATA_PREPROCESS_INTERNAL_H

/* A recipe that is bound to a table. */

#include "cells.h"
#include "dtrain/data/preprocess.h"
#include "names.h"
#include "numerals.h"

/* The preparation of one column of the table. */
typedef struct dt_binding {
    const dt_recipe_column *column;
    size_t field; /* among the table's */
    dt_numerals numerals; /* its numbers; `seen` is of all kinds of columns */
    bool judges_range; /* of the recipe's column */
    size_t input; /* its first; of a target that is a value: which of the row's */
    dt_names categories; /* or classes; index: offset from `input` */
    int32_t fill_index; /* categorical: offset of the input that is 1 for a missing cell */
} dt_binding;

struct dt_preprocess {
    const dt_recipe *recipe;
    const char *path, *advice;
    char decimal;
    dt_missing missing;
    const char **missing_texts; /* those of the recipe, and those of a person */
    char **asked_missing;
    size_t asked_missing_count;
    size_t count;
    bool has_weights;
    dt_binding
        *bindings; /* [count]: numeric and categorical columns; with labels targets, weights */
    dt_row_note unseen; /* of all columns */
};

#endif
