#include "h5_reading.h"

#include "with_cmocka.h"

#include <stdlib.h>
#include <string.h>

static void assert_vlen_utf8(hid_t type)
{
    assert_int_equal(H5Tget_class(type), H5T_STRING);
    assert_true(H5Tis_variable_str(type) > 0);
    assert_int_equal(H5Tget_cset(type), H5T_CSET_UTF8);
}

char *h5_read_text(hid_t file, const char *path, const char *name)
{
    hid_t attribute = H5Aopen_by_name(file, path, name, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(attribute >= 0);
    hid_t type = H5Aget_type(attribute);
    hid_t space = H5Aget_space(attribute);
    assert_vlen_utf8(type);
    assert_int_equal(H5Sget_simple_extent_type(space), H5S_SCALAR);
    char *text = NULL;
    assert_true(H5Aread(attribute, type, &text) >= 0);
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attribute);
    /* HDF5 gives an empty text back as NULL. */
    return text != NULL ? text : strdup("");
}

void assert_h5_text(hid_t file, const char *path, const char *name, const char *expected)
{
    char *text = h5_read_text(file, path, name);
    assert_string_equal(text, expected);
    free(text);
}

void assert_h5_texts(hid_t file, const char *path, const char *name, const char *const *expected,
                     size_t count)
{
    hid_t attribute = H5Aopen_by_name(file, path, name, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(attribute >= 0);
    hid_t type = H5Aget_type(attribute);
    hid_t space = H5Aget_space(attribute);
    hsize_t extent = 99;
    assert_vlen_utf8(type);
    assert_int_equal(H5Sget_simple_extent_type(space), H5S_SIMPLE);
    assert_int_equal(H5Sget_simple_extent_dims(space, &extent, NULL), 1);
    assert_int_equal(extent, count);
    char **texts = calloc(count + 1, sizeof *texts);
    assert_non_null(texts);
    if (count > 0)
        assert_true(H5Aread(attribute, type, texts) >= 0);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(texts[i], expected[i]);
        free(texts[i]);
    }
    free(texts);
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attribute);
}
