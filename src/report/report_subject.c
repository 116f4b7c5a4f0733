/* What runs were trained on. */
#include "report_internal.h"

#include <string.h>

/* Returns the next name of a list of paths, without its folder; NULL at the end. */
static const char *next_name(const char **at, size_t *length)
{
    const char *word = *at + strspn(*at, " ");
    const char *name = word;
    const size_t bytes = strcspn(word, " ");
    if (bytes == 0)
        return NULL;
    for (const char *c = word; c < word + bytes - 1; c++)
        name = *c == '/' ? c + 1 : name;
    *at = word + bytes;
    *length = (size_t)(word + bytes - name);
    return name;
}

static bool have_same_names(const char *a, const char *b)
{
    for (;;) {
        size_t length_a = 0, length_b = 0;
        const char *name_a = next_name(&a, &length_a), *name_b = next_name(&b, &length_b);
        if (name_a == NULL || name_b == NULL)
            return name_a == name_b;
        if (length_a != length_b || strncmp(name_a, name_b, length_a) != 0)
            return false;
    }
}

static double rows_of(const dt_report_run *run)
{
    static const char *const names[] = {"train_rows", "validation_rows", "test_rows"};
    double rows = 0.0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const dt_report_fact *fact = dt_report_fact_find(&run->data, names[i]);
        rows += fact != NULL && fact->number > 0.0 ? fact->number : 0.0;
    }
    return rows;
}

static bool have_same(const dt_report_run *a, const dt_report_run *b, const char *option)
{
    return strcmp(dt_report_fact_text(&a->config, option),
                  dt_report_fact_text(&b->config, option)) == 0;
}

bool dt_report_is_comparable(const dt_report_run *a, const dt_report_run *b)
{
    return a->task == b->task && rows_of(a) == rows_of(b) && have_same(a, b, "target") &&
           have_same(a, b, "targets") &&
           have_same_names(dt_report_fact_text(&a->config, "data"),
                           dt_report_fact_text(&b->config, "data"));
}

/* The fact if all runs have the same one, else "". */
static const char *common(dt_report_run *const *runs, size_t count, const char *name)
{
    const char *text = dt_report_fact_text(&runs[0]->data, name);
    for (size_t i = 1; i < count; i++)
        if (strcmp(dt_report_fact_text(&runs[i]->data, name), text) != 0)
            return "";
    return text;
}

static void add(dt_report_buffer *html, const char *before, const char *text, const char *after)
{
    if (text[0] == '\0')
        return;
    dt_report_buffer_puts(html, before);
    dt_report_buffer_escape(html, text);
    dt_report_buffer_puts(html, after);
}

/* Leaves the paragraph open. */
static void begin_subject(dt_report_page *page, const char *task, dt_report_run *const *runs,
                          size_t count)
{
    static const char *const facts[][3] = {
        {"train_rows", "; ", " training rows"}, {"validation_rows", ", ", " validation rows"},
        {"test_rows", ", ", " test rows"},      {"inputs", "; ", " inputs"},
        {"classes", ", ", " classes"},
    };
    dt_report_buffer *html = &page->html;
    const char *target = dt_report_fact_text(&runs[0]->config, "target");
    const char *data = dt_report_fact_text(&runs[0]->config, "data");
    dt_report_buffer_add(html, "<p><strong>%s</strong>", task);
    add(html, " of <strong>",
        target[0] != '\0' ? target : dt_report_fact_text(&runs[0]->config, "targets"), "</strong>");
    add(html, " in ", data[0] != '\0' ? data : "the built-in example", "");
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        add(html, facts[i][1], common(runs, count, facts[i][0]), facts[i][2]);
}

void dt_report_page_subject(dt_report_page *page, dt_report_run *const *runs, size_t count)
{
    begin_subject(page, runs[0]->task->name, runs, count);
    add(&page->html, "; network ", common(runs, count, "network"), "");
    add(&page->html, " with ", common(runs, count, "parameters"), " parameters");
    dt_report_buffer_puts(&page->html, ".</p>\n");
}

void dt_report_page_search_subject(dt_report_page *page, const dt_report_facts *config,
                                   const dt_report_facts *data)
{
    dt_report_run run = {.config = *config, .data = *data}; /* borrowed */
    dt_report_run *const runs[] = {&run};
    const bool classes = dt_report_fact_find(data, "classes") != NULL;
    begin_subject(page, classes ? "classification" : "regression", runs, 1);
    dt_report_buffer_puts(&page->html, ".</p>\n");
}
