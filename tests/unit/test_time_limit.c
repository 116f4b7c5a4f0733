/* rooms: train */
#include "dtrain/train/time_limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/base/clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Nothing here waits: moments are minutes apart, or so far in the past that no delay matters. */
static const char variable[] = "SLURM_JOB_END_TIME";

/* The Slurm job ends in so many seconds. */
static void slurm_ends_in(double seconds)
{
    char text[64];
    (void)snprintf(text, sizeof text, "%lld", (long long)time(NULL) + (long long)seconds);
    assert_int_equal(setenv(variable, text, 1), 0);
}

static int without_slurm(void **state)
{
    (void)state;
    return unsetenv(variable);
}

/* The time that is left, to a few seconds: a test may be delayed. */
static void check_left(const dt_time_limit *limit, double seconds)
{
    const double left = limit->end_s - dt_clock_s();
    assert_true(limit->set);
    if (!(left <= seconds + 1.5 && left > seconds - 30.0))
        fail_msg("%g s are left, expected %g", left, seconds);
}

static void test_none(void **state)
{
    (void)state;
    const dt_time_limit limit = dt_time_limit_start(0.0, dt_clock_s());
    assert_false(limit.set);
    assert_false(dt_time_limit_is_near(&limit, 1e9, 1e9));
    const dt_time_limit zeroed = {0};
    assert_false(dt_time_limit_is_near(&zeroed, 1e9, 1e9));
}

static void test_own(void **state)
{
    (void)state;
    const double started = dt_clock_s() - 100.0;
    dt_time_limit limit = dt_time_limit_start(1000.0, started);
    assert_true(limit.set);
    assert_true(limit.end_s == started + 1000.0 - 1.0); /* a second for the end of the job */
    assert_string_equal(limit.what, "the time limit");
    assert_false(dt_time_limit_is_near(&limit, 0.0, 0.0));
    limit = dt_time_limit_start(99.0, started); /* over before it began */
    assert_true(dt_time_limit_is_near(&limit, 0.0, 0.0));
    limit = dt_time_limit_start(1e9, started);
    assert_false(dt_time_limit_is_near(&limit, 0.0, 0.0));
}

static void test_slurm(void **state)
{
    (void)state;
    slurm_ends_in(5000);
    dt_time_limit limit = dt_time_limit_start(0.0, dt_clock_s());
    check_left(&limit, 4990.0);
    assert_string_equal(limit.what, "the end of the Slurm job");
    assert_false(dt_time_limit_is_near(&limit, 0.0, 0.0));
    /* It is the job's end, whenever the program began. */
    limit = dt_time_limit_start(0.0, dt_clock_s() - 4000.0);
    check_left(&limit, 4990.0);
    slurm_ends_in(-100); /* just past: Slurm grants some seconds, and they are running */
    limit = dt_time_limit_start(0.0, dt_clock_s());
    assert_true(limit.set);
    assert_true(dt_time_limit_is_near(&limit, 0.0, 0.0));
}

static void test_both(void **state)
{
    (void)state;
    slurm_ends_in(5000);
    dt_time_limit limit = dt_time_limit_start(3000.0, dt_clock_s());
    assert_string_equal(limit.what, "the time limit");
    check_left(&limit, 2999.0);
    limit = dt_time_limit_start(9000.0, dt_clock_s());
    assert_string_equal(limit.what, "the end of the Slurm job");
    check_left(&limit, 4990.0);
    slurm_ends_in(-100000);
    limit = dt_time_limit_start(3000.0, dt_clock_s());
    assert_string_equal(limit.what, "the time limit");
    check_left(&limit, 2999.0);
}

/* The shell that an ended job left behind, and what is no time. */
static void test_of_no_meaning(void **state)
{
    (void)state;
    static const char *const texts[] = {"",     "soon",        "x12",
                                        "0",    "1",           "-1",
                                        "1e3",  "4102444800x", "2026-01-31T23:59:59",
                                        "nan",  "-nan",        "-inf",
                                        "inf",  "1e999",       "-1e999",
                                        "NONE", "Unknown",     "  "};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(setenv(variable, texts[i], 1), 0);
        dt_time_limit limit = dt_time_limit_start(0.0, dt_clock_s());
        if (limit.set || dt_time_limit_is_near(&limit, 1e9, 1e9))
            fail_msg("'%s' was taken for an end", texts[i]);
        limit = dt_time_limit_start(500.0, dt_clock_s());
        assert_string_equal(limit.what, "the time limit");
        check_left(&limit, 499.0);
    }
    slurm_ends_in(-400);
    assert_false(dt_time_limit_start(0.0, dt_clock_s()).set);
}

/* A step and a checkpoint have to fit twice into the time that is left. */
static void test_near(void **state)
{
    (void)state;
    const dt_time_limit limit = {.set = true, .end_s = dt_clock_s() + 1000.0, .what = ""};
    assert_false(dt_time_limit_is_near(&limit, 0.0, 0.0));
    assert_false(dt_time_limit_is_near(&limit, 200.0, 200.0));
    assert_false(dt_time_limit_is_near(&limit, 400.0, 0.0));
    assert_false(dt_time_limit_is_near(&limit, 0.0, 400.0));
    assert_true(dt_time_limit_is_near(&limit, 500.0, 0.0));
    assert_true(dt_time_limit_is_near(&limit, 0.0, 500.0));
    assert_true(dt_time_limit_is_near(&limit, 250.0, 250.0));
    assert_true(dt_time_limit_is_near(&limit, INFINITY, 0.0));
}

#define with_own_variable(test)                                                                    \
    cmocka_unit_test_setup_teardown((test), without_slurm, without_slurm)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_own_variable(test_none),          with_own_variable(test_own),
        with_own_variable(test_slurm),         with_own_variable(test_both),
        with_own_variable(test_of_no_meaning), with_own_variable(test_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
