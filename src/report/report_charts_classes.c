/* Figures of classes. */
#include "report_internal.h"

#include <math.h>
#include <stdio.h>

void dt_report_chart_roc(dt_report_page *page, dt_report_run *const *runs, size_t count, int set)
{
    dt_report_buffer script = {0}, plot = {0};
    char title[64];
    (void)snprintf(title, sizeof title, "ROC, %s set", dt_report_set_name(set));
    dt_report_figure_begin(&script, 560, 480);
    dt_report_buffer_puts(&script, "set xrange [0:1]\nset yrange [0:1]\nset size ratio 1\n"
                                   "set xtics 0.2\nset ytics 0.2\n"
                                   "set xlabel 'false positives, share of class 0'\n"
                                   "set ylabel 'true positives, share of class 1'\n");
    for (size_t i = 0; i < count && i < REPORT_RUNS_DRAWN; i++) {
        const dt_report_table *roc = &runs[i]->sets[set].roc;
        const size_t step = roc->rows / ((size_t)2 * REPORT_POINTS_MAX) + 1;
        if (roc->rows == 0)
            continue;
        dt_report_buffer_add(&script, "$d%zu << EOD\n", i);
        for (size_t k = 0; k < roc->rows; k++) {
            if (k % step != 0 && k + 1 != roc->rows)
                continue;
            dt_report_figure_number(&script, roc->columns[ROC_FPR][k]);
            dt_report_figure_number(&script, roc->columns[ROC_TPR][k]);
            dt_report_buffer_puts(&script, "\n");
        }
        dt_report_buffer_puts(&script, "EOD\n");
        dt_report_buffer_add(&plot, ", $d%zu using 1:2 with lines", i);
        dt_report_figure_style(&plot, i);
    }
    if (plot.bytes > 0) {
        dt_report_buffer_add(&script, "plot x with lines linecolor rgb '#808080' dashtype 2%s\n",
                             plot.text);
        dt_report_figure_add(page, &script, title);
    }
    dt_report_buffer_clear(&script);
    dt_report_buffer_clear(&plot);
}

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

/* Accuracy above, below it how many rows each bin rests on. */
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
