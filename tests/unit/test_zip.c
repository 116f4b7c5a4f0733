#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/base/memory.h"
#include "dtrain/io/npz.h"
#include "dtrain/io/zip.h"
#include "scratch_folder.h"
#include "status_checks.h"
#include "zip_builder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* test_npz*.c test what only .npz files meet, and much of the format. */

/* ---- helpers ---- */

static const char text[] = "{\"class_name\": \"Sequential\", \"config\": \"Sequential\"}";
enum { TEXT_BYTES = sizeof text - 1 };

static void assert_does_not_say(const char *part)
{
    if (strstr(dt_status_text(), part) != NULL)
        fail_msg("did not expect '%s' in: %s", part, dt_status_text());
}

static dt_zip *open_zip(const char *path)
{
    dt_zip *zip = NULL;
    if (dt_zip_open(&zip, path, ".keras") != DT_OK)
        fail_msg("%s", dt_status_text());
    return zip;
}

/* Opens what must be refused; no line may speak of another kind of file. */
static void assert_open_fails(const char *path, const char *part)
{
    dt_zip *zip = (dt_zip *)1;
    assert_int_equal(dt_zip_open(&zip, path, ".keras"), DT_DATA);
    assert_null(zip);
    assert_says(path);
    assert_says(part);
    assert_does_not_say("npz");
    assert_does_not_say("numpy");
    assert_does_not_say("prepare");
}

/* Ends the archive, saves it as x.keras and frees it; returns the path. */
static const char *save(zip_builder *zip, const zip_ending *ending)
{
    const char *path = scratch_path("x.keras");
    zip_end(zip, ending);
    assert_true(scratch_write(path, zip->file.data, zip->file.count));
    zip_free(&zip->file);
    return path;
}

/* Saves an archive of the one member config.json that `member` describes. */
static const char *save_member(zip_member member)
{
    zip_builder zip = {0};
    member.name = member.name != NULL ? member.name : "config.json";
    if (member.plain == NULL) {
        member.plain = text;
        member.plain_bytes = TEXT_BYTES;
    }
    zip_add(&zip, &member);
    return save(&zip, &(zip_ending){0});
}

static void assert_holds(const dt_zip *zip, const char *name, const void *data, size_t bytes)
{
    unsigned char *read = NULL;
    const dt_zip_member *member = dt_zip_find(zip, name);
    assert_non_null(member);
    assert_int_equal(member->plain_bytes, bytes);
    if (dt_zip_read(&read, zip, member, "a member") != DT_OK)
        fail_msg("%s", dt_status_text());
    assert_memory_equal(read, data, bytes);
    assert_int_equal(read[bytes], 0);
    dt_memory_free(read);
}

/* Reads the first member whole, which must fail. */
static void assert_read_fails(const char *path, const char *part)
{
    dt_zip *zip = open_zip(path);
    void *read = (void *)1;
    assert_int_equal(dt_zip_read(&read, zip, dt_zip_member_at(zip, 0), "a member"), DT_DATA);
    assert_null(read);
    assert_says(path);
    assert_says(part);
    dt_zip_close(zip);
}

/* ---- reading ---- */

static void missing_file_is_named_with_the_reason(void **state)
{
    (void)state;
    assert_open_fails(scratch_path("none.keras"), "cannot open: No such file or directory");
}

static void error_lines_expect_the_kind_given(void **state)
{
    (void)state;
    static const struct {
        const char *data, *says;
    } files[] = {{"", "is empty (0 bytes), expected a .keras: the download"},
                 {"<html>", "looks like an HTML page, not a .keras: the download may have failed"},
                 {"\x93NUMPY", "is a single .npy array, expected a .keras"},
                 {"\x89HDF\r\n\x1a\n", "is an HDF5 file, expected a .keras"},
                 {"\x1f\x8b", "is gzip-compressed, expected a .keras: run gunzip"},
                 {"a,b\n1,2\n", "is not a ZIP archive, expected a .keras"},
                 {"PK\3\4", "truncated ZIP archive: no end of central directory"}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const char *path = scratch_path("x.keras");
        assert_true(scratch_write(path, files[i].data, strlen(files[i].data)));
        assert_open_fails(path, files[i].says);
    }
    assert_open_fails(scratch_folder, "is a folder, expected a .keras file");
}

static void members_of_any_name_are_read(void **state)
{
    (void)state;
    char long_name[1000];
    memset(long_name, 'n', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    const char *const names[] = {"config.json", "a/b c.h5", "x.npy", "n", "",
                                 "\xC3\xA4",    long_name};
    enum { NAMES = sizeof names / sizeof *names };
    zip_builder builder = {0};
    for (size_t i = 0; i < NAMES; i++)
        zip_add(&builder, &(zip_member){.name = names[i],
                                        .plain = text,
                                        .plain_bytes = i,
                                        .deflate = i % 2 == 0,
                                        .descriptor = i % 3 == 0,
                                        .zip64 = i % 4 == 1});
    const char *path = save(&builder, &(zip_ending){0});
    dt_zip *zip = open_zip(path);
    assert_string_equal(dt_zip_path(zip), path);
    assert_int_equal(dt_zip_count(zip), NAMES);
    for (size_t i = 0; i < NAMES; i++) {
        assert_string_equal(dt_zip_member_at(zip, i)->name, names[i]);
        assert_holds(zip, names[i], text, i);
    }
    assert_null(dt_zip_find(zip, "config"));
    assert_null(dt_zip_find(zip, "x"));
    dt_zip_close(zip);
    dt_zip_close(NULL);
    dt_zip_stream_close(NULL);
}

/* By zipfile.ZipFile of Python 3.11: metadata.json stored; config.json deflated, opened for writing
 * with force_zip64, as for data of unknown size; the folder assets/. */
static void archive_that_python_wrote_is_read(void **state)
{
    (void)state;
    static const char archive[] =
        "\x50\x4b\x03\x04\x14\x00\x00\x00\x00\x00\x00\x60\x5d\x58\xa2\x84\x66\x6f\x1b\x00"
        "\x00\x00\x1b\x00\x00\x00\x0d\x00\x00\x00\x6d\x65\x74\x61\x64\x61\x74\x61\x2e\x6a"
        "\x73\x6f\x6e\x7b\x22\x6b\x65\x72\x61\x73\x5f\x76\x65\x72\x73\x69\x6f\x6e\x22\x3a"
        "\x20\x22\x33\x2e\x31\x35\x2e\x30\x22\x7d\x50\x4b\x03\x04\x2d\x00\x00\x00\x08\x00"
        "\x00\x60\x5d\x58\x66\x7b\xf8\xcb\xff\xff\xff\xff\xff\xff\xff\xff\x0b\x00\x14\x00"
        "\x63\x6f\x6e\x66\x69\x67\x2e\x6a\x73\x6f\x6e\x01\x00\x10\x00\x40\x01\x00\x00\x00"
        "\x00\x00\x00\x0e\x00\x00\x00\x00\x00\x00\x00\xab\x56\x4a\x54\xb2\x52\x30\xac\xad"
        "\x1e\xa5\xc9\xa2\x01\x50\x4b\x03\x04\x14\x00\x00\x00\x00\x00\x00\x60\x5d\x58\x00"
        "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x07\x00\x00\x00\x61\x73\x73\x65\x74"
        "\x73\x2f\x50\x4b\x01\x02\x14\x03\x14\x00\x00\x00\x00\x00\x00\x60\x5d\x58\xa2\x84"
        "\x66\x6f\x1b\x00\x00\x00\x1b\x00\x00\x00\x0d\x00\x00\x00\x00\x00\x00\x00\x00\x00"
        "\x00\x00\x80\x01\x00\x00\x00\x00\x6d\x65\x74\x61\x64\x61\x74\x61\x2e\x6a\x73\x6f"
        "\x6e\x50\x4b\x01\x02\x2d\x03\x2d\x00\x00\x00\x08\x00\x00\x60\x5d\x58\x66\x7b\xf8"
        "\xcb\x0e\x00\x00\x00\x40\x01\x00\x00\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
        "\x00\x80\x01\x46\x00\x00\x00\x63\x6f\x6e\x66\x69\x67\x2e\x6a\x73\x6f\x6e\x50\x4b"
        "\x01\x02\x14\x03\x14\x00\x00\x00\x00\x00\x00\x60\x5d\x58\x00\x00\x00\x00\x00\x00"
        "\x00\x00\x00\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x01"
        "\x91\x00\x00\x00\x61\x73\x73\x65\x74\x73\x2f\x50\x4b\x05\x06\x00\x00\x00\x00\x03"
        "\x00\x03\x00\xa9\x00\x00\x00\xb6\x00\x00\x00\x00\x00";
    char config[320 + 1] = "";
    for (size_t at = 0; at < 320; at += 8)
        memcpy(config + at, "{\"a\": 1}", 8);
    const char *path = scratch_path("python.keras");
    assert_true(scratch_write(path, archive, sizeof archive - 1));
    dt_zip *zip = open_zip(path);
    assert_int_equal(dt_zip_count(zip), 3);
    assert_holds(zip, "metadata.json", "{\"keras_version\": \"3.15.0\"}", 27);
    assert_holds(zip, "config.json", config, 320);
    assert_holds(zip, "assets/", "", 0);
    dt_zip_close(zip);
}

static void last_of_two_equal_names_wins_as_in_python(void **state)
{
    (void)state;
    zip_builder builder = {0};
    zip_add(&builder, &(zip_member){.name = "a", .plain = "first", .plain_bytes = 5});
    zip_add(&builder, &(zip_member){.name = "b", .plain = "other", .plain_bytes = 5});
    zip_add(&builder, &(zip_member){.name = "a", .plain = "last", .plain_bytes = 4});
    dt_zip *zip = open_zip(save(&builder, &(zip_ending){0}));
    assert_int_equal(dt_zip_count(zip), 3);
    assert_ptr_equal(dt_zip_find(zip, "a"), dt_zip_member_at(zip, 2));
    assert_holds(zip, "a", "last", 4);
    assert_holds(zip, "b", "other", 5);
    dt_zip_close(zip);
}

static void archive_without_members_is_one(void **state)
{
    (void)state;
    dt_zip *zip = open_zip(save(&(zip_builder){0}, &(zip_ending){.comment = "none"}));
    assert_int_equal(dt_zip_count(zip), 0);
    assert_null(dt_zip_find(zip, ""));
    dt_zip_close(zip);
}

static void stream_gives_the_bytes_in_pieces_of_any_size(void **state)
{
    (void)state;
    for (int deflate = 0; deflate < 2; deflate++)
        for (size_t step = 1; step <= TEXT_BYTES + 1; step += 9) {
            dt_zip *zip = open_zip(save_member((zip_member){.deflate = deflate == 1}));
            dt_zip_stream *stream = NULL;
            char read[TEXT_BYTES];
            assert_int_equal(dt_zip_stream_open(&stream, zip, dt_zip_member_at(zip, 0)), DT_OK);
            for (size_t at = 0; at < TEXT_BYTES; at += step) {
                size_t left = TEXT_BYTES - at;
                assert_int_equal(dt_zip_stream_read(stream, read + at, left < step ? left : step),
                                 DT_OK);
            }
            assert_int_equal(dt_zip_stream_read(stream, NULL, 0), DT_OK);
            assert_memory_equal(read, text, TEXT_BYTES);
            dt_zip_stream_close(stream);
            dt_zip_close(zip);
        }
}

/* ---- damaged and tampered archives ---- */

static void damaged_member_is_named(void **state)
{
    (void)state;
    for (int deflate = 0; deflate < 2; deflate++) {
        zip_member member = {.deflate = deflate == 1, .crc_change = 1};
        assert_read_fails(save_member(member), "x.keras: member 'config.json' is damaged: its "
                                               "CRC-32 is not what the archive says; copy or "
                                               "download the file again");
        member.plain = "";
        assert_read_fails(save_member(member), "its CRC-32 is not what the archive says");
    }
    assert_read_fails(save_member((zip_member){.deflate = true, .cut = 1}),
                      "its compressed data ends early");
    assert_read_fails(save_member((zip_member){.deflate = true, .surplus = 1}),
                      "bytes are left over after its compressed data");
    assert_read_fails(save_member((zip_member){.deflate = true, .plain_change = 1000}),
                      "it inflates to fewer bytes than the archive says");
    assert_read_fails(save_member((zip_member){.deflate = true, .plain_change = -TEXT_BYTES}),
                      "it inflates to more bytes than the archive says");
}

static void claims_beyond_the_file_are_refused_before_memory_is_taken(void **state)
{
    (void)state;
    zip_member bomb = {.deflate = true, .zip64 = true, .plain_claim = (uint64_t)1 << 40};
    assert_open_fails(save_member(bomb), "which exceeds the limit of deflate (1032 : 1)");
    bomb.plain_claim = UINT64_MAX;
    assert_open_fails(save_member(bomb), "which exceeds the limit of deflate (1032 : 1)");
    assert_open_fails(save_member((zip_member){
                          .zip64 = true, .stored_change = INT64_MAX, .plain_change = INT64_MAX}),
                      "a member reaches beyond the end");
    assert_open_fails(save_member((zip_member){.plain_change = 1}), "is stored uncompressed in");
}

static void unreadable_members_are_refused_with_words_for_this_kind(void **state)
{
    (void)state;
    assert_open_fails(save_member((zip_member){.flags = 1}),
                      "'config.json' is encrypted; save the members without a password");
    assert_open_fails(save_member((zip_member){.method = 14}),
                      "'config.json' has compression method 14, expected 0 (stored) or 8 "
                      "(deflated)");
    assert_open_fails(save_member((zip_member){.disk = 1}), "on several disks");
    assert_open_fails(save_member((zip_member){.local_name = "config.jso_"}),
                      "disagree about its name or method");
}

static void name_with_a_zero_byte_is_refused(void **state)
{
    (void)state;
    size_t bytes = 0, changed = 0;
    const char *path = save_member((zip_member){.name = "config_json"});
    unsigned char *archive = scratch_read(path, &bytes);
    assert_non_null(archive);
    for (size_t i = 0; i < bytes; i++)
        if (archive[i] == '_' && archive[i - 1] == 'g') {
            archive[i] = '\0';
            changed++;
        }
    assert_int_equal(changed, 2);
    assert_true(scratch_write(path, archive, bytes));
    free(archive);
    assert_open_fails(path, "a name contains a zero byte");
}

/* Stored and deflated, with and without ZIP64, and an empty member. */
static unsigned char *mixed_archive(size_t *bytes)
{
    zip_builder zip = {0};
    zip_add(&zip, &(zip_member){.name = "metadata.json",
                                .plain = text,
                                .plain_bytes = TEXT_BYTES,
                                .deflate = true,
                                .descriptor = true});
    zip_add(&zip, &(zip_member){.name = "e", .plain = "", .plain_bytes = 0, .deflate = true});
    zip_add(&zip,
            &(zip_member){.name = "w.h5", .plain = text, .plain_bytes = TEXT_BYTES, .zip64 = true});
    zip_end(&zip, &(zip_ending){.zip64 = true, .comment = "end"});
    *bytes = zip.file.count;
    return zip.file.data;
}

/* Reads all there is; every member must hold the text or nothing. */
static dt_status read_mixed(const char *path)
{
    dt_status status = DT_OK;
    dt_zip *zip = NULL;
    char *read = NULL;
    DT_TRY(dt_zip_open(&zip, path, ".keras"));
    for (size_t i = 0; i < dt_zip_count(zip); i++) {
        const dt_zip_member *member = dt_zip_member_at(zip, i);
        DT_TRY(dt_zip_read(&read, zip, member, "a member"));
        assert_true(member->plain_bytes == TEXT_BYTES || member->plain_bytes == 0);
        assert_string_equal(read, member->plain_bytes > 0 ? text : "");
        dt_memory_free(read);
        read = NULL;
    }
out:
    dt_zip_close(zip);
    return status;
}

static void archive_cut_at_any_byte_is_refused(void **state)
{
    (void)state;
    size_t bytes = 0;
    unsigned char *archive = mixed_archive(&bytes);
    const char *path = scratch_path("x.keras");
    for (size_t cut = 2; cut < bytes; cut++) {
        assert_true(scratch_write(path, archive, cut));
        assert_open_fails(path, "truncated ZIP archive: no end of central directory");
    }
    assert_true(scratch_write(path, archive, bytes));
    free(archive);
    assert_int_equal(read_mixed(path), DT_OK);
}

static void any_changed_byte_is_refused_or_changes_no_data(void **state)
{
    (void)state;
    static const unsigned char changes[] = {0x01, 0x80, 0xFF};
    size_t bytes = 0, refused = 0;
    unsigned char *archive = mixed_archive(&bytes);
    const char *path = scratch_path("x.keras");
    for (size_t i = 0; i < bytes; i++)
        for (size_t c = 0; c < sizeof changes; c++) {
            archive[i] ^= changes[c];
            assert_true(scratch_write(path, archive, bytes));
            dt_status status = read_mixed(path);
            if (status != DT_OK && status != DT_DATA)
                fail_msg("byte %zu: status %d: %s", i, status, dt_status_text());
            refused += status == DT_DATA;
            archive[i] ^= changes[c];
        }
    free(archive);
    assert_true(refused > bytes); /* dates, versions, descriptors and the like are not looked at */
}

/* ---- the writer ---- */

enum { LARGE_BYTES = 300000 }; /* more than any buffer has */

static unsigned char *large_data(void)
{
    unsigned char *data = malloc(LARGE_BYTES);
    assert_non_null(data);
    for (uint32_t i = 0; i < LARGE_BYTES; i++) /* the first half does not deflate */
        data[i] = i < LARGE_BYTES / 2 ? (unsigned char)(i * 2654435761u >> 24) : 'x';
    return data;
}

static dt_status write_one(dt_zip_writer *writer, const char *name, const void *data, size_t bytes,
                           size_t step)
{
    dt_status status = DT_OK;
    const unsigned char *at = data;
    DT_TRY(dt_zip_writer_begin(writer, name, bytes));
    for (size_t left = bytes; left > 0;) {
        size_t part = left < step ? left : step;
        DT_TRY(dt_zip_writer_write(writer, at, part));
        at += part;
        left -= part;
    }
out:
    return status;
}

static void write_archive(const char *path, int level, const unsigned char *data, size_t step)
{
    dt_zip_writer *writer = NULL;
    assert_int_equal(dt_zip_writer_open(&writer, path, level), DT_OK);
    assert_int_equal(write_one(writer, "empty", NULL, 0, 1), DT_OK);
    assert_int_equal(dt_zip_writer_write(writer, NULL, 0), DT_OK);
    assert_int_equal(write_one(writer, "model.weights.h5", data, LARGE_BYTES, step), DT_OK);
    assert_int_equal(write_one(writer, "\xC3\xA4/config.json", text, TEXT_BYTES, step), DT_OK);
    assert_int_equal(write_one(writer, "last", NULL, 0, 1), DT_OK);
    assert_int_equal(dt_zip_writer_finish(writer), DT_OK);
}

static void written_members_are_read_back(void **state)
{
    (void)state;
    unsigned char *data = large_data();
    const char *path = scratch_path("w.keras");
    for (int level = 0; level <= 9; level += 3) {
        write_archive(path, level, data, 100003);
        dt_zip *zip = open_zip(path);
        assert_int_equal(dt_zip_count(zip), 4);
        assert_int_equal(dt_zip_member_at(zip, 1)->deflated, level > 0);
        assert_int_equal(dt_zip_member_at(zip, 0)->stored_bytes, level > 0 ? 2 : 0);
        if (level > 0)
            assert_true(dt_zip_member_at(zip, 1)->stored_bytes < LARGE_BYTES * 2 / 3);
        assert_holds(zip, "empty", "", 0);
        assert_holds(zip, "model.weights.h5", data, LARGE_BYTES);
        assert_holds(zip, "\xC3\xA4/config.json", text, TEXT_BYTES);
        assert_holds(zip, "last", "", 0);
        dt_zip_close(zip);
    }
    free(data);
}

static void bytes_do_not_depend_on_the_pieces_written(void **state)
{
    (void)state;
    unsigned char *data = large_data(), *files[2];
    size_t bytes[2];
    const char *path = scratch_path("w.keras");
    for (int i = 0; i < 2; i++) {
        write_archive(path, 0, data, i == 0 ? 1000 : LARGE_BYTES);
        files[i] = scratch_read(path, &bytes[i]);
        assert_non_null(files[i]);
    }
    assert_int_equal(bytes[0], bytes[1]);
    assert_memory_equal(files[0], files[1], bytes[0]);
    free(files[0]);
    free(files[1]);
    free(data);
}

static void longest_name_is_written_and_read(void **state)
{
    (void)state;
    enum { NAME_BYTES = 65535 };
    char *name = malloc(NAME_BYTES + 1);
    dt_zip_writer *writer = NULL;
    assert_non_null(name);
    memset(name, 'n', NAME_BYTES);
    name[NAME_BYTES] = '\0';
    assert_int_equal(dt_zip_writer_open(&writer, scratch_path("w.keras"), 0), DT_OK);
    assert_int_equal(write_one(writer, name, text, TEXT_BYTES, 10), DT_OK);
    assert_int_equal(dt_zip_writer_finish(writer), DT_OK);
    dt_zip *zip = open_zip(scratch_path("w.keras"));
    assert_holds(zip, name, text, TEXT_BYTES);
    dt_zip_close(zip);
    free(name);
}

static void npz_is_a_zip_of_npy_members(void **state)
{
    (void)state;
    dt_npz_writer *writer = NULL;
    const float items[2] = {1, 2};
    const char *path = scratch_path("w.npz");
    assert_int_equal(dt_npz_writer_open(&writer, path, 6), DT_OK);
    assert_int_equal(dt_npz_writer_begin(writer, "x", "<f4", 1, (const uint64_t[]){2}), DT_OK);
    assert_int_equal(dt_npz_writer_write(writer, items, sizeof items), DT_OK);
    assert_int_equal(dt_npz_writer_finish(writer), DT_OK);
    dt_zip *zip = open_zip(path);
    unsigned char *read = NULL;
    const dt_zip_member *member = dt_zip_find(zip, "x.npy");
    assert_non_null(member);
    assert_int_equal(dt_zip_read(&read, zip, member, "array"), DT_OK);
    assert_memory_equal(read, "\x93NUMPY", 6);
    assert_memory_equal(read + member->plain_bytes - sizeof items, items, sizeof items);
    dt_memory_free(read);
    dt_zip_close(zip);
}

static void discarded_archive_leaves_nothing(void **state)
{
    (void)state;
    dt_zip_writer *writer = NULL;
    assert_int_equal(dt_zip_writer_open(&writer, scratch_path("w.keras"), 6), DT_OK);
    assert_int_equal(dt_zip_writer_begin(writer, "x", 9), DT_OK);
    dt_zip_writer_discard(writer);
    assert_int_equal(scratch_count(false), 0);
    dt_zip_writer_discard(NULL);
}

/* What a child of its own does with a member of 9 bytes, of which 8 are there. */
enum { TOO_MUCH, TOO_EARLY, SEAL_EARLY, FINISH_EARLY, MISUSES };

static dt_status misuse(dt_zip_writer *writer, int how)
{
    switch (how) {
    case TOO_MUCH:
        return dt_zip_writer_write(writer, "12", 2);
    case TOO_EARLY:
        return dt_zip_writer_begin(writer, "y", 1);
    case SEAL_EARLY:
        return dt_zip_writer_seal(writer);
    default:
        return dt_zip_writer_finish(writer);
    }
}

/* In a child, as the assertion that has to come ends the process. */
static void member_not_filled_exactly_is_our_bug(void **state)
{
    (void)state;
    dt_zip_writer *writer = NULL;
    assert_int_equal(dt_zip_writer_open(&writer, scratch_path("w.keras"), 0), DT_OK);
    assert_int_equal(dt_zip_writer_begin(writer, "x", 9), DT_OK);
    assert_int_equal(dt_zip_writer_write(writer, "12345678", 8), DT_OK);
    for (int how = 0; how < MISUSES; how++) {
        int status = 0;
        fflush(NULL);
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            (void)dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
            _exit((int)misuse(writer, how));
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), DT_INTERNAL);
    }
    assert_int_equal(dt_zip_writer_write(writer, "9", 1), DT_OK);
    assert_int_equal(dt_zip_writer_finish(writer), DT_OK);
    dt_zip *zip = open_zip(scratch_path("w.keras"));
    assert_holds(zip, "x", "123456789", 9);
    dt_zip_close(zip);
}

static void archive_that_cannot_be_created_is_an_output_error(void **state)
{
    (void)state;
    dt_zip_writer *writer = (dt_zip_writer *)1;
    assert_int_equal(dt_zip_writer_open(&writer, scratch_path("nowhere/w.keras"), 6), DT_OUTPUT);
    assert_null(writer);
    assert_says("nowhere/w.keras: cannot create: No such file or directory");
}

#define TEST(name) cmocka_unit_test_teardown(name, scratch_empty)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(missing_file_is_named_with_the_reason),
        TEST(error_lines_expect_the_kind_given),
        TEST(members_of_any_name_are_read),
        TEST(archive_that_python_wrote_is_read),
        TEST(last_of_two_equal_names_wins_as_in_python),
        TEST(archive_without_members_is_one),
        TEST(stream_gives_the_bytes_in_pieces_of_any_size),
        TEST(damaged_member_is_named),
        TEST(claims_beyond_the_file_are_refused_before_memory_is_taken),
        TEST(unreadable_members_are_refused_with_words_for_this_kind),
        TEST(name_with_a_zero_byte_is_refused),
        TEST(archive_cut_at_any_byte_is_refused),
        TEST(any_changed_byte_is_refused_or_changes_no_data),
        TEST(written_members_are_read_back),
        TEST(bytes_do_not_depend_on_the_pieces_written),
        TEST(longest_name_is_written_and_read),
        TEST(npz_is_a_zip_of_npy_members),
        TEST(discarded_archive_leaves_nothing),
        TEST(member_not_filled_exactly_is_our_bug),
        TEST(archive_that_cannot_be_created_is_an_output_error),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
