#ifndef DTRAIN_TESTS_CMOCKA_H
#define DTRAIN_TESTS_CMOCKA_H

/**
 * As much of cmocka as the unit tests of src/nn and src/base use, for an architecture that has no
 * cmocka: the first assertion that fails ends the program.
 */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct CMUnitTest {
    const char *name;
    void (*run)(void **state);
};

#define cmocka_unit_test(test)                                                                     \
    {                                                                                              \
#test, test                                                                                \
    }

#define fail_msg(...)                                                                              \
    do {                                                                                           \
        (void)fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);                                      \
        (void)fprintf(stderr, __VA_ARGS__);                                                        \
        (void)fputc('\n', stderr);                                                                 \
        exit(1);                                                                                   \
    } while (0)
#define skip()                                                                                     \
    do {                                                                                           \
        (void)fprintf(stderr, "%s:%d: skipped\n", __FILE__, __LINE__);                             \
        return;                                                                                    \
    } while (0)
#define assert_true(condition)                                                                     \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("%s does not hold", #condition);                                              \
    } while (0)
#define assert_false(condition) assert_true(!(condition))
#define assert_null(pointer) assert_true((pointer) == NULL)
#define assert_non_null(pointer) assert_true((pointer) != NULL)
#define assert_ptr_equal(a, b) assert_true((a) == (b))
#define assert_ptr_not_equal(a, b) assert_true((a) != (b))
#define assert_int_equal(a, b) assert_true((unsigned long long)(a) == (unsigned long long)(b))
#define assert_int_not_equal(a, b) assert_true((unsigned long long)(a) != (unsigned long long)(b))
#define assert_in_range(value, low, high)                                                          \
    assert_true((unsigned long long)(value) >= (unsigned long long)(low) &&                        \
                (unsigned long long)(value) <= (unsigned long long)(high))
#define assert_float_equal(a, b, epsilon)                                                          \
    assert_true(fabs((double)(a) - (double)(b)) <= (double)(epsilon))
#define assert_string_equal(a, b) assert_true(strcmp(a, b) == 0)
#define assert_memory_equal(a, b, bytes) assert_true(memcmp(a, b, bytes) == 0)
#define assert_memory_not_equal(a, b, bytes) assert_true(memcmp(a, b, bytes) != 0)

#define cmocka_run_group_tests(tests, setup, teardown)                                             \
    cmocka_run(tests, sizeof(tests) / sizeof *(tests), setup, teardown)

static inline int cmocka_run(const struct CMUnitTest *tests, size_t count,
                             int (*setup)(void **state), int (*teardown)(void **state))
{
    void *state = NULL;
    if (setup != NULL && setup(&state) != 0)
        return 1;
    for (size_t i = 0; i < count; i++)
        tests[i].run(&state);
    return teardown != NULL ? teardown(&state) : 0;
}

#endif
