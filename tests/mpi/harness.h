#ifndef DTRAIN_TESTS_MPI_HARNESS_H
#define DTRAIN_TESTS_MPI_HARNESS_H

/**
 * cmocka under mpirun.
 *
 * A plain assert leaves the test on the rank where it fails, and the others wait for that rank in
 * the next collective until the timeout. So here every assert is collective: all ranks call it, at
 * the same place, never inside `if (test_rank == 0)`; it fails on all of them when it fails on one,
 * and rank 0 says on which. To check something on one rank only:
 *
 *     bool right = true;
 *     if (test_rank == 0)
 *         right = file_exists(path);
 *     assert_all(right);
 *
 * A test program:
 *
 *     #include "harness.h"
 *
 *     static void test_sum(void **state)
 *     {
 *         (void)state;
 *         int sum = 0;
 *         dt_mpi_allreduce(&(int){1}, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
 *         assert_all_int(sum, test_size);
 *     }
 *
 *     static const struct CMUnitTest tests[] = {cmocka_unit_test(test_sum)};
 *
 *     MPI_SUITE(test_sum_of_ranks, tests);
 *
 * The name of the suite is the name of the file. All suites are one program, since starting ranks
 * takes longer than most suites: `mpirun -np 3 mpi_tests` runs all, `mpi_tests test_comm` one.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <mpi.h>

/* Not MPI's own calls, which would spin for whole time slices if the ranks outnumber the CPUs. */
#include "../../src/comm/waiting.h"

/** Rank in and size of MPI_COMM_WORLD; set before the first test. */
extern int test_rank;
extern int test_size;

/** Fails everywhere unless `condition` holds on every rank. Calls: collective. */
#define assert_all(condition) harness_assert((condition), #condition, __FILE__, __LINE__)

/** Fails everywhere unless the two integers are equal on every rank. Calls: collective. */
#define assert_all_int(actual, expected)                                                           \
    harness_assert_int((long long)(actual), (long long)(expected), #actual, __FILE__, __LINE__)

/** Fails everywhere unless |actual - expected| <= tolerance on every rank; NaN fails. */
#define assert_all_close(actual, expected, tolerance)                                              \
    harness_assert_close((actual), (expected), (tolerance), #actual, __FILE__, __LINE__)

/** Fails everywhere unless the two texts are equal on every rank. Calls: collective. */
#define assert_all_string(actual, expected)                                                        \
    harness_assert_string((actual), (expected), #actual, __FILE__, __LINE__)

/** Fails everywhere unless the `bytes` bytes at `data` are rank 0's, bit for bit. */
#define assert_all_same(data, bytes) harness_assert_same((data), (bytes), #data, __FILE__, __LINE__)

typedef struct mpi_suite {
    const char *name;
    const struct CMUnitTest *tests;
    size_t count;
} mpi_suite;

/** Makes an array of struct CMUnitTest known to the program. */
#define MPI_SUITE(suite_name, array)                                                               \
    const mpi_suite suite_name = {#suite_name, (array), sizeof(array) / sizeof((array)[0])}

void harness_assert(bool holds, const char *text, const char *file, int line);
void harness_assert_int(long long actual, long long expected, const char *text, const char *file,
                        int line);
void harness_assert_close(double actual, double expected, double tolerance, const char *text,
                          const char *file, int line);
void harness_assert_string(const char *actual, const char *expected, const char *text,
                           const char *file, int line);
void harness_assert_same(const void *data, size_t bytes, const char *text, const char *file,
                         int line);

/* The plain asserts would hang the job: "poisoned" in a compiler's message means use assert_all. */
#ifndef HARNESS_IMPLEMENTATION
#undef assert_true
#undef assert_false
#undef assert_null
#undef assert_non_null
#undef assert_int_equal
#undef assert_int_not_equal
#undef assert_float_equal
#undef assert_string_equal
#undef assert_memory_equal
#pragma GCC poison assert_true assert_false assert_null assert_non_null
#pragma GCC poison assert_int_equal assert_int_not_equal assert_float_equal
#pragma GCC poison assert_string_equal assert_memory_equal
#endif

#endif
