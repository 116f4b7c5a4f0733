/* Attributes of a run's file, as texts. */
#include "report_internal.h"

#include "dtrain/base/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *dt_report_format_exact(char *out, size_t bytes, double value)
{
    for (int digits = 1; digits <= 17; digits++) {
        (void)snprintf(out, bytes, "%.*g", digits, value);
        if (isnan(value) || strtod(out, NULL) == value)
            break;
    }
    /* As written by hand: 100, not 1e+02. */
    if (isfinite(value) && fabs(value) < 1e15 && floor(value) == value)
        (void)snprintf(out, bytes, "%.0f", value);
    return isnan(value) ? "NaN" : out;
}

dt_status dt_report_fact_set(dt_report_fact *out, const char *name, const char *text, double number)
{
    dt_status status = DT_OK;
    out->number = number;
    DT_TRY(dt_memory_copy_text(&out->name, name));
    DT_TRY(dt_memory_copy_text(&out->text, text));
out:
    return status;
}

DT_MUST_USE static dt_status join(dt_report_buffer *out, const dt_h5_names *texts)
{
    for (size_t i = 0; i < texts->count; i++) {
        dt_report_buffer_puts(out, i > 0 ? " " : "");
        dt_report_buffer_puts(out, texts->texts[i]);
    }
    dt_report_buffer_puts(out, "");
    return out->status;
}

/* *taken reports whether the attribute has a kind with a text. */
DT_MUST_USE static dt_status read_fact(dt_report_fact *out, bool *taken, dt_h5 *h5,
                                       const char *group, const char *name)
{
    dt_status status = DT_OK;
    dt_h5_shape shape;
    dt_h5_names texts = {0};
    dt_report_buffer joined = {0};
    int64_t whole = 0;
    double number = NAN;
    char line[64];
    *taken = true;
    DT_TRY(dt_h5_describe_attribute(&shape, h5, group, name));
    if (shape.class == DT_H5_CLASS_TEXT && shape.dims == 0) {
        DT_TRY(dt_memory_alloc(&texts.texts, 1, sizeof *texts.texts, "text"));
        texts.count = 1;
        DT_TRY(dt_h5_get_text(&texts.texts[0], h5, group, name));
        DT_TRY(dt_report_fact_set(out, name, texts.texts[0], NAN));
    } else if (shape.dims == 1 && (shape.class == DT_H5_CLASS_TEXT || shape.count == 0)) {
        DT_TRY(dt_h5_get_texts(&texts, h5, group, name));
        DT_TRY(join(&joined, &texts));
        DT_TRY(dt_report_fact_set(out, name, joined.text, NAN));
    } else if (shape.class == DT_H5_CLASS_INT && shape.count == 1) {
        DT_TRY(dt_h5_get_int(&whole, h5, group, name));
        (void)snprintf(line, sizeof line, "%" PRId64, whole);
        DT_TRY(dt_report_fact_set(out, name, line, (double)whole));
    } else if (shape.class == DT_H5_CLASS_FLOAT && shape.count == 1) {
        DT_TRY(dt_h5_get_double(&number, h5, group, name));
        DT_TRY(dt_report_fact_set(
            out, name, isnan(number) ? "" : dt_report_format_exact(line, sizeof line, number),
            number));
    } else {
        *taken = false;
    }
out:
    dt_report_buffer_clear(&joined);
    dt_h5_names_clear(&texts);
    return status;
}

void dt_report_facts_clear(dt_report_facts *facts)
{
    for (size_t i = 0; i < facts->count; i++) {
        dt_memory_free(facts->items[i].name);
        dt_memory_free(facts->items[i].text);
    }
    dt_memory_free(facts->items);
    memset(facts, 0, sizeof *facts);
}

dt_status dt_report_facts_read(dt_report_facts *out, dt_h5 *h5, const char *group)
{
    dt_status status = DT_OK;
    dt_h5_names names = {0};
    if (dt_h5_has(h5, group) != DT_H5_GROUP)
        return DT_OK;
    DT_TRY(dt_h5_list_attributes(&names, h5, group));
    DT_TRY(dt_memory_alloc(&out->items, names.count + 1, sizeof *out->items, "attributes"));
    for (size_t i = 0; i < names.count; i++) {
        bool taken = false;
        status = read_fact(&out->items[out->count], &taken, h5, group, names.texts[i]);
        out->count += taken; /* also a partly built fact, so that it is freed */
        if (status != DT_OK)
            goto out;
    }
out:
    dt_h5_names_clear(&names);
    return status;
}

const dt_report_fact *dt_report_fact_find(const dt_report_facts *facts, const char *name)
{
    for (size_t i = 0; i < facts->count; i++)
        if (facts->items[i].name != NULL && strcmp(facts->items[i].name, name) == 0)
            return &facts->items[i];
    return NULL;
}

const char *dt_report_fact_text(const dt_report_facts *facts, const char *name)
{
    const dt_report_fact *fact = dt_report_fact_find(facts, name);
    return fact != NULL ? fact->text : "";
}
