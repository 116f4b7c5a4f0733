/*
 * Fails on rank 1 on purpose: a failure of one rank is reported with its name, becomes the exit
 * status of every rank, and leaves no rank waiting. CTest expects the failure at 2 ranks, and looks
 * for the lines below; a timeout does not count.
 */
#include "harness.h"

#include <math.h>

static void test_condition(void **state)
{
    (void)state;
    assert_all(test_rank != 1);
}

static void test_int(void **state)
{
    (void)state;
    assert_all_int(test_rank, 0);
}

static void test_not_a_number(void **state)
{
    (void)state;
    assert_all_close(test_rank == 1 ? (double)NAN : 1.0, 1.0, 1e300);
}

static void test_string(void **state)
{
    (void)state;
    assert_all_string(test_rank == 1 ? "found" : "wanted", "wanted");
}

static void test_same(void **state)
{
    (void)state;
    const unsigned char data[3] = {7, 7, (unsigned char)test_rank};
    assert_all_same(data, sizeof data);
}

static void test_after_the_failures(void **state)
{
    (void)state;
    assert_all(true);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_condition),    cmocka_unit_test(test_int),
    cmocka_unit_test(test_not_a_number), cmocka_unit_test(test_string),
    cmocka_unit_test(test_same),         cmocka_unit_test(test_after_the_failures),
};

MPI_SUITE(test_harness_fails, tests);
