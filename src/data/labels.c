#include "labels.h"

#include "dtrain/base/memory.h"
#include "dtrain/data/dataset.h"

#include <math.h>

enum { VALUES_AT_ONCE = 256 * 1024 };

size_t dt_labels_one_hot_width(const dt_source_set *set)
{
    const dt_npy *npy = &set->targets->npy;
    return npy->dims == 2 && npy->shape[1] > 1 ? (size_t)npy->shape[1] : 0;
}

static dt_status fail_one_hot(const dt_labels *labels, uint64_t row)
{
    return dt_fail(DT_DATA, "%s: %s: row %llu is not one-hot: one 1 and else 0 were expected",
                   dt_npz_path(labels->set->npz), labels->set->targets->name,
                   (unsigned long long)row);
}

/* Reads the next `count` values of the file. */
static dt_status read_values(dt_labels *labels, size_t count)
{
    const dt_npy *npy = &labels->set->targets->npy;
    dt_status status = dt_npz_stream_read(labels->stream, labels->items, count * npy->item_bytes);
    if (status == DT_OK)
        dt_npy_to_double(labels->values, labels->items, count, npy);
    return status;
}

/* One-hot in Fortran order: columns come one after the other, and a row is complete only when all
 * have come. Two bytes a row remember where its 1 was: 1 + the column, 0 while there was none. */
static dt_status decode_columns(dt_labels *labels)
{
    const uint64_t N = labels->set->targets->npy.shape[0];
    for (size_t c = 0; c < labels->width; c++) {
        for (uint64_t row = 0; row < N; row += VALUES_AT_ONCE) {
            const size_t rows = N - row < VALUES_AT_ONCE ? (size_t)(N - row) : VALUES_AT_ONCE;
            dt_status status = read_values(labels, rows);
            if (status != DT_OK)
                return status;
            for (size_t i = 0; i < rows; i++) {
                if (labels->values[i] == 0.0)
                    continue;
                if (labels->values[i] != 1.0 || labels->ones[row + i] != 0)
                    return fail_one_hot(labels, row + i);
                labels->ones[row + i] = (uint16_t)(c + 1);
            }
        }
    }
    return DT_OK;
}

dt_status dt_labels_open(dt_labels *out, const dt_source_set *set, size_t class_count)
{
    dt_status status = DT_OK;
    const dt_npy *npy = &set->targets->npy;
    const size_t one_hot = dt_labels_one_hot_width(set);
    *out = (dt_labels){.set = set, .width = one_hot > 0 ? one_hot : 1};
    out->class_count = class_count;
    const bool by_column = npy->fortran && one_hot > 0;
    const size_t widest = by_column ? UINT16_MAX : DT_CLASSES_MAX;
    if (one_hot > widest)
        return dt_fail(DT_DATA, "%s: %s has %zu columns; one-hot targets%s may have %zu",
                       dt_npz_path(set->npz), set->targets->name, one_hot,
                       by_column ? " in Fortran order" : "", widest);
    out->capacity = VALUES_AT_ONCE / out->width + 1;
    const size_t count = by_column ? VALUES_AT_ONCE : out->capacity * out->width;
    DT_TRY(dt_memory_alloc(&out->items, count, npy->item_bytes, "labels"));
    DT_TRY(dt_memory_alloc(&out->values, count, sizeof *out->values, "labels"));
    DT_TRY(dt_npz_stream_open(&out->stream, set->npz, set->targets));
    if (by_column) {
        DT_TRY(dt_memory_alloc(&out->ones, (size_t)npy->shape[0], sizeof *out->ones, "labels"));
        DT_TRY(decode_columns(out));
    }
out:
    return status;
}

void dt_labels_close(dt_labels *labels)
{
    dt_npz_stream_close(labels->stream);
    dt_memory_free(labels->items);
    dt_memory_free(labels->values);
    dt_memory_free(labels->ones);
    *labels = (dt_labels){0};
}

static dt_status check_class_id(const dt_labels *labels, uint64_t row, double value)
{
    const char *path = dt_npz_path(labels->set->npz);
    const char *name = labels->set->targets->name;
    if (value >= 0 && value < (double)labels->class_count && value == floor(value))
        return DT_OK;
    if (!(value >= 0) || value != floor(value))
        return dt_fail(DT_DATA,
                       "%s: %s: row %llu is %.9g; class ids are whole numbers from 0 on; "
                       "--task regression trains on values",
                       path, name, (unsigned long long)row, value);
    if (labels->class_count == DT_CLASSES_MAX)
        return dt_fail(DT_DATA,
                       "%s: %s: row %llu is class %.15g; more than %d classes cannot be: "
                       "is %s the right array? --task regression trains on values",
                       path, name, (unsigned long long)row, value, DT_CLASSES_MAX, name);
    return dt_fail(DT_DATA,
                   "%s: %s: row %llu is class %.15g, but the training set's classes are 0 "
                   "to %zu",
                   path, name, (unsigned long long)row, value, labels->class_count - 1);
}

/* Finds the class of one one-hot row. */
static dt_status decode_row(const dt_labels *labels, const double *values, uint64_t row,
                            int32_t *out)
{
    size_t ones = 0;
    size_t others = 0;
    for (size_t c = 0; c < labels->width; c++) {
        const double value = values[c];
        if (value == 1.0) {
            ones++;
            *out = (int32_t)c;
        } else if (value != 0.0) {
            others++;
        }
    }
    if (ones == 1 && others == 0)
        return check_class_id(labels, row, (double)*out);
    return fail_one_hot(labels, row);
}

/* The label of one row; `values` are that row's, unused when the columns have been decoded. */
static dt_status decode(const dt_labels *labels, const double *values, uint64_t row, int32_t *out)
{
    if (labels->width > 1 && labels->ones == NULL)
        return decode_row(labels, values, row, out);
    if (labels->ones != NULL && labels->ones[row] == 0)
        return fail_one_hot(labels, row);
    const double value = labels->ones != NULL ? labels->ones[row] - 1.0 : values[0];
    dt_status status = check_class_id(labels, row, value);
    if (status == DT_OK)
        *out = (int32_t)value;
    return status;
}

dt_status dt_labels_read(dt_labels *labels, int32_t *y, size_t *count)
{
    dt_status status = DT_OK;
    const uint64_t left = labels->set->targets->npy.shape[0] - labels->row;
    const size_t rows = left < labels->capacity ? (size_t)left : labels->capacity;
    *count = rows;
    if (rows > 0 && labels->ones == NULL)
        status = read_values(labels, rows * labels->width);
    for (size_t i = 0; status == DT_OK && i < rows; i++)
        status = decode(labels, labels->values + (labels->ones == NULL ? i * labels->width : 0),
                        labels->row + i, &y[i]);
    if (status == DT_OK)
        labels->row += rows;
    return status;
}
