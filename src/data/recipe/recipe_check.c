#include "recipe_internal.h"

#include "dtrain/base/memory.h"
#include "dtrain/io/csv.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorts, since a file may claim a million of them. `what` is "column", "column 'job': category". */
DT_MUST_USE static dt_status check_unique(const char **texts, size_t count, const char *where,
                                          const char *what)
{
    qsort(texts, count, sizeof *texts, compare_texts);
    for (size_t i = 1; i < count; i++)
        if (strcmp(texts[i - 1], texts[i]) == 0)
            return dt_fail(DT_DATA, "%s: %s '%.80s' is there twice", where, what, texts[i]);
    return DT_OK;
}

DT_MUST_USE static dt_status check_unique_copy(char *const *texts, size_t count, const char *where,
                                               const char *what)
{
    dt_status status = DT_OK;
    const char **sorted = NULL;
    DT_TRY(dt_memory_alloc(&sorted, count, sizeof *sorted, "names of a recipe"));
    if (count > 0)
        memcpy(sorted, texts, count * sizeof *sorted);
    DT_TRY(check_unique(sorted, count, where, what));
out:
    dt_memory_free(sorted);
    return status;
}

/* So that a table with thousands of columns does not take quadratic time. */
DT_MUST_USE static dt_status check_column_names(const dt_recipe *recipe, const char *where)
{
    dt_status status = DT_OK;
    const char **names = NULL;
    DT_TRY(dt_memory_alloc(&names, recipe->column_count, sizeof *names, "names of a recipe"));
    for (size_t i = 0; i < recipe->column_count; i++) {
        names[i] = recipe->columns[i].name;
        if (names[i][0] == '\0')
            DT_TRY(dt_fail(DT_DATA, "%s: column %zu has an empty name", where, i + 1));
    }
    DT_TRY(check_unique(names, recipe->column_count, where, "column"));
out:
    dt_memory_free(names);
    return status;
}

DT_MUST_USE static dt_status check_finite(double value, const dt_recipe_column *column,
                                          const char *where, const char *what)
{
    if (isfinite(value))
        return DT_OK;
    return dt_fail(DT_DATA, "%s: column '%.80s': %s is not a finite number", where, column->name,
                   what);
}

DT_MUST_USE static dt_status check_knots(const dt_recipe_column *column, const char *where)
{
    dt_status status = DT_OK;
    if (column->knot_count < 2)
        DT_TRY(dt_fail(DT_DATA, "%s: column '%.80s': at least 2 knots are needed, found %zu", where,
                       column->name, column->knot_count));
    for (size_t i = 0; i < column->knot_count; i++) {
        DT_TRY(check_finite(column->knots[i], column, where, "a knot"));
        if (i > 0 && column->knots[i] < column->knots[i - 1])
            DT_TRY(dt_fail(DT_DATA,
                           "%s: column '%.80s': knots must ascend, but knot %zu is %.17g and knot "
                           "%zu is %.17g",
                           where, column->name, i, column->knots[i - 1], i + 1, column->knots[i]));
    }
out:
    return status;
}

DT_MUST_USE static dt_status check_range(const dt_recipe_column *column, bool classes,
                                         const char *where)
{
    if (!column->has_range)
        return DT_OK;
    if (classes && column->role == DT_ROLE_TARGET)
        return dt_fail(DT_DATA, "%s: column '%.80s': classes have no minimum and maximum", where,
                       column->name);
    if (!isfinite(column->minimum) || !isfinite(column->maximum) || !isfinite(column->margin) ||
        column->minimum > column->maximum || !(column->margin > 0.0))
        return dt_fail(DT_DATA,
                       "%s: column '%.80s': minimum %.9g, maximum %.9g and margin %.9g are not a "
                       "range",
                       where, column->name, column->minimum, column->maximum, column->margin);
    return DT_OK;
}

DT_MUST_USE static dt_status check_numeric(const dt_recipe_column *column, const char *where)
{
    dt_status status = DT_OK;
    if (column->fill == DT_FILL_CATEGORY)
        DT_TRY(dt_fail(DT_DATA,
                       "%s: column '%.80s': fill category is for categorical columns, not for "
                       "numbers",
                       where, column->name));
    DT_TRY(check_finite(column->center, column, where, "center"));
    DT_TRY(check_finite(column->spread, column, where, "spread"));
    if (!(column->spread > 0.0))
        DT_TRY(dt_fail(DT_DATA, "%s: column '%.80s': spread is %.17g, but must be positive", where,
                       column->name, column->spread));
    if (column->spread < (double)FLT_MIN)
        DT_TRY(
            dt_fail(DT_DATA,
                    "%s: column '%.80s': spread is %.17g, but must be at least %.9g, the smallest "
                    "normal number of float32",
                    where, column->name, column->spread, (double)FLT_MIN));
    if (!recipe_has_center(column) && (column->center != 0.0 || column->spread != 1.0))
        DT_TRY(dt_fail(DT_DATA,
                       "%s: column '%.80s': center is %.17g and spread %.17g, but scale %s has 0 "
                       "and 1",
                       where, column->name, column->center, column->spread,
                       dt_recipe_scale_name(column->scale)));
    if (recipe_has_knots(column))
        DT_TRY(check_knots(column, where));
    if (recipe_has_fill_number(column))
        DT_TRY(check_finite(column->fill_number, column, where, "fill_number"));
out:
    return status;
}

/* A time has no month, and a month no weekday. */
DT_MUST_USE static dt_status check_date(const dt_recipe_column *column, const char *where)
{
    const bool is_time = column->order == DT_DATE_TIME;
    const bool is_month = column->order == DT_DATE_YM || column->order == DT_DATE_MY;
    const bool has[DT_PART_COUNT] = {!is_time, !is_time && !is_month, !is_month};
    if (column->order == DT_DATE_NONE)
        return dt_fail(DT_DATA, "%s: column '%.80s': its date has no order", where, column->name);
    for (int part = 0; part < DT_PART_COUNT; part++)
        if (column->parts[part] && !has[part])
            return dt_fail(DT_DATA, "%s: column '%.80s': a date of the order %s has no %s", where,
                           column->name, dt_date_order_name(column->order),
                           dt_recipe_part_name((dt_date_part)part));
    return DT_OK;
}

DT_MUST_USE static dt_status check_fill_text(const dt_recipe_column *column, const char *where)
{
    if (column->fill_text == NULL && column->rare)
        return DT_OK;
    if (column->fill_text == NULL)
        return dt_fail(DT_DATA, "%s: column '%.80s': fill_text is missing", where, column->name);
    for (size_t i = 0; i < column->category_count; i++)
        if (strcmp(column->categories[i], column->fill_text) == 0)
            return DT_OK;
    return dt_fail(DT_DATA, "%s: column '%.80s': fill_text '%.80s' is not one of its categories",
                   where, column->name, column->fill_text);
}

DT_MUST_USE static dt_status check_categorical(const dt_recipe_column *column, const char *where)
{
    dt_status status = DT_OK;
    char what[128];
    if (column->fill == DT_FILL_MEAN || column->fill == DT_FILL_MEDIAN ||
        dt_recipe_indicates(column->fill))
        DT_TRY(dt_fail(DT_DATA,
                       "%s: column '%.80s': fill %s is for numeric columns, not for categorical "
                       "ones",
                       where, column->name, dt_recipe_fill_name(column->fill)));
    if (column->category_count == 0 && !column->rare)
        DT_TRY(dt_fail(DT_DATA, "%s: column '%.80s' has no categories", where, column->name));
    (void)snprintf(what, sizeof what, "column '%.80s': category", column->name);
    DT_TRY(check_unique_copy(column->categories, column->category_count, where, what));
    if (recipe_has_fill_text(column))
        DT_TRY(check_fill_text(column, where));
out:
    return status;
}

DT_MUST_USE static dt_status check_inputs(const dt_recipe *recipe, const char *where)
{
    size_t inputs = 0;
    for (size_t i = 0; i < recipe->column_count; i++)
        inputs += dt_recipe_width(&recipe->columns[i]);
    if (inputs == 0)
        return dt_fail(DT_DATA, "%s: no column is an input of the network", where);
    if (inputs != recipe->D)
        return dt_fail(DT_DATA, "%s: the columns make %zu inputs, but 'inputs' says %zu", where,
                       inputs, recipe->D);
    return DT_OK;
}

static bool is_named(char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* Checks that the columns of a role are those that the recipe names, which are unique. `what`:
 * "target". */
DT_MUST_USE static dt_status check_named(const dt_recipe *recipe, dt_role role, char *const *names,
                                         size_t count, const char *where, const char *what)
{
    size_t found = 0;
    for (size_t i = 0; i < recipe->column_count; i++) {
        const dt_recipe_column *column = &recipe->columns[i];
        if (column->role != role)
            continue;
        found++;
        if (!is_named(names, count, column->name))
            return dt_fail(DT_DATA, "%s: column '%.80s' has the role %s, but %s does not name it",
                           where, column->name, dt_recipe_role_name(role), what);
    }
    if (found != count)
        return dt_fail(DT_DATA, "%s: %s names %zu column%s, but %zu %s that role", where, what,
                       count, count == 1 ? "" : "s", found, found == 1 ? "has" : "have");
    return DT_OK;
}

/* The column that names the rows is not an input. */
DT_MUST_USE static dt_status check_id(const dt_recipe *recipe, const char *where)
{
    bool found = recipe->id == NULL;
    for (size_t i = 0; i < recipe->column_count && !found; i++)
        found = recipe->columns[i].role == DT_ROLE_DROPPED &&
                strcmp(recipe->columns[i].name, recipe->id) == 0;
    return found ? DT_OK
                 : dt_fail(DT_DATA, "%s: id is '%.80s', but no dropped column has that name", where,
                           recipe->id);
}

DT_MUST_USE static dt_status check_targets(const dt_recipe *recipe, const char *where)
{
    dt_status status = DT_OK;
    const bool classes = recipe->class_count > 0;
    const size_t most = classes ? 1 : DT_RECIPE_TARGETS_MAX;
    if (recipe->T < 1 || recipe->T > most)
        DT_TRY(dt_fail(DT_DATA, "%s: the target has %zu columns, but must have 1 to %zu", where,
                       recipe->T, most));
    DT_TRY(check_unique_copy(recipe->targets, recipe->T, where, "target"));
    DT_TRY(check_named(recipe, DT_ROLE_TARGET, recipe->targets, recipe->T, where, "target"));
    DT_TRY(check_named(recipe, DT_ROLE_WEIGHTS, &recipe->weights, recipe->weights != NULL, where,
                       "weights"));
    if (classes && (recipe->class_count < 2 || recipe->class_count > DT_RECIPE_CLASSES_MAX))
        DT_TRY(dt_fail(DT_DATA, "%s: the target has %zu classes, but must have 2 to %d", where,
                       recipe->class_count, DT_RECIPE_CLASSES_MAX));
    DT_TRY(check_unique_copy(recipe->classes, recipe->class_count, where, "class"));
    DT_TRY(check_id(recipe, where));
out:
    return status;
}

DT_MUST_USE static dt_status check_format(const dt_recipe_column *column, const char *where)
{
    const dt_number_format *format = &column->format;
    if (format->decimal != '\0' && strchr(DT_RECIPE_DECIMALS, format->decimal) == NULL)
        return dt_fail(DT_DATA, "%s: column '%.80s': decimal is neither . nor ,", where,
                       column->name);
    if (format->group != '\0' &&
        (strchr(DT_RECIPE_GROUPS, format->group) == NULL || format->group == format->decimal))
        return dt_fail(DT_DATA,
                       "%s: column '%.80s': thousands is none of , . ' and blank, or is the "
                       "decimal sign",
                       where, column->name);
    return DT_OK;
}

dt_status dt_recipe_check(const dt_recipe *recipe, const char *where)
{
    dt_status status = DT_OK;
    if (recipe->separator == '\0' || strchr(DT_CSV_SEPARATORS, recipe->separator) == NULL)
        DT_TRY(dt_fail(DT_DATA, "%s: separator is none of , ; tab | blank ^ ~ :", where));
    if (recipe->decimal == '\0' || strchr(DT_RECIPE_DECIMALS, recipe->decimal) == NULL)
        DT_TRY(dt_fail(DT_DATA, "%s: decimal is neither . nor ,", where));
    DT_TRY(check_column_names(recipe, where));
    for (size_t i = 0; i < recipe->column_count; i++) {
        const dt_recipe_column *column = &recipe->columns[i];
        DT_TRY(check_format(column, where));
        DT_TRY(check_range(column, recipe->class_count > 0, where));
        if (dt_recipe_is_number(column->role))
            DT_TRY(check_numeric(column, where));
        if (column->role == DT_ROLE_DATE)
            DT_TRY(check_date(column, where));
        if (column->role == DT_ROLE_CATEGORICAL)
            DT_TRY(check_categorical(column, where));
    }
    DT_TRY(check_targets(recipe, where));
    DT_TRY(check_inputs(recipe, where));
out:
    return status;
}
