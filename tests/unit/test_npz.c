#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/io/npz.h"
#include "npz_reading.h"
#include "scratch_folder.h"
#include "status_checks.h"

#include <errno.h>
#include <sys/stat.h>

/* ---- what is no archive ---- */

static void missing_file_is_named_with_the_reason(void **state)
{
    (void)state;
    assert_npz_open_fails(scratch_path("none.npz"), "cannot open: No such file or directory");
}

static void folder_is_refused(void **state)
{
    (void)state;
    assert_npz_open_fails(scratch_folder, "is a folder, expected a .npz file");
}

static void named_pipe_is_refused_without_waiting(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(scratch_path("pipe"), 0600), 0);
    assert_npz_open_fails(scratch_path("pipe"), "is a device or pipe, expected a .npz file");
}

static void empty_file_is_refused(void **state)
{
    (void)state;
    assert_npz_open_fails(npz_save_text("", 0), "is empty (0 bytes)");
}

static void html_page_is_recognised(void **state)
{
    (void)state;
    static const char *const pages[] = {"<!DOCTYPE html>\n<html><body>404</body></html>",
                                        "\n\n  <html lang=\"en\">", "<HTML>",
                                        "\xEF\xBB\xBF<!doctype HTML>"};
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        assert_npz_open_fails(npz_save_text(pages[i], strlen(pages[i])),
                              "looks like an HTML page, not a .npz: the download may have failed");
}

static void lfs_pointer_is_recognised(void **state)
{
    (void)state;
    const char *pointer = "version https://git-lfs.github.com/spec/v1\n"
                          "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d1\n"
                          "size 12345\n";
    assert_npz_open_fails(npz_save_text(pointer, strlen(pointer)),
                          "is a Git LFS pointer, not the data: run git lfs pull");
}

static void single_npy_is_recognised(void **state)
{
    (void)state;
    zip_bytes npy = npz_example();
    const char *path = scratch_path("x.npz");
    assert_true(scratch_write(path, npy.data, npy.count));
    zip_free(&npy);
    assert_npz_open_fails(path, "is a single .npy array, expected a .npz");
}

static void other_files_are_recognised(void **state)
{
    (void)state;
    assert_npz_open_fails(npz_save_text("\x89HDF\r\n\x1a\n....", 12), "is an HDF5 file");
    assert_npz_open_fails(npz_save_text("\x1f\x8b\x08....", 7), "is gzip-compressed");
    assert_npz_open_fails(npz_save_text("a,b,c\n1,2,3\n", 12),
                          "is not a ZIP archive, expected a .npz");
    assert_npz_open_fails(npz_save_text("a,b,c\n1,2,3\n", 12),
                          "convert a table of text with dtrain prepare");
    assert_npz_open_fails(npz_save_text("P", 1), "is not a ZIP archive");
}

/* ---- what is one ---- */

static void stored_and_deflated_members_are_read(void **state)
{
    (void)state;
    assert_npz_reads_example(npz_save_member((zip_member){.name = "x.npy"}, (zip_ending){0}));
    assert_npz_reads_example(npz_save_member((zip_member){.deflate = true}, (zip_ending){0}));
}

static void data_descriptors_are_read(void **state)
{
    (void)state;
    assert_npz_reads_example(npz_save_member((zip_member){.descriptor = true}, (zip_ending){0}));
    assert_npz_reads_example(
        npz_save_member((zip_member){.descriptor = true, .deflate = true}, (zip_ending){0}));
    assert_npz_reads_example(
        npz_save_member((zip_member){.descriptor = true, .zip64 = true}, (zip_ending){0}));
}

static void zip64_is_read(void **state)
{
    (void)state;
    static const unsigned char other[] = {0x99, 0x99, 3, 0, 1, 2, 3}; /* an unknown extra field */
    zip_ending end64 = {.zip64 = true};
    assert_npz_reads_example(npz_save_member((zip_member){.zip64 = true}, (zip_ending){0}));
    assert_npz_reads_example(npz_save_member((zip_member){.zip64 = true, .deflate = true}, end64));
    assert_npz_reads_example(npz_save_member((zip_member){.name = "x.npy"}, end64));
    assert_npz_reads_example(npz_save_member(
        (zip_member){.zip64 = true, .extra = other, .extra_bytes = sizeof other}, end64));
}

static void comment_and_prepended_bytes_are_passed_over(void **state)
{
    (void)state;
    assert_npz_reads_example(
        npz_save_member((zip_member){.deflate = true}, (zip_ending){.comment = "a comment, PK"}));
    for (int is64 = 0; is64 < 2; is64++) {
        size_t bytes = 0;
        const char *path =
            npz_save_member((zip_member){.zip64 = is64 == 1}, (zip_ending){.zip64 = is64 == 1});
        unsigned char *archive = scratch_read(path, &bytes);
        zip_bytes longer = {0};
        assert_non_null(archive);
        zip_append(&longer, "#!/bin/sh\nprepended\n", 20);
        zip_append(&longer, archive, bytes);
        assert_true(scratch_write(path, longer.data, longer.count));
        free(archive);
        zip_free(&longer);
        assert_npz_reads_example(path);
    }
}

static void npy_versions_1_2_and_3_are_read(void **state)
{
    (void)state;
    for (unsigned version = 1; version <= 3; version++) {
        zip_bytes npy = {0};
        zip_npy(&npy, version, "'<f4'", "False", "(6, 3)", npz_example_items(),
                NPZ_ITEMS * sizeof(float));
        assert_npz_reads_example(npz_save_member(
            (zip_member){.plain = npy.data, .plain_bytes = npy.count, .deflate = true},
            (zip_ending){0}));
        zip_free(&npy);
    }
}

static void fortran_order_and_byte_order_are_told(void **state)
{
    (void)state;
    zip_bytes npy = {0};
    unsigned char items[] = {0x3F, 0xC0, 0, 0, 0xC0, 0, 0, 0}, *read = NULL;
    size_t bytes = 0;
    dt_npz *npz = NULL;
    const dt_npz_member *member = NULL;
    float values[2];
    zip_npy(&npy, 1, "'>f4'", "True", "(2, 1)", items, sizeof items);
    const char *path =
        npz_save_member((zip_member){.plain = npy.data, .plain_bytes = npy.count}, (zip_ending){0});
    zip_free(&npy);
    assert_int_equal(dt_npz_open(&npz, path), DT_OK);
    assert_string_equal(dt_npz_path(npz), path);
    assert_int_equal(dt_npz_find(npz, "x", &member), DT_OK);
    assert_true(member->npy.fortran && member->npy.swapped);
    assert_string_equal(member->name, "x");
    assert_int_equal(npz_read_array(npz, "x", 3, &read, &bytes), DT_OK);
    dt_npy_to_float(values, read, 2, &member->npy);
    assert_true(values[0] == 1.5f && values[1] == -2.0f);
    free(read);
    dt_npz_close(npz);
    dt_npz_close(NULL);
    dt_npz_stream_close(NULL);
}

static void float16_arrays_are_read(void **state)
{
    (void)state;
    zip_bytes npy = {0};
    const unsigned char items[] = {0, 0x3C, 1, 0, 0, 0xFC}; /* 1, the smallest, -infinity */
    unsigned char *read = NULL;
    size_t bytes = 0;
    dt_npz *npz = NULL;
    const dt_npz_member *member = NULL;
    double values[3];
    zip_npy(&npy, 1, "'<f2'", "False", "(3,)", items, sizeof items);
    const char *path =
        npz_save_member((zip_member){.plain = npy.data, .plain_bytes = npy.count}, (zip_ending){0});
    zip_free(&npy);
    assert_int_equal(dt_npz_open(&npz, path), DT_OK);
    assert_int_equal(dt_npz_find(npz, "x", &member), DT_OK);
    assert_int_equal(npz_read_array(npz, "x", 100, &read, &bytes), DT_OK);
    dt_npy_to_double(values, read, 3, &member->npy);
    assert_true(values[0] == 1 && values[1] == 0x1p-24 && values[2] < -1e300);
    free(read);
    dt_npz_close(npz);
}

static void members_that_are_no_npy_are_left_out(void **state)
{
    (void)state;
    zip_builder zip = {0};
    zip_bytes npy = npz_example();
    zip_add(&zip, &(zip_member){.name = "README", .plain = "text", .plain_bytes = 4});
    zip_add(&zip, &(zip_member){.name = "x.npy", .plain = npy.data, .plain_bytes = npy.count});
    zip_add(&zip, &(zip_member){.name = "z.csv", .plain = "1", .plain_bytes = 1, .flags = 1});
    zip_free(&npy);
    const char *path = npz_save(&zip, &(zip_ending){0});
    dt_npz *npz = NULL;
    assert_int_equal(dt_npz_open(&npz, path), DT_OK);
    assert_int_equal(dt_npz_count(npz), 1);
    assert_string_equal(dt_npz_name(npz, 0), "x");
    assert_true(dt_npz_has(npz, "x"));
    assert_false(dt_npz_has(npz, "README"));
    dt_npz_close(npz);
}

static void unknown_name_lists_the_names_there_are(void **state)
{
    (void)state;
    zip_builder zip = {0};
    zip_bytes npy = npz_example();
    const dt_npz_member *member = (const dt_npz_member *)1;
    dt_npz *npz = NULL;
    zip_add(&zip, &(zip_member){.name = "a.npy", .plain = npy.data, .plain_bytes = npy.count});
    zip_add(&zip, &(zip_member){.name = "b\n.npy", .plain = npy.data, .plain_bytes = npy.count});
    zip_free(&npy);
    const char *path = npz_save(&zip, &(zip_ending){0});
    assert_int_equal(dt_npz_open(&npz, path), DT_OK);
    assert_int_equal(dt_npz_find(npz, "inputs", &member), DT_DATA);
    assert_null(member);
    assert_says("x.npz: no array 'inputs', found: a, b?");
    dt_npz_close(npz);
    path = npz_save(&(zip_builder){0}, &(zip_ending){0});
    assert_int_equal(dt_npz_open(&npz, path), DT_OK);
    assert_int_equal(dt_npz_count(npz), 0);
    assert_int_equal(dt_npz_find(npz, "inputs", &member), DT_DATA);
    assert_says("the archive has no arrays");
    dt_npz_close(npz);
}

static void long_list_of_names_is_cut(void **state)
{
    (void)state;
    zip_builder zip = {0};
    zip_bytes npy = npz_example();
    const dt_npz_member *member = NULL;
    dt_npz *npz = NULL;
    for (int i = 0; i < 100; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "column_%d.npy", i);
        zip_add(&zip, &(zip_member){.name = name, .plain = npy.data, .plain_bytes = npy.count});
    }
    zip_free(&npy);
    assert_int_equal(dt_npz_open(&npz, npz_save(&zip, &(zip_ending){0})), DT_OK);
    assert_int_equal(dt_npz_find(npz, "inputs", &member), DT_DATA);
    assert_says("found: column_0, column_1, ");
    assert_says("...");
    dt_npz_close(npz);
}

static void last_of_two_equal_names_wins_as_in_python(void **state)
{
    (void)state;
    zip_builder zip = {0};
    unsigned char *items = NULL;
    size_t bytes = 0;
    dt_npz *npz = NULL;
    for (int i = 1; i <= 2; i++) {
        zip_bytes npy = {0};
        unsigned char item = (unsigned char)i;
        zip_npy(&npy, 1, "'|u1'", "False", "(1,)", &item, 1);
        zip_add(&zip, &(zip_member){.name = "x.npy", .plain = npy.data, .plain_bytes = npy.count});
        zip_free(&npy);
    }
    assert_int_equal(dt_npz_open(&npz, npz_save(&zip, &(zip_ending){0})), DT_OK);
    assert_int_equal(npz_read_array(npz, "x", 1, &items, &bytes), DT_OK);
    assert_int_equal(items[0], 2);
    free(items);
    dt_npz_close(npz);
}

static void two_streams_of_one_archive_do_not_disturb_each_other(void **state)
{
    (void)state;
    dt_npz *npz = NULL;
    const dt_npz_member *member = NULL;
    dt_npz_stream *streams[2] = {NULL, NULL};
    float items[2][NPZ_ITEMS];
    const char *path = npz_save_member((zip_member){.deflate = true}, (zip_ending){0});
    assert_int_equal(dt_npz_open(&npz, path), DT_OK);
    assert_int_equal(dt_npz_find(npz, "x", &member), DT_OK);
    for (int s = 0; s < 2; s++)
        assert_int_equal(dt_npz_stream_open(&streams[s], npz, member), DT_OK);
    for (int row = 0; row < NPZ_ROWS; row++)
        for (int s = 0; s < 2; s++)
            assert_int_equal(dt_npz_stream_read(streams[s], &items[s][row * NPZ_COLUMNS],
                                                NPZ_COLUMNS * sizeof(float)),
                             DT_OK);
    for (int s = 0; s < 2; s++) {
        assert_memory_equal(items[s], npz_example_items(), sizeof items[s]);
        assert_int_equal(dt_npz_stream_read(streams[s], items[s], 0), DT_OK);
        dt_npz_stream_close(streams[s]);
    }
    dt_npz_close(npz);
}

/* ---- arrays of no use ---- */

static void unusable_arrays_fail_only_when_asked_for(void **state)
{
    (void)state;
    static const char *const kinds[][3] = {
        {"o", "'|O'", "pickled Python objects (dtype '|O'); save it again with dtype=float32"},
        {"s", "'<U3'", "strings (dtype '<U3')"},
        {"c", "'<c8'", "complex numbers (dtype '<c8')"},
        {"v", "[('a', '<f4')]", "records of several fields"},
        {"m", "nonsense", "malformed .npy header"}};
    zip_builder zip = {0};
    dt_npz *npz = NULL;
    for (size_t i = 0; i < 5; i++) {
        zip_bytes npy = {0};
        char name[16];
        (void)snprintf(name, sizeof name, "%s.npy", kinds[i][0]);
        zip_npy(&npy, 1, kinds[i][1], "False", "(2,)", "\x80\x03]q\x00.", 6);
        zip_add(&zip, &(zip_member){.name = name, .plain = npy.data, .plain_bytes = npy.count});
        zip_free(&npy);
    }
    zip_bytes good = npz_example();
    zip_add(&zip, &(zip_member){.name = "x.npy", .plain = good.data, .plain_bytes = good.count});
    zip_add(&zip, &(zip_member){.name = "e.npy", .plain = "", .plain_bytes = 0});
    zip_free(&good);
    dt_status_set_text("");
    assert_int_equal(dt_npz_open(&npz, npz_save(&zip, &(zip_ending){0})), DT_OK);
    assert_string_equal(dt_status_text(), "");
    assert_int_equal(dt_npz_count(npz), 7);
    const dt_npz_member *member = NULL;
    for (size_t i = 0; i < 5; i++)
        assert_null(dt_npz_look(npz, kinds[i][0]));
    assert_null(dt_npz_look(npz, "none"));
    assert_string_equal(dt_status_text(), "");
    for (size_t i = 0; i < 5; i++) {
        char label[32];
        assert_true(dt_npz_has(npz, kinds[i][0]));
        assert_int_equal(dt_npz_find(npz, kinds[i][0], &member), DT_DATA);
        assert_null(member);
        (void)snprintf(label, sizeof label, "x.npz: array '%s': ", kinds[i][0]);
        assert_says(label);
        assert_says(kinds[i][2]);
    }
    assert_int_equal(dt_npz_find(npz, "x", &member), DT_OK);
    assert_ptr_equal(dt_npz_look(npz, "x"), member);
    assert_int_equal(dt_npz_find(npz, "e", &member), DT_DATA);
    assert_says("not a .npy array");
    dt_npz_close(npz);
}

#define TEST(name) cmocka_unit_test_teardown(name, scratch_empty)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(missing_file_is_named_with_the_reason),
        TEST(folder_is_refused),
        TEST(named_pipe_is_refused_without_waiting),
        TEST(empty_file_is_refused),
        TEST(html_page_is_recognised),
        TEST(lfs_pointer_is_recognised),
        TEST(single_npy_is_recognised),
        TEST(other_files_are_recognised),
        TEST(stored_and_deflated_members_are_read),
        TEST(data_descriptors_are_read),
        TEST(zip64_is_read),
        TEST(comment_and_prepended_bytes_are_passed_over),
        TEST(npy_versions_1_2_and_3_are_read),
        TEST(fortran_order_and_byte_order_are_told),
        TEST(float16_arrays_are_read),
        TEST(members_that_are_no_npy_are_left_out),
        TEST(unknown_name_lists_the_names_there_are),
        TEST(long_list_of_names_is_cut),
        TEST(last_of_two_equal_names_wins_as_in_python),
        TEST(two_streams_of_one_archive_do_not_disturb_each_other),
        TEST(unusable_arrays_fail_only_when_asked_for),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
