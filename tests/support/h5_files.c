#include "h5_files.h"

#include "scratch_folder.h"

hid_t h5_create(void)
{
    hid_t file = H5Fcreate(scratch_path("file.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(file >= 0);
    return file;
}

dt_h5 *h5_reopen(hid_t file)
{
    dt_h5 *h5 = NULL;
    assert_true(H5Fclose(file) >= 0);
    assert_ok(dt_h5_open(&h5, scratch_path("file.h5")));
    return h5;
}

void h5_close_id(hid_t id)
{
    assert_true(id >= 0);
    assert_true(H5Idec_ref(id) >= 0);
}

void h5_add_attribute(hid_t object, const char *name, hid_t type, int dims, const hsize_t *shape,
                      const void *value)
{
    hid_t space = dims > 0   ? H5Screate_simple(dims, shape, NULL)
                  : dims < 0 ? H5Screate(H5S_NULL)
                             : H5Screate(H5S_SCALAR);
    hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(attribute >= 0);
    if (value != NULL)
        assert_true(H5Awrite(attribute, type, value) >= 0);
    h5_close_id(attribute);
    h5_close_id(space);
}

hid_t h5_text_type(size_t bytes, H5T_str_t padding, H5T_cset_t cset)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    assert_true(H5Tset_size(type, bytes) >= 0 && H5Tset_strpad(type, padding) >= 0 &&
                H5Tset_cset(type, cset) >= 0);
    return type;
}

void h5_add_dataset(hid_t file, const char *path, hid_t type, int dims, const hsize_t *shape,
                    hid_t creation, hid_t memory, const void *data)
{
    hid_t links = H5Pcreate(H5P_LINK_CREATE);
    assert_true(H5Pset_create_intermediate_group(links, 1) >= 0);
    hid_t space = dims > 0 ? H5Screate_simple(dims, shape, NULL) : H5Screate(H5S_SCALAR);
    hid_t dataset = H5Dcreate2(file, path, type, space, links, creation, H5P_DEFAULT);
    assert_true(dataset >= 0);
    if (data != NULL)
        assert_true(H5Dwrite(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
    h5_close_id(dataset);
    h5_close_id(space);
    h5_close_id(links);
}

void h5_add_f32(hid_t file, const char *path, int dims, hsize_t rows, hsize_t columns,
                const float *data)
{
    const hsize_t shape[] = {rows, columns};
    h5_add_dataset(file, path, H5T_IEEE_F32LE, dims, shape, H5P_DEFAULT, H5T_NATIVE_FLOAT, data);
}
