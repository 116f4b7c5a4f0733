#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/nn/vector_math.h"
#include "dtrain/base/crc32.h"
#include "dtrain/base/subnormals.h"
#include "dtrain/nn/activation.h"
#include "exact_activation.h"
#include "ulps.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

/* A function, its exact values, and the error that its header allows for arguments from `low` to
 * `high`. Elsewhere `elsewhere` says whether the value is right. */
typedef struct function {
    const char *name;
    float (*value)(float x);
    long double (*exact)(long double x);
    float low, high;
    long double bound;
    bool (*elsewhere)(float x, float value);
} function;

static bool same_bits(float a, float b)
{
    return dt_bits_from_float(a) == dt_bits_from_float(b);
}

static bool is_nan(float x, float value)
{
    (void)x;
    return isnan(value);
}

static float exp_of(float x)
{
    return dt_exp(x);
}

static bool is_clamped_exp(float x, float value)
{
    return isnan(x) ? isnan(value) : same_bits(value, dt_exp(x < 0 ? -87.0f : 88.0f));
}

static float log_of(float x)
{
    return dt_log(x);
}

static float tanh_of(float x)
{
    return dt_tanh(x);
}

static float activation_of(dt_activation activation, float x)
{
    dt_activation_forward(activation, &x, NULL, 1);
    return x;
}

static float sigmoid_of(float x)
{
    return activation_of(DT_ACTIVATION_SIGMOID, x);
}

static long double exact_sigmoid(long double x)
{
    return exact_activation(DT_ACTIVATION_SIGMOID, x);
}

static bool is_small_sigmoid(float x, float value)
{
    if (isnan(x))
        return isnan(value);
    return x < -88.0f ? same_bits(value, sigmoid_of(-88.0f))
                      : value >= sigmoid_of(-88.0f) && value <= sigmoid_of(-87.0f);
}

static const function exp_function = {"exp", exp_of, expl, -87, 88, 0.991L, is_clamped_exp};
static const function log_function = {"log", log_of, logl, FLT_MIN, FLT_MAX, 0.830L, is_nan};
static const function tanh_function = {"tanh", tanh_of, tanhl, -INFINITY, INFINITY, 1.331L, is_nan};
static const function sigmoid_function = {"sigmoid", sigmoid_of, exact_sigmoid,   -87,
                                          INFINITY,  2.481L,     is_small_sigmoid};
static const function positive_sigmoid = {"sigmoid", sigmoid_of, exact_sigmoid,   0,
                                          INFINITY,  1.499L,     is_small_sigmoid};

static float expm1_of(float x)
{
    return dt_expm1(x);
}

static bool is_clamped_expm1(float x, float value)
{
    return isnan(x) ? isnan(value) : same_bits(value, dt_expm1(x < 0 ? -87.0f : 88.0f));
}

static float softplus_of(float x)
{
    return dt_softplus(x);
}

static long double exact_softplus(long double x)
{
    return exact_activation(DT_ACTIVATION_SOFTPLUS, x);
}

static bool is_small_softplus(float x, float value)
{
    return isnan(x) ? isnan(value) : same_bits(value, x > 0 ? x : dt_softplus(-87.0f));
}

static float normal_of(float x)
{
    float density;
    return dt_normal(&density, x);
}

static long double exact_normal(long double x)
{
    return erfcl(-x / sqrtl(2)) / 2;
}

static bool is_small_normal(float x, float value)
{
    return isnan(x) ? isnan(value) : same_bits(value, normal_of(-12.9f));
}

static float density_of(float x)
{
    float density;
    (void)dt_normal(&density, x);
    return density;
}

static long double exact_density(long double x)
{
    return expl(-x * x / 2) / sqrtl(2 * acosl(-1));
}

static bool is_small_density(float x, float value)
{
    return isnan(x) ? isnan(value) : same_bits(value, density_of(12.9f));
}

static float gelu_of(float x)
{
    return activation_of(DT_ACTIVATION_GELU, x);
}

static long double exact_gelu(long double x)
{
    return exact_activation(DT_ACTIVATION_GELU, x);
}

static bool is_small_gelu(float x, float value)
{
    return isnan(x) ? isnan(value) : same_bits(value, x > 0 ? x : gelu_of(-12.9f));
}

static float silu_of(float x)
{
    return activation_of(DT_ACTIVATION_SILU, x);
}

static long double exact_silu(long double x)
{
    return exact_activation(DT_ACTIVATION_SILU, x);
}

static bool is_small_silu(float x, float value)
{
    return isnan(x) ? isnan(value) : same_bits(value, x > 0 ? x : silu_of(-87.0f));
}

static float elu_of(float x)
{
    return activation_of(DT_ACTIVATION_ELU, x);
}

static long double exact_elu(long double x)
{
    return exact_activation(DT_ACTIVATION_ELU, x);
}

static float selu_of(float x)
{
    return activation_of(DT_ACTIVATION_SELU, x);
}

static long double exact_selu(long double x)
{
    return exact_activation(DT_ACTIVATION_SELU, x);
}

/* Infinity, and what overflows. */
static bool is_infinite(float x, float value)
{
    return isnan(x) ? isnan(value) : value > 3e38f;
}

static float sine_of(float t)
{
    float cosine;
    return dt_sin_cos_turns(&cosine, t);
}

static float cosine_of(float t)
{
    float cosine;
    (void)dt_sin_cos_turns(&cosine, t);
    return cosine;
}

/* sin and cos of 2 pi t. Zeros are exact, too: pi times a whole number is none of long double. */
static long double exact_turns(long double t, bool cosine)
{
    const long double rest = t - rintl(t), quarters = rintl(4 * rest);
    const long double angle = 2 * acosl(-1) * (rest - quarters / 4);
    const int turn = ((int)quarters + (cosine ? 1 : 0)) & 3;
    const long double size = (turn & 1) != 0 ? cosl(angle) : sinl(angle);
    return turn >= 2 ? -size : size;
}

static long double exact_sine(long double t)
{
    return exact_turns(t, false);
}

static long double exact_cosine(long double t)
{
    return exact_turns(t, true);
}

static const function sine_function = {"sine",  sine_of, exact_sine, -FLT_MAX,
                                       FLT_MAX, 1.68L,   is_nan};
static const function cosine_function = {"cosine", cosine_of, exact_cosine, -FLT_MAX,
                                         FLT_MAX,  1.68L,     is_nan};

static const function others[] = {
    {"expm1", expm1_of, expm1l, -87, 88, 1.6L, is_clamped_expm1},
    {"softplus", softplus_of, exact_softplus, -87, FLT_MAX, 2.2L, is_small_softplus},
    {"normal", normal_of, exact_normal, -12.9f, INFINITY, 5.2L, is_small_normal},
    {"density", density_of, exact_density, -12.9f, 12.9f, 3.6L, is_small_density},
    {"elu", elu_of, exact_elu, -INFINITY, FLT_MAX, 1.1L, is_infinite},
    {"selu", selu_of, exact_selu, -INFINITY, 3e38f, 2.5L, is_infinite},
    {"gelu", gelu_of, exact_gelu, -12.9f, FLT_MAX, 5.6L, is_small_gelu},
    {"silu", silu_of, exact_silu, -87, FLT_MAX, 2.7L, is_small_silu},
};
enum { OTHERS = sizeof others / sizeof *others };

static void check(const function *f, float x)
{
    const float value = f->value(x);
    if (!(x >= f->low && x <= f->high)) {
        if (!f->elsewhere(x, value))
            fail_msg("%s(%a) is %a", f->name, (double)x, (double)value);
        return;
    }
    const long double error = ulps_of_float(value, f->exact((long double)x));
    if (!(error <= f->bound)) /* a NaN compares false */
        fail_msg("%s(%a) is %a: %.4Lf ulp off", f->name, (double)x, (double)value, error);
}

/* All numbers of either sign, infinities and NaN: every n-th bit pattern, some hundred or more of
 * each exponent. The stride is odd, so that the last bits vary. */
static void check_everywhere(const function *f)
{
    const uint64_t stride = UINT64_C(0x100000000) / ulps_count(400000, 24000000) | 1u;
    for (uint64_t bits = 0; bits <= UINT32_MAX; bits += stride)
        check(f, dt_float_from_bits((uint32_t)bits));
    static const float edges[] = {0,   FLT_TRUE_MIN, FLT_MIN, 1,  FLT_MAX, INFINITY,
                                  NAN, FLT_EPSILON,  0.625f,  20, 87,      88};
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
        for (uint32_t k = 0; k < 5; k++) {
            const uint32_t bits = dt_bits_from_float(edges[i]) + k;
            check(f, dt_float_from_bits(bits - 2));
            check(f, dt_float_from_bits((bits - 2) ^ 0x80000000u));
        }
}

/* The numbers nearest to x and `reach` on either side. */
static void check_around(const function *f, double x, uint32_t reach)
{
    const uint32_t middle = dt_bits_from_float((float)x);
    for (uint32_t bits = middle - reach; bits <= middle + reach; bits++)
        check(f, dt_float_from_bits(bits));
}

static void test_exp(void **state)
{
    (void)state;
    check_everywhere(&exp_function);
    for (int n = -126; n <= 127; n++) /* where the reduction steps */
        check_around(&exp_function, (n + 0.5) * 0.6931471805599453, 20);
}

static void test_exp_at_the_edges(void **state)
{
    (void)state;
    assert_true(same_bits(dt_exp(0.0f), 1) && same_bits(dt_exp(-0.0f), 1));
    assert_true(same_bits(dt_exp(FLT_TRUE_MIN), 1) && same_bits(dt_exp(-FLT_TRUE_MIN), 1));
    assert_true(dt_exp(-87.0f) >= FLT_MIN && dt_exp(-87.0f) < 2e-38f); /* not subnormal */
    assert_true(isfinite(dt_exp(88.0f)) && dt_exp(88.0f) > 1.6e38f);
    const float beyond[] = {88.5f, 89.0f, 1e4f, FLT_MAX, INFINITY};
    for (size_t i = 0; i < 5; i++) {
        assert_true(same_bits(dt_exp(beyond[i]), dt_exp(88.0f)));
        assert_true(same_bits(dt_exp(-beyond[i]), dt_exp(-87.0f)));
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
    check_everywhere(&log_function);
    for (int n = -126; n <= 127; n++) { /* where the reduction steps, and where m passes 1 */
        check_around(&log_function, ldexp(0.7071067811865476, n), 20);
        check_around(&log_function, ldexp(1, n), 20);
    }
    for (uint32_t bits = dt_bits_from_float(1); bits < dt_bits_from_float(1000); bits += 1009)
        check(&log_function, dt_float_from_bits(bits)); /* sums of a softmax */
    assert_true(same_bits(dt_log(1.0f), 0));
}

static void test_tanh(void **state)
{
    (void)state;
    check_everywhere(&tanh_function);
    check_around(&tanh_function, 0.625, 100000); /* where the two formulas meet */
    for (int n = 1; n <= 57; n++) /* where the reduction of e^2x steps */
        check_around(&tanh_function, (n + 0.5) * 0.6931471805599453 / 2, 20);
}

static void test_tanh_at_the_edges(void **state)
{
    (void)state;
    const float limits[] = {10.0f, 20.0f, 21.0f, 1e30f, INFINITY};
    for (size_t i = 0; i < 5; i++)
        assert_true(same_bits(dt_tanh(limits[i]), 1) && same_bits(dt_tanh(-limits[i]), -1));
    assert_true(fabsf(dt_tanh(0.0f)) <= 0 && fabsf(dt_tanh(-0.0f)) <= 0);
    const uint32_t last = dt_bits_from_float(30);
    for (uint32_t bits = 1; bits < last; bits += 10007) { /* odd, and never beyond 1 */
        const float x = dt_float_from_bits(bits), value = dt_tanh(x);
        assert_true(same_bits(value, -dt_tanh(-x)));
        assert_true(value <= 1);
    }
}

static void test_sigmoid(void **state)
{
    (void)state;
    check_everywhere(&sigmoid_function);
    for (int n = -126; n <= 126; n++)
        check_around(&sigmoid_function, (n + 0.5) * 0.6931471805599453, 20);
    const uint32_t infinity = dt_bits_from_float(INFINITY);
    for (uint32_t bits = 0; bits <= infinity; bits += 10007)
        check(&positive_sigmoid, dt_float_from_bits(bits));
}

static void test_others(void **state)
{
    (void)state;
    for (size_t k = 0; k < OTHERS; k++) {
        check_everywhere(&others[k]);
        for (int n = -126; n <= 126; n++) /* where the reduction of e^x steps */
            check_around(&others[k], (n + 0.5) * 0.6931471805599453, 20);
    }
    check_around(&others[2], 1, 100000); /* where two formulas meet */
    check_around(&others[2], -1, 100000);
}

/* Where quarters of a turn meet; what has no fraction left; the signs. */
static void test_sine_and_cosine(void **state)
{
    (void)state;
    const function *const both[] = {&sine_function, &cosine_function};
    for (size_t k = 0; k < 2; k++) {
        check_everywhere(both[k]);
        for (int n = 1; n <= 64; n++)
            check_around(both[k], n / 8.0, 2000);
        for (int n = 0; n <= 24; n++)
            check_around(both[k], ldexp(1, n), 2000);
    }
    for (uint32_t i = 0; i < 100000; i++) {
        const float t = (float)i * 0.0317f;
        assert_true(same_bits(sine_of(-t), -sine_of(t)) || i == 0);
        assert_true(same_bits(cosine_of(-t), cosine_of(t)));
        assert_true(fabsf(sine_of(t)) <= 1 && fabsf(cosine_of(t)) <= 1);
    }
    const float whole[] = {0, 1, 7, 0x1p23f, 0x1.000002p23f, 0x1p60f, FLT_MAX};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        assert_true(same_bits(cosine_of(whole[i]), 1) && fabsf(sine_of(whole[i])) <= 0);
    assert_true(same_bits(cosine_of(0x1.fffffep22f), -1) && same_bits(sine_of(0.25f), 1));
}

static const function *const functions[] = {
    &exp_function, &log_function, &tanh_function, &sine_function,   &cosine_function,
    &others[0],    &others[1],    &others[2],     &others[3],       &others[4],
    &others[5],    &others[6],    &others[7],     &sigmoid_function};
enum { FUNCTIONS = sizeof functions / sizeof *functions, MAY_BE_SUBNORMAL = 3 }; /* the last ones */

enum { ARGUMENTS = 1 << 12 };

/* Not inlined: no operation may leave the mode in which it is called. */
__attribute__((noinline)) static void fill(float *out, const function *f, const float *x)
{
    for (size_t i = 0; i < ARGUMENTS; i++)
        out[i] = f->value(x[i]);
}

/* A network's passes and the steps of training run with subnormal numbers off, but not the
 * losses of an evaluation. */
static void test_bits_without_subnormals(void **state)
{
    (void)state;
    float x[ARGUMENTS], with[ARGUMENTS], without[ARGUMENTS];
    for (uint32_t i = 0; i < ARGUMENTS; i++) {
        x[i] = dt_float_from_bits(i * 1048573u);
        if (fpclassify(x[i]) == FP_SUBNORMAL)
            x[i] = 0;
    }
    for (size_t k = 0; k + MAY_BE_SUBNORMAL < FUNCTIONS; k++) {
        fill(with, functions[k], x);
        const uint64_t before = dt_subnormals_off();
        fill(without, functions[k], x);
        dt_subnormals_restore(before);
        assert_memory_equal(with, without, sizeof with);
    }
}

/* The same bits on every CPU, with every compiler and every C library. */
static void test_bits_are_pinned(void **state)
{
    (void)state;
    static const uint32_t pinned[] = {0x7a7daf30, 0x7b41ed78, 0x2acfca68, 0x16431a03, 0x7f6bc8ae,
                                      0x12050cdc, 0x03464eaa, 0x0995f715, 0x906d0bd1, 0x7f20ae8c,
                                      0xd9d10ef1, 0xc58a6f39, 0xede87006, 0x9779b43f};
    for (size_t k = 0; k < FUNCTIONS; k++) {
        uint32_t crc = 0;
        for (uint32_t i = 0; i < 60000; i++) {
            const float x = i % 2 == 0 ? dt_float_from_bits(i * 71583u) : (float)i * 0.001f - 30.0f;
            const float value = functions[k]->value(x);
            /* The sign and payload of a NaN are the CPU's. */
            const uint32_t bits = isnan(value) ? 0 : dt_bits_from_float(value);
            for (int shift = 0; shift < 32; shift += 8)
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
        cmocka_unit_test(test_exp_at_the_edges),
        cmocka_unit_test(test_exp_never_falls),
        cmocka_unit_test(test_log),
        cmocka_unit_test(test_tanh),
        cmocka_unit_test(test_tanh_at_the_edges),
        cmocka_unit_test(test_sigmoid),
        cmocka_unit_test(test_others),
        cmocka_unit_test(test_sine_and_cosine),
        cmocka_unit_test(test_bits_without_subnormals),
        cmocka_unit_test(test_bits_are_pinned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
