#include "report_internal.h"

#include <stdio.h>
#include <string.h>

enum { CONFUSION_SHOWN = 30, CLASSES_SHOWN = 100, RANKS_SHOWN = 64 };

void dt_report_page_cell(dt_report_page *page, const char *tag, const char *class, const char *text)
{
    dt_report_buffer_add(&page->html, "<%s", tag);
    if (class[0] != '\0')
        dt_report_buffer_add(&page->html, " class=\"%s\"", class);
    dt_report_buffer_puts(&page->html, ">");
    dt_report_buffer_escape(&page->html, text);
    dt_report_buffer_add(&page->html, "</%s>", tag);
}

void dt_report_page_begin_table(dt_report_page *page)
{
    dt_report_buffer_puts(&page->html, "<div class=\"scroll\"><table>\n<tr>");
}

void dt_report_page_end_table(dt_report_page *page)
{
    dt_report_buffer_puts(&page->html, "</table></div>\n");
}

void dt_report_page_confusion(dt_report_page *page, const dt_report_run *run, int set,
                              size_t number)
{
    const dt_report_set *s = &run->sets[set];
    char text[256];
    if (s->C == 0)
        return;
    dt_report_buffer_add(&page->html, "<h3>%zu: ", number);
    dt_report_buffer_escape(&page->html, run->name);
    dt_report_buffer_add(&page->html, ", %s set</h3>\n", dt_report_set_name(set));
    if (s->C > CONFUSION_SHOWN) {
        dt_report_buffer_add(&page->html, "<p>%zu classes: the matrix is in run.h5 alone.</p>\n",
                             s->C);
        return;
    }
    dt_report_page_begin_table(page);
    dt_report_buffer_puts(&page->html, "<th>true \\ predicted</th>");
    for (size_t j = 0; j < s->C; j++)
        dt_report_page_cell(page, "th", "", dt_report_class_name(text, sizeof text, run, j));
    dt_report_buffer_puts(&page->html, "</tr>\n");
    for (size_t i = 0; i < s->C; i++) {
        double sum = 0.0;
        dt_report_buffer_puts(&page->html, "<tr>");
        dt_report_page_cell(page, "th", "", dt_report_class_name(text, sizeof text, run, i));
        for (size_t j = 0; j < s->C; j++)
            sum += (double)s->confusion[i * s->C + j];
        for (size_t j = 0; j < s->C; j++) {
            const long long rows = (long long)s->confusion[i * s->C + j];
            const double share = sum > 0.0 ? (double)rows / sum : 0.0;
            dt_report_buffer_add(&page->html,
                                 "<td style=\"background:rgba(var(--shade),%.3f)\">%lld",
                                 0.6 * share, rows);
            if (sum > 0.0)
                dt_report_buffer_add(&page->html, "<br>%.1f&nbsp;%%", 100.0 * share);
            dt_report_buffer_puts(&page->html, "</td>");
        }
        dt_report_buffer_puts(&page->html, "</tr>\n");
    }
    dt_report_page_end_table(page);
}

void dt_report_page_classes(dt_report_page *page, const dt_report_run *run, int set)
{
    static const char *const titles[] = {"rows", "predicted", "precision", "recall",
                                         "F1",   "ROC-AUC",   "PR-AUC"};
    const dt_report_table *classes = &run->sets[set].classes;
    char text[256];
    if (classes->rows == 0)
        return;
    dt_report_buffer_add(&page->html, "<h2>Classes, %s set</h2>\n", dt_report_set_name(set));
    dt_report_page_begin_table(page);
    dt_report_buffer_puts(&page->html, "<th>class</th>");
    for (size_t c = 0; c < 7; c++)
        dt_report_page_cell(page, "th", "", titles[c]);
    dt_report_buffer_puts(&page->html, "</tr>\n");
    for (size_t i = 0; i < classes->rows && i < CLASSES_SHOWN; i++) {
        dt_report_buffer_puts(&page->html, "<tr>");
        dt_report_page_cell(page, "th", "", dt_report_class_name(text, sizeof text, run, i));
        for (size_t c = 0; c < 7; c++)
            dt_report_page_cell(page, "td", "",
                                dt_report_format(text, sizeof text, c < 2 ? "_rows" : "f1",
                                                 classes->columns[c][i]));
        dt_report_buffer_puts(&page->html, "</tr>\n");
    }
    dt_report_page_end_table(page);
    if (classes->rows > CLASSES_SHOWN)
        dt_report_buffer_add(&page->html, "<p>... and %zu more</p>\n",
                             classes->rows - CLASSES_SHOWN);
}

void dt_report_page_ranks(dt_report_page *page, const dt_report_run *run)
{
    char text[64];
    dt_report_page_begin_table(page);
    dt_report_buffer_puts(&page->html, "<th>rank</th><th>host</th><th>training rows</th>");
    for (int phase = 0; phase < REPORT_PHASES; phase++)
        dt_report_buffer_add(&page->html, "<th>%s, s</th>", dt_report_phase_names[phase]);
    dt_report_buffer_puts(&page->html, "</tr>\n");
    for (size_t i = 0; i < run->ranks.rows && i < RANKS_SHOWN; i++) {
        dt_report_buffer_add(&page->html, "<tr><th>%.0f</th>", run->ranks.columns[RANK_NUMBER][i]);
        dt_report_page_cell(page, "td", "text",
                            i < run->rank_hosts.count ? run->rank_hosts.texts[i] : "-");
        dt_report_page_cell(
            page, "td", "",
            dt_report_format(text, sizeof text, "_rows", run->ranks.columns[RANK_ROWS][i]));
        for (int phase = 0; phase < REPORT_PHASES; phase++)
            dt_report_page_cell(page, "td", "",
                                dt_report_format_phase(text, sizeof text, &run->ranks, i, phase));
        dt_report_buffer_puts(&page->html, "</tr>\n");
    }
    dt_report_page_end_table(page);
    if (run->ranks.rows > RANKS_SHOWN)
        dt_report_buffer_add(&page->html, "<p>... and %zu more</p>\n",
                             run->ranks.rows - RANKS_SHOWN);
}

void dt_report_page_facts(dt_report_page *page, const char *title, const dt_report_facts *facts)
{
    if (facts->count == 0)
        return;
    dt_report_buffer_add(&page->html, "<h3>%s</h3>\n<div class=\"scroll\"><table>\n", title);
    for (size_t i = 0; i < facts->count; i++) {
        dt_report_buffer_puts(&page->html, "<tr>");
        dt_report_page_cell(page, "th", "", facts->items[i].name);
        dt_report_page_cell(page, "td", "long", facts->items[i].text);
        dt_report_buffer_puts(&page->html, "</tr>\n");
    }
    dt_report_page_end_table(page);
}
