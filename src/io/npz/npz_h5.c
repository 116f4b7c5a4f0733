#include "npz_h5.h"

#include "dtrain/base/crc32.h"
#include "dtrain/base/memory.h"
#include "dtrain/io/h5.h"

#include <stdio.h>
#include <string.h>

enum { ARRAYS_MAX = 1000, DEPTH_MAX = 8, PATH_BYTES = 1024, LABEL_BYTES = 512 };

/* Bytes that are read at a time, if rows and chunks permit. */
enum { BLOCK_BYTES = 1 << 20, BLOCK_BYTES_MAX = 64 << 20 };

struct npz_h5 {
    dt_h5 *file;
    const char *path; /* borrowed */
    npz_h5_array *arrays;
    size_t count, capacity;
};

/* ---- files that are not data ---- */

/* Files that contain datasets, but are not data. */
DT_MUST_USE static dt_status refuse_others(dt_h5 *file, const char *path)
{
    if (dt_h5_has_attribute(file, "/", "model_config") ||
        dt_h5_has_attribute(file, "/dtrain", "format_version"))
        return dt_fail(DT_DATA,
                       "%s: is a model, not data; use it before the data in dtrain evaluate and "
                       "predict, or with --init-from in train",
                       path);
    if (dt_h5_has_attribute(file, "/", "layer_names") ||
        dt_h5_has(file, "/_layer_checkpoint_dependencies") ||
        (dt_h5_has(file, "/layers") == DT_H5_GROUP && dt_h5_has(file, "/vars") == DT_H5_GROUP))
        return dt_fail(DT_DATA,
                       "%s: contains the weights of a Keras model, not data: expected datasets "
                       "such as x and y",
                       path);
    if (dt_h5_has(file, "/epochs") == DT_H5_DATASET && dt_h5_has_attribute(file, "/", "status"))
        return dt_fail(DT_DATA, "%s: is the log of a run, not data; show it with dtrain report",
                       path);
    if (dt_h5_has_attribute(file, "/", "checkpoint_version"))
        return dt_fail(DT_DATA,
                       "%s: is a checkpoint, not data; resume it with dtrain train --resume FOLDER",
                       path);
    return DT_OK;
}

DT_MUST_USE static dt_status refuse_pandas(const npz_h5 *h5, const char *group)
{
    if (!dt_h5_has_attribute(h5->file, group, "pandas_type"))
        return DT_OK;
    return dt_fail(DT_DATA,
                   "%s: %s is a table of pandas, not arrays; convert it to a .csv: "
                   "pandas.read_hdf('%s', '%s').to_csv('table.csv', index=False)",
                   h5->path, group, h5->path, group);
}

/* Types that are neither numbers nor texts, by their first letter. */
DT_MUST_USE static dt_status refuse_type(const char *label, char letter)
{
    static const struct {
        char letter;
        const char *found, *advice;
    } types[] = {
        {'c', "complex numbers", "save the real and imaginary parts as two float32 columns"},
        {'V', "records of several fields",
         "save each field as a dataset of its own, or all of them as a .csv"},
        {'O', "lists of different lengths", "pad them to one length, dtype=float32"},
        {'f', "floating-point numbers of an odd kind", "save it again with dtype=float32"},
        {'i', "whole numbers of an odd size", "save it again with dtype=int32"},
        {'?', "neither numbers nor texts", "save it again with dtype=float32"}};
    size_t i = 0;
    while (types[i].letter != letter && types[i].letter != '?')
        i++;
    return dt_fail(DT_DATA, "%s: expected numbers, found %s; %s", label, types[i].found,
                   types[i].advice);
}

/* ---- the list ---- */

DT_MUST_USE static dt_status add(npz_h5_array **out, npz_h5 *h5, const char *path)
{
    dt_status status = DT_OK;
    if (h5->count == ARRAYS_MAX)
        return dt_fail(DT_DATA,
                       "%s: has more than %d datasets; expected one with the inputs of all rows, "
                       "and one with the targets",
                       h5->path, ARRAYS_MAX);
    if (h5->count == h5->capacity) {
        const size_t capacity = h5->capacity == 0 ? 8 : 2 * h5->capacity;
        DT_TRY(dt_memory_grow(&h5->arrays, h5->count, capacity, sizeof *h5->arrays, "arrays"));
        h5->capacity = capacity;
    }
    h5->arrays[h5->count] = (npz_h5_array){0};
    DT_TRY(dt_memory_copy_text(&h5->arrays[h5->count].path, path));
    *out = &h5->arrays[h5->count++];
out:
    return status;
}

static void label_of(char label[LABEL_BYTES], const npz_h5 *h5, const npz_h5_array *array)
{
    (void)snprintf(label, LABEL_BYTES, "%s: array '%.80s'", h5->path, array->path + 1);
}

DT_MUST_USE static dt_status describe(npz_h5_array *array, const npz_h5 *h5)
{
    char label[LABEL_BYTES];
    dt_h5_items items;
    label_of(label, h5, array);
    const dt_status status = dt_h5_describe_items(&items, h5->file, array->path);
    if (status != DT_OK)
        return status;
    array->stored_bytes = items.shape.stored_bytes;
    array->chunk_rows = items.chunk_rows;
    array->unmeasured = strcmp(items.descr, "S") == 0;
    if (items.shape.dims == 0 && items.shape.count == 0)
        return dt_fail(DT_DATA, "%s: has no values", label);
    if (!array->unmeasured && strlen(items.descr) < 2)
        return refuse_type(label, items.descr[0]);
    return dt_npy_make(&array->npy, label, array->unmeasured ? "|S1" : items.descr,
                       items.shape.dims, items.shape.extent);
}

/* Stores the error of an array that cannot be used, unless the whole file cannot be read. */
DT_MUST_USE static dt_status set_error(npz_h5_array *array, const npz_h5 *h5, dt_status status)
{
    char text[DT_STATUS_TEXT_BYTES];
    if (status != DT_DATA)
        return status;
    (void)snprintf(text, sizeof text, "%s", dt_status_text());
    status = dt_h5_check(h5->file);
    if (status == DT_OK)
        status = dt_memory_copy_text(&array->error, text);
    if (status == DT_OK)
        dt_status_set_text("");
    return status;
}

DT_MUST_USE static dt_status add_array(npz_h5 *h5, const char *path, dt_h5_kind kind)
{
    npz_h5_array *array = NULL;
    dt_status status = add(&array, h5, path);
    if (status != DT_OK)
        return status;
    status = kind == DT_H5_DATASET ? describe(array, h5)
                                   : dt_fail(DT_DATA,
                                             "%s: %s is a link to another file or group, or a "
                                             "type; replace it with a copy of the dataset",
                                             h5->path, path);
    return status == DT_OK ? DT_OK : set_error(array, h5, status);
}

static bool has(const dt_h5_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->texts[i], name) == 0)
            return true;
    return false;
}

/* Its "data" are not inputs. */
DT_MUST_USE static dt_status add_sparse(npz_h5 *h5, const char *group)
{
    npz_h5_array *array = NULL;
    dt_status status = add(&array, h5, group);
    if (status != DT_OK)
        return status;
    status = dt_fail(DT_DATA, "%s: %s is a sparse matrix; save its .toarray() as a dataset",
                     h5->path, group);
    return set_error(array, h5, status);
}

/* A folder's members one after the other; groups are few, and not deep. */
// NOLINTNEXTLINE(misc-no-recursion): DEPTH_MAX bounds it, also where a group contains itself
DT_MUST_USE static dt_status list_group(npz_h5 *h5, const char *group, int depth)
{
    dt_status status = DT_OK;
    dt_h5_names names = {0};
    char path[PATH_BYTES];
    DT_TRY(refuse_pandas(h5, group));
    DT_TRY(dt_h5_list_members(&names, h5->file, group));
    if (depth > 0 && has(&names, "data") && has(&names, "indices") && has(&names, "indptr")) {
        status = add_sparse(h5, group);
        goto out;
    }
    for (size_t i = 0; i < names.count; i++) {
        const int length =
            snprintf(path, sizeof path, "%s/%s", depth > 0 ? group : "", names.texts[i]);
        if (length >= PATH_BYTES)
            continue;
        const dt_h5_kind kind = dt_h5_has(h5->file, path);
        if (kind != DT_H5_GROUP)
            DT_TRY(add_array(h5, path, kind));
        else if (depth < DEPTH_MAX)
            DT_TRY(list_group(h5, path, depth + 1));
    }
out:
    dt_h5_names_clear(&names);
    return status;
}

/* A file without any usable array is refused with the first error. */
DT_MUST_USE static dt_status check_any(const npz_h5 *h5)
{
    for (size_t i = 0; i < h5->count; i++)
        if (h5->arrays[i].error == NULL)
            return DT_OK;
    if (h5->count > 0)
        return dt_fail(DT_DATA, "%s", h5->arrays[0].error);
    return dt_fail(DT_DATA, "%s: has no datasets; expected datasets such as x and y", h5->path);
}

dt_status npz_h5_open(npz_h5 **out, const char *path)
{
    dt_status status = DT_OK;
    npz_h5 *h5 = NULL;
    *out = NULL;
    DT_TRY(dt_memory_alloc(&h5, 1, sizeof *h5, "arrays"));
    h5->path = path;
    DT_TRY(dt_h5_open(&h5->file, path));
    DT_TRY(refuse_others(h5->file, path));
    DT_TRY(list_group(h5, "/", 0));
    DT_TRY(dt_h5_check(h5->file));
    DT_TRY(check_any(h5));
    *out = h5;
    h5 = NULL;
out:
    npz_h5_close(h5);
    return status;
}

void npz_h5_close(npz_h5 *h5)
{
    if (h5 == NULL)
        return;
    for (size_t i = 0; i < h5->count; i++) {
        dt_memory_free(h5->arrays[i].path);
        dt_memory_free(h5->arrays[i].error);
    }
    dt_memory_free(h5->arrays);
    dt_h5_free(h5->file);
    dt_memory_free(h5);
}

size_t npz_h5_count(const npz_h5 *h5)
{
    return h5->count;
}

npz_h5_array *npz_h5_at(const npz_h5 *h5, size_t index)
{
    DT_ASSERT(index < h5->count);
    return &h5->arrays[index];
}

dt_status npz_h5_measure(const npz_h5 *h5, npz_h5_array *array)
{
    dt_status status = DT_OK;
    char label[LABEL_BYTES], descr[32];
    int64_t longest = 0;
    DT_TRY(dt_h5_find_longest(&longest, h5->file, array->path));
    (void)snprintf(descr, sizeof descr, "|S%lld", longest > 0 ? (long long)longest : 1);
    label_of(label, h5, array);
    const dt_npy known = array->npy;
    DT_TRY(dt_npy_make(&array->npy, label, descr, known.dims, known.shape));
    array->unmeasured = false;
out:
    return status;
}

/* ---- reading ---- */

struct npz_h5_stream {
    const npz_h5 *h5;
    npz_h5_array *array;
    uint64_t rows; /* of the array; a single number is one */
    uint64_t row; /* the first that is not in the block */
    uint64_t block_rows, row_bytes;
    uint64_t left; /* bytes of the array that have not been returned */
    size_t at, used; /* in the block */
    uint32_t crc;
    unsigned char *block;
};

/* A multiple of a chunk's rows, since a part of a chunk costs as much as all of it. */
static uint64_t rows_of_block(const npz_h5_stream *s, uint64_t chunk_rows)
{
    uint64_t bytes = 0;
    if (__builtin_mul_overflow(chunk_rows, s->row_bytes, &bytes) || bytes > BLOCK_BYTES_MAX) {
        chunk_rows = BLOCK_BYTES_MAX / s->row_bytes > 0 ? BLOCK_BYTES_MAX / s->row_bytes : 1;
        bytes = chunk_rows * s->row_bytes;
    }
    return chunk_rows * (bytes < BLOCK_BYTES ? BLOCK_BYTES / bytes : 1);
}

dt_status npz_h5_stream_open(npz_h5_stream **out, const npz_h5 *h5, npz_h5_array *array)
{
    dt_status status = DT_OK;
    npz_h5_stream *s = NULL;
    char header[256];
    const dt_npy *npy = &array->npy;
    *out = NULL;
    DT_ASSERT(!array->unmeasured);
    DT_TRY(dt_memory_alloc(&s, 1, sizeof *s, "input buffer"));
    s->h5 = h5;
    s->array = array;
    s->left = npy->data_bytes;
    s->rows = npy->dims > 0 ? npy->shape[0] : 1; /* a single number is a row */
    s->row_bytes = npy->count > 0 ? npy->data_bytes / s->rows : 1;
    s->block_rows = rows_of_block(s, array->chunk_rows);
    s->block_rows = s->block_rows < s->rows ? s->block_rows : s->rows;
    s->crc = dt_crc32(0, header, dt_npy_header(header, npy));
    DT_TRY(dt_memory_alloc(&s->block, (size_t)s->block_rows, (size_t)s->row_bytes, "input buffer"));
    *out = s;
    s = NULL;
out:
    npz_h5_stream_close(s);
    return status;
}

DT_MUST_USE static dt_status fill_block(npz_h5_stream *s)
{
    const uint64_t left = s->rows - s->row;
    const uint64_t rows = left < s->block_rows ? left : s->block_rows;
    const dt_h5_part part = {.path = s->array->path,
                             .first = s->row,
                             .count = rows,
                             .bytes = (size_t)(rows * s->row_bytes)};
    const dt_status status = dt_h5_read_part(s->block, s->h5->file, &part);
    if (status != DT_OK)
        return status;
    s->crc = dt_crc32(s->crc, s->block, part.bytes);
    s->row += rows;
    s->at = 0;
    s->used = part.bytes;
    return DT_OK;
}

DT_MUST_USE static dt_status check_sum(npz_h5_stream *s)
{
    char label[LABEL_BYTES];
    label_of(label, s->h5, s->array);
    if (s->array->summed && s->array->crc32 != s->crc)
        return dt_fail(DT_DATA, "%s has changed while it was read; try again", label);
    s->array->crc32 = s->crc;
    s->array->summed = true;
    return DT_OK;
}

dt_status npz_h5_stream_read(npz_h5_stream *stream, void *out, size_t bytes)
{
    dt_status status = DT_OK;
    npz_h5_stream *s = stream;
    unsigned char *to = out;
    DT_ASSERT(bytes <= s->left);
    while (bytes > 0) {
        if (s->at == s->used)
            DT_TRY(fill_block(s));
        const size_t there = s->used - s->at;
        const size_t part = bytes < there ? bytes : there;
        memcpy(to, s->block + s->at, part);
        s->at += part;
        s->left -= part;
        to += part;
        bytes -= part;
    }
    if (s->left == 0)
        DT_TRY(check_sum(s));
out:
    return status;
}

void npz_h5_stream_close(npz_h5_stream *stream)
{
    if (stream == NULL)
        return;
    dt_memory_free(stream->block);
    dt_memory_free(stream);
}
