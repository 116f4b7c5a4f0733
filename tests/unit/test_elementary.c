/* rooms: base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/base/crc32.h"
#include "dtrain/base/elementary.h"
#include "ulps.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#define LN2 0.69314718055994530941723212145818L
#define PI_2 1.57079632679489661923132169163975L

typedef struct function {
    const char *name;
    double (*value)(double x);
    long double (*exact)(long double x);
    double low, high; /* where the value is finite */
    long double bound; /* of the header */
} function;

static const function exp_function = {"exp", dt_elementary_exp, expl, -800, 709.78, 0.85L};
static const function log_function = {"log", dt_elementary_log, logl, DBL_TRUE_MIN, DBL_MAX, 0.9L};
static const function log1p_function = {
    "log1p", dt_elementary_log1p, log1pl, -1 + DBL_EPSILON / 2, DBL_MAX, 0.9L};
static const function cos_function = {"cos", dt_elementary_cos, cosl, -0x1p20, 0x1p20, 0.85L};

static double from_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static void check(const function *f, double x)
{
    if (!(x >= f->low && x <= f->high))
        return;
    const double value = f->value(x);
    const long double error = ulps_of_double(value, f->exact((long double)x));
    if (!(error <= f->bound)) /* a NaN compares false */
        fail_msg("%s(%a) is %a: %.4Lf ulp off", f->name, x, value, error);
}

/* Numbers of both signs: every n-th bit pattern, so some 30 or more of each exponent. */
static void check_everywhere(const function *f)
{
    const uint64_t count = ulps_count(60000, 4000000), stride = UINT64_MAX / count | 1u;
    for (uint64_t i = 0; i < count; i++)
        check(f, from_bits(i * stride));
}

static void check_evenly(const function *f, double from, double to)
{
    const uint64_t count = ulps_count(60000, 4000000);
    for (uint64_t i = 0; i <= count; i++)
        check(f, from + (to - from) * ((double)i / (double)count));
}

/* The numbers nearest to x. */
static void check_around(const function *f, double x)
{
    const uint64_t middle = bits_of(x);
    for (uint64_t bits = middle - 5; bits <= middle + 5; bits++)
        check(f, from_bits(bits));
}

/* Valgrind computes long double with 53 bits of mantissa. */
static void skip_without_reference(void)
{
    if (!ulps_long_double_is_wide())
        skip();
}

static void test_exp(void **state)
{
    (void)state;
    skip_without_reference();
    check_everywhere(&exp_function);
    check_evenly(&exp_function, -0.4, 0.4);
    check_evenly(&exp_function, -30, 30);
    check_evenly(&exp_function, -750, 709.78);
    check_evenly(&exp_function, -745.2, -708); /* subnormal results */
    for (int n = -1075; n <= 1023; n++) /* where the reduction steps */
        check_around(&exp_function, (double)((n + 0.5L) * LN2));
}

static void test_log(void **state)
{
    (void)state;
    skip_without_reference();
    check_everywhere(&log_function);
    check_evenly(&log_function, 0, 1);
    check_evenly(&log_function, 0.7, 1.42);
    check_evenly(&log_function, 0.999, 1.001);
    for (int n = -1060; n <= 1023; n++) { /* where the reduction steps, and where f passes 0 */
        check_around(&log_function, ldexp(0.7071067811865476, n));
        check_around(&log_function, ldexp(1, n));
    }
}

static void test_log1p(void **state)
{
    (void)state;
    skip_without_reference();
    check_everywhere(&log1p_function);
    check_evenly(&log1p_function, -1, 1);
    check_evenly(&log1p_function, -0.4, 0.5);
    check_evenly(&log1p_function, 0, 1000);
    check_evenly(&log1p_function, -1e-3, 1e-3);
    for (int n = -80; n <= 80; n++) { /* where the reduction steps, and where 1 + x rounds anew */
        check_around(&log1p_function, ldexp(0.7071067811865476, n) - 1);
        check_around(&log1p_function, ldexp(1, n));
        check_around(&log1p_function, -ldexp(1, n));
    }
}

static void test_cos(void **state)
{
    (void)state;
    skip_without_reference();
    check_everywhere(&cos_function);
    check_evenly(&cos_function, -0.8, 0.8);
    check_evenly(&cos_function, 0, 6.283185307179586);
    check_evenly(&cos_function, -0x1p20, 0x1p20);
    const int stride = (int)(1000 / ulps_count(10, 1000)) | 1;
    for (int n = 0; n <= 667543; n += n < 1000 ? 1 : stride) {
        check_around(&cos_function, (double)(n * PI_2)); /* zeros and extrema */
        check_around(&cos_function, -(double)((n + 0.5L) * PI_2)); /* where the reduction steps */
    }
}

static void assert_bits(double value, double expected)
{
    if (bits_of(value) != bits_of(expected))
        fail_msg("%a instead of %a", value, expected);
}

static void test_power(void **state)
{
    (void)state;
    for (int n = 0; n < 300; n++)
        assert_true(fabs(dt_elementary_power(0.9, n) / pow(0.9, n) - 1.0) < 1e-14);
    assert_true(dt_elementary_power(2.0, 10) == 1024.0);
    assert_true(dt_elementary_power(0.0, 0) == 1.0);
    assert_true(dt_elementary_power(0.5, INT64_MAX) == 0.0);
}

static void test_values_at_the_edges(void **state)
{
    (void)state;
    assert_bits(dt_elementary_exp(0.0), 1);
    assert_bits(dt_elementary_exp(-0.0), 1);
    assert_true(dt_elementary_exp(0x1.62e42fefa39efp+9) <= DBL_MAX); /* the last finite one */
    const double large[] = {0x1.62e42fefa39f0p+9, 710, 1e4, DBL_MAX, INFINITY};
    for (size_t i = 0; i < sizeof large / sizeof *large; i++)
        assert_bits(dt_elementary_exp(large[i]), INFINITY);
    assert_bits(dt_elementary_exp(-745.13), DBL_TRUE_MIN);
    const double small[] = {-745.14, -750, -1e4, -DBL_MAX, -INFINITY};
    for (size_t i = 0; i < sizeof small / sizeof *small; i++)
        assert_bits(dt_elementary_exp(small[i]), 0);

    assert_bits(dt_elementary_log(1), 0);
    assert_bits(dt_elementary_log(0.0), -INFINITY);
    assert_bits(dt_elementary_log(-0.0), -INFINITY);
    assert_bits(dt_elementary_log(INFINITY), INFINITY);
    assert_true(isnan(dt_elementary_log(-DBL_TRUE_MIN)) && isnan(dt_elementary_log(-INFINITY)));

    assert_bits(dt_elementary_log1p(0.0), 0.0);
    assert_bits(dt_elementary_log1p(-0.0), -0.0);
    assert_bits(dt_elementary_log1p(DBL_TRUE_MIN), DBL_TRUE_MIN);
    assert_bits(dt_elementary_log1p(-1), -INFINITY);
    assert_bits(dt_elementary_log1p(INFINITY), INFINITY);
    assert_true(isnan(dt_elementary_log1p(-1 - DBL_EPSILON)));
    assert_true(isnan(dt_elementary_log1p(-INFINITY)));

    assert_bits(dt_elementary_cos(0.0), 1);
    assert_bits(dt_elementary_cos(-0.0), 1);
    assert_true(isfinite(dt_elementary_cos(0x1p20)) && isfinite(dt_elementary_cos(-0x1p20)));
    assert_true(isnan(dt_elementary_cos(0x1.0000000000001p20)));
    assert_true(isnan(dt_elementary_cos(-INFINITY)) && isnan(dt_elementary_cos(INFINITY)));

    assert_true(isnan(dt_elementary_exp(NAN)) && isnan(dt_elementary_log(NAN)));
    assert_true(isnan(dt_elementary_log1p(NAN)) && isnan(dt_elementary_cos(NAN)));
}

/* The same bits on every CPU, with every compiler and every C library. */
static void test_bits_are_pinned(void **state)
{
    (void)state;
    static const function *const functions[] = {&exp_function, &log_function, &log1p_function,
                                                &cos_function};
    static const uint32_t pinned[] = {0x941a5d18, 0xb424a28e, 0x5b0d2a9a, 0xe9dc345e};
    for (size_t k = 0; k < sizeof functions / sizeof *functions; k++) {
        uint32_t crc = 0;
        for (uint64_t i = 0; i < 60000; i++) {
            const double x =
                i % 2 == 0 ? from_bits(i * (UINT64_MAX / 60000 | 1u)) : (double)i * 0.001 - 30;
            uint64_t bits = bits_of(functions[k]->value(x));
            if (isnan(from_bits(bits)))
                bits = bits_of(0); /* the sign and payload of a NaN are the CPU's */
            for (int shift = 0; shift < 64; shift += 8)
                crc = dt_crc32(crc, &(unsigned char){(unsigned char)(bits >> shift)}, 1);
        }
        if (crc != pinned[k])
            fail_msg("%s: 0x%08x", functions[k]->name, crc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exp),
        cmocka_unit_test(test_log),
        cmocka_unit_test(test_log1p),
        cmocka_unit_test(test_cos),
        cmocka_unit_test(test_power),
        cmocka_unit_test(test_values_at_the_edges),
        cmocka_unit_test(test_bits_are_pinned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
