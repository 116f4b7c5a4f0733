#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/io/npz.h"
#include "npz_reading.h"
#include "scratch_folder.h"
#include "status_checks.h"

static void wrong_crc_is_seen_with_the_last_byte(void **state)
{
    (void)state;
    for (int deflate = 0; deflate < 2; deflate++) {
        dt_npz *npz = NULL;
        const dt_npz_member *member = NULL;
        dt_npz_stream *stream = NULL;
        float items[NPZ_ITEMS];
        const char *path = npz_save_member((zip_member){.deflate = deflate == 1, .crc_change = 1},
                                           (zip_ending){0});
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
        assert_int_equal(npz_read_archive(npz_save_member(member, (zip_ending){0}), "", 0), DT_OK);
        member.crc_change = 0x80000000u;
        assert_npz_read_fails(npz_save_member(member, (zip_ending){0}), "its CRC-32 is not what");
        zip_free(&npy);
    }
}

static void changed_data_is_seen(void **state)
{
    (void)state;
    size_t bytes = 0;
    const char *path = npz_save_member((zip_member){.name = "x.npy"}, (zip_ending){0});
    unsigned char *archive = scratch_read(path, &bytes);
    assert_non_null(archive);
    archive[30 + 5 + 100] ^= 4; /* behind the local header and the name: an item */
    assert_true(scratch_write(path, archive, bytes));
    free(archive);
    assert_npz_read_fails(path, "its CRC-32 is not what the archive says");
}

static void header_that_lies_about_its_size_is_refused(void **state)
{
    (void)state;
    static const char *const shapes[] = {"(6, 4)", "(5, 3)",           "(0,)",
                                         "()",     "(1099511627776,)", "(1000000000, 1000000000)"};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int deflate = 0; deflate < 2; deflate++) {
            zip_bytes npy = {0};
            zip_npy(&npy, 1, "'<f4'", "False", shapes[i], npz_example_items(),
                    NPZ_ITEMS * sizeof(float));
            const char *path = npz_save_member(
                (zip_member){.plain = npy.data, .plain_bytes = npy.count, .deflate = deflate == 1},
                (zip_ending){0});
            zip_free(&npy);
            assert_npz_open_fails(path, "array 'x' has a header that does not fit its size");
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
    assert_npz_open_fails(
        npz_save_member(member, (zip_ending){0}),
        "inflate to 1099511627776, which exceeds the limit of deflate (1032 : 1)");
    member.deflate = false;
    assert_npz_open_fails(npz_save_member(member, (zip_ending){0}),
                          "is stored uncompressed in 1048");
    zip_free(&npy);
}

static void data_that_inflates_to_less_or_more_is_refused(void **state)
{
    (void)state;
    /* Shape and directory agree, only the deflate stream does not. */
    for (int change = -4; change <= 4; change += 8) {
        zip_bytes npy = {0};
        zip_npy(&npy, 1, "'<f4'", "False", change < 0 ? "(17,)" : "(19,)", npz_example_items(),
                NPZ_ITEMS * sizeof(float));
        zip_member member = {
            .plain = npy.data, .plain_bytes = npy.count, .deflate = true, .plain_change = change};
        assert_npz_read_fails(npz_save_member(member, (zip_ending){0}),
                              change < 0 ? "it inflates to more bytes than the archive says"
                                         : "it inflates to fewer bytes than the archive says");
        zip_free(&npy);
    }
}

static void compressed_data_cut_or_followed_by_more_is_refused(void **state)
{
    (void)state;
    assert_npz_read_fails(npz_save_member((zip_member){.deflate = true, .cut = 1}, (zip_ending){0}),
                          "its compressed data ends early");
    assert_npz_read_fails(
        npz_save_member((zip_member){.deflate = true, .surplus = 3}, (zip_ending){0}),
        "bytes are left over after its compressed data");
}

static void stored_sizes_that_differ_are_refused(void **state)
{
    (void)state;
    assert_npz_open_fails(npz_save_member((zip_member){.plain_change = 1}, (zip_ending){0}),
                          "'x.npy' is stored uncompressed in");
}

static void members_beyond_the_end_are_refused(void **state)
{
    (void)state;
    zip_ending good = {0};
    assert_npz_open_fails(npz_save_member((zip_member){.offset_change = 1 << 20}, good),
                          "a member begins beyond the end");
    assert_npz_open_fails(
        npz_save_member((zip_member){.zip64 = true, .offset_change = INT64_MAX}, good),
        "a member begins beyond the end");
    assert_npz_open_fails(npz_save_member((zip_member){.zip64 = true, .offset_change = -1}, good),
                          "a member begins beyond the end");
    assert_npz_open_fails(npz_save_member((zip_member){.offset_change = 1}, good),
                          "no member at its place in the directory");
    assert_npz_open_fails(
        npz_save_member((zip_member){.stored_change = 1, .plain_change = 1}, good),
        "a member reaches beyond the end");
    assert_npz_open_fails(
        npz_save_member(
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
        assert_npz_open_fails(
            npz_save_member(good, (zip_ending){.zip64 = zip64, .bytes_change = 1 << 20}),
            "the central directory is larger than the file");
        assert_npz_open_fails(
            npz_save_member(good, (zip_ending){.zip64 = zip64, .offset_change = 1 << 20}),
            "the central directory is larger than the file");
        assert_npz_open_fails(
            npz_save_member(good, (zip_ending){.zip64 = zip64, .bytes_change = -1}),
            "damaged ZIP archive");
        assert_npz_open_fails(
            npz_save_member(good, (zip_ending){.zip64 = zip64, .count_change = 1}),
            "the number of members is not what the directory says");
    }
    assert_npz_open_fails(
        npz_save_member(good, (zip_ending){.zip64 = true, .bytes_change = INT64_MAX}),
        "the central directory is larger than the file");
    assert_npz_open_fails(
        npz_save_member(good, (zip_ending){.zip64 = true, .count_change = INT64_MAX}),
        "the number of members is not what the directory says");
}

static void misplaced_zip64_record_is_found_beside_its_locator(void **state)
{
    (void)state;
    assert_npz_reads_example(npz_save_member((zip_member){.name = "x.npy"},
                                             (zip_ending){.zip64 = true, .locator_shift = 1000}));
}

static void encrypted_members_are_refused(void **state)
{
    (void)state;
    assert_npz_open_fails(npz_save_member((zip_member){.flags = 1}, (zip_ending){0}),
                          "'x.npy' is encrypted; save the arrays without a password");
    assert_npz_open_fails(npz_save_member((zip_member){.flags = 1 | 1u << 6}, (zip_ending){0}),
                          "is encrypted");
}

static void several_disks_are_refused(void **state)
{
    (void)state;
    assert_npz_open_fails(npz_save_member((zip_member){.name = "x.npy"}, (zip_ending){.disk = 1}),
                          "is one part of a ZIP archive on several disks");
    assert_npz_open_fails(
        npz_save_member((zip_member){.name = "x.npy"}, (zip_ending){.disk = 2, .zip64 = true}),
        "is one part of a ZIP archive on several disks");
    assert_npz_open_fails(npz_save_member((zip_member){.disk = 1}, (zip_ending){0}),
                          "on several disks");
}

static void unknown_compression_is_refused(void **state)
{
    (void)state;
    assert_npz_open_fails(npz_save_member((zip_member){.method = 14}, (zip_ending){0}),
                          "'x.npy' has compression method 14, expected 0 (stored) or 8 (deflated)");
}

static void local_header_of_another_name_is_refused(void **state)
{
    (void)state;
    assert_npz_open_fails(npz_save_member((zip_member){.local_name = "y.npy"}, (zip_ending){0}),
                          "disagree about its name or method");
    assert_npz_open_fails(
        npz_save_member((zip_member){.local_name = "longer.npy"}, (zip_ending){0}),
        "damaged ZIP archive");
}

static void extra_field_that_is_cut_off_is_refused(void **state)
{
    (void)state;
    static const unsigned char extra[] = {1, 0, 200, 0, 1, 2, 3, 4};
    assert_npz_open_fails(
        npz_save_member((zip_member){.extra = extra, .extra_bytes = sizeof extra}, (zip_ending){0}),
        "an extra field is cut off");
    static const unsigned char shorter[] = {1, 0, 4, 0, 1, 2, 3, 4};
    assert_npz_open_fails(
        npz_save_member(
            (zip_member){.zip64 = true, .extra = shorter, .extra_bytes = sizeof shorter},
            (zip_ending){0}),
        "a ZIP64 field is cut off");
}

/* Two members, deflated and stored, ZIP64 and not, with everything that a reader has to follow. */
static unsigned char *mixed_archive(size_t *bytes)
{
    zip_builder zip = {0};
    zip_bytes npy = npz_example();
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
        if (npz_read_archive(path, NULL, 0) != DT_DATA)
            fail_msg("cut at %zu of %zu: %s", cut, bytes, dt_status_text());
        assert_says(path);
        assert_says(cut == 0  ? "is empty"
                    : cut < 2 ? "is not a ZIP archive"
                              : "truncated ZIP archive: no end of central directory");
    }
    assert_true(scratch_write(path, archive, bytes));
    free(archive);
    assert_npz_reads_example(path);
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
            dt_status status =
                npz_read_archive(path, npz_example_items(), NPZ_ITEMS * sizeof(float));
            if (status != DT_OK && status != DT_DATA)
                fail_msg("byte %zu: status %d: %s", i, status, dt_status_text());
            refused += status == DT_DATA;
            archive[i] ^= changes[c];
        }
    free(archive);
    assert_true(refused > bytes); /* dates, versions, descriptors and the like are not looked at */
}

#define TEST(name) cmocka_unit_test_teardown(name, scratch_empty)

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
