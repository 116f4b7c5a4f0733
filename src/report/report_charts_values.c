/* Figures of targets that are values. */
#include "report_internal.h"

#include "dtrain/base/elementary.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A set's figure, named after the target if there are several. */
static void name_figure(char out[96], const char *what, const dt_report_run *run, int set,
                        size_t target)
{
    char of_target[32] = "";
    if (run->sets[set].targets.rows > 1)
        (void)snprintf(of_target, sizeof of_target, ", target %zu", target);
    (void)snprintf(out, 96, "%s, %s set%s", what, dt_report_set_name(set), of_target);
}

/* The step of about five ticks of an axis: its first digit is 1, 2 or 5. */
static double tick_step(double range)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%.0e", range / 5.0);
    text[0] = text[0] >= '5' ? '5' : text[0] >= '2' ? '2' : '1';
    return strtod(text, NULL);
}

/* ---- residuals ---- */

static int64_t sum_of(const int64_t *counts, size_t count)
{
    int64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += counts[i];
    return sum;
}

/* The outline of a histogram, from and down to 0. Runs with other limits have bins of another
 * width: the share of rows in a bin is divided by it. Returns the largest limit so far. */
static double add_residuals(dt_report_buffer *script, const dt_report_set *s, size_t target,
                            size_t number, double most)
{
    const size_t bins = s->residuals.extent[1];
    const int64_t *rows = s->residuals.counts + target * bins;
    const double limit = s->targets.columns[TARGET_LIMIT][target];
    const double width = 2.0 * limit / (double)bins, all = (double)sum_of(rows, bins);
    dt_report_buffer_add(script, "$d%zu << EOD\n %.9g 0\n", number, -limit);
    for (size_t b = 0; b < bins; b++)
        for (size_t end = 0; end < 2; end++) {
            dt_report_figure_number(script, width * (double)(b + end) - limit);
            dt_report_figure_number(script, (double)rows[b] / all / width);
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
           sum_of(s->residuals.counts + target * bins, bins) > 0;
}

void dt_report_chart_residuals(dt_report_page *page, dt_report_run *const *runs, size_t count,
                               int set, size_t target)
{
    dt_report_buffer script = {0}, plot = {0};
    char title[96];
    double most = 0.0;
    dt_report_figure_begin(&script, 560, 480);
    for (size_t i = 0; i < count && i < REPORT_RUNS_DRAWN; i++) {
        const dt_report_set *s = &runs[i]->sets[set];
        if (!has_residuals(s, target))
            continue;
        most = add_residuals(&script, s, target, i, most);
        if (plot.bytes == 0)
            name_figure(title, "residuals", runs[i], set, target);
        dt_report_buffer_add(&plot, "%s $d%zu using 1:2 with lines", plot.bytes > 0 ? "," : "plot",
                             i);
        dt_report_figure_style(&plot, i);
    }
    if (plot.bytes > 0) {
        dt_report_buffer_add(&script,
                             "set xrange [%.9g:%.9g]\nset yrange [0:*]\nset xtics %.9g\n"
                             "set yzeroaxis linecolor rgb '#808080' dashtype 2\n"
                             "set xlabel 'prediction - target, units of the target'\n"
                             "set ylabel 'share of rows per unit'\n%s\n",
                             -most, most, tick_step(2.0 * most), plot.text);
        dt_report_figure_add(page, &script, title);
    }
    dt_report_buffer_clear(&script);
    dt_report_buffer_clear(&plot);
}

/* ---- predictions against targets ---- */

/* Each cell that has rows, as its middle and how opaque it is: 0 to 255, by the logarithm of its
 * rows, so that single rows are seen, too. Returns the most rows of a cell. */
static int64_t add_cells(dt_report_buffer *script, const int64_t *rows, size_t bins, double low,
                         double width)
{
    enum { FAINTEST = 40, OPAQUE = 255 };
    int64_t most = 1;
    for (size_t i = 0; i < bins * bins; i++)
        most = rows[i] > most ? rows[i] : most;
    dt_report_buffer_puts(script, "$d << EOD\n");
    for (size_t i = 0; i < bins * bins; i++) {
        if (rows[i] <= 0)
            continue;
        const double share =
            most > 1 ? dt_elementary_log((double)rows[i]) / dt_elementary_log((double)most) : 1.0;
        const size_t by_target = i / bins, by_prediction = i % bins;
        dt_report_figure_number(script, low + width * ((double)by_target + 0.5));
        dt_report_figure_number(script, low + width * ((double)by_prediction + 0.5));
        dt_report_buffer_add(script, " %.0f\n", FAINTEST + share * (OPAQUE - FAINTEST));
    }
    dt_report_buffer_puts(script, "EOD\n");
    return most;
}

void dt_report_chart_joint(dt_report_page *page, const dt_report_run *run, bool numbered, int set,
                           size_t target)
{
    enum { BINS_MAX = 64 };
    const dt_report_set *s = &run->sets[set];
    const size_t bins = s->joint.extent[1];
    dt_report_buffer script = {0};
    char number[24], what[64], title[96];
    if (target >= s->targets.rows || target >= s->joint.extent[0] || bins > BINS_MAX)
        return;
    const int64_t *rows = s->joint.counts + target * bins * bins;
    const double low = s->targets.columns[TARGET_LOW][target];
    const double high = s->targets.columns[TARGET_HIGH][target];
    const double width = (high - low) / (double)bins;
    if (!(width > 0.0) || !isfinite(width) || sum_of(rows, bins * bins) <= 0)
        return;
    (void)snprintf(number, sizeof number, "%zu: ", run->number);
    (void)snprintf(what, sizeof what, "%spredictions by targets", numbered ? number : "");
    name_figure(title, what, run, set, target);
    dt_report_figure_begin(&script, 560, 480);
    const int64_t most = add_cells(&script, rows, bins, low, width);
    dt_report_buffer_add(
        &script,
        "set xrange [%.9g:%.9g]\nset yrange [%.9g:%.9g]\nset size ratio 1\nset xtics %.9g\n"
        "set xlabel 'target (darkest cell: %lld row%s)'\nset ylabel 'prediction'\n"
        "set style fill solid 1 noborder\n"
        "plot $d using 1:2:(%.9g):(%.9g):((255-int($3))*16777216+0x0072B2) with boxxyerror "
        "linecolor rgb variable, x with lines linecolor rgb '#808080' dashtype 2\n",
        low, high, low, high, tick_step(high - low), (long long)most, most == 1 ? "" : "s",
        0.5 * width, 0.5 * width);
    dt_report_figure_add(page, &script, title);
    dt_report_buffer_clear(&script);
}
