#include "dtrain/io/h5.h"

#include "dtrain/base/memory.h"
#include "dtrain/io/file.h"

#include <hdf5.h>

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct dt_h5 {
    hid_t file;
    hid_t links; /* how links are made: missing parents too */
};

/* Bounds one chunk of a table: an epoch's row should not drag a long empty tail into the image. */
enum { CHUNK_BYTES = 8192, CHUNK_ROWS_MIN = 16 };

/* The image grows by this much at a time; it does not show in the saved file. */
enum { CORE_INCREMENT_BYTES = 1 << 20 };

enum { NAME_BYTES = 256 };

/* What HDF5's error stack has to say, once it is boiled down. */
typedef struct complaint {
    char text[256];
    bool memory;
} complaint;

/* H5E_WALK_UPWARD hands over the innermost entry first: the one that saw the cause. */
static herr_t take_complaint(unsigned n, const H5E_error2_t *entry, void *context)
{
    complaint *out = context;
    if (n > 0)
        return 0;
    if (entry->desc != NULL)
        (void)snprintf(out->text, sizeof out->text, "%s", entry->desc);
    /* The core driver says CANTALLOC where the rest of the library says NOSPACE. */
    out->memory = entry->min_num == H5E_NOSPACE ||
                  (entry->maj_num == H5E_RESOURCE && entry->min_num == H5E_CANTALLOC);
    return 0;
}

/* To be called at once: the next HDF5 call empties the error stack. */
DT_MUST_USE static dt_status fail(const char *action, const char *object)
{
    complaint found = {.text = "no reason given", .memory = false};
    (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_complaint, &found);
    return dt_fail(found.memory ? DT_MEMORY : DT_OUTPUT, "HDF5: cannot %s %s: %s", action, object,
                   found.text);
}

/* Closes what was opened. Closing a dataset writes its chunks, so it can fail as any write can;
 * a failure that came before is the one to be told. */
DT_MUST_USE static dt_status close_id(dt_status status, hid_t id, const char *object)
{
    if (id >= 0 && H5Idec_ref(id) < 0 && status == DT_OK)
        return fail("close", object);
    return status;
}

static dt_status open_core_file(dt_h5 *h5)
{
    static unsigned made;
    dt_status status = DT_OK;
    hid_t access = -1;
    hid_t creation = -1;

    /* HDF5 takes two core files of one name for the same file, and looks for an existing one
     * first: so the name differs each time, and lies below what can never be a folder. */
    char name[64];
    (void)snprintf(name, sizeof name, "/dev/null/dtrain-%u", made++);

    access = H5Pcreate(H5P_FILE_ACCESS);
    if (access < 0 || H5Pset_fapl_core(access, CORE_INCREMENT_BYTES, false) < 0 ||
        H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) < 0)
        DT_TRY(fail("set up", "the file in memory"));
    creation = H5Pcreate(H5P_FILE_CREATE);
    if (creation < 0 || H5Pset_obj_track_times(creation, false) < 0)
        DT_TRY(fail("set up", "the file in memory"));
    h5->file = H5Fcreate(name, H5F_ACC_TRUNC, creation, access);
    if (h5->file < 0)
        DT_TRY(fail("make", "the file in memory"));
    h5->links = H5Pcreate(H5P_LINK_CREATE);
    if (h5->links < 0 || H5Pset_create_intermediate_group(h5->links, 1) < 0 ||
        H5Pset_char_encoding(h5->links, H5T_CSET_UTF8) < 0)
        DT_TRY(fail("set up", "the file in memory"));
out:
    status = close_id(status, creation, "the file in memory");
    return close_id(status, access, "the file in memory");
}

dt_status dt_h5_new(dt_h5 **out)
{
    dt_status status = DT_OK;
    dt_h5 *h5 = NULL;
    *out = NULL;
    if (H5open() < 0)
        return dt_fail(DT_INTERNAL, "HDF5: the library does not start");
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    DT_TRY(dt_memory_alloc(&h5, 1, sizeof *h5, "an HDF5 file"));
    h5->file = -1;
    h5->links = -1;
    DT_TRY(open_core_file(h5));
    *out = h5;
    h5 = NULL;
out:
    dt_h5_free(h5);
    return status;
}

void dt_h5_free(dt_h5 *h5)
{
    if (h5 == NULL)
        return;
    /* Nothing to be told here: what was to be kept has been saved. */
    if (h5->links >= 0)
        (void)H5Pclose(h5->links);
    if (h5->file >= 0)
        (void)H5Fclose(h5->file);
    dt_memory_free(h5);
}

dt_status dt_h5_save(dt_h5 *h5, const char *path)
{
    dt_status status = DT_OK;
    unsigned char *image = NULL;
    /* The image is what the driver holds: the caches above it have to be emptied first. */
    if (H5Fflush(h5->file, H5F_SCOPE_GLOBAL) < 0)
        DT_TRY(fail("flush", path));
    ssize_t bytes = H5Fget_file_image(h5->file, NULL, 0);
    if (bytes < 0)
        DT_TRY(fail("measure", path));
    DT_TRY(dt_memory_alloc(&image, (size_t)bytes, 1, "an HDF5 file's image"));
    if (H5Fget_file_image(h5->file, image, (size_t)bytes) != bytes)
        DT_TRY(fail("copy", path));
    DT_TRY(dt_file_replace(path, image, (size_t)bytes));
out:
    dt_memory_free(image);
    return status;
}

dt_status dt_h5_make_group(dt_h5 *h5, const char *path)
{
    dt_status status = DT_OK;
    hid_t creation = -1;
    hid_t group = H5Gopen2(h5->file, path, H5P_DEFAULT);
    if (group >= 0)
        return close_id(DT_OK, group, path);
    creation = H5Pcreate(H5P_GROUP_CREATE);
    if (creation < 0 || H5Pset_obj_track_times(creation, false) < 0)
        DT_TRY(fail("make the group", path));
    group = H5Gcreate2(h5->file, path, h5->links, creation, H5P_DEFAULT);
    if (group < 0)
        DT_TRY(fail("make the group", path));
out:
    status = close_id(status, group, path);
    return close_id(status, creation, path);
}

/* The value is written under the memory type; `stored` is the type in the file. */
static dt_status set_attribute(hid_t object, const char *path, const char *name, hid_t space,
                               hid_t stored, hid_t memory, const void *value)
{
    dt_status status = DT_OK;
    char what[NAME_BYTES];
    hid_t attribute = -1;
    (void)snprintf(what, sizeof what, "%s of %s", name, path);
    htri_t there = H5Aexists(object, name);
    /* Type and shape of the older one may differ, so it is not written over. */
    if (there < 0 || (there > 0 && H5Adelete(object, name) < 0))
        DT_TRY(fail("replace the attribute", what));
    attribute = H5Acreate2(object, name, stored, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute < 0 || H5Awrite(attribute, memory, value) < 0)
        DT_TRY(fail("set the attribute", what));
out:
    return close_id(status, attribute, what);
}

static dt_status set_at(dt_h5 *h5, const char *path, const char *name, hid_t space, hid_t stored,
                        hid_t memory, const void *value)
{
    dt_status status = DT_OK;
    hid_t object = H5Oopen(h5->file, path, H5P_DEFAULT);
    if (object < 0)
        DT_TRY(fail("open", path));
    DT_TRY(set_attribute(object, path, name, space, stored, memory, value));
out:
    return close_id(status, object, path);
}

static dt_status set_scalar(dt_h5 *h5, const char *path, const char *name, hid_t stored,
                            hid_t memory, const void *value)
{
    dt_status status = DT_OK;
    hid_t space = H5Screate(H5S_SCALAR);
    if (space < 0)
        DT_TRY(fail("set an attribute of", path));
    DT_TRY(set_at(h5, path, name, space, stored, memory, value));
out:
    return close_id(status, space, path);
}

dt_status dt_h5_set_int(dt_h5 *h5, const char *path, const char *name, int64_t value)
{
    return set_scalar(h5, path, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &value);
}

dt_status dt_h5_set_double(dt_h5 *h5, const char *path, const char *name, double value)
{
    return set_scalar(h5, path, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value);
}

/* Makes a UTF-8 string type of `bytes` bytes, or H5T_VARIABLE. Owns: the caller closes. */
static dt_status make_text_type(hid_t *out, size_t bytes, const char *object)
{
    *out = H5Tcopy(H5T_C_S1);
    if (*out < 0 || H5Tset_size(*out, bytes) < 0 || H5Tset_strpad(*out, H5T_STR_NULLTERM) < 0 ||
        H5Tset_cset(*out, H5T_CSET_UTF8) < 0)
        return fail("make a text type for", object);
    return DT_OK;
}

dt_status dt_h5_set_text(dt_h5 *h5, const char *path, const char *name, const char *text)
{
    dt_status status = DT_OK;
    hid_t type = -1;
    DT_ASSERT(text != NULL);
    DT_TRY(make_text_type(&type, H5T_VARIABLE, path));
    DT_TRY(set_scalar(h5, path, name, type, type, &text));
out:
    return close_id(status, type, path);
}

dt_status dt_h5_set_texts(dt_h5 *h5, const char *path, const char *name, const char *const *texts,
                          size_t count)
{
    dt_status status = DT_OK;
    hid_t type = -1;
    hid_t space = -1;
    const char *none = NULL;
    hsize_t shape = count;
    for (size_t i = 0; i < count; i++)
        DT_ASSERT(texts[i] != NULL);
    if (count > DT_H5_TEXTS_MAX)
        return dt_fail(DT_OUTPUT, "HDF5: cannot set the attribute %s of %s: %zu texts, at most %d",
                       name, path, count, DT_H5_TEXTS_MAX);
    DT_TRY(make_text_type(&type, H5T_VARIABLE, path));
    space = H5Screate_simple(1, &shape, NULL);
    if (space < 0)
        DT_TRY(fail("set an attribute of", path));
    DT_TRY(set_at(h5, path, name, space, type, type, count > 0 ? texts : &none));
out:
    status = close_id(status, space, path);
    return close_id(status, type, path);
}

/* A number as it lies in the file, as it lies in memory, and its size in both. */
typedef struct number {
    hid_t stored;
    hid_t native;
    size_t bytes;
} number;

static number number_of(dt_h5_type type)
{
    switch (type) {
    case DT_H5_I32:
        return (number){H5T_STD_I32LE, H5T_NATIVE_INT32, 4};
    case DT_H5_I64:
        return (number){H5T_STD_I64LE, H5T_NATIVE_INT64, 8};
    case DT_H5_U32:
        return (number){H5T_STD_U32LE, H5T_NATIVE_UINT32, 4};
    case DT_H5_F32:
        return (number){H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 4};
    case DT_H5_F64:
        return (number){H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 8};
    case DT_H5_TEXT:
        break;
    }
    return (number){-1, -1, 0};
}

/* A `chunk_rows` of 0 asks for a contiguous dataset. Owns: the caller closes. */
static dt_status make_dataset(dt_h5 *h5, hid_t *out, const char *path, hid_t type, hid_t space,
                              hsize_t chunk_rows)
{
    dt_status status = DT_OK;
    *out = -1;
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    /* A time stamp would make files of the same content differ. */
    if (creation < 0 || H5Pset_obj_track_times(creation, false) < 0)
        DT_TRY(fail("make", path));
    if (chunk_rows > 0 ? H5Pset_chunk(creation, 1, &chunk_rows) < 0
                       : H5Pset_layout(creation, H5D_CONTIGUOUS) < 0)
        DT_TRY(fail("lay out", path));
    *out = H5Dcreate2(h5->file, path, type, space, h5->links, creation, H5P_DEFAULT);
    if (*out < 0)
        DT_TRY(fail("make", path));
out:
    return close_id(status, creation, path);
}

dt_status dt_h5_write_array(dt_h5 *h5, const char *path, dt_h5_type type, unsigned dims,
                            const uint64_t *shape, const void *data)
{
    dt_status status = DT_OK;
    hid_t space = -1;
    hid_t dataset = -1;
    hsize_t extent[H5S_MAX_RANK];
    DT_ASSERT(type != DT_H5_TEXT && dims <= H5S_MAX_RANK);
    for (unsigned i = 0; i < dims; i++)
        extent[i] = shape[i];
    space = dims > 0 ? H5Screate_simple((int)dims, extent, NULL) : H5Screate(H5S_SCALAR);
    if (space < 0)
        DT_TRY(fail("shape", path));
    DT_TRY(make_dataset(h5, &dataset, path, number_of(type).stored, space, 0));
    if (H5Sget_simple_extent_npoints(space) > 0 &&
        H5Dwrite(dataset, number_of(type).native, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
        DT_TRY(fail("write", path));
out:
    status = close_id(status, dataset, path);
    return close_id(status, space, path);
}

static size_t column_bytes(const dt_h5_column *column)
{
    return column->type == DT_H5_TEXT ? column->bytes : number_of(column->type).bytes;
}

static size_t packed_bytes(const dt_h5_column *columns, size_t column_count, size_t row_bytes)
{
    size_t bytes = 0;
    for (size_t i = 0; i < column_count; i++) {
        size_t width = column_bytes(&columns[i]);
        DT_ASSERT(width > 0 && width <= row_bytes && columns[i].offset <= row_bytes - width);
        bytes += width;
    }
    DT_ASSERT(bytes > 0);
    return bytes;
}

/* Makes the compound type of a packed row, of native numbers or of those in the file. */
static dt_status make_row_type(hid_t *out, const char *path, const dt_h5_column *columns,
                               size_t column_count, size_t bytes, bool native)
{
    dt_status status = DT_OK;
    hid_t text = -1;
    size_t offset = 0;
    *out = H5Tcreate(H5T_COMPOUND, bytes);
    if (*out < 0)
        DT_TRY(fail("make the row type of", path));
    for (size_t i = 0; i < column_count; i++) {
        number n = number_of(columns[i].type);
        hid_t type = native ? n.native : n.stored;
        if (columns[i].type == DT_H5_TEXT) {
            DT_TRY(make_text_type(&text, columns[i].bytes, path));
            type = text;
        }
        if (H5Tinsert(*out, columns[i].name, offset, type) < 0)
            DT_TRY(fail("make the row type of", path));
        status = close_id(DT_OK, text, path);
        text = -1;
        DT_TRY(status);
        offset += column_bytes(&columns[i]);
    }
out:
    return close_id(status, text, path);
}

static dt_status set_units(hid_t dataset, const char *path, const dt_h5_column *columns,
                           size_t column_count)
{
    dt_status status = DT_OK;
    hid_t type = -1;
    hid_t space = H5Screate(H5S_SCALAR);
    if (space < 0)
        DT_TRY(fail("set the units of", path));
    DT_TRY(make_text_type(&type, H5T_VARIABLE, path));
    for (size_t i = 0; i < column_count; i++) {
        char name[NAME_BYTES];
        if (columns[i].unit == NULL)
            continue;
        (void)snprintf(name, sizeof name, "%s_unit", columns[i].name);
        DT_TRY(set_attribute(dataset, path, name, space, type, type, &columns[i].unit));
    }
out:
    status = close_id(status, type, path);
    return close_id(status, space, path);
}

dt_status dt_h5_make_table(dt_h5 *h5, const char *path, const dt_h5_column *columns,
                           size_t column_count, size_t row_bytes)
{
    dt_status status = DT_OK;
    hid_t type = -1;
    hid_t space = -1;
    hid_t dataset = -1;
    const hsize_t none = 0;
    const hsize_t unlimited = H5S_UNLIMITED;
    size_t bytes = packed_bytes(columns, column_count, row_bytes);
    hsize_t chunk_rows = CHUNK_BYTES / bytes;
    if (chunk_rows < CHUNK_ROWS_MIN)
        chunk_rows = CHUNK_ROWS_MIN;

    DT_TRY(make_row_type(&type, path, columns, column_count, bytes, false));
    space = H5Screate_simple(1, &none, &unlimited);
    if (space < 0)
        DT_TRY(fail("shape", path));
    DT_TRY(make_dataset(h5, &dataset, path, type, space, chunk_rows));
    DT_TRY(set_units(dataset, path, columns, column_count));
out:
    status = close_id(status, dataset, path);
    status = close_id(status, space, path);
    return close_id(status, type, path);
}

/* Packs here rather than in HDF5, which copies a text column whole: whatever lies behind the NUL
 * would get into the file, and an array without a NUL would stay without. `out` is zeroed. */
static void pack_rows(unsigned char *out, const dt_h5_column *columns, size_t column_count,
                      size_t row_bytes, const unsigned char *rows, size_t row_count)
{
    const size_t packed = packed_bytes(columns, column_count, row_bytes);
    for (size_t i = 0; i < column_count; i++) {
        const bool text = columns[i].type == DT_H5_TEXT;
        const size_t bytes = column_bytes(&columns[i]);
        const unsigned char *from = rows + columns[i].offset;
        unsigned char *to = out;
        for (size_t row = 0; row < row_count; row++, from += row_bytes, to += packed)
            memcpy(to, from, text ? strnlen((const char *)from, bytes - 1) : bytes);
        out += bytes;
    }
}

/* Lengthens the table and writes the packed rows into the new part. When that fails the table is as
 * long as before: rows of zeros would pass for real ones. */
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
        DT_TRY(fail("measure", path));
    status = close_id(DT_OK, space, path);
    space = -1;
    DT_TRY(status);
    const hsize_t extent = start + count;
    lengthened = H5Dset_extent(dataset, &extent) >= 0;
    if (!lengthened)
        DT_TRY(fail("lengthen", path));
    space = H5Dget_space(dataset);
    memory = H5Screate_simple(1, &count, NULL);
    if (space < 0 || memory < 0 ||
        H5Sselect_hyperslab(space, H5S_SELECT_SET, &start, NULL, &count, NULL) < 0 ||
        H5Dwrite(dataset, type, memory, space, H5P_DEFAULT, packed) < 0)
        DT_TRY(fail("append to", path));
out:
    if (status != DT_OK && lengthened)
        (void)H5Dset_extent(dataset, &start);
    status = close_id(status, memory, path);
    return close_id(status, space, path);
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

dt_status dt_h5_append_rows(dt_h5 *h5, const char *path, const dt_h5_column *columns,
                            size_t column_count, size_t row_bytes, const void *rows,
                            size_t row_count)
{
    dt_status status = DT_OK;
    unsigned char *packed = NULL;
    hid_t stored = -1;
    hid_t native = -1;
    size_t bytes = packed_bytes(columns, column_count, row_bytes);
    hid_t dataset = H5Dopen2(h5->file, path, H5P_DEFAULT);
    if (dataset < 0)
        DT_TRY(fail("open", path));
    DT_TRY(make_row_type(&stored, path, columns, column_count, bytes, false));
    DT_TRY(make_row_type(&native, path, columns, column_count, bytes, true));
    assert_row_type(dataset, stored);
    if (row_count == 0)
        goto out;
    DT_TRY(dt_memory_alloc(&packed, row_count, bytes, "rows of a table"));
    pack_rows(packed, columns, column_count, row_bytes, rows, row_count);
    DT_TRY(write_tail(dataset, path, native, packed, row_count));
out:
    dt_memory_free(packed);
    status = close_id(status, native, path);
    status = close_id(status, stored, path);
    return close_id(status, dataset, path);
}

const char *dt_h5_version(void)
{
    static char text[32];
    unsigned major = 0;
    unsigned minor = 0;
    unsigned release = 0;
    if (H5get_libversion(&major, &minor, &release) < 0)
        return "unknown";
    (void)snprintf(text, sizeof text, "%u.%u.%u", major, minor, release);
    return text;
}
