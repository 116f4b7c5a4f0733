#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/io/file.h"
#include "report_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether a spreadsheet would take a text for a formula, which may start programs. */
static bool would_be_run(const char *text)
{
    char *end = NULL;
    if (text[0] == '\0' || strchr("=+-@\t\r\n", text[0]) == NULL)
        return false;
    if (strspn(text, "0123456789.eE+-") < strlen(text))
        return true;
    (void)strtod(text, &end);
    return end == text || *end != '\0';
}

/* RFC 4180; blanks at an end would be lost in some readers. */
static void add_field(report_buffer *out, const char *text)
{
    const size_t length = strlen(text);
    const char *guard = would_be_run(text) ? "'" : "";
    const bool plain = strcspn(text, ",\"\r\n;\t") == length &&
                       (length == 0 || (text[0] != ' ' && text[length - 1] != ' '));
    if (plain) {
        report_buffer_puts(out, guard);
        report_buffer_puts(out, text);
        return;
    }
    report_buffer_puts(out, "\"");
    report_buffer_puts(out, guard);
    for (; *text != '\0'; text++)
        report_buffer_put(out, *text == '"' ? "\"\"" : text, *text == '"' ? 2 : 1);
    report_buffer_puts(out, "\"");
}

/* The options that any of the runs has, in the order in which they turn up. */
DT_MUST_USE static dt_status list_options(const char ***out, size_t *out_count,
                                          report_run *const *runs, size_t count)
{
    dt_status status = DT_OK;
    size_t room = 0, found = 0;
    for (size_t i = 0; i < count; i++) {
        const report_facts *config = &runs[i]->config;
        for (size_t f = 0; f < config->count; f++) {
            size_t at = 0;
            while (at < found && strcmp((*out)[at], config->items[f].name) != 0)
                at++;
            if (at < found)
                continue;
            if (found == room) {
                DT_TRY(dt_memory_grow(out, room, 2 * room + 32, sizeof **out, "options"));
                room = 2 * room + 32;
            }
            (*out)[found++] = config->items[f].name;
        }
    }
out:
    *out_count = found;
    return status;
}

static void add_header(report_buffer *out, const char *const *option_names, size_t options)
{
    char name[256];
    report_buffer_puts(out, "name,path,status");
    for (size_t k = 0; k < REPORT_KEYS; k++)
        report_buffer_add(out, ",%s", report_keys[k]);
    for (size_t o = 0; o < options; o++) {
        report_buffer_puts(out, ",");
        (void)snprintf(name, sizeof name, "config_%s", option_names[o]);
        add_field(out, name);
    }
    report_buffer_puts(out, "\n");
}

static void add_run(report_buffer *out, const report_run *run, const char *const *option_names,
                    size_t options)
{
    char number[64];
    add_field(out, run->name);
    report_buffer_puts(out, ",");
    add_field(out, run->path);
    report_buffer_puts(out, ",");
    add_field(out, run->status);
    for (size_t k = 0; k < REPORT_KEYS; k++) {
        const double value = report_value(run, report_keys[k]);
        const bool none = value != value;
        report_buffer_puts(out, ",");
        report_buffer_puts(out, none ? "" : report_format_exact(number, sizeof number, value));
    }
    for (size_t o = 0; o < options; o++) {
        report_buffer_puts(out, ",");
        add_field(out, report_fact_text(&run->config, option_names[o]));
    }
    report_buffer_puts(out, "\n");
}

dt_status report_write_csv(const char *path, report_run *const *runs, size_t count)
{
    dt_status status = DT_OK;
    report_buffer text = {0};
    const char **option_names = NULL;
    size_t options = 0;
    DT_TRY(list_options(&option_names, &options, runs, count));
    add_header(&text, option_names, options);
    for (size_t i = 0; i < count; i++)
        add_run(&text, runs[i], option_names, options);
    DT_TRY(text.status);
    if (strcmp(path, "-") == 0)
        dt_log_result("%s", text.text);
    else
        DT_TRY(dt_file_replace(path, text.text, text.bytes));
out:
    report_buffer_clear(&text);
    dt_memory_free(option_names);
    return status;
}
