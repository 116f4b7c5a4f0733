/* Attributes and numbers of HDF5 files. */
#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"
#include "inspect_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LINE_BYTES = 1024 };

static void show_texts(dt_json *json, const char *name, const dt_h5_names *texts)
{
    char list[LINE_BYTES];
    char line[LINE_BYTES];
    if (json == NULL) {
        dt_text_table_join(list, sizeof list, texts->texts, texts->count);
        dt_log_show("%s\n",
                    texts->count > 0 ? dt_text_table_printable(line, sizeof line, list) : "-");
        return;
    }
    dt_json_add_texts(json, name, texts->texts, texts->count);
}

/* The checksum of weights is written in hexadecimal digits everywhere. */
static bool is_crc(const char *name, double value)
{
    return strcmp(name, "weights_crc") == 0 && value >= 0.0 && value <= (double)UINT32_MAX;
}

/* To stdout when `json` is NULL, else as a member of the object that is open. */
DT_MUST_USE static dt_status show_attribute(dt_h5 *h5, const char *group, const char *name,
                                            dt_json *json)
{
    dt_status status = DT_OK;
    dt_h5_shape shape;
    dt_h5_names texts = {0};
    int64_t whole = 0;
    double number = 0.0;
    char line[LINE_BYTES];
    DT_TRY(dt_h5_describe_attribute(&shape, h5, group, name));
    if (shape.class == DT_H5_CLASS_TEXT && shape.dims == 0) {
        DT_TRY(dt_memory_alloc(&texts.texts, 1, sizeof *texts.texts, "text"));
        texts.count = 1;
        DT_TRY(dt_h5_get_text(&texts.texts[0], h5, group, name));
        if (json != NULL)
            dt_json_add_text(json, name, texts.texts[0]);
        else
            dt_log_show("%s\n", texts.texts[0][0] == '\0'
                                    ? "-"
                                    : dt_text_table_printable(line, sizeof line, texts.texts[0]));
    } else if (shape.class == DT_H5_CLASS_TEXT && shape.dims == 1) {
        DT_TRY(dt_h5_get_texts(&texts, h5, group, name));
        show_texts(json, name, &texts);
    } else if (shape.class == DT_H5_CLASS_INT && shape.count == 1) {
        DT_TRY(dt_h5_get_int(&whole, h5, group, name));
        if (json != NULL)
            dt_json_add_int(json, name, whole);
        else if (is_crc(name, (double)whole))
            dt_log_show("%08" PRIx64 "\n", (uint64_t)whole);
        else
            dt_log_show("%" PRId64 "\n", whole);
    } else if (shape.class == DT_H5_CLASS_FLOAT && shape.count == 1) {
        DT_TRY(dt_h5_get_double(&number, h5, group, name));
        if (json != NULL)
            dt_json_add_double(json, name, number);
        else
            dt_log_show("%.15g\n", number);
    } else if (json != NULL) {
        dt_json_add_null(json, name);
    } else {
        dt_log_show("(not shown)\n");
    }
out:
    dt_h5_names_clear(&texts);
    return status;
}

/* A run that has not ended has no summary. */
dt_status dt_inspect_group(dt_h5 *h5, const char *group, dt_json *json)
{
    dt_status status = DT_OK;
    dt_h5_names names = {0};
    char name[DT_TEXT_TABLE_CELL_BYTES];
    const bool root = strcmp(group, "/") == 0;
    if (dt_h5_has(h5, group) != DT_H5_GROUP)
        return DT_OK;
    DT_TRY(dt_h5_list_attributes(&names, h5, group));
    size_t widest = 20;
    for (size_t i = 0; i < names.count; i++)
        widest = strlen(names.texts[i]) > widest ? strlen(names.texts[i]) : widest;
    (void)snprintf(name, sizeof name, "%s", root ? "attributes" : group + 1);
    for (char *c = name; *c != '\0'; c++)
        *c = *c == '/' ? '_' : *c;
    if (json != NULL)
        dt_json_begin_object(json, name);
    else
        dt_log_show("\n%s%s", root ? "" : group, root ? "" : "\n");
    for (size_t i = 0; i < names.count; i++) {
        if (json == NULL)
            dt_log_show("  %-*s  ", (int)widest,
                        dt_text_table_printable(name, sizeof name, names.texts[i]));
        DT_TRY(show_attribute(h5, group, names.texts[i], json));
    }
    if (json != NULL)
        dt_json_end(json);
out:
    dt_h5_names_clear(&names);
    return status;
}

void dt_inspect_add_number(dt_text_table *table, const char *name, double value)
{
    char text[DT_TEXT_NUMBER_BYTES];
    if (is_crc(name, value))
        dt_text_table_add(table, "%08" PRIx64, (uint64_t)value);
    else if (floor(value) == value)
        dt_text_table_add(table, "%.15g", value);
    else
        dt_text_table_add(table, "%s", isnan(value) ? "-" : dt_text_number(text, value, 6));
}
