#include "csv_internal.h"

#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"

#include <string.h>

dt_status dt_csv_open(dt_csv **out, const char *path, const dt_csv_format *format)
{
    dt_status status = DT_OK;
    dt_csv *csv = NULL;
    *out = NULL;
    DT_TRY(dt_memory_alloc(&csv, 1, sizeof *csv, "table"));
    if (format != NULL)
        csv->format = *format;
    DT_ASSERT(csv->format.separator == 0 ||
              strchr(DT_CSV_SEPARATORS, csv->format.separator) != NULL);
    DT_ASSERT(csv->format.decimal == 0 || strchr(".,", csv->format.decimal) != NULL);
    DT_TRY(dt_memory_copy_text(&csv->path, strcmp(path, "-") == 0 ? "stdin" : path));
    DT_TRY(dt_csv_input_open(&csv->input, path, csv->format.encoding, csv->format.once));
    DT_TRY(dt_csv_read_beginning(csv));
    *out = csv;
    csv = NULL;
out:
    dt_csv_close(csv);
    return status;
}

void dt_csv_close(dt_csv *csv)
{
    if (csv == NULL)
        return;
    dt_csv_input_close(csv->input);
    dt_memory_free(csv->buffer);
    dt_memory_free(csv->header);
    dt_csv_names_clear(&csv->names);
    dt_memory_free(csv->path);
    dt_memory_free(csv);
}

/* ---- what is known ---- */

const char *dt_csv_path(const dt_csv *csv)
{
    return csv->path;
}

const dt_csv_format *dt_csv_format_of(const dt_csv *csv)
{
    return &csv->format;
}

const char *dt_csv_name(const dt_csv *csv, size_t column)
{
    DT_ASSERT(column < csv->format.columns);
    return csv->names.names[column].text;
}

size_t dt_csv_find(const dt_csv *csv, const char *name)
{
    return dt_csv_names_find(&csv->names, name);
}

const char *dt_csv_notes(const dt_csv *csv)
{
    return csv->notes;
}

const char *dt_csv_next_warning(dt_csv *csv)
{
    return csv->warnings_given < csv->warning_count ? csv->warnings[csv->warnings_given++] : NULL;
}

void dt_csv_print_warnings(dt_csv *csv)
{
    for (const char *line = dt_csv_next_warning(csv); line != NULL; line = dt_csv_next_warning(csv))
        dt_log_warn("%s", line);
}

uint64_t dt_csv_bytes(const dt_csv *csv)
{
    return dt_csv_input_bytes(csv->input);
}

uint64_t dt_csv_bytes_read(const dt_csv *csv)
{
    return dt_csv_input_is_plain(csv->input) ? csv->offset - (csv->end - csv->begin)
                                             : dt_csv_input_bytes_used(csv->input);
}
