#ifndef DTRAIN_DATA_RECIPE_INTERNAL_H
#define DTRAIN_DATA_RECIPE_INTERNAL_H

#include "dtrain/data/recipe.h"

#include <stdbool.h>

#define DT_RECIPE_DECIMALS ".,"
#define DT_RECIPE_GROUPS ",.' "
#define DT_RECIPE_DIVIDERS "-/. "
enum {
    DT_RECIPE_CLASSES_MAX = 65536,
    DT_RECIPE_TARGETS_MAX = 1024,
    DT_RECIPE_FILE_BYTES = 64 << 20
};

/** Whether center and spread are measured; otherwise they are 0 and 1, and not in the text. */
static inline bool recipe_has_center(const dt_recipe_column *column)
{
    return dt_recipe_is_number(column->role) && column->scale != DT_SCALE_QUANTILE &&
           column->scale != DT_SCALE_NONE;
}

static inline bool recipe_has_knots(const dt_recipe_column *column)
{
    return dt_recipe_is_number(column->role) && column->scale == DT_SCALE_QUANTILE;
}

static inline bool recipe_has_fill_number(const dt_recipe_column *column)
{
    return dt_recipe_is_number(column->role) &&
           (column->fill == DT_FILL_MEAN || column->fill == DT_FILL_MEDIAN ||
            column->fill == DT_FILL_MODE || dt_recipe_indicates(column->fill));
}

static inline bool recipe_has_fill_text(const dt_recipe_column *column)
{
    return column->role == DT_ROLE_CATEGORICAL && column->fill == DT_FILL_MODE;
}

/**
 * Checks that a recipe makes sense: ranges, unique names, counts that fit each other.
 *
 * What is read and what is written goes through it alike, so that all that was written can be read.
 * Errors: DT_DATA, one line that begins with `where`; DT_MEMORY
 */
DT_MUST_USE dt_status dt_recipe_check(const dt_recipe *recipe, const char *where);

#endif
