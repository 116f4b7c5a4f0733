#include "dtrain/io/h5.h"

#include <hdf5.h>

#include "h5_internal.h"

#include <inttypes.h>
#include <stdbool.h>

/* The most that deflate shrinks: 258 bytes to 2 bits. */
enum { DEFLATE_FACTOR = 1032 };

/* HDF5 keeps a chunk of this size in memory anyway. */
enum { CHUNK_BYTES_MAX = 64 << 20 };

DT_MUST_USE static dt_status refuse(const dt_h5_dataset *d, const dt_h5 *h5, const char *why)
{
    return dt_fail(DT_DATA, "%s: %s: %s", dt_h5_name(h5), d->path, why);
}

/* Filters from here on are not part of HDF5, nor of h5repack; lzf belongs to h5py. */
enum { FILTERS_OF_OTHERS = 256, FILTER_LZF = 32000 };

/* Filters of HDF5, each at most once, because deflate over deflate has no bound. */
DT_MUST_USE static dt_status check_filters(const dt_h5_dataset *d, const dt_h5 *h5, bool *deflated)
{
    const int count = H5Pget_nfilters(d->creation);
    *deflated = false;
    for (int i = 0; i < count; i++) {
        unsigned flags = 0;
        size_t values = 0;
        const H5Z_filter_t filter =
            H5Pget_filter2(d->creation, (unsigned)i, &flags, &values, NULL, 0, NULL, NULL);
        if (filter == H5Z_FILTER_DEFLATE && !*deflated)
            *deflated = true;
        else if (filter != H5Z_FILTER_SHUFFLE && filter != H5Z_FILTER_FLETCHER32)
            return dt_fail(
                DT_DATA, "%s: %s: packed with the filter %d%s; expected none, or gzip: %s",
                dt_h5_name(h5), d->path, (int)filter, filter == FILTER_LZF ? " (lzf)" : "",
                filter < FILTERS_OF_OTHERS ? "h5repack -f NONE in.h5 out.h5"
                                           : "write it with h5py's compression='gzip'");
    }
    return count < 0 ? dt_h5_fail_reading(h5, "read", d->path) : DT_OK;
}

DT_MUST_USE static dt_status check_chunks(const dt_h5_dataset *d, const dt_h5 *h5, uint64_t needed)
{
    hsize_t extent[H5S_MAX_RANK] = {0};
    bool deflated = false;
    dt_status status = check_filters(d, h5, &deflated);
    if (status != DT_OK)
        return status;
    const int dims = H5Pget_chunk(d->creation, H5S_MAX_RANK, extent);
    if (dims < 0)
        return dt_h5_fail_reading(h5, "read", d->path);
    uint64_t bytes = d->shape.element_bytes;
    for (int i = 0; i < dims; i++)
        if (__builtin_mul_overflow(bytes, extent[i], &bytes))
            bytes = UINT64_MAX;
    if (bytes > CHUNK_BYTES_MAX && bytes > needed)
        return refuse(d, h5, "its chunks are larger than itself");
    uint64_t stored = d->shape.stored_bytes;
    stored = stored < dt_h5_bytes(h5) ? stored : dt_h5_bytes(h5);
    if (needed / (deflated ? DEFLATE_FACTOR : 1) > stored)
        return refuse(d, h5, "holds fewer values than its shape says");
    return DT_OK;
}

/* Checks that all `needed` bytes are in this file. */
DT_MUST_USE static dt_status check_storage(const dt_h5_dataset *d, const dt_h5 *h5, uint64_t needed)
{
    haddr_t offset = 0;
    switch (H5Pget_layout(d->creation)) {
    case H5D_COMPACT: /* at most 64 KiB, beside the shape */
        break;
    case H5D_CONTIGUOUS:
        if (H5Pget_external_count(d->creation) != 0)
            return refuse(d, h5, "its values lie in another file, expected them in this one");
        offset = H5Dget_offset(d->id);
        if (needed > 0 && (offset == HADDR_UNDEF || d->shape.stored_bytes == 0))
            return refuse(d, h5, "has a shape, but no values");
        if (needed > 0 && (offset > dt_h5_bytes(h5) || needed > dt_h5_bytes(h5) - offset))
            return refuse(d, h5, "its values lie beyond the end of the file");
        break;
    case H5D_CHUNKED:
        return check_chunks(d, h5, needed);
    case H5D_VIRTUAL:
        return refuse(d, h5, "is virtual: its values lie elsewhere, expected them in this file");
    default:
        return refuse(d, h5, "has an unknown layout");
    }
    if (d->shape.stored_bytes < needed)
        return refuse(d, h5, "holds fewer values than its shape says");
    return DT_OK;
}

dt_status dt_h5_open_dataset(dt_h5_dataset *out, dt_h5 *h5, const char *path)
{
    dt_status status = DT_OK;
    hid_t space = -1;
    *out = (dt_h5_dataset){.path = path, .id = -1, .type = -1, .creation = -1};
    DT_TRY(dt_h5_open_object(&out->id, h5, path));
    if (H5Iget_type(out->id) != H5I_DATASET)
        DT_TRY(refuse(out, h5, "is not a dataset"));
    out->type = H5Dget_type(out->id);
    out->creation = H5Dget_create_plist(out->id);
    space = H5Dget_space(out->id);
    if (out->type < 0 || out->creation < 0 || space < 0)
        DT_TRY(dt_h5_fail_reading(h5, "open", path));
    DT_TRY(dt_h5_measure(&out->shape, h5, path, out->type, space));
    out->shape.stored_bytes = H5Dget_storage_size(out->id);
    DT_TRY(check_storage(out, h5, out->shape.count * out->shape.element_bytes));
out:
    if (space >= 0)
        (void)H5Sclose(space);
    return status;
}

dt_status dt_h5_describe(dt_h5_shape *out, dt_h5 *h5, const char *path)
{
    dt_h5_dataset d;
    *out = (dt_h5_shape){0};
    if (h5->remote != NULL)
        return dt_h5_ask_shape(out, h5, &(dt_h5_question){DT_H5_CALL_DESCRIBE, path, NULL, 0});
    dt_status status = dt_h5_open_dataset(&d, h5, path);
    if (status == DT_OK)
        *out = d.shape;
    dt_h5_close_dataset(&d);
    return status;
}

DT_MUST_USE static dt_status check_count(const dt_h5_dataset *d, const dt_h5 *h5, uint64_t count)
{
    if (d->shape.count != count)
        return dt_fail(DT_DATA, "%s: %s: expected %" PRIu64 " values, found %" PRIu64,
                       dt_h5_name(h5), d->path, count, d->shape.count);
    return DT_OK;
}

DT_MUST_USE static dt_status ask_array(const dt_h5 *h5, dt_h5_question question, void *data,
                                       size_t size)
{
    return dt_h5_ask(data, (size_t)question.count * size, h5, &question);
}

/* Of `class`, or of integers, when `integers_too`. */
DT_MUST_USE static dt_status read_all(dt_h5 *h5, const char *path, dt_h5_class class,
                                      bool integers_too, hid_t native, void *data, uint64_t count)
{
    dt_status status = DT_OK;
    dt_h5_dataset d;
    DT_TRY(dt_h5_open_dataset(&d, h5, path));
    if (d.shape.class != class && !(integers_too && d.shape.class == DT_H5_CLASS_INT))
        DT_TRY(dt_fail(DT_DATA, "%s: %s: expected %s, found %s", dt_h5_name(h5), path,
                       integers_too ? "numbers" : dt_h5_class_name(class),
                       dt_h5_class_name(d.shape.class)));
    DT_TRY(check_count(&d, h5, count));
    if (count > 0 && H5Dread(d.id, native, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
        DT_TRY(dt_h5_fail_reading(h5, "read", path));
out:
    dt_h5_close_dataset(&d);
    return status;
}

dt_status dt_h5_read_f32(dt_h5 *h5, const char *path, float *data, uint64_t count)
{
    if (h5->remote != NULL)
        return ask_array(h5, (dt_h5_question){DT_H5_CALL_READ_F32, path, NULL, count}, data,
                         sizeof *data);
    return read_all(h5, path, DT_H5_CLASS_FLOAT, false, H5T_NATIVE_FLOAT, data, count);
}

dt_status dt_h5_read_f64(dt_h5 *h5, const char *path, double *data, uint64_t count)
{
    if (h5->remote != NULL)
        return ask_array(h5, (dt_h5_question){DT_H5_CALL_READ_F64, path, NULL, count}, data,
                         sizeof *data);
    return read_all(h5, path, DT_H5_CLASS_FLOAT, true, H5T_NATIVE_DOUBLE, data, count);
}

dt_status dt_h5_read_i64(dt_h5 *h5, const char *path, int64_t *data, uint64_t count)
{
    if (h5->remote != NULL)
        return ask_array(h5, (dt_h5_question){DT_H5_CALL_READ_I64, path, NULL, count}, data,
                         sizeof *data);
    return read_all(h5, path, DT_H5_CLASS_INT, false, H5T_NATIVE_INT64, data, count);
}

/* ---- tables ---- */

dt_status dt_h5_open_table(dt_h5_dataset *out, dt_h5 *h5, const char *path)
{
    dt_status status = dt_h5_open_dataset(out, h5, path);
    if (status == DT_OK && (out->shape.class != DT_H5_CLASS_TABLE || out->shape.dims > 1))
        status = dt_fail(DT_DATA, "%s: %s: expected a table, found %s in %u dimensions",
                         dt_h5_name(h5), path, dt_h5_class_name(out->shape.class), out->shape.dims);
    return status;
}

dt_status dt_h5_open_column(hid_t *out, const dt_h5_dataset *d, const dt_h5 *h5, const char *column)
{
    *out = -1;
    const int index = H5Tget_member_index(d->type, column);
    if (index < 0)
        return dt_fail(DT_DATA, "%s: %s has no column %s", dt_h5_name(h5), d->path, column);
    *out = H5Tget_member_type(d->type, (unsigned)index);
    return *out < 0 ? dt_h5_fail_reading(h5, "read", d->path) : DT_OK;
}

DT_MUST_USE static dt_status check_column(const dt_h5_dataset *d, const dt_h5 *h5,
                                          const char *column, bool floats_too)
{
    hid_t type = -1;
    const dt_status status = dt_h5_open_column(&type, d, h5, column);
    if (status != DT_OK)
        return status;
    const dt_h5_class class = dt_h5_class_of(type);
    (void)H5Tclose(type);
    if (class != DT_H5_CLASS_INT && !(floats_too && class == DT_H5_CLASS_FLOAT))
        return dt_fail(DT_DATA, "%s: %s, column %s: expected %s, found %s", dt_h5_name(h5), d->path,
                       column, floats_too ? "numbers" : "integers", dt_h5_class_name(class));
    return DT_OK;
}

DT_MUST_USE static dt_status read_column(dt_h5 *h5, const char *path, const char *column,
                                         bool floats_too, hid_t native, void *data, uint64_t count)
{
    dt_status status = DT_OK;
    dt_h5_dataset d;
    hid_t row = -1;
    DT_TRY(dt_h5_open_table(&d, h5, path));
    DT_TRY(check_column(&d, h5, column, floats_too));
    DT_TRY(check_count(&d, h5, count));
    if (count == 0)
        goto out;
    /* HDF5 matches columns by name: a row of this one alone picks it out. */
    row = H5Tcreate(H5T_COMPOUND, H5Tget_size(native));
    if (row < 0 || H5Tinsert(row, column, 0, native) < 0 ||
        H5Dread(d.id, row, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
        DT_TRY(dt_h5_fail_reading(h5, "read", path));
out:
    if (row >= 0)
        (void)H5Tclose(row);
    dt_h5_close_dataset(&d);
    return status;
}

dt_status dt_h5_read_column_f64(dt_h5 *h5, const char *path, const char *column, double *data,
                                uint64_t count)
{
    if (h5->remote != NULL)
        return ask_array(h5, (dt_h5_question){DT_H5_CALL_READ_COLUMN_F64, path, column, count},
                         data, sizeof *data);
    return read_column(h5, path, column, true, H5T_NATIVE_DOUBLE, data, count);
}

dt_status dt_h5_read_column_i64(dt_h5 *h5, const char *path, const char *column, int64_t *data,
                                uint64_t count)
{
    if (h5->remote != NULL)
        return ask_array(h5, (dt_h5_question){DT_H5_CALL_READ_COLUMN_I64, path, column, count},
                         data, sizeof *data);
    return read_column(h5, path, column, false, H5T_NATIVE_INT64, data, count);
}

dt_status dt_h5_list_columns(dt_h5_names *out, dt_h5 *h5, const char *path)
{
    dt_status status = DT_OK;
    dt_h5_dataset d;
    size_t capacity = 0;
    *out = (dt_h5_names){0};
    if (h5->remote != NULL)
        return dt_h5_ask_names(out, h5, &(dt_h5_question){DT_H5_CALL_LIST_COLUMNS, path, NULL, 0});
    DT_TRY(dt_h5_open_table(&d, h5, path));
    const int count = H5Tget_nmembers(d.type);
    for (int i = 0; i < count; i++) {
        char *name = H5Tget_member_name(d.type, (unsigned)i);
        if (name == NULL)
            DT_TRY(dt_h5_fail_reading(h5, "list the columns of", path));
        status = dt_h5_names_add(out, &capacity, h5, path, name);
        (void)H5free_memory(name);
        DT_TRY(status);
    }
out:
    if (status != DT_OK)
        dt_h5_names_clear(out);
    dt_h5_close_dataset(&d);
    return status;
}
