#include "report_internal.h"

#include <math.h>

/* Tag and class are dtrain's own, but the text is not. */
static void add_cell(dt_report_buffer *html, const char *tag, const char *class, double share,
                     const char *text)
{
    dt_report_buffer_add(html, "<%s", tag);
    if (class[0] != '\0')
        dt_report_buffer_add(html, " class=\"%s\"", class);
    if (!isnan(share))
        dt_report_buffer_add(html, " style=\"background:rgba(var(--shade),%.3f)\"", 0.6 * share);
    dt_report_buffer_puts(html, ">");
    dt_report_buffer_escape(html, text);
    if (!isnan(share))
        dt_report_buffer_add(html, "<br>%.1f&nbsp;%%", 100.0 * share);
    dt_report_buffer_add(html, "</%s>", tag);
}

static void add_row(dt_report_buffer *html, const dt_text_table *table, size_t row, size_t first)
{
    const bool numbered = first > 0;
    dt_report_buffer_puts(html, "<tr>");
    if (numbered && row == 0)
        dt_report_buffer_puts(html, "<th>#</th>");
    else if (numbered)
        dt_report_buffer_add(html, "<th>%zu</th>", first + row - 1);
    for (size_t c = 0; c < table->columns; c++) {
        const dt_text_cell *cell = &table->cells[row * table->columns + c];
        const bool left = table->cells[c].text[0] != '>' && (c > 0 || numbered);
        add_cell(html, row == 0 || c == 0 ? "th" : "td",
                 cell->best ? "best"
                 : left     ? "text"
                            : "",
                 cell->share, row == 0 ? dt_text_table_title_of(table, c) : cell->text);
    }
    dt_report_buffer_puts(html, "</tr>\n");
}

void dt_report_page_table(dt_report_page *page, dt_text_table *table, size_t first)
{
    dt_report_buffer *html = &page->html;
    if (html->status == DT_OK)
        html->status = table->status;
    if (html->status == DT_OK && table->columns > 0) {
        dt_report_buffer_puts(html, "<div class=\"scroll\"><table>\n");
        for (size_t row = 0; row < table->cell_count / table->columns; row++)
            add_row(html, table, row, first);
        dt_report_buffer_puts(html, "</table></div>\n");
        if (table->more > 0)
            dt_report_buffer_add(html, "<p>... and %zu more</p>\n", table->more);
    }
    dt_text_table_clear(table);
}

void dt_report_page_facts(dt_report_page *page, const char *title, const dt_report_facts *facts)
{
    if (facts->count == 0)
        return;
    dt_report_buffer_add(&page->html, "<h3>%s</h3>\n<div class=\"scroll\"><table>\n", title);
    for (size_t i = 0; i < facts->count; i++) {
        dt_report_buffer_puts(&page->html, "<tr>");
        add_cell(&page->html, "th", "", NAN, facts->items[i].name);
        add_cell(&page->html, "td", "long", NAN, facts->items[i].text);
        dt_report_buffer_puts(&page->html, "</tr>\n");
    }
    dt_report_buffer_puts(&page->html, "</table></div>\n");
}

void dt_report_page_runs(dt_report_page *page, dt_report_run *const *runs, size_t count,
                         const char *headline, dt_report_fill *fill)
{
    enum { SHOWN = 256 };
    dt_text_table table;
    size_t shown = 0;
    for (size_t i = 0; i < count; i++) {
        fill(&table, runs[i], SHOWN);
        if (table.columns == 0)
            continue;
        if (shown++ == 0)
            dt_report_buffer_puts(&page->html, headline);
        dt_report_buffer_add(&page->html, "<details%s><summary>%zu: ", count == 1 ? " open" : "",
                             runs[i]->number);
        dt_report_buffer_escape(&page->html, runs[i]->name);
        dt_report_buffer_puts(&page->html, "</summary>\n");
        dt_report_page_table(page, &table, 0);
        dt_report_buffer_puts(&page->html, "</details>\n");
    }
}
