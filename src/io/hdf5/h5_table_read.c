#include <hdf5.h>

#include "h5_internal.h"

#include "dtrain/base/memory.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* A column of a table, and where its rows' fields are. */
typedef struct target {
    dt_h5 *h5;
    const char *path;
    const dt_h5_column *column;
    char *field; /* of the first row */
    size_t row_bytes;
    size_t count; /* rows */
} target;

static void *field_of(const target *t, size_t row)
{
    return t->field + row * t->row_bytes;
}

DT_MUST_USE static dt_status read_fractions(const target *t)
{
    dt_status status = DT_OK;
    double *values = NULL;
    DT_TRY(dt_memory_alloc(&values, t->count, sizeof *values, "a column of a table"));
    DT_TRY(dt_h5_read_column_f64(t->h5, t->path, t->column->name, values, t->count));
    for (size_t i = 0; i < t->count; i++)
        if (t->column->type == DT_H5_F64)
            memcpy(field_of(t, i), &values[i], sizeof values[i]);
        else
            memcpy(field_of(t, i), &(float){(float)values[i]}, sizeof(float));
out:
    dt_memory_free(values);
    return status;
}

/* Returns whether the field can hold the value. */
static bool put_integer(void *field, const dt_h5_column *column, int64_t value)
{
    const bool truth = value != 0;
    const uint32_t low = (uint32_t)value;
    if (dt_h5_is_bool(column)) {
        memcpy(field, &truth, sizeof truth);
        return value == truth;
    }
    if (column->type == DT_H5_I64) {
        memcpy(field, &value, sizeof value);
        return true;
    }
    memcpy(field, &low, sizeof low);
    return value == (column->type == DT_H5_U32 ? (int64_t)low : (int32_t)low);
}

DT_MUST_USE static dt_status read_integers(const target *t)
{
    dt_status status = DT_OK;
    int64_t *values = NULL;
    DT_TRY(dt_memory_alloc(&values, t->count, sizeof *values, "a column of a table"));
    DT_TRY(dt_h5_read_column_i64(t->h5, t->path, t->column->name, values, t->count));
    for (size_t i = 0; i < t->count; i++)
        if (!put_integer(field_of(t, i), t->column, values[i]))
            DT_TRY(dt_fail(DT_DATA, "%s: %s, column %s: %lld is not a value of this column",
                           dt_h5_name(t->h5), t->path, t->column->name, (long long)values[i]));
out:
    dt_memory_free(values);
    return status;
}

DT_MUST_USE static dt_status read_texts(const target *t)
{
    dt_status status = DT_OK;
    dt_h5_names texts = {0};
    DT_TRY(dt_h5_read_column_texts(&texts, t->h5, t->path, t->column->name));
    if (texts.count != t->count)
        DT_TRY(dt_fail(DT_DATA, "%s: %s, column %s: expected %zu texts, found %zu",
                       dt_h5_name(t->h5), t->path, t->column->name, t->count, texts.count));
    for (size_t i = 0; i < t->count; i++)
        (void)snprintf(field_of(t, i), t->column->bytes, "%s", texts.texts[i]);
out:
    dt_h5_names_clear(&texts);
    return status;
}

dt_status dt_h5_read_rows(dt_h5 *h5, const char *path, const dt_h5_table *table, void *rows,
                          size_t count)
{
    dt_status status = DT_OK;
    for (size_t c = 0; status == DT_OK && c < table->column_count; c++) {
        const dt_h5_column *column = &table->columns[c];
        const target t = {h5, path, column, (char *)rows + column->offset, table->row_bytes, count};
        if (column->type == DT_H5_TEXT)
            status = read_texts(&t);
        else if (column->type == DT_H5_F64 || column->type == DT_H5_F32)
            status = read_fractions(&t);
        else
            status = read_integers(&t);
    }
    return status;
}
