#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/nn/vector_math.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

/* Distance from the exact value in units of the last place of the float32 next to it. */
static double ulps(float got, double exact)
{
    const float nearest = fabsf((float)exact);
    const double unit = nearest < FLT_MIN ? (double)FLT_TRUE_MIN
                                          : (double)nextafterf(nearest, INFINITY) - (double)nearest;
    return fabs((double)got - exact) / unit;
}

/* The largest error over every `stride`-th float32 between two of the same sign. */
static double worst(float (*function)(float), double (*exact)(double), float from, float to,
                    uint32_t stride)
{
    double most = 0;
    const uint32_t last = dt_bits_from_float(to);
    for (uint32_t bits = dt_bits_from_float(from); bits <= last; bits += stride) {
        const float x = dt_float_from_bits(bits);
        const double error = ulps(function(x), exact((double)x));
        if (!(error <= most))
            most = error; /* a NaN comes out as well */
    }
    return most;
}

static float exp_of(float x)
{
    return dt_exp(x);
}

static float log_of(float x)
{
    return dt_log(x);
}

static float tanh_of(float x)
{
    return dt_tanh(x);
}

static void test_exp(void **state)
{
    (void)state;
    assert_true(worst(exp_of, exp, 1e-30f, 88.0f, 211) < 2.0);
    assert_true(worst(exp_of, exp, -1e-30f, -87.0f, 211) < 2.0);
    assert_true(worst(exp_of, exp, 1.0f, 2.0f, 1) < 2.0);
    assert_true(worst(exp_of, exp, -4.0f, -8.0f, 1) < 2.0);
    for (int i = -87 * 64; i <= 88 * 64; i++) /* where the reduction steps */
        assert_true(ulps(dt_exp((float)i / 64), exp((double)i / 64)) < 2.0);
}

static void test_exp_at_the_edges(void **state)
{
    (void)state;
    const float one = 1, low = dt_exp(-87.0f), high = dt_exp(88.0f);
    float result = dt_exp(0.0f);
    assert_memory_equal(&result, &one, sizeof one);
    result = dt_exp(-0.0f);
    assert_memory_equal(&result, &one, sizeof one);
    assert_true(isnan(dt_exp(NAN)));
    assert_true(isnan(dt_exp(-NAN)));
    assert_true(low >= FLT_MIN && low < 2e-38f);
    assert_true(isfinite(high) && high > 1.6e38f);
    const float below[] = {-87.5f, -88.0f, -1e4f, -FLT_MAX, -INFINITY};
    const float above[] = {88.5f, 89.0f, 1e4f, FLT_MAX, INFINITY};
    for (size_t i = 0; i < 5; i++) {
        result = dt_exp(below[i]); /* as good as 0, and no subnormal to stumble over */
        assert_memory_equal(&result, &low, sizeof low);
        result = dt_exp(above[i]);
        assert_memory_equal(&result, &high, sizeof high);
    }
}

static void test_exp_never_falls(void **state)
{
    (void)state;
    float last = 0;
    for (uint32_t i = 0; i <= 1750000; i++) {
        const float value = dt_exp(-87.0f + (float)i * 1e-4f);
        assert_true(value >= last * (1 - 2 * FLT_EPSILON));
        last = value;
    }
}

static void test_log(void **state)
{
    (void)state;
    assert_true(worst(log_of, log, FLT_MIN, FLT_MAX, 977) < 2.0);
    assert_true(worst(log_of, log, 0.5f, 2.0f, 3) < 2.0);
    assert_true(worst(log_of, log, 1.0f, 1.01f, 1) < 2.0);
    assert_true(worst(log_of, log, 2.0f, 1000.0f, 11) < 2.0); /* sums of a softmax */
    const float zero = dt_log(1.0f);
    assert_true(zero <= 0 && zero >= 0);
    assert_true(isnan(dt_log(NAN)) && isnan(dt_log(-NAN)) && isnan(dt_log(INFINITY)));
}

static void test_tanh(void **state)
{
    (void)state;
    assert_true(worst(tanh_of, tanh, FLT_MIN, 100.0f, 211) < 3.0);
    assert_true(worst(tanh_of, tanh, -FLT_MIN, -100.0f, 211) < 3.0);
    assert_true(worst(tanh_of, tanh, 0.5f, 1.0f, 1) < 3.0); /* where the two formulas meet */
}

static void test_tanh_at_the_edges(void **state)
{
    (void)state;
    const float limits[] = {10.0f, 20.0f, 21.0f, 1e30f, INFINITY};
    for (size_t i = 0; i < 5; i++) {
        const float one = dt_tanh(limits[i]), minus_one = dt_tanh(-limits[i]);
        assert_memory_equal(&one, &(float){1}, sizeof one);
        assert_memory_equal(&minus_one, &(float){-1}, sizeof one);
    }
    const float zero = fabsf(dt_tanh(0.0f)) + fabsf(dt_tanh(-0.0f));
    assert_memory_equal(&zero, &(float){0.0f}, sizeof zero);
    assert_true(isnan(dt_tanh(NAN)));
    assert_true(isnan(dt_tanh(-NAN)));
    for (float x = 1e-3f; x < 30; x *= 1.01f) { /* odd, and never beyond 1 */
        const float plus = dt_tanh(x), minus = -dt_tanh(-x);
        assert_memory_equal(&plus, &minus, sizeof plus);
        assert_true(plus <= 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exp),
        cmocka_unit_test(test_exp_at_the_edges),
        cmocka_unit_test(test_exp_never_falls),
        cmocka_unit_test(test_log),
        cmocka_unit_test(test_tanh),
        cmocka_unit_test(test_tanh_at_the_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
