/* rooms: base */
#define _GNU_SOURCE /* posix_openpt */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/base/clock.h"
#include "dtrain/base/log.h"
#include "scratch_folder.h"

#include <fcntl.h>

/* The tests' own clock takes the place of base/clock's: nothing here waits. */
static double now_s;

double dt_clock_s(void)
{
    return now_s;
}

static int kept_stdout = -1;

/* From here on stdout is a file: no terminal. */
static void capture(void)
{
    (void)fflush(stdout);
    kept_stdout = dup(STDOUT_FILENO);
    const int file = open(scratch_path("out"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    (void)dup2(file, STDOUT_FILENO);
    (void)close(file);
}

/* Gives stdout back, and what was printed meanwhile. */
static void release(char *out, size_t bytes)
{
    size_t length = 0;
    (void)fflush(stdout);
    (void)dup2(kept_stdout, STDOUT_FILENO);
    (void)close(kept_stdout);
    unsigned char *text = scratch_read(scratch_path("out"), &length);
    (void)snprintf(out, bytes, "%.*s", (int)length, text == NULL ? "?" : (char *)text);
    free(text);
}

static void test_progress_in_a_file(void **state)
{
    (void)state;
    char out[1024];
    capture();
    dt_log_init(true, false);
    now_s = 1000.0;
    for (int i = 0; i < 100; i++) /* told often, for just less than a minute: not a word */
        dt_log_progress("reading", i / 1000.0), now_s += 0.599;
    release(out, sizeof out);
    assert_string_equal(out, "");
    capture();
    now_s = 1061.0;
    dt_log_progress("reading", 0.25);
    dt_log_progress("reading", 0.26);
    now_s = 1120.9;
    dt_log_progress("reading", 0.5);
    now_s = 1121.0;
    dt_log_progress("reading", 0.756);
    dt_log_progress("reading", 1.0);
    release(out, sizeof out);
    assert_string_equal(out, "reading: 25 %\nreading: 76 %\n");
    capture();
    dt_log_progress("fitting", 0.1); /* the next work has a minute of its own */
    now_s = 1180.5;
    dt_log_progress("fitting", 0.2);
    release(out, sizeof out);
    assert_string_equal(out, "");
    capture();
    now_s = 1181.0;
    dt_log_progress("fitting", 0.3);
    dt_log_progress("fitting", 1.0);
    release(out, sizeof out);
    assert_string_equal(out, "fitting: 30 %\n");
}

static void test_progress_of_silent_ranks(void **state)
{
    (void)state;
    char out[1024];
    for (int kind = 0; kind < 2; kind++) {
        capture();
        dt_log_init(kind == 1, kind == 1); /* one that does not talk; one that is quiet */
        for (int i = 0; i < 10; i++, now_s += 61.0)
            dt_log_progress("reading", i / 10.0);
        dt_log_progress("reading", 1.0);
        release(out, sizeof out);
        assert_string_equal(out, "");
    }
}

/* On a terminal the line changes in place and is gone at the end. */
static void test_progress_on_a_terminal(void **state)
{
    (void)state;
    char out[1024] = "";
    const int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0)
        skip();
    const int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    if (terminal < 0)
        skip();
    (void)fflush(stdout);
    kept_stdout = dup(STDOUT_FILENO);
    (void)dup2(terminal, STDOUT_FILENO);
    dt_log_init(true, false);
    dt_log_progress("reading", 0.0);
    now_s += 1.0;
    dt_log_progress("reading", 0.5);
    dt_log_progress("reading", 0.6); /* too soon */
    now_s += 0.25;
    dt_log_progress("reading", 0.7);
    dt_log_progress("reading", 1.0);
    (void)fflush(stdout);
    (void)dup2(kept_stdout, STDOUT_FILENO);
    (void)close(kept_stdout);
    (void)close(terminal);
    size_t length = 0;
    for (ssize_t got = 1; got > 0 && length<sizeof out - 1; length += got> 0 ? (size_t)got : 0)
        got = read(master, out + length, sizeof out - 1 - length);
    (void)close(master);
    assert_true(length > 0);
    assert_null(strchr(out, '\n'));
    assert_non_null(strstr(out, "\r\033[Kreading: 50 %\r\033[Kreading: 70 %\r\033[K"));
    assert_null(strstr(out, "60 %"));
    assert_string_equal(out + strlen(out) - 4, "\r\033[K");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_progress_in_a_file),
        cmocka_unit_test(test_progress_of_silent_ranks),
        cmocka_unit_test(test_progress_on_a_terminal),
    };
    const int failed = cmocka_run_group_tests(tests, scratch_make, NULL);
    (void)scratch_count(true);
    (void)rmdir(scratch_folder);
    return failed;
}
