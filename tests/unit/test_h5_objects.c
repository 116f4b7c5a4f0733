#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "h5_writing.h"

#include <stdlib.h>

/* Attributes, groups and arrays. */

static void test_scalar_attributes(void **state)
{
    h5_fixture *f = *state;
    const int64_t smallest = INT64_MIN;
    const double third = 1.0 / 3.0;
    assert_ok(dt_h5_make_group(f->h5, "/config"));
    assert_ok(dt_h5_set_text(f->h5, "/", "place", "Z\xc3\xbcrich"));
    assert_ok(dt_h5_set_text(f->h5, "/config", "nothing", ""));
    assert_ok(dt_h5_set_int(f->h5, "/config", "seed", smallest));
    assert_ok(dt_h5_set_double(f->h5, "/config", "rate", third));
    hid_t file = h5_save_and_open(f);
    assert_h5_text(file, "/", "place", "Z\xc3\xbcrich");
    assert_h5_text(file, "/config", "nothing", "");
    assert_h5_number(file, "/config", "seed", H5T_STD_I64LE, H5T_NATIVE_INT64, &smallest);
    assert_h5_number(file, "/config", "rate", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &third);
    H5Fclose(file);
}

/* A Keras model's JSON passes the 64 KiB that an attribute itself can hold. */
static void test_long_text(void **state)
{
    h5_fixture *f = *state;
    enum { LONG = 300000 };
    char *text = malloc(LONG + 1);
    assert_non_null(text);
    for (int i = 0; i < LONG; i++)
        text[i] = (char)('a' + i % 23);
    text[LONG] = '\0';
    assert_ok(dt_h5_set_text(f->h5, "/", "long", text));
    hid_t file = h5_save_and_open(f);
    assert_h5_text(file, "/", "long", text);
    H5Fclose(file);
    free(text);
}

static void test_text_lists(void **state)
{
    h5_fixture *f = *state;
    const char *const names[] = {"dense", "caf\xc3\xa9", "dense_2"};
    assert_ok(dt_h5_set_texts(f->h5, "/", "names", names, 3));
    assert_ok(dt_h5_set_texts(f->h5, "/", "empty", NULL, 0));
    hid_t file = h5_save_and_open(f);
    assert_h5_texts(file, "/", "names", names, 3);
    assert_h5_texts(file, "/", "empty", NULL, 0);
    H5Fclose(file);
}

static void test_longest_text_list(void **state)
{
    h5_fixture *f = *state;
    const char *texts[DT_H5_TEXTS_MAX + 1];
    for (size_t i = 0; i <= DT_H5_TEXTS_MAX; i++)
        texts[i] = i % 2 == 0 ? "even" : "odd";
    assert_ok(dt_h5_set_texts(f->h5, "/", "names", texts, DT_H5_TEXTS_MAX));
    assert_status(dt_h5_set_texts(f->h5, "/", "names", texts, DT_H5_TEXTS_MAX + 1), DT_OUTPUT);
    assert_string_equal(dt_status_text(),
                        "HDF5: cannot set the attribute names of /: 4033 texts, at most 4032");
    hid_t file = h5_save_and_open(f);
    assert_h5_texts(file, "/", "names", texts, DT_H5_TEXTS_MAX);
    H5Fclose(file);
}

static void test_attributes_are_replaced(void **state)
{
    h5_fixture *f = *state;
    const char *const list[] = {"a", "b"};
    const double half = 0.5;
    const int64_t last = 999;
    H5O_info_t info;
    assert_ok(dt_h5_set_text(f->h5, "/", "x", "long before"));
    assert_ok(dt_h5_set_texts(f->h5, "/", "x", list, 2));
    assert_ok(dt_h5_set_double(f->h5, "/", "x", half));
    for (int64_t i = 0; i <= last; i++)
        assert_ok(dt_h5_set_int(f->h5, "/", "y", i));
    hid_t file = h5_save_and_open(f);
    assert_h5_number(file, "/", "x", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &half);
    assert_h5_number(file, "/", "y", H5T_STD_I64LE, H5T_NATIVE_INT64, &last);
    assert_true(H5Oget_info_by_name(file, "/", &info, H5P_DEFAULT) >= 0);
    assert_int_equal(info.num_attrs, 2);
    H5Fclose(file);
}

static void test_missing_objects(void **state)
{
    h5_fixture *f = *state;
    assert_status(dt_h5_set_int(f->h5, "/none", "x", 1), DT_OUTPUT);
    assert_says("HDF5: cannot open /none: ");
    assert_status(dt_h5_set_text(f->h5, "/none", "x", "y"), DT_OUTPUT);
    const char *const list[] = {"a"};
    assert_status(dt_h5_set_texts(f->h5, "/none", "x", list, 1), DT_OUTPUT);
    const dt_h5_column column = {.name = "n", .type = DT_H5_I32, .bytes = 4};
    assert_status(dt_h5_append_rows(f->h5, "/none", &(dt_h5_table){&column, 1, 4}, "\0\0\0", 1),
                  DT_OUTPUT);
    assert_says("/none");
}

static void test_groups(void **state)
{
    h5_fixture *f = *state;
    const float one = 1.0f;
    assert_ok(dt_h5_make_group(f->h5, "/a/b/c"));
    assert_ok(dt_h5_make_group(f->h5, "/a/b/c"));
    assert_ok(dt_h5_make_group(f->h5, "/a/b"));
    assert_ok(dt_h5_make_group(f->h5, "/"));
    assert_ok(dt_h5_write_array(f->h5, "/a/value", DT_H5_F32, 0, NULL, &one));
    assert_status(dt_h5_make_group(f->h5, "/a/value"), DT_OUTPUT);
    assert_says("HDF5: cannot make the group /a/value: ");
    assert_status(dt_h5_make_group(f->h5, "/a/value/below"), DT_OUTPUT);
    hid_t file = h5_save_and_open(f);
    hid_t group = H5Gopen2(file, "/a/b/c", H5P_DEFAULT);
    assert_true(group >= 0);
    H5Gclose(group);
    H5Fclose(file);
}

/* Opens a contiguous dataset and checks everything about it but the values. */
static hid_t open_array(hid_t file, const char *path, hid_t stored, int dims, const hsize_t *shape)
{
    hsize_t extent[4] = {0};
    hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
    assert_true(dataset >= 0);
    hid_t type = H5Dget_type(dataset);
    hid_t space = H5Dget_space(dataset);
    hid_t creation = H5Dget_create_plist(dataset);
    assert_true(H5Tequal(type, stored) > 0);
    assert_int_equal(H5Pget_layout(creation), H5D_CONTIGUOUS);
    assert_int_equal(H5Sget_simple_extent_dims(space, extent, NULL), dims);
    for (int i = 0; i < dims; i++)
        assert_int_equal(extent[i], shape[i]);
    H5Pclose(creation);
    H5Sclose(space);
    H5Tclose(type);
    return dataset;
}

static void assert_array(hid_t file, const char *path, hid_t stored, hid_t native, int dims,
                         const hsize_t *shape, const void *expected, size_t bytes)
{
    unsigned char data[64] = {0};
    assert_true(bytes <= sizeof data);
    hid_t dataset = open_array(file, path, stored, dims, shape);
    assert_int_equal(H5Dget_storage_size(dataset), bytes);
    assert_true(H5Dread(dataset, native, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
    assert_memory_equal(data, expected, bytes);
    H5Dclose(dataset);
}

static void test_arrays(void **state)
{
    h5_fixture *f = *state;
    const int32_t i32[] = {-1, INT32_MAX, INT32_MIN};
    const int64_t i64[] = {-1, INT64_MAX, INT64_MIN};
    const uint32_t u32[] = {0, 1, UINT32_MAX};
    const float f32[] = {1.5f, -0.0f, 3e38f, 1e-45f, 5.0f, 6.0f};
    const double f64[] = {1.0 / 3.0, -1e308, 5e-324};
    const uint64_t three = 3;
    const uint64_t matrix[] = {2, 3};
    const uint64_t hollow[] = {0, 3};
    assert_ok(dt_h5_write_array(f->h5, "/i32", DT_H5_I32, 1, &three, i32));
    assert_ok(dt_h5_write_array(f->h5, "/i64", DT_H5_I64, 1, &three, i64));
    assert_ok(dt_h5_write_array(f->h5, "/u32", DT_H5_U32, 1, &three, u32));
    assert_ok(dt_h5_write_array(f->h5, "/deep/down/f32", DT_H5_F32, 2, matrix, f32));
    assert_ok(dt_h5_write_array(f->h5, "/deep/f64", DT_H5_F64, 1, &three, f64));
    assert_ok(dt_h5_write_array(f->h5, "/scalar", DT_H5_F64, 0, NULL, f64));
    assert_ok(dt_h5_write_array(f->h5, "/hollow", DT_H5_F32, 2, hollow, NULL));
    hid_t file = h5_save_and_open(f);
    const hsize_t h3[] = {3};
    const hsize_t h23[] = {2, 3};
    const hsize_t h03[] = {0, 3};
    assert_array(file, "/i32", H5T_STD_I32LE, H5T_NATIVE_INT32, 1, h3, i32, sizeof i32);
    assert_array(file, "/i64", H5T_STD_I64LE, H5T_NATIVE_INT64, 1, h3, i64, sizeof i64);
    assert_array(file, "/u32", H5T_STD_U32LE, H5T_NATIVE_UINT32, 1, h3, u32, sizeof u32);
    assert_array(file, "/deep/down/f32", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 2, h23, f32, sizeof f32);
    assert_array(file, "/deep/f64", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 1, h3, f64, sizeof f64);
    assert_array(file, "/scalar", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 0, NULL, f64, sizeof f64[0]);
    H5Dclose(open_array(file, "/hollow", H5T_IEEE_F32LE, 2, h03));
    H5Fclose(file);
}

static void test_array_is_not_overwritten(void **state)
{
    h5_fixture *f = *state;
    const int32_t before[] = {1, 2, 3};
    const int32_t after[] = {4, 5, 6};
    const uint64_t shape = 3;
    const hsize_t extent = 3;
    assert_ok(dt_h5_write_array(f->h5, "/x", DT_H5_I32, 1, &shape, before));
    assert_status(dt_h5_write_array(f->h5, "/x", DT_H5_I32, 1, &shape, after), DT_OUTPUT);
    assert_says("HDF5: cannot make /x: ");
    hid_t file = h5_save_and_open(f);
    assert_array(file, "/x", H5T_STD_I32LE, H5T_NATIVE_INT32, 1, &extent, before, sizeof before);
    H5Fclose(file);
}

#define a_test(name) cmocka_unit_test_setup_teardown(name, h5_start, h5_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        a_test(test_scalar_attributes),
        a_test(test_long_text),
        a_test(test_text_lists),
        a_test(test_longest_text_list),
        a_test(test_attributes_are_replaced),
        a_test(test_missing_objects),
        a_test(test_groups),
        a_test(test_arrays),
        a_test(test_array_is_not_overwritten),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
