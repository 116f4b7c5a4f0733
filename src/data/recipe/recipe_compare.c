#include "dtrain/data/recipe.h"

#include "dtrain/base/text.h"

#include <stdio.h>
#include <string.h>

enum { SHOWN_BYTES = DT_TEXT_SHOWN_BYTES + 4 };

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_texts(char *const *a, size_t a_count, char *const *b, size_t b_count)
{
    bool same = a_count == b_count;
    for (size_t i = 0; same && i < a_count; i++)
        same = strcmp(a[i], b[i]) == 0;
    return same;
}

static bool same_numbers(const double *a, const double *b, size_t count)
{
    bool same = true;
    for (size_t i = 0; same && i < count; i++)
        same = !(a[i] < b[i]) && !(a[i] > b[i]);
    return same;
}

static bool same_scale(const dt_recipe_column *a, const dt_recipe_column *b)
{
    return a->scale == b->scale && same_numbers(&a->center, &b->center, 1) &&
           same_numbers(&a->spread, &b->spread, 1) && a->knot_count == b->knot_count &&
           same_numbers(a->knots, b->knots, a->knot_count);
}

static bool same_filling(const dt_recipe_column *a, const dt_recipe_column *b)
{
    return a->fill == b->fill && same_numbers(&a->fill_number, &b->fill_number, 1) &&
           same_text(a->fill_text, b->fill_text);
}

static bool same_form(const dt_recipe_column *a, const dt_recipe_column *b)
{
    return a->order == b->order && memcmp(a->parts, b->parts, sizeof a->parts) == 0 &&
           a->format.decimal == b->format.decimal && a->format.group == b->format.group &&
           strcmp(a->format.unit, b->format.unit) == 0;
}

/* Returns the difference; NULL: there is none. */
static const char *compare_columns(const dt_recipe_column *a, const dt_recipe_column *b)
{
    const bool categories =
        same_texts(a->categories, a->category_count, b->categories, b->category_count) &&
        a->rare == b->rare;
    return a->role != b->role    ? "another role"
           : !categories         ? "other categories"
           : !same_scale(a, b)   ? "another scale"
           : !same_filling(a, b) ? "another filling"
           : !same_form(a, b)    ? "another form of its cells"
                                 : NULL;
}

/* What is left, where all columns are the same; NULL: nothing is different. */
static const char *compare_tables(const dt_recipe *a, const dt_recipe *b)
{
    return !same_texts(a->classes, a->class_count, b->classes, b->class_count) ? "classes"
           : !same_texts(a->missing, a->missing_count, b->missing, b->missing_count)
               ? "missing values"
           : a->separator != b->separator || a->decimal != b->decimal ||
                   a->headerless != b->headerless
               ? "separator, decimal sign or header"
           : a->unseen != b->unseen || !same_texts(a->targets, a->T, b->targets, b->T) ||
                   !same_text(a->weights, b->weights) || !same_text(a->id, b->id)
               ? "--unseen, targets, weights or id"
               : NULL;
}

const char *dt_recipe_describe_difference(char *out, size_t bytes, const dt_recipe *was,
                                          const dt_recipe *is)
{
    char before[SHOWN_BYTES], now[SHOWN_BYTES];
    if (was->column_count != is->column_count) {
        (void)snprintf(out, bytes, "%zu columns, not %zu", is->column_count, was->column_count);
        return out;
    }
    for (size_t c = 0; c < is->column_count; c++) {
        const dt_recipe_column *a = &was->columns[c], *b = &is->columns[c];
        const char *what = compare_columns(a, b);
        (void)dt_text_show(before, a->name, strlen(a->name));
        (void)dt_text_show(now, b->name, strlen(b->name));
        if (strcmp(a->name, b->name) != 0)
            (void)snprintf(out, bytes, "column %zu is '%s', and was '%s'", c + 1, now, before);
        else if (what != NULL)
            (void)snprintf(out, bytes, "column '%s' has %s", now, what);
        else
            continue;
        return out;
    }
    const char *what = compare_tables(was, is);
    if (what == NULL)
        return NULL;
    (void)snprintf(out, bytes, "other %s", what);
    return out;
}
