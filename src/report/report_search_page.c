/* The page of a search. Names are only in HTML, not in figures, where choices are numbers. */
#include "report_search.h"

#include "dtrain/base/elementary.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TRIALS_SHOWN = 200, CURVES_DRAWN = REPORT_COLOURS, CHOICES_LISTED = 30 };

static void add_what_matters(dt_report_page *page, const dt_report_search *s)
{
    char text[64];
    dt_report_buffer_puts(&page->html,
                          "<h2>What matters</h2>\n"
                          "<p>The share of the trials' ranking that a setting explains by itself: "
                          "the variance of the ranks between its choices, or between the quarters "
                          "of its range, minus the share expected by chance.</p>\n"
                          "<div class=\"scroll\"><table class=\"bars\">\n");
    for (size_t i = 0; i < s->setting_count; i++) {
        (void)snprintf(text, sizeof text, "%.0f %%", 100.0 * s->settings[i].share);
        dt_report_page_bar(page, s->settings[i].name, s->settings[i].share, text);
    }
    dt_report_buffer_puts(&page->html, "</table></div>\n");
}

/* ---- a figure of each setting ---- */

/* Choices are drawn side by side: 1, 2 ... */
static double place_of(const dt_report_setting *setting, size_t trial)
{
    return setting->is_range ? setting->numbers[trial] : (double)setting->groups[trial] + 1.0;
}

/* A trial is a point; the best one is the last. */
static void add_points(dt_report_buffer *script, const dt_report_search *s,
                       const dt_report_setting *setting)
{
    dt_report_buffer_puts(script, "$d << EOD\n");
    for (size_t place = s->ranked; place-- > 0;) {
        const size_t trial = s->order[place];
        dt_report_buffer_add(script, " %.17g", place_of(setting, trial));
        dt_report_figure_number(script, s->columns[SEARCH_VALUE][trial]);
        dt_report_buffer_add(script, " %d\n", place == 0);
    }
    dt_report_buffer_puts(script, "EOD\n");
}

/* The medians of the groups: of a range over the middle of their trials. */
DT_MUST_USE static dt_status add_medians(dt_report_buffer *script, const dt_report_search *s,
                                         const dt_report_setting *setting)
{
    dt_report_buffer_puts(script, "$m << EOD\n");
    for (size_t g = 0; g < setting->group_count; g++) {
        dt_report_group_values group;
        double sum = 0.0, count = 0.0;
        const dt_status status = dt_report_search_group(&group, s, setting, g);
        if (status != DT_OK)
            return status;
        for (size_t i = 0; i < s->trials; i++)
            if (setting->groups[i] == g) {
                sum +=
                    setting->is_log ? dt_elementary_log(setting->numbers[i]) : place_of(setting, i);
                count += 1.0;
            }
        if (!(count > 0.0)) /* a quarter of the range without a trial */
            continue;
        const double x = setting->is_log ? dt_elementary_exp(sum / count) : sum / count;
        dt_report_buffer_add(script, " %.9g", x);
        dt_report_figure_number(script, group.median);
        dt_report_buffer_puts(script, "\n");
    }
    dt_report_buffer_puts(script, "EOD\n");
    return DT_OK;
}

static const char *choice_text(char out[64], const dt_report_search *s,
                               const dt_report_setting *setting, size_t g)
{
    size_t trial = 0;
    while (trial + 1 < s->trials && setting->groups[trial] != g)
        trial++;
    return dt_report_search_text(out, setting, trial);
}

/* Writes the choices on the axis if they fit, and if gnuplot cannot read them as commands; returns
 * whether they are there. */
static bool name_choices(dt_report_buffer *script, const dt_report_search *s,
                         const dt_report_setting *setting)
{
    enum { CHARACTERS_MAX = 48 };
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.,-+";
    dt_report_buffer names = {0};
    char text[64];
    size_t characters = 0;
    for (size_t g = 0; g < setting->group_count && characters <= CHARACTERS_MAX; g++) {
        (void)choice_text(text, s, setting, g);
        const size_t length = strlen(text);
        characters += strspn(text, plain) == length ? length + 2 : CHARACTERS_MAX + 1;
        dt_report_buffer_add(&names, "%s'%s ' %zu", g > 0 ? "," : "", text, g + 1);
    }
    const bool fits = characters <= CHARACTERS_MAX && names.bytes > 0 && names.status == DT_OK;
    if (fits)
        dt_report_buffer_add(script, "set xtics (%s)\n", names.text);
    dt_report_buffer_clear(&names);
    return fits;
}

static void add_choices(dt_report_page *page, const dt_report_search *s,
                        const dt_report_setting *setting)
{
    char text[64];
    dt_report_buffer_puts(&page->html, "<p>");
    for (size_t g = 0; g < setting->group_count && g < CHOICES_LISTED; g++) {
        dt_report_buffer_add(&page->html, "%s%zu: ", g > 0 ? "; " : "", g + 1);
        dt_report_buffer_escape(&page->html, choice_text(text, s, setting, g));
    }
    dt_report_buffer_puts(&page->html,
                          setting->group_count > CHOICES_LISTED ? " ...</p>\n" : "</p>\n");
}

DT_MUST_USE static dt_status add_setting(dt_report_page *page, const dt_report_search *s,
                                         const dt_report_setting *setting)
{
    dt_report_buffer script = {0}, title = {0};
    bool named = setting->is_range;
    dt_report_figure_begin(&script, 560, 320);
    add_points(&script, s, setting);
    const dt_status status = add_medians(&script, s, setting);
    if (setting->is_log) {
        dt_report_buffer_puts(&script, "set logscale x\n");
    } else if (!setting->is_range) {
        dt_report_buffer_add(&script, "set xrange [0.5:%zu.5]\nset xtics 1,%.0f\n",
                             setting->group_count,
                             dt_report_figure_step((double)setting->group_count, 12.0));
        named = name_choices(&script, s, setting);
    }
    /* Such names are dtrain's own words: letters, digits and underscores. */
    dt_report_buffer_add(
        &script, "set ylabel '%s' noenhanced\nset offsets 0,0,graph 0.05,graph 0.05\n", s->monitor);
    dt_report_buffer_puts(&script,
                          "plot $d using 1:($3==0?$2:NaN) with points pointtype 7 pointsize 0.6");
    dt_report_figure_style(&script, 0);
    dt_report_buffer_add(&script, ", $m using 1:2 with %s pointtype 5 pointsize %s",
                         setting->is_range ? "linespoints" : "points",
                         setting->is_range ? "0.4" : "0.9");
    dt_report_figure_style(&script, 1);
    dt_report_buffer_puts(&script, ", $d using 1:($3==1?$2:NaN) with points pointtype 7 "
                                   "pointsize 1.2");
    dt_report_figure_style(&script, 2);
    dt_report_buffer_puts(&script, "\n");
    dt_report_buffer_escape(&title, setting->name);
    if (status == DT_OK && title.status == DT_OK) {
        dt_report_buffer_puts(&page->html, "<div>");
        dt_report_figure_add(page, &script, title.text);
        if (!named)
            add_choices(page, s, setting);
        dt_report_buffer_puts(&page->html, "</div>\n");
    }
    dt_report_buffer_clear(&script);
    dt_report_buffer_clear(&title);
    return status;
}

/* ---- curves ---- */

/* Whether a monitor is one of dtrain's names, because it is written into scripts. */
static bool is_plain(const char *name)
{
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789")] == '\0';
}

/* Of a line, or of points. */
static void add_legend_item(dt_report_page *page, size_t colour, bool line, const char *text)
{
    dt_report_buffer_add(&page->html, "<li><span class=\"%s\" style=\"%s:%s\"></span>%s</li>\n",
                         line ? "key" : "box", line ? "border-color" : "background",
                         dt_report_colours[colour % REPORT_COLOURS], text);
}

static void add_curves(dt_report_page *page, const dt_report_search *s)
{
    dt_report_buffer script = {0}, plot = {0};
    size_t drawn = 0;
    double last = 1.0;
    for (size_t i = 0; i < s->curve_rows; i++)
        last = fmax(last, s->curve_epoch[i]);
    dt_report_figure_begin(&script, 560, 320);
    dt_report_buffer_add(&script,
                         "set xlabel 'epoch'\nset ylabel '%s' noenhanced\nset xtics %.0f\n",
                         s->monitor, dt_report_figure_step(last, 10.0));
    for (size_t place = 0; place < s->ranked && place < CURVES_DRAWN; place++) {
        const double trial = s->columns[SEARCH_TRIAL][s->order[place]];
        dt_report_buffer_add(&script, "$d%zu << EOD\n", place);
        for (size_t i = 0; i < s->curve_rows; i++)
            if (!(s->curve_trial[i] < trial) && !(s->curve_trial[i] > trial)) {
                dt_report_figure_number(&script, s->curve_epoch[i]);
                dt_report_figure_number(&script, s->curve_value[i]);
                dt_report_buffer_puts(&script, "\n");
            }
        dt_report_buffer_puts(&script, "EOD\n");
        dt_report_buffer_add(&plot, "%s $d%zu using 1:2 with lines", place > 0 ? "," : "plot",
                             place);
        dt_report_figure_style(&plot, place);
        drawn++;
    }
    if (drawn > 0 && plot.status == DT_OK) {
        dt_report_buffer_puts(&page->html, "<h2>The best trials, epoch by epoch</h2>\n<ul "
                                           "class=\"legend\">\n");
        for (size_t place = 0; place < drawn; place++) {
            char text[48];
            (void)snprintf(text, sizeof text, "trial %.0f",
                           s->columns[SEARCH_TRIAL][s->order[place]]);
            add_legend_item(page, place, true, text);
        }
        dt_report_buffer_puts(&page->html, "</ul>\n<div class=\"figures\">\n");
        dt_report_buffer_add(&script, "%s\n", plot.text);
        dt_report_figure_add(page, &script, "validation");
        dt_report_buffer_puts(&page->html, "</div>\n");
    }
    dt_report_buffer_clear(&script);
    dt_report_buffer_clear(&plot);
}

dt_status dt_report_search_html(const char *path, const dt_report_search *search)
{
    dt_status status = DT_OK;
    dt_report_page page = {0};
    dt_text_table table;
    char cost[256];
    dt_report_page_begin(&page, search->path);
    dt_report_buffer_add(&page.html, "; %zu trials, ", search->trials);
    dt_report_buffer_escape(&page.html, search->status);
    dt_report_buffer_puts(&page.html, "</p>\n");
    dt_report_page_search_subject(&page, &search->config, &search->data);
    if (search->ranked > 0) {
        dt_report_buffer_add(&page.html, "<p>The best is trial %.0f. It has %s.</p>\n",
                             search->columns[SEARCH_TRIAL][search->order[0]],
                             dt_report_search_cost(cost, sizeof cost, search));
    }
    if (search->ranked > 1 && is_plain(search->monitor)) {
        add_what_matters(&page, search);
        dt_report_buffer_puts(&page.html, "<h2>How the result depends on each setting</h2>\n<ul "
                                          "class=\"legend\">\n");
        add_legend_item(&page, 0, false, "a trial");
        add_legend_item(&page, 1, true, "median of each choice, or of each quarter of the range");
        add_legend_item(&page, 2, false, "the best trial");
        dt_report_buffer_puts(&page.html, "</ul>\n<div class=\"figures\">\n");
        for (size_t i = 0; i < search->setting_count; i++)
            DT_TRY(add_setting(&page, search, &search->settings[i]));
        dt_report_buffer_puts(&page.html, "</div>\n");
        add_curves(&page, search);
    }
    dt_report_buffer_puts(&page.html, "<h2>Trials</h2>\n");
    dt_report_fill_trials(&table, search, TRIALS_SHOWN);
    dt_report_page_table(&page, &table, 0);
    dt_report_buffer_puts(&page.html, "<h2>Configuration, data and environment</h2>\n"
                                      "<details><summary>of all trials</summary>\n");
    dt_report_page_facts(&page, "Configuration", &search->config);
    dt_report_page_facts(&page, "Data", &search->data);
    dt_report_page_facts(&page, "Environment", &search->environment);
    dt_report_buffer_puts(&page.html, "</details>\n");
    status = dt_report_page_write(&page, path);
out:
    dt_report_buffer_clear(&page.html);
    return status;
}
