#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "h5_writing.h"

#include <stdlib.h>
#include <string.h>

enum { EPOCH_PACKED_BYTES = 4 + 8 + 10 + 4 + 4 + 8 };

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
    h5_fixture *f = *state;
    hsize_t extent = 99;
    hsize_t bound = 0;
    h5_make_epochs(f->h5);
    hid_t file = h5_save_and_open(f);
    hid_t table = H5Dopen2(file, "/epochs", H5P_DEFAULT);
    assert_true(table >= 0);
    hid_t type = H5Dget_type(table);
    assert_int_equal(H5Tget_class(type), H5T_COMPOUND);
    assert_int_equal(H5Tget_nmembers(type), H5_EPOCH_COLUMNS);
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
    h5_fixture *f = *state;
    H5O_info_t info;
    h5_make_epochs(f->h5);
    hid_t file = h5_save_and_open(f);
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
    H5Tset_size(text, sizeof((h5_epoch_row *)0)->host);
    H5Tset_cset(text, H5T_CSET_UTF8);
    hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(h5_epoch_row));
    H5Tinsert(type, "epoch", offsetof(h5_epoch_row, epoch), H5T_NATIVE_INT32);
    H5Tinsert(type, "loss", offsetof(h5_epoch_row, loss), H5T_NATIVE_DOUBLE);
    H5Tinsert(type, "host", offsetof(h5_epoch_row, host), text);
    H5Tinsert(type, "steps", offsetof(h5_epoch_row, steps), H5T_NATIVE_UINT32);
    H5Tinsert(type, "rate", offsetof(h5_epoch_row, rate), H5T_NATIVE_FLOAT);
    H5Tinsert(type, "rows", offsetof(h5_epoch_row, rows), H5T_NATIVE_INT64);
    h5_epoch_row *rows = calloc((size_t)count + 1, sizeof *rows);
    assert_non_null(rows);
    assert_true(H5Dread(table, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows) >= 0);
    for (int32_t i = 0; i < count; i++) {
        h5_epoch_row expected = h5_make_row(i);
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
    h5_fixture *f = *state;
    const int32_t pieces[] = {1, 0, 1, 200, 13, 215, 1, 569};
    int32_t count = 0;
    h5_make_epochs(f->h5);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        h5_append_epochs(f->h5, count, pieces[i]);
        count += pieces[i];
    }
    hid_t file = h5_save_and_open(f);
    assert_epochs(file, count);
    H5Fclose(file);
}

static void test_no_garbage_in_the_file(void **state)
{
    h5_fixture *f = *state;
    h5_make_epochs(f->h5);
    h5_append_epochs(f->h5, 0, 50);
    assert_ok(dt_h5_save(f->h5, f->path));
    size_t bytes = 0;
    unsigned char *data = scratch_read(f->path, &bytes);
    assert_non_null(data);
    for (size_t i = 0; i + 1 < bytes; i++)
        if (data[i] == 'G' && data[i + 1] == 'G')
            fail_msg("garbage at byte %zu", i);
    free(data);
}

static void test_text_without_its_nul(void **state)
{
    h5_fixture *f = *state;
    const dt_h5_column column = {"t", NULL, DT_H5_TEXT, 0, 4};
    const dt_h5_table of_texts = {&column, 1, 4};
    const char rows[] = {'a', 'b', 'c', 'd', '\0', 'x', 'x', 'x'};
    const char expected[8] = {'a', 'b', 'c', '\0', '\0', '\0', '\0', '\0'};
    char found[8];
    assert_ok(dt_h5_make_table(f->h5, "/t", &of_texts));
    assert_ok(dt_h5_append_rows(f->h5, "/t", &of_texts, rows, 2));
    hid_t file = h5_save_and_open(f);
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
    h5_fixture *f = *state;
    h5_make_epochs(f->h5);
    h5_append_epochs(f->h5, 0, 3);
    assert_status(dt_h5_make_table(f->h5, "/epochs", &h5_epoch_table), DT_OUTPUT);
    assert_says("HDF5: cannot make /epochs: ");
    hid_t file = h5_save_and_open(f);
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
    h5_fixture *f = *state;
    const dt_h5_column column = {"other", NULL, DT_H5_I32, 0, 4};
    const dt_h5_table other = {&column, 1, 4};
    h5_make_epochs(f->h5);
    dt_assert_set_hook(on_assert);
    volatile int caught = 0;
    if (setjmp(asserted) != 0)
        caught = 1;
    else
        (void)!dt_h5_append_rows(f->h5, "/epochs", &other, "\0\0\0", 1);
    dt_assert_set_hook(NULL);
    assert_int_equal(caught, 1);
}

static void test_saved_image_and_appending(void **state)
{
    h5_fixture *f = *state;
    h5_make_epochs(f->h5);
    h5_append_epochs(f->h5, 0, 5);
    hid_t first = h5_save_and_open(f);
    h5_append_epochs(f->h5, 5, 300);
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
    h5_fixture *f = *state;
    const dt_h5_column column = {.name = "n", .type = DT_H5_I32, .bytes = 4};
    const dt_h5_table of_numbers = {&column, 1, 4};
    const int32_t rows[] = {1, 2, 3};
    hsize_t extent = 99;
    make_table_that_refuses("/t");
    assert_status(dt_h5_append_rows(f->h5, "/t", &of_numbers, rows, 3), DT_OUTPUT);
    assert_says("HDF5: cannot append to /t: ");
    hid_t file = h5_save_and_open(f);
    hid_t table = H5Dopen2(file, "/t", H5P_DEFAULT);
    hid_t space = H5Dget_space(table);
    assert_int_equal(H5Sget_simple_extent_dims(space, &extent, NULL), 1);
    assert_int_equal(extent, 0);
    H5Sclose(space);
    H5Dclose(table);
    H5Fclose(file);
    assert_true(H5Zunregister(300) >= 0);
}

#define a_test(name) cmocka_unit_test_setup_teardown(name, h5_start, h5_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        a_test(test_table_layout),
        a_test(test_table_units),
        a_test(test_rows_are_appended),
        a_test(test_no_garbage_in_the_file),
        a_test(test_text_without_its_nul),
        a_test(test_table_is_not_overwritten),
        a_test(test_other_columns_are_our_bug),
        a_test(test_saved_image_and_appending),
        a_test(test_failed_append_leaves_no_rows),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
