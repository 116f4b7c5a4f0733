#ifndef DTRAIN_TESTS_H5_READING_H
#define DTRAIN_TESTS_H5_READING_H

/** What a test reads back from an HDF5 file, with HDF5 alone. To be included after cmocka.h. */

#include "dtrain/base/status.h"

#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

#define assert_ok(call) assert_status((call), DT_OK)
#define assert_status(call, expected)                                                              \
    do {                                                                                           \
        dt_status got = (call);                                                                    \
        if (got != (expected))                                                                     \
            fail_msg("%s: %d, %s", #call, (int)got, dt_status_text());                             \
    } while (0)

static inline void assert_vlen_utf8(hid_t type)
{
    assert_int_equal(H5Tget_class(type), H5T_STRING);
    assert_true(H5Tis_variable_str(type) > 0);
    assert_int_equal(H5Tget_cset(type), H5T_CSET_UTF8);
}

/* Reads a scalar text attribute; free() the result. */
static inline char *read_text(hid_t file, const char *path, const char *name)
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

static inline void assert_text(hid_t file, const char *path, const char *name, const char *expected)
{
    char *text = read_text(file, path, name);
    assert_string_equal(text, expected);
    free(text);
}

/* Compares a list attribute with what it should hold. */
static inline void assert_texts(hid_t file, const char *path, const char *name,
                                const char *const *expected, size_t count)
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

#endif
