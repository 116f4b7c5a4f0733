#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/base/exact_total.h"
#include "dtrain/base/random.h"
#include "same_bits.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static dt_exact_total total_of(const double *terms, size_t count)
{
    dt_exact_total total = {0};
    for (size_t i = 0; i < count; i++)
        dt_exact_total_add(&total, terms[i]);
    return total;
}

static void test_one_term_comes_back(void **state)
{
    (void)state;
    const double terms[] = {0,        1,     -1,     0.1,        -0.1,    M_PI,
                            0x1p-80,  36.04, 0x1p46, 0x3p-80,    0x1p-27, 0x1.fffffffffffffp46,
                            -0x1p-80, 1e-7,  1e-8,   1.0 - 1e-16};
    for (size_t i = 0; i < sizeof terms / sizeof *terms; i++) {
        const dt_exact_total total = total_of(&terms[i], 1);
        /* Below 2^-27 the last bits of a double are less than a step. */
        assert_true(fabs(dt_exact_total_value(&total) - terms[i]) <= 0x1p-81);
        assert_true(fabs(terms[i]) < 0x1p-27 || same_bits(dt_exact_total_value(&total), terms[i]));
    }
}

static void test_rounding(void **state)
{
    (void)state;
    const struct {
        double term, steps;
    } cases[] = {{0x1p-82, 0}, {0x1p-81, 0},   {0x3p-82, 1},
                 {0x3p-81, 2}, {-0x3p-82, -1}, {1e-30, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const dt_exact_total total = total_of(&cases[i].term, 1);
        assert_true((double)total.steps == cases[i].steps);
    }
}

/* What a double would lose is kept. */
static void test_small_beside_large(void **state)
{
    (void)state;
    const double terms[] = {0x1p40, 1e-12, -0x1p40}, small = 1e-12;
    const dt_exact_total total = total_of(terms, 3), alone = total_of(&small, 1);
    assert_true(total.steps == alone.steps && alone.steps != 0);
}

static void test_any_order(void **state)
{
    (void)state;
    enum { TERMS = 1000, PARTS = 7 };
    double terms[TERMS];
    uint32_t order[TERMS];
    dt_random random = dt_random_start(1, DT_RANDOM_EXAMPLE, 0);
    long double expected = 0;
    for (size_t i = 0; i < TERMS; i++) {
        terms[i] = (dt_random_uniform(&random) - 0.3) * exp(20 * dt_random_uniform(&random) - 15);
        expected += (long double)terms[i];
    }
    const dt_exact_total first = total_of(terms, TERMS);
    assert_true(fabsl((long double)dt_exact_total_value(&first) - expected) <=
                1e-15L * fabsl(expected));
    for (int trial = 0; trial < 20; trial++) {
        dt_exact_total parts[PARTS] = {0}, sum = {0};
        dt_random_permutation(&random, order, TERMS);
        for (size_t i = 0; i < TERMS; i++)
            dt_exact_total_add(&parts[dt_random_below(&random, PARTS)], terms[order[i]]);
        for (int part = 0; part < PARTS; part++)
            dt_exact_total_join(&sum, &parts[part]);
        assert_true(sum.steps == first.steps);
    }
}

static void test_distance(void **state)
{
    (void)state;
    const struct {
        double term;
        int64_t whole;
        double distance;
    } cases[] = {{3.25, 3, 0.25}, {2.75, 3, 0.25},           {0, 5, 5},
                 {7, 7, 0},       {0x1p45 + 0.5, 1, 0x1p45}, {0.1, 0, 0.1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const dt_exact_total total = total_of(&cases[i].term, 1);
        assert_true(fabs(dt_exact_total_distance(&total, cases[i].whole) - cases[i].distance) <=
                    1e-15 * cases[i].distance + (cases[i].distance > 1e9 ? 1 : 0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_term_comes_back),
        cmocka_unit_test(test_rounding),
        cmocka_unit_test(test_small_beside_large),
        cmocka_unit_test(test_any_order),
        cmocka_unit_test(test_distance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
