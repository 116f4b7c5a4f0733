/*
 * Reading HDF5 datasets and tables: every layout that dtrain accepts, and files that try to make a
 * reader open another file, trust a wrong size, or load foreign code.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "h5_files.h"

#include <stdio.h>

static const float six[] = {1.5f, -2, 3, 4, 5, 1e-30f};
static const hsize_t shape_6[] = {6}, shape_23[] = {2, 3};

static hid_t half_type(void)
{
    hid_t type = H5Tcopy(H5T_IEEE_F32LE);
    assert_true(H5Tset_fields(type, 15, 10, 5, 0, 10) >= 0 && H5Tset_size(type, 2) >= 0 &&
                H5Tset_ebias(type, 15) >= 0);
    return type;
}

/* Chunks of `rows`; compressed, with a checksum. */
static hid_t chunked(hsize_t rows, unsigned times_deflated)
{
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    assert_true(H5Pset_chunk(creation, 1, &rows) >= 0);
    for (unsigned i = 0; i < times_deflated; i++)
        assert_true(H5Pset_deflate(creation, 9) >= 0);
    return creation;
}

static void test_floats(void **state)
{
    (void)state;
    float data[6];
    dt_h5_shape shape;
    hid_t file = h5_create(), half = half_type();
    hid_t compact = H5Pcreate(H5P_DATASET_CREATE), packed = chunked(4, 1);
    assert_true(H5Pset_layout(compact, H5D_COMPACT) >= 0);
    assert_true(H5Pset_shuffle(packed) >= 0 && H5Pset_fletcher32(packed) >= 0);
    const struct {
        const char *path;
        hid_t type;
        int dims;
        const hsize_t *shape;
        hid_t creation;
    } sets[] = {
        {"/single", H5T_IEEE_F32LE, 2, shape_23, H5P_DEFAULT},
        {"/double", H5T_IEEE_F64LE, 1, shape_6, H5P_DEFAULT},
        {"/big", H5T_IEEE_F32BE, 1, shape_6, H5P_DEFAULT},
        {"/half", half, 1, shape_6, H5P_DEFAULT},
        {"/compact", H5T_IEEE_F32LE, 1, shape_6, compact},
        {"/packed", H5T_IEEE_F32LE, 1, shape_6, packed},
    };
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        h5_add_dataset(file, sets[i].path, sets[i].type, sets[i].dims, sets[i].shape,
                       sets[i].creation, H5T_NATIVE_FLOAT, six);
    h5_add_dataset(file, "/one", H5T_IEEE_F32LE, 0, NULL, H5P_DEFAULT, H5T_NATIVE_FLOAT, six);
    h5_add_dataset(file, "/none", H5T_IEEE_F32LE, 1, &(hsize_t){0}, H5P_DEFAULT, -1, NULL);
    dt_h5 *h5 = h5_reopen(file);
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        memset(data, 0, sizeof data);
        assert_ok(dt_h5_read_f32(h5, sets[i].path, data, 6));
        assert_memory_equal(data, six, 5 * sizeof *six);
        assert_int_equal(data[5] > 0, sets[i].type != half); /* 1e-30 is 0 in half precision */
    }
    assert_ok(dt_h5_describe(&shape, h5, "/single"));
    assert_int_equal(shape.class, DT_H5_CLASS_FLOAT);
    assert_int_equal(shape.dims, 2);
    assert_int_equal(shape.extent[0], 2);
    assert_int_equal(shape.extent[1], 3);
    assert_int_equal(shape.count, 6);
    assert_int_equal(shape.element_bytes, 4);
    assert_int_equal(shape.stored_bytes, 24);
    assert_ok(dt_h5_describe(&shape, h5, "/half"));
    assert_int_equal(shape.element_bytes, 2);
    assert_ok(dt_h5_describe(&shape, h5, "/one"));
    assert_int_equal(shape.dims, 0);
    assert_int_equal(shape.count, 1);
    assert_ok(dt_h5_read_f32(h5, "/one", data, 1));
    assert_ok(dt_h5_describe(&shape, h5, "/none"));
    assert_int_equal(shape.count, 0);
    assert_ok(dt_h5_read_f32(h5, "/none", data, 0));
    assert_data(dt_h5_read_f32(h5, "/single", data, 5), "/single", "expected 5", "found 6");
    assert_data(dt_h5_read_f32(h5, "/none", data, 1), "expected 1", "found 0");
    assert_data(dt_h5_read_f32(h5, "/", data, 1), "/: is not a dataset");
    assert_data(dt_h5_read_f32(h5, "/nothing", data, 1), "no /nothing");
    dt_h5_free(h5);
    h5_close_id(half);
    h5_close_id(compact);
    h5_close_id(packed);
}

static void test_integers(void **state)
{
    (void)state;
    const int64_t values[] = {-1, 0, INT64_MAX};
    const uint64_t huge[] = {UINT64_MAX, 1, 2};
    const hsize_t three = 3;
    int64_t data[3];
    float numbers[3];
    double wide[3];
    hid_t file = h5_create();
    h5_add_dataset(file, "/i64", H5T_STD_I64BE, 1, &three, H5P_DEFAULT, H5T_NATIVE_INT64, values);
    h5_add_dataset(file, "/u64", H5T_STD_U64LE, 1, &three, H5P_DEFAULT, H5T_NATIVE_UINT64, huge);
    h5_add_dataset(file, "/f32", H5T_IEEE_F32LE, 1, &three, H5P_DEFAULT, H5T_NATIVE_FLOAT, six);
    h5_add_dataset(file, "/text", H5T_C_S1, 0, NULL, H5P_DEFAULT, H5T_C_S1, "a");
    dt_h5 *h5 = h5_reopen(file);
    assert_ok(dt_h5_read_i64(h5, "/i64", data, 3));
    assert_memory_equal(data, values, sizeof values);
    assert_ok(dt_h5_read_i64(h5, "/u64", data, 3));
    assert_true(data[0] == INT64_MAX && data[1] == 1);
    assert_data(dt_h5_read_i64(h5, "/f32", data, 3), "/f32", "expected integers", "floating-point");
    assert_data(dt_h5_read_f32(h5, "/i64", numbers, 3), "expected floating-point", "integers");
    assert_ok(dt_h5_read_f64(h5, "/u64", wide, 3));
    assert_memory_equal(wide, ((const double[]){0x1p64, 1, 2}), sizeof wide);
    assert_ok(dt_h5_read_f64(h5, "/f32", wide, 3));
    assert_memory_equal(wide, ((const double[]){1.5, -2, 3}), sizeof wide);
    assert_data(dt_h5_read_f64(h5, "/text", wide, 1), "/text", "expected numbers", "text");
    assert_data(dt_h5_read_f64(h5, "/f32", wide, 2), "expected 2", "found 3");
    dt_h5_free(h5);
}

/* ---- values that are not in the file ---- */

static void test_links_out(void **state)
{
    (void)state;
    float data[6];
    hid_t file = h5_create();
    h5_add_dataset(file, "/g/data", H5T_IEEE_F32LE, 1, shape_6, H5P_DEFAULT, H5T_NATIVE_FLOAT, six);
    assert_true(H5Lcreate_soft("/g/data", file, "/soft", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    assert_true(H5Lcreate_soft("/g", file, "/way", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    assert_true(H5Lcreate_external("file.h5", "/g", file, "/out", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    assert_true(H5Lcreate_hard(file, "/g/data", file, "/hard", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    dt_h5 *h5 = h5_reopen(file);
    assert_ok(dt_h5_read_f32(h5, "/hard", data, 6));
    assert_data(dt_h5_read_f32(h5, "/soft", data, 6), "file.h5: /soft is a soft or external link");
    assert_data(dt_h5_read_f32(h5, "/way/data", data, 6), "soft or external link");
    assert_data(dt_h5_read_f32(h5, "/out/data", data, 6), "soft or external link");
    dt_h5_free(h5);
}

static void test_values_elsewhere(void **state)
{
    (void)state;
    float data[6];
    dt_h5_shape shape;
    assert_true(scratch_write(scratch_path("secret"), six, sizeof six));
    hid_t file = h5_create();
    hid_t external = H5Pcreate(H5P_DATASET_CREATE), view = H5Pcreate(H5P_DATASET_CREATE);
    assert_true(H5Pset_external(external, scratch_path("secret"), 0, sizeof six) >= 0);
    h5_add_dataset(file, "/external", H5T_IEEE_F32LE, 1, shape_6, external, -1, NULL);
    h5_add_dataset(file, "/data", H5T_IEEE_F32LE, 1, shape_6, H5P_DEFAULT, H5T_NATIVE_FLOAT, six);
    hid_t space = H5Screate_simple(1, shape_6, NULL);
    assert_true(H5Pset_virtual(view, space, ".", "/data", space) >= 0);
    h5_add_dataset(file, "/virtual", H5T_IEEE_F32LE, 1, shape_6, view, -1, NULL);
    h5_close_id(space);
    h5_close_id(view);
    h5_close_id(external);
    dt_h5 *h5 = h5_reopen(file);
    assert_data(dt_h5_describe(&shape, h5, "/external"), "/external", "lie in another file");
    assert_data(dt_h5_read_f32(h5, "/external", data, 6), "lie in another file");
    assert_data(dt_h5_describe(&shape, h5, "/virtual"), "/virtual: is virtual");
    assert_int_equal(shape.count, 0);
    assert_ok(dt_h5_read_f32(h5, "/data", data, 6));
    dt_h5_free(h5);
}

/* ---- sizes that are not true ---- */

static void test_shapes_without_values(void **state)
{
    (void)state;
    float data[6];
    dt_h5_shape shape;
    const hsize_t giant[] = {1ull << 40, 1ull << 20}, overflowing[] = {1ull << 62, 4};
    const hsize_t wide = 1 << 20;
    hid_t file = h5_create();
    hid_t chunks = chunked(2, 0), packed = chunked(wide, 1);
    h5_add_dataset(file, "/late", H5T_IEEE_F32LE, 1, shape_6, H5P_DEFAULT, -1, NULL);
    h5_add_dataset(file, "/giant", H5T_IEEE_F32LE, 2, giant, H5P_DEFAULT, -1, NULL);
    h5_add_dataset(file, "/overflow", H5T_STD_I8LE, 2, overflowing, H5P_DEFAULT, -1, NULL);
    h5_add_dataset(file, "/chunks", H5T_IEEE_F32LE, 1, shape_6, chunks, -1, NULL);
    h5_add_dataset(file, "/some", H5T_IEEE_F32LE, 1, shape_6, chunks, -1, NULL);
    hid_t some = H5Dopen2(file, "/some", H5P_DEFAULT), space = H5Dget_space(some);
    hid_t two = H5Screate_simple(1, &(hsize_t){2}, NULL);
    assert_true(
        H5Sselect_hyperslab(space, H5S_SELECT_SET, &(hsize_t){0}, NULL, &(hsize_t){2}, NULL) >= 0);
    assert_true(H5Dwrite(some, H5T_NATIVE_FLOAT, two, space, H5P_DEFAULT, six) >= 0);
    h5_close_id(two);
    h5_close_id(space);
    h5_close_id(some);
    float *zeros = calloc(wide, sizeof *zeros);
    h5_add_dataset(file, "/zeros", H5T_IEEE_F32LE, 1, &wide, packed, H5T_NATIVE_FLOAT, zeros);
    h5_close_id(chunks);
    h5_close_id(packed);
    dt_h5 *h5 = h5_reopen(file);
    assert_data(dt_h5_describe(&shape, h5, "/late"), "/late: has a shape, but no values");
    assert_data(dt_h5_read_f32(h5, "/late", data, 6), "no values");
    assert_data(dt_h5_describe(&shape, h5, "/giant"), "no values");
    assert_data(dt_h5_describe(&shape, h5, "/overflow"), "larger than any file");
    assert_data(dt_h5_describe(&shape, h5, "/chunks"), "holds fewer values than its shape says");
    assert_data(dt_h5_read_f32(h5, "/some", data, 6), "holds fewer values than its shape says");
    assert_ok(
        dt_h5_describe(&shape, h5, "/zeros")); /* 4 MiB in some 4 KiB: as far as deflate gets */
    assert_true(shape.stored_bytes < 8192);
    assert_ok(dt_h5_read_f32(h5, "/zeros", zeros, wide));
    dt_h5_free(h5);
    free(zeros);
}

/* The layout's address, and its size, are moved where the file does not reach. */
static void test_values_beyond_the_end(void **state)
{
    (void)state;
    float data[6];
    size_t bytes = 0;
    hid_t file = h5_create();
    h5_add_dataset(file, "/data", H5T_IEEE_F32LE, 1, shape_6, H5P_DEFAULT, H5T_NATIVE_FLOAT, six);
    hid_t dataset = H5Dopen2(file, "/data", H5P_DEFAULT);
    const uint64_t layout[2] = {H5Dget_offset(dataset), sizeof six}; /* as they lie in the file */
    h5_close_id(dataset);
    h5_close_id(file);
    unsigned char *whole = scratch_read(scratch_path("file.h5"), &bytes);
    size_t at = 0;
    while (at + sizeof layout <= bytes && memcmp(whole + at, layout, sizeof layout) != 0)
        at++;
    assert_true(at + sizeof layout <= bytes);
    const struct {
        uint64_t layout[2];
        const char *part;
    } wrong[] = {
        {{bytes - 8, sizeof six}, "beyond the end of the file"},
        {{bytes + 100, sizeof six}, "beyond the end of the file"},
        {{UINT64_MAX - 8, sizeof six}, "beyond the end of the file"},
        {{UINT64_MAX, sizeof six}, "no values"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        dt_h5 *h5 = NULL;
        memcpy(whole + at, wrong[i].layout, sizeof layout);
        assert_true(scratch_write(scratch_path("file.h5"), whole, bytes));
        assert_ok(dt_h5_open(&h5, scratch_path("file.h5")));
        assert_status(dt_h5_read_f32(h5, "/data", data, 6), DT_DATA);
        if (strstr(dt_status_text(), wrong[i].part) == NULL)
            fail_msg("no \"%s\" in: %s", wrong[i].part, dt_status_text());
        dt_h5_free(h5);
    }
    free(whole);
}

/* ---- packing ---- */

static size_t keep(unsigned flags, size_t count, const unsigned values[], size_t bytes,
                   size_t *buffer_bytes, void **buffer)
{
    (void)flags;
    (void)count;
    (void)values;
    (void)buffer_bytes;
    (void)buffer;
    return bytes;
}

static void test_filters(void **state)
{
    (void)state;
    float data[6];
    const H5Z_class2_t foreign = {H5Z_CLASS_T_VERS, 300, 1, 1, "foreign", NULL, NULL, keep};
    assert_true(H5Zregister(&foreign) >= 0);
    hid_t file = h5_create();
    hid_t strange = chunked(6, 0), twice = chunked(6, 2);
    assert_true(H5Pset_filter(strange, 300, H5Z_FLAG_OPTIONAL, 0, NULL) >= 0);
    h5_add_dataset(file, "/strange", H5T_IEEE_F32LE, 1, shape_6, strange, H5T_NATIVE_FLOAT, six);
    h5_add_dataset(file, "/twice", H5T_IEEE_F32LE, 1, shape_6, twice, H5T_NATIVE_FLOAT, six);
    h5_close_id(strange);
    h5_close_id(twice);
    dt_h5 *h5 = h5_reopen(file);
    assert_data(dt_h5_read_f32(h5, "/strange", data, 6), "/strange", "the filter 300");
    assert_data(dt_h5_read_f32(h5, "/twice", data, 6), "/twice", "the filter 1");
    dt_h5_free(h5);
    assert_true(H5Zunregister(300) >= 0);
}

/* A chunk is unpacked whole, however little of it is the dataset's. */
static void test_large_chunks(void **state)
{
    (void)state;
    float data[6];
    const hsize_t any = H5S_UNLIMITED;
    hid_t file = h5_create();
    hid_t creation = chunked((64 << 20) / 4 + 1, 1);
    hid_t space = H5Screate_simple(1, shape_6, &any);
    hid_t dataset =
        H5Dcreate2(file, "/data", H5T_IEEE_F32LE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    assert_true(dataset >= 0);
    h5_close_id(dataset);
    h5_close_id(space);
    h5_close_id(creation);
    dt_h5 *h5 = h5_reopen(file);
    assert_data(dt_h5_read_f32(h5, "/data", data, 6), "/data: its chunks are larger than itself");
    dt_h5_free(h5);
}

/* ---- tables ---- */

typedef struct row {
    int64_t epoch;
    double loss;
    char host[8];
    float rate;
    uint32_t count;
} row;

static const dt_h5_column columns[] = {
    {"epoch", NULL, DT_H5_I64, DT_H5_FIELD(row, epoch)},
    {"loss", "nats", DT_H5_F64, DT_H5_FIELD(row, loss)},
    {"host", NULL, DT_H5_TEXT, DT_H5_FIELD(row, host)},
    {"rate", NULL, DT_H5_F32, DT_H5_FIELD(row, rate)},
    {"count", NULL, DT_H5_U32, DT_H5_FIELD(row, count)},
};
static const dt_h5_table table = DT_H5_TABLE(columns, row);
enum { COLUMNS = sizeof columns / sizeof *columns, ROWS = 100 };

static void check_table(dt_h5 *h5)
{
    int64_t integers[ROWS];
    double numbers[ROWS];
    dt_h5_shape shape;
    dt_h5_names names;
    assert_ok(dt_h5_describe(&shape, h5, "/log/epochs"));
    assert_int_equal(shape.class, DT_H5_CLASS_TABLE);
    assert_int_equal(shape.count, ROWS);
    assert_ok(dt_h5_read_column_i64(h5, "/log/epochs", "epoch", integers, ROWS));
    assert_ok(dt_h5_read_column_f64(h5, "/log/epochs", "loss", numbers, ROWS));
    for (int i = 0; i < ROWS; i++) {
        assert_int_equal(integers[i], i - 3);
        assert_memory_equal(&numbers[i], &(double){1.0 / (i + 1)}, sizeof(double));
    }
    assert_ok(dt_h5_read_column_f64(h5, "/log/epochs", "rate", numbers, ROWS));
    assert_memory_equal(&numbers[7], &(double){3.5}, sizeof(double));
    assert_ok(dt_h5_read_column_f64(h5, "/log/epochs", "count", numbers, ROWS));
    assert_memory_equal(&numbers[99], &(double){UINT32_MAX - 99.0}, sizeof(double));
    assert_ok(dt_h5_list_columns(&names, h5, "/log/epochs"));
    assert_int_equal(names.count, COLUMNS);
    for (size_t i = 0; i < COLUMNS; i++)
        assert_string_equal(names.texts[i], columns[i].name);
    dt_h5_names_clear(&names);
}

static void test_table(void **state)
{
    (void)state;
    row rows[ROWS] = {{0}};
    dt_h5 *h5 = NULL;
    for (int i = 0; i < ROWS; i++)
        rows[i] = (row){i - 3, 1.0 / (i + 1), "host", (float)i / 2, UINT32_MAX - (uint32_t)i};
    assert_ok(dt_h5_new(&h5));
    assert_ok(dt_h5_make_group(h5, "/log"));
    assert_ok(dt_h5_make_table(h5, "/log/epochs", &table));
    assert_ok(dt_h5_make_table(h5, "/empty", &table));
    assert_ok(dt_h5_append_rows(h5, "/log/epochs", &table, rows, ROWS));
    check_table(h5);
    assert_ok(dt_h5_save(h5, scratch_path("file.h5")));
    dt_h5_free(h5);
    assert_ok(dt_h5_open(&h5, scratch_path("file.h5")));
    check_table(h5);

    int64_t integers[ROWS];
    double numbers[ROWS];
    assert_ok(dt_h5_read_column_i64(h5, "/empty", "epoch", integers, 0));
    assert_data(dt_h5_read_column_i64(h5, "/empty", "epoch", integers, 1), "found 0");
    assert_data(dt_h5_read_column_i64(h5, "/log/epochs", "loss", integers, ROWS), "column loss",
                "expected integers");
    assert_data(dt_h5_read_column_f64(h5, "/log/epochs", "host", numbers, ROWS), "column host",
                "found text");
    assert_data(dt_h5_read_column_f64(h5, "/log/epochs", "none", numbers, ROWS),
                "/log/epochs has no column none");
    assert_data(dt_h5_read_column_f64(h5, "/log/epochs", "loss", numbers, ROWS - 1), "expected 99");
    assert_data(dt_h5_read_column_f64(h5, "/log", "loss", numbers, ROWS), "/log: is not a dataset");
    dt_h5_free(h5);
}

static void test_no_table(void **state)
{
    (void)state;
    double numbers[6];
    dt_h5_names names;
    hid_t file = h5_create();
    h5_add_dataset(file, "/data", H5T_IEEE_F32LE, 1, shape_6, H5P_DEFAULT, H5T_NATIVE_FLOAT, six);
    hid_t pair = H5Tcreate(H5T_COMPOUND, 8);
    assert_true(H5Tinsert(pair, "a", 0, H5T_IEEE_F32LE) >= 0);
    assert_true(H5Tinsert(pair, "b", 4, H5T_IEEE_F32LE) >= 0);
    h5_add_dataset(file, "/flat", pair, 2, (const hsize_t[]){1, 3}, H5P_DEFAULT, pair, six);
    h5_close_id(pair);
    dt_h5 *h5 = h5_reopen(file);
    assert_data(dt_h5_read_column_f64(h5, "/data", "a", numbers, 6), "expected a table",
                "floating-point");
    assert_data(dt_h5_read_column_f64(h5, "/flat", "a", numbers, 3), "2 dimensions");
    assert_data(dt_h5_list_columns(&names, h5, "/data"), "expected a table");
    dt_h5_free(h5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_floats, scratch_empty),
        cmocka_unit_test_teardown(test_integers, scratch_empty),
        cmocka_unit_test_teardown(test_links_out, scratch_empty),
        cmocka_unit_test_teardown(test_values_elsewhere, scratch_empty),
        cmocka_unit_test_teardown(test_shapes_without_values, scratch_empty),
        cmocka_unit_test_teardown(test_values_beyond_the_end, scratch_empty),
        cmocka_unit_test_teardown(test_filters, scratch_empty),
        cmocka_unit_test_teardown(test_large_chunks, scratch_empty),
        cmocka_unit_test_teardown(test_table, scratch_empty),
        cmocka_unit_test_teardown(test_no_table, scratch_empty),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
