/*
 * Keras's Normalization layer: (x - mean) / max(sqrt(variance), 1e-7).
 */
#include "dtrain/nn/network.h"
#include "dtrain/nn/spec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A network of D inputs that are normalised. */
static void make(dt_network *out, size_t D, const float *mean, const float *variance)
{
    const dt_layer layers[] = {
        {.kind = &dt_layer_normalization},
        {.kind = &dt_layer_dense, .H = 2, .activation = DT_ACTIVATION_LINEAR}};
    assert_int_equal(dt_network_make(out, D, layers, 2), DT_OK);
    memcpy(out->constants + out->layers[0].mean, mean, D * sizeof *mean);
    memcpy(out->constants + out->layers[0].variance, variance, D * sizeof *variance);
}

static void test_each_column_by_its_own(void **state)
{
    (void)state;
    const float mean[] = {10.0f, -2.0f, 0.0f}, variance[] = {4.0f, 0.25f, 1.0f};
    float rows[] = {12.0f, -2.0f, 3.0f, 8.0f, -1.0f, -7.5f};
    const float expected[] = {1.0f, 0.0f, 3.0f, -1.0f, 2.0f, -7.5f};
    dt_network network;
    make(&network, 3, mean, variance);
    assert_true(dt_network_prepares(&network));
    dt_network_prepare(&network, rows, 2);
    for (size_t i = 0; i < 6; i++)
        assert_float_equal(rows[i], expected[i], 0.0);
    dt_network_clear(&network);
    assert_null(network.constants);
}

/* Such a column would be divided by zero. */
static void test_a_column_of_one_value(void **state)
{
    (void)state;
    const float mean = 5.0f, variance = 0.0f;
    float rows[] = {5.0f, 6.0f};
    dt_network network;
    make(&network, 1, &mean, &variance);
    dt_network_prepare(&network, rows, 2);
    assert_float_equal(rows[0], 0.0, 0.0);
    assert_float_equal(rows[1], 1.0f / 1e-7f, 1.0);
    dt_network_clear(&network);
}

static void test_none_changes_nothing(void **state)
{
    (void)state;
    dt_network network;
    float rows[] = {5.0f, 6.0f};
    assert_int_equal(dt_spec_make(&network, 1, NULL, 0, DT_ACTIVATION_RELU, 2, 1), DT_OK);
    assert_false(dt_network_prepares(&network));
    dt_network_prepare(&network, rows, 2);
    assert_float_equal(rows[0], 5.0, 0.0);
    assert_float_equal(rows[1], 6.0, 0.0);
    dt_network_clear(&network);
}

/* It is applied to the data: a layer that trains cannot come before it. */
static void test_only_first(void **state)
{
    (void)state;
    const dt_layer layers[] = {
        {.kind = &dt_layer_dense, .H = 3, .activation = DT_ACTIVATION_RELU},
        {.kind = &dt_layer_normalization},
        {.kind = &dt_layer_dense, .H = 2, .activation = DT_ACTIVATION_LINEAR}};
    dt_network network;
    assert_int_equal(dt_network_make(&network, 4, layers, 3), DT_DATA);
    assert_non_null(strstr(dt_status_text(), "layer 2 is a normalization"));
    assert_null(network.layers);
    assert_int_equal(dt_network_make(&network, 4, layers, 1), DT_DATA);
    assert_non_null(
        strstr(dt_status_text(), "the last layer is of the kind 'dense' with activation relu"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_column_by_its_own),
        cmocka_unit_test(test_a_column_of_one_value),
        cmocka_unit_test(test_none_changes_nothing),
        cmocka_unit_test(test_only_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
