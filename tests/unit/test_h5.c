#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/io/h5.h"
#include "h5_reading.h"

#include <dirent.h>
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char folder[] = "/tmp/dtrain-test-h5-XXXXXX";

enum { PATH_BYTES = 128 };

/* The file that a test builds, and where it saves it. */
typedef struct fixture {
    dt_h5 *h5;
    char path[PATH_BYTES];
} fixture;

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static int start(void **state)
{
    static fixture f;
    (void)snprintf(f.path, sizeof f.path, "%s/file.h5", folder);
    *state = &f;
    return dt_h5_new(&f.h5) != DT_OK;
}

/* Also looks that the test left nothing else behind: no temporary file, above all. */
static int stop(void **state)
{
    fixture *f = *state;
    dt_h5_free(f->h5);
    (void)unlink(f->path);
    int found = 0;
    DIR *stream = opendir(folder);
    for (struct dirent *entry = readdir(stream); entry != NULL; entry = readdir(stream))
        if (entry->d_name[0] != '.') {
            print_error("left behind: %s\n", entry->d_name);
            found = 1;
        }
    closedir(stream);
    return found;
}

#define assert_text_has(part)                                                                      \
    do {                                                                                           \
        if (strstr(dt_status_text(), (part)) == NULL)                                              \
            fail_msg("no \"%s\" in: %s", (part), dt_status_text());                                \
    } while (0)

/* Saves the file and opens it as any reader would. */
static hid_t reopen(fixture *f)
{
    assert_ok(dt_h5_save(f->h5, f->path));
    hid_t file = H5Fopen(f->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(file >= 0);
    return file;
}

static unsigned char *read_bytes(const char *path, size_t *bytes)
{
    FILE *stream = fopen(path, "rb");
    assert_non_null(stream);
    assert_int_equal(fseek(stream, 0, SEEK_END), 0);
    *bytes = (size_t)ftell(stream);
    rewind(stream);
    unsigned char *data = malloc(*bytes + 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, *bytes, stream), *bytes);
    data[*bytes] = 0;
    fclose(stream);
    return data;
}

static void assert_number(hid_t file, const char *path, const char *name, hid_t stored,
                          hid_t native, const void *expected)
{
    unsigned char value[8] = {0};
    hid_t attribute = H5Aopen_by_name(file, path, name, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(attribute >= 0);
    hid_t type = H5Aget_type(attribute);
    hid_t space = H5Aget_space(attribute);
    assert_true(H5Tequal(type, stored) > 0);
    assert_int_equal(H5Sget_simple_extent_type(space), H5S_SCALAR);
    assert_true(H5Aread(attribute, native, value) >= 0);
    assert_memory_equal(value, expected, sizeof value);
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attribute);
}

static void test_scalar_attributes(void **state)
{
    fixture *f = *state;
    const int64_t smallest = INT64_MIN;
    const double third = 1.0 / 3.0;
    assert_ok(dt_h5_make_group(f->h5, "/config"));
    assert_ok(dt_h5_set_text(f->h5, "/", "place", "Z\xc3\xbcrich"));
    assert_ok(dt_h5_set_text(f->h5, "/config", "nothing", ""));
    assert_ok(dt_h5_set_int(f->h5, "/config", "seed", smallest));
    assert_ok(dt_h5_set_double(f->h5, "/config", "rate", third));
    hid_t file = reopen(f);
    assert_h5_text(file, "/", "place", "Z\xc3\xbcrich");
    assert_h5_text(file, "/config", "nothing", "");
    assert_number(file, "/config", "seed", H5T_STD_I64LE, H5T_NATIVE_INT64, &smallest);
    assert_number(file, "/config", "rate", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &third);
    H5Fclose(file);
}

/* A Keras model's JSON passes the 64 KiB that an attribute itself can hold. */
static void test_long_text(void **state)
{
    fixture *f = *state;
    enum { LONG = 300000 };
    char *text = malloc(LONG + 1);
    assert_non_null(text);
    for (int i = 0; i < LONG; i++)
        text[i] = (char)('a' + i % 23);
    text[LONG] = '\0';
    assert_ok(dt_h5_set_text(f->h5, "/", "long", text));
    hid_t file = reopen(f);
    assert_h5_text(file, "/", "long", text);
    H5Fclose(file);
    free(text);
}

static void test_text_lists(void **state)
{
    fixture *f = *state;
    const char *const names[] = {"dense", "caf\xc3\xa9", "dense_2"};
    assert_ok(dt_h5_set_texts(f->h5, "/", "names", names, 3));
    assert_ok(dt_h5_set_texts(f->h5, "/", "empty", NULL, 0));
    hid_t file = reopen(f);
    assert_h5_texts(file, "/", "names", names, 3);
    assert_h5_texts(file, "/", "empty", NULL, 0);
    H5Fclose(file);
}

static void test_longest_text_list(void **state)
{
    fixture *f = *state;
    const char *texts[DT_H5_TEXTS_MAX + 1];
    for (size_t i = 0; i <= DT_H5_TEXTS_MAX; i++)
        texts[i] = i % 2 == 0 ? "even" : "odd";
    assert_ok(dt_h5_set_texts(f->h5, "/", "names", texts, DT_H5_TEXTS_MAX));
    assert_status(dt_h5_set_texts(f->h5, "/", "names", texts, DT_H5_TEXTS_MAX + 1), DT_OUTPUT);
    assert_string_equal(dt_status_text(),
                        "HDF5: cannot set the attribute names of /: 4033 texts, at most 4032");
    hid_t file = reopen(f);
    assert_h5_texts(file, "/", "names", texts, DT_H5_TEXTS_MAX);
    H5Fclose(file);
}

static void test_attributes_are_replaced(void **state)
{
    fixture *f = *state;
    const char *const list[] = {"a", "b"};
    const double half = 0.5;
    const int64_t last = 999;
    H5O_info_t info;
    assert_ok(dt_h5_set_text(f->h5, "/", "x", "long before"));
    assert_ok(dt_h5_set_texts(f->h5, "/", "x", list, 2));
    assert_ok(dt_h5_set_double(f->h5, "/", "x", half));
    for (int64_t i = 0; i <= last; i++)
        assert_ok(dt_h5_set_int(f->h5, "/", "y", i));
    hid_t file = reopen(f);
    assert_number(file, "/", "x", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &half);
    assert_number(file, "/", "y", H5T_STD_I64LE, H5T_NATIVE_INT64, &last);
    assert_true(H5Oget_info_by_name(file, "/", &info, H5P_DEFAULT) >= 0);
    assert_int_equal(info.num_attrs, 2);
    H5Fclose(file);
}

static void test_missing_objects(void **state)
{
    fixture *f = *state;
    assert_status(dt_h5_set_int(f->h5, "/none", "x", 1), DT_OUTPUT);
    assert_text_has("HDF5: cannot open /none: ");
    assert_status(dt_h5_set_text(f->h5, "/none", "x", "y"), DT_OUTPUT);
    const char *const list[] = {"a"};
    assert_status(dt_h5_set_texts(f->h5, "/none", "x", list, 1), DT_OUTPUT);
    const dt_h5_column column = {.name = "n", .type = DT_H5_I32};
    assert_status(dt_h5_append_rows(f->h5, "/none", &column, 1, 4, "\0\0\0", 1), DT_OUTPUT);
    assert_text_has("/none");
}

static void test_groups(void **state)
{
    fixture *f = *state;
    const float one = 1.0f;
    assert_ok(dt_h5_make_group(f->h5, "/a/b/c"));
    assert_ok(dt_h5_make_group(f->h5, "/a/b/c"));
    assert_ok(dt_h5_make_group(f->h5, "/a/b"));
    assert_ok(dt_h5_make_group(f->h5, "/"));
    assert_ok(dt_h5_write_array(f->h5, "/a/value", DT_H5_F32, 0, NULL, &one));
    assert_status(dt_h5_make_group(f->h5, "/a/value"), DT_OUTPUT);
    assert_text_has("HDF5: cannot make the group /a/value: ");
    assert_status(dt_h5_make_group(f->h5, "/a/value/below"), DT_OUTPUT);
    hid_t file = reopen(f);
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
    fixture *f = *state;
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
    hid_t file = reopen(f);
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
    fixture *f = *state;
    const int32_t before[] = {1, 2, 3};
    const int32_t after[] = {4, 5, 6};
    const uint64_t shape = 3;
    const hsize_t extent = 3;
    assert_ok(dt_h5_write_array(f->h5, "/x", DT_H5_I32, 1, &shape, before));
    assert_status(dt_h5_write_array(f->h5, "/x", DT_H5_I32, 1, &shape, after), DT_OUTPUT);
    assert_text_has("HDF5: cannot make /x: ");
    hid_t file = reopen(f);
    assert_array(file, "/x", H5T_STD_I32LE, H5T_NATIVE_INT32, 1, &extent, before, sizeof before);
    H5Fclose(file);
}

/* Ordered so that the compiler has to leave holes, and one member is in no column. */
typedef struct epoch_row {
    int32_t epoch;
    double loss;
    char host[10];
    uint32_t steps;
    void *unsaved;
    float rate;
    int64_t rows;
} epoch_row;

static const dt_h5_column epoch_columns[] = {
    {"epoch", NULL, DT_H5_I32, offsetof(epoch_row, epoch), 0},
    {"loss", "nats per row", DT_H5_F64, offsetof(epoch_row, loss), 0},
    {"host", NULL, DT_H5_TEXT, offsetof(epoch_row, host), sizeof((epoch_row *)0)->host},
    {"steps", "1", DT_H5_U32, offsetof(epoch_row, steps), 0},
    {"rate", "rows/s", DT_H5_F32, offsetof(epoch_row, rate), 0},
    {"rows", "1", DT_H5_I64, offsetof(epoch_row, rows), 0},
};
enum { EPOCH_COLUMNS = 6, EPOCH_PACKED_BYTES = 4 + 8 + 10 + 4 + 4 + 8 };

/* Fills a row over a background of garbage, which must not get into the file. */
static epoch_row make_row(int32_t epoch)
{
    epoch_row row;
    memset(&row, 'G', sizeof row);
    row.epoch = epoch;
    row.loss = 1.0 / (epoch + 3);
    (void)snprintf(row.host, sizeof row.host, "n\xc3\xb6%d", (int)(epoch % 10000));
    row.steps = UINT32_MAX - (uint32_t)epoch;
    row.rate = (float)epoch / 7.0f;
    row.rows = INT64_MAX - epoch;
    return row;
}

static void append(dt_h5 *h5, int32_t first, int32_t count)
{
    epoch_row *rows = malloc((size_t)(count + 1) * sizeof *rows);
    assert_non_null(rows);
    for (int32_t i = 0; i < count; i++)
        rows[i] = make_row(first + i);
    assert_ok(dt_h5_append_rows(h5, "/epochs", epoch_columns, EPOCH_COLUMNS, sizeof *rows, rows,
                                (size_t)count));
    free(rows);
}

static void make_epochs(dt_h5 *h5)
{
    assert_ok(dt_h5_make_table(h5, "/epochs", epoch_columns, EPOCH_COLUMNS, sizeof(epoch_row)));
}

static void assert_column(hid_t type, unsigned index, const char *name, size_t offset, hid_t stored)
{
    char *found = H5Tget_member_name(type, index);
    assert_string_equal(found, name);
    (void)H5free_memory(found);
    assert_int_equal(H5Tget_member_offset(type, index), offset);
    if (stored >= 0) {
        hid_t member = H5Tget_member_type(type, index);
        assert_true(H5Tequal(member, stored) > 0);
        H5Tclose(member);
    }
}

static void test_table_layout(void **state)
{
    fixture *f = *state;
    hsize_t extent = 99;
    hsize_t bound = 0;
    make_epochs(f->h5);
    hid_t file = reopen(f);
    hid_t table = H5Dopen2(file, "/epochs", H5P_DEFAULT);
    assert_true(table >= 0);
    hid_t type = H5Dget_type(table);
    assert_int_equal(H5Tget_class(type), H5T_COMPOUND);
    assert_int_equal(H5Tget_nmembers(type), EPOCH_COLUMNS);
    assert_int_equal(H5Tget_size(type), EPOCH_PACKED_BYTES);
    assert_column(type, 0, "epoch", 0, H5T_STD_I32LE);
    assert_column(type, 1, "loss", 4, H5T_IEEE_F64LE);
    assert_column(type, 2, "host", 12, -1);
    assert_column(type, 3, "steps", 22, H5T_STD_U32LE);
    assert_column(type, 4, "rate", 26, H5T_IEEE_F32LE);
    assert_column(type, 5, "rows", 30, H5T_STD_I64LE);
    hid_t host = H5Tget_member_type(type, 2);
    assert_true(H5Tis_variable_str(host) == 0);
    assert_int_equal(H5Tget_size(host), 10);
    assert_int_equal(H5Tget_cset(host), H5T_CSET_UTF8);
    assert_int_equal(H5Tget_strpad(host), H5T_STR_NULLTERM);
    H5Tclose(host);
    hid_t creation = H5Dget_create_plist(table);
    assert_int_equal(H5Pget_layout(creation), H5D_CHUNKED);
    hid_t space = H5Dget_space(table);
    assert_int_equal(H5Sget_simple_extent_dims(space, &extent, &bound), 1);
    assert_int_equal(extent, 0);
    assert_true(bound == H5S_UNLIMITED);
    H5Sclose(space);
    H5Pclose(creation);
    H5Tclose(type);
    H5Dclose(table);
    H5Fclose(file);
}

static void test_table_units(void **state)
{
    fixture *f = *state;
    H5O_info_t info;
    make_epochs(f->h5);
    hid_t file = reopen(f);
    assert_h5_text(file, "/epochs", "loss_unit", "nats per row");
    assert_h5_text(file, "/epochs", "rate_unit", "rows/s");
    assert_true(H5Oget_info_by_name(file, "/epochs", &info, H5P_DEFAULT) >= 0);
    assert_int_equal(info.num_attrs, 4);
    H5Fclose(file);
}

/* Reads the whole table back into our struct and compares it column by column. */
static void assert_epochs(hid_t file, int32_t count)
{
    hsize_t extent = 0;
    hid_t table = H5Dopen2(file, "/epochs", H5P_DEFAULT);
    assert_true(table >= 0);
    hid_t space = H5Dget_space(table);
    assert_int_equal(H5Sget_simple_extent_dims(space, &extent, NULL), 1);
    assert_int_equal(extent, count);
    hid_t text = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, sizeof((epoch_row *)0)->host);
    H5Tset_cset(text, H5T_CSET_UTF8);
    hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(epoch_row));
    H5Tinsert(type, "epoch", offsetof(epoch_row, epoch), H5T_NATIVE_INT32);
    H5Tinsert(type, "loss", offsetof(epoch_row, loss), H5T_NATIVE_DOUBLE);
    H5Tinsert(type, "host", offsetof(epoch_row, host), text);
    H5Tinsert(type, "steps", offsetof(epoch_row, steps), H5T_NATIVE_UINT32);
    H5Tinsert(type, "rate", offsetof(epoch_row, rate), H5T_NATIVE_FLOAT);
    H5Tinsert(type, "rows", offsetof(epoch_row, rows), H5T_NATIVE_INT64);
    epoch_row *rows = calloc((size_t)count + 1, sizeof *rows);
    assert_non_null(rows);
    assert_true(H5Dread(table, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows) >= 0);
    for (int32_t i = 0; i < count; i++) {
        epoch_row expected = make_row(i);
        assert_int_equal(rows[i].epoch, expected.epoch);
        assert_memory_equal(&rows[i].loss, &expected.loss, sizeof expected.loss);
        assert_string_equal(rows[i].host, expected.host);
        assert_int_equal(rows[i].steps, expected.steps);
        assert_memory_equal(&rows[i].rate, &expected.rate, sizeof expected.rate);
        assert_int_equal(rows[i].rows, expected.rows);
    }
    free(rows);
    H5Tclose(type);
    H5Tclose(text);
    H5Sclose(space);
    H5Dclose(table);
}

/* In pieces that end within, at and beyond a chunk's end. */
static void test_rows_are_appended(void **state)
{
    fixture *f = *state;
    const int32_t pieces[] = {1, 0, 1, 200, 13, 215, 1, 569};
    int32_t count = 0;
    make_epochs(f->h5);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        append(f->h5, count, pieces[i]);
        count += pieces[i];
    }
    hid_t file = reopen(f);
    assert_epochs(file, count);
    H5Fclose(file);
}

static void test_no_garbage_in_the_file(void **state)
{
    fixture *f = *state;
    make_epochs(f->h5);
    append(f->h5, 0, 50);
    assert_ok(dt_h5_save(f->h5, f->path));
    size_t bytes = 0;
    unsigned char *data = read_bytes(f->path, &bytes);
    for (size_t i = 0; i + 1 < bytes; i++)
        if (data[i] == 'G' && data[i + 1] == 'G')
            fail_msg("garbage at byte %zu", i);
    free(data);
}

static void test_text_without_its_nul(void **state)
{
    fixture *f = *state;
    const dt_h5_column column = {"t", NULL, DT_H5_TEXT, 0, 4};
    const char rows[] = {'a', 'b', 'c', 'd', '\0', 'x', 'x', 'x'};
    const char expected[8] = {'a', 'b', 'c', '\0', '\0', '\0', '\0', '\0'};
    char found[8];
    assert_ok(dt_h5_make_table(f->h5, "/t", &column, 1, 4));
    assert_ok(dt_h5_append_rows(f->h5, "/t", &column, 1, 4, rows, 2));
    hid_t file = reopen(f);
    hid_t table = H5Dopen2(file, "/t", H5P_DEFAULT);
    hid_t type = H5Dget_type(table);
    assert_true(H5Dread(table, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, found) >= 0);
    assert_memory_equal(found, expected, sizeof found);
    H5Tclose(type);
    H5Dclose(table);
    H5Fclose(file);
}

static void test_table_is_not_overwritten(void **state)
{
    fixture *f = *state;
    make_epochs(f->h5);
    append(f->h5, 0, 3);
    assert_status(
        dt_h5_make_table(f->h5, "/epochs", epoch_columns, EPOCH_COLUMNS, sizeof(epoch_row)),
        DT_OUTPUT);
    assert_text_has("HDF5: cannot make /epochs: ");
    hid_t file = reopen(f);
    assert_epochs(file, 3);
    H5Fclose(file);
}

static jmp_buf asserted;

static void on_assert(void)
{
    longjmp(asserted, 1);
}

/* Other columns than the table's would be dropped by HDF5 without a word. */
static void test_other_columns_are_our_bug(void **state)
{
    fixture *f = *state;
    const dt_h5_column other = {"other", NULL, DT_H5_I32, 0, 0};
    make_epochs(f->h5);
    dt_assert_set_hook(on_assert);
    volatile int caught = 0;
    if (setjmp(asserted) != 0)
        caught = 1;
    else
        (void)!dt_h5_append_rows(f->h5, "/epochs", &other, 1, 4, "\0\0\0", 1);
    dt_assert_set_hook(NULL);
    assert_int_equal(caught, 1);
}

static void test_saved_image_and_appending(void **state)
{
    fixture *f = *state;
    make_epochs(f->h5);
    append(f->h5, 0, 5);
    hid_t first = reopen(f);
    append(f->h5, 5, 300);
    assert_ok(dt_h5_set_int(f->h5, "/", "state", 2));
    assert_epochs(first, 5);
    hid_t second = H5Fopen(f->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_epochs(second, 5);
    H5Fclose(second);
    /* The reader of the old file keeps it while a new one takes its place. */
    assert_ok(dt_h5_save(f->h5, f->path));
    assert_epochs(first, 5);
    H5Fclose(first);
    second = H5Fopen(f->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_epochs(second, 305);
    H5Fclose(second);
}

static void test_save_into_nothing(void **state)
{
    fixture *f = *state;
    char missing[PATH_BYTES];
    (void)snprintf(missing, sizeof missing, "%s/none/file.h5", folder);
    assert_ok(dt_h5_set_int(f->h5, "/", "x", 1));
    assert_status(dt_h5_save(f->h5, missing), DT_OUTPUT);
    assert_text_has(missing);
    assert_text_has("No such file or directory");
    /* A folder in the target's place: the last step fails, and its temporary file goes. */
    assert_status(dt_h5_save(f->h5, folder), DT_OUTPUT);
    assert_text_has(folder);
    /* The file in memory has taken no harm. */
    const int64_t one = 1;
    hid_t file = reopen(f);
    assert_number(file, "/", "x", H5T_STD_I64LE, H5T_NATIVE_INT64, &one);
    H5Fclose(file);
}

static void fill(dt_h5 *h5)
{
    const float data[] = {1, 2, 3, 4};
    const uint64_t shape[] = {2, 2};
    const char *const names[] = {"a", "b"};
    assert_ok(dt_h5_make_group(h5, "/g/h"));
    assert_ok(dt_h5_set_text(h5, "/g", "text", "some text"));
    assert_ok(dt_h5_set_texts(h5, "/g", "names", names, 2));
    assert_ok(dt_h5_write_array(h5, "/g/data", DT_H5_F32, 2, shape, data));
    make_epochs(h5);
    append(h5, 0, 300);
}

/* Time stamps count seconds, so more than one lies between the two files. */
static void test_same_calls_same_bytes(void **state)
{
    fixture *f = *state;
    dt_h5 *other = NULL;
    size_t sizes[2];
    const struct timespec pause = {.tv_sec = 1, .tv_nsec = 100000000};
    fill(f->h5);
    assert_ok(dt_h5_save(f->h5, f->path));
    unsigned char *one = read_bytes(f->path, &sizes[0]);
    (void)nanosleep(&pause, NULL);
    assert_ok(dt_h5_new(&other));
    fill(other);
    assert_ok(dt_h5_save(other, f->path));
    unsigned char *two = read_bytes(f->path, &sizes[1]);
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(one, two, sizes[0]);
    free(one);
    free(two);
    dt_h5_free(other);
}

static void test_two_files_at_once(void **state)
{
    fixture *f = *state;
    dt_h5 *other = NULL;
    assert_ok(dt_h5_new(&other));
    assert_ok(dt_h5_set_text(f->h5, "/", "which", "first"));
    assert_ok(dt_h5_set_text(other, "/", "which", "second"));
    dt_h5_free(other);
    hid_t file = reopen(f);
    assert_h5_text(file, "/", "which", "first");
    H5Fclose(file);
}

/* Superblock 0, at the very start. */
static void test_format_is_old(void **state)
{
    fixture *f = *state;
    size_t bytes = 0;
    fill(f->h5);
    assert_ok(dt_h5_save(f->h5, f->path));
    unsigned char *data = read_bytes(f->path, &bytes);
    assert_memory_equal(data, "\x89HDF\r\n\x1a\n", 8);
    assert_int_equal(data[8], 0);
    free(data);
}

static void test_errors_are_silent(void **state)
{
    (void)state;
    H5E_auto2_t print = NULL;
    void *context = NULL;
    assert_true(H5Eget_auto2(H5E_DEFAULT, &print, &context) >= 0);
    assert_true(print == NULL);
}

static void test_nothing_stays_open(void **state)
{
    fixture *f = *state;
    /* Where a test before this one failed, it left something open. */
    const ssize_t before = H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL);
    fill(f->h5);
    assert_status(dt_h5_make_group(f->h5, "/g/data"), DT_OUTPUT);
    assert_status(dt_h5_set_int(f->h5, "/none", "x", 1), DT_OUTPUT);
    assert_status(dt_h5_write_array(f->h5, "/g/data", DT_H5_F32, 0, NULL, ""), DT_OUTPUT);
    assert_ok(dt_h5_save(f->h5, f->path));
    assert_int_equal(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL), before);
    dt_h5_free(f->h5);
    f->h5 = NULL;
    assert_int_equal(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL), before - 1);
    dt_h5_free(NULL);
}

/* More than an address space holds, so memory is short on every machine. */
static void test_out_of_memory(void **state)
{
    fixture *f = *state;
#if defined(__SANITIZE_ADDRESS__)
    (void)f;
    skip(); /* its allocator ends the program rather than say no */
#else
    const uint64_t shape = UINT64_C(1) << 50;
    const float data = 1.0f;
    assert_status(dt_h5_write_array(f->h5, "/x", DT_H5_F32, 1, &shape, &data), DT_MEMORY);
    assert_text_has("HDF5: cannot write /x: ");
#endif
}

static void test_version(void **state)
{
    (void)state;
    unsigned major = 0;
    unsigned minor = 0;
    unsigned release = 0;
    char expected[32];
    assert_true(H5get_libversion(&major, &minor, &release) >= 0);
    (void)snprintf(expected, sizeof expected, "%u.%u.%u", major, minor, release);
    assert_string_equal(dt_h5_version(), expected);
}

static size_t refuse_chunk(unsigned flags, size_t parameter_count, const unsigned *parameters,
                           size_t bytes, size_t *room, void **data)
{
    (void)flags, (void)parameter_count, (void)parameters, (void)bytes, (void)room, (void)data;
    return 0;
}

/* A table whose chunks pass through a filter that refuses them all; they are larger than HDF5's
 * cache, so that the write itself meets it. */
static void make_table_that_refuses(const char *path)
{
    static const H5Z_class2_t filter = {.version = H5Z_CLASS_T_VERS,
                                        .id = 300,
                                        .encoder_present = 1,
                                        .decoder_present = 1,
                                        .name = "refuses",
                                        .filter = refuse_chunk};
    const hsize_t none = 0, unlimited = H5S_UNLIMITED, chunk = 1 << 20;
    hid_t file = -1;
    assert_int_equal(H5Fget_obj_ids((hid_t)H5F_OBJ_ALL, H5F_OBJ_FILE, 1, &file), 1);
    assert_true(H5Zregister(&filter) >= 0);
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    assert_true(H5Pset_chunk(creation, 1, &chunk) >= 0);
    assert_true(H5Pset_filter(creation, filter.id, H5Z_FLAG_MANDATORY, 0, NULL) >= 0);
    hid_t type = H5Tcreate(H5T_COMPOUND, 4);
    assert_true(H5Tinsert(type, "n", 0, H5T_STD_I32LE) >= 0);
    hid_t space = H5Screate_simple(1, &none, &unlimited);
    hid_t table = H5Dcreate2(file, path, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    assert_true(table >= 0);
    H5Dclose(table);
    H5Sclose(space);
    H5Tclose(type);
    H5Pclose(creation);
}

static void test_failed_append_leaves_no_rows(void **state)
{
    fixture *f = *state;
    const dt_h5_column column = {.name = "n", .type = DT_H5_I32};
    const int32_t rows[] = {1, 2, 3};
    hsize_t extent = 99;
    make_table_that_refuses("/t");
    assert_status(dt_h5_append_rows(f->h5, "/t", &column, 1, 4, rows, 3), DT_OUTPUT);
    assert_text_has("HDF5: cannot append to /t: ");
    hid_t file = reopen(f);
    hid_t table = H5Dopen2(file, "/t", H5P_DEFAULT);
    hid_t space = H5Dget_space(table);
    assert_int_equal(H5Sget_simple_extent_dims(space, &extent, NULL), 1);
    assert_int_equal(extent, 0);
    H5Sclose(space);
    H5Dclose(table);
    H5Fclose(file);
    assert_true(H5Zunregister(300) >= 0);
}

#define a_test(name) cmocka_unit_test_setup_teardown(name, start, stop)

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
        a_test(test_table_layout),
        a_test(test_table_units),
        a_test(test_rows_are_appended),
        a_test(test_no_garbage_in_the_file),
        a_test(test_text_without_its_nul),
        a_test(test_table_is_not_overwritten),
        a_test(test_other_columns_are_our_bug),
        a_test(test_saved_image_and_appending),
        a_test(test_save_into_nothing),
        a_test(test_same_calls_same_bytes),
        a_test(test_two_files_at_once),
        a_test(test_format_is_old),
        a_test(test_errors_are_silent),
        a_test(test_nothing_stays_open),
        a_test(test_out_of_memory),
        a_test(test_failed_append_leaves_no_rows),
        a_test(test_version),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
