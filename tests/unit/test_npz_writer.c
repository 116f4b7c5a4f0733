#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/io/npz.h"
#include "npz_reading.h"
#include "scratch_folder.h"
#include "status_checks.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

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
            assert_int_equal(npz_read_array(npz, "numbers", 170003, &items, &bytes), DT_OK);
            assert_int_equal(bytes, counts[c] * sizeof *numbers);
            assert_memory_equal(items, numbers, bytes);
            free(items);
            assert_int_equal(npz_read_array(npz, "scalar", 1, &items, &bytes), DT_OK);
            assert_int_equal(bytes, 1);
            assert_int_equal(items[0], 7);
            free(items);
            assert_int_equal(npz_read_array(npz, "\xC3\xA4mpty", 1, &items, &bytes), DT_OK);
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
    assert_int_equal(npz_read_archive(scratch_path("w.npz"), NULL, 0), DT_OK);
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
    assert_int_equal(npz_read_array(npz, "65599", 4, &items, &bytes), DT_OK);
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
    assert_int_equal(npz_read_archive(scratch_path("w.npz"), NULL, 0), DT_OK);
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
