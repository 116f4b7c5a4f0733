#include "dtrain/io/h5.h"

#include <hdf5.h>

#include "h5_internal.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

dt_status dt_h5_make_group(dt_h5 *h5, const char *path)
{
    dt_status status = DT_OK;
    hid_t creation = -1;
    hid_t group = H5Gopen2(h5->file, path, H5P_DEFAULT);
    if (group >= 0)
        return dt_h5_close_id(DT_OK, group, path);
    creation = H5Pcreate(H5P_GROUP_CREATE);
    if (creation < 0 || H5Pset_obj_track_times(creation, false) < 0)
        DT_TRY(dt_h5_fail_writing("make the group", path));
    group = H5Gcreate2(h5->file, path, h5->links, creation, H5P_DEFAULT);
    if (group < 0)
        DT_TRY(dt_h5_fail_writing("make the group", path));
out:
    status = dt_h5_close_id(status, group, path);
    return dt_h5_close_id(status, creation, path);
}

dt_status dt_h5_set_attribute(hid_t object, const char *path, const char *name, hid_t space,
                              hid_t stored, hid_t memory, const void *value)
{
    dt_status status = DT_OK;
    char what[DT_H5_OBJECT_BYTES];
    hid_t attribute = -1;
    (void)snprintf(what, sizeof what, "%s of %s", name, path);
    htri_t there = H5Aexists(object, name);
    /* Type and shape of the older one may differ, so it is removed first. */
    if (there < 0 || (there > 0 && H5Adelete(object, name) < 0))
        DT_TRY(dt_h5_fail_writing("replace the attribute", what));
    attribute = H5Acreate2(object, name, stored, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute < 0 || H5Awrite(attribute, memory, value) < 0)
        DT_TRY(dt_h5_fail_writing("set the attribute", what));
out:
    return dt_h5_close_id(status, attribute, what);
}

/* Opens what an attribute is set on. It stays open: a group often gets a hundred of them. */
DT_MUST_USE static dt_status open_object(dt_h5 *h5, const char *path)
{
    if (h5->object >= 0 && strcmp(h5->object_path, path) == 0)
        return DT_OK;
    const dt_status status = dt_h5_close_id(DT_OK, h5->object, h5->object_path);
    h5->object = -1;
    if (status != DT_OK)
        return status;
    h5->object = H5Oopen(h5->file, path, H5P_DEFAULT);
    if (h5->object < 0)
        return dt_h5_fail_writing("open", path);
    (void)snprintf(h5->object_path, sizeof h5->object_path, "%s", path);
    return DT_OK;
}

static dt_status set_at(dt_h5 *h5, const char *path, const char *name, hid_t space, hid_t stored,
                        hid_t memory, const void *value)
{
    const dt_status status = open_object(h5, path);
    return status == DT_OK
               ? dt_h5_set_attribute(h5->object, path, name, space, stored, memory, value)
               : status;
}

static dt_status set_scalar(dt_h5 *h5, const char *path, const char *name, hid_t stored,
                            hid_t memory, const void *value)
{
    dt_status status = DT_OK;
    hid_t space = H5Screate(H5S_SCALAR);
    if (space < 0)
        DT_TRY(dt_h5_fail_writing("set an attribute of", path));
    DT_TRY(set_at(h5, path, name, space, stored, memory, value));
out:
    return dt_h5_close_id(status, space, path);
}

dt_status dt_h5_set_int(dt_h5 *h5, const char *path, const char *name, int64_t value)
{
    return set_scalar(h5, path, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &value);
}

dt_status dt_h5_set_double(dt_h5 *h5, const char *path, const char *name, double value)
{
    return set_scalar(h5, path, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value);
}

dt_status dt_h5_make_text_type(hid_t *out, size_t bytes, const char *object)
{
    *out = H5Tcopy(H5T_C_S1);
    if (*out < 0 || H5Tset_size(*out, bytes) < 0 || H5Tset_strpad(*out, H5T_STR_NULLTERM) < 0 ||
        H5Tset_cset(*out, H5T_CSET_UTF8) < 0)
        return dt_h5_fail_writing("make a text type for", object);
    return DT_OK;
}

dt_status dt_h5_set_text(dt_h5 *h5, const char *path, const char *name, const char *text)
{
    dt_status status = DT_OK;
    hid_t type = -1;
    DT_ASSERT(text != NULL);
    DT_TRY(dt_h5_make_text_type(&type, H5T_VARIABLE, path));
    DT_TRY(set_scalar(h5, path, name, type, type, &text));
out:
    return dt_h5_close_id(status, type, path);
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
    DT_TRY(dt_h5_make_text_type(&type, H5T_VARIABLE, path));
    space = H5Screate_simple(1, &shape, NULL);
    if (space < 0)
        DT_TRY(dt_h5_fail_writing("set an attribute of", path));
    DT_TRY(set_at(h5, path, name, space, type, type, count > 0 ? texts : &none));
out:
    status = dt_h5_close_id(status, space, path);
    return dt_h5_close_id(status, type, path);
}

dt_h5_number dt_h5_number_of(dt_h5_type type)
{
    switch (type) {
    case DT_H5_I32:
        return (dt_h5_number){H5T_STD_I32LE, H5T_NATIVE_INT32, 4};
    case DT_H5_I64:
        return (dt_h5_number){H5T_STD_I64LE, H5T_NATIVE_INT64, 8};
    case DT_H5_U32:
        return (dt_h5_number){H5T_STD_U32LE, H5T_NATIVE_UINT32, 4};
    case DT_H5_F32:
        return (dt_h5_number){H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 4};
    case DT_H5_F64:
        return (dt_h5_number){H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 8};
    case DT_H5_TEXT:
        break;
    }
    return (dt_h5_number){-1, -1, 0};
}

dt_status dt_h5_make_dataset(dt_h5 *h5, hid_t *out, const char *path, hid_t type, hid_t space,
                             hsize_t chunk_rows)
{
    dt_status status = DT_OK;
    *out = -1;
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    /* A time stamp would make files of the same content differ. */
    if (creation < 0 || H5Pset_obj_track_times(creation, false) < 0)
        DT_TRY(dt_h5_fail_writing("make", path));
    if (chunk_rows > 0 ? H5Pset_chunk(creation, 1, &chunk_rows) < 0
                       : H5Pset_layout(creation, H5D_CONTIGUOUS) < 0)
        DT_TRY(dt_h5_fail_writing("lay out", path));
    *out = H5Dcreate2(h5->file, path, type, space, h5->links, creation, H5P_DEFAULT);
    if (*out < 0)
        DT_TRY(dt_h5_fail_writing("make", path));
out:
    return dt_h5_close_id(status, creation, path);
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
        DT_TRY(dt_h5_fail_writing("shape", path));
    DT_TRY(dt_h5_make_dataset(h5, &dataset, path, dt_h5_number_of(type).stored, space, 0));
    if (H5Sget_simple_extent_npoints(space) > 0 &&
        H5Dwrite(dataset, dt_h5_number_of(type).native, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
        DT_TRY(dt_h5_fail_writing("write", path));
out:
    status = dt_h5_close_id(status, dataset, path);
    return dt_h5_close_id(status, space, path);
}

dt_status dt_h5_link(dt_h5 *h5, const char *path, const char *link)
{
    if (H5Lcreate_hard(h5->file, path, h5->file, link, h5->links, H5P_DEFAULT) < 0)
        return dt_h5_fail_writing("link", link);
    return DT_OK;
}
