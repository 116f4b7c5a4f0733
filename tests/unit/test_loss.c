#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/base/random.h"
#include "dtrain/nn/loss.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_C = 1000 };

/* Draws logits of the size `scale`; every third row lies around `offset`. */
static void draw(float *z, int32_t *y, size_t B, size_t C, double scale, double offset)
{
    dt_random random = dt_random_start(B * 1000 + C, DT_RANDOM_EXAMPLE, 2);
    for (size_t i = 0; i < B; i++) {
        for (size_t j = 0; j < C; j++)
            z[i * C + j] = (float)(scale * dt_random_normal(&random) + (i % 3 == 0 ? offset : 0));
        y[i] = (int32_t)dt_random_below(&random, C);
    }
}

static void check(size_t B, size_t C, double scale, double offset)
{
    float *z = calloc(B * C, sizeof *z), *before = calloc(B * C, sizeof *before);
    float *loss = calloc(B, sizeof *loss);
    int32_t *y = calloc(B, sizeof *y), *predicted = calloc(B, sizeof *predicted);
    draw(z, y, B, C, scale, offset);
    memcpy(before, z, B * C * sizeof *z);
    dt_cross_entropy.gradient(z, y, B, C, loss, predicted);
    for (size_t i = 0; i < B; i++) {
        const float *row = before + i * C;
        size_t top = 0;
        double sum = 0, gradient_sum = 0;
        for (size_t j = 1; j < C; j++)
            top = row[j] > row[top] ? j : top;
        for (size_t j = 0; j < C; j++)
            sum += exp((double)row[j] - (double)row[top]);
        const double expected = log(sum) + (double)row[top] - (double)row[y[i]];
        assert_int_equal(predicted[i], top);
        assert_true(fabs((double)loss[i] - expected) <=
                    4e-7 * (1 + fabs(expected)) + 6e-8 * (double)C);
        assert_true(loss[i] >= 0);
        for (size_t j = 0; j < C; j++) {
            const double p = exp((double)row[j] - (double)row[top]) / sum;
            const double dz = p - (j == (size_t)y[i] ? 1 : 0);
            assert_true(fabs((double)z[i * C + j] - dz) <= 1e-6 + 6e-8 * (double)C * p);
            gradient_sum += (double)z[i * C + j];
        }
        assert_true(fabs(gradient_sum) <= 1e-4);
    }
    free(z);
    free(before);
    free(loss);
    free(y);
    free(predicted);
}

static void test_against_double(void **state)
{
    (void)state;
    const size_t classes[] = {2, 3, 5, 10, 17, 100, MAX_C};
    for (size_t c = 0; c < sizeof classes / sizeof *classes; c++) {
        check(1, classes[c], 1, 0);
        check(130, classes[c], 3, 0); /* more than one group of rows */
        check(7, classes[c], 30, 100);
        check(7, classes[c], 1, 1e4);
        check(7, classes[c], 1, -1e4);
        check(300, classes[c], 1e4, 0);
    }
}

static void one_row(const float *logits, int32_t label, size_t C, float *dz, float *loss,
                    int32_t *predicted)
{
    memcpy(dz, logits, C * sizeof *dz);
    dt_cross_entropy.gradient(dz, &label, 1, C, loss, predicted);
}

static bool close_to(float value, double expected)
{
    return fabs((double)value - expected) <= 1e-6 * (1 + fabs(expected));
}

static void test_known_values(void **state)
{
    (void)state;
    float dz[3], loss = 0;
    int32_t predicted = -1;
    one_row((const float[]){0, 0}, 1, 2, dz, &loss, &predicted);
    assert_true(close_to(loss, log(2)) && close_to(dz[0], 0.5) && close_to(dz[1], -0.5));
    /* Not clipped: Keras's other backends would stop at 16.118. */
    one_row((const float[]){1e4f, -1e4f}, 1, 2, dz, &loss, &predicted);
    assert_true(close_to(loss, 2e4) && close_to(dz[0], 1) && close_to(dz[1], -1));
    assert_int_equal(predicted, 0);
    one_row((const float[]){1e4f, -1e4f}, 0, 2, dz, &loss, &predicted);
    assert_true(fabs((double)loss) < 1e-30 && close_to(dz[0], 0) && close_to(dz[1], 0));
    one_row((const float[]){1e30f, -1e30f, 0}, 1, 3, dz, &loss, &predicted);
    assert_true(close_to(loss, 2e30));
}

static void test_the_first_of_equals_wins(void **state)
{
    (void)state;
    float dz[4], loss = 0;
    int32_t predicted = -1;
    one_row((const float[]){1, 1, 1, 1}, 3, 4, dz, &loss, &predicted);
    assert_int_equal(predicted, 0);
    one_row((const float[]){0, 2, 1, 2}, 3, 4, dz, &loss, &predicted);
    assert_int_equal(predicted, 1);
    one_row((const float[]){-0.0f, 0.0f, -1, 0}, 0, 4, dz, &loss, &predicted);
    assert_int_equal(predicted, 0);
}

/* Divergence is looked for in the loss alone: no such row may come out finite. */
static void test_nan_and_infinity_are_seen(void **state)
{
    (void)state;
    for (size_t C = 2; C <= 9; C++)
        for (size_t at = 0; at < C; at++)
            for (size_t label = 0; label < C; label++) {
                float z[9], dz[9], loss = 0;
                int32_t predicted = -1;
                for (size_t j = 0; j < C; j++)
                    z[j] = (float)j * 0.5f;
                z[at] = NAN;
                one_row(z, (int32_t)label, C, dz, &loss, &predicted);
                assert_true(isnan(loss) || isinf(loss));
                assert_in_range(predicted, 0, C - 1);
                z[at] = INFINITY;
                one_row(z, (int32_t)label, C, dz, &loss, &predicted);
                assert_true(isnan(loss) || isinf(loss));
                z[at] = -INFINITY; /* a class that cannot be: only its own rows are lost */
                one_row(z, (int32_t)label, C, dz, &loss, &predicted);
                assert_true(label == at ? isinf(loss) && loss > 0 : loss >= 0 && loss < 9);
            }
}

/* A row's results are its own: alone, beside others, and whatever those hold. */
static void test_rows_do_not_touch_each_other(void **state)
{
    (void)state;
    enum { B = 300 };
    const size_t classes[] = {2, 3, 10, 33};
    for (size_t c = 0; c < sizeof classes / sizeof *classes; c++) {
        const size_t C = classes[c];
        static float z[B * 33], all[B * 33], loss[B];
        static int32_t y[B], predicted[B];
        draw(z, y, B, C, 5, 50);
        z[17 * C] = NAN;
        memcpy(all, z, sizeof all);
        dt_cross_entropy.gradient(all, y, B, C, loss, predicted);
        for (size_t i = 0; i < B; i++) {
            float dz[33], own = 0;
            int32_t own_predicted = -1;
            if (i == 17)
                continue;
            one_row(z + i * C, y[i], C, dz, &own, &own_predicted);
            assert_memory_equal(dz, all + i * C, C * sizeof *dz);
            assert_memory_equal(&own, &loss[i], sizeof own);
            assert_int_equal(own_predicted, predicted[i]);
        }
    }
}

/* Probabilities are the gradient's, but for the label's 1; all else is the same to the bit. */
static void test_probabilities(void **state)
{
    (void)state;
    enum { B = 300 };
    const size_t classes[] = {2, 3, 10, 33};
    for (size_t c = 0; c < sizeof classes / sizeof *classes; c++) {
        const size_t C = classes[c];
        static float z[B * 33], dz[B * 33], p[B * 33], q[B * 33], loss[2][B];
        static int32_t y[B], predicted[3][B];
        draw(z, y, B, C, c % 2 == 0 ? 5 : 40, 50);
        memcpy(dz, z, sizeof z);
        memcpy(p, z, sizeof z);
        memcpy(q, z, sizeof z);
        dt_cross_entropy.gradient(dz, y, B, C, loss[0], predicted[0]);
        dt_cross_entropy.evaluate(p, y, B, C, loss[1], predicted[1]);
        dt_cross_entropy.predict(q, B, C, predicted[2]);
        assert_memory_equal(p, q, B * C * sizeof *p);
        assert_memory_equal(loss[0], loss[1], sizeof loss[0]);
        assert_memory_equal(predicted[0], predicted[1], sizeof predicted[0]);
        assert_memory_equal(predicted[0], predicted[2], sizeof predicted[0]);
        for (size_t i = 0; i < B; i++) {
            double sum = 0;
            for (size_t j = 0; j < C; j++) {
                const float one = p[i * C + j], largest = p[i * C + (size_t)predicted[2][i]];
                float gradient = one - (j == (size_t)y[i] ? 1.0f : 0.0f);
                if (fabsf(gradient) < 1e-30f) /* else products of it would be subnormal */
                    gradient = 0.0f;
                assert_memory_equal(&dz[i * C + j], &gradient, sizeof gradient);
                assert_true(one >= 0 && one <= largest && largest <= 1);
                sum += (double)one;
            }
            assert_true(fabs(sum - 1) < 1e-6);
        }
    }
}

static void test_softmax_shows_what_is_not_a_number(void **state)
{
    (void)state;
    const float bad[] = {NAN, INFINITY};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        float z[] = {1, bad[i], 2, 0, 0, 0};
        int32_t predicted[2];
        dt_cross_entropy.predict(z, 2, 3, predicted);
        assert_true(isnan(z[1]));
        assert_true(fabs((double)z[3] - 1.0 / 3) < 1e-7); /* the next row is none the worse */
        assert_int_equal(predicted[1], 0);
    }
}

static void test_no_rows(void **state)
{
    (void)state;
    float z[2] = {3, 4}, loss = 5;
    int32_t y = 0, predicted = 6;
    dt_cross_entropy.gradient(z, &y, 0, 2, &loss, &predicted);
    assert_true(close_to(z[0], 3) && close_to(loss, 5));
    assert_int_equal(predicted, 6);
}

/* What holds for each loss that is listed: the gradient is that of the loss, each row is by itself,
 * and the three functions agree to the bit. */
static void check_each(const dt_loss *loss)
{
    enum { B = 9, C = 5 };
    float z[B * C], gradient[B * C], p[B * C], alone[B * C], losses[B], again[B];
    int32_t y[B], predicted[B], others[B];
    draw(z, y, B, C, 1.0, 3.0);
    memcpy(gradient, z, sizeof z);
    loss->gradient(gradient, y, B, C, losses, predicted);
    for (size_t i = 0; i < B; i++)
        for (size_t j = 0; j < C; j++) {
            const float step = 0x1p-8f;
            float side[2];
            for (int s = 0; s < 2; s++) {
                float row[C];
                memcpy(row, z + i * C, sizeof row);
                row[j] += s == 0 ? step : -step;
                loss->evaluate(row, y + i, 1, C, &side[s], others);
            }
            const double slope = ((double)side[0] - (double)side[1]) / (2.0 * (double)step);
            assert_true(fabs(slope - (double)gradient[i * C + j]) < 1e-3);
        }
    memcpy(p, z, sizeof z);
    loss->evaluate(p, y, B, C, again, others);
    assert_memory_equal(again, losses, sizeof losses);
    assert_memory_equal(others, predicted, sizeof predicted);
    memcpy(alone, z, sizeof z);
    for (size_t i = 0; i < B; i++)
        loss->predict(alone + i * C, 1, C, others + i);
    assert_memory_equal(alone, p, sizeof p);
    assert_memory_equal(others, predicted, sizeof predicted);
}

static void test_each(void **state)
{
    (void)state;
    for (size_t l = 0; l < DT_LOSS_COUNT; l++) {
        assert_ptr_equal(dt_loss_find(dt_losses[l]->name), dt_losses[l]);
        check_each(dt_losses[l]);
    }
    assert_null(dt_loss_find("hinge"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each),
        cmocka_unit_test(test_against_double),
        cmocka_unit_test(test_known_values),
        cmocka_unit_test(test_the_first_of_equals_wins),
        cmocka_unit_test(test_nan_and_infinity_are_seen),
        cmocka_unit_test(test_rows_do_not_touch_each_other),
        cmocka_unit_test(test_probabilities),
        cmocka_unit_test(test_softmax_shows_what_is_not_a_number),
        cmocka_unit_test(test_no_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
