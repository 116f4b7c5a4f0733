/*
 * Dimension scales: HDF5's own calls find them, the same calls give the same bytes, and no reader
 * stumbles over their attributes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "h5_files.h"

#include "dtrain/base/memory.h"

#include <hdf5_hl.h>
#include <stdio.h>

static const float data[6] = {1, 2, 3, 4, 5, 6};
static const uint64_t shape_23[] = {2, 3}, shape_2[] = {2}, shape_3[] = {3};
static const char *const metrics[] = {"loss", "accuracy", "auc"};

/* A file whose datasets share scales, one of which has four users. */
static void fill(dt_h5 *h5)
{
    assert_ok(dt_h5_write_array(h5, "/g/x", DT_H5_F32, 2, shape_23, data));
    assert_ok(dt_h5_write_array(h5, "/g/y", DT_H5_F32, 2, shape_23, data));
    assert_ok(dt_h5_write_array(h5, "/g/z", DT_H5_F32, 1, shape_3, data));
    assert_ok(dt_h5_write_array(h5, "/epoch", DT_H5_F32, 1, shape_2, data));
    assert_ok(dt_h5_write_array(h5, "/seconds", DT_H5_F32, 1, shape_2, data));
    assert_ok(dt_h5_write_texts(h5, "/names/metric", metrics, 3));
    assert_ok(dt_h5_label_dimension(h5, "/g/x", 1, "metric", "/names/metric"));
    assert_ok(dt_h5_label_dimension(h5, "/g/x", 0, "epoch", "/epoch"));
    assert_ok(dt_h5_label_dimension(h5, "/g/y", 0, "epoch", "/epoch"));
    assert_ok(dt_h5_label_dimension(h5, "/g/y", 1, "a rather long first label", NULL));
    assert_ok(dt_h5_label_dimension(h5, "/g/y", 1, "metric", "/names/metric"));
    assert_ok(dt_h5_label_dimension(h5, "/g/y", 1, "metric", "/names/metric"));
    assert_ok(dt_h5_label_dimension(h5, "/g/y", 0, "time", "/seconds"));
    assert_ok(dt_h5_label_dimension(h5, "/g/z", 0, "metric", "/names/metric"));
}

static void assert_label(hid_t file, const char *path, unsigned dimension, const char *expected)
{
    char label[64] = "";
    hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
    assert_true(H5DSget_label(dataset, dimension, label, sizeof label) >= 0);
    assert_string_equal(label, expected);
    h5_close_id(dataset);
}

static void assert_scale(hid_t file, const char *path, unsigned dimension, int scales,
                         const char *scale, const char *name)
{
    char found[64] = "";
    hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT), other = H5Dopen2(file, scale, H5P_DEFAULT);
    assert_int_equal(H5DSget_num_scales(dataset, dimension), scales);
    assert_true(H5DSis_scale(other) > 0);
    assert_true(H5DSis_attached(dataset, other, dimension) > 0);
    assert_true(H5DSget_scale_name(other, found, sizeof found) >= 0);
    assert_string_equal(found, name);
    h5_close_id(other);
    h5_close_id(dataset);
}

static void test_scales(void **state)
{
    (void)state;
    dt_h5 *h5 = NULL;
    assert_ok(dt_h5_new(&h5));
    fill(h5);
    assert_ok(dt_h5_save(h5, scratch_path("file.h5")));
    dt_h5_free(h5);
    hid_t file = H5Fopen(scratch_path("file.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(file >= 0);
    assert_label(file, "/g/x", 0, "epoch");
    assert_label(file, "/g/x", 1, "metric");
    assert_label(file, "/g/y", 0, "time");
    assert_label(file, "/g/y", 1, "metric");
    assert_scale(file, "/g/x", 0, 1, "/epoch", "epoch");
    assert_scale(file, "/g/x", 1, 1, "/names/metric", "metric");
    assert_scale(file, "/g/y", 0, 2, "/epoch", "epoch");
    assert_scale(file, "/g/y", 0, 2, "/seconds", "seconds");
    assert_scale(file, "/g/y", 1, 1, "/names/metric", "metric");
    assert_scale(file, "/g/z", 0, 1, "/names/metric", "metric");
    h5_close_id(file);
}

/* A label alone makes no scale. */
static void test_label_alone(void **state)
{
    (void)state;
    dt_h5 *h5 = NULL;
    dt_h5_names names;
    assert_ok(dt_h5_new(&h5));
    assert_ok(dt_h5_write_array(h5, "/x", DT_H5_F32, 2, shape_23, data));
    assert_ok(dt_h5_label_dimension(h5, "/x", 1, "gr\xc3\xbc\xc3\x9f", NULL));
    assert_ok(dt_h5_list_attributes(&names, h5, "/x"));
    assert_int_equal(names.count, 1);
    assert_string_equal(names.texts[0], "DIMENSION_LABELS");
    dt_h5_names_clear(&names);
    assert_ok(dt_h5_get_texts(&names, h5, "/x", "DIMENSION_LABELS"));
    assert_int_equal(names.count, 2);
    assert_string_equal(names.texts[0], "");
    assert_string_equal(names.texts[1], "gr\xc3\xbc\xc3\x9f");
    dt_h5_names_clear(&names);
    dt_h5_free(h5);
}

/* Leaves `pattern` where later calls have their variables and their blocks. */
static void soil(int pattern)
{
    volatile unsigned char stack[65536];
    void *blocks[64];
    for (size_t i = 0; i < sizeof stack; i++)
        stack[i] = (unsigned char)pattern;
    for (size_t i = 0; i < 64; i++)
        blocks[i] = memset(malloc((size_t)16 << (i % 8)), pattern, (size_t)16 << (i % 8));
    for (size_t i = 0; i < 64; i++)
        free(blocks[i]);
}

/* As fill, over soil that differs from one call to the next. */
static void make_image(void **image, size_t *bytes, int pattern)
{
    dt_h5 *h5 = NULL;
    assert_ok(dt_h5_new(&h5));
    assert_ok(dt_h5_write_array(h5, "/x", DT_H5_F32, 2, shape_23, data));
    assert_ok(dt_h5_write_array(h5, "/y", DT_H5_F32, 1, shape_3, data));
    assert_ok(dt_h5_write_texts(h5, "/metric", metrics, 3));
    assert_ok(dt_h5_write_array(h5, "/epoch", DT_H5_F32, 1, shape_2, data));
    soil(pattern);
    assert_ok(dt_h5_label_dimension(h5, "/x", 1, "metric", "/metric"));
    soil(pattern + 1);
    assert_ok(dt_h5_label_dimension(h5, "/y", 0, "metric", "/metric"));
    soil(pattern + 2);
    assert_ok(dt_h5_label_dimension(h5, "/x", 0, "epoch", "/epoch"));
    soil(pattern + 3);
    assert_ok(dt_h5_label_dimension(h5, "/x", 0, "epoch", "/epoch"));
    assert_ok(dt_h5_image(image, bytes, h5));
    dt_h5_free(h5);
}

static void test_same_calls_same_bytes(void **state)
{
    (void)state;
    void *one = NULL, *two = NULL;
    size_t bytes = 0, other_bytes = 0;
    make_image(&one, &bytes, 0x11);
    make_image(&two, &other_bytes, 0xa1);
    assert_int_equal(bytes, other_bytes);
    assert_memory_equal(one, two, bytes);
    assert_int_equal(((unsigned char *)one)[8], 0); /* superblock 0, as without scales */
    dt_memory_free(one);
    dt_memory_free(two);
}

/* The attributes of scales hold references: to be listed and described, as any others. */
static void test_readers(void **state)
{
    (void)state;
    static const char *const users[] = {"DIMENSION_LABELS", "DIMENSION_LIST"};
    static const char *const scale[] = {"CLASS", "NAME", "REFERENCE_LIST"};
    const struct {
        const char *path;
        const char *const *names;
        size_t count;
    } objects[] = {{"/g/x", users, 2}, {"/names/metric", scale, 3}};
    dt_h5 *h5 = NULL;
    dt_h5_names names;
    dt_h5_shape shape;
    float read[6];
    assert_ok(dt_h5_new(&h5));
    fill(h5);
    assert_ok(dt_h5_save(h5, scratch_path("file.h5")));
    dt_h5_free(h5);
    assert_ok(dt_h5_open(&h5, scratch_path("file.h5")));
    for (size_t o = 0; o < 2; o++) {
        assert_ok(dt_h5_list_attributes(&names, h5, objects[o].path));
        assert_int_equal(names.count, objects[o].count);
        for (size_t i = 0; i < names.count; i++) {
            assert_string_equal(names.texts[i], objects[o].names[i]);
            assert_ok(dt_h5_describe_attribute(&shape, h5, objects[o].path, names.texts[i]));
        }
        dt_h5_names_clear(&names);
    }
    assert_ok(dt_h5_describe_attribute(&shape, h5, "/g/x", "DIMENSION_LIST"));
    assert_int_equal(shape.class, DT_H5_CLASS_OTHER);
    assert_int_equal(shape.count, 2);
    assert_ok(dt_h5_describe_attribute(&shape, h5, "/names/metric", "REFERENCE_LIST"));
    assert_int_equal(shape.count, 3); /* the scale attached twice counts once */
    assert_data(dt_h5_get_texts(&names, h5, "/g/x", "DIMENSION_LIST"), "expected a list of texts");
    assert_ok(dt_h5_list_members(&names, h5, "/g"));
    assert_int_equal(names.count, 3);
    dt_h5_names_clear(&names);
    assert_ok(dt_h5_read_f32(h5, "/g/y", read, 6));
    assert_memory_equal(read, data, sizeof data);
    assert_ok(dt_h5_read_texts(&names, h5, "/names/metric"));
    assert_int_equal(names.count, 3);
    assert_string_equal(names.texts[1], "accuracy");
    dt_h5_names_clear(&names);
    assert_status(dt_h5_label_dimension(h5, "/g/x", 0, "new", NULL), DT_OUTPUT);
    assert_status(dt_h5_label_dimension(h5, "/g/x", 0, "epoch", "/seconds"), DT_OUTPUT);
    dt_h5_free(h5);
}

#define assert_output(call, part)                                                                  \
    do {                                                                                           \
        assert_status((call), DT_OUTPUT);                                                          \
        if (strstr(dt_status_text(), (part)) == NULL)                                              \
            fail_msg("no \"%s\" in: %s", (part), dt_status_text());                                \
    } while (0)

static void test_wrong_calls(void **state)
{
    (void)state;
    dt_h5 *h5 = NULL;
    const ssize_t before = H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL);
    assert_ok(dt_h5_new(&h5));
    fill(h5);
    assert_output(dt_h5_label_dimension(h5, "/none", 0, "a", NULL), "cannot open /none");
    assert_output(dt_h5_label_dimension(h5, "/g", 0, "a", NULL), "cannot open /g");
    assert_output(dt_h5_label_dimension(h5, "/g/x", 2, "a", NULL), "dimension 2 of /g/x: it has 2");
    assert_output(dt_h5_label_dimension(h5, "/g/x", 0, "a", "/none"), "cannot open /none");
    assert_output(dt_h5_label_dimension(h5, "/g/x", 0, "a", "/g/y"), "expected one dimension");
    assert_output(dt_h5_label_dimension(h5, "/g/z", 0, "a", "/g/z"), "same dataset");
    assert_output(dt_h5_label_dimension(h5, "/epoch", 0, "a", "/seconds"),
                  "scale /seconds to /epoch: that is a scale itself");
    assert_output(dt_h5_label_dimension(h5, "/g/x", 0, "a", "/g/z"),
                  "scale /g/z to /g/x: it has scales of its own");
    assert_output(dt_h5_label_dimension(h5, "/g/x", 0, "a", "//g/z"), "scales of its own");
    dt_h5_free(h5);
    assert_int_equal(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_scales, scratch_empty),
        cmocka_unit_test_teardown(test_label_alone, scratch_empty),
        cmocka_unit_test_teardown(test_same_calls_same_bytes, scratch_empty),
        cmocka_unit_test_teardown(test_readers, scratch_empty),
        cmocka_unit_test_teardown(test_wrong_calls, scratch_empty),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
