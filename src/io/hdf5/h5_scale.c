#include "dtrain/io/h5.h"

#include <hdf5.h>
#include <hdf5_hl.h>

#include "h5_internal.h"

#include <string.h>

/* Owns: the caller closes. */
DT_MUST_USE static dt_status open_dataset(hid_t *out, unsigned *dims, dt_h5 *h5, const char *path)
{
    dt_status status = DT_OK;
    *dims = 0;
    *out = H5Dopen2(h5->file, path, H5P_DEFAULT);
    if (*out < 0)
        return dt_h5_fail_writing("open", path);
    const hid_t space = H5Dget_space(*out);
    const int found = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
    if (found < 0)
        DT_TRY(dt_h5_fail_writing("measure", path));
    *dims = (unsigned)found;
out:
    return dt_h5_close_id(status, space, path);
}

/* Checks for scales that HDF5 would refuse without a reason. */
DT_MUST_USE static dt_status check_pair(hid_t dataset, const char *path, hid_t scale,
                                        const char *scale_path)
{
    const htri_t scaled = H5Aexists(scale, DIMENSION_LIST);
    const htri_t is_scale = H5DSis_scale(dataset);
    if (scaled < 0 || is_scale < 0)
        return dt_h5_fail_writing("attach the dimension scale", scale_path);
    if (strcmp(path, scale_path) == 0 || is_scale > 0 || scaled > 0)
        return dt_fail(DT_OUTPUT, "HDF5: cannot attach the dimension scale %s to %s: %s",
                       scale_path, path,
                       strcmp(path, scale_path) == 0 ? "it is the same dataset"
                       : is_scale > 0                ? "that is a scale itself"
                                                     : "it has scales of its own");
    return DT_OK;
}

DT_MUST_USE static dt_status attach(dt_h5 *h5, hid_t dataset, const char *path, unsigned dimension,
                                    const char *scale_path)
{
    dt_status status = DT_OK;
    hid_t scale = -1;
    unsigned dims = 0;
    const char *slash = strrchr(scale_path, '/');
    DT_TRY(open_dataset(&scale, &dims, h5, scale_path));
    if (dims != 1)
        DT_TRY(dt_fail(DT_OUTPUT,
                       "HDF5: cannot make %s a dimension scale: expected one dimension, found %u",
                       scale_path, dims));
    DT_TRY(check_pair(dataset, path, scale, scale_path));
    const htri_t is_scale = H5DSis_scale(scale);
    if (is_scale < 0 ||
        (is_scale == 0 && H5DSset_scale(scale, slash != NULL ? slash + 1 : scale_path) < 0))
        DT_TRY(dt_h5_fail_writing("make a dimension scale of", scale_path));
    const htri_t attached = H5DSis_attached(dataset, scale, dimension);
    if (attached < 0 || (attached == 0 && H5DSattach_scale(dataset, scale, dimension) < 0))
        DT_TRY(dt_h5_fail_writing("attach the dimension scale", scale_path));
out:
    return dt_h5_close_id(status, scale, scale_path);
}

dt_status dt_h5_label_dimension(dt_h5 *h5, const char *path, unsigned dimension, const char *label,
                                const char *scale)
{
    dt_status status = DT_OK;
    hid_t dataset = -1;
    unsigned dims = 0;
    DT_ASSERT(label != NULL);
    DT_TRY(open_dataset(&dataset, &dims, h5, path));
    if (dimension >= dims)
        DT_TRY(dt_fail(DT_OUTPUT, "HDF5: cannot label dimension %u of %s: it has %u", dimension,
                       path, dims));
    if (H5DSset_label(dataset, dimension, label) < 0)
        DT_TRY(dt_h5_fail_writing("label a dimension of", path));
    if (scale != NULL)
        DT_TRY(attach(h5, dataset, path, dimension, scale));
out:
    return dt_h5_close_id(status, dataset, path);
}
