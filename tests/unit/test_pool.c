#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/base/pool.h"

#include <stdatomic.h>
#include <time.h>

enum { MOST = 9 };

typedef struct tally {
    atomic_int calls[MOST];
    atomic_int all;
} tally;

static void count(void *context, int thread)
{
    tally *t = context;
    t->calls[thread]++;
    t->all++;
}

static void test_each_thread_once_a_round(void **state)
{
    (void)state;
    enum { ROUNDS = 1000 };
    for (int threads = 1; threads <= MOST; threads += 2) {
        tally t = {.all = 0};
        dt_pool *pool = NULL;
        assert_int_equal(dt_pool_new(&pool, threads), DT_OK);
        assert_int_equal(dt_pool_threads(pool), threads);
        for (int round = 1; round <= ROUNDS; round++) {
            dt_pool_run(pool, count, &t);
            assert_int_equal(t.all, round * threads); /* all have returned */
        }
        for (int i = 0; i < MOST; i++)
            assert_int_equal(t.calls[i], i < threads ? ROUNDS : 0);
        dt_pool_free(pool);
    }
}

static void test_threads_that_sleep_wake_up(void **state)
{
    (void)state;
    tally t = {.all = 0};
    dt_pool *pool = NULL;
    assert_int_equal(dt_pool_new(&pool, 3), DT_OK);
    for (int round = 1; round <= 5; round++) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        dt_pool_run(pool, count, &t);
        assert_int_equal(t.all, 3 * round);
    }
    dt_pool_free(pool);
}

static void test_no_pool(void **state)
{
    (void)state;
    tally t = {.all = 0};
    dt_pool *pool = NULL;
    assert_int_equal(dt_pool_new(&pool, 1), DT_OK);
    assert_null(pool);
    assert_int_equal(dt_pool_threads(NULL), 1);
    dt_pool_run(NULL, count, &t);
    assert_int_equal(t.calls[0], 1);
    dt_pool_free(NULL);
    assert_int_equal(dt_pool_new(&pool, 4), DT_OK); /* one that never works */
    dt_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_thread_once_a_round),
        cmocka_unit_test(test_threads_that_sleep_wake_up),
        cmocka_unit_test(test_no_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
