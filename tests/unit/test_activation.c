#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/base/random.h"
#include "dtrain/nn/activation.h"
#include "exact_activation.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { COUNT = 1000, KINDS = DT_ACTIVATION_LINEAR + 1 };

static void test_names(void **state)
{
    (void)state;
    char joined[256] = "";
    for (int a = 0; a < KINDS; a++) {
        const char *name = dt_activation_name((dt_activation)a);
        assert_int_equal(dt_activation_find(name), a);
        (void)strcat(strcat(joined, a > 0 ? "|" : ""), name);
    }
    assert_string_equal(joined, DT_ACTIVATION_NAMES);
    assert_int_equal(dt_activation_find("swish"), DT_ACTIVATION_LINEAR);
}

/* Both passes: y becomes the outputs, dy the gradient. The outputs are the same without slopes. */
static void pass(dt_activation activation, float *y, float *dy, size_t count)
{
    float slopes[COUNT], alone[COUNT];
    const bool keeps = dt_activation_keeps_slopes(activation);
    memcpy(alone, y, count * sizeof *y);
    dt_activation_forward(activation, y, keeps ? slopes : NULL, count);
    dt_activation_forward(activation, alone, NULL, count);
    for (size_t i = 0; i < count; i++) /* the sign of a NaN is the compiler's */
        assert_true(isnan(y[i]) ? isnan(alone[i]) : memcmp(&y[i], &alone[i], sizeof *y) == 0);
    dt_activation_backward(activation, dy, keeps ? slopes : y, count);
}

static void draw(float *z, size_t count, double scale)
{
    dt_random random = dt_random_start(5, DT_RANDOM_EXAMPLE, count);
    for (size_t i = 0; i < count; i++)
        z[i] = (float)(scale * dt_random_normal(&random));
}

static void test_values_and_slopes(void **state)
{
    (void)state;
    static const double scales[] = {0.01, 1, 10, 1000};
    for (int a = 0; a < KINDS; a++)
        for (size_t s = 0; s < 4; s++) {
            const dt_activation activation = (dt_activation)a;
            float z[COUNT], y[COUNT], dy[COUNT], given[COUNT];
            draw(z, COUNT, scales[s]);
            draw(given, COUNT, 3);
            memcpy(y, z, sizeof y);
            memcpy(dy, given, sizeof dy);
            pass(activation, y, dy, COUNT);
            for (size_t i = 0; i < COUNT; i++) {
                const double value = (double)exact_activation(activation, (long double)z[i]);
                const double slope = (double)exact_slope(activation, (long double)z[i]);
                if (!(fabs((double)y[i] - value) <= 4e-7 * fabs(value) + 2e-36))
                    fail_msg("%s(%a) is %a", dt_activation_name(activation), (double)z[i],
                             (double)y[i]);
                if (!(fabs((double)dy[i] - slope * (double)given[i]) <=
                      1e-6 * fabs((double)given[i])))
                    fail_msg("%s: the slope at %a is %a", dt_activation_name(activation),
                             (double)z[i], (double)(dy[i] / given[i]));
            }
        }
}

/* Whatever the vector width, an element's bits are its own. */
static void test_elements_do_not_touch_each_other(void **state)
{
    (void)state;
    for (int a = 0; a < KINDS; a++) {
        const dt_activation activation = (dt_activation)a;
        float z[77], y[77], dy[77], given[77];
        draw(z, 77, 2);
        draw(given, 77, 1);
        memcpy(y, z, sizeof y);
        memcpy(dy, given, sizeof dy);
        pass(activation, y, dy, 77);
        for (size_t first = 0; first < 77; first++)
            for (size_t count = 0; count <= 77 - first; count += count < 3 ? 1 : 15) {
                float part[78], back[78];
                memcpy(part, z, sizeof z);
                memcpy(back, given, sizeof given);
                pass(activation, part + first, back + first, count);
                assert_memory_equal(part, z, first * sizeof *z);
                assert_memory_equal(part + first, y + first, count * sizeof *y);
                assert_memory_equal(back + first, dy + first, count * sizeof *dy);
                assert_memory_equal(part + first + count, z + first + count,
                                    (77 - first - count) * sizeof *z);
            }
    }
}

/* Divergence is to be seen in the loss, so a NaN must come through. */
static void test_nan_and_infinity(void **state)
{
    (void)state;
    for (int a = 0; a < KINDS; a++) {
        float y[] = {NAN, -NAN, INFINITY, -INFINITY, FLT_MAX, -FLT_MAX};
        float dy[] = {1, 1, 1, 1, 1, 1};
        pass((dt_activation)a, y, dy, 6);
        assert_true(isnan(y[0]) && isnan(y[1]));
        for (int i = 2; i < 6; i++)
            assert_true(!isnan(y[i]) && isfinite(dy[i]));
    }
    float tanh_of[] = {INFINITY, -INFINITY}, sigmoid_of[] = {INFINITY, -INFINITY, 0};
    dt_activation_forward(DT_ACTIVATION_TANH, tanh_of, NULL, 2);
    dt_activation_forward(DT_ACTIVATION_SIGMOID, sigmoid_of, NULL, 3);
    assert_memory_equal(tanh_of, ((float[]){1, -1}), sizeof tanh_of);
    assert_true(fabsf(sigmoid_of[0] - 1) <= 0 && sigmoid_of[1] >= 0 && sigmoid_of[1] < 1e-38f);
    assert_true(fabsf(sigmoid_of[2] - 0.5f) <= 0);
}

/* At its kink ReLU has the slope 0, as Keras has it. */
static void test_relu_at_zero(void **state)
{
    (void)state;
    float y[] = {0.0f, -0.0f, FLT_TRUE_MIN, -FLT_TRUE_MIN}, dy[] = {3, 3, 3, 3};
    dt_activation_forward(DT_ACTIVATION_RELU, y, NULL, 4);
    dt_activation_backward(DT_ACTIVATION_RELU, dy, y, 4);
    assert_memory_equal(dy, ((float[]){0, 0, 3, 0}), sizeof dy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_values_and_slopes),
        cmocka_unit_test(test_elements_do_not_touch_each_other),
        cmocka_unit_test(test_nan_and_infinity),
        cmocka_unit_test(test_relu_at_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
