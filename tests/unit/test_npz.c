#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/io/npz.h"
#include "scratch_folder.h"
#include "status_checks.h"
#include "zip_builder.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* ---- helpers ---- */

enum { ROWS = 6, COLUMNS = 3, ITEMS = ROWS * COLUMNS };

static const float *example_items(void)
{
    static float items[ITEMS];
    for (int i = 0; i < ITEMS; i++)
        items[i] = (float)i / 4;
    return items;
}

/* An array of ROWS x COLUMNS float32: the same in most tests. */
static zip_bytes example_npy(void)
{
    zip_bytes npy = {0};
    zip_npy(&npy, 1, "'<f4'", "False", "(6, 3)", example_items(), ITEMS * sizeof(float));
    return npy;
}

/* Ends the archive, saves it as x.npz and frees it; returns the path. */
static const char *save(zip_builder *zip, const zip_ending *ending)
{
    const char *path = scratch_path("x.npz");
    zip_end(zip, ending);
    assert_true(scratch_write(path, zip->file.data, zip->file.count));
    zip_free(&zip->file);
    return path;
}

/* Saves an archive of the one member `x` that `member` describes, with the example's data. */
static const char *save_member(zip_member member, zip_ending ending)
{
    zip_builder zip = {0};
    zip_bytes npy = example_npy();
    if (member.name == NULL)
        member.name = "x.npy";
    if (member.plain == NULL) {
        member.plain = npy.data;
        member.plain_bytes = npy.count;
    }
    zip_add(&zip, &member);
    zip_free(&npy);
    return save(&zip, &ending);
}

static const char *save_text(const char *text, size_t bytes)
{
    const char *path = scratch_path("x.npz");
    assert_true(scratch_write(path, text, bytes));
    return path;
}

/* Reads one array in pieces of `step` bytes from a block of just its size. */
static dt_status read_array(const dt_npz *npz, const char *name, size_t step, unsigned char **out,
                            size_t *bytes)
{
    dt_status status = DT_OK;
    const dt_npz_member *member = NULL;
    dt_npz_stream *stream = NULL;
    *out = NULL;
    DT_TRY(dt_npz_find(npz, name, &member));
    DT_TRY(dt_npz_stream_open(&stream, npz, member));
    *bytes = (size_t)member->npy.data_bytes;
    *out = malloc(*bytes == 0 ? 1 : *bytes);
    assert_non_null(*out);
    for (size_t done = 0; done < *bytes; done += step) {
        size_t left = *bytes - done;
        DT_TRY(dt_npz_stream_read(stream, *out + done, left < step ? left : step));
    }
out:
    dt_npz_stream_close(stream);
    if (status != DT_OK) {
        free(*out);
        *out = NULL;
    }
    return status;
}

/* Opens and reads all arrays to their ends; `expected`, if any, is what each good one must hold. */
static dt_status read_archive(const char *path, const void *expected, size_t expected_bytes)
{
    dt_status status = DT_OK;
    dt_npz *npz = NULL;
    dt_status_set_text("");
    DT_TRY(dt_npz_open(&npz, path));
    for (size_t i = 0; i < dt_npz_count(npz); i++) {
        unsigned char *items = NULL;
        size_t bytes = 0;
        DT_TRY(read_array(npz, dt_npz_name(npz, i), 7, &items, &bytes));
        if (expected != NULL) {
            assert_int_equal(bytes, expected_bytes);
            assert_memory_equal(items, expected, bytes);
        }
        free(items);
    }
out:
    assert_true(status == DT_OK || npz != NULL || dt_status_text()[0] != '\0');
    dt_npz_close(npz);
    return status;
}

static void assert_reads_example(const char *path)
{
    dt_status status = read_archive(path, example_items(), ITEMS * sizeof(float));
    if (status != DT_OK)
        fail_msg("%s", dt_status_text());
}

static void assert_open_fails(const char *path, const char *part)
{
    dt_npz *npz = (dt_npz *)1;
    assert_int_equal(dt_npz_open(&npz, path), DT_DATA);
    assert_null(npz);
    assert_says(path);
    assert_says(part);
}

static void assert_read_fails(const char *path, const char *part)
{
    assert_int_equal(read_archive(path, NULL, 0), DT_DATA);
    assert_says(path);
    assert_says(part);
}

/* ---- what is no archive ---- */

static void missing_file_is_named_with_the_reason(void **state)
{
    (void)state;
    assert_open_fails(scratch_path("none.npz"), "cannot open: No such file or directory");
}

static void folder_is_refused(void **state)
{
    (void)state;
    assert_open_fails(scratch_folder, "is a folder, expected a .npz file");
}

static void named_pipe_is_refused_without_waiting(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(scratch_path("pipe"), 0600), 0);
    assert_open_fails(scratch_path("pipe"), "is a device or pipe, expected a .npz file");
}

static void empty_file_is_refused(void **state)
{
    (void)state;
    assert_open_fails(save_text("", 0), "is empty (0 bytes)");
}

static void html_page_is_recognised(void **state)
{
    (void)state;
    static const char *const pages[] = {"<!DOCTYPE html>\n<html><body>404</body></html>",
                                        "\n\n  <html lang=\"en\">", "<HTML>",
                                        "\xEF\xBB\xBF<!doctype HTML>"};
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        assert_open_fails(save_text(pages[i], strlen(pages[i])),
                          "looks like an HTML page, not a .npz: the download may have failed");
}

static void lfs_pointer_is_recognised(void **state)
{
    (void)state;
    const char *pointer = "version https://git-lfs.github.com/spec/v1\n"
                          "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d1\n"
                          "size 12345\n";
    assert_open_fails(save_text(pointer, strlen(pointer)),
                      "is a Git LFS pointer, not the data: run git lfs pull");
}

static void single_npy_is_recognised(void **state)
{
    (void)state;
    zip_bytes npy = example_npy();
    const char *path = scratch_path("x.npz");
    assert_true(scratch_write(path, npy.data, npy.count));
    zip_free(&npy);
    assert_open_fails(path, "is a single .npy array, expected a .npz");
}

static void other_files_are_recognised(void **state)
{
    (void)state;
    assert_open_fails(save_text("\x89HDF\r\n\x1a\n....", 12), "is an HDF5 file");
    assert_open_fails(save_text("\x1f\x8b\x08....", 7), "is gzip-compressed");
    assert_open_fails(save_text("a,b,c\n1,2,3\n", 12), "is no ZIP archive, expected a .npz");
    assert_open_fails(save_text("a,b,c\n1,2,3\n", 12),
                      "a table of text becomes one with dtrain prepare");
    assert_open_fails(save_text("P", 1), "is no ZIP archive");
}

/* ---- what is one ---- */

static void stored_and_deflated_members_are_read(void **state)
{
    (void)state;
    assert_reads_example(save_member((zip_member){.name = "x.npy"}, (zip_ending){0}));
    assert_reads_example(save_member((zip_member){.deflate = true}, (zip_ending){0}));
}

static void data_descriptors_are_read(void **state)
{
    (void)state;
    assert_reads_example(save_member((zip_member){.descriptor = true}, (zip_ending){0}));
    assert_reads_example(
        save_member((zip_member){.descriptor = true, .deflate = true}, (zip_ending){0}));
    assert_reads_example(
        save_member((zip_member){.descriptor = true, .zip64 = true}, (zip_ending){0}));
}

static void zip64_is_read(void **state)
{
    (void)state;
    static const unsigned char other[] = {0x99, 0x99, 3, 0, 1, 2, 3}; /* an unknown extra field */
    zip_ending end64 = {.zip64 = true};
    assert_reads_example(save_member((zip_member){.zip64 = true}, (zip_ending){0}));
    assert_reads_example(save_member((zip_member){.zip64 = true, .deflate = true}, end64));
    assert_reads_example(save_member((zip_member){.name = "x.npy"}, end64));
    assert_reads_example(save_member(
        (zip_member){.zip64 = true, .extra = other, .extra_bytes = sizeof other}, end64));
}

static void comment_and_prepended_bytes_are_passed_over(void **state)
{
    (void)state;
    assert_reads_example(
        save_member((zip_member){.deflate = true}, (zip_ending){.comment = "a comment, PK"}));
    for (int is64 = 0; is64 < 2; is64++) {
        size_t bytes = 0;
        const char *path =
            save_member((zip_member){.zip64 = is64 == 1}, (zip_ending){.zip64 = is64 == 1});
        unsigned char *archive = scratch_read(path, &bytes);
        zip_bytes longer = {0};
        assert_non_null(archive);
        zip_append(&longer, "#!/bin/sh\nprepended\n", 20);
        zip_append(&longer, archive, bytes);
        assert_true(scratch_write(path, longer.data, longer.count));
        free(archive);
        zip_free(&longer);
        assert_reads_example(path);
    }
}

static void npy_versions_1_2_and_3_are_read(void **state)
{
    (void)state;
    for (unsigned version = 1; version <= 3; version++) {
        zip_bytes npy = {0};
        zip_npy(&npy, version, "'<f4'", "False", "(6, 3)", example_items(), ITEMS * sizeof(float));
        assert_reads_example(
            save_member((zip_member){.plain = npy.data, .plain_bytes = npy.count, .deflate = true},
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
        save_member((zip_member){.plain = npy.data, .plain_bytes = npy.count}, (zip_ending){0});
    zip_free(&npy);
    assert_int_equal(dt_npz_open(&npz, path), DT_OK);
    assert_string_equal(dt_npz_path(npz), path);
    assert_int_equal(dt_npz_find(npz, "x", &member), DT_OK);
    assert_true(member->npy.fortran && member->npy.swapped);
    assert_string_equal(member->name, "x");
    assert_int_equal(read_array(npz, "x", 3, &read, &bytes), DT_OK);
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
        save_member((zip_member){.plain = npy.data, .plain_bytes = npy.count}, (zip_ending){0});
    zip_free(&npy);
    assert_int_equal(dt_npz_open(&npz, path), DT_OK);
    assert_int_equal(dt_npz_find(npz, "x", &member), DT_OK);
    assert_int_equal(read_array(npz, "x", 100, &read, &bytes), DT_OK);
    dt_npy_to_double(values, read, 3, &member->npy);
    assert_true(values[0] == 1 && values[1] == 0x1p-24 && values[2] < -1e300);
    free(read);
    dt_npz_close(npz);
}

static void members_that_are_no_npy_are_left_out(void **state)
{
    (void)state;
    zip_builder zip = {0};
    zip_bytes npy = example_npy();
    zip_add(&zip, &(zip_member){.name = "README", .plain = "text", .plain_bytes = 4});
    zip_add(&zip, &(zip_member){.name = "x.npy", .plain = npy.data, .plain_bytes = npy.count});
    zip_add(&zip, &(zip_member){.name = "z.csv", .plain = "1", .plain_bytes = 1, .flags = 1});
    zip_free(&npy);
    const char *path = save(&zip, &(zip_ending){0});
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
    zip_bytes npy = example_npy();
    const dt_npz_member *member = (const dt_npz_member *)1;
    dt_npz *npz = NULL;
    zip_add(&zip, &(zip_member){.name = "a.npy", .plain = npy.data, .plain_bytes = npy.count});
    zip_add(&zip, &(zip_member){.name = "b\n.npy", .plain = npy.data, .plain_bytes = npy.count});
    zip_free(&npy);
    const char *path = save(&zip, &(zip_ending){0});
    assert_int_equal(dt_npz_open(&npz, path), DT_OK);
    assert_int_equal(dt_npz_find(npz, "inputs", &member), DT_DATA);
    assert_null(member);
    assert_says("x.npz: no array 'inputs', found: a, b?");
    dt_npz_close(npz);
    path = save(&(zip_builder){0}, &(zip_ending){0});
    assert_int_equal(dt_npz_open(&npz, path), DT_OK);
    assert_int_equal(dt_npz_count(npz), 0);
    assert_int_equal(dt_npz_find(npz, "inputs", &member), DT_DATA);
    assert_says("the archive holds no arrays");
    dt_npz_close(npz);
}

static void long_list_of_names_is_cut(void **state)
{
    (void)state;
    zip_builder zip = {0};
    zip_bytes npy = example_npy();
    const dt_npz_member *member = NULL;
    dt_npz *npz = NULL;
    for (int i = 0; i < 100; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "column_%d.npy", i);
        zip_add(&zip, &(zip_member){.name = name, .plain = npy.data, .plain_bytes = npy.count});
    }
    zip_free(&npy);
    assert_int_equal(dt_npz_open(&npz, save(&zip, &(zip_ending){0})), DT_OK);
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
    assert_int_equal(dt_npz_open(&npz, save(&zip, &(zip_ending){0})), DT_OK);
    assert_int_equal(read_array(npz, "x", 1, &items, &bytes), DT_OK);
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
    float items[2][ITEMS];
    const char *path = save_member((zip_member){.deflate = true}, (zip_ending){0});
    assert_int_equal(dt_npz_open(&npz, path), DT_OK);
    assert_int_equal(dt_npz_find(npz, "x", &member), DT_OK);
    for (int s = 0; s < 2; s++)
        assert_int_equal(dt_npz_stream_open(&streams[s], npz, member), DT_OK);
    for (int row = 0; row < ROWS; row++)
        for (int s = 0; s < 2; s++)
            assert_int_equal(
                dt_npz_stream_read(streams[s], &items[s][row * COLUMNS], COLUMNS * sizeof(float)),
                DT_OK);
    for (int s = 0; s < 2; s++) {
        assert_memory_equal(items[s], example_items(), sizeof items[s]);
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
    zip_bytes good = example_npy();
    zip_add(&zip, &(zip_member){.name = "x.npy", .plain = good.data, .plain_bytes = good.count});
    zip_add(&zip, &(zip_member){.name = "e.npy", .plain = "", .plain_bytes = 0});
    zip_free(&good);
    dt_status_set_text("");
    assert_int_equal(dt_npz_open(&npz, save(&zip, &(zip_ending){0})), DT_OK);
    assert_string_equal(dt_status_text(), "");
    assert_int_equal(dt_npz_count(npz), 7);
    const dt_npz_member *member = NULL;
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
    assert_int_equal(dt_npz_find(npz, "e", &member), DT_DATA);
    assert_says("no .npy array");
    dt_npz_close(npz);
}

/* ---- damaged and tampered archives ---- */

static void wrong_crc_is_seen_with_the_last_byte(void **state)
{
    (void)state;
    for (int deflate = 0; deflate < 2; deflate++) {
        dt_npz *npz = NULL;
        const dt_npz_member *member = NULL;
        dt_npz_stream *stream = NULL;
        float items[ITEMS];
        const char *path =
            save_member((zip_member){.deflate = deflate == 1, .crc_change = 1}, (zip_ending){0});
        assert_int_equal(dt_npz_open(&npz, path), DT_OK);
        assert_int_equal(dt_npz_find(npz, "x", &member), DT_OK);
        assert_int_equal(dt_npz_stream_open(&stream, npz, member), DT_OK);
        assert_int_equal(dt_npz_stream_read(stream, items, sizeof items - 1), DT_OK);
        assert_int_equal(dt_npz_stream_read(stream, items, 1), DT_DATA);
        assert_says("x.npz: array 'x' is damaged: its CRC-32 is not what the archive says");
        dt_npz_stream_close(stream);
        dt_npz_close(npz);
    }
}

static void wrong_crc_of_an_array_without_items_is_seen(void **state)
{
    (void)state;
    for (int deflate = 0; deflate < 2; deflate++) {
        zip_bytes npy = {0};
        zip_npy(&npy, 1, "'<f4'", "False", "(0, 3)", NULL, 0);
        zip_member member = {.plain = npy.data, .plain_bytes = npy.count, .deflate = deflate == 1};
        assert_int_equal(read_archive(save_member(member, (zip_ending){0}), "", 0), DT_OK);
        member.crc_change = 0x80000000u;
        assert_read_fails(save_member(member, (zip_ending){0}), "its CRC-32 is not what");
        zip_free(&npy);
    }
}

static void changed_data_is_seen(void **state)
{
    (void)state;
    size_t bytes = 0;
    const char *path = save_member((zip_member){.name = "x.npy"}, (zip_ending){0});
    unsigned char *archive = scratch_read(path, &bytes);
    assert_non_null(archive);
    archive[30 + 5 + 100] ^= 4; /* behind the local header and the name: an item */
    assert_true(scratch_write(path, archive, bytes));
    free(archive);
    assert_read_fails(path, "its CRC-32 is not what the archive says");
}

static void header_that_lies_about_its_size_is_refused(void **state)
{
    (void)state;
    static const char *const shapes[] = {"(6, 4)", "(5, 3)",           "(0,)",
                                         "()",     "(1099511627776,)", "(1000000000, 1000000000)"};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int deflate = 0; deflate < 2; deflate++) {
            zip_bytes npy = {0};
            zip_npy(&npy, 1, "'<f4'", "False", shapes[i], example_items(), ITEMS * sizeof(float));
            const char *path = save_member(
                (zip_member){.plain = npy.data, .plain_bytes = npy.count, .deflate = deflate == 1},
                (zip_ending){0});
            zip_free(&npy);
            assert_open_fails(path, "array 'x' has a header that lies about its size");
        }
}

static void bomb_is_refused_by_its_claim(void **state)
{
    (void)state;
    static unsigned char zeros[1 << 20];
    zip_bytes npy = {0};
    zip_npy(&npy, 1, "'|u1'", "False", "(1099511627646,)", zeros, sizeof zeros);
    zip_member member = {.plain = npy.data,
                         .plain_bytes = npy.count,
                         .deflate = true,
                         .zip64 = true,
                         .plain_claim = (uint64_t)1 << 40};
    assert_open_fails(save_member(member, (zip_ending){0}),
                      "inflate to 1099511627776, more than deflate can do (1032 : 1)");
    member.deflate = false;
    assert_open_fails(save_member(member, (zip_ending){0}), "is stored plain in 1048");
    zip_free(&npy);
}

static void data_that_inflates_to_less_or_more_is_refused(void **state)
{
    (void)state;
    /* Shape and directory agree, only the deflate stream does not. */
    for (int change = -4; change <= 4; change += 8) {
        zip_bytes npy = {0};
        zip_npy(&npy, 1, "'<f4'", "False", change < 0 ? "(17,)" : "(19,)", example_items(),
                ITEMS * sizeof(float));
        zip_member member = {
            .plain = npy.data, .plain_bytes = npy.count, .deflate = true, .plain_change = change};
        assert_read_fails(save_member(member, (zip_ending){0}),
                          change < 0 ? "it inflates to more bytes than the archive says"
                                     : "it inflates to fewer bytes than the archive says");
        zip_free(&npy);
    }
}

static void compressed_data_cut_or_followed_by_more_is_refused(void **state)
{
    (void)state;
    assert_read_fails(save_member((zip_member){.deflate = true, .cut = 1}, (zip_ending){0}),
                      "its compressed data ends early");
    assert_read_fails(save_member((zip_member){.deflate = true, .surplus = 3}, (zip_ending){0}),
                      "bytes are left over after its compressed data");
}

static void stored_sizes_that_differ_are_refused(void **state)
{
    (void)state;
    assert_open_fails(save_member((zip_member){.plain_change = 1}, (zip_ending){0}),
                      "'x.npy' is stored plain in");
}

static void members_beyond_the_end_are_refused(void **state)
{
    (void)state;
    zip_ending good = {0};
    assert_open_fails(save_member((zip_member){.offset_change = 1 << 20}, good),
                      "a member begins beyond the end");
    assert_open_fails(save_member((zip_member){.zip64 = true, .offset_change = INT64_MAX}, good),
                      "a member begins beyond the end");
    assert_open_fails(save_member((zip_member){.zip64 = true, .offset_change = -1}, good),
                      "a member begins beyond the end");
    assert_open_fails(save_member((zip_member){.offset_change = 1}, good),
                      "no member where the directory says there is one");
    assert_open_fails(save_member((zip_member){.stored_change = 1, .plain_change = 1}, good),
                      "a member reaches beyond the end");
    assert_open_fails(
        save_member(
            (zip_member){.zip64 = true, .stored_change = INT64_MAX, .plain_change = INT64_MAX},
            good),
        "a member reaches beyond the end");
}

static void directory_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    zip_member good = {.name = "x.npy"};
    for (int is64 = 0; is64 < 2; is64++) {
        bool zip64 = is64 == 1;
        assert_open_fails(save_member(good, (zip_ending){.zip64 = zip64, .bytes_change = 1 << 20}),
                          "the central directory is larger than the file");
        assert_open_fails(save_member(good, (zip_ending){.zip64 = zip64, .offset_change = 1 << 20}),
                          "the central directory is larger than the file");
        assert_open_fails(save_member(good, (zip_ending){.zip64 = zip64, .bytes_change = -1}),
                          "damaged ZIP archive");
        assert_open_fails(save_member(good, (zip_ending){.zip64 = zip64, .count_change = 1}),
                          "the number of members is not what the directory says");
    }
    assert_open_fails(save_member(good, (zip_ending){.zip64 = true, .bytes_change = INT64_MAX}),
                      "the central directory is larger than the file");
    assert_open_fails(save_member(good, (zip_ending){.zip64 = true, .count_change = INT64_MAX}),
                      "the number of members is not what the directory says");
}

static void misplaced_zip64_record_is_found_beside_its_locator(void **state)
{
    (void)state;
    assert_reads_example(save_member((zip_member){.name = "x.npy"},
                                     (zip_ending){.zip64 = true, .locator_shift = 1000}));
}

static void encrypted_members_are_refused(void **state)
{
    (void)state;
    assert_open_fails(save_member((zip_member){.flags = 1}, (zip_ending){0}),
                      "'x.npy' is encrypted; save the arrays without a password");
    assert_open_fails(save_member((zip_member){.flags = 1 | 1u << 6}, (zip_ending){0}),
                      "is encrypted");
}

static void several_disks_are_refused(void **state)
{
    (void)state;
    assert_open_fails(save_member((zip_member){.name = "x.npy"}, (zip_ending){.disk = 1}),
                      "is one part of a ZIP archive on several disks");
    assert_open_fails(
        save_member((zip_member){.name = "x.npy"}, (zip_ending){.disk = 2, .zip64 = true}),
        "is one part of a ZIP archive on several disks");
    assert_open_fails(save_member((zip_member){.disk = 1}, (zip_ending){0}), "on several disks");
}

static void unknown_compression_is_refused(void **state)
{
    (void)state;
    assert_open_fails(save_member((zip_member){.method = 14}, (zip_ending){0}),
                      "'x.npy' has compression method 14, expected 0 (stored) or 8 (deflated)");
}

static void local_header_of_another_name_is_refused(void **state)
{
    (void)state;
    assert_open_fails(save_member((zip_member){.local_name = "y.npy"}, (zip_ending){0}),
                      "disagree about its name or method");
    assert_open_fails(save_member((zip_member){.local_name = "longer.npy"}, (zip_ending){0}),
                      "damaged ZIP archive");
}

static void extra_field_that_is_cut_off_is_refused(void **state)
{
    (void)state;
    static const unsigned char extra[] = {1, 0, 200, 0, 1, 2, 3, 4};
    assert_open_fails(
        save_member((zip_member){.extra = extra, .extra_bytes = sizeof extra}, (zip_ending){0}),
        "an extra field is cut off");
    static const unsigned char shorter[] = {1, 0, 4, 0, 1, 2, 3, 4};
    assert_open_fails(
        save_member((zip_member){.zip64 = true, .extra = shorter, .extra_bytes = sizeof shorter},
                    (zip_ending){0}),
        "a ZIP64 field is cut off");
}

/* Two members, deflated and stored, ZIP64 and not, with everything that a reader has to follow. */
static unsigned char *mixed_archive(size_t *bytes)
{
    zip_builder zip = {0};
    zip_bytes npy = example_npy();
    zip_add(&zip, &(zip_member){.name = "a.npy",
                                .plain = npy.data,
                                .plain_bytes = npy.count,
                                .deflate = true,
                                .descriptor = true});
    zip_add(&zip, &(zip_member){
                      .name = "b.npy", .plain = npy.data, .plain_bytes = npy.count, .zip64 = true});
    zip_free(&npy);
    zip_end(&zip, &(zip_ending){.zip64 = true, .comment = "end"});
    *bytes = zip.file.count;
    return zip.file.data;
}

static void archive_cut_at_any_byte_is_refused(void **state)
{
    (void)state;
    size_t bytes = 0;
    unsigned char *archive = mixed_archive(&bytes);
    const char *path = scratch_path("x.npz");
    for (size_t cut = 0; cut < bytes; cut++) {
        assert_true(scratch_write(path, archive, cut));
        if (read_archive(path, NULL, 0) != DT_DATA)
            fail_msg("cut at %zu of %zu: %s", cut, bytes, dt_status_text());
        assert_says(path);
        assert_says(cut == 0  ? "is empty"
                    : cut < 2 ? "is no ZIP archive"
                              : "truncated ZIP archive: no end of central directory");
    }
    assert_true(scratch_write(path, archive, bytes));
    free(archive);
    assert_reads_example(path);
}

static void any_changed_byte_is_refused_or_changes_no_item(void **state)
{
    (void)state;
    static const unsigned char changes[] = {0x01, 0x80, 0xFF};
    size_t bytes = 0, refused = 0;
    unsigned char *archive = mixed_archive(&bytes);
    const char *path = scratch_path("x.npz");
    for (size_t i = 0; i < bytes; i++)
        for (size_t c = 0; c < sizeof changes; c++) {
            archive[i] ^= changes[c];
            assert_true(scratch_write(path, archive, bytes));
            dt_status status = read_archive(path, example_items(), ITEMS * sizeof(float));
            if (status != DT_OK && status != DT_DATA)
                fail_msg("byte %zu: status %d: %s", i, status, dt_status_text());
            refused += status == DT_DATA;
            archive[i] ^= changes[c];
        }
    free(archive);
    assert_true(refused > bytes); /* dates, versions, descriptors and the like are not looked at */
}

/* ---- the writer ---- */

/* Begins an archive of `count` numbers, in pieces of `step` items, a scalar, and an empty array. */
static dt_status begin_archive(dt_npz_writer **out, const char *path, int level,
                               const uint64_t *items, size_t count, size_t step)
{
    dt_status status = DT_OK;
    dt_npz_writer *writer = NULL;
    const unsigned char scalar = 7;
    *out = NULL;
    DT_TRY(dt_npz_writer_open(&writer, path, level));
    DT_TRY(dt_npz_writer_begin(writer, "numbers", "<u8", 2, (const uint64_t[]){count / 2, 2}));
    for (size_t i = 0; i < count; i += step) {
        size_t part = count - i < step ? count - i : step;
        DT_TRY(dt_npz_writer_write(writer, items + i, part * sizeof *items));
    }
    DT_TRY(dt_npz_writer_begin(writer, "scalar", "|u1", 0, NULL));
    DT_TRY(dt_npz_writer_write(writer, &scalar, 1));
    DT_TRY(dt_npz_writer_write(writer, NULL, 0));
    DT_TRY(dt_npz_writer_begin(writer, "\xC3\xA4mpty", "<f4", 2, (const uint64_t[]){0, 5}));
    *out = writer;
    writer = NULL;
out:
    dt_npz_writer_discard(writer);
    return status;
}

static dt_status write_archive(const char *path, int level, const uint64_t *items, size_t count,
                               size_t step)
{
    dt_npz_writer *writer = NULL;
    dt_status status = begin_archive(&writer, path, level, items, count, step);
    return status == DT_OK ? dt_npz_writer_finish(writer) : status;
}

static uint64_t *some_numbers(size_t count)
{
    uint64_t *numbers = malloc((count + 1) * sizeof *numbers);
    assert_non_null(numbers);
    for (size_t i = 0; i < count; i++) /* every second one does not deflate */
        numbers[i] = i % 2 == 0 ? i / 100 : i * UINT64_C(0x9E3779B97F4A7C15);
    return numbers;
}

static void written_archive_is_read_back(void **state)
{
    (void)state;
    static const size_t counts[] = {0, 2, 100, 50000};
    const char *path = scratch_path("w.npz");
    for (size_t c = 0; c < 4; c++)
        for (int level = 0; level <= 9; level += 3) {
            uint64_t *numbers = some_numbers(counts[c]);
            unsigned char *items = NULL;
            size_t bytes = 0;
            dt_npz *npz = NULL;
            assert_int_equal(write_archive(path, level, numbers, counts[c], 20011), DT_OK);
            assert_int_equal(dt_npz_open(&npz, path), DT_OK);
            assert_int_equal(dt_npz_count(npz), 3);
            assert_int_equal(read_array(npz, "numbers", 170003, &items, &bytes), DT_OK);
            assert_int_equal(bytes, counts[c] * sizeof *numbers);
            assert_memory_equal(items, numbers, bytes);
            free(items);
            assert_int_equal(read_array(npz, "scalar", 1, &items, &bytes), DT_OK);
            assert_int_equal(bytes, 1);
            assert_int_equal(items[0], 7);
            free(items);
            assert_int_equal(read_array(npz, "\xC3\xA4mpty", 1, &items, &bytes), DT_OK);
            assert_int_equal(bytes, 0);
            free(items);
            dt_npz_close(npz);
            free(numbers);
        }
}

static void same_arrays_make_the_same_bytes(void **state)
{
    (void)state;
    uint64_t *numbers = some_numbers(20000);
    for (int level = 0; level <= 6; level += 6) {
        unsigned char *files[2];
        size_t bytes[2];
        for (int i = 0; i < 2; i++) {
            const char *path = scratch_path(i == 0 ? "v.npz" : "w.npz");
            assert_int_equal(write_archive(path, level, numbers, 20000, 1000), DT_OK);
            files[i] = scratch_read(path, &bytes[i]);
            assert_non_null(files[i]);
        }
        assert_int_equal(bytes[0], bytes[1]);
        assert_memory_equal(files[0], files[1], bytes[0]);
        free(files[0]);
        free(files[1]);
    }
    free(numbers);
}

static void written_deflated_archive_is_smaller(void **state)
{
    (void)state;
    struct stat plain, deflated;
    uint64_t *zeros = calloc(50000, sizeof *zeros);
    assert_non_null(zeros);
    assert_int_equal(write_archive(scratch_path("v.npz"), 0, zeros, 50000, 50000), DT_OK);
    assert_int_equal(write_archive(scratch_path("w.npz"), 6, zeros, 50000, 50000), DT_OK);
    free(zeros);
    assert_int_equal(stat(scratch_path("v.npz"), &plain), 0);
    assert_int_equal(stat(scratch_path("w.npz"), &deflated), 0);
    assert_true(plain.st_size > 400000 && deflated.st_size < 4000);
    assert_int_equal(read_archive(scratch_path("w.npz"), NULL, 0), DT_OK);
}

static void more_than_65535_members_need_zip64(void **state)
{
    (void)state;
    enum { MEMBERS = 65600 };
    dt_npz_writer *writer = NULL;
    dt_npz *npz = NULL;
    unsigned char *items = NULL;
    size_t bytes = 0;
    assert_int_equal(dt_npz_writer_open(&writer, scratch_path("w.npz"), 0), DT_OK);
    for (int i = 0; i < MEMBERS; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "%d", i);
        assert_int_equal(dt_npz_writer_begin(writer, name, "<i4", 1, (const uint64_t[]){1}), DT_OK);
        assert_int_equal(dt_npz_writer_write(writer, &i, 4), DT_OK);
    }
    assert_int_equal(dt_npz_writer_finish(writer), DT_OK);
    assert_int_equal(dt_npz_open(&npz, scratch_path("w.npz")), DT_OK);
    assert_int_equal(dt_npz_count(npz), MEMBERS);
    assert_int_equal(read_array(npz, "65599", 4, &items, &bytes), DT_OK);
    assert_int_equal(items[0] | items[1] << 8 | items[2] << 16, 65599);
    free(items);
    dt_npz_close(npz);
}

static void discarded_archive_leaves_nothing(void **state)
{
    (void)state;
    dt_npz_writer *writer = NULL;
    for (int level = 0; level <= 6; level += 6) {
        assert_int_equal(dt_npz_writer_open(&writer, scratch_path("w.npz"), level), DT_OK);
        assert_int_equal(dt_npz_writer_begin(writer, "x", "<f4", 1, (const uint64_t[]){9}), DT_OK);
        dt_npz_writer_discard(writer);
        assert_int_equal(scratch_count(false), 0);
    }
    dt_npz_writer_discard(NULL);
}

static void sealed_archive_is_the_same_and_appears_when_finished(void **state)
{
    (void)state;
    uint64_t *numbers = some_numbers(20000);
    for (int level = 0; level <= 6; level += 6) {
        unsigned char *files[3];
        size_t bytes[3] = {0};
        char temporary[64];
        dt_npz_writer *writer = NULL;
        assert_int_equal(write_archive(scratch_path("v.npz"), level, numbers, 20000, 1000), DT_OK);
        files[0] = scratch_read(scratch_path("v.npz"), &bytes[0]);
        assert_int_equal(begin_archive(&writer, scratch_path("w.npz"), level, numbers, 20000, 1000),
                         DT_OK);
        assert_int_equal(dt_npz_writer_seal(writer), DT_OK);
        assert_int_not_equal(access(scratch_path("w.npz"), F_OK), 0);
        (void)snprintf(temporary, sizeof temporary, "w.npz.%ld.tmp", (long)getpid());
        files[1] = scratch_read(scratch_path(temporary), &bytes[1]); /* whole already */
        assert_int_equal(dt_npz_writer_seal(writer), DT_OK);
        assert_int_equal(dt_npz_writer_finish(writer), DT_OK);
        files[2] = scratch_read(scratch_path("w.npz"), &bytes[2]);
        for (int i = 0; i < 3; i++) {
            assert_non_null(files[i]);
            assert_int_equal(bytes[i], bytes[0]);
            assert_memory_equal(files[i], files[0], bytes[0]);
        }
        for (int i = 0; i < 3; i++)
            free(files[i]);
        assert_int_equal(scratch_count(true), 2);
    }
    free(numbers);
}

static void discarded_sealed_archive_leaves_nothing(void **state)
{
    (void)state;
    dt_npz_writer *writer = NULL;
    const uint64_t numbers[2] = {1, 2};
    for (int level = 0; level <= 6; level += 6) {
        assert_int_equal(begin_archive(&writer, scratch_path("w.npz"), level, numbers, 2, 2),
                         DT_OK);
        assert_int_equal(dt_npz_writer_seal(writer), DT_OK);
        assert_int_equal(scratch_count(false), 1);
        dt_npz_writer_discard(writer);
        assert_int_equal(scratch_count(false), 0);
    }
}

/* In a child, as the assertion that has to come ends the process. */
static void writing_a_sealed_archive_is_our_bug(void **state)
{
    (void)state;
    dt_npz_writer *writer = NULL;
    const uint64_t numbers[2] = {1, 2};
    assert_int_equal(begin_archive(&writer, scratch_path("w.npz"), 6, numbers, 2, 2), DT_OK);
    assert_int_equal(dt_npz_writer_seal(writer), DT_OK);
    for (int begin = 0; begin < 2; begin++) {
        int status = 0;
        fflush(NULL);
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            (void)dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
            _exit((int)(begin ? dt_npz_writer_begin(writer, "x", "<f4", 0, NULL)
                              : dt_npz_writer_write(writer, numbers, 0)));
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), DT_INTERNAL);
    }
    assert_int_equal(dt_npz_writer_finish(writer), DT_OK);
    assert_int_equal(read_archive(scratch_path("w.npz"), NULL, 0), DT_OK);
}

static void archive_that_cannot_be_created_is_an_output_error(void **state)
{
    (void)state;
    dt_npz_writer *writer = (dt_npz_writer *)1;
    assert_int_equal(dt_npz_writer_open(&writer, scratch_path("nowhere/w.npz"), 6), DT_OUTPUT);
    assert_null(writer);
    assert_says("nowhere/w.npz: cannot create: No such file or directory");
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
        TEST(wrong_crc_is_seen_with_the_last_byte),
        TEST(wrong_crc_of_an_array_without_items_is_seen),
        TEST(changed_data_is_seen),
        TEST(header_that_lies_about_its_size_is_refused),
        TEST(bomb_is_refused_by_its_claim),
        TEST(data_that_inflates_to_less_or_more_is_refused),
        TEST(compressed_data_cut_or_followed_by_more_is_refused),
        TEST(stored_sizes_that_differ_are_refused),
        TEST(members_beyond_the_end_are_refused),
        TEST(directory_that_does_not_fit_is_refused),
        TEST(misplaced_zip64_record_is_found_beside_its_locator),
        TEST(encrypted_members_are_refused),
        TEST(several_disks_are_refused),
        TEST(unknown_compression_is_refused),
        TEST(local_header_of_another_name_is_refused),
        TEST(extra_field_that_is_cut_off_is_refused),
        TEST(archive_cut_at_any_byte_is_refused),
        TEST(any_changed_byte_is_refused_or_changes_no_item),
        TEST(written_archive_is_read_back),
        TEST(same_arrays_make_the_same_bytes),
        TEST(written_deflated_archive_is_smaller),
        TEST(more_than_65535_members_need_zip64),
        TEST(discarded_archive_leaves_nothing),
        TEST(sealed_archive_is_the_same_and_appears_when_finished),
        TEST(discarded_sealed_archive_leaves_nothing),
        TEST(writing_a_sealed_archive_is_our_bug),
        TEST(archive_that_cannot_be_created_is_an_output_error),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
