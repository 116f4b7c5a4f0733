#define HARNESS_IMPLEMENTATION
#include "harness.h"

#include "dtrain/base/status.h"
#include "dtrain/comm/background_sum.h"
#include "dtrain/comm/launch.h"
#include "dtrain/nn/linalg.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CRASH_SIGNALS = 5, TEXT_BYTES = 160, MAX_STATUS = 100 };

/* The suites of this program, one a line: SUITE(test_comm). CMake writes the list. */
#define SUITE(name) extern const mpi_suite name;
#include SUITES
#undef SUITE
#define SUITE(name) &name,
static const mpi_suite *const suites[] = {
#include SUITES
};
#undef SUITE

int test_rank = 0;
int test_size = 1;

static const struct CMUnitTest *tests_as_given;
static size_t tests_started;
static const int crash_signals[CRASH_SIGNALS] = {SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGSYS};
static struct sigaction crash_actions[CRASH_SIGNALS];

/* cmocka turns a crash into a failed test and goes on; one rank that does so leaves the others
 * waiting. With the handlers from before cmocka (a sanitizer's, or none) it ends the job. */
static void restore_crash_handlers(void)
{
    for (int i = 0; i < CRASH_SIGNALS; i++)
        (void)sigaction(crash_signals[i], &crash_actions[i], NULL);
}

static int enter_setup(void **state)
{
    const struct CMUnitTest *test = &tests_as_given[tests_started++];
    restore_crash_handlers();
    return test->setup_func != NULL ? test->setup_func(state) : 0;
}

static void enter_test(void **state)
{
    restore_crash_handlers();
    tests_as_given[tests_started - 1].test_func(state);
}

static void abort_job(void)
{
    MPI_Abort(MPI_COMM_WORLD, DT_INTERNAL);
}

/* Returns the largest number of failures that any rank counted, the same on all ranks. */
static int run_suite(const mpi_suite *suite)
{
    struct CMUnitTest *wrapped = calloc(suite->count, sizeof *wrapped);
    if (wrapped == NULL)
        MPI_Abort(MPI_COMM_WORLD, DT_MEMORY);
    for (size_t i = 0; i < suite->count; i++) {
        wrapped[i] = suite->tests[i];
        wrapped[i].setup_func = enter_setup;
        wrapped[i].test_func = enter_test;
    }
    tests_as_given = suite->tests;
    tests_started = 0;
    int failures = _cmocka_run_group_tests(suite->name, wrapped, suite->count, NULL, NULL);
    free(wrapped);
    failures = failures < 0 ? -failures : failures; /* -1 for a broken group must not lose to 0 */
    dt_mpi_allreduce(MPI_IN_PLACE, &failures, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    return failures;
}

static bool is_asked_for(const mpi_suite *suite, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], suite->name) == 0)
            return true;
    return argc < 2;
}

/* Only rank 0 prints. A rank that crashes ends the whole job. */
int main(int argc, char **argv)
{
    int failures = 0, suites_run = 0;
    if (dt_launch_prepare() != DT_OK) /* as dtrain starts */
        abort();
    dt_background_sum_prepare();
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &test_rank);
    MPI_Comm_size(MPI_COMM_WORLD, &test_size);
    dt_linalg_init(1);
    dt_assert_set_hook(abort_job);
    if (test_rank > 0) {
        /* TAP goes to stdout alone: stderr stays open for sanitizers, MPI and DT_ASSERT. */
        cmocka_set_message_output(CM_OUTPUT_TAP);
        if (freopen("/dev/null", "w", stdout) == NULL)
            MPI_Abort(MPI_COMM_WORLD, DT_INTERNAL);
    }
    for (int i = 0; i < CRASH_SIGNALS; i++)
        (void)sigaction(crash_signals[i], NULL, &crash_actions[i]);
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++)
        if (is_asked_for(suites[i], argc, argv)) {
            failures += run_suite(suites[i]);
            suites_run++;
        }
    if (suites_run < argc - 1 || suites_run == 0) {
        if (test_rank == 0)
            print_error("a suite that is asked for does not exist\n");
        failures++;
    }
    MPI_Finalize();
    return failures < MAX_STATUS ? failures : MAX_STATUS; /* an exit status of 256 would be 0 */
}

/* Leaves the test on all ranks if `holds` is false on one; rank 0 prints each failing rank's
 * `detail`. */
static void assert_everywhere(bool holds, const char *detail, const char *text, const char *file,
                              int line)
{
    int all_hold = holds;
    dt_mpi_allreduce(MPI_IN_PLACE, &all_hold, 1, MPI_INT, MPI_LAND, MPI_COMM_WORLD);
    if (all_hold)
        return;
    char mine[TEXT_BYTES] = "";
    if (!holds)
        (void)snprintf(mine, sizeof mine, "fails%s%s", detail[0] == '\0' ? "" : ": ", detail);
    char *all = test_rank == 0 ? calloc((size_t)test_size, sizeof mine) : NULL;
    if (test_rank == 0 && all == NULL)
        MPI_Abort(MPI_COMM_WORLD, DT_MEMORY);
    MPI_Gather(mine, sizeof mine, MPI_CHAR, all, sizeof mine, MPI_CHAR, 0, MPI_COMM_WORLD);
    for (int rank = 0; all != NULL && rank < test_size; rank++)
        if (all[(size_t)rank * sizeof mine] != '\0')
            print_error("%s:%d: on rank %d of %d, %s %s\n", file, line, rank, test_size, text,
                        all + (size_t)rank * sizeof mine);
    free(all);
    _fail(file, line);
}

void harness_assert(bool holds, const char *text, const char *file, int line)
{
    assert_everywhere(holds, "", text, file, line);
}

void harness_assert_int(long long actual, long long expected, const char *text, const char *file,
                        int line)
{
    char detail[TEXT_BYTES];
    (void)snprintf(detail, sizeof detail, "%lld, expected %lld", actual, expected);
    assert_everywhere(actual == expected, detail, text, file, line);
}

void harness_assert_close(double actual, double expected, double tolerance, const char *text,
                          const char *file, int line)
{
    char detail[TEXT_BYTES];
    (void)snprintf(detail, sizeof detail, "%.17g, expected %.17g within %g", actual, expected,
                   tolerance);
    /* Written so that NaN fails, and infinity equals itself. */
    bool close = actual == expected || fabs(actual - expected) <= tolerance;
    assert_everywhere(close, detail, text, file, line);
}

void harness_assert_string(const char *actual, const char *expected, const char *text,
                           const char *file, int line)
{
    char detail[TEXT_BYTES];
    (void)snprintf(detail, sizeof detail, "\"%.70s\", expected \"%.70s\"", actual, expected);
    assert_everywhere(strcmp(actual, expected) == 0, detail, text, file, line);
}

void harness_assert_same(const void *data, size_t bytes, const char *text, const char *file,
                         int line)
{
    unsigned long long root_bytes = bytes;
    dt_mpi_bcast(&root_bytes, 1, MPI_UNSIGNED_LONG_LONG, 0, MPI_COMM_WORLD);
    char detail[TEXT_BYTES];
    (void)snprintf(detail, sizeof detail, "%zu bytes, rank 0 has %llu", bytes, root_bytes);
    assert_everywhere(bytes == root_bytes, detail, text, file, line);

    unsigned char *root_data = malloc(bytes + 1);
    if (root_data == NULL)
        MPI_Abort(MPI_COMM_WORLD, DT_MEMORY);
    if (test_rank == 0 && bytes > 0)
        memcpy(root_data, data, bytes);
    dt_mpi_bcast(root_data, (int)bytes, MPI_BYTE, 0, MPI_COMM_WORLD);
    size_t i = 0;
    while (i < bytes && root_data[i] == ((const unsigned char *)data)[i])
        i++;
    free(root_data);
    (void)snprintf(detail, sizeof detail, "byte %zu of %zu differs from rank 0's", i, bytes);
    assert_everywhere(i == bytes, detail, text, file, line);
}
