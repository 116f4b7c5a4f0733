/* Tables of an explanation: for stdout and as CSV. */
#include "report_internal.h"

#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A line has 80 columns. */
enum {
    COLUMNS_SHOWN = 30,
    DEPENDENCES_SHOWN = 3,
    POINTS_SHOWN = 10,
    NAME_WIDTH = 20,
    VALUE_WIDTH = 30,
    BAR = 18,
    DIGITS = 4
};

size_t dt_report_points_of(size_t *first, const dt_explanation *e, int32_t number)
{
    size_t count = 0;
    *first = 0;
    while (*first < e->point_count && e->points[*first].number != number)
        (*first)++;
    while (*first + count < e->point_count && e->points[*first + count].number == number)
        count++;
    return count;
}

static double prediction_of(const dt_explanation *e, size_t point, size_t output)
{
    return e->predictions[point * e->C + output];
}

/* The smallest and the largest prediction of some points. */
static void find_range(double *low, double *high, const dt_explanation *e, size_t first,
                       size_t count, size_t output)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t p = first; p < first + count; p++) {
        *low = fmin(*low, prediction_of(e, p, output));
        *high = fmax(*high, prediction_of(e, p, output));
    }
}

double dt_report_prediction_size(const dt_explanation *e, size_t first, size_t count, size_t output)
{
    double low, high;
    find_range(&low, &high, e, first, count, output);
    return fmax(fabs(low), fabs(high));
}

size_t dt_report_output_shown(const dt_explanation *e, size_t first, size_t count)
{
    size_t best = 0;
    double widest = -1.0;
    if (e->task->classes && e->C == 2)
        return 1;
    for (size_t c = 0; c < e->C; c++) {
        double low, high;
        find_range(&low, &high, e, first, count, c);
        if (high - low > widest) {
            widest = high - low;
            best = c;
        }
    }
    return best;
}

double dt_report_bar_share(const dt_explanation *e, size_t first, size_t count, size_t output,
                           size_t point)
{
    double low, high;
    find_range(&low, &high, e, first, count, output);
    low = e->task->classes ? 0.0 : low; /* probabilities are shares of the largest */
    const double share = (prediction_of(e, point, output) - low) / (high - low);
    return share >= 0.0 && share <= 1.0 ? share : 0.0; /* no NaN */
}

double dt_report_importance_share(const dt_explanation *e, size_t i)
{
    const double most = e->columns[0].importance, own = e->columns[i].importance;
    return own > 0.0 && own <= most ? own / most : 0.0;
}

dt_column_importance dt_report_importance_size(const dt_explanation *e)
{
    dt_column_importance size = {.importance = 0.0};
    for (size_t i = 0; i < e->count; i++) {
        size.importance = fmax(size.importance, fabs(e->columns[i].importance));
        size.second = fmax(size.second, fabs(e->columns[i].second));
    }
    return size;
}

/* ---- stdout ---- */

static void add_bar(dt_text_table *table, double share)
{
    static const char full[] = "##################";
    const int length = share > 0.0 ? (int)(share * BAR + 0.5) : 0;
    dt_text_table_add(table, "%.*s", length, full);
}

DT_MUST_USE static dt_status print_importances(const dt_explanation *e)
{
    const size_t shown = e->count < COLUMNS_SHOWN ? e->count : COLUMNS_SHOWN;
    dt_text_table table = {.first_width = NAME_WIDTH, .more = e->count - shown};
    const dt_column_importance size = dt_report_importance_size(e);
    dt_text_table_title(&table, "column");
    dt_text_table_title(&table, ">%s", e->metric->title);
    dt_text_table_title(&table, ">+-");
    dt_text_table_title(&table, ">%s", e->second->title);
    dt_text_table_title(&table, "%s", "");
    for (size_t i = 0; i < shown; i++) {
        const dt_column_importance *column = &e->columns[i];
        dt_text_table_add(&table, "%s", column->column);
        dt_report_add_aligned(&table, column->importance, size.importance, DIGITS);
        dt_report_add_aligned(&table, column->standard_error, size.importance, DIGITS);
        dt_report_add_aligned(&table, column->second, size.second, DIGITS);
        add_bar(&table, dt_report_importance_share(e, i));
    }
    return dt_text_table_print(&table);
}

DT_MUST_USE static dt_status print_dependence(const dt_explanation_file *file, size_t i)
{
    const dt_explanation *e = &file->explanation;
    dt_text_table table = {.first_width = VALUE_WIDTH, .width = NAME_WIDTH};
    size_t first = 0;
    const size_t count = dt_report_points_of(&first, e, e->columns[i].number);
    if (count == 0)
        return DT_OK;
    const size_t output = dt_report_output_shown(e, first, count);
    /* Quantiles may be connected by lines; categories may not. */
    const bool between = e->columns[i].kind != DT_COLUMN_CATEGORY;
    const double size = dt_report_prediction_size(e, first, count, output);
    const size_t step = between ? (count + POINTS_SHOWN - 1) / POINTS_SHOWN : 1;
    dt_text_table_title(&table, "%s", e->columns[i].column);
    dt_text_table_title(&table, ">rows");
    dt_text_table_title(&table, e->task->classes ? ">p_%s" : ">%s", file->outputs.texts[output]);
    dt_text_table_title(&table, "%s", "");
    for (size_t p = 0; p < count; p++) {
        const dt_dependence_point *point = &e->points[first + p];
        const bool last = p + 1 == count || (isfinite(point->value) && isnan(point[1].value));
        if (p % step != 0 && !last)
            continue;
        dt_text_table_add(&table, "%s", point->text);
        dt_text_table_add(&table, "%.1f %%", 100.0 * point->share);
        dt_report_add_aligned(&table, prediction_of(e, first + p, output), size, DIGITS);
        add_bar(&table, dt_report_bar_share(e, first, count, output, first + p));
    }
    dt_log_show("\n");
    return dt_text_table_print(&table);
}

dt_status dt_report_explanation_print(const dt_explanation_file *file)
{
    dt_status status = DT_OK;
    const dt_explanation *e = &file->explanation;
    dt_log_show("importance: how much worse %s and %s become\nwhen a column's values are "
                "permuted; mean of %zu repeat%s over %llu rows\n\n",
                e->metric->title, e->second->title, e->repeats, e->repeats == 1 ? "" : "s",
                (unsigned long long)e->N);
    DT_TRY(print_importances(e));
    if (e->point_count == 0)
        goto out;
    dt_log_show("\ndependence: the mean prediction over %llu rows if all have the same value;\n"
                "rows: the share of rows whose own value is nearest to it\n",
                (unsigned long long)e->dependence_rows);
    for (size_t i = 0; i < e->count && i < DEPENDENCES_SHOWN; i++)
        DT_TRY(print_dependence(file, i));
out:
    return status;
}

/* ---- CSV ---- */

static void fill_importances(dt_text_table *table, const dt_explanation *e)
{
    dt_text_table_titles(table, "column|kind|inputs");
    dt_text_table_title(table, "%s", e->metric->name);
    dt_text_table_title(table, "%s_error", e->metric->name);
    dt_text_table_title(table, "%s", e->second->name);
    dt_text_table_title(table, "%s_error", e->second->name);
    for (size_t i = 0; i < e->count; i++) {
        const dt_column_importance *column = &e->columns[i];
        dt_text_table_add(table, "%s", column->column);
        dt_text_table_add(table, "%s", dt_column_kind_name(column->kind));
        dt_text_table_add(table, "%d", (int)column->inputs);
        dt_report_add_exact(table, column->importance);
        dt_report_add_exact(table, column->standard_error);
        dt_report_add_exact(table, column->second);
        dt_report_add_exact(table, column->second_error);
    }
}

static void fill_points(dt_text_table *table, const dt_explanation_file *file)
{
    const dt_explanation *e = &file->explanation;
    dt_text_table_titles(table, "column|kind|text|value|share");
    for (size_t c = 0; c < e->C; c++)
        dt_text_table_title(table, e->task->classes ? "p_%s" : "%s", file->outputs.texts[c]);
    for (size_t p = 0; p < e->point_count; p++) {
        const dt_dependence_point *point = &e->points[p];
        dt_text_table_add(table, "%s", point->column);
        dt_text_table_add(table, "%s", dt_column_kind_name(point->kind));
        dt_text_table_add(table, "%s", point->text);
        dt_report_add_exact(table, point->value);
        dt_report_add_exact(table, point->share);
        for (size_t c = 0; c < e->C; c++)
            dt_report_add_exact(table, prediction_of(e, p, c));
    }
}

dt_status dt_report_explanation_csv(char **out, const dt_explanation_file *file, bool points)
{
    dt_text_table table = {0};
    dt_report_buffer text = {0};
    if (points)
        fill_points(&table, file);
    else
        fill_importances(&table, &file->explanation);
    const dt_status status = dt_report_make_csv(&text, &table);
    dt_text_table_clear(&table);
    *out = text.text; /* NULL after an error */
    if (status != DT_OK) {
        *out = NULL;
        dt_report_buffer_clear(&text);
    }
    return status;
}
