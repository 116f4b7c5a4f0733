/* Figures of targets that are values. */
#include "report_internal.h"

#include "dtrain/base/elementary.h"
#include "dtrain/base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TITLE_BYTES = 160 };

/* A set's figure, with the name of the target if there are several. */
static void name_figure(char out[TITLE_BYTES], const char *what, const dt_report_run *run, int set,
                        size_t target)
{
    char name[DT_TEXT_TABLE_CELL_BYTES], shown[DT_TEXT_SHOWN_BYTES + 4];
    (void)dt_report_target_name(name, sizeof name, run, target);
    (void)snprintf(out, TITLE_BYTES, "%s, %s set", what, dt_report_set_name(set));
    if (run->sets[set].targets.rows > 1)
        (void)snprintf(out + strlen(out), TITLE_BYTES - strlen(out), ", target %s",
                       dt_text_show(shown, name, strlen(name)));
}

/* The title contains names from a file. */
static void add_figure(dt_report_page *page, const dt_report_buffer *script, const char *title)
{
    dt_report_buffer escaped = {0};
    dt_report_buffer_escape(&escaped, title);
    if (escaped.status == DT_OK)
        dt_report_figure_add(page, script, escaped.text);
    dt_report_buffer_clear(&escaped);
}

/* 1, 10, 0.1 ...: of the first digit of a number. */
static double power_of_ten(double number)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%.0e", number);
    text[0] = '1';
    return strtod(text, NULL);
}

double dt_report_figure_ticks(double range)
{
    const double power = power_of_ten(range / 5.0), step = range / 5.0 / power;
    return power * (step > 5.0 ? 10.0 : step > 2.0 ? 5.0 : step > 1.0 ? 2.0 : 1.0);
}

/* ---- residuals ---- */

double dt_report_sum(const double *sums, size_t count)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++)
        sum += sums[i];
    return sum;
}

/* The outline of a histogram, from and down to 0. Runs with other limits have other bin widths: the
 * share of rows in a bin is divided by the width. Returns the largest limit so far. */
static double add_residuals(dt_report_buffer *script, const dt_report_set *s, size_t target,
                            size_t number, double most)
{
    const size_t bins = s->residuals.extent[1];
    const double *rows = s->residuals.sums + target * bins;
    const double limit = s->targets.columns[TARGET_LIMIT][target];
    const double width = 2.0 * limit / (double)bins, all = dt_report_sum(rows, bins);
    dt_report_buffer_add(script, "$d%zu << EOD\n %.9g 0\n", number, -limit);
    for (size_t b = 0; b < bins; b++)
        for (size_t end = 0; end < 2; end++) {
            dt_report_figure_number(script, width * (double)(b + end) - limit);
            dt_report_figure_number(script, rows[b] / all / width);
            dt_report_buffer_puts(script, "\n");
        }
    dt_report_buffer_add(script, " %.9g 0\nEOD\n", limit);
    return fmax(most, limit);
}

/* Without rows, or errors, there is no histogram. */
static bool has_residuals(const dt_report_set *s, size_t target)
{
    const size_t bins = s->residuals.extent[1];
    return target < s->targets.rows && target < s->residuals.extent[0] &&
           s->targets.columns[TARGET_LIMIT][target] > 0.0 &&
           isfinite(s->targets.columns[TARGET_LIMIT][target]) &&
           dt_report_sum(s->residuals.sums + target * bins, bins) > 0.0;
}

void dt_report_chart_residuals(dt_report_page *page, dt_report_run *const *runs, size_t count,
                               int set, size_t target)
{
    dt_report_buffer script = {0}, plot = {0};
    char title[TITLE_BYTES];
    double most = 0.0;
    bool weighted = false;
    dt_report_figure_begin(&script, 560, 480);
    for (size_t i = 0; i < count && i < REPORT_RUNS_DRAWN; i++) {
        const dt_report_set *s = &runs[i]->sets[set];
        if (!has_residuals(s, target))
            continue;
        most = add_residuals(&script, s, target, i, most);
        weighted = weighted || s->residuals.weighted;
        if (plot.bytes == 0)
            name_figure(title, "residuals", runs[i], set, target);
        dt_report_buffer_add(&plot, "%s $d%zu using 1:($2*unit) with lines",
                             plot.bytes > 0 ? "," : "plot", i);
        dt_report_figure_style(&plot, i);
    }
    if (plot.bytes > 0) {
        /* So that the shares are about 0.1 to 1: of prices, they are per 100000 units. */
        const double step = dt_report_figure_ticks(2.0 * most), unit = power_of_ten(0.5 * step);
        dt_report_buffer_add(
            &script,
            "unit = %.9g\nset xrange [%.9g:%.9g]\nset yrange [0:*]\nset xtics %.9g\n"
            "set yzeroaxis linecolor rgb '#808080' dashtype 2\n"
            "set xlabel 'prediction - target, units of the target'\n"
            "set ylabel 'share of %s per %.8g unit%s'\n%s\n",
            unit, -most, most, step, weighted ? "weight" : "rows", unit, unit > 1.0 ? "s" : "",
            plot.text);
        add_figure(page, &script, title);
    }
    dt_report_buffer_clear(&script);
    dt_report_buffer_clear(&plot);
}

/* ---- predictions against targets ---- */

/* Each cell that has rows, as its middle and how opaque it is, of 255, by the logarithm of their
 * weight, from `least` on, so that single rows are visible. Returns the maximum of a cell. */
static double add_cells(dt_report_buffer *script, const double *rows, size_t bins, double low,
                        double width, double least)
{
    /* All are below 255, so that all have a fill-opacity: the page colours cells by it. */
    enum { FAINTEST = 40, DARKEST = 250 };
    double most = least;
    for (size_t i = 0; i < bins * bins; i++)
        most = fmax(most, rows[i]);
    dt_report_buffer_puts(script, "$d << EOD\n");
    for (size_t i = 0; i < bins * bins; i++) {
        if (!(rows[i] > 0.0))
            continue;
        const double share =
            most > least ? dt_elementary_log(rows[i] / least) / dt_elementary_log(most / least)
                         : 1.0;
        const size_t by_target = i / bins, by_prediction = i % bins;
        dt_report_figure_number(script, low + width * ((double)by_target + 0.5));
        dt_report_figure_number(script, low + width * ((double)by_prediction + 0.5));
        dt_report_buffer_add(script, " %.0f\n", FAINTEST + share * (DARKEST - FAINTEST));
    }
    dt_report_buffer_puts(script, "EOD\n");
    return most;
}

/* The weight of the faintest cell: one row, or the smallest weight of a cell. */
static double least_of(const dt_report_histogram *joint, const double *rows, size_t count)
{
    double least = INFINITY;
    for (size_t i = 0; i < count && joint->weighted; i++)
        if (rows[i] > 0.0)
            least = fmin(least, rows[i]);
    return joint->weighted ? least : 1.0;
}

static void name_most(char *out, size_t bytes, const dt_report_histogram *joint, double most)
{
    char number[DT_TEXT_NUMBER_BYTES];
    if (joint->weighted)
        (void)snprintf(out, bytes, "weight %s", dt_text_number(number, most, 4));
    else
        (void)snprintf(out, bytes, "%.0f row%s", most, most == 1.0 ? "" : "s");
}

void dt_report_chart_joint(dt_report_page *page, const dt_report_run *run, bool numbered, int set,
                           size_t target)
{
    enum { BINS_MAX = 64 };
    const dt_report_set *s = &run->sets[set];
    const size_t bins = s->joint.extent[1];
    dt_report_buffer script = {0};
    char number[24], what[64], title[TITLE_BYTES], darkest[48];
    if (target >= s->targets.rows || target >= s->joint.extent[0] || bins > BINS_MAX)
        return;
    const double *rows = s->joint.sums + target * bins * bins;
    const double low = s->targets.columns[TARGET_LOW][target];
    const double high = s->targets.columns[TARGET_HIGH][target];
    const double width = (high - low) / (double)bins;
    if (!(width > 0.0) || !isfinite(width) || !(dt_report_sum(rows, bins * bins) > 0.0))
        return;
    (void)snprintf(number, sizeof number, "%zu: ", run->number);
    (void)snprintf(what, sizeof what, "%spredictions by targets", numbered ? number : "");
    name_figure(title, what, run, set, target);
    dt_report_figure_begin(&script, 560, 480);
    const double most =
        add_cells(&script, rows, bins, low, width, least_of(&s->joint, rows, bins * bins));
    name_most(darkest, sizeof darkest, &s->joint, most);
    dt_report_buffer_add(
        &script,
        "set xrange [%.9g:%.9g]\nset yrange [%.9g:%.9g]\nset size ratio 1\nset xtics %.9g\n"
        "set xlabel 'target (fullest cell: %s)'\nset ylabel 'prediction'\n"
        "set style fill solid 1 noborder\n"
        "plot $d using 1:2:(%.9g):(%.9g):((255-int($3))*16777216+0x0072B2) with boxxyerror "
        "linecolor rgb variable, x with lines linecolor rgb '#808080' dashtype 2\n",
        low, high, low, high, dt_report_figure_ticks(high - low), darkest, 0.5 * width,
        0.5 * width);
    add_figure(page, &script, title);
    dt_report_buffer_clear(&script);
}
