#include "dtrain/data/recipe.h"

#include "dtrain/base/memory.h"

#include <stdio.h>
#include <string.h>

void dt_recipe_clear(dt_recipe *recipe)
{
    for (size_t i = 0; recipe->columns != NULL && i < recipe->column_count; i++) {
        dt_recipe_column *column = &recipe->columns[i];
        dt_memory_free(column->name);
        dt_memory_free(column->knots);
        dt_memory_free(column->fill_text);
        dt_memory_free_texts(column->categories, column->category_count);
    }
    dt_memory_free(recipe->columns);
    dt_memory_free_texts(recipe->missing, recipe->missing_count);
    dt_memory_free_texts(recipe->targets, recipe->T);
    dt_memory_free_texts(recipe->classes, recipe->class_count);
    dt_memory_free(recipe->weights);
    dt_memory_free(recipe->id);
    memset(recipe, 0, sizeof *recipe);
}

const char *dt_recipe_role_name(dt_role role)
{
    static const char *const names[] = {"numeric", "categorical", "target",
                                        "dropped", "weights",     "date"};
    return names[role];
}

const char *dt_recipe_scale_name(dt_scale scale)
{
    static const char *const names[] = {"standard", "minmax", "robust", "quantile",
                                        "none",     "log",    "clipped"};
    return names[scale];
}

const char *dt_recipe_fill_name(dt_fill fill)
{
    static const char *const names[] = {"error", "drop",     "mean",      "median",
                                        "mode",  "category", "indicator", "median-indicator"};
    return names[fill];
}

const char *dt_recipe_part_name(dt_date_part part)
{
    static const char *const names[] = {"month", "weekday", "hour"};
    return names[part];
}

bool dt_recipe_is_number(dt_role role)
{
    return role == DT_ROLE_NUMERIC || role == DT_ROLE_DATE;
}

/* ---- inputs ---- */

static const char *name_of_sign(char sign)
{
    return sign == ',' ? "comma" : sign == '.' ? "point" : sign == ' ' ? "space" : "quote";
}

const char *dt_recipe_describe_format(char *out, size_t bytes, const dt_number_format *format)
{
    const bool group = format->group != '\0', decimal = format->decimal != '\0';
    const bool unit = format->unit[0] != '\0';
    (void)snprintf(out, bytes, "%s%s%s%s%s%s", group ? "; thousands " : "",
                   group ? name_of_sign(format->group) : "", decimal ? "; decimal " : "",
                   decimal ? name_of_sign(format->decimal) : "", unit ? "; unit " : "",
                   format->unit);
    return out;
}

const char *dt_recipe_describe_date(char *out, size_t bytes, dt_date_order order,
                                    const bool parts[DT_PART_COUNT])
{
    size_t count = 0;
    (void)snprintf(out, bytes, "%s", dt_date_order_name(order));
    for (int part = 0; part < DT_PART_COUNT; part++)
        if (parts[part]) {
            const size_t used = strlen(out);
            (void)snprintf(out + used, bytes - used, "%s%s", count++ == 0 ? "; " : ", ",
                           dt_recipe_part_name((dt_date_part)part));
        }
    return out;
}

static size_t count_parts(const bool parts[DT_PART_COUNT])
{
    size_t count = 0;
    for (int part = 0; part < DT_PART_COUNT; part++)
        count += parts[part];
    return count;
}

bool dt_recipe_indicates(dt_fill fill)
{
    return fill == DT_FILL_INDICATOR || fill == DT_FILL_MEDIAN_INDICATOR;
}

size_t dt_recipe_width(const dt_recipe_column *column)
{
    switch (column->role) {
    case DT_ROLE_NUMERIC:
        return dt_recipe_indicates(column->fill) ? 2 : 1;
    case DT_ROLE_DATE:
        return 1 + 2 * count_parts(column->parts) + dt_recipe_indicates(column->fill);
    case DT_ROLE_CATEGORICAL:
        return column->category_count + (column->rare ? 1 : 0) +
               (column->fill == DT_FILL_CATEGORY ? 1 : 0);
    case DT_ROLE_TARGET:
    case DT_ROLE_DROPPED:
    case DT_ROLE_WEIGHTS:
        break;
    }
    return 0;
}

size_t dt_recipe_first_input(const dt_recipe *recipe, size_t column)
{
    const bool numeric = dt_recipe_is_number(recipe->columns[column].role);
    size_t first = 0;
    for (size_t i = 0; i < recipe->column_count; i++) {
        const bool before = dt_recipe_is_number(recipe->columns[i].role) ? !numeric || i < column
                                                                         : !numeric && i < column;
        first += before ? dt_recipe_width(&recipe->columns[i]) : 0;
    }
    return first;
}

static void name_date_input(char *out, size_t bytes, const dt_recipe_column *column, size_t index)
{
    if (index == 0) {
        (void)snprintf(out, bytes, "%s day", column->name);
        return;
    }
    size_t before = 1;
    for (int part = 0; part < DT_PART_COUNT; part++) {
        if (!column->parts[part])
            continue;
        if (index < before + 2) {
            (void)snprintf(out, bytes, "%s %s %s", column->name,
                           dt_recipe_part_name((dt_date_part)part),
                           index == before ? "sin" : "cos");
            return;
        }
        before += 2;
    }
    (void)snprintf(out, bytes, "%s is missing", column->name);
}

static void name_input_of(char *out, size_t bytes, const dt_recipe_column *column, size_t index)
{
    if (column->role == DT_ROLE_NUMERIC)
        (void)snprintf(out, bytes, "%s%s", column->name, index == 0 ? "" : " is missing");
    else if (column->role == DT_ROLE_DATE)
        name_date_input(out, bytes, column, index);
    else if (index < column->category_count)
        (void)snprintf(out, bytes, "%s=%s", column->name, column->categories[index]);
    else if (column->rare && index == column->category_count)
        (void)snprintf(out, bytes, "%s=(rare)", column->name);
    else
        (void)snprintf(out, bytes, "%s=(missing)", column->name);
}

const char *dt_recipe_input_name(char *out, size_t bytes, const dt_recipe *recipe, size_t index)
{
    DT_ASSERT(index < recipe->D);
    for (int categories = 0; categories < 2; categories++)
        for (size_t i = 0; i < recipe->column_count; i++) {
            const dt_recipe_column *column = &recipe->columns[i];
            if (dt_recipe_is_number(column->role) == (categories != 0))
                continue;
            if (index < dt_recipe_width(column)) {
                name_input_of(out, bytes, column, index);
                return out;
            }
            index -= dt_recipe_width(column);
        }
    dt_assert_failed("D is the sum of the columns' widths", __FILE__, __LINE__);
}
