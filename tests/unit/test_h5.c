#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "h5_writing.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* The file itself, whatever is in it. */

static void test_save_into_nothing(void **state)
{
    h5_fixture *f = *state;
    const char *missing = scratch_path("none/file.h5");
    assert_ok(dt_h5_set_int(f->h5, "/", "x", 1));
    assert_status(dt_h5_save(f->h5, missing), DT_OUTPUT);
    assert_says(missing);
    assert_says("No such file or directory");
    /* A folder in the target's place: the last step fails, and its temporary file goes. */
    assert_status(dt_h5_save(f->h5, scratch_folder), DT_OUTPUT);
    assert_says(scratch_folder);
    /* The file in memory has taken no harm. */
    const int64_t one = 1;
    hid_t file = h5_save_and_open(f);
    assert_h5_number(file, "/", "x", H5T_STD_I64LE, H5T_NATIVE_INT64, &one);
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
    h5_make_epochs(h5);
    h5_append_epochs(h5, 0, 300);
}

/* Time stamps count seconds, so more than one lies between the two files. */
static void test_same_calls_same_bytes(void **state)
{
    h5_fixture *f = *state;
    dt_h5 *other = NULL;
    size_t sizes[2];
    const struct timespec pause = {.tv_sec = 1, .tv_nsec = 100000000};
    fill(f->h5);
    assert_ok(dt_h5_save(f->h5, f->path));
    unsigned char *one = scratch_read(f->path, &sizes[0]);
    assert_non_null(one);
    (void)nanosleep(&pause, NULL);
    assert_ok(dt_h5_new(&other));
    fill(other);
    assert_ok(dt_h5_save(other, f->path));
    unsigned char *two = scratch_read(f->path, &sizes[1]);
    assert_non_null(two);
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(one, two, sizes[0]);
    free(one);
    free(two);
    dt_h5_free(other);
}

static void test_two_files_at_once(void **state)
{
    h5_fixture *f = *state;
    dt_h5 *other = NULL;
    assert_ok(dt_h5_new(&other));
    assert_ok(dt_h5_set_text(f->h5, "/", "which", "first"));
    assert_ok(dt_h5_set_text(other, "/", "which", "second"));
    dt_h5_free(other);
    hid_t file = h5_save_and_open(f);
    assert_h5_text(file, "/", "which", "first");
    H5Fclose(file);
}

/* Superblock 0, at the very start. */
static void test_format_is_old(void **state)
{
    h5_fixture *f = *state;
    size_t bytes = 0;
    fill(f->h5);
    assert_ok(dt_h5_save(f->h5, f->path));
    unsigned char *data = scratch_read(f->path, &bytes);
    assert_non_null(data);
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
    h5_fixture *f = *state;
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
    h5_fixture *f = *state;
#if defined(__SANITIZE_ADDRESS__)
    (void)f;
    skip(); /* its allocator ends the program rather than say no */
#else
    const uint64_t shape = UINT64_C(1) << 50;
    const float data = 1.0f;
    assert_status(dt_h5_write_array(f->h5, "/x", DT_H5_F32, 1, &shape, &data), DT_MEMORY);
    assert_says("HDF5: cannot write /x: ");
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

#define a_test(name) cmocka_unit_test_setup_teardown(name, h5_start, h5_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        a_test(test_save_into_nothing), a_test(test_same_calls_same_bytes),
        a_test(test_two_files_at_once), a_test(test_format_is_old),
        a_test(test_errors_are_silent), a_test(test_nothing_stays_open),
        a_test(test_out_of_memory),     a_test(test_version),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
