/* rooms: base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/base/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What was seen stays seen, so each case is a process of its own. In the child a condition that
 * does not hold ends it with its line number, modulo 200. */
#define HOLDS(condition) ((condition) ? (void)0 : _exit(1 + __LINE__ % 200))

/* Returns the wait status of a child that runs `body`. */
static int child(void (*body)(void))
{
    int result = -1;
    (void)fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) {
        static const int all[] = {SIGTERM, SIGUSR1, SIGINT};
        for (size_t i = 0; i < 3; i++)
            (void)signal(all[i], SIG_DFL); /* whatever the tests were started with */
        (void)alarm(20);
        body();
        _exit(0);
    }
    assert_true(pid > 0);
    while (waitpid(pid, &result, 0) < 0)
        assert_int_equal(errno, EINTR);
    return result;
}

static void check_ends_well(void (*body)(void))
{
    const int result = child(body);
    if (!WIFEXITED(result) || WEXITSTATUS(result) != 0)
        fail_msg("ended with status %d, signal %d", WIFEXITED(result) ? WEXITSTATUS(result) : -1,
                 WIFSIGNALED(result) ? WTERMSIG(result) : 0);
}

static int sent;

static void see_one(void)
{
    dt_signals_catch();
    HOLDS(dt_signals_pending() == 0);
    HOLDS(raise(sent) == 0);
    HOLDS(dt_signals_pending() == sent);
    HOLDS(dt_signals_pending() == sent); /* asking takes nothing away */
}

static void test_each(void **state)
{
    (void)state;
    static const int all[] = {SIGTERM, SIGUSR1, SIGINT};
    for (size_t i = 0; i < 3; i++) {
        sent = all[i];
        check_ends_well(see_one);
    }
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(dt_signals_name(SIGTERM), "SIGTERM");
    assert_string_equal(dt_signals_name(SIGUSR1), "SIGUSR1");
    assert_string_equal(dt_signals_name(SIGINT), "SIGINT");
    assert_string_equal(dt_signals_name(SIGHUP), "SIGHUP");
    assert_string_equal(dt_signals_name(SIGUSR2), "a signal");
    assert_string_equal(dt_signals_name(0), "a signal");
}

static void first_wins(void)
{
    dt_signals_catch();
    HOLDS(raise(SIGUSR1) == 0);
    HOLDS(raise(SIGTERM) == 0 && raise(SIGINT) == 0);
    HOLDS(dt_signals_pending() == SIGUSR1);
    for (int i = 0; i < 1000; i++)
        HOLDS(raise(SIGTERM) == 0 && raise(SIGUSR1) == 0);
    HOLDS(dt_signals_pending() == SIGUSR1);
}

static void catch_again(void)
{
    dt_signals_catch();
    dt_signals_catch();
    HOLDS(dt_signals_pending() == 0);
    HOLDS(raise(SIGTERM) == 0);
    dt_signals_catch();
    HOLDS(dt_signals_pending() == SIGTERM);
    HOLDS(raise(SIGINT) == 0); /* the first SIGINT, though not the first signal */
    HOLDS(dt_signals_pending() == SIGTERM);
}

static void test_the_first_one_counts(void **state)
{
    (void)state;
    check_ends_well(first_wins);
    check_ends_well(catch_again);
}

static void interrupt_twice(void)
{
    dt_signals_catch();
    HOLDS(raise(SIGINT) == 0);
    HOLDS(dt_signals_pending() == SIGINT);
    (void)raise(SIGINT);
    HOLDS(0);
}

static void terminate_and_interrupt_twice(void)
{
    dt_signals_catch();
    HOLDS(raise(SIGTERM) == 0 && raise(SIGINT) == 0);
    (void)raise(SIGINT);
    HOLDS(0);
}

static void test_second_interrupt_ends(void **state)
{
    (void)state;
    void (*const bodies[])(void) = {interrupt_twice, terminate_and_interrupt_twice};
    for (size_t i = 0; i < 2; i++) {
        const int result = child(bodies[i]);
        if (!WIFSIGNALED(result) || WTERMSIG(result) != SIGINT)
            fail_msg("not ended by SIGINT: %#x", (unsigned)result);
    }
}

static void ignored_interrupt(void)
{
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGUSR1, SIG_IGN);
    dt_signals_catch();
    HOLDS(raise(SIGINT) == 0 && raise(SIGINT) == 0);
    HOLDS(dt_signals_pending() == 0);
    HOLDS(raise(SIGUSR1) == 0);
    HOLDS(dt_signals_pending() == SIGUSR1); /* a batch script ignores it for itself alone */
}

static void warnings_alone(void)
{
    dt_signals_catch_warnings();
    HOLDS(raise(SIGUSR1) == 0);
    HOLDS(dt_signals_pending() == SIGUSR1);
    (void)raise(SIGTERM);
    HOLDS(0);
}

/* Until training starts. */
static void test_terminate_ends_at_the_start(void **state)
{
    (void)state;
    const int result = child(warnings_alone);
    if (!WIFSIGNALED(result) || WTERMSIG(result) != SIGTERM)
        fail_msg("not ended by SIGTERM: %#x", (unsigned)result);
}

/* A read goes on over the signal, and errno is left as it was. */
static void read_goes_on(void)
{
    int ends[2];
    char byte = 0;
    HOLDS(pipe(ends) == 0);
    dt_signals_catch();
    const pid_t parent = getpid(), pid = fork();
    HOLDS(pid >= 0);
    if (pid == 0) {
        const struct timespec pause = {0, 50000000};
        (void)nanosleep(&pause, NULL);
        (void)kill(parent, SIGTERM);
        (void)nanosleep(&pause, NULL);
        _exit(write(ends[1], "x", 1) == 1 ? 0 : 1);
    }
    errno = ENOTTY;
    HOLDS(read(ends[0], &byte, 1) == 1 && byte == 'x');
    HOLDS(errno == ENOTTY);
    HOLDS(dt_signals_pending() == SIGTERM);
}

static void test_what_is_left_alone(void **state)
{
    (void)state;
    check_ends_well(ignored_interrupt);
    check_ends_well(read_goes_on);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_the_first_one_counts),
        cmocka_unit_test(test_second_interrupt_ends),
        cmocka_unit_test(test_terminate_ends_at_the_start),
        cmocka_unit_test(test_what_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
