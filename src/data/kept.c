#include "kept.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"

#include <stdbool.h>
#include <string.h>

enum { NAME_BYTES = 1024, TEXT_BYTES = 4096 };

/* ---- fields of a CSV ---- */

size_t dt_kept_write_field(char *out, const char *text, size_t bytes)
{
    const size_t used = dt_text_put_field(out, text, bytes);
    out[used] = ',';
    return used + 1;
}

/* ---- columns ---- */

static dt_status write_header(dt_kept *k, const char *const *names)
{
    size_t bytes = 1, used = 0;
    for (size_t i = 0; i < k->count; i++)
        bytes += 2 * strlen(names[k->columns[i]]) + 4;
    dt_status status = dt_memory_alloc(&k->header, bytes, 1, "columns' names");
    for (size_t i = 0; status == DT_OK && i < k->count; i++) {
        const char *name = names[k->columns[i]];
        used += dt_kept_write_field(k->header + used, name, strlen(name));
    }
    return status;
}

dt_status dt_kept_find(dt_kept *out, const char *list, const dt_columns *columns, size_t rows)
{
    dt_status status = DT_OK;
    dt_kept *k = out;
    char name[NAME_BYTES];
    size_t items = 0;
    *k = (dt_kept){0};
    for (const char *at = list; dt_text_next_item(name, sizeof name, &at);)
        items++;
    DT_TRY(dt_memory_alloc(&k->columns, items, sizeof *k->columns, "columns to keep"));
    for (const char *at = list; dt_text_next_item(name, sizeof name, &at);) {
        if (name[0] == '\0')
            continue;
        DT_TRY(dt_column_find(&k->columns[k->count], columns, name));
        k->count++;
    }
    if (k->count == 0)
        DT_TRY(dt_fail(DT_USAGE, "--keep is '%s', expected names of columns", list));
    DT_TRY(write_header(k, columns->names));
    DT_TRY(dt_memory_alloc(&k->at, rows + 1, sizeof *k->at, "cells to keep"));
out:
    return status;
}

void dt_kept_clear(dt_kept *kept)
{
    dt_memory_free(kept->columns);
    dt_memory_free(kept->header);
    dt_memory_free(kept->text);
    dt_memory_free(kept->at);
    *kept = (dt_kept){0};
}

/* ---- rows ---- */

dt_status dt_kept_add(dt_kept *kept, size_t i, const dt_csv_row *row)
{
    size_t used = kept->at[i], most = used;
    for (size_t c = 0; c < kept->count; c++)
        most += 2 * row->fields[kept->columns[c]].bytes + 4;
    if (most > kept->capacity) {
        const size_t capacity = 2 * most + TEXT_BYTES;
        dt_status status = dt_memory_grow(&kept->text, used, capacity, 1, "cells to keep");
        if (status != DT_OK)
            return status;
        kept->capacity = capacity;
    }
    for (size_t c = 0; c < kept->count; c++) {
        const dt_csv_field *field = &row->fields[kept->columns[c]];
        used += dt_kept_write_field(kept->text + used, field->text, field->bytes);
    }
    kept->at[i + 1] = used;
    return DT_OK;
}
