/* Figures of classes. */
#include "report_internal.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>

/* ---- ROC, precision and recall ---- */

/* A curve of class 1; both have the threshold in their third column. */
typedef struct curve_kind {
    const char *title, *x, *y;
    const char *drawn; /* gnuplot's style */
    size_t offset; /* of the table in dt_report_set */
} curve_kind;

static const curve_kind roc_kind = {"ROC", "false positives, share of class 0",
                                    "true positives, share of class 1", "lines",
                                    offsetof(dt_report_set, roc)};
/* Average precision is the area below steps: between two points it is the precision of the right
 * one. */
static const curve_kind pr_kind = {"precision and recall", "recall, share of class 1",
                                   "precision, share of predictions of class 1", "fsteps",
                                   offsetof(dt_report_set, pr)};

static const dt_report_table *table_of(const curve_kind *kind, const dt_report_set *set)
{
    return (const dt_report_table *)(const void *)((const char *)set + kind->offset);
}

static void add_point(dt_report_buffer *script, const dt_report_table *curve, size_t k)
{
    dt_report_figure_number(script, curve->columns[CURVE_X][k]);
    dt_report_figure_number(script, curve->columns[CURVE_Y][k]);
    dt_report_buffer_puts(script, "\n");
}

/* The last point without rows below the run's threshold; SIZE_MAX if there is no threshold. */
static size_t threshold_point(const dt_report_run *run, const dt_report_table *curve)
{
    const double threshold = dt_report_value(run, "threshold");
    size_t found = SIZE_MAX;
    for (size_t k = 0; k < curve->rows; k++)
        if (curve->columns[CURVE_THRESHOLD][k] >= threshold)
            found = k;
    return found;
}

static void add_curve(dt_report_buffer *script, dt_report_buffer *plot, const curve_kind *kind,
                      const dt_report_run *run, const dt_report_table *curve, size_t number)
{
    const size_t step = curve->rows / ((size_t)2 * REPORT_POINTS_MAX) + 1;
    const size_t marked = threshold_point(run, curve);
    dt_report_buffer_add(script, "$d%zu << EOD\n", number);
    for (size_t k = 0; k < curve->rows; k++)
        if (k % step == 0 || k + 1 == curve->rows)
            add_point(script, curve, k);
    dt_report_buffer_puts(script, "EOD\n");
    dt_report_buffer_add(plot, "%s $d%zu using 1:2 with %s", plot->bytes > 0 ? "," : "", number,
                         kind->drawn);
    dt_report_figure_style(plot, number);
    if (marked == SIZE_MAX)
        return;
    dt_report_buffer_add(script, "$t%zu << EOD\n", number);
    add_point(script, curve, marked);
    dt_report_buffer_puts(script, "EOD\n");
    dt_report_buffer_add(plot, ", $t%zu using 1:2 with points pointtype 7 pointsize 0.8", number);
    dt_report_figure_style(plot, number);
}

/* `chance`: the curve of predictions without skill, as a function of x. */
static void add_chart(dt_report_page *page, dt_report_run *const *runs, size_t count, int set,
                      const curve_kind *kind, const char *chance)
{
    dt_report_buffer script = {0}, plot = {0};
    char title[64];
    (void)snprintf(title, sizeof title, "%s, %s set", kind->title, dt_report_set_name(set));
    dt_report_figure_begin(&script, 560, 480);
    dt_report_buffer_add(&script,
                         "set xrange [0:1]\nset yrange [0:1]\nset size ratio 1\n"
                         "set xtics 0.2\nset ytics 0.2\nset xlabel '%s'\nset ylabel '%s'\n",
                         kind->x, kind->y);
    for (size_t i = 0; i < count && i < REPORT_RUNS_DRAWN; i++) {
        const dt_report_table *curve = table_of(kind, &runs[i]->sets[set]);
        if (curve->rows > 0)
            add_curve(&script, &plot, kind, runs[i], curve, i);
    }
    if (plot.bytes > 0) {
        dt_report_buffer_add(&script, "plot %s with lines linecolor rgb '#808080' dashtype 2,%s\n",
                             chance, plot.text);
        dt_report_figure_add(page, &script, title);
    }
    dt_report_buffer_clear(&script);
    dt_report_buffer_clear(&plot);
}

void dt_report_chart_roc(dt_report_page *page, dt_report_run *const *runs, size_t count, int set)
{
    add_chart(page, runs, count, set, &roc_kind, "x");
}

/* Without skill the precision is the share of class 1: the majority's average precision. */
void dt_report_chart_pr(dt_report_page *page, dt_report_run *const *runs, size_t count, int set)
{
    char chance[32] = "NaN", key[REPORT_KEY_BYTES];
    for (size_t i = count < REPORT_RUNS_DRAWN ? count : REPORT_RUNS_DRAWN; i-- > 0;) {
        const double share = dt_report_value(runs[i], dt_report_key(key, set, "majority_pr_auc"));
        if (share >= 0.0 && share <= 1.0)
            (void)snprintf(chance, sizeof chance, "%.9g", share);
    }
    add_chart(page, runs, count, set, &pr_kind, chance);
}

/* ---- calibration ---- */

static void add_bins(dt_report_buffer *script, const dt_report_table *bins, size_t number)
{
    dt_report_buffer_add(script, "$d%zu << EOD\n", number);
    for (size_t b = 0; b < bins->rows; b++) {
        dt_report_figure_number(script, bins->columns[BIN_CONFIDENCE][b]);
        dt_report_figure_number(script, bins->columns[BIN_ACCURACY][b]);
        dt_report_figure_number(script,
                                0.5 * (bins->columns[BIN_LOWER][b] + bins->columns[BIN_UPPER][b]));
        dt_report_figure_number(script, bins->columns[BIN_ROWS][b]);
        dt_report_buffer_puts(script, "\n");
    }
    dt_report_buffer_puts(script, "EOD\n");
}

/* Accuracy above, the number of rows of each bin below. */
void dt_report_chart_calibration(dt_report_page *page, dt_report_run *const *runs, size_t count,
                                 int set)
{
    dt_report_buffer script = {0}, above = {0}, below = {0};
    char title[64];
    size_t drawn = 0;
    double most = 1.0;
    (void)snprintf(title, sizeof title, "calibration, %s set", dt_report_set_name(set));
    dt_report_figure_begin(&script, 560, 480);
    for (size_t i = 0; i < count && i < REPORT_RUNS_DRAWN; i++) {
        const dt_report_table *bins = &runs[i]->sets[set].calibration;
        if (bins->rows == 0)
            continue;
        add_bins(&script, bins, i);
        for (size_t b = 0; b < bins->rows; b++)
            most = fmax(most, bins->columns[BIN_ROWS][b]);
        dt_report_buffer_add(&above, ", $d%zu using 1:2 with linespoints pointtype 7 pointsize 0.5",
                             i);
        dt_report_figure_style(&above, i);
        dt_report_buffer_add(&below, "%s $d%zu using 3:4 with histeps", drawn++ > 0 ? "," : "plot",
                             i);
        dt_report_figure_style(&below, i);
    }
    if (drawn == 0)
        goto out;
    dt_report_buffer_puts(&script,
                          "set multiplot\nset lmargin 10\nset rmargin 3\nset xrange [0:1]\n"
                          "set xtics 0.2\nset yrange [0:1]\nset ytics 0.2\nset tmargin 1\n"
                          "set origin 0,0.34\nset size 1,0.66\nset bmargin 2\n"
                          "set ylabel 'accuracy, share of rows'\n");
    dt_report_buffer_add(&script, "plot x with lines linecolor rgb '#808080' dashtype 2%s\n",
                         above.text);
    dt_report_buffer_puts(&script, "set origin 0,0\nset size 1,0.34\nset bmargin 4\nset tmargin 1\n"
                                   "set yrange [0:*]\n"
                                   "set xlabel 'confidence (probability of the predicted class)'\n"
                                   "set ylabel 'rows'\n");
    dt_report_buffer_add(&script, "set ytics %.0f\n%s\nunset multiplot\n",
                         dt_report_figure_step(most, 3.0), below.text);
    dt_report_figure_add(page, &script, title);
out:
    dt_report_buffer_clear(&script);
    dt_report_buffer_clear(&above);
    dt_report_buffer_clear(&below);
}
