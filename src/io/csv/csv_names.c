#include "csv_internal.h"

#include "dtrain/base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MADE_BYTES = 32, /* "column 131072" */ NUMBER_BYTES = 12 };

static int compare_names(const void *a, const void *b)
{
    const dt_csv_name_entry *left = a, *right = b;
    const int order = strcmp(left->text, right->text);
    return order != 0 ? order : (left->column > right->column) - (left->column < right->column);
}

static int compare_to_name(const void *wanted, const void *name)
{
    return strcmp(wanted, ((const dt_csv_name_entry *)name)->text);
}

static const dt_csv_name_entry *find(const dt_csv_names *names, const char *name)
{
    return bsearch(name, names->sorted, names->count, sizeof *names->sorted, compare_to_name);
}

size_t dt_csv_names_find(const dt_csv_names *names, const char *name)
{
    const dt_csv_name_entry *found = find(names, name);
    return found == NULL ? SIZE_MAX : found->column;
}

static void sort(dt_csv_names *names)
{
    memcpy(names->sorted, names->names, names->count * sizeof *names->sorted);
    qsort(names->sorted, names->count, sizeof *names->sorted, compare_names);
}

DT_MUST_USE static dt_status take_names(dt_csv_names *out, const dt_csv_field *cells, size_t first)
{
    dt_status status = DT_OK;
    size_t bytes = 0;
    for (size_t c = 0; c < out->count; c++)
        bytes += cells == NULL || c < first ? MADE_BYTES : cells[c - first].bytes + MADE_BYTES;
    DT_TRY(dt_memory_alloc(&out->text, bytes, 1, "column names"));
    DT_TRY(dt_memory_alloc(&out->names, out->count, sizeof *out->names, "column names"));
    DT_TRY(dt_memory_alloc(&out->sorted, out->count, sizeof *out->sorted, "column names"));
    char *text = out->text;
    for (size_t c = 0; c < out->count; c++) {
        const dt_csv_field *cell = cells == NULL || c < first ? NULL : &cells[c - first];
        out->names[c] = (dt_csv_name_entry){text, c};
        if (cell == NULL || cell->bytes == 0) {
            text += snprintf(text, MADE_BYTES, "column %zu", c + 1) + 1;
        } else {
            memcpy(text, cell->text, cell->bytes + 1);
            text += cell->bytes + 1;
        }
    }
    sort(out);
out:
    return status;
}

static bool is_again(const dt_csv_names *names, size_t i)
{
    return i > 0 && strcmp(names->sorted[i - 1].text, names->sorted[i].text) == 0;
}

/* As pandas: the next number that gives an unused name. Two new names cannot be equal, because both
 * parts, before and after the last point, would have to be equal. */
DT_MUST_USE static dt_status rename_all(dt_csv_names *names, size_t *renamed, size_t *example)
{
    dt_status status = DT_OK;
    size_t bytes = 0, number = 0;
    *renamed = 0;
    *example = SIZE_MAX;
    for (size_t i = 0; i < names->count; i++)
        bytes += is_again(names, i) ? strlen(names->sorted[i].text) + NUMBER_BYTES : 0;
    if (bytes == 0)
        goto out;
    DT_TRY(dt_memory_alloc(&names->renamed, bytes, 1, "column names"));
    char *text = names->renamed;
    for (size_t i = 0; i < names->count; i++) {
        const dt_csv_name_entry *entry = &names->sorted[i];
        if (!is_again(names, i)) {
            number = 0;
            continue;
        }
        const size_t room = strlen(entry->text) + NUMBER_BYTES;
        do
            (void)snprintf(text, room, "%s.%zu", entry->text, ++number);
        while (find(names, text) != NULL);
        names->names[entry->column].text = text;
        text += strlen(text) + 1;
        *example = entry->column < *example ? entry->column : *example;
        ++*renamed;
    }
    sort(names);
out:
    return status;
}

dt_status dt_csv_names_make(dt_csv_names *out, const dt_csv_field *cells, size_t first,
                            size_t count, size_t *renamed, size_t *example)
{
    dt_csv_names_clear(out);
    out->count = count;
    dt_status status = take_names(out, cells, first);
    return status == DT_OK ? rename_all(out, renamed, example) : status;
}

void dt_csv_names_clear(dt_csv_names *names)
{
    dt_memory_free(names->text);
    dt_memory_free(names->names);
    dt_memory_free(names->sorted);
    dt_memory_free(names->renamed);
    *names = (dt_csv_names){0};
}

const char *dt_csv_first_needed(const dt_csv_format *format)
{
    size_t i = 0;
    while (i + 1 < format->name_count && format->optional != NULL && format->optional[i])
        i++;
    return format->names[i];
}
