#include "dtrain/base/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void test_fail_returns_code_and_keeps_text(void **state)
{
    (void)state;
    assert_int_equal(dt_fail(DT_DATA, "%s: row %d", "a.npz", 7), DT_DATA);
    assert_string_equal(dt_status_text(), "a.npz: row 7");
}

static void test_text_stays_one_printable_line(void **state)
{
    (void)state;
    dt_status_set_text("a\nb\tc\033[31m\177d");
    assert_string_equal(dt_status_text(), "a?b?c?[31m?d");
    dt_status_set_text("Gr\xc3\xb6\xc3\x9f"
                       "e"); /* UTF-8 in file names stays readable */
    assert_string_equal(dt_status_text(), "Gr\xc3\xb6\xc3\x9f"
                                          "e");
}

static void test_long_text_is_cut(void **state)
{
    (void)state;
    char text[3 * DT_STATUS_TEXT_BYTES];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    assert_int_equal(dt_fail(DT_OUTPUT, "%s", text), DT_OUTPUT);
    assert_int_equal(strlen(dt_status_text()), DT_STATUS_TEXT_BYTES - 1);
}

static void test_text_may_hold_the_last_text(void **state)
{
    (void)state;
    dt_status_set_text("inner");
    assert_int_equal(dt_fail(DT_USAGE, "outer: %s", dt_status_text()), DT_USAGE);
    assert_string_equal(dt_status_text(), "outer: inner");
}

static dt_status try_twice(dt_status first, dt_status second, int *calls)
{
    dt_status status = DT_OK;
    *calls = 0;
    DT_TRY(((*calls)++, first));
    DT_TRY(((*calls)++, second));
out:
    return status;
}

static void test_try_stops_at_the_first_failure(void **state)
{
    (void)state;
    int calls = 0;
    assert_int_equal(try_twice(DT_OK, DT_OK, &calls), DT_OK);
    assert_int_equal(calls, 2);
    assert_int_equal(try_twice(DT_MEMORY, DT_DATA, &calls), DT_MEMORY);
    assert_int_equal(calls, 1);
}

/* The numbers are exit statuses that scripts and Slurm jobs rely on. */
static void test_codes(void **state)
{
    (void)state;
    const dt_status codes[] = {DT_OK,     DT_INTERNAL, DT_USAGE, DT_DATA,
                               DT_OUTPUT, DT_DIVERGED, DT_MEMORY};
    const int expected[] = {0, 1, 2, 3, 4, 5, 6, 75};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        assert_int_equal(codes[i], expected[i]);
}

static void say_hook(void)
{
    fputs("hook\n", stderr);
}

/* Runs a failing DT_ASSERT in a child, and takes its exit status and stderr. */
static int assert_in_child(void (*hook)(void), char *text, size_t text_bytes)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        dt_assert_set_hook(hook);
        DT_ASSERT(1 + 1 == 2);
        DT_ASSERT(1 + 1 == 3);
        _exit(77); /* unreachable */
    }
    close(ends[1]);
    size_t length = 0;
    ssize_t got = 0;
    while (length < text_bytes - 1 &&
           (got = read(ends[0], text + length, text_bytes - 1 - length)) > 0)
        length += (size_t)got;
    text[length] = '\0';
    close(ends[0]);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_assert_ends_the_process(void **state)
{
    (void)state;
    char text[512];
    assert_int_equal(assert_in_child(NULL, text, sizeof text), DT_INTERNAL);
    assert_non_null(strstr(text, "dtrain: error: internal: 1 + 1 == 3 does not hold ("));
    assert_non_null(strstr(text, "test_status.c:"));
    assert_null(strstr(text, "hook"));
}

static void test_assert_calls_the_hook(void **state)
{
    (void)state;
    char text[512];
    /* A hook that returns must not let the process go on. */
    assert_int_equal(assert_in_child(say_hook, text, sizeof text), DT_INTERNAL);
    assert_non_null(strstr(text, "hook\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fail_returns_code_and_keeps_text),
        cmocka_unit_test(test_text_stays_one_printable_line),
        cmocka_unit_test(test_long_text_is_cut),
        cmocka_unit_test(test_text_may_hold_the_last_text),
        cmocka_unit_test(test_try_stops_at_the_first_failure),
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_assert_ends_the_process),
        cmocka_unit_test(test_assert_calls_the_hook),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
