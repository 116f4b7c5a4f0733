#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"
#include "dtrain/io/file.h"
#include "report_internal.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* RFC 4180; blanks at an end would be lost in some readers. */
static void add_field(dt_report_buffer *out, const char *text)
{
    const size_t length = strlen(text);
    const char *guard = dt_text_is_formula(text) ? "'" : "";
    const bool plain = strcspn(text, ",\"\r\n;\t") == length &&
                       (length == 0 || (text[0] != ' ' && text[length - 1] != ' '));
    if (plain) {
        dt_report_buffer_puts(out, guard);
        dt_report_buffer_puts(out, text);
        return;
    }
    dt_report_buffer_puts(out, "\"");
    dt_report_buffer_puts(out, guard);
    for (; *text != '\0'; text++)
        dt_report_buffer_put(out, *text == '"' ? "\"\"" : text, *text == '"' ? 2 : 1);
    dt_report_buffer_puts(out, "\"");
}

/* The attributes of a log, as columns <group>_<name>. */
static const struct {
    const char *name;
    size_t offset;
} groups[] = {
    {"config", offsetof(dt_report_run, config)},
    {"data", offsetof(dt_report_run, data)},
    {"environment", offsetof(dt_report_run, environment)},
};
enum { GROUPS = sizeof groups / sizeof *groups };

static const dt_report_facts *group_of(const dt_report_run *run, size_t group)
{
    return (const dt_report_facts *)(const void *)((const char *)run + groups[group].offset);
}

/* The names of all runs in a group, in the order of their first appearance. */
typedef struct names {
    size_t count, room;
    const char **texts; /* borrowed from the runs */
} names;

DT_MUST_USE static dt_status list_names(names *out, size_t group, dt_report_run *const *runs,
                                        size_t count)
{
    dt_status status = DT_OK;
    for (size_t i = 0; i < count; i++) {
        const dt_report_facts *facts = group_of(runs[i], group);
        for (size_t f = 0; f < facts->count; f++) {
            size_t at = 0;
            while (at < out->count && strcmp(out->texts[at], facts->items[f].name) != 0)
                at++;
            if (at < out->count)
                continue;
            if (out->count == out->room) {
                const size_t room = 2 * out->room + 32;
                DT_TRY(dt_memory_grow(&out->texts, out->room, room, sizeof *out->texts, "names"));
                out->room = room;
            }
            out->texts[out->count++] = facts->items[f].name;
        }
    }
out:
    return status;
}

static void add_titles(dt_text_table *out, const dt_report_keys *keys, const names columns[GROUPS])
{
    dt_text_table_titles(out, "name|path|status");
    for (size_t k = 0; k < keys->count; k++)
        dt_text_table_title(out, "%s", keys->names[k]);
    for (size_t g = 0; g < GROUPS; g++)
        for (size_t i = 0; i < columns[g].count; i++) {
            const char *text = columns[g].texts[i];
            const bool prefixed = strcmp(text, "data_crc") == 0; /* ours: report_run.c */
            dt_text_table_title(out, "%s%s%s", prefixed ? "" : groups[g].name, prefixed ? "" : "_",
                                text);
        }
}

static void add_run(dt_text_table *out, const dt_report_run *run, const dt_report_keys *keys,
                    const names columns[GROUPS])
{
    dt_text_table_add(out, "%s", run->name);
    dt_text_table_add(out, "%s", run->path);
    dt_text_table_add(out, "%s", run->status);
    for (size_t k = 0; k < keys->count; k++)
        dt_report_add_exact(out, dt_report_value(run, keys->names[k]));
    for (size_t g = 0; g < GROUPS; g++)
        for (size_t i = 0; i < columns[g].count; i++)
            dt_text_table_add(out, "%s",
                              dt_report_fact_text(group_of(run, g), columns[g].texts[i]));
}

dt_status dt_report_make_csv(dt_report_buffer *out, const dt_text_table *table)
{
    if (table->status != DT_OK)
        return table->status;
    for (size_t i = 0; i < table->cell_count; i++) {
        add_field(out, table->cells[i].text);
        dt_report_buffer_puts(out, (i + 1) % table->columns > 0 ? "," : "\n");
    }
    return out->status;
}

void dt_report_add_exact(dt_text_table *table, double value)
{
    char text[64];
    dt_text_table_add(table, "%s",
                      isnan(value) ? "" : dt_report_format_exact(text, sizeof text, value));
}

void dt_report_add_aligned(dt_text_table *table, double value, double size, int digits)
{
    char text[DT_TEXT_NUMBER_BYTES];
    dt_text_table_add(table, "%s", isnan(value) ? "-" : dt_text_aligned(text, value, size, digits));
}

dt_status dt_report_put_csv(const char *path, const dt_text_table *table)
{
    dt_status status = DT_OK;
    dt_report_buffer text = {0};
    DT_TRY(dt_report_make_csv(&text, table));
    if (strcmp(path, "-") == 0)
        dt_log_result("%s", text.text);
    else
        DT_TRY(dt_file_replace(path, text.text, text.bytes));
out:
    dt_report_buffer_clear(&text);
    return status;
}

dt_status dt_report_write_csv(const char *path, dt_report_run *const *runs, size_t count)
{
    dt_status status = DT_OK;
    dt_text_table table = {0};
    names columns[GROUPS] = {{0}};
    dt_report_keys keys;
    dt_report_list_keys(&keys, runs, count);
    for (size_t g = 0; g < GROUPS; g++)
        DT_TRY(list_names(&columns[g], g, runs, count));
    add_titles(&table, &keys, columns);
    for (size_t i = 0; i < count; i++)
        add_run(&table, runs[i], &keys, columns);
    DT_TRY(dt_report_put_csv(path, &table));
out:
    dt_text_table_clear(&table);
    for (size_t g = 0; g < GROUPS; g++)
        dt_memory_free(columns[g].texts);
    return status;
}
