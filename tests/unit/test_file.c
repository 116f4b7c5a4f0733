#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/io/file.h"
#include "scratch_folder.h"
#include "status_checks.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* Stands before the C library's: what is synced, and when, shows in no file. */
static int file_syncs, folder_syncs;
static ino_t synced_folder; /* the last one */

int fsync(int fd)
{
    struct stat found;
    assert_int_equal(fstat(fd, &found), 0);
    if (S_ISDIR(found.st_mode))
        synced_folder = found.st_ino;
    *(S_ISDIR(found.st_mode) ? &folder_syncs : &file_syncs) += 1;
    return (int)syscall(SYS_fsync, fd);
}

static void assert_syncs(int files, int folders)
{
    assert_int_equal(file_syncs, files);
    assert_int_equal(folder_syncs, folders);
    file_syncs = folder_syncs = 0;
}

static void assert_content(const char *path, const char *expected, size_t bytes)
{
    size_t found_bytes = 0;
    unsigned char *found = scratch_read(path, &found_bytes);
    assert_non_null(found);
    assert_int_equal(found_bytes, bytes);
    assert_memory_equal(found, expected, bytes);
    free(found);
}

static const char *temporary_of(const char *name)
{
    char temporary[128];
    (void)snprintf(temporary, sizeof temporary, "%s.%ld.tmp", name, (long)getpid());
    return scratch_path(temporary);
}

static void file_appears_only_when_committed(void **state)
{
    (void)state;
    dt_file *file = NULL;
    const char *path = scratch_path("a");
    assert_int_equal(dt_file_create(&file, path), DT_OK);
    assert_int_equal(dt_file_write(file, "hello ", 6), DT_OK);
    assert_int_equal(dt_file_write(file, "", 0), DT_OK);
    assert_int_equal(dt_file_write(file, "world", 5), DT_OK);
    assert_int_equal(dt_file_tell(file), 11);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(access(temporary_of("a"), F_OK), 0);
    assert_int_equal(dt_file_commit(file), DT_OK);
    assert_content(path, "hello world", 11);
    assert_int_equal(scratch_count(false), 1);
}

static void synced_file_needs_only_the_rename(void **state)
{
    (void)state;
    dt_file *file = NULL;
    size_t bytes = 0;
    assert_int_equal(dt_file_replace(scratch_path("a"), "old", 3), DT_OK);
    file_syncs = folder_syncs = 0;
    assert_int_equal(dt_file_create(&file, scratch_path("a")), DT_OK);
    assert_int_equal(dt_file_write(file, "hello ", 6), DT_OK);
    assert_int_equal(dt_file_write(file, "world", 5), DT_OK);
    assert_syncs(0, 0);
    assert_int_equal(dt_file_sync(file), DT_OK);
    assert_syncs(1, 0);
    assert_content(scratch_path("a"), "old", 3);
    assert_content(temporary_of("a"), "hello world", 11); /* all is out of our buffer */
    assert_int_equal(dt_file_tell(file), 11);
    assert_int_equal(dt_file_sync(file), DT_OK);
    assert_int_equal(dt_file_commit(file), DT_OK);
    assert_syncs(0, 0);
    assert_content(scratch_path("a"), "hello world", 11);
    assert_null(scratch_read(temporary_of("a"), &bytes));
    assert_int_equal(scratch_count(false), 1);
    assert_int_equal(dt_file_sync_folder(scratch_path("a")), DT_OK);
    assert_syncs(0, 1);
}

static void unsynced_file_is_synced_with_its_folder(void **state)
{
    (void)state;
    file_syncs = folder_syncs = 0;
    assert_int_equal(dt_file_replace(scratch_path("a"), "new", 3), DT_OK);
    assert_syncs(1, 1);
}

static void discarded_synced_file_leaves_nothing(void **state)
{
    (void)state;
    dt_file *file = NULL;
    assert_int_equal(dt_file_replace(scratch_path("a"), "old", 3), DT_OK);
    assert_int_equal(dt_file_create(&file, scratch_path("a")), DT_OK);
    assert_int_equal(dt_file_write(file, "new", 3), DT_OK);
    assert_int_equal(dt_file_sync(file), DT_OK);
    dt_file_discard(file);
    assert_content(scratch_path("a"), "old", 3);
    assert_int_equal(scratch_count(false), 1);
}

/* In a child, as the assertion that has to come ends the process. */
static void writing_a_synced_file_is_our_bug(void **state)
{
    (void)state;
    for (int at = 0; at < 2; at++) {
        dt_file *file = NULL;
        int status = 0;
        assert_int_equal(dt_file_create(&file, scratch_path("a")), DT_OK);
        assert_int_equal(dt_file_write(file, "new", 3), DT_OK);
        assert_int_equal(dt_file_sync(file), DT_OK);
        fflush(NULL);
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            (void)dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
            _exit((int)(at == 0 ? dt_file_write(file, "x", 1) : dt_file_write_at(file, 0, "x", 1)));
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), DT_INTERNAL);
        dt_file_discard(file);
    }
}

static void folder_of_a_link_is_the_one_behind_it(void **state)
{
    (void)state;
    struct stat here, behind;
    assert_int_equal(mkdir(scratch_path("d"), 0700), 0);
    assert_int_equal(stat(scratch_folder, &here), 0);
    assert_int_equal(stat(scratch_path("d"), &behind), 0);
    assert_int_equal(dt_file_replace(scratch_path("d/real"), "x", 1), DT_OK);
    assert_int_equal(symlink("d/real", scratch_path("link")), 0);
    assert_int_equal(dt_file_sync_folder(scratch_path("link")), DT_OK);
    assert_true(synced_folder == behind.st_ino);
    assert_int_equal(dt_file_sync_folder(scratch_path("d")), DT_OK);
    assert_true(synced_folder == here.st_ino);
    file_syncs = folder_syncs = 0;
    assert_int_equal(dt_file_sync_folder(scratch_path("nowhere/a")), DT_OK);
    assert_syncs(0, 0);
    assert_int_equal(unlink(scratch_path("d/real")), 0);
}

static void discarded_file_leaves_nothing_and_keeps_the_old_one(void **state)
{
    (void)state;
    dt_file *file = NULL;
    const char *path = scratch_path("a");
    assert_int_equal(dt_file_replace(path, "old", 3), DT_OK);
    assert_int_equal(dt_file_create(&file, path), DT_OK);
    assert_int_equal(dt_file_write(file, "new", 3), DT_OK);
    dt_file_discard(file);
    dt_file_discard(NULL);
    assert_content(path, "old", 3);
    assert_int_equal(scratch_count(false), 1);
}

static void replace_overwrites_whole_file(void **state)
{
    (void)state;
    const char *path = scratch_path("a");
    assert_int_equal(dt_file_replace(path, "a longer text", 13), DT_OK);
    assert_int_equal(dt_file_replace(path, "short", 5), DT_OK);
    assert_content(path, "short", 5);
    assert_int_equal(dt_file_replace(path, "", 0), DT_OK);
    assert_content(path, "", 0);
    assert_int_equal(scratch_count(false), 1);
}

static void small_and_large_writes_keep_their_order(void **state)
{
    (void)state;
    static const size_t parts[] = {1, 65535, 1, 65536, 7, 200000, 65530, 10, 0, 3};
    dt_file *file = NULL;
    char *expected = malloc(500000);
    size_t bytes = 0;
    assert_non_null(expected);
    for (size_t i = 0; i < 500000; i++)
        expected[i] = (char)(i * 131 >> 3);
    assert_int_equal(dt_file_create(&file, scratch_path("a")), DT_OK);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        assert_int_equal(dt_file_write(file, expected + bytes, parts[i]), DT_OK);
        bytes += parts[i];
        assert_int_equal(dt_file_tell(file), bytes);
    }
    assert_int_equal(dt_file_commit(file), DT_OK);
    assert_content(scratch_path("a"), expected, bytes);
    free(expected);
}

static void write_at_changes_what_was_written(void **state)
{
    (void)state;
    dt_file *file = NULL;
    assert_int_equal(dt_file_create(&file, scratch_path("a")), DT_OK);
    assert_int_equal(dt_file_write(file, "0123456789", 10), DT_OK);
    assert_int_equal(dt_file_write_at(file, 2, "ab", 2), DT_OK);
    assert_int_equal(dt_file_write(file, "XYZ", 3), DT_OK);
    assert_int_equal(dt_file_write_at(file, 9, "-+*", 3), DT_OK);
    assert_int_equal(dt_file_write(file, "!", 1), DT_OK);
    assert_int_equal(dt_file_tell(file), 14);
    assert_int_equal(dt_file_commit(file), DT_OK);
    assert_content(scratch_path("a"), "01ab45678-+*Z!", 14);
}

static void stale_temporary_does_not_block(void **state)
{
    (void)state;
    assert_true(scratch_write(temporary_of("a"), "stale and long", 14));
    assert_int_equal(dt_file_replace(scratch_path("a"), "new", 3), DT_OK);
    assert_content(scratch_path("a"), "new", 3);
    assert_int_equal(scratch_count(false), 1);
}

static void link_under_the_temporary_name_is_not_followed(void **state)
{
    (void)state;
    assert_true(scratch_write(scratch_path("victim"), "keep", 4));
    assert_int_equal(symlink(scratch_path("victim"), temporary_of("a")), 0);
    assert_int_equal(dt_file_replace(scratch_path("a"), "new", 3), DT_OK);
    assert_content(scratch_path("victim"), "keep", 4);
    assert_content(scratch_path("a"), "new", 3);
}

/* Those of others may be alive: on another host, for another folder's link. */
static void sweep_removes_what_one_dead_process_left(void **state)
{
    (void)state;
    static const char *const others[] = {"x.h5.tmp", "x.h5.1.tmp", "x.h5.123.tmp", "xx.h5.12.tmp",
                                         "x.h5.12.tmp.bak"};
    const unsigned kept = sizeof others / sizeof *others;
    for (size_t i = 0; i < kept; i++)
        assert_true(scratch_write(scratch_path(others[i]), "keep", 4));
    assert_true(scratch_write(scratch_path("x.h5.12.tmp"), "left", 4));
    assert_int_equal(symlink("x.h5.1.tmp", scratch_path("x.h5.7.tmp")), 0);
    dt_file_sweep(scratch_path("x.h5"), 12);
    dt_file_sweep(scratch_path("x.h5"), 7);
    dt_file_sweep(scratch_path("x.h5"), 99);
    assert_int_equal(scratch_count(false), kept);
    for (size_t i = 0; i < kept; i++)
        assert_content(scratch_path(others[i]), "keep", 4);
}

/* The file need not be there, and a bare name is looked for here. */
static void sweep_takes_any_path(void **state)
{
    (void)state;
    char before[1024];
    assert_true(scratch_write(scratch_path("x.12.tmp"), "left", 4));
    assert_int_equal(mkdir(scratch_path("x.13.tmp"), 0700), 0);
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(scratch_folder), 0);
    dt_file_sweep("x", 12);
    dt_file_sweep("x", 13);
    dt_file_sweep("", 12);
    assert_int_equal(chdir(before), 0);
    dt_file_sweep(scratch_path("nowhere/x"), 12);
    assert_int_equal(scratch_count(false), 1);
}

static void sweep_goes_behind_a_link(void **state)
{
    (void)state;
    assert_int_equal(mkdir(scratch_path("d"), 0700), 0);
    assert_true(scratch_write(scratch_path("d/real"), "keep", 4));
    assert_true(scratch_write(scratch_path("d/real.12.tmp"), "left", 4));
    assert_int_equal(symlink("d/real", scratch_path("link")), 0);
    dt_file_sweep(scratch_path("link"), 12);
    assert_int_equal(access(scratch_path("d/real.12.tmp"), F_OK), -1);
    assert_content(scratch_path("link"), "keep", 4);
    assert_int_equal(unlink(scratch_path("d/real")), 0);
}

static void link_to_a_file_stays_a_link(void **state)
{
    (void)state;
    struct stat found;
    assert_true(scratch_write(scratch_path("real"), "old", 3));
    assert_int_equal(symlink("real", scratch_path("link")), 0);
    assert_int_equal(dt_file_replace(scratch_path("link"), "new", 3), DT_OK);
    assert_int_equal(lstat(scratch_path("link"), &found), 0);
    assert_true(S_ISLNK(found.st_mode));
    assert_content(scratch_path("real"), "new", 3);
}

static void missing_folder_is_named_with_the_reason(void **state)
{
    (void)state;
    dt_file *file = (dt_file *)1;
    assert_int_equal(dt_file_create(&file, scratch_path("nowhere/a")), DT_OUTPUT);
    assert_null(file);
    assert_says("nowhere/a: cannot create: No such file or directory");
}

static void folder_and_device_are_refused_as_targets(void **state)
{
    (void)state;
    dt_file *file = NULL;
    assert_int_equal(dt_file_create(&file, scratch_folder), DT_OUTPUT);
    assert_says("found a folder");
    assert_int_equal(dt_file_create(&file, "/dev/null"), DT_OUTPUT);
    assert_says("/dev/null: cannot create: expected a file name, found a device or pipe");
    assert_null(file);
}

static void read_only_folder_is_refused(void **state)
{
    (void)state;
    dt_file *file = NULL;
    if (geteuid() == 0)
        skip(); /* root may write anywhere */
    assert_int_equal(chmod(scratch_folder, 0500), 0);
    dt_status status = dt_file_create(&file, scratch_path("a"));
    assert_int_equal(chmod(scratch_folder, 0700), 0);
    assert_int_equal(status, DT_OUTPUT);
    assert_says("Permission denied");
}

static void folder_that_takes_the_name_meanwhile_is_an_error(void **state)
{
    (void)state;
    dt_file *file = NULL;
    assert_int_equal(dt_file_create(&file, scratch_path("a")), DT_OK);
    assert_int_equal(mkdir(scratch_path("a"), 0700), 0);
    assert_int_equal(dt_file_commit(file), DT_OUTPUT);
    assert_says("a: cannot put in place: Is a directory");
    assert_int_equal(scratch_count(false), 1);
}

/* A limit on the size of files stands for the full disk: the same short writes, then an error. */
static void limit_file_size(rlim_t bytes)
{
    struct rlimit limit;
    (void)signal(SIGXFSZ, bytes == RLIM_INFINITY ? SIG_DFL : SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void short_write_is_an_error_and_keeps_the_old_file(void **state)
{
    (void)state;
    static char data[1 << 20];
    dt_file *file = NULL;
    assert_int_equal(dt_file_replace(scratch_path("a"), "old", 3), DT_OK);
    assert_int_equal(dt_file_create(&file, scratch_path("a")), DT_OK);
    limit_file_size(100000);
    dt_status first = dt_file_write(file, data, sizeof data);
    limit_file_size(RLIM_INFINITY);
    assert_int_equal(first, DT_OUTPUT);
    assert_says("a: cannot write: File too large");
    assert_int_equal(scratch_count(false), 1); /* the temporary file is gone at once */
    assert_int_equal(dt_file_write(file, "x", 1), DT_OUTPUT);
    assert_says("an earlier write failed");
    assert_int_equal(dt_file_write_at(file, 0, "", 0), DT_OUTPUT);
    assert_int_equal(dt_file_commit(file), DT_OUTPUT);
    assert_says("an earlier write failed");
    assert_content(scratch_path("a"), "old", 3);
}

static void buffered_bytes_that_do_not_fit_fail_at_commit(void **state)
{
    (void)state;
    static char data[40000];
    dt_file *file = NULL;
    assert_int_equal(dt_file_create(&file, scratch_path("a")), DT_OK);
    assert_int_equal(dt_file_write(file, data, sizeof data), DT_OK);
    limit_file_size(10000);
    dt_status status = dt_file_commit(file);
    limit_file_size(RLIM_INFINITY);
    assert_int_equal(status, DT_OUTPUT);
    assert_says("File too large");
    assert_int_equal(scratch_count(false), 0);
}

static void bytes_that_do_not_fit_fail_at_sync_and_keep_the_old_file(void **state)
{
    (void)state;
    static char data[40000];
    dt_file *file = NULL;
    assert_int_equal(dt_file_replace(scratch_path("a"), "old", 3), DT_OK);
    assert_int_equal(dt_file_create(&file, scratch_path("a")), DT_OK);
    assert_int_equal(dt_file_write(file, data, sizeof data), DT_OK);
    limit_file_size(10000);
    dt_status status = dt_file_sync(file);
    limit_file_size(RLIM_INFINITY);
    assert_int_equal(status, DT_OUTPUT);
    assert_says("a: cannot write: File too large");
    assert_int_equal(scratch_count(false), 1);
    assert_int_equal(dt_file_sync(file), DT_OUTPUT); /* not taken for done */
    assert_says("an earlier write failed");
    assert_int_equal(dt_file_commit(file), DT_OUTPUT);
    assert_content(scratch_path("a"), "old", 3);
}

static void rename_of_a_synced_file_that_fails_is_an_error(void **state)
{
    (void)state;
    dt_file *file = NULL;
    assert_int_equal(dt_file_create(&file, scratch_path("a")), DT_OK);
    assert_int_equal(dt_file_sync(file), DT_OK);
    assert_int_equal(mkdir(scratch_path("a"), 0700), 0);
    assert_int_equal(dt_file_commit(file), DT_OUTPUT);
    assert_says("a: cannot put in place: Is a directory");
    assert_int_equal(scratch_count(false), 1);
}

static void bare_name_goes_into_the_current_folder(void **state)
{
    (void)state;
    char before[1024];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(scratch_folder), 0);
    dt_status status = dt_file_replace("bare", "x", 1);
    assert_int_equal(chdir(before), 0);
    assert_int_equal(status, DT_OK);
    assert_content(scratch_path("bare"), "x", 1);
}

static void make_folder_makes_missing_parents(void **state)
{
    (void)state;
    struct stat found;
    assert_int_equal(dt_file_make_folder(scratch_path("p//q/r/")), DT_OK);
    assert_int_equal(dt_file_make_folder(scratch_path("p/q/r")), DT_OK);
    assert_int_equal(stat(scratch_path("p/q/r"), &found), 0);
    assert_true(S_ISDIR(found.st_mode));
    assert_int_equal(dt_file_make_folder("/"), DT_OK);
    assert_int_equal(dt_file_make_folder("."), DT_OK);
    assert_int_equal(rmdir(scratch_path("p/q/r")), 0);
    assert_int_equal(rmdir(scratch_path("p/q")), 0);
}

static void make_folder_names_the_file_in_its_way(void **state)
{
    (void)state;
    assert_true(scratch_write(scratch_path("f"), "", 0));
    assert_int_equal(dt_file_make_folder(scratch_path("f")), DT_OUTPUT);
    assert_says("is a file");
    assert_int_equal(dt_file_make_folder(scratch_path("f/g/h")), DT_OUTPUT);
    assert_says("f/g/h: cannot make the folder: '");
    assert_says("/f' is a file");
    assert_int_equal(symlink("nowhere", scratch_path("link")), 0);
    assert_int_equal(dt_file_make_folder(scratch_path("link/g")), DT_OUTPUT);
    assert_says("/link' is a link without a target");
}

static void make_folder_gives_the_reason(void **state)
{
    (void)state;
    assert_int_equal(dt_file_make_folder(""), DT_OUTPUT);
    assert_says("its name is empty");
    assert_int_equal(dt_file_make_folder("/proc/dtrain/x"), DT_OUTPUT);
    assert_says("/proc/dtrain/x: cannot make the folder: ");
}

#define TEST(name) cmocka_unit_test_teardown(name, scratch_empty)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(file_appears_only_when_committed),
        TEST(synced_file_needs_only_the_rename),
        TEST(unsynced_file_is_synced_with_its_folder),
        TEST(discarded_synced_file_leaves_nothing),
        TEST(writing_a_synced_file_is_our_bug),
        TEST(folder_of_a_link_is_the_one_behind_it),
        TEST(discarded_file_leaves_nothing_and_keeps_the_old_one),
        TEST(replace_overwrites_whole_file),
        TEST(small_and_large_writes_keep_their_order),
        TEST(write_at_changes_what_was_written),
        TEST(stale_temporary_does_not_block),
        TEST(link_under_the_temporary_name_is_not_followed),
        TEST(sweep_removes_what_one_dead_process_left),
        TEST(sweep_takes_any_path),
        TEST(sweep_goes_behind_a_link),
        TEST(link_to_a_file_stays_a_link),
        TEST(missing_folder_is_named_with_the_reason),
        TEST(folder_and_device_are_refused_as_targets),
        TEST(read_only_folder_is_refused),
        TEST(folder_that_takes_the_name_meanwhile_is_an_error),
        TEST(short_write_is_an_error_and_keeps_the_old_file),
        TEST(buffered_bytes_that_do_not_fit_fail_at_commit),
        TEST(bytes_that_do_not_fit_fail_at_sync_and_keep_the_old_file),
        TEST(rename_of_a_synced_file_that_fails_is_an_error),
        TEST(bare_name_goes_into_the_current_folder),
        TEST(make_folder_makes_missing_parents),
        TEST(make_folder_names_the_file_in_its_way),
        TEST(make_folder_gives_the_reason),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
