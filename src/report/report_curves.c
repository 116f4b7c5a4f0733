#include "dtrain/base/log.h"
#include "dtrain/report/text_table.h"
#include "report_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* gnuplot's dumb terminal draws its first curves with these. */
static const char signs[] = "*#$%@&";
enum { CURVES_MAX = REPORT_RUNS_DRAWN, HEIGHT = 18, WIDTH_MAX = 110, POINTS_MAX = 1000 };
#define TIMEOUT_S 60.0

typedef struct curve {
    const dt_report_run *run;
    int column;
    const char *name;
} curve;

static bool has_points(const curve *c)
{
    for (size_t i = 0; i < c->run->epochs.rows; i++)
        if (isfinite(c->run->epochs.columns[c->column][i]))
            return true;
    return false;
}

static void add_data(dt_report_buffer *script, const curve *c, size_t number)
{
    const dt_report_table *epochs = &c->run->epochs;
    const size_t step = epochs->rows / POINTS_MAX + 1;
    dt_report_buffer_add(script, "$d%zu << EOD\n", number);
    for (size_t i = 0; i < epochs->rows; i++)
        if ((i % step == 0 || i + 1 == epochs->rows) && isfinite(epochs->columns[c->column][i]))
            dt_report_buffer_add(script, "%.9g %.9g\n", epochs->columns[EPOCH_NUMBER][i],
                                 epochs->columns[c->column][i]);
    dt_report_buffer_puts(script, "EOD\n");
}

/* `others`: runs that have no curve. False when there will be no plots. */
static bool print_plot(const char *title, const curve *curves, size_t count, size_t others,
                       size_t width)
{
    dt_report_buffer script = {0}, plot = {0}, drawn = {0};
    char why[REPORT_GNUPLOT_WHY_BYTES] = "memory is short";
    char name[DT_TEXT_TABLE_CELL_BYTES];
    double last = 1.0;
    dt_report_buffer_add(&script,
                         "set terminal dumb size %zu,%d noenhanced\nunset key\nset tics nomirror\n"
                         "set format '%%.10g'\nset title '%s'\nset xlabel 'epoch'\nset border 3\n",
                         width < WIDTH_MAX ? width : WIDTH_MAX, HEIGHT, title);
    for (size_t i = 0; i < count; i++) {
        const dt_report_table *epochs = &curves[i].run->epochs;
        add_data(&script, &curves[i], i);
        dt_report_buffer_add(&plot, "%s $d%zu using 1:2 with lines", i > 0 ? "," : "plot", i);
        last = fmax(last, epochs->columns[EPOCH_NUMBER][epochs->rows - 1]);
    }
    dt_report_buffer_add(&script, "set xrange [%.9g:%.9g]\n", last > 1.0 ? 1.0 : 0.5,
                         last > 1.0 ? last : 1.5);
    if (last < 10.0)
        dt_report_buffer_puts(&script, "set xtics 1\n");
    if (plot.status == DT_OK)
        dt_report_buffer_add(&script, "%s\n", plot.text);
    const bool good =
        script.status == DT_OK && dt_report_gnuplot(&drawn, why, script.text, TIMEOUT_S);
    if (good) {
        /* Without the leading form feed and blank lines. */
        const char *first = drawn.text + strspn(drawn.text, "\f\n ");
        while (first > drawn.text && first[-1] == ' ')
            first--;
        dt_log_result("%s", first);
        for (size_t i = 0; i < count; i++)
            dt_log_show("  %c %s\n", signs[i],
                        dt_text_table_printable(name, sizeof name, curves[i].name));
        if (others > 0)
            dt_log_show("  only in the tables: %zu more\n", others);
        dt_log_result("\n");
    } else {
        dt_log_result("no plots: %s; they are made by gnuplot (Debian: apt install gnuplot-nox)\n",
                      why);
    }
    dt_report_buffer_clear(&script);
    dt_report_buffer_clear(&plot);
    dt_report_buffer_clear(&drawn);
    return good;
}

/* Of runs of one task. False when there will be no plots. */
static bool print_plots(dt_report_run *const *runs, size_t count, size_t width)
{
    const dt_task *task = runs[0]->task;
    for (size_t m = 0; m < REPORT_METRICS_COMPARED; m++) {
        const char *unit = dt_report_unit(runs, count, &task->metrics[m]);
        const curve of_one[2] = {{runs[0], EPOCH_TRAIN(m), "training"},
                                 {runs[0], EPOCH_VAL(m), "validation"}};
        curve curves[CURVES_MAX];
        char title[128];
        size_t drawn = 0;
        for (size_t i = 0; i < (count == 1 ? 2 : count) && drawn < CURVES_MAX; i++) {
            curves[drawn] = count == 1 ? of_one[i] : (curve){runs[i], EPOCH_VAL(m), runs[i]->name};
            drawn += has_points(&curves[drawn]);
        }
        (void)snprintf(title, sizeof title, "%s%s%s%s", count > 1 ? "validation " : "",
                       dt_report_title(task, task->metrics[m].name), unit[0] != '\0' ? ", " : "",
                       unit);
        const size_t others = count > drawn ? count - drawn : 0;
        if (drawn > 0 && !print_plot(title, curves, drawn, others, width))
            return false;
    }
    return true;
}

dt_status dt_report_print_curves(dt_report_run *const *runs, size_t count, size_t width)
{
    for (size_t from = 0, same = 0; from < count; from += same) {
        same = dt_report_group(runs + from, count - from);
        if (!print_plots(runs + from, same, width))
            break;
    }
    return DT_OK;
}
