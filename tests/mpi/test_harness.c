/* The harness, if no test fails; test_harness_fails.c is the other half. */
#include "harness.h"

#include <math.h>

static int setups;

static int count_setup(void **state)
{
    (void)state;
    setups++;
    return 0;
}

static void test_setup_ran(void **state)
{
    (void)state;
    assert_all_int(setups, 1);
}

static void test_asserts_pass(void **state)
{
    (void)state;
    int sum = 0;
    dt_mpi_allreduce(&(int){1}, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    assert_all(test_rank >= 0 && test_rank < test_size);
    assert_all_int(sum, test_size);
    assert_all_close(1.0 / 3.0, 0.3333, 1e-4);
    assert_all_close(INFINITY, INFINITY, 0.0);
    assert_all_string("same", "same");
    assert_all_same(&sum, sizeof sum);
    assert_all_same(NULL, 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(test_setup_ran, count_setup),
    cmocka_unit_test(test_asserts_pass),
};

MPI_SUITE(test_harness, tests);
