#include "labels.h"

#include "dtrain/base/memory.h"
#include "dtrain/data/dataset.h"

#include <math.h>

enum { VALUES_AT_ONCE = 256 * 1024, WHOLE_ARRAY_BYTES = 64 << 20 };

size_t dt_labels_one_hot_width(const dt_source_part *part)
{
    const dt_npy *npy = &part->targets->npy;
    return npy->dims == 2 && npy->shape[1] > 1 ? (size_t)npy->shape[1] : 0;
}

dt_status dt_labels_open(dt_labels *out, const dt_source_part *part, size_t class_count)
{
    dt_status status = DT_OK;
    const dt_npy *npy = &part->targets->npy;
    const size_t one_hot = dt_labels_one_hot_width(part);
    *out = (dt_labels){.part = part, .width = one_hot > 0 ? one_hot : 1};
    out->class_count = class_count;
    if (one_hot > DT_CLASSES_MAX)
        return dt_fail(DT_DATA, "%s: %s has %zu columns; one-hot targets may have %d",
                       dt_npz_path(part->npz), part->targets->name, one_hot, DT_CLASSES_MAX);
    out->capacity = VALUES_AT_ONCE / out->width + 1;
    if (npy->fortran && one_hot > 0) {
        /* Columns come one after the other: a row is complete only when all have come. */
        if (npy->data_bytes > WHOLE_ARRAY_BYTES)
            return dt_fail(DT_DATA,
                           "%s: %s is one-hot in Fortran order and larger than %d MiB; save class "
                           "ids instead: %s.argmax(axis=1)",
                           dt_npz_path(part->npz), part->targets->name, WHOLE_ARRAY_BYTES >> 20,
                           part->targets->name);
        out->capacity = (size_t)npy->shape[0];
    }
    const size_t count = out->capacity * out->width;
    DT_TRY(dt_memory_alloc(&out->items, count, npy->item_bytes, "labels"));
    DT_TRY(dt_memory_alloc(&out->values, count, sizeof *out->values, "labels"));
    DT_TRY(dt_npz_stream_open(&out->stream, part->npz, part->targets));
out:
    return status;
}

void dt_labels_close(dt_labels *labels)
{
    dt_npz_stream_close(labels->stream);
    dt_memory_free(labels->items);
    dt_memory_free(labels->values);
    *labels = (dt_labels){0};
}

static dt_status check_class_id(const dt_labels *labels, uint64_t row, double value)
{
    const char *path = dt_npz_path(labels->part->npz);
    const char *name = labels->part->targets->name;
    if (value >= 0 && value < (double)labels->class_count && value == floor(value))
        return DT_OK;
    if (!(value >= 0) || value != floor(value))
        return dt_fail(DT_DATA, "%s: %s: row %llu is %.9g; class ids are whole numbers from 0 on",
                       path, name, (unsigned long long)row, value);
    if (labels->class_count == DT_CLASSES_MAX)
        return dt_fail(DT_DATA,
                       "%s: %s: row %llu is class %.15g; more than %d classes cannot be: "
                       "is %s the right array?",
                       path, name, (unsigned long long)row, value, DT_CLASSES_MAX, name);
    return dt_fail(DT_DATA,
                   "%s: %s: row %llu is class %.15g, but the training set's classes are 0 "
                   "to %zu",
                   path, name, (unsigned long long)row, value, labels->class_count - 1);
}

/* The class of one one-hot row, whose values are `stride` apart. */
static dt_status decode_one_hot(const dt_labels *labels, uint64_t row, const double *values,
                                size_t stride, int32_t *out)
{
    size_t ones = 0;
    size_t others = 0;
    for (size_t c = 0; c < labels->width; c++) {
        const double value = values[c * stride];
        if (value == 1.0) {
            ones++;
            *out = (int32_t)c;
        } else if (value != 0.0) {
            others++;
        }
    }
    if (ones == 1 && others == 0)
        return check_class_id(labels, row, (double)*out);
    return dt_fail(DT_DATA, "%s: %s: row %llu is not one-hot: one 1 and else 0 were expected",
                   dt_npz_path(labels->part->npz), labels->part->targets->name,
                   (unsigned long long)row);
}

dt_status dt_labels_read(dt_labels *labels, int32_t *y, size_t *count)
{
    const dt_npy *npy = &labels->part->targets->npy;
    const uint64_t left = npy->shape[0] - labels->row;
    const size_t rows = left < labels->capacity ? (size_t)left : labels->capacity;
    *count = rows;
    if (rows == 0)
        return DT_OK;
    dt_status status =
        dt_npz_stream_read(labels->stream, labels->items, rows * labels->width * npy->item_bytes);
    if (status != DT_OK)
        return status;
    dt_npy_to_double(labels->values, labels->items, rows * labels->width, npy);
    const size_t stride = npy->fortran ? rows : 1;
    const size_t step = npy->fortran ? 1 : labels->width;
    for (size_t i = 0; i < rows; i++) {
        const double *row_values = labels->values + i * step;
        if (labels->width > 1) {
            status = decode_one_hot(labels, labels->row + i, row_values, stride, &y[i]);
        } else {
            status = check_class_id(labels, labels->row + i, row_values[0]);
            if (status == DT_OK)
                y[i] = (int32_t)row_values[0];
        }
        if (status != DT_OK)
            return status;
    }
    labels->row += rows;
    return DT_OK;
}
