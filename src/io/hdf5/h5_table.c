#include "dtrain/io/h5.h"

#include <hdf5.h>

#include "h5_internal.h"

#include "dtrain/base/crc32.h"
#include "dtrain/base/memory.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Bounds one chunk of a table: an epoch's row should not drag a long empty tail into the image. */
enum { CHUNK_BYTES = 8192, CHUNK_ROWS_MIN = 16 };

/* Of the column in the file. */
static size_t stored_bytes(const dt_h5_column *column)
{
    return column->type == DT_H5_TEXT ? column->bytes : dt_h5_number_of(column->type).bytes;
}

static size_t packed_bytes(const dt_h5_table *table)
{
    size_t bytes = 0;
    for (size_t i = 0; i < table->column_count; i++) {
        const dt_h5_column *column = &table->columns[i];
        const size_t stored = stored_bytes(column);
        DT_ASSERT(column->bytes == stored || dt_h5_is_bool(column));
        DT_ASSERT(stored > 0 && column->bytes <= table->row_bytes &&
                  column->offset <= table->row_bytes - column->bytes);
        bytes += stored;
    }
    DT_ASSERT(bytes > 0);
    return bytes;
}

/* Makes the compound type of a packed row, of native numbers or of those in the file. */
static dt_status make_row_type(hid_t *out, const char *path, const dt_h5_table *table, bool native)
{
    dt_status status = DT_OK;
    hid_t text = -1;
    size_t offset = 0;
    *out = H5Tcreate(H5T_COMPOUND, packed_bytes(table));
    if (*out < 0)
        DT_TRY(dt_h5_fail_writing("make the row type of", path));
    for (size_t i = 0; i < table->column_count; i++) {
        const dt_h5_column *column = &table->columns[i];
        const dt_h5_number n = dt_h5_number_of(column->type);
        hid_t type = native ? n.native : n.stored;
        if (column->type == DT_H5_TEXT) {
            DT_TRY(dt_h5_make_text_type(&text, column->bytes, path));
            type = text;
        }
        if (H5Tinsert(*out, column->name, offset, type) < 0)
            DT_TRY(dt_h5_fail_writing("make the row type of", path));
        status = dt_h5_close_id(DT_OK, text, path);
        text = -1;
        DT_TRY(status);
        offset += stored_bytes(column);
    }
out:
    return dt_h5_close_id(status, text, path);
}

static dt_status set_units(hid_t dataset, const char *path, const dt_h5_table *table)
{
    dt_status status = DT_OK;
    hid_t type = -1;
    hid_t space = H5Screate(H5S_SCALAR);
    if (space < 0)
        DT_TRY(dt_h5_fail_writing("set the units of", path));
    DT_TRY(dt_h5_make_text_type(&type, H5T_VARIABLE, path));
    for (size_t i = 0; i < table->column_count; i++) {
        const dt_h5_column *column = &table->columns[i];
        char name[DT_H5_OBJECT_BYTES];
        if (column->unit == NULL)
            continue;
        (void)snprintf(name, sizeof name, "%s_unit", column->name);
        DT_TRY(dt_h5_set_attribute(dataset, path, name, space, type, type, &column->unit));
    }
out:
    status = dt_h5_close_id(status, type, path);
    return dt_h5_close_id(status, space, path);
}

dt_status dt_h5_make_table(dt_h5 *h5, const char *path, const dt_h5_table *table)
{
    dt_status status = DT_OK;
    hid_t type = -1;
    hid_t space = -1;
    hid_t dataset = -1;
    const hsize_t none = 0;
    const hsize_t unlimited = H5S_UNLIMITED;
    hsize_t chunk_rows = CHUNK_BYTES / packed_bytes(table);
    if (chunk_rows < CHUNK_ROWS_MIN)
        chunk_rows = CHUNK_ROWS_MIN;

    DT_TRY(make_row_type(&type, path, table, false));
    space = H5Screate_simple(1, &none, &unlimited);
    if (space < 0)
        DT_TRY(dt_h5_fail_writing("shape", path));
    DT_TRY(dt_h5_make_dataset(h5, &dataset, path, type, space, chunk_rows));
    DT_TRY(set_units(dataset, path, table));
out:
    status = dt_h5_close_id(status, dataset, path);
    status = dt_h5_close_id(status, space, path);
    return dt_h5_close_id(status, type, path);
}

/* Copies a field to its place in the file's row. */
static void pack_field(unsigned char *to, const dt_h5_column *column, const unsigned char *field)
{
    const int32_t truth = dt_h5_is_bool(column) && *(const bool *)field;
    const int64_t wide_truth = truth;
    if (column->type == DT_H5_TEXT)
        memcpy(to, field, strnlen((const char *)field, column->bytes - 1));
    else if (!dt_h5_is_bool(column))
        memcpy(to, field, column->bytes);
    else if (column->type == DT_H5_I64)
        memcpy(to, &wide_truth, sizeof wide_truth);
    else
        memcpy(to, &truth, sizeof truth);
}

/* Packs the rows here instead of in HDF5, which copies whole text columns: bytes behind the NUL
 * would get into the file, and an array without a NUL would stay without one.
 * Owns: the caller frees *out. */
DT_MUST_USE static dt_status pack_rows(unsigned char **out, const dt_h5_table *table,
                                       const void *rows, size_t count)
{
    const size_t bytes = packed_bytes(table);
    const dt_status status = dt_memory_alloc(out, count, bytes, "rows of a table");
    if (status != DT_OK)
        return status;
    unsigned char *column_at = *out;
    for (size_t i = 0; i < table->column_count; i++) {
        const dt_h5_column *column = &table->columns[i];
        const unsigned char *field = (const unsigned char *)rows + column->offset;
        for (size_t row = 0; row < count; row++)
            pack_field(column_at + row * bytes, column, field + row * table->row_bytes);
        column_at += stored_bytes(column);
    }
    return DT_OK;
}

dt_status dt_h5_continue_crc(uint32_t *crc, const dt_h5_table *table, const void *rows,
                             size_t count)
{
    unsigned char *packed = NULL;
    const dt_status status = pack_rows(&packed, table, rows, count);
    if (status == DT_OK)
        *crc = dt_crc32(*crc, packed, count * packed_bytes(table));
    dt_memory_free(packed);
    return status;
}

/* Lengthens the table and writes the packed rows into the new part. If that fails, the table keeps
 * its old length, because rows of zeros would look like real ones. */
static dt_status write_tail(hid_t dataset, const char *path, hid_t type, const void *packed,
                            size_t row_count)
{
    dt_status status = DT_OK;
    hid_t space = H5Dget_space(dataset);
    hid_t memory = -1;
    bool lengthened = false;
    hsize_t start = 0;
    const hsize_t count = row_count;
    if (space < 0 || H5Sget_simple_extent_dims(space, &start, NULL) != 1)
        DT_TRY(dt_h5_fail_writing("measure", path));
    status = dt_h5_close_id(DT_OK, space, path);
    space = -1;
    DT_TRY(status);
    const hsize_t extent = start + count;
    lengthened = H5Dset_extent(dataset, &extent) >= 0;
    if (!lengthened)
        DT_TRY(dt_h5_fail_writing("lengthen", path));
    space = H5Dget_space(dataset);
    memory = H5Screate_simple(1, &count, NULL);
    if (space < 0 || memory < 0 ||
        H5Sselect_hyperslab(space, H5S_SELECT_SET, &start, NULL, &count, NULL) < 0 ||
        H5Dwrite(dataset, type, memory, space, H5P_DEFAULT, packed) < 0)
        DT_TRY(dt_h5_fail_writing("append to", path));
out:
    if (status != DT_OK && lengthened)
        (void)H5Dset_extent(dataset, &start);
    status = dt_h5_close_id(status, memory, path);
    return dt_h5_close_id(status, space, path);
}

/* HDF5 matches columns by name and drops the others without a word. */
static void assert_row_type(hid_t dataset, hid_t expected)
{
    hid_t found = H5Dget_type(dataset);
    const bool columns_are_the_tables = found < 0 || H5Tequal(found, expected) != 0;
    if (found >= 0)
        (void)H5Tclose(found);
    DT_ASSERT(columns_are_the_tables);
}

dt_status dt_h5_append_rows(dt_h5 *h5, const char *path, const dt_h5_table *table, const void *rows,
                            size_t count)
{
    dt_status status = DT_OK;
    unsigned char *packed = NULL;
    hid_t stored = -1;
    hid_t native = -1;
    hid_t dataset = H5Dopen2(h5->file, path, H5P_DEFAULT);
    if (dataset < 0)
        DT_TRY(dt_h5_fail_writing("open", path));
    DT_TRY(make_row_type(&stored, path, table, false));
    DT_TRY(make_row_type(&native, path, table, true));
    assert_row_type(dataset, stored);
    if (count == 0)
        goto out;
    DT_TRY(pack_rows(&packed, table, rows, count));
    DT_TRY(write_tail(dataset, path, native, packed, count));
out:
    dt_memory_free(packed);
    status = dt_h5_close_id(status, native, path);
    status = dt_h5_close_id(status, stored, path);
    return dt_h5_close_id(status, dataset, path);
}

dt_status dt_h5_write_table(dt_h5 *h5, const char *path, const dt_h5_table *table, const void *rows,
                            size_t count)
{
    const dt_status status = dt_h5_make_table(h5, path, table);
    return status == DT_OK ? dt_h5_append_rows(h5, path, table, rows, count) : status;
}
