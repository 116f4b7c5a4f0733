#include "report_internal.h"

#include "dtrain/base/clock.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Scripts contain no names: runs are identified by their numbers, which the page's legend
 * explains. */

#define TIMEOUT_S 60.0
enum { MARKED_MAX = 40 };

const char *const dt_report_colours[REPORT_COLOURS] = {"#0072B2", "#D55E00", "#009E73",
                                                       "#CC79A7", "#E69F00", "#56B4E9"};
const char *const dt_report_phase_colours[REPORT_PHASES] = {
    "#999999", "#56B4E9", "#0072B2", "#E69F00", "#F0E442", "#CC79A7", "#009E73"};

/* ---- figures ---- */

/* Returns the length of what stands there that the page has no use for: declarations, and titles of
 * curves ("$d0 using 1:2"), which a pointer over a curve would show. */
static size_t unwanted(const char *at)
{
    static const char *const dropped[] = {" xmlns=\"http://www.w3.org/2000/svg\"\n",
                                          " xmlns:xlink=\"http://www.w3.org/1999/xlink\"\n"};
    static const char end[] = "</title>";
    for (size_t i = 0; i < sizeof dropped / sizeof *dropped; i++)
        if (strncmp(at, dropped[i], strlen(dropped[i])) == 0)
            return strlen(dropped[i]);
    const char *closed = strncmp(at, "<title>", 7) == 0 ? strstr(at, end) : NULL;
    return closed != NULL ? (size_t)(closed - at) + strlen(end) : 0;
}

/* Returns the length of a tick's number at `at`, "<text> -1500000", if it has five digits or more
 * before the point; 0 otherwise, also for a name, "<text>10115 ". */
static size_t long_number(const char *at)
{
    static const char tag[] = "<text>", digits[] = "0123456789";
    enum { LONG = 5 };
    if (strncmp(at, tag, strlen(tag)) != 0)
        return 0;
    const char *first = at + strlen(tag) + strspn(at + strlen(tag), " -");
    const size_t whole = strspn(first, digits);
    const char *end = first + whole;
    end += *end == '.' ? 1 + strspn(end + 1, digits) : 0;
    return whole >= LONG && *end == '<' ? (size_t)(first - at) + whole : 0;
}

/* Thousands are separated by thin spaces, as in ISO 80000-1: a comma could be the decimal sign. */
static void add_grouped(dt_report_buffer *html, const char *at, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        const bool after_digit = i > 0 && at[i - 1] >= '0' && at[i - 1] <= '9';
        if (after_digit && (length - i) % 3 == 0)
            dt_report_buffer_puts(html, "\u2009");
        dt_report_buffer_put(html, at + i, 1);
    }
}

/* SVG images in one page share its names, so each gets unique names; SVG in a page needs no
 * declarations. The figure has a caption, so that it needs no title. */
static void add_svg(dt_report_page *page, const char *svg)
{
    static const char *const marks[] = {"id='", "id=\"", "href='#", "url(#"};
    const char *at = strstr(svg, "<svg");
    while (*at != '\0') {
        const size_t skipped = unwanted(at);
        if (skipped > 0) {
            at += skipped;
            continue;
        }
        const size_t number = long_number(at);
        add_grouped(&page->html, at, number);
        at += number;
        size_t mark = 0, length = 0;
        for (; mark < sizeof marks / sizeof *marks && length == 0; mark++)
            if (strncmp(at, marks[mark], strlen(marks[mark])) == 0)
                length = strlen(marks[mark]);
        dt_report_buffer_put(&page->html, at, length > 0 ? length : 1);
        if (length > 0)
            dt_report_buffer_add(&page->html, "p%zu-", page->plots);
        at += length > 0 ? length : 1;
    }
}

void dt_report_figure_add(dt_report_page *page, const dt_report_buffer *script, const char *title)
{
    dt_report_buffer svg = {0};
    if (page->html.status == DT_OK)
        page->html.status = script->status;
    if (page->given_up || page->html.status != DT_OK)
        return;
    const double started_s = dt_clock_s();
    char why[REPORT_GNUPLOT_WHY_BYTES];
    if (!dt_report_gnuplot(&svg, why, script->text, TIMEOUT_S)) {
        (void)snprintf(page->why, sizeof page->why, "%s", why);
        page->given_up = dt_clock_s() - started_s > 0.5 * TIMEOUT_S; /* so that it does not hang for
                                                                      * every figure */
    } else if (svg.status != DT_OK) {
        page->html.status = svg.status;
    } else if (strstr(svg.text, "<svg") == NULL || strstr(svg.text, "</svg>") == NULL) {
        (void)snprintf(page->why, sizeof page->why, "gnuplot printed no SVG");
    } else {
        page->plots++;
        dt_report_buffer_add(&page->html, "<figure><figcaption>%s</figcaption>\n", title);
        add_svg(page, svg.text);
        dt_report_buffer_puts(&page->html, "</figure>\n");
    }
    dt_report_buffer_clear(&svg);
}

void dt_report_figure_begin(dt_report_buffer *script, int width, int height)
{
    dt_report_buffer_add(script,
                         "set terminal svg size %d,%d dynamic noenhanced font 'sans-serif,13' "
                         "linewidth 1\n",
                         width, height);
    dt_report_buffer_puts(script,
                          "set datafile missing 'NaN'\nset format '%.8g'\n"
                          "unset key\nset border 3\nset tics nomirror out scale 0.5\n"
                          "set grid ytics linecolor rgb '#808080' linewidth 0.5 dashtype 3\n");
}

double dt_report_figure_step(double range, double most)
{
    static const double steps[] = {1.0, 2.0, 5.0};
    double power = 1.0;
    for (size_t i = 0;; i++) {
        if (i == 3) {
            i = 0;
            power *= 10.0;
        }
        if (!(range / (steps[i] * power) > most))
            return steps[i] * power;
    }
}

void dt_report_figure_style(dt_report_buffer *script, size_t curve)
{
    dt_report_buffer_add(script, " linecolor rgb '%s' linewidth 2",
                         dt_report_colours[curve % REPORT_COLOURS]);
}

void dt_report_figure_number(dt_report_buffer *script, double value)
{
    if (isfinite(value))
        dt_report_buffer_add(script, " %.9g", value);
    else
        dt_report_buffer_puts(script, " NaN");
}

/* ---- epochs ---- */

/* Long runs are thinned: every n-th epoch and the last. */
static bool add_curve(dt_report_buffer *script, const dt_report_table *epochs, int column,
                      size_t number)
{
    const size_t step = epochs->rows / REPORT_POINTS_MAX + 1;
    bool any = false;
    for (size_t i = 0; i < epochs->rows && !any; i++)
        any = isfinite(epochs->columns[column][i]);
    if (!any)
        return false;
    dt_report_buffer_add(script, "$d%zu << EOD\n", number);
    for (size_t i = 0; i < epochs->rows; i++) {
        if (i % step != 0 && i + 1 != epochs->rows)
            continue;
        dt_report_figure_number(script, epochs->columns[EPOCH_NUMBER][i]);
        dt_report_figure_number(script, epochs->columns[column][i]);
        dt_report_buffer_puts(script, "\n");
    }
    dt_report_buffer_puts(script, "EOD\n");
    return true;
}

/* A diverging run would reduce the others to a line at the bottom. */
static void add_range(dt_report_buffer *script, dt_report_run *const *runs, size_t count,
                      const int columns[2])
{
    double least = INFINITY, most = -INFINITY;
    for (int diverged = 0; diverged < 2 && !(least <= most); diverged++)
        for (size_t i = 0; i < count; i++) {
            const dt_report_table *e = &runs[i]->epochs;
            if ((strcmp(runs[i]->status, "diverged") == 0) != (diverged == 1))
                continue;
            for (int c = 0; c < 2 && columns[c] >= 0; c++)
                for (size_t k = 0; k < e->rows; k++)
                    if (isfinite(e->columns[columns[c]][k])) {
                        least = fmin(least, e->columns[columns[c]][k]);
                        most = fmax(most, e->columns[columns[c]][k]);
                    }
        }
    const double room = most > least ? 0.05 * (most - least) : 0.05 * fabs(most) + 1e-6;
    if (least <= most && most < 1e300)
        dt_report_buffer_add(script, "set yrange [%.9g:%.9g]\n", least - room, most + room);
}

static double last_epoch(dt_report_run *const *runs, size_t count)
{
    double last = 1.0;
    for (size_t i = 0; i < count; i++)
        if (runs[i]->epochs.rows > 0)
            last = fmax(last, runs[i]->epochs.columns[EPOCH_NUMBER][runs[i]->epochs.rows - 1]);
    return isfinite(last) ? last : 1.0;
}

/* A ring around the epoch whose weights the run kept. */
static void mark_best(dt_report_buffer *script, dt_report_buffer *plot, const dt_report_run *run,
                      int column, size_t number, size_t style)
{
    const dt_report_table *epochs = &run->epochs;
    const double best = dt_report_value(run, "best_epoch");
    for (size_t i = 0; i < epochs->rows; i++) {
        if (epochs->columns[EPOCH_NUMBER][i] != best || !isfinite(epochs->columns[column][i]))
            continue;
        dt_report_buffer_add(script, "$b%zu << EOD\n%.9g %.9g\nEOD\n", number, best,
                             epochs->columns[column][i]);
        dt_report_buffer_add(plot, ", $b%zu using 1:2 with points pointtype 6 pointsize 1.2",
                             number);
        dt_report_figure_style(plot, style);
        return;
    }
}

void dt_report_chart_epochs(dt_report_page *page, dt_report_run *const *runs, size_t count,
                            int column, int second_column, const char *title, const char *axis)
{
    dt_report_buffer script = {0}, plot = {0};
    const int columns[2] = {column, second_column};
    const size_t drawn = count < REPORT_RUNS_DRAWN ? count : REPORT_RUNS_DRAWN;
    const double last = last_epoch(runs, drawn);
    dt_report_figure_begin(&script, 560, 340);
    add_range(&script, runs, drawn, columns);
    dt_report_buffer_add(&script,
                         "set xlabel 'epoch'\nset ylabel '%s'\nset xrange [%.9g:%.9g]\n"
                         "set xtics %.0f\n",
                         axis, last > 1.0 ? 1.0 : 0.5, last > 1.0 ? last : 1.5,
                         dt_report_figure_step(last, 10.0));
    if (last > 1.0 &&
        dt_report_figure_step(last, 10.0) > 1.0) /* 10, 20 ... rather than 1, 11 ... */
        dt_report_buffer_add(&script, "set xtics 0,%.0f\n", dt_report_figure_step(last, 10.0));
    for (size_t i = 0, curves = 0; i < drawn; i++)
        for (size_t c = 0; c < 2 && columns[c] >= 0; c++) {
            const dt_report_table *e = &runs[i]->epochs;
            const size_t number = 2 * i + c;
            if (!add_curve(&script, e, columns[c], number))
                continue;
            dt_report_buffer_add(
                &plot, "%s $d%zu using 1:2 with %s", curves++ > 0 ? "," : "plot", number,
                e->rows <= MARKED_MAX ? "linespoints pointtype 7 pointsize 0.35" : "lines");
            dt_report_figure_style(&plot, i + c);
            mark_best(&script, &plot, runs[i], columns[c], number, i + c);
        }
    if (plot.bytes > 0) {
        dt_report_buffer_add(&script, "%s\n", plot.text);
        dt_report_figure_add(page, &script, title);
    }
    dt_report_buffer_clear(&script);
    dt_report_buffer_clear(&plot);
}

/* ---- time ---- */

/* Rows of `seconds` [count, REPORT_PHASES] as stacked bars: the whole stack first, the lower parts
 * over it. */
static void add_bars(dt_report_page *page, dt_report_buffer *script, const double *seconds,
                     size_t count, double first, const char *title, const char *axis)
{
    double most = 0.0;
    for (size_t i = 0; i < count; i++) {
        double sum = 0.0;
        for (int phase = 0; phase < REPORT_PHASES; phase++)
            sum += seconds[i * REPORT_PHASES + (size_t)phase];
        most = fmax(most, sum);
    }
    const bool small = most < 0.5;
    dt_report_figure_begin(script, 560, 340);
    dt_report_buffer_add(
        script,
        "set xlabel '%s'\nset ylabel 'time, %s'\nset yrange [0:%.9g]\n"
        "set xrange [%.9g:%.9g]\nset xtics %.0f,%.0f\nset boxwidth 0.7\n"
        "set style fill solid 1 noborder\n$d << EOD\n",
        axis, small ? "ms" : "s", most > 0.0 ? 1.05 * most * (small ? 1e3 : 1.0) : 1.0, first - 0.6,
        first + (double)count - 0.4, first, dt_report_figure_step((double)count, 12.0));
    for (size_t i = 0; i < count; i++) {
        double sum = 0.0;
        dt_report_buffer_add(script, "%.0f", first + (double)i);
        for (int phase = 0; phase < REPORT_PHASES; phase++) {
            sum += seconds[i * REPORT_PHASES + (size_t)phase] * (small ? 1e3 : 1.0);
            dt_report_figure_number(script, sum);
        }
        dt_report_buffer_puts(script, "\n");
    }
    dt_report_buffer_puts(script, "EOD\n");
    for (int phase = REPORT_PHASES - 1; phase >= 0; phase--)
        dt_report_buffer_add(script, "%s $d using 1:%d with boxes linecolor rgb '%s'",
                             phase == REPORT_PHASES - 1 ? "plot" : ",", phase + 2,
                             dt_report_phase_colours[phase]);
    dt_report_buffer_puts(script, "\n");
    dt_report_figure_add(page, script, title);
}

/* A phase that was not measured is not part of a bar. */
static double drawn_seconds(const dt_report_table *ranks, size_t rank, int phase)
{
    const double seconds = dt_report_phase_seconds(ranks, rank, phase);
    return isfinite(seconds) && seconds > 0.0 ? seconds : 0.0;
}

void dt_report_chart_phases(dt_report_page *page, dt_report_run *const *runs, size_t count)
{
    dt_report_buffer script = {0};
    double seconds[REPORT_RUNS_DRAWN * REPORT_PHASES] = {0};
    const size_t drawn = count < REPORT_RUNS_DRAWN ? count : REPORT_RUNS_DRAWN;
    for (size_t i = 0; i < drawn; i++) {
        const dt_report_table *ranks = &runs[i]->ranks;
        for (size_t k = 0; k < ranks->rows * REPORT_PHASES; k++)
            seconds[i * REPORT_PHASES + k % REPORT_PHASES] +=
                drawn_seconds(ranks, k / REPORT_PHASES, (int)(k % REPORT_PHASES)) /
                (double)ranks->rows;
    }
    add_bars(page, &script, seconds, drawn, 1.0, "time of each run, mean over its ranks",
             "run (its number in the tables)");
    dt_report_buffer_clear(&script);
}

void dt_report_chart_ranks(dt_report_page *page, const dt_report_run *run)
{
    enum { RANKS_DRAWN = 256 };
    dt_report_buffer script = {0};
    double seconds[RANKS_DRAWN * REPORT_PHASES] = {0};
    const size_t drawn = run->ranks.rows < RANKS_DRAWN ? run->ranks.rows : RANKS_DRAWN;
    for (size_t k = 0; k < drawn * REPORT_PHASES; k++)
        seconds[k] = drawn_seconds(&run->ranks, k / REPORT_PHASES, (int)(k % REPORT_PHASES));
    if (drawn > 0)
        add_bars(page, &script, seconds, drawn, 0.0, "time of each rank", "rank");
    dt_report_buffer_clear(&script);
}
