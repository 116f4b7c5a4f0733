#include "prepare_internal.h"

#include "../recipe/methods.h"
#include "dtrain/base/memory.h"

#include <stdio.h>
#include <string.h>

/* The plan's lists: items between commas, which may be quoted. */

enum { ITEM_BYTES = 512 };

static bool next_item(char item[ITEM_BYTES], const char **at)
{
    return dt_text_next_item(item, ITEM_BYTES, at);
}

static dt_columns columns_of(const dt_prepare *p)
{
    return (dt_columns){.path = dt_csv_path(p->csv),
                        .names = p->names,
                        .count = p->count,
                        .nameless = dt_csv_format_of(p->csv)->header == DT_CSV_HEADER_NO};
}

static dt_status ask_role(dt_prepare *p, size_t column, dt_role role, const char *option)
{
    dt_survey *survey = &p->surveys[column];
    if (survey->asked && p->columns[column].role != role)
        return dt_fail(DT_USAGE, "column '%s' cannot be both %s and %s", p->names[column],
                       dt_prepare_role_words(p->columns[column].role), option);
    survey->asked = true;
    p->columns[column].role = role;
    return DT_OK;
}

static dt_status ask_roles(dt_prepare *p, const char *list, dt_role role, const char *option)
{
    dt_status status = DT_OK;
    char item[ITEM_BYTES];
    for (const char *at = list; next_item(item, &at);) {
        size_t column = 0;
        if (item[0] == '\0')
            continue;
        DT_TRY(dt_prepare_find_column(&column, p, item));
        DT_TRY(ask_role(p, column, role, option));
    }
out:
    return status;
}

static void ask_scale(void *context, size_t column, int method)
{
    dt_prepare *p = context;
    for (size_t c = 0; column == SIZE_MAX && c < p->count; c++)
        p->columns[c].scale = (dt_scale)method;
    if (column == SIZE_MAX)
        return;
    p->columns[column].scale = (dt_scale)method;
    p->surveys[column].scale_asked = true;
}

/* ---- how numbers are written ---- */

static dt_status read_numbers(dt_prepare *p)
{
    dt_status status = DT_OK;
    dt_signs *signs = NULL;
    const dt_columns columns = columns_of(p);
    p->decimal = dt_csv_format_of(p->csv)->decimal;
    DT_TRY(dt_memory_alloc(&signs, p->count, sizeof *signs, "columns"));
    DT_TRY(dt_signs_read(signs, &p->decimal, &columns, p->plan->decimal, p->plan->thousands));
    for (size_t c = 0; c < p->count; c++) {
        dt_survey *survey = &p->surveys[c];
        survey->decimal_asked = signs[c].decimal_asked;
        survey->group_asked = signs[c].group_asked;
        survey->format.decimal = signs[c].decimal;
        survey->format.group = signs[c].group;
    }
out:
    dt_memory_free(signs);
    return status;
}

/* ---- dates ---- */

enum { DATES_AUTO, DATES_NONE, DATES_ORDERED };

static void ask_dates(void *context, size_t column, int method)
{
    dt_prepare *p = context;
    const dt_date_order order = method < DATES_ORDERED
                                    ? DT_DATE_NONE
                                    : (dt_date_order)(method - DATES_ORDERED + DT_DATE_YMD);
    const size_t first = column == SIZE_MAX ? 0 : column;
    const size_t end = column == SIZE_MAX ? p->count : column + 1;
    if (column == SIZE_MAX)
        p->date_order = order;
    else
        p->surveys[column].order = order;
    for (size_t c = first; c < end; c++)
        p->surveys[c].no_dates = method == DATES_NONE;
}

static dt_status read_dates(dt_prepare *p)
{
    dt_status status = DT_OK;
    const dt_columns columns = columns_of(p);
    DT_TRY(dt_methods_read(&columns, p->plan->dates, "auto|none|" DT_DATE_NAMES, "dates", ask_dates,
                           p));
    for (size_t c = 0; c < p->count; c++)
        if (p->surveys[c].order != DT_DATE_NONE)
            DT_TRY(ask_role(p, c, DT_ROLE_DATE, "a date"));
out:
    return status;
}

/* ---- fillings and missing values ---- */

/* The columns of a method: all, or only the numeric or categorical ones. */
typedef enum fill_kind { FILL_ANY, FILL_NUMERIC, FILL_CATEGORICAL, FILL_KINDS } fill_kind;

static fill_kind kind_of(dt_fill fill)
{
    switch (fill) {
    case DT_FILL_MEAN:
    case DT_FILL_MEDIAN:
    case DT_FILL_INDICATOR:
    case DT_FILL_MEDIAN_INDICATOR:
        return FILL_NUMERIC;
    case DT_FILL_CATEGORY:
        return FILL_CATEGORICAL;
    case DT_FILL_ERROR:
    case DT_FILL_DROP:
    case DT_FILL_MODE:
        break;
    }
    return FILL_ANY;
}

/* Methods for single columns override methods for all, in any order. */
static dt_status fill_all(dt_prepare *p, const int given[FILL_KINDS])
{
    const int any = given[FILL_ANY];
    const int numeric = given[FILL_NUMERIC], categorical = given[FILL_CATEGORICAL];
    p->drops_rows = any == DT_FILL_DROP;
    if (p->drops_rows && (numeric >= 0 || categorical >= 0))
        return dt_fail(DT_USAGE, "--fill drop leaves nothing for another method to fill; name the "
                                 "columns: --fill COLUMN=drop");
    if (any >= 0)
        p->fill_numeric = p->fill_categorical = (dt_fill)any;
    if (numeric >= 0)
        p->fill_numeric = (dt_fill)numeric;
    if (categorical >= 0)
        p->fill_categorical = (dt_fill)categorical;
    return DT_OK;
}

static dt_status read_fill(dt_prepare *p)
{
    dt_status status = DT_OK;
    char item[ITEM_BYTES];
    int given[FILL_KINDS] = {-1, -1, -1};
    const dt_columns columns = columns_of(p);
    for (const char *at = p->plan->fill; next_item(item, &at);) {
        size_t column = 0;
        int method = 0;
        DT_TRY(dt_method_read(&column, &method, &columns, item, DT_FILL_NAMES, "fill"));
        if (column == SIZE_MAX) {
            int *kind = &given[kind_of((dt_fill)method)];
            if (*kind >= 0 && *kind != method)
                DT_TRY(dt_fail(DT_USAGE, "--fill has two methods for the same columns; use "
                                         "COLUMN=METHOD for some of them"));
            *kind = method;
            continue;
        }
        p->surveys[column].fill_asked = true;
        p->columns[column].fill = (dt_fill)method;
    }
    DT_TRY(fill_all(p, given));
    for (size_t c = 0; c < p->count; c++)
        p->surveys[c].drops_rows =
            p->surveys[c].fill_asked
                ? p->columns[c].fill == DT_FILL_DROP
                : p->drops_rows && !(p->surveys[c].asked && p->columns[c].role == DT_ROLE_DROPPED);
out:
    return status;
}

/* The other lists accept COLUMN=..., so COLUMN=CELL is a likely mistake. */
static dt_status check_missing(const dt_prepare *p, const char *item)
{
    char name[ITEM_BYTES];
    const char *equals = strchr(item, '=');
    if (equals == NULL)
        return DT_OK;
    (void)snprintf(name, sizeof name, "%.*s", (int)(equals - item), item);
    if (dt_csv_find(p->csv, name) == SIZE_MAX)
        return DT_OK;
    return dt_fail(DT_USAGE, "--missing '%s': expected cells, for all columns, not COLUMN=CELL",
                   item);
}

static dt_status add_missing(dt_prepare *p, const char *list)
{
    dt_status status = DT_OK;
    char item[ITEM_BYTES];
    size_t most = p->missing_count + 1;
    for (const char *c = list; *c != '\0'; c++)
        most += *c == ',';
    DT_TRY(dt_memory_grow(&p->missing_texts, p->missing_count, most, sizeof *p->missing_texts,
                          "missing values"));
    for (const char *at = list; next_item(item, &at);)
        if (item[0] != '\0') {
            DT_TRY(check_missing(p, item));
            DT_TRY(dt_memory_copy_text(&p->missing_texts[p->missing_count], item));
            p->missing_count++;
        }
out:
    return status;
}

static dt_status read_missing(dt_prepare *p)
{
    dt_status status = DT_OK;
    const char *only = p->plan->missing_only;
    DT_TRY(add_missing(p, only != NULL ? only : DT_MISSING_TEXTS));
    p->missing_usual = p->missing_count;
    DT_TRY(add_missing(p, p->plan->missing));
    p->missing = dt_missing_of((const char *const *)p->missing_texts, p->missing_count);
out:
    return status;
}

/* One column whose name may have a comma, or a list. Each cell of values must be a number. */
static dt_status read_targets(dt_prepare *p)
{
    dt_status status = DT_OK;
    char item[ITEM_BYTES];
    const char *list = p->plan->target;
    size_t column = dt_csv_find(p->csv, list);
    DT_TRY(dt_memory_alloc(&p->targets, p->count, sizeof *p->targets, "targets"));
    if (column != SIZE_MAX) {
        p->targets[p->T++] = column;
        DT_TRY(ask_role(p, column, DT_ROLE_TARGET, "the target"));
    }
    for (const char *at = p->T == 0 ? list : ""; next_item(item, &at);) {
        if (item[0] == '\0')
            continue;
        DT_TRY(dt_prepare_find_column(&column, p, item));
        if (p->surveys[column].asked)
            DT_TRY(dt_fail(DT_USAGE, "--target names column '%s' twice", p->names[column]));
        p->targets[p->T++] = column;
        DT_TRY(ask_role(p, column, DT_ROLE_TARGET, "the target"));
    }
    if (p->T > 1 && p->plan->task == DT_TARGETS_CLASSES)
        DT_TRY(dt_fail(DT_USAGE, "--target names %zu columns, but --task classification takes one",
                       p->T));
    for (size_t j = 0; j < p->T; j++)
        p->surveys[p->targets[j]].is_value = p->T > 1 || p->plan->task == DT_TARGETS_VALUES;
out:
    return status;
}

dt_status dt_prepare_read_plan(dt_prepare *p)
{
    dt_status status = DT_OK;
    const dt_prepare_plan *plan = p->plan;
    const dt_columns columns = columns_of(p);
    DT_TRY(read_targets(p));
    p->weights = SIZE_MAX;
    if (plan->weights[0] != '\0') {
        DT_TRY(dt_prepare_find_column(&p->weights, p, plan->weights));
        DT_TRY(ask_role(p, p->weights, DT_ROLE_WEIGHTS, "the weights"));
        p->surveys[p->weights].is_value = true;
    }
    p->id = SIZE_MAX;
    if (plan->id != NULL && plan->id[0] != '\0') {
        DT_TRY(dt_prepare_find_column(&p->id, p, plan->id));
        DT_TRY(ask_role(p, p->id, DT_ROLE_DROPPED, "the id"));
        p->columns[p->id].why = "names the rows";
    }
    p->split_column = SIZE_MAX;
    if (plan->split_column[0] != '\0') {
        DT_TRY(dt_prepare_find_column(&p->split_column, p, plan->split_column));
        DT_TRY(ask_role(p, p->split_column, DT_ROLE_DROPPED, "the one that names the set"));
        p->columns[p->split_column].why = "names the set of a row";
    }
    DT_TRY(ask_roles(p, plan->drop, DT_ROLE_DROPPED, "dropped"));
    DT_TRY(ask_roles(p, plan->numeric, DT_ROLE_NUMERIC, "numeric"));
    DT_TRY(ask_roles(p, plan->categorical, DT_ROLE_CATEGORICAL, "categorical"));
    DT_TRY(read_numbers(p));
    DT_TRY(read_dates(p));
    DT_TRY(dt_prepare_read_groups(p));
    DT_TRY(dt_methods_read(&columns, plan->scale, DT_SCALE_NAMES, "scale", ask_scale, p));
    DT_TRY(read_fill(p));
    DT_TRY(read_missing(p));
out:
    return status;
}
