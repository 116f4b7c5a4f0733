#include "table_preparing.h"

#include "dtrain/base/memory.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void table_add(table_text *t, const char *format, ...)
{
    va_list arguments;
    if (t->bytes + 1024 > t->capacity) {
        t->capacity = 2 * t->capacity + 65536;
        t->text = realloc(t->text, t->capacity);
        assert_non_null(t->text);
    }
    va_start(arguments, format);
    t->bytes += (size_t)vsnprintf(t->text + t->bytes, 1024, format, arguments);
    va_end(arguments);
}

void table_write(table_text *t)
{
    assert_true(scratch_write(scratch_path("t.csv"), t->text, t->bytes));
    free(t->text);
    *t = (table_text){0};
}

void table_write_text(const char *text)
{
    assert_true(scratch_write(scratch_path("t.csv"), text, strlen(text)));
}

dt_prepare_plan plan_all(void)
{
    return (dt_prepare_plan){.target = "kind",
                             .weights = "",
                             .drop = "",
                             .numeric = "",
                             .categorical = "",
                             .scale = "standard",
                             .fill = "error",
                             .missing = "NA,?",
                             .decimal = "",
                             .thousands = "",
                             .dates = "",
                             .max_categories = 100,
                             .split_method = DT_SPLIT_ORDERED,
                             .split_column = "",
                             .seed = 1};
}

void prepared_clear(prepared *p)
{
    dt_prepare_free(p->prepare);
    dt_csv_close(p->csv);
    free(p->rows);
    *p = (prepared){0};
}

/* Counts a row of the fit; a dt_prepare_take. */
static dt_status prepared_count(void *context, const dt_prepare_row *row)
{
    prepared *p = context;
    assert_null(row->x);
    if (p->table->class_count > 0)
        assert_true(row->label >= 0 && (size_t)row->label < p->table->class_count);
    else
        assert_int_equal(row->label, 0);
    assert_int_equal(row->values != NULL, p->table->class_count == 0);
    for (size_t j = 0; row->values != NULL && j < p->table->T; j++)
        p->value_sums[j] += row->values[j];
    p->seen[row->set]++;
    p->taken++;
    if (p->meddle != NULL)
        p->meddle(p);
    return p->taken == p->stop_at ? dt_fail(DT_OUTPUT, "no room") : DT_OK;
}

/* Keeps a row of the application; a dt_prepare_take. */
static dt_status prepared_keep(void *context, const dt_prepare_row *taken)
{
    prepared *p = context;
    if (p->count == p->capacity) {
        p->capacity = 2 * p->capacity + 64;
        p->rows = realloc(p->rows, p->capacity * sizeof *p->rows);
        assert_non_null(p->rows);
    }
    prepared_row *row = &p->rows[p->count++];
    memset(row, 0, sizeof *row);
    row->set = taken->set;
    row->label = taken->label;
    assert_true(p->recipe->D <= PREPARED_D);
    memcpy(row->x, taken->x, p->recipe->D * sizeof *row->x);
    p->taken++;
    if (p->meddle != NULL)
        p->meddle(p);
    return p->taken == p->stop_at ? dt_fail(DT_OUTPUT, "no room") : DT_OK;
}

dt_status prepared_survey(prepared *p, const dt_prepare_plan *plan)
{
    *p = (prepared){.prepare = (dt_prepare *)p}; /* no valid pointer: it must be set */
    dt_status status = dt_csv_open(&p->csv, scratch_path("t.csv"), NULL);
    if (status == DT_OK)
        status = dt_prepare_survey(&p->prepare, p->csv, plan, NULL, NULL);
    if (status == DT_OK)
        p->table = dt_prepare_table_of(p->prepare);
    else
        assert_true(p->csv == NULL || p->prepare == NULL);
    return status;
}

dt_status prepared_fit(prepared *p)
{
    p->taken = 0;
    dt_status status = dt_prepare_fit(p->prepare, prepared_count, p);
    p->recipe = dt_prepare_recipe(p->prepare);
    return status;
}

dt_status prepared_apply(prepared *p)
{
    p->taken = 0;
    return dt_prepare_apply(p->prepare, prepared_keep, p);
}

void prepared_make(prepared *p, const dt_prepare_plan *plan)
{
    if (prepared_survey(p, plan) != DT_OK || prepared_fit(p) != DT_OK || prepared_apply(p) != DT_OK)
        fail_msg("%s", dt_status_text());
    /* What it made must be a recipe that can be read back. */
    char *json = NULL;
    if (dt_recipe_to_json(&json, p->recipe) != DT_OK)
        fail_msg("%s", dt_status_text());
    dt_memory_free(json);
}

void check_survey_refused(const dt_prepare_plan *plan, dt_status code, const char *part)
{
    prepared p;
    const dt_status status = prepared_survey(&p, plan);
    if (status == DT_OK)
        fail_msg("not refused; expected: %s", part);
    if (status != code)
        fail_msg("status %d, expected %d: %s", (int)status, (int)code, dt_status_text());
    assert_says(part);
    prepared_clear(&p);
}

const dt_prepare_column *column_of(const prepared *p, const char *name)
{
    for (size_t c = 0; c < p->table->column_count; c++)
        if (strcmp(p->table->columns[c].name, name) == 0)
            return &p->table->columns[c];
    fail_msg("no column %s", name);
    return NULL;
}

const dt_recipe_column *recipe_column(const prepared *p, const char *name)
{
    for (size_t c = 0; c < p->recipe->column_count; c++)
        if (strcmp(p->recipe->columns[c].name, name) == 0)
            return &p->recipe->columns[c];
    fail_msg("no column %s", name);
    return NULL;
}

void assert_close(double got, double expected, double tolerance)
{
    if (!(fabs(got - expected) <= tolerance))
        fail_msg("%.17g, expected %.17g within %g", got, expected, tolerance);
}
