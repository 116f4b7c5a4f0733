/* rooms: comm */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/base/random.h"
#include "dtrain/comm/exact_sum.h"
#include "same_bits.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

/* A term as a count of grid steps, rounded to nearest even by other means than the code's. */
static int64_t steps_of(float term, const dt_exact_grid *grid)
{
    long double exact = ldexpl((long double)term, -grid->exponent);
    return (int64_t)rintl(exact); /* 64 bits of mantissa hold every term in range exactly */
}

static void test_grid(void **state)
{
    (void)state;
    const struct {
        size_t rows;
        int exponent;
        double range;
    } cases[] = {{0, -40, 0x1p11},
                 {1, -40, 0x1p11},
                 {2, -39, 0x1p12},
                 {3, -39, 0x1p12},
                 {4, -38, 0x1p13},
                 {100, -34, 0x1p17},
                 {127, -34, 0x1p17},
                 {128, -33, 0x1p18},
                 {1 << 20, -20, 0x1p31},
                 {4097, -28, 0x1p23},
                 {(1 << 20) - 1, -21, 0x1p30}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const dt_exact_grid grid = dt_exact_grid_for(cases[i].rows, 0);
        assert_int_equal(grid.exponent, cases[i].exponent);
        assert_true(same_bits(dt_exact_range(&grid), cases[i].range));
        assert_true(same_bits(grid.constant, ldexp(1.5, 52 + cases[i].exponent)));
        if (cases[i].rows > 0) /* the mean's resolution, as promised */
            assert_true(ldexp(1.0, grid.exponent) / (double)cases[i].rows <= 0x1p-40);
    }
}

/* Random terms over many magnitudes, with cancellation: each second one takes the one before off
 * again but for a little. */
static void draw_terms(float *terms, size_t count, double range, uint64_t seed)
{
    dt_random random = dt_random_start(seed, DT_RANDOM_EXAMPLE, 1);
    for (size_t i = 0; i < count; i++) {
        const double magnitude = range * exp2(-60.0 * dt_random_uniform(&random));
        terms[i] = (float)(magnitude * (2.0 * dt_random_uniform(&random) - 1.0));
        if (i % 2 == 1)
            terms[i] = -terms[i - 1] * (1.0f + (float)dt_random_uniform(&random) * 1e-6f);
    }
}

static void test_adds_exactly(void **state)
{
    (void)state;
    enum { COUNT = 4096 };
    static float terms[COUNT];
    const size_t rows[] = {1, 3, 100, 1 << 20};
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        const dt_exact_grid grid = dt_exact_grid_for(rows[r], 0);
        draw_terms(terms, COUNT, 0.99 * dt_exact_range(&grid), r);
        int64_t sum = 0;
        __int128 expected = 0;
        for (size_t i = 0; i < COUNT; i++) {
            assert_int_equal(dt_exact_add(&sum, &terms[i], 1, &grid), 0);
            expected += steps_of(terms[i], &grid);
        }
        assert_true(expected == (__int128)sum);
    }
}

static void test_ties_go_to_even(void **state)
{
    (void)state;
    const dt_exact_grid grid = dt_exact_grid_for(1, 0);
    const float step = 0x1p-40f;
    const float terms[] = {0.5f * step,  1.5f * step,   2.5f * step, -0.5f * step, -1.5f * step,
                           0.75f * step, -0.25f * step, FLT_MIN,     -0.0f,        step};
    const int64_t expected[] = {0, 2, 2, 0, -2, 1, 0, 0, 0, 1};
    int64_t sums[10] = {0};
    assert_int_equal(dt_exact_add(sums, terms, 10, &grid), 0);
    assert_memory_equal(sums, expected, sizeof sums);
}

/* Sums the terms in the order given, in groups of random size that are added up at the end. */
static int64_t sum_in_groups(const float *terms, const uint32_t *order, size_t count,
                             const dt_exact_grid *grid, dt_random *random)
{
    int64_t total = 0, group = 0;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(dt_exact_add(&group, &terms[order[i]], 1, grid), 0);
        if (dt_random_below(random, 5) == 0) {
            total += group;
            group = 0;
        }
    }
    return total + group;
}

static void test_order_and_grouping_do_not_matter(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    static float terms[COUNT];
    static uint32_t order[COUNT];
    const dt_exact_grid grid = dt_exact_grid_for(100, 0);
    draw_terms(terms, COUNT, 0.999 * dt_exact_range(&grid), 7);
    terms[0] = 131071.0f; /* next to the range: huge, and taken off again at some other place */
    terms[500] = -131071.0f;
    int64_t first = 0;
    float mean = 0, first_mean = 0;
    int float_sums_differ = 0;
    float first_float_sum = 0;
    for (uint64_t trial = 0; trial < 200; trial++) {
        dt_random random = dt_random_start(trial, DT_RANDOM_SHUFFLE, 0);
        dt_random_permutation(&random, order, COUNT);
        const int64_t sum = sum_in_groups(terms, order, COUNT, &grid, &random);
        float float_sum = 0;
        for (size_t i = 0; i < COUNT; i++)
            float_sum += terms[order[i]];
        dt_exact_finish(&mean, &sum, 1, &grid, 1.0 / 100);
        if (trial == 0) {
            first = sum;
            first_mean = mean;
            first_float_sum = float_sum;
        }
        float_sums_differ += float_sum < first_float_sum || float_sum > first_float_sum;
        assert_true(sum == first);
        assert_memory_equal(&mean, &first_mean, sizeof mean);
    }
    assert_true(float_sums_differ > 100); /* else the terms would prove nothing */
}

/* Every length up to some vectors: the ends of vector loops count like their middles. */
static void test_all_lengths(void **state)
{
    (void)state;
    enum { MOST = 70 };
    float terms[MOST];
    const dt_exact_grid grid = dt_exact_grid_for(100, 0);
    draw_terms(terms, MOST, 1000.0, 3);
    for (size_t count = 0; count <= MOST; count++) {
        int64_t sums[MOST + 1];
        for (size_t i = 0; i <= MOST; i++)
            sums[i] = (int64_t)i - 5;
        assert_int_equal(dt_exact_add(sums, terms, count, &grid), 0);
        for (size_t i = 0; i <= MOST; i++) {
            const int64_t added = i < count ? steps_of(terms[i], &grid) : 0;
            assert_true(sums[i] == (int64_t)i - 5 + added);
        }
    }
}

static void test_range(void **state)
{
    (void)state;
    for (size_t rows = 1; rows <= 1 << 20; rows *= 32) {
        const dt_exact_grid grid = dt_exact_grid_for(rows, 0);
        const float bound = (float)dt_exact_range(&grid);
        const float inside[] = {nextafterf(bound, 0), -nextafterf(bound, 0), 0.0f};
        const float outside[] = {bound,
                                 nextafterf(bound, INFINITY),
                                 -nextafterf(bound, INFINITY),
                                 2 * bound,
                                 -4 * bound,
                                 FLT_MAX,
                                 -FLT_MAX,
                                 INFINITY,
                                 -INFINITY,
                                 NAN,
                                 -NAN};
        for (size_t i = 0; i < 3; i++) {
            int64_t sum = 0;
            assert_int_equal(dt_exact_add(&sum, &inside[i], 1, &grid), 0);
            assert_true(sum == steps_of(inside[i], &grid));
        }
        /* Wherever it stands among sound ones. */
        for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
            for (size_t at = 0; at < 37; at++) {
                int64_t sums[37] = {0};
                float terms[37];
                for (size_t j = 0; j < 37; j++)
                    terms[j] = j % 2 == 0 ? 1.0f : -1.0f;
                assert_int_equal(dt_exact_add(sums, terms, 37, &grid), 0);
                terms[at] = outside[i];
                assert_int_equal(dt_exact_add(sums, terms, 37, &grid), 1);
            }
        }
    }
}

static void test_the_most_terms_do_not_wrap(void **state)
{
    (void)state;
    const dt_exact_grid grid = dt_exact_grid_for(100, 0);
    const float largest = nextafterf((float)dt_exact_range(&grid), 0);
    int64_t sums[2] = {0};
    for (int i = 0; i < DT_EXACT_MAX_TERMS; i++)
        assert_int_equal(dt_exact_add(sums, (const float[]){largest, -largest}, 2, &grid), 0);
    const __int128 expected = (__int128)DT_EXACT_MAX_TERMS * steps_of(largest, &grid);
    assert_true((__int128)sums[0] == expected);
    assert_true((__int128)sums[1] == -expected);
    float out[2];
    dt_exact_finish(out, sums, 2, &grid, 1.0);
    assert_true(same_bits(out[0], (double)largest * DT_EXACT_MAX_TERMS));
    assert_true(same_bits(out[1], -out[0]));
}

static void check_finish(const int64_t *sums, size_t count, const dt_exact_grid *grid, double scale)
{
    float out[256];
    dt_exact_finish(out, sums, count, grid, scale);
    for (size_t i = 0; i < count; i++) {
        const long double exact = ldexpl((long double)sums[i], grid->exponent) * (long double)scale;
        /* Half a unit of float32, and of double where that rounding comes in between. */
        const long double unit = (long double)(nextafterf(fabsf(out[i]), INFINITY) - fabsf(out[i]));
        assert_true(fabsl((long double)out[i] - exact) <= unit * (0.5L + 0x1p-26L));
    }
}

static void test_finish(void **state)
{
    (void)state;
    static const int64_t edges[] = {0,
                                    1,
                                    -1,
                                    INT32_MAX,
                                    INT32_MIN,
                                    INT64_C(1) << 32,
                                    -(INT64_C(1) << 32),
                                    (INT64_C(1) << 32) - 1,
                                    1 - (INT64_C(1) << 32),
                                    (INT64_C(1) << 53) + 1,
                                    -(INT64_C(1) << 53) - 1,
                                    (INT64_C(1) << 53) + 3,
                                    (INT64_C(1) << 62) + (INT64_C(1) << 38) + 1,
                                    -(INT64_C(1) << 62) - (INT64_C(1) << 38) - 1,
                                    INT64_MAX,
                                    INT64_MIN};
    const size_t edge_count = sizeof edges / sizeof *edges;
    const size_t rows[] = {1, 3, 100, 1 << 20};
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        const dt_exact_grid grid = dt_exact_grid_for(rows[r], 0);
        check_finish(edges, edge_count, &grid, 1.0);
        check_finish(edges, edge_count, &grid, 1.0 / (double)rows[r]);
        dt_random random = dt_random_start(r, DT_RANDOM_EXAMPLE, 9);
        for (int trial = 0; trial < 100; trial++) {
            int64_t sums[67];
            for (size_t i = 0; i < 67; i++) {
                uint64_t bits = (uint64_t)dt_random_u32(&random) << 32;
                bits |= dt_random_u32(&random);
                memcpy(&sums[i], &bits, sizeof bits);
                sums[i] /= INT64_C(1) << dt_random_below(&random, 63);
            }
            check_finish(sums, 67, &grid, 1.0 / (double)rows[r]);
        }
    }
}

static void test_sum_of_one_row_comes_back(void **state)
{
    (void)state;
    const dt_exact_grid grid = dt_exact_grid_for(1, 0);
    const float terms[] = {1.0f, -1.0f, 0.1f, -1234.5678f, 0x1p-40f, 0.0f, 3e-5f};
    int64_t sums[7] = {0};
    float out[7];
    assert_int_equal(dt_exact_add(sums, terms, 7, &grid), 0);
    dt_exact_finish(out, sums, 7, &grid, 1.0);
    for (size_t i = 0; i < 7; i++) /* those whose last bit is above the grid's, exactly */
        assert_true(fabs((double)out[i] - (double)terms[i]) <= 0x1p-41);
    assert_memory_equal(out, terms, 6 * sizeof *out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grid),
        cmocka_unit_test(test_adds_exactly),
        cmocka_unit_test(test_ties_go_to_even),
        cmocka_unit_test(test_order_and_grouping_do_not_matter),
        cmocka_unit_test(test_all_lengths),
        cmocka_unit_test(test_range),
        cmocka_unit_test(test_the_most_terms_do_not_wrap),
        cmocka_unit_test(test_finish),
        cmocka_unit_test(test_sum_of_one_row_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
