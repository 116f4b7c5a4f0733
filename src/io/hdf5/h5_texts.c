#include "dtrain/io/h5.h"

#include <hdf5.h>

#include "h5_internal.h"

#include "dtrain/base/memory.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

/* ---- writing ---- */

DT_MUST_USE static dt_status measure_fields(size_t *bytes, const char *path,
                                            const char *const *texts, size_t count)
{
    *bytes = 1;
    for (size_t i = 0; i < count; i++) {
        DT_ASSERT(texts[i] != NULL);
        const size_t with_nul = strlen(texts[i]) + 1;
        *bytes = with_nul > *bytes ? with_nul : *bytes;
    }
    if (count > DT_H5_NAMES_MAX)
        return dt_fail(DT_OUTPUT, "HDF5: cannot write %s: %zu texts, at most %d", path, count,
                       DT_H5_NAMES_MAX);
    if (count > 0 && *bytes > DT_H5_TEXT_BYTES_MAX / count)
        return dt_fail(DT_OUTPUT,
                       "HDF5: cannot write %s: %zu texts in fields of %zu bytes, at most %d bytes",
                       path, count, *bytes, DT_H5_TEXT_BYTES_MAX);
    return DT_OK;
}

dt_status dt_h5_write_texts(dt_h5 *h5, const char *path, const char *const *texts, size_t count)
{
    dt_status status = DT_OK;
    char *fields = NULL;
    hid_t type = -1, space = -1, dataset = -1;
    size_t bytes = 0;
    const hsize_t shape = count;
    DT_TRY(measure_fields(&bytes, path, texts, count));
    DT_TRY(dt_memory_alloc(&fields, count, bytes, "texts for an HDF5 file"));
    for (size_t i = 0; i < count; i++)
        memcpy(fields + i * bytes, texts[i], strlen(texts[i]));
    DT_TRY(dt_h5_make_text_type(&type, bytes, path));
    space = H5Screate_simple(1, &shape, NULL);
    if (space < 0)
        DT_TRY(dt_h5_fail_writing("shape", path));
    DT_TRY(dt_h5_make_dataset(h5, &dataset, path, type, space, 0));
    if (count > 0 && H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, fields) < 0)
        DT_TRY(dt_h5_fail_writing("write", path));
out:
    dt_memory_free(fields);
    status = dt_h5_close_id(status, dataset, path);
    status = dt_h5_close_id(status, space, path);
    return dt_h5_close_id(status, type, path);
}

/* ---- reading texts of variable length ---- */

/* The arena of HDF5's texts: it is bounded, and freed as a whole, including the remains of a failed
 * read. */
typedef struct block {
    struct block *next;
    char bytes[];
} block;

typedef struct arena {
    block *blocks;
    uint64_t left; /* bytes that texts may still take */
    const dt_h5 *h5;
    const char *path;
    dt_status status;
} arena;

static void *take_from_arena(size_t bytes, void *context)
{
    arena *a = context;
    block *one = NULL;
    const size_t length = bytes > 0 ? bytes - 1 : 0; /* without the NUL */
    if (a->status == DT_OK && length > a->left)
        a->status =
            dt_fail(DT_DATA, "%s: %s: its texts are more than the file holds, or than %d bytes",
                    dt_h5_name(a->h5), a->path, DT_H5_TEXT_BYTES_MAX);
    if (a->status == DT_OK)
        a->status = dt_memory_alloc(&one, sizeof *one + bytes, 1, "texts of an HDF5 file");
    if (a->status != DT_OK)
        return NULL;
    a->left -= length;
    one->next = a->blocks;
    a->blocks = one;
    return one->bytes;
}

static void return_to_arena(void *memory, void *context)
{
    (void)memory;
    (void)context;
}

static void clear_arena(arena *a)
{
    while (a->blocks != NULL) {
        block *next = a->blocks->next;
        dt_memory_free(a->blocks);
        a->blocks = next;
    }
}

dt_status dt_h5_read_variable(const dt_h5_dataset *d, const dt_h5 *h5, hid_t memory,
                              const dt_h5_selection *of, dt_h5_take_text *take, void *context)
{
    dt_status status = DT_OK;
    char **texts = NULL;
    const uint64_t file = dt_h5_bytes(h5);
    arena a = {.left = file < DT_H5_TEXT_BYTES_MAX ? file : DT_H5_TEXT_BYTES_MAX,
               .h5 = h5,
               .path = d->path};
    const hid_t transfer = H5Pcreate(H5P_DATASET_XFER);
    if (transfer < 0 ||
        H5Pset_vlen_mem_manager(transfer, take_from_arena, &a, return_to_arena, &a) < 0)
        DT_TRY(dt_h5_fail_reading(h5, "read", d->path));
    DT_TRY(dt_memory_alloc(&texts, of->count, sizeof *texts, "texts of an HDF5 file"));
    const herr_t done = H5Dread(d->id, memory, of->memory, of->file, transfer, texts);
    DT_TRY(a.status);
    if (done < 0)
        DT_TRY(dt_h5_fail_reading(h5, "read", d->path));
    for (size_t i = 0; i < of->count; i++)
        DT_TRY(take(context, i, texts[i] != NULL ? texts[i] : ""));
out:
    if (transfer >= 0)
        (void)H5Pclose(transfer);
    clear_arena(&a);
    dt_memory_free(texts);
    return status;
}

/* ---- reading ---- */

typedef struct list {
    dt_h5_names *names;
    size_t capacity;
    const dt_h5 *h5;
    const char *path;
} list;

static dt_status add_to_list(void *context, size_t index, const char *text)
{
    list *l = context;
    (void)index;
    return dt_h5_names_add(l->names, &l->capacity, l->h5, l->path, text);
}

DT_MUST_USE static dt_status read_fixed(dt_h5_names *out, const dt_h5_dataset *d, const dt_h5 *h5,
                                        hid_t text, hid_t memory)
{
    dt_status status = DT_OK;
    char *fields = NULL;
    const size_t count = (size_t)d->shape.count, bytes = H5Tget_size(text);
    if (bytes > DT_H5_TEXT_BYTES_MAX / count)
        return dt_fail(DT_DATA, "%s: %s: %zu texts of %zu bytes, expected at most %d bytes",
                       dt_h5_name(h5), d->path, count, bytes, DT_H5_TEXT_BYTES_MAX);
    DT_TRY(dt_memory_alloc(&fields, count, bytes, "texts of an HDF5 file"));
    if (H5Dread(d->id, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, fields) < 0)
        DT_TRY(dt_h5_fail_reading(h5, "read", d->path));
    DT_TRY(dt_h5_names_add_fields(out, h5, d->path, text, fields, count));
out:
    dt_memory_free(fields);
    return status;
}

/* `text` is the type of one text, `memory` that of a row with nothing else in it. */
DT_MUST_USE static dt_status read_texts(dt_h5_names *out, const dt_h5_dataset *d, const dt_h5 *h5,
                                        hid_t text, hid_t memory)
{
    if (d->shape.count > DT_H5_NAMES_MAX)
        return dt_fail(DT_DATA, "%s: %s: %" PRIu64 " texts, expected at most %d", dt_h5_name(h5),
                       d->path, d->shape.count, DT_H5_NAMES_MAX);
    const htri_t variable = H5Tis_variable_str(text);
    if (variable < 0)
        return dt_h5_fail_reading(h5, "read", d->path);
    if (variable == 0)
        return read_fixed(out, d, h5, text, memory);
    list l = {.names = out, .h5 = h5, .path = d->path};
    const dt_h5_selection all = {H5S_ALL, H5S_ALL, (size_t)d->shape.count};
    return dt_h5_read_variable(d, h5, memory, &all, add_to_list, &l);
}

dt_status dt_h5_read_texts(dt_h5_names *out, dt_h5 *h5, const char *path)
{
    dt_status status = DT_OK;
    dt_h5_dataset d;
    *out = (dt_h5_names){0};
    if (h5->remote != NULL)
        return dt_h5_ask_names(out, h5, &(dt_h5_question){DT_H5_CALL_READ_TEXTS, path, NULL, 0});
    DT_TRY(dt_h5_open_dataset(&d, h5, path));
    if (d.shape.count == 0)
        goto out;
    if (d.shape.class != DT_H5_CLASS_TEXT || d.shape.dims != 1)
        DT_TRY(dt_fail(DT_DATA, "%s: %s: expected a list of texts, found %s in %u dimensions",
                       dt_h5_name(h5), path, dt_h5_class_name(d.shape.class), d.shape.dims));
    DT_TRY(read_texts(out, &d, h5, d.type, d.type));
out:
    if (status != DT_OK)
        dt_h5_names_clear(out);
    dt_h5_close_dataset(&d);
    return status;
}

dt_status dt_h5_read_column_texts(dt_h5_names *out, dt_h5 *h5, const char *path, const char *column)
{
    dt_status status = DT_OK;
    dt_h5_dataset d;
    hid_t text = -1, row = -1;
    *out = (dt_h5_names){0};
    if (h5->remote != NULL)
        return dt_h5_ask_names(out, h5,
                               &(dt_h5_question){DT_H5_CALL_READ_COLUMN_TEXTS, path, column, 0});
    DT_TRY(dt_h5_open_table(&d, h5, path));
    DT_TRY(dt_h5_open_column(&text, &d, h5, column));
    const dt_h5_class class = dt_h5_class_of(text);
    if (class != DT_H5_CLASS_TEXT)
        DT_TRY(dt_fail(DT_DATA, "%s: %s, column %s: expected text, found %s", dt_h5_name(h5), path,
                       column, dt_h5_class_name(class)));
    if (d.shape.count == 0)
        goto out;
    row = H5Tcreate(H5T_COMPOUND, H5Tget_size(text));
    if (row < 0 || H5Tinsert(row, column, 0, text) < 0)
        DT_TRY(dt_h5_fail_reading(h5, "read", path));
    DT_TRY(read_texts(out, &d, h5, text, row));
out:
    if (status != DT_OK)
        dt_h5_names_clear(out);
    if (row >= 0)
        (void)H5Tclose(row);
    if (text >= 0)
        (void)H5Tclose(text);
    dt_h5_close_dataset(&d);
    return status;
}
