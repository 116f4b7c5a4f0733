/*
 * Datasets and columns of texts, and HDF5 files in memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "h5_files.h"

#include "dtrain/base/memory.h"

#include <stdio.h>

static void assert_names(dt_h5_names *names, const char *const *expected, size_t count)
{
    assert_int_equal(names->count, count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(names->texts[i], expected[i]);
    dt_h5_names_clear(names);
}

/* Saves a file that was written, and opens it. */
static void reopen(dt_h5 **h5)
{
    assert_ok(dt_h5_save(*h5, scratch_path("file.h5")));
    dt_h5_free(*h5);
    assert_ok(dt_h5_open(h5, scratch_path("file.h5")));
}

/* ---- datasets of texts ---- */

static void test_own_texts(void **state)
{
    (void)state;
    static const char *const texts[] = {"loss", "", "gr\xc3\xbc\xc3\x9f", "a b ", "longest"};
    static const char *const empty[] = {"", ""};
    dt_h5_names names;
    dt_h5_shape shape;
    dt_h5 *h5 = NULL;
    assert_ok(dt_h5_new(&h5));
    assert_ok(dt_h5_write_texts(h5, "/sub/names", texts, 5));
    assert_ok(dt_h5_write_texts(h5, "/none", NULL, 0));
    assert_ok(dt_h5_write_texts(h5, "/empty", empty, 2));
    for (int saved = 0; saved < 2; saved++) {
        if (saved)
            reopen(&h5);
        assert_ok(dt_h5_read_texts(&names, h5, "/sub/names"));
        assert_names(&names, texts, 5);
        assert_ok(dt_h5_read_texts(&names, h5, "/none"));
        assert_names(&names, NULL, 0);
        assert_ok(dt_h5_read_texts(&names, h5, "/empty"));
        assert_names(&names, empty, 2);
        assert_ok(dt_h5_describe(&shape, h5, "/sub/names"));
        assert_int_equal(shape.class, DT_H5_CLASS_TEXT);
        assert_int_equal(shape.dims, 1);
        assert_int_equal(shape.element_bytes, 8);
        assert_int_equal(shape.stored_bytes, 40);
    }
    dt_h5_free(h5);
    hid_t file = H5Fopen(scratch_path("file.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t dataset = H5Dopen2(file, "/sub/names", H5P_DEFAULT), type = H5Dget_type(dataset);
    assert_int_equal(H5Tget_cset(type), H5T_CSET_UTF8);
    h5_close_id(type);
    h5_close_id(dataset);
    h5_close_id(file);
}

static void test_texts_that_are_not_written(void **state)
{
    (void)state;
    static const char *const one[] = {"a"};
    dt_h5 *h5 = NULL;
    const size_t many = DT_H5_NAMES_MAX + 1;
    const char **texts = malloc(many * sizeof *texts);
    char long_text[1024];
    assert_non_null(texts);
    memset(long_text, 'x', sizeof long_text);
    long_text[sizeof long_text - 1] = '\0';
    for (size_t i = 0; i < many; i++)
        texts[i] = "";
    assert_ok(dt_h5_new(&h5));
    assert_ok(dt_h5_write_texts(h5, "/a", one, 1));
    assert_status(dt_h5_write_texts(h5, "/a", one, 1), DT_OUTPUT);
    assert_status(dt_h5_write_texts(h5, "/many", texts, many), DT_OUTPUT);
    assert_non_null(strstr(dt_status_text(), "/many: 100001 texts, at most 100000"));
    texts[5] = long_text;
    assert_status(dt_h5_write_texts(h5, "/wide", texts, 65537), DT_OUTPUT);
    assert_non_null(strstr(dt_status_text(), "65537 texts in fields of 1024 bytes"));
    assert_int_equal(dt_h5_has(h5, "/wide"), DT_H5_NOTHING);
    assert_ok(dt_h5_write_texts(h5, "/wide", texts, 65536)); /* as many as are read back */
    dt_h5_names names;
    assert_ok(dt_h5_read_texts(&names, h5, "/wide"));
    assert_names(&names, texts, 65536);
    dt_h5_free(h5);
    free(texts);
}

static void test_foreign_texts(void **state)
{
    (void)state;
    const char *three[] = {"a", "gr\xc3\xbc\xc3\x9f", NULL};
    static const char *const fields[] = {"ab", "", "c"}, *const spaced[] = {"ab", " x"};
    const float number = 1;
    const hsize_t shape[] = {3, 1}, none = 0, two = 2;
    dt_h5_names names;
    hid_t file = h5_create();
    hid_t variable = h5_text_type(H5T_VARIABLE, H5T_STR_NULLTERM, H5T_CSET_UTF8);
    hid_t fixed = h5_text_type(2, H5T_STR_NULLPAD, H5T_CSET_ASCII);
    hid_t spaces = h5_text_type(4, H5T_STR_SPACEPAD, H5T_CSET_ASCII);
    hid_t packed = H5Pcreate(H5P_DATASET_CREATE);
    assert_true(H5Pset_chunk(packed, 1, &two) >= 0 && H5Pset_deflate(packed, 5) >= 0);
    h5_add_dataset(file, "/variable", variable, 1, shape, H5P_DEFAULT, variable, three);
    h5_add_dataset(file, "/packed", variable, 1, shape, packed, variable, three);
    h5_add_dataset(file, "/fixed", fixed, 1, shape, packed, fixed, "ab\0\0c\0");
    h5_add_dataset(file, "/spaces", spaces, 1, &two, H5P_DEFAULT, spaces, "ab   x  ");
    h5_add_dataset(file, "/unwritten", variable, 1, shape, H5P_DEFAULT, -1, NULL);
    h5_add_dataset(file, "/flat", fixed, 2, shape, H5P_DEFAULT, fixed, "ab\0\0c\0");
    h5_add_dataset(file, "/scalar", variable, 0, NULL, H5P_DEFAULT, variable, three);
    h5_add_dataset(file, "/number", H5T_IEEE_F32LE, 1, (const hsize_t[]){1}, H5P_DEFAULT,
                   H5T_NATIVE_FLOAT, &number);
    h5_add_dataset(file, "/empty", H5T_IEEE_F64LE, 1, &none, H5P_DEFAULT, -1, NULL);
    h5_close_id(packed);
    h5_close_id(spaces);
    h5_close_id(fixed);
    h5_close_id(variable);
    dt_h5 *h5 = h5_reopen(file);
    three[2] = "";
    assert_ok(dt_h5_read_texts(&names, h5, "/variable"));
    assert_names(&names, three, 3);
    assert_ok(dt_h5_read_texts(&names, h5, "/packed"));
    assert_names(&names, three, 3);
    assert_ok(dt_h5_read_texts(&names, h5, "/fixed"));
    assert_names(&names, fields, 3);
    assert_ok(dt_h5_read_texts(&names, h5, "/spaces"));
    assert_names(&names, spaced, 2);
    assert_ok(dt_h5_read_texts(&names, h5, "/empty"));
    assert_names(&names, NULL, 0);
    assert_data(dt_h5_read_texts(&names, h5, "/unwritten"), "/unwritten", "no values");
    assert_data(dt_h5_read_texts(&names, h5, "/flat"), "list of texts", "2 dimensions");
    assert_data(dt_h5_read_texts(&names, h5, "/scalar"), "list of texts", "0 dimensions");
    assert_data(dt_h5_read_texts(&names, h5, "/number"), "file.h5: /number", "floating-point");
    assert_data(dt_h5_read_texts(&names, h5, "/nothing"), "no /nothing");
    assert_data(dt_h5_read_texts(&names, h5, "/"), "/: is not a dataset");
    assert_null(names.texts);
    dt_h5_free(h5);
}

static void test_too_many_texts(void **state)
{
    (void)state;
    const hsize_t many = DT_H5_NAMES_MAX + 1, wide = 65601;
    dt_h5_names names;
    hid_t file = h5_create();
    hid_t byte = h5_text_type(1, H5T_STR_NULLPAD, H5T_CSET_ASCII);
    hid_t kilo = h5_text_type(1023, H5T_STR_NULLPAD, H5T_CSET_ASCII);
    hid_t packed = H5Pcreate(H5P_DATASET_CREATE);
    char *zeros = calloc(wide, 1023);
    assert_non_null(zeros);
    assert_true(H5Pset_chunk(packed, 1, &(hsize_t){1000}) >= 0 && H5Pset_deflate(packed, 9) >= 0);
    h5_add_dataset(file, "/many", byte, 1, &many, H5P_DEFAULT, byte, zeros);
    h5_add_dataset(file, "/wide", kilo, 1, &wide, packed, kilo, zeros);
    free(zeros);
    h5_close_id(packed);
    h5_close_id(kilo);
    h5_close_id(byte);
    dt_h5 *h5 = h5_reopen(file);
    assert_data(dt_h5_read_texts(&names, h5, "/many"), "100001 texts", "at most 100000");
    assert_data(dt_h5_read_texts(&names, h5, "/wide"), "65601 texts of 1023 bytes", "67108864");
    assert_null(names.texts);
    dt_h5_free(h5);
}

/* All elements name the same text of the heap, so that together they are far more than the file. */
static void test_texts_that_multiply(void **state)
{
    (void)state;
    enum { TEXTS = 1000, BYTES = 100000 };
    const hsize_t count = TEXTS;
    char *large = malloc(BYTES + 1);
    const char **texts = calloc(TEXTS, sizeof *texts);
    size_t bytes = 0;
    dt_h5_names names;
    assert_true(large != NULL && texts != NULL);
    memset(large, 'x', BYTES);
    large[BYTES] = '\0';
    for (int i = 0; i < TEXTS; i++)
        texts[i] = i == 0 ? large : "y";
    hid_t file = h5_create();
    hid_t type = h5_text_type(H5T_VARIABLE, H5T_STR_NULLTERM, H5T_CSET_UTF8);
    h5_add_dataset(file, "/texts", type, 1, &count, H5P_DEFAULT, type, texts);
    hid_t dataset = H5Dopen2(file, "/texts", H5P_DEFAULT);
    const size_t at = H5Dget_offset(dataset);
    h5_close_id(dataset);
    h5_close_id(type);
    dt_h5 *h5 = h5_reopen(file);
    assert_ok(dt_h5_read_texts(&names, h5, "/texts"));
    assert_names(&names, texts, TEXTS);
    dt_h5_free(h5);

    unsigned char *whole = scratch_read(scratch_path("file.h5"), &bytes);
    assert_true(whole != NULL && at + 16u * TEXTS <= bytes);
    for (size_t i = 1; i < TEXTS; i++)
        memcpy(whole + at + 16 * i, whole + at, 16);
    assert_ok(dt_h5_open_image(&h5, whole, bytes, "bomb.h5"));
    assert_data(dt_h5_read_texts(&names, h5, "/texts"), "bomb.h5: /texts",
                "more than the file holds");
    assert_null(names.texts);
    dt_h5_free(h5);
    free(whole);
    free(texts);
    free(large);
}

/* ---- columns of texts ---- */

typedef struct row {
    int32_t number;
    char name[6];
    char host[12];
} row;

static const dt_h5_column columns[] = {
    {"number", NULL, DT_H5_I32, DT_H5_FIELD(row, number)},
    {"name", NULL, DT_H5_TEXT, DT_H5_FIELD(row, name)},
    {"host", NULL, DT_H5_TEXT, DT_H5_FIELD(row, host)},
};
static const dt_h5_table table = DT_H5_TABLE(columns, row);

static void test_columns_of_texts(void **state)
{
    (void)state;
    static const row rows[] = {{1, "ab", "n01.cluster"}, {2, "", "n02"}, {3, "abcde", "z\xc3\xbc"}};
    static const char *const hosts[] = {"n01.cluster", "n02", "z\xc3\xbc"}, *const written[] = {
                                                                                "ab", "", "abcde"};
    dt_h5_names names;
    dt_h5 *h5 = NULL;
    assert_ok(dt_h5_new(&h5));
    assert_ok(dt_h5_make_table(h5, "/ranks", &table));
    assert_ok(dt_h5_make_table(h5, "/empty", &table));
    assert_ok(dt_h5_append_rows(h5, "/ranks", &table, rows, 3));
    assert_ok(dt_h5_write_texts(h5, "/texts", hosts, 3));
    for (int saved = 0; saved < 2; saved++) {
        if (saved)
            reopen(&h5);
        assert_ok(dt_h5_read_column_texts(&names, h5, "/ranks", "host"));
        assert_names(&names, hosts, 3);
        assert_ok(dt_h5_read_column_texts(&names, h5, "/ranks", "name"));
        assert_names(&names, written, 3);
        assert_ok(dt_h5_read_column_texts(&names, h5, "/empty", "name"));
        assert_names(&names, NULL, 0);
    }
    assert_data(dt_h5_read_column_texts(&names, h5, "/ranks", "number"), "column number",
                "expected text, found integers");
    assert_data(dt_h5_read_column_texts(&names, h5, "/empty", "number"), "column number");
    assert_data(dt_h5_read_column_texts(&names, h5, "/ranks", "none"), "/ranks has no column none");
    assert_data(dt_h5_read_column_texts(&names, h5, "/texts", "host"), "expected a table");
    assert_data(dt_h5_read_texts(&names, h5, "/ranks"), "list of texts", "a table");
    assert_null(names.texts);
    dt_h5_free(h5);
}

static void test_foreign_columns(void **state)
{
    (void)state;
    struct {
        double x;
        const char *text;
    } rows[] = {{1, "gr\xc3\xbc\xc3\x9f"}, {2, ""}};
    static const char *const expected[] = {"gr\xc3\xbc\xc3\x9f", ""};
    const hsize_t two = 2;
    dt_h5_names names;
    hid_t file = h5_create();
    hid_t variable = h5_text_type(H5T_VARIABLE, H5T_STR_NULLTERM, H5T_CSET_UTF8);
    hid_t pair = H5Tcreate(H5T_COMPOUND, sizeof rows[0]);
    assert_true(H5Tinsert(pair, "x", 0, H5T_NATIVE_DOUBLE) >= 0 &&
                H5Tinsert(pair, "text", 8, variable) >= 0);
    h5_add_dataset(file, "/table", pair, 1, &two, H5P_DEFAULT, pair, rows);
    h5_close_id(pair);
    h5_close_id(variable);
    dt_h5 *h5 = h5_reopen(file);
    assert_ok(dt_h5_read_column_texts(&names, h5, "/table", "text"));
    assert_names(&names, expected, 2);
    dt_h5_free(h5);
}

/* ---- files in memory ---- */

static void test_image(void **state)
{
    (void)state;
    static const char *const texts[] = {"a", "bc"};
    const float data[] = {1, 2, 3};
    float read[3] = {0};
    void *image = NULL;
    size_t bytes = 0, saved_bytes = 0;
    int64_t value = 0;
    dt_h5_names names;
    dt_h5 *written = NULL, *one = NULL, *two = NULL;
    assert_ok(dt_h5_new(&written));
    assert_ok(dt_h5_write_array(written, "/g/data", DT_H5_F32, 1, (const uint64_t[]){3}, data));
    assert_ok(dt_h5_write_texts(written, "/texts", texts, 2));
    assert_ok(dt_h5_set_int(written, "/", "value", 7));
    assert_ok(dt_h5_image(&image, &bytes, written));
    assert_ok(dt_h5_save(written, scratch_path("file.h5")));
    unsigned char *saved = scratch_read(scratch_path("file.h5"), &saved_bytes);
    assert_int_equal(bytes, saved_bytes);
    assert_memory_equal(image, saved, bytes);
    free(saved);
    assert_ok(dt_h5_set_int(written, "/", "value", 8)); /* it can be gone on with */

    assert_ok(dt_h5_open_image(&one, image, bytes, "model.weights.h5"));
    assert_ok(dt_h5_open_image(&two, image, bytes, "again"));
    memset(image, 0, bytes); /* a copy is kept */
    dt_memory_free(image);
    assert_int_equal(dt_h5_bytes(one), bytes);
    dt_h5_free(two);
    dt_h5_free(written);
    assert_ok(dt_h5_read_f32(one, "/g/data", read, 3));
    assert_memory_equal(read, data, sizeof data);
    assert_ok(dt_h5_get_int(&value, one, "/", "value"));
    assert_int_equal(value, 7);
    assert_ok(dt_h5_list_members(&names, one, "/"));
    assert_names(&names, (const char *const[]){"g", "texts"}, 2);
    assert_ok(dt_h5_read_texts(&names, one, "/texts"));
    assert_names(&names, texts, 2);
    assert_data(dt_h5_read_f32(one, "/none", read, 3), "model.weights.h5: it has no /none");
    assert_status(dt_h5_set_int(one, "/", "value", 9), DT_OUTPUT);
    assert_status(dt_h5_write_texts(one, "/new", texts, 2), DT_OUTPUT);
    assert_ok(dt_h5_get_int(&value, one, "/", "value"));
    assert_int_equal(value, 7);
    dt_h5_free(one);
}

static void refuse_image(const void *image, size_t bytes, const char *part)
{
    dt_h5 *h5 = (dt_h5 *)&h5;
    /* Its own block, so that a byte read too many is seen. */
    unsigned char *copy = malloc(bytes + (bytes == 0));
    assert_non_null(copy);
    memcpy(copy, image, bytes);
    assert_status(dt_h5_open_image(&h5, copy, bytes, "inner.h5"), DT_DATA);
    assert_null(h5);
    if (strstr(dt_status_text(), part) == NULL || strncmp(dt_status_text(), "inner.h5: ", 10) != 0)
        fail_msg("no \"%s\" in: %s", part, dt_status_text());
    free(copy);
}

static void test_other_images(void **state)
{
    (void)state;
    void *image = NULL;
    size_t bytes = 0;
    dt_h5 *h5 = NULL;
    refuse_image("", 0, "is empty");
    refuse_image("P", 1, "is not an HDF5 file");
    refuse_image("a,b\n1,2\n", 8, "is not an HDF5 file");
    refuse_image("PK\3\4rest", 8, "ZIP archive");
    refuse_image("\x89HDF\r\n\x1a\n", 8, "damaged HDF5 file");
    assert_ok(dt_h5_new(&h5));
    assert_ok(dt_h5_set_int(h5, "/", "value", 7));
    assert_ok(dt_h5_image(&image, &bytes, h5));
    dt_h5_free(h5);
    bytes -= 16; /* the checksum behind the end */
    for (size_t cut = 1; cut < bytes; cut += cut < 128 ? 1 : 61)
        refuse_image(image, cut,
                     cut < 8    ? "is not an HDF5 file"
                     : cut < 96 ? "HDF5 file"
                                : "trunc");
    refuse_image(image, bytes - 1, "truncated HDF5 file");
    assert_ok(dt_h5_open_image(&h5, image, bytes, "inner.h5"));
    dt_h5_free(h5);
    dt_memory_free(image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_own_texts, scratch_empty),
        cmocka_unit_test_teardown(test_texts_that_are_not_written, scratch_empty),
        cmocka_unit_test_teardown(test_foreign_texts, scratch_empty),
        cmocka_unit_test_teardown(test_too_many_texts, scratch_empty),
        cmocka_unit_test_teardown(test_texts_that_multiply, scratch_empty),
        cmocka_unit_test_teardown(test_columns_of_texts, scratch_empty),
        cmocka_unit_test_teardown(test_foreign_columns, scratch_empty),
        cmocka_unit_test_teardown(test_image, scratch_empty),
        cmocka_unit_test_teardown(test_other_images, scratch_empty),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
