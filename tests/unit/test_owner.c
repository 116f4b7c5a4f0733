/* rooms: run */
#include "dtrain/run/owner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/base/log.h"
#include "scratch_folder.h"
#include "status_checks.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define STALL_S 600.0

static bool is_there(void)
{
    return access(scratch_path("owner"), F_OK) == 0;
}

/* Makes the file as old as that. */
static void age(double seconds)
{
    struct timespec times[2];
    assert_int_equal(clock_gettime(CLOCK_REALTIME, &times[0]), 0);
    times[0].tv_sec -= (time_t)seconds;
    times[1] = times[0];
    assert_int_equal(utimensat(AT_FDCWD, scratch_path("owner"), times, 0), 0);
}

/* Puts a file there as this run would, with the value of one line replaced. */
static void put(const char *line, const char *value)
{
    dt_owner *owner = NULL;
    size_t bytes = 0;
    char key[32], text[2048];
    assert_int_equal(dt_owner_take(&owner, scratch_folder, STALL_S), DT_OK);
    char *found = (char *)scratch_read(scratch_path("owner"), &bytes);
    assert_non_null(found);
    dt_owner_release(owner);
    (void)snprintf(key, sizeof key, "%s ", line);
    char *at = strstr(found, key);
    assert_non_null(at);
    const char *rest = strchr(at, '\n');
    assert_non_null(rest);
    (void)snprintf(text, sizeof text, "%.*s%s%s%s", (int)(at - found), found, key, value, rest);
    assert_true(scratch_write(scratch_path("owner"), text, strlen(text)));
    free(found);
}

static void assert_taken_over(double stall_s)
{
    dt_owner *owner = NULL;
    assert_int_equal(dt_owner_check_free(scratch_folder, stall_s), DT_OK);
    assert_int_equal(dt_owner_take(&owner, scratch_folder, stall_s), DT_OK);
    assert_int_equal(dt_owner_check(owner), DT_OK);
    assert_int_equal(scratch_count(false), 1);
    dt_owner_release(owner);
    assert_int_equal(scratch_count(false), 0);
}

static void assert_refused(double stall_s, const char *why)
{
    dt_owner *owner = (dt_owner *)1;
    assert_int_equal(dt_owner_take(&owner, scratch_folder, stall_s), DT_USAGE);
    assert_null(owner);
    assert_says(why);
    assert_int_equal(dt_owner_check_free(scratch_folder, stall_s), DT_USAGE);
    assert_says(why);
    assert_int_equal(scratch_count(false), 1);
}

static void folder_has_one_owner_until_it_is_released(void **state)
{
    (void)state;
    dt_owner *owner = NULL;
    char pid[32];
    (void)snprintf(pid, sizeof pid, ": pid %ld on ", (long)getpid());
    assert_int_equal(dt_owner_check_free(scratch_folder, STALL_S), DT_OK);
    assert_int_equal(dt_owner_take(&owner, scratch_folder, STALL_S), DT_OK);
    assert_true(is_there());
    assert_refused(STALL_S, "is writing here");
    age(10 * STALL_S); /* the process is there, so that its age means nothing */
    assert_refused(STALL_S, pid);
    assert_int_equal(dt_owner_check(owner), DT_OK);
    assert_false(dt_owner_is_lost(owner));
    dt_owner_release(owner);
    dt_owner_release(NULL);
    assert_false(is_there());
    assert_int_equal(dt_owner_check_free(scratch_path("nowhere"), STALL_S), DT_OK);
    assert_int_equal(dt_owner_take(&owner, scratch_path("nowhere"), STALL_S), DT_OUTPUT);
    assert_says("owner: cannot write: No such file or directory");
}

/* A child that owns the folder and does not release it. */
static pid_t start_child(void)
{
    int ready[2];
    char byte = 0;
    assert_int_equal(pipe(ready), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dt_owner *owner = NULL;
        const dt_status status = dt_owner_take(&owner, scratch_folder, STALL_S);
        byte = status == DT_OK ? 'y' : 'n';
        (void)!write(ready[1], &byte, 1);
        for (;;)
            (void)pause();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    (void)close(ready[0]);
    (void)close(ready[1]);
    return child;
}

static void owner_that_was_killed_is_followed_and_swept(void **state)
{
    (void)state;
    char mine[64], other[64];
    const pid_t child = start_child();
    assert_refused(STALL_S, "is writing here");
    (void)snprintf(mine, sizeof mine, "model.h5.%ld.tmp", (long)child);
    (void)snprintf(other, sizeof other, "model.h5.%ld1.tmp", (long)child);
    assert_true(scratch_write(scratch_path(mine), "left", 4));
    assert_true(scratch_write(scratch_path(other), "keep", 4));
    assert_int_equal(kill(child, SIGKILL), 0);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0); /* a zombie */
    dt_owner *owner = NULL;
    assert_int_equal(dt_owner_take(&owner, scratch_folder, STALL_S), DT_OK);
    assert_int_equal(access(scratch_path(mine), F_OK), -1);
    assert_int_equal(access(scratch_path(other), F_OK), 0);
    dt_owner_release(owner);
    assert_int_equal(scratch_count(true), 1);
    assert_int_equal(waitpid(child, NULL, 0), child);
    const pid_t gone = start_child();
    assert_int_equal(kill(gone, SIGKILL), 0);
    assert_int_equal(waitpid(gone, NULL, 0), gone);
    assert_taken_over(0.0);
}

/* The id is ours, and so alive, but its process began at another time. */
static void reused_id_is_not_the_owner(void **state)
{
    (void)state;
    put("started", "17");
    assert_taken_over(0.0);
}

static void owner_elsewhere_lives_while_it_is_renewed(void **state)
{
    (void)state;
    static const char *const lines[] = {"boot", "pid_space"};
    for (size_t i = 0; i < 2; i++) { /* another machine, and another container */
        put(lines[i], "12345");
        assert_refused(STALL_S, "wrote here 0 s ago; end it; if it is dead, remove ");
        age(STALL_S - 30.0);
        assert_refused(STALL_S, "wrote here 570 s ago");
        assert_refused(0.0, "wrote here 570 s ago");
        age(STALL_S + 1.0);
        assert_refused(0.0, "wrote here 601 s ago");
        assert_taken_over(STALL_S);
    }
}

/* Slurm has ended what ran before it queued the job again; but a job may have two steps. */
static void earlier_start_of_the_job_is_dead(void **state)
{
    (void)state;
    assert_int_equal(setenv("SLURM_JOB_ID", "4711", 1), 0);
    put("boot", "elsewhere");
    assert_refused(STALL_S, "job 4711) wrote here");
    assert_int_equal(setenv("SLURM_RESTART_COUNT", "1", 1), 0);
    assert_int_equal(setenv("SLURM_JOB_ID", "4712", 1), 0);
    assert_refused(STALL_S, "job 4711) wrote here");
    assert_int_equal(setenv("SLURM_JOB_ID", "4711", 1), 0);
    assert_taken_over(STALL_S);
    put("boot", "elsewhere");
    assert_refused(STALL_S, "job 4711) wrote here");
    assert_int_equal(unsetenv("SLURM_RESTART_COUNT"), 0);
    assert_int_equal(unsetenv("SLURM_JOB_ID"), 0);
}

static void file_that_names_nobody_counts_by_its_age(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "host a\npid 1\n", "notes of mine\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_true(scratch_write(scratch_path("owner"), texts[i], strlen(texts[i])));
        age(30.0);
        assert_refused(STALL_S, "a run that its file does not name wrote here 30 s ago");
        age(STALL_S + 1.0);
        assert_taken_over(STALL_S);
    }
}

/* Killed between the claim and the rename: the claim is taken over, too. */
static void claim_of_a_dead_taker_does_not_block(void **state)
{
    (void)state;
    char claim[128] = "owner-", text[1024];
    size_t bytes = 0;
    put("started", "17");
    char *dead = (char *)scratch_read(scratch_path("owner"), &bytes);
    assert_non_null(dead);
    (void)strncat(claim, strstr(dead, "token ") + 6, sizeof claim - 8);
    claim[strcspn(claim, "\n")] = '\0';
    put("started", "18"); /* another one, that claimed the place of the first */
    char *taker = (char *)scratch_read(scratch_path("owner"), &bytes);
    assert_non_null(taker);
    (void)snprintf(text, sizeof text, "%s", dead);
    assert_true(scratch_write(scratch_path(claim), taker, strlen(taker)));
    assert_true(scratch_write(scratch_path("owner"), text, strlen(text)));
    free(dead);
    free(taker);
    assert_taken_over(STALL_S);
}

static void run_that_lost_its_folder_does_not_write(void **state)
{
    (void)state;
    dt_owner *owner = NULL;
    for (int removed = 0; removed < 2; removed++) {
        assert_int_equal(dt_owner_take(&owner, scratch_folder, STALL_S), DT_OK);
        if (removed)
            assert_int_equal(unlink(scratch_path("owner")), 0);
        else
            assert_true(scratch_write(scratch_path("owner"), "another's", 9));
        assert_int_equal(usleep(1100000), 0);
        assert_int_equal(dt_owner_check(owner), DT_OUTPUT);
        assert_says(": another run took it over; this one stops");
        assert_true(dt_owner_is_lost(owner));
        assert_int_equal(dt_owner_check(owner), DT_OUTPUT);
        dt_owner_release(owner);
        assert_int_equal(is_there(), !removed);
        assert_int_equal(scratch_count(true), !removed);
    }
}

static void folder_that_has_gone_is_made_again(void **state)
{
    (void)state;
    dt_owner *owner = NULL;
    char folder[300], file[320];
    (void)snprintf(folder, sizeof folder, "%s/f", scratch_folder);
    (void)snprintf(file, sizeof file, "%s/owner", folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(dt_owner_take(&owner, folder, STALL_S), DT_OK);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(dt_owner_check(owner), DT_OK);
    assert_int_equal(access(file, F_OK), 0);
    dt_owner_release(owner);
    assert_int_equal(access(file, F_OK), -1);
    assert_int_equal(rmdir(folder), 0);
}

static void file_is_renewed(void **state)
{
    (void)state;
    dt_owner *owner = NULL;
    struct stat found;
    assert_int_equal(dt_owner_take(&owner, scratch_folder, STALL_S), DT_OK);
    age(STALL_S);
    const time_t old = time(NULL) - (time_t)(STALL_S / 2);
    do {
        (void)usleep(100000);
        assert_int_equal(stat(scratch_path("owner"), &found), 0);
    } while (found.st_mtime < old);
    dt_owner_release(owner);
}

/* So many at once, each round anew after a dead owner: one wins, and knows it. */
static void one_of_many_takes_over(void **state)
{
    (void)state;
    enum { TAKERS = 6, ROUNDS = 40 };
    for (int round = 0; round < ROUNDS; round++) {
        int start[2], results[2], end[2], winners = 0;
        char byte = 0;
        put("started", "17");
        assert_int_equal(pipe(start) | pipe(results) | pipe(end), 0);
        for (int i = 0; i < TAKERS; i++) {
            const pid_t child = fork();
            assert_true(child >= 0);
            if (child > 0)
                continue;
            dt_owner *owner = NULL;
            (void)close(start[1]);
            (void)close(end[1]);
            (void)!read(start[0], &byte, 1); /* all of them when it closes */
            const dt_status status = dt_owner_take(&owner, scratch_folder, STALL_S);
            byte = status == DT_OK ? 'y' : status == DT_USAGE ? 'n' : '?';
            (void)!write(results[1], &byte, 1);
            (void)!read(end[0], &byte, 1);
            dt_owner_release(owner);
            _exit(0);
        }
        (void)close(start[1]);
        for (int i = 0; i < TAKERS; i++) {
            assert_int_equal(read(results[0], &byte, 1), 1);
            assert_int_not_equal(byte, '?');
            winners += byte == 'y';
        }
        assert_int_equal(winners, 1);
        assert_int_equal(scratch_count(false), 1);
        (void)close(end[1]);
        for (int i = 0; i < TAKERS; i++)
            assert_true(wait(NULL) > 0);
        assert_int_equal(scratch_count(false), 0);
        const int ends[] = {start[0], results[0], results[1], end[0]};
        for (size_t i = 0; i < 4; i++)
            (void)close(ends[i]);
    }
}

#define TEST(name) cmocka_unit_test_teardown(name, scratch_empty)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(folder_has_one_owner_until_it_is_released),
        TEST(owner_that_was_killed_is_followed_and_swept),
        TEST(reused_id_is_not_the_owner),
        TEST(owner_elsewhere_lives_while_it_is_renewed),
        TEST(earlier_start_of_the_job_is_dead),
        TEST(file_that_names_nobody_counts_by_its_age),
        TEST(claim_of_a_dead_taker_does_not_block),
        TEST(run_that_lost_its_folder_does_not_write),
        TEST(folder_that_has_gone_is_made_again),
        TEST(file_is_renewed),
        TEST(one_of_many_takes_over),
    };
    dt_log_init(false, true);
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
