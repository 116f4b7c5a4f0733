#include "labels.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"
#include "dtrain/data/dataset.h"

#include <math.h>
#include <string.h>

enum { VALUES_AT_ONCE = 256 * 1024, TEXT_BYTES_MAX = 4096, TEXTS_AT_ONCE = 4096 };

size_t dt_labels_one_hot_width(const dt_source_set *set)
{
    const dt_npy *npy = &set->targets->npy;
    return npy->dims == 2 && npy->shape[1] > 1 ? (size_t)npy->shape[1] : 0;
}

static dt_status fail_one_hot(const dt_labels *labels, uint64_t row)
{
    return dt_fail(DT_DATA, "%s: %s: row %llu is not one-hot; expected one 1 and otherwise 0",
                   dt_npz_path(labels->set->npz), labels->set->targets->name,
                   (unsigned long long)row);
}

/* Reads the next `count` values of the file. */
static dt_status read_values(dt_labels *labels, size_t count)
{
    const dt_npy *npy = &labels->set->targets->npy;
    dt_status status = dt_npz_stream_read(labels->stream, labels->items, count * npy->item_bytes);
    if (status == DT_OK && !dt_npy_is_text(npy))
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

dt_status dt_labels_open(dt_labels *out, const dt_source_set *set, dt_classes *classes)
{
    dt_status status = DT_OK;
    const dt_npy *npy = &set->targets->npy;
    const size_t one_hot = dt_labels_one_hot_width(set);
    *out = (dt_labels){.set = set, .width = one_hot > 0 ? one_hot : 1};
    out->classes = classes;
    if (dt_npy_is_text(npy) && (one_hot > 0 || npy->item_bytes > TEXT_BYTES_MAX))
        return dt_fail(DT_DATA, "%s: %s has %s; expected a label of at most %d bytes a row",
                       dt_npz_path(set->npz), set->targets->name,
                       one_hot > 0 ? "several texts a row" : "long texts", TEXT_BYTES_MAX);
    const bool by_column = npy->fortran && one_hot > 0;
    const size_t widest = by_column ? UINT16_MAX : DT_CLASSES_MAX;
    if (one_hot > widest)
        return dt_fail(DT_DATA, "%s: %s has %zu columns; one-hot targets%s may have %zu",
                       dt_npz_path(set->npz), set->targets->name, one_hot,
                       by_column ? " in Fortran order" : "", widest);
    out->capacity = dt_npy_is_text(npy) ? TEXTS_AT_ONCE : VALUES_AT_ONCE / out->width + 1;
    const size_t count = by_column ? VALUES_AT_ONCE : out->capacity * out->width;
    DT_TRY(dt_memory_alloc(&out->items, count, npy->item_bytes, "labels"));
    DT_TRY(dt_memory_alloc(&out->values, count, sizeof *out->values, "labels"));
    if (dt_npy_is_text(npy))
        DT_TRY(dt_memory_alloc(&out->text, dt_npy_text_bytes(npy), 1, "labels"));
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
    dt_memory_free(labels->text);
    dt_memory_free(labels->ones);
    *labels = (dt_labels){0};
}

/* ---- one row ---- */

static dt_status fail_number(const dt_labels *labels, uint64_t row, double value)
{
    const char *path = dt_npz_path(labels->set->npz);
    const char *name = labels->set->targets->name;
    char known[256];
    if (isnan(value))
        return dt_fail(DT_DATA, "%s: %s: row %llu has no label (nan); remove such rows", path, name,
                       (unsigned long long)row);
    if (value != floor(value) || !isfinite(value))
        return dt_fail(DT_DATA,
                       "%s: %s: row %llu is %.9g; class ids are whole numbers; use --task "
                       "regression for values",
                       path, name, (unsigned long long)row, value);
    return dt_fail(DT_DATA,
                   "%s: %s: row %llu is class %.15g, but the training set's classes are %s", path,
                   name, (unsigned long long)row, value,
                   dt_classes_describe(known, sizeof known, labels->classes));
}

static dt_status fail_text(const dt_labels *labels, uint64_t row, size_t bytes)
{
    char known[256], shown[DT_TEXT_SHOWN_BYTES + 4];
    const char *path = dt_npz_path(labels->set->npz), *name = labels->set->targets->name;
    if (bytes == 0 || strcmp(labels->text, "nan") == 0)
        return dt_fail(DT_DATA, "%s: %s: row %llu has no label ('%s'); remove such rows", path,
                       name, (unsigned long long)row, labels->text);
    return dt_fail(DT_DATA, "%s: %s: row %llu is class '%s', but the training set's classes are %s",
                   path, name, (unsigned long long)row, dt_text_show(shown, labels->text, bytes),
                   dt_classes_describe(known, sizeof known, labels->classes));
}

/* Too many classes: the targets are something else. */
static dt_status check_count(const dt_labels *labels)
{
    if (labels->classes->count <= DT_CLASSES_MAX)
        return DT_OK;
    return dt_fail(DT_DATA,
                   "%s: %s has more than %d different labels, too many for classes; use another "
                   "array, or --task regression for values",
                   dt_npz_path(labels->set->npz), labels->set->targets->name, DT_CLASSES_MAX);
}

/* The label of a row whose value is a number. */
static dt_status decode_number(const dt_labels *labels, double value, uint64_t row, int32_t *out)
{
    const bool one_hot = labels->width > 1;
    dt_status status = DT_OK;
    *out = DT_CLASS_NONE;
    if (one_hot && value < (double)labels->classes->count)
        *out = (int32_t)value;
    else if (!one_hot && labels->set->targets->npy.kind == DT_NPY_BOOL)
        status = dt_classes_of_bool(out, labels->classes, value != 0.0);
    else if (!one_hot && value == floor(value) && isfinite(value))
        status = dt_classes_of_number(out, labels->classes, value);
    if (status == DT_OK && *out == DT_CLASS_NONE)
        status = fail_number(labels, row, value);
    return status;
}

static dt_status decode_text(const dt_labels *labels, const void *item, uint64_t row, int32_t *out)
{
    const size_t bytes = dt_npy_to_text(labels->text, item, &labels->set->targets->npy);
    if (bytes == SIZE_MAX)
        return dt_fail(DT_DATA, "%s: %s: row %llu is not text; save it again with .astype(str)",
                       dt_npz_path(labels->set->npz), labels->set->targets->name,
                       (unsigned long long)row);
    if (bytes == 0 || strcmp(labels->text, "nan") == 0)
        return fail_text(labels, row, bytes);
    dt_status status = dt_classes_of_text(out, labels->classes, labels->text, bytes);
    if (status == DT_OK && *out == DT_CLASS_NONE)
        status = fail_text(labels, row, bytes);
    return status;
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
        return decode_number(labels, (double)*out, row, out);
    return fail_one_hot(labels, row);
}

/* The label of row `i` of those that have been read. */
static dt_status decode(const dt_labels *labels, size_t i, int32_t *out)
{
    const uint64_t row = labels->row + i;
    const dt_npy *npy = &labels->set->targets->npy;
    if (dt_npy_is_text(npy))
        return decode_text(labels, (const char *)labels->items + i * npy->item_bytes, row, out);
    if (labels->width > 1 && labels->ones == NULL)
        return decode_row(labels, labels->values + i * labels->width, row, out);
    if (labels->ones != NULL && labels->ones[row] == 0)
        return fail_one_hot(labels, row);
    return decode_number(labels, labels->ones != NULL ? labels->ones[row] - 1.0 : labels->values[i],
                         row, out);
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
        status = decode(labels, i, &y[i]);
    if (status == DT_OK)
        status = check_count(labels);
    if (status == DT_OK)
        labels->row += rows;
    return status;
}
