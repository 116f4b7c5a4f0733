/*
 * Reading HDF5: opening files, descriptions, attributes, lists. HDF5 alone writes the files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "h5_files.h"

#include "dtrain/base/memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

/* ---- opening ---- */

static void refuse_content(const void *content, size_t bytes, const char *part)
{
    dt_h5 *h5 = (dt_h5 *)&h5;
    assert_true(scratch_write(scratch_path("file.h5"), content, bytes));
    assert_status(dt_h5_open(&h5, scratch_path("file.h5")), DT_DATA);
    assert_null(h5);
    if (strstr(dt_status_text(), part) == NULL || strstr(dt_status_text(), "file.h5") == NULL)
        fail_msg("no \"%s\" in: %s", part, dt_status_text());
}

static void test_other_files(void **state)
{
    (void)state;
    dt_h5 *h5 = NULL;
    refuse_content("", 0, "is empty");
    refuse_content("a,b\n1,2\n", 8, "is not an HDF5 file");
    refuse_content("P", 1, "is not an HDF5 file");
    refuse_content("PK\3\4rest", 8, "ZIP archive (.npz, .keras)");
    refuse_content("\n <!DOCTYPE html><html>", 23, "HTML page");
    refuse_content("version https://git-lfs.github.com/spec/v1\n", 43, "Git LFS pointer");
    refuse_content("\x89HDF\r\n\x1a\n", 8, "damaged HDF5 file");
    assert_data(dt_h5_open(&h5, scratch_path("none.h5")), "none.h5", "No such file");
    assert_data(dt_h5_open(&h5, scratch_folder), "is a folder");
    assert_int_equal(mkfifo(scratch_path("pipe"), 0600), 0);
    assert_data(dt_h5_open(&h5, scratch_path("pipe")), "not a regular file");
    assert_null(h5);
}

static void make_small_file(void)
{
    const float data[] = {1, 2, 3};
    const hsize_t shape = 3;
    const int value = 7;
    hid_t file = h5_create();
    h5_add_dataset(file, "/group/data", H5T_IEEE_F32LE, 1, &shape, H5P_DEFAULT, H5T_NATIVE_FLOAT,
                   data);
    h5_add_attribute(file, "value", H5T_STD_I32LE, 0, NULL, &value);
    h5_close_id(file);
}

/* HDF5 knows from its superblock how long the file should be. */
static void test_truncated(void **state)
{
    (void)state;
    size_t bytes = 0;
    make_small_file();
    unsigned char *whole = scratch_read(scratch_path("file.h5"), &bytes);
    assert_non_null(whole);
    for (size_t cut = 1; cut < bytes; cut += cut < 128 ? 1 : 61)
        refuse_content(whole, cut,
                       cut < 8    ? "is not an HDF5 file"
                       : cut < 96 ? "HDF5 file"
                                  : "trunc");
    refuse_content(whole, bytes - 1, "truncated HDF5 file");
    free(whole);
}

/* Another process holds a lock that HDF5 would honour: the file is read all the same, and no byte
 * of it changes. */
static void test_neither_locks_nor_writes(void **state)
{
    (void)state;
    size_t bytes = 0, bytes_after = 0;
    dt_h5 *h5 = NULL;
    int64_t value = 0;
    float data[3];
    make_small_file();
    assert_int_equal(chmod(scratch_path("file.h5"), 0444), 0);
    unsigned char *before = scratch_read(scratch_path("file.h5"), &bytes);
#if H5_VERSION_GE(1, 12, 1) || (H5_VERSION_GE(1, 10, 7) && !H5_VERSION_GE(1, 12, 0))
    int other = open(scratch_path("file.h5"), O_RDONLY);
    assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
    if (getenv("HDF5_USE_FILE_LOCKING") == NULL)
        assert_true(H5Fopen(scratch_path("file.h5"), H5F_ACC_RDONLY, H5P_DEFAULT) < 0);
#else
    int other = -1;
#endif
    assert_ok(dt_h5_open(&h5, scratch_path("file.h5")));
    assert_int_equal(dt_h5_bytes(h5), bytes);
    assert_ok(dt_h5_get_int(&value, h5, "/", "value"));
    assert_ok(dt_h5_read_f32(h5, "/group/data", data, 3));
    assert_status(dt_h5_set_int(h5, "/", "value", 8), DT_OUTPUT);
    assert_status(dt_h5_make_group(h5, "/new"), DT_OUTPUT);
    dt_h5_free(h5);
    if (other >= 0)
        (void)close(other);
    unsigned char *after = scratch_read(scratch_path("file.h5"), &bytes_after);
    assert_int_equal(bytes_after, bytes);
    assert_memory_equal(after, before, bytes);
    free(before);
    free(after);
}

/* ---- what is there ---- */

static void test_has(void **state)
{
    (void)state;
    const int value = 1;
    const hsize_t shape = 1;
    hid_t file = h5_create();
    h5_add_dataset(file, "/a/b/data", H5T_STD_I32LE, 1, &shape, H5P_DEFAULT, H5T_NATIVE_INT,
                   &value);
    assert_true(H5Lcreate_soft("/a/b", file, "/soft", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    assert_true(H5Lcreate_external("x.h5", "/a", file, "/external", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    assert_true(H5Lcreate_hard(file, "/", file, "/a/again", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    hid_t group = H5Gopen2(file, "/a", H5P_DEFAULT);
    h5_add_attribute(group, "value", H5T_STD_I32LE, 0, NULL, &value);
    h5_close_id(group);
    hid_t type = H5Tcopy(H5T_STD_I32LE);
    assert_true(H5Tcommit2(file, "/type", type, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT) >= 0);
    h5_close_id(type);
    dt_h5 *h5 = h5_reopen(file);
    assert_int_equal(dt_h5_has(h5, "/"), DT_H5_GROUP);
    assert_int_equal(dt_h5_has(h5, "/a/b"), DT_H5_GROUP);
    assert_int_equal(dt_h5_has(h5, "/a//b/"), DT_H5_GROUP);
    assert_int_equal(dt_h5_has(h5, "/a/b/data"), DT_H5_DATASET);
    assert_int_equal(dt_h5_has(h5, "/a/again/a/b/data"), DT_H5_DATASET);
    assert_int_equal(dt_h5_has(h5, "/type"), DT_H5_OTHER);
    assert_int_equal(dt_h5_has(h5, "/soft"), DT_H5_OTHER);
    assert_int_equal(dt_h5_has(h5, "/soft/data"), DT_H5_OTHER);
    assert_int_equal(dt_h5_has(h5, "/external/b"), DT_H5_OTHER);
    assert_int_equal(dt_h5_has(h5, "/none"), DT_H5_NOTHING);
    assert_int_equal(dt_h5_has(h5, "/a/b/data/below"), DT_H5_NOTHING);
    assert_int_equal(dt_h5_has(h5, "a"), DT_H5_NOTHING);
    assert_int_equal(dt_h5_has(h5, ""), DT_H5_NOTHING);
    assert_true(dt_h5_has_attribute(h5, "/a", "value"));
    assert_false(dt_h5_has_attribute(h5, "/", "value"));
    assert_false(dt_h5_has_attribute(h5, "/none", "value"));
    assert_true(dt_h5_has_attribute(h5, "/a/again/a", "value"));
    assert_false(dt_h5_has_attribute(h5, "/soft/..", "value"));
    char long_path[6000];
    memset(long_path, '/', sizeof long_path);
    long_path[sizeof long_path - 1] = '\0';
    assert_int_equal(dt_h5_has(h5, long_path), DT_H5_NOTHING);
    dt_h5_free(h5);
}

static void test_lists(void **state)
{
    (void)state;
    const int value = 1;
    dt_h5_names names;
    hid_t file = h5_create();
    for (int i = 40; i-- > 0;) {
        char name[16];
        (void)snprintf(name, sizeof name, "g%02d", i);
        h5_close_id(H5Gcreate2(file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
        h5_add_attribute(file, name, H5T_STD_I32LE, 0, NULL, &value);
    }
    h5_add_dataset(file, "/data", H5T_STD_I32LE, 0, NULL, H5P_DEFAULT, H5T_NATIVE_INT, &value);
    assert_true(H5Lcreate_soft("/none", file, "/z", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    dt_h5 *h5 = h5_reopen(file);
    assert_ok(dt_h5_list_members(&names, h5, "/"));
    assert_int_equal(names.count, 42);
    assert_string_equal(names.texts[0], "data");
    assert_string_equal(names.texts[1], "g00");
    assert_string_equal(names.texts[40], "g39");
    assert_string_equal(names.texts[41], "z");
    dt_h5_names_clear(&names);
    assert_ok(dt_h5_list_attributes(&names, h5, "/"));
    assert_int_equal(names.count, 40);
    assert_string_equal(names.texts[0], "g00");
    dt_h5_names_clear(&names);
    assert_ok(dt_h5_list_attributes(&names, h5, "/data"));
    assert_int_equal(names.count, 0);
    assert_ok(dt_h5_list_members(&names, h5, "/g07"));
    assert_int_equal(names.count, 0);
    assert_data(dt_h5_list_members(&names, h5, "/data"), "/data is not a group");
    assert_data(dt_h5_list_members(&names, h5, "/none"), "no /none");
    assert_data(dt_h5_list_attributes(&names, h5, "/z"), "link");
    assert_null(names.texts);
    dt_h5_free(h5);
}

static void test_too_many_members(void **state)
{
    (void)state;
    dt_h5_names names;
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    assert_true(H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST) >= 0);
    hid_t file = H5Fcreate(scratch_path("file.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, access);
    assert_true(file >= 0);
    for (int i = 0; i <= DT_H5_NAMES_MAX; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "%d", i);
        assert_true(H5Lcreate_soft("/", file, name, H5P_DEFAULT, H5P_DEFAULT) >= 0);
    }
    h5_close_id(access);
    dt_h5 *h5 = h5_reopen(file);
    assert_data(dt_h5_list_members(&names, h5, "/"), "/ has more than 100000 names");
    assert_null(names.texts);
    dt_h5_free(h5);
}

/* ---- attributes ---- */

static void test_texts_of_all_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t bytes;
        H5T_str_t padding;
        const char *value, *expected;
    } fixed[] = {
        {"terminated", 8, H5T_STR_NULLTERM, "abc\0xyz", "abc"},
        {"padded", 4, H5T_STR_NULLPAD, "abcd", "abcd"},
        {"spaces", 6, H5T_STR_SPACEPAD, " ab   ", " ab"},
        {"all spaces", 3, H5T_STR_SPACEPAD, "   ", ""},
        {"kept", 3, H5T_STR_NULLPAD, "a  ", "a  "},
    };
    const char *one = "gr\xc3\xbc\xc3\x9f", *empty = "";
    const hsize_t shape = 1;
    char *text = NULL;
    hid_t file = h5_create();
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        hid_t type = h5_text_type(fixed[i].bytes, fixed[i].padding, H5T_CSET_ASCII);
        h5_add_attribute(file, fixed[i].name, type, i % 2, &shape, fixed[i].value);
        h5_close_id(type);
    }
    hid_t utf8 = h5_text_type(H5T_VARIABLE, H5T_STR_NULLTERM, H5T_CSET_UTF8);
    hid_t ascii = h5_text_type(H5T_VARIABLE, H5T_STR_NULLTERM, H5T_CSET_ASCII);
    h5_add_attribute(file, "utf-8", utf8, 0, NULL, &one);
    h5_add_attribute(file, "ascii", ascii, 1, &shape, &one);
    h5_add_attribute(file, "empty", ascii, 0, NULL, &empty);
    h5_add_attribute(file, "never written", utf8, 0, NULL, NULL);
    h5_close_id(utf8);
    h5_close_id(ascii);
    dt_h5 *h5 = h5_reopen(file);
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        assert_ok(dt_h5_get_text(&text, h5, "/", fixed[i].name));
        assert_string_equal(text, fixed[i].expected);
        dt_memory_free(text);
    }
    static const char *const others[][2] = {{"utf-8", "gr\xc3\xbc\xc3\x9f"},
                                            {"ascii", "gr\xc3\xbc\xc3\x9f"},
                                            {"empty", ""},
                                            {"never written", ""}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_ok(dt_h5_get_text(&text, h5, "/", others[i][0]));
        assert_string_equal(text, others[i][1]);
        dt_memory_free(text);
    }
    dt_h5_free(h5);
}

static void test_no_text(void **state)
{
    (void)state;
    const char *two[] = {"a", "b"};
    const hsize_t shape[] = {2, 1};
    const int number = 1;
    char *text = NULL;
    hid_t file = h5_create();
    hid_t type = h5_text_type(H5T_VARIABLE, H5T_STR_NULLTERM, H5T_CSET_UTF8);
    h5_add_attribute(file, "two", type, 1, shape, two);
    h5_add_attribute(file, "null", type, -1, NULL, NULL);
    h5_add_attribute(file, "number", H5T_STD_I32LE, 0, NULL, &number);
    h5_close_id(type);
    dt_h5 *h5 = h5_reopen(file);
    assert_data(dt_h5_get_text(&text, h5, "/", "two"), "two of /", "one text", "2 values");
    assert_data(dt_h5_get_text(&text, h5, "/", "null"), "one text", "0 values");
    assert_data(dt_h5_get_text(&text, h5, "/", "number"), "one text", "found integers");
    assert_data(dt_h5_get_text(&text, h5, "/", "none"), "file.h5", "no attribute none of /");
    assert_data(dt_h5_get_text(&text, h5, "/none", "x"), "no /none");
    assert_null(text);
    dt_h5_free(h5);
}

/* The largest text that is read, and one more byte. */
static void test_long_texts(void **state)
{
    (void)state;
    char *large = malloc((size_t)DT_H5_TEXT_BYTES_MAX + 2), *text = NULL;
    const char *value = large;
    assert_non_null(large);
    memset(large, 'x', (size_t)DT_H5_TEXT_BYTES_MAX + 1);
    large[DT_H5_TEXT_BYTES_MAX + 1] = '\0';
    hid_t file = h5_create();
    hid_t type = h5_text_type(H5T_VARIABLE, H5T_STR_NULLTERM, H5T_CSET_UTF8);
    h5_add_attribute(file, "too long", type, 0, NULL, &value);
    large[DT_H5_TEXT_BYTES_MAX] = '\0';
    h5_add_attribute(file, "long", type, 0, NULL, &value);
    h5_close_id(type);
    dt_h5 *h5 = h5_reopen(file);
    assert_data(dt_h5_get_text(&text, h5, "/", "too long"), "too long of /", "67108865 bytes");
    assert_null(text);
    assert_ok(dt_h5_get_text(&text, h5, "/", "long"));
    assert_int_equal(strlen(text), DT_H5_TEXT_BYTES_MAX);
    dt_memory_free(text);
    dt_h5_free(h5);
    free(large);
}

static void test_lists_of_texts(void **state)
{
    (void)state;
    const char *three[] = {"a", "", "gr\xc3\xbc\xc3\x9f"};
    const hsize_t shape[] = {3, 1}, none = 0, many = DT_H5_NAMES_MAX + 1;
    dt_h5_names names;
    char *lot = calloc(many, 1);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    /* Only newer formats hold attributes above 64 KiB. */
    assert_true(H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST) >= 0);
    hid_t file = H5Fcreate(scratch_path("file.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, access);
    assert_true(file >= 0);
    hid_t variable = h5_text_type(H5T_VARIABLE, H5T_STR_NULLTERM, H5T_CSET_UTF8);
    hid_t fixed = h5_text_type(2, H5T_STR_NULLPAD, H5T_CSET_ASCII);
    hid_t byte = h5_text_type(1, H5T_STR_NULLPAD, H5T_CSET_ASCII);
    h5_add_attribute(file, "variable", variable, 1, shape, three);
    h5_add_attribute(file, "fixed", fixed, 1, shape, "ab\0\0c\0");
    h5_add_attribute(file, "empty", H5T_IEEE_F64LE, 1, &none, NULL);
    h5_add_attribute(file, "flat", variable, 2, shape, three);
    h5_add_attribute(file, "scalar", variable, 0, NULL, three);
    h5_add_attribute(file, "many", byte, 1, &many, lot);
    h5_close_id(byte);
    h5_close_id(fixed);
    h5_close_id(variable);
    h5_close_id(access);
    dt_h5 *h5 = h5_reopen(file);
    assert_ok(dt_h5_get_texts(&names, h5, "/", "variable"));
    assert_int_equal(names.count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(names.texts[i], three[i]);
    dt_h5_names_clear(&names);
    assert_ok(dt_h5_get_texts(&names, h5, "/", "fixed"));
    assert_int_equal(names.count, 3);
    assert_string_equal(names.texts[0], "ab");
    assert_string_equal(names.texts[1], "");
    assert_string_equal(names.texts[2], "c");
    dt_h5_names_clear(&names);
    assert_ok(dt_h5_get_texts(&names, h5, "/", "empty"));
    assert_int_equal(names.count, 0);
    assert_data(dt_h5_get_texts(&names, h5, "/", "flat"), "list of texts", "2 dimensions");
    assert_data(dt_h5_get_texts(&names, h5, "/", "scalar"), "list of texts");
    assert_data(dt_h5_get_texts(&names, h5, "/", "many"), "100001 texts", "at most 100000");
    assert_null(names.texts);
    dt_h5_free(h5);
    free(lot);
}

static void test_numbers(void **state)
{
    (void)state;
    const int64_t negative = -5;
    const uint64_t huge = UINT64_MAX;
    const double half = 0.5;
    const float third = 1.0f / 3.0f;
    const hsize_t two = 2;
    const int pair[] = {1, 2};
    int64_t integer = 0;
    double number = 0;
    hid_t file = h5_create();
    hid_t byte = H5Tcopy(H5T_STD_I8BE);
    h5_add_attribute(file, "negative", H5T_NATIVE_INT64, 0, NULL, &negative);
    h5_add_attribute(file, "huge", H5T_NATIVE_UINT64, 0, NULL, &huge);
    h5_add_attribute(file, "half", H5T_NATIVE_DOUBLE, 0, NULL, &half);
    h5_add_attribute(file, "third", H5T_NATIVE_FLOAT, 0, NULL, &third);
    h5_add_attribute(file, "pair", H5T_NATIVE_INT, 1, &two, pair);
    h5_add_attribute(file, "byte", byte, 0, NULL, &(signed char){-7});
    hid_t truth = H5Tenum_create(H5T_NATIVE_INT8);
    assert_true(H5Tenum_insert(truth, "TRUE", &(signed char){1}) >= 0);
    h5_add_attribute(file, "truth", truth, 0, NULL, &(signed char){1});
    h5_close_id(truth);
    h5_close_id(byte);
    dt_h5 *h5 = h5_reopen(file);
    assert_ok(dt_h5_get_int(&integer, h5, "/", "negative"));
    assert_int_equal(integer, -5);
    assert_ok(dt_h5_get_int(&integer, h5, "/", "byte"));
    assert_int_equal(integer, -7);
    assert_ok(dt_h5_get_int(&integer, h5, "/", "huge"));
    assert_true(integer == INT64_MAX);
    assert_ok(dt_h5_get_double(&number, h5, "/", "half"));
    assert_true(number > 0.4999 && number < 0.5001);
    assert_ok(dt_h5_get_double(&number, h5, "/", "third"));
    assert_memory_equal(&number, &(double){(double)third}, sizeof number);
    assert_ok(dt_h5_get_double(&number, h5, "/", "negative"));
    assert_memory_equal(&number, &(double){-5.0}, sizeof number);
    assert_data(dt_h5_get_int(&integer, h5, "/", "half"), "one integer", "floating-point");
    assert_data(dt_h5_get_int(&integer, h5, "/", "pair"), "one integer", "2 values");
    assert_data(dt_h5_get_double(&number, h5, "/", "pair"), "one number");
    assert_data(dt_h5_get_int(&integer, h5, "/", "truth"), "another type");
    dt_h5_shape shape;
    assert_ok(dt_h5_describe_attribute(&shape, h5, "/", "pair"));
    assert_int_equal(shape.class, DT_H5_CLASS_INT);
    assert_int_equal(shape.dims, 1);
    assert_int_equal(shape.extent[0], 2);
    assert_int_equal(shape.count, 2);
    assert_int_equal(shape.element_bytes, 4);
    assert_data(dt_h5_describe_attribute(&shape, h5, "/", "none"), "no attribute none");
    dt_h5_free(h5);
}

/* What dtrain writes it reads, also before it is saved. */
static void test_own_attributes(void **state)
{
    (void)state;
    const char *const texts[] = {"no", "yes"};
    char *text = NULL;
    int64_t integer = 0;
    double number = 0;
    dt_h5_names names;
    dt_h5 *h5 = NULL;
    assert_ok(dt_h5_new(&h5));
    assert_ok(dt_h5_make_group(h5, "/g"));
    assert_ok(dt_h5_set_text(h5, "/g", "text", "value"));
    assert_ok(dt_h5_set_int(h5, "/g", "int", INT64_MIN));
    assert_ok(dt_h5_set_double(h5, "/g", "double", 0.1));
    assert_ok(dt_h5_set_texts(h5, "/g", "texts", texts, 2));
    assert_ok(dt_h5_save(h5, scratch_path("file.h5")));
    for (int saved = 0; saved < 2; saved++) {
        if (saved) {
            dt_h5_free(h5);
            assert_ok(dt_h5_open(&h5, scratch_path("file.h5")));
        }
        assert_ok(dt_h5_get_text(&text, h5, "/g", "text"));
        assert_string_equal(text, "value");
        dt_memory_free(text);
        assert_ok(dt_h5_get_int(&integer, h5, "/g", "int"));
        assert_true(integer == INT64_MIN);
        assert_ok(dt_h5_get_double(&number, h5, "/g", "double"));
        assert_memory_equal(&number, &(double){0.1}, sizeof number);
        assert_ok(dt_h5_get_texts(&names, h5, "/g", "texts"));
        assert_int_equal(names.count, 2);
        assert_string_equal(names.texts[1], "yes");
        dt_h5_names_clear(&names);
    }
    dt_h5_free(h5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_other_files, scratch_empty),
        cmocka_unit_test_teardown(test_truncated, scratch_empty),
        cmocka_unit_test_teardown(test_neither_locks_nor_writes, scratch_empty),
        cmocka_unit_test_teardown(test_has, scratch_empty),
        cmocka_unit_test_teardown(test_lists, scratch_empty),
        cmocka_unit_test_teardown(test_too_many_members, scratch_empty),
        cmocka_unit_test_teardown(test_texts_of_all_kinds, scratch_empty),
        cmocka_unit_test_teardown(test_no_text, scratch_empty),
        cmocka_unit_test_teardown(test_long_texts, scratch_empty),
        cmocka_unit_test_teardown(test_lists_of_texts, scratch_empty),
        cmocka_unit_test_teardown(test_numbers, scratch_empty),
        cmocka_unit_test_teardown(test_own_attributes, scratch_empty),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
