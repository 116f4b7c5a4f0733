/* The page's part about a model's explanation. Names are only in HTML, not in figures. */
#include "dtrain/base/text.h"
#include "report_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { COLUMNS_SHOWN = 100, DEPENDENCES_SHOWN = 24, OUTPUTS_DRAWN = REPORT_COLOURS };

void dt_report_page_bar(dt_report_page *page, const char *name, double share, const char *text)
{
    dt_report_buffer_puts(&page->html, "<tr><td class=\"text\">");
    dt_report_buffer_escape(&page->html, name);
    dt_report_buffer_add(&page->html,
                         "</td><td class=\"bar\"><span style=\"width:%.1f%%\"></span></td><td>",
                         share > 0.0 && share <= 1.0 ? 100.0 * share : 0.0);
    dt_report_buffer_escape(&page->html, text);
    dt_report_buffer_puts(&page->html, "</td></tr>\n");
}

static void add_importances(dt_report_page *page, const dt_explanation *e)
{
    const char *unit = e->metric->unit;
    const dt_column_importance size = dt_report_importance_size(e);
    dt_report_buffer_add(&page->html,
                         "<p>How much worse %s (%s) becomes when the values of a column are "
                         "permuted: mean and standard error of %zu repeats over %llu rows. The "
                         "last number is the change of %s.</p>\n"
                         "<div class=\"scroll\"><table class=\"bars\">\n",
                         e->metric->title, unit, e->repeats, (unsigned long long)e->N,
                         e->second->title);
    for (size_t i = 0; i < e->count && i < COLUMNS_SHOWN; i++) {
        const dt_column_importance *column = &e->columns[i];
        char text[96], error[32] = "", number[3][DT_TEXT_NUMBER_BYTES];
        if (!isnan(column->standard_error))
            (void)snprintf(error, sizeof error, " \xC2\xB1 %s",
                           dt_text_aligned(number[0], column->standard_error, size.importance, 4));
        (void)snprintf(text, sizeof text, "%s%s; %s",
                       dt_text_aligned(number[1], column->importance, size.importance, 4), error,
                       dt_text_aligned(number[2], column->second, size.second, 4));
        dt_report_page_bar(page, column->column, dt_report_importance_share(e, i), text);
    }
    dt_report_buffer_puts(&page->html, "</table></div>\n");
    if (e->count > COLUMNS_SHOWN)
        dt_report_buffer_add(&page->html, "<p>The other %zu are in explain.csv.</p>\n",
                             e->count - COLUMNS_SHOWN);
}

/* ---- dependences ---- */

/* The outputs of a figure: the second of two classes, else the first ones. */
static void choose_outputs(size_t *from, size_t *count, const dt_explanation *e)
{
    *from = e->task->classes && e->C == 2 ? 1 : 0;
    *count = e->C - *from < OUTPUTS_DRAWN ? e->C - *from : OUTPUTS_DRAWN;
}

static void add_outputs(dt_report_page *page, const dt_explanation_file *file)
{
    size_t from, count;
    choose_outputs(&from, &count, &file->explanation);
    dt_report_buffer_puts(&page->html, "<ul class=\"legend\">\n");
    for (size_t c = 0; c < count; c++) {
        dt_report_buffer_add(&page->html,
                             "<li><span class=\"key\" style=\"border-color:%s\"></span>",
                             dt_report_colours[c]);
        dt_report_buffer_escape(&page->html, file->outputs.texts[from + c]);
        dt_report_buffer_puts(&page->html, "</li>\n");
    }
    dt_report_buffer_puts(&page->html, "<li><span class=\"box\" style=\"background:#999\"></span>"
                                       "share of rows (right)</li>\n</ul>\n");
    if (count + from < file->explanation.C)
        dt_report_buffer_add(&page->html, "<p>The other %zu outputs are in explain.h5.</p>\n",
                             file->explanation.C - count - from);
}

/* The points with a value in a column's figure. */
typedef struct figure {
    size_t from, outputs; /* of those, the first, and how many */
    double unit; /* that a value is multiplied by: a date is drawn in seconds */
    size_t points;
    double low, high, share; /* of the points; the largest share */
} figure;

/* Each point is a line: value, share, predictions. */
static void add_points(dt_report_buffer *script, figure *f, const dt_explanation *e, size_t first,
                       size_t count)
{
    dt_report_buffer_puts(script, "$d << EOD\n");
    for (size_t p = first; p < first + count; p++) {
        const dt_dependence_point *point = &e->points[p];
        if (!isfinite(point->value))
            continue;
        dt_report_buffer_add(script, " %.17g", point->value * f->unit);
        dt_report_figure_number(script, point->share);
        for (size_t c = 0; c < f->outputs; c++)
            dt_report_figure_number(script, e->predictions[p * e->C + f->from + c]);
        dt_report_buffer_puts(script, "\n");
        f->low = f->points == 0 ? point->value * f->unit : fmin(f->low, point->value * f->unit);
        f->high = f->points == 0 ? point->value * f->unit : fmax(f->high, point->value * f->unit);
        f->share = fmax(f->share, point->share);
        f->points++;
    }
    dt_report_buffer_puts(script, "EOD\n");
}

/* Rows are in the lower half, so that the curves are visible. The margins left and right show the
 * bars at the ends whole. */
static void add_axes(dt_report_buffer *script, const figure *f, bool date, bool classes)
{
    enum { TICKS = 4, LONG_S = 100 * 86400 };
    const double range = f->high - f->low, margin = 0.03 * range;
    const double top = f->share > 0.0 ? 2.0 * f->share : 1.0;
    dt_report_buffer_add(script,
                         "set border 11\nset y2tics 0,%.9g,1 nomirror out scale 0.5\n"
                         "set y2range [0:%.9g]\nset xrange [%.17g:%.17g]\n"
                         "set y2label 'share of rows'\nset ylabel 'mean %s'\n",
                         dt_report_figure_ticks(top), top, f->low - margin, f->high + margin,
                         classes ? "probability" : "prediction");
    if (date)
        dt_report_buffer_add(script,
                             "set xdata time\nset timefmt '%%s'\nset format x '%s'\n"
                             "set xtics %.0f\n",
                             range < LONG_S ? "%Y-%m-%d" : "%Y-%m", ceil(range / TICKS));
    else
        dt_report_buffer_add(script, "set xtics %.9g\n", dt_report_figure_ticks(range));
}

/* The title is HTML. */
static void add_figure(dt_report_page *page, const dt_explanation *e, const char *name,
                       size_t first, size_t count)
{
    dt_report_buffer script = {0}, title = {0};
    const bool date = e->points[first].kind == DT_COLUMN_DATE;
    figure f = {.unit = date ? 86400.0 : 1.0};
    choose_outputs(&f.from, &f.outputs, e);
    dt_report_figure_begin(&script, 560, 320);
    add_points(&script, &f, e, first, count);
    if (f.points > 1 && f.high > f.low && isfinite(f.high - f.low)) {
        add_axes(&script, &f, date, e->task->classes);
        dt_report_buffer_puts(&script, "plot $d using 1:2 axes x1y2 with impulses linecolor rgb "
                                       "'#bbbbbb' linewidth 6");
        for (size_t c = 0; c < f.outputs; c++) {
            dt_report_buffer_add(
                &script, ", $d using 1:%zu with linespoints pointtype 7 pointsize 0.5", c + 3);
            dt_report_figure_style(&script, c);
        }
        dt_report_buffer_puts(&script, "\n");
        dt_report_buffer_escape(&title, name);
        if (title.status == DT_OK)
            dt_report_figure_add(page, &script, title.text != NULL ? title.text : "");
    }
    dt_report_buffer_clear(&script);
    dt_report_buffer_clear(&title);
}

/* Points without a value, which have no place on the axis. */
static void add_categories(dt_report_page *page, const dt_explanation_file *file, const char *name,
                           size_t first, size_t count)
{
    const dt_explanation *e = &file->explanation;
    const size_t output = dt_report_output_shown(e, first, count);
    const double size = dt_report_prediction_size(e, first, count, output);
    size_t shown = 0;
    for (size_t p = first; p < first + count; p++) {
        char text[96], number[DT_TEXT_NUMBER_BYTES];
        if (isfinite(e->points[p].value))
            continue;
        if (shown++ == 0) {
            dt_report_buffer_puts(&page->html, "<figure><figcaption>");
            dt_report_buffer_escape(&page->html, name);
            dt_report_buffer_puts(&page->html, ": mean ");
            dt_report_buffer_puts(&page->html, e->task->classes ? "probability of " : "");
            dt_report_buffer_escape(&page->html, file->outputs.texts[output]);
            dt_report_buffer_puts(&page->html, "; share of rows</figcaption>\n<div "
                                               "class=\"scroll\"><table class=\"bars\">\n");
        }
        (void)snprintf(text, sizeof text, "%s; %.1f %%",
                       dt_text_aligned(number, e->predictions[p * e->C + output], size, 4),
                       100.0 * e->points[p].share);
        dt_report_page_bar(page, e->points[p].text, dt_report_bar_share(e, first, count, output, p),
                           text);
    }
    if (shown > 0)
        dt_report_buffer_puts(&page->html, "</table></div></figure>\n");
}

static void add_dependences(dt_report_page *page, const dt_explanation_file *file)
{
    const dt_explanation *e = &file->explanation;
    dt_report_buffer_add(&page->html,
                         "<h3>Dependence</h3>\n<p>The mean prediction over %llu rows if all have "
                         "the same value, for the most important columns.</p>\n",
                         (unsigned long long)e->dependence_rows);
    add_outputs(page, file);
    dt_report_buffer_puts(&page->html, "<div class=\"figures\">\n");
    for (size_t i = 0; i < e->count && i < DEPENDENCES_SHOWN; i++) {
        size_t first = 0;
        const size_t count = dt_report_points_of(&first, e, e->columns[i].number);
        if (count == 0)
            continue;
        add_figure(page, e, e->columns[i].column, first, count);
        add_categories(page, file, e->columns[i].column, first, count);
    }
    dt_report_buffer_puts(&page->html, "</div>\n");
}

void dt_report_page_explanations(dt_report_page *page, dt_report_run *const *runs, size_t count)
{
    size_t shown = 0;
    for (size_t i = 0; i < count && i < REPORT_RUNS_DRAWN; i++) {
        const dt_explanation_file *file = &runs[i]->explanation;
        if (file->explanation.count == 0)
            continue;
        if (shown++ == 0)
            dt_report_buffer_puts(&page->html, "<h2>What matters</h2>\n");
        dt_report_buffer_add(&page->html, "<h3>%zu: ", runs[i]->number);
        dt_report_buffer_escape(&page->html, runs[i]->name);
        dt_report_buffer_puts(&page->html, ", on ");
        dt_report_buffer_escape(&page->html, file->data);
        dt_report_buffer_puts(&page->html, "</h3>\n");
        add_importances(page, &file->explanation);
        if (count == 1 && file->explanation.point_count > 0)
            add_dependences(page, file);
    }
}
