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
static void draw(float *z, dt_target *y, size_t B, size_t C, double scale, double offset)
{
    dt_random random = dt_random_start(B * 1000 + C, DT_RANDOM_EXAMPLE, 2);
    for (size_t i = 0; i < B; i++) {
        for (size_t j = 0; j < C; j++)
            z[i * C + j] = (float)(scale * dt_random_normal(&random) + (i % 3 == 0 ? offset : 0));
        y[i].label = (int32_t)dt_random_below(&random, C);
    }
}

/* What of a target of class y falls to class j. */
static double share_of(size_t j, size_t y, size_t C, double smoothing)
{
    return (j == y ? 1.0 - smoothing : 0.0) + smoothing / (double)C;
}

static void check(size_t B, size_t C, double scale, double offset, double smoothing)
{
    float *z = calloc(B * C, sizeof *z), *before = calloc(B * C, sizeof *before);
    float *loss = calloc(B, sizeof *loss);
    int32_t *predicted = calloc(B, sizeof *predicted);
    dt_target *y = calloc(B, sizeof *y);
    const dt_loss_rows rows = {.loss = loss, .predicted = predicted};
    draw(z, y, B, C, scale, offset);
    memcpy(before, z, B * C * sizeof *z);
    dt_cross_entropy.gradient(z, y, B, C, smoothing, &rows);
    for (size_t i = 0; i < B; i++) {
        const float *row = before + i * C;
        size_t top = 0;
        double sum = 0, gradient_sum = 0, expected = 0;
        for (size_t j = 1; j < C; j++)
            top = row[j] > row[top] ? j : top;
        for (size_t j = 0; j < C; j++)
            sum += exp((double)row[j] - (double)row[top]);
        const size_t label = (size_t)y[i].label;
        for (size_t j = 0; j < C; j++)
            expected +=
                share_of(j, label, C, smoothing) * (log(sum) + (double)row[top] - (double)row[j]);
        assert_int_equal(predicted[i], top);
        /* Smoothed, the logits are added up in float32. */
        assert_true(fabs((double)loss[i] - expected) <=
                    4e-7 * (1 + fabs(expected)) +
                        6e-8 * (double)C * (smoothing > 0 ? 1 + fabs(expected) : 1));
        assert_true(loss[i] >= 0);
        for (size_t j = 0; j < C; j++) {
            const double p = exp((double)row[j] - (double)row[top]) / sum;
            const double dz = p - share_of(j, label, C, smoothing);
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
        const double smoothings[] = {0, 0.1, 0.75};
        for (size_t a = 0; a < sizeof smoothings / sizeof *smoothings; a++) {
            check(1, classes[c], 1, 0, smoothings[a]);
            check(130, classes[c], 3, 0, smoothings[a]); /* more than one group of rows */
            check(7, classes[c], 30, 100, smoothings[a]);
            check(7, classes[c], 1, 1e4, smoothings[a]);
            check(7, classes[c], 1, -1e4, smoothings[a]);
            check(300, classes[c], 1e4, 0, smoothings[a]);
        }
    }
}

static void one_row(const float *logits, int32_t label, size_t C, float *dz, float *loss,
                    int32_t *predicted)
{
    memcpy(dz, logits, C * sizeof *dz);
    dt_cross_entropy.gradient(dz, &(dt_target){.label = label}, 1, C, 0.0,
                              &(dt_loss_rows){.loss = loss, .predicted = predicted});
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
        static int32_t predicted[B];
        static dt_target y[B];
        draw(z, y, B, C, 5, 50);
        z[17 * C] = NAN;
        memcpy(all, z, sizeof all);
        dt_cross_entropy.gradient(all, y, B, C, 0.0,
                                  &(dt_loss_rows){.loss = loss, .predicted = predicted});
        for (size_t i = 0; i < B; i++) {
            float dz[33], own = 0;
            int32_t own_predicted = -1;
            if (i == 17)
                continue;
            one_row(z + i * C, y[i].label, C, dz, &own, &own_predicted);
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
        static int32_t predicted[3][B];
        static dt_target y[B];
        dt_loss_rows rows[3];
        for (int k = 0; k < 3; k++)
            rows[k] = (dt_loss_rows){.loss = k < 2 ? loss[k] : NULL, .predicted = predicted[k]};
        draw(z, y, B, C, c % 2 == 0 ? 5 : 40, 50);
        memcpy(dz, z, sizeof z);
        memcpy(p, z, sizeof z);
        memcpy(q, z, sizeof z);
        dt_cross_entropy.gradient(dz, y, B, C, 0.0, &rows[0]);
        dt_cross_entropy.evaluate(p, y, B, C, 0.0, &rows[1]);
        dt_cross_entropy.predict(q, B, C, &rows[2]);
        assert_memory_equal(p, q, B * C * sizeof *p);
        assert_memory_equal(loss[0], loss[1], sizeof loss[0]);
        assert_memory_equal(predicted[0], predicted[1], sizeof predicted[0]);
        assert_memory_equal(predicted[0], predicted[2], sizeof predicted[0]);
        for (size_t i = 0; i < B; i++) {
            double sum = 0;
            for (size_t j = 0; j < C; j++) {
                const float one = p[i * C + j], largest = p[i * C + (size_t)predicted[2][i]];
                float gradient = one - (j == (size_t)y[i].label ? 1.0f : 0.0f);
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
        dt_cross_entropy.predict(z, 2, 3, &(dt_loss_rows){.predicted = predicted});
        assert_true(isnan(z[1]));
        assert_true(fabs((double)z[3] - 1.0 / 3) < 1e-7); /* the next row is none the worse */
        assert_int_equal(predicted[1], 0);
    }
}

static void test_no_rows(void **state)
{
    (void)state;
    float z[2] = {3, 4}, loss = 5;
    float squared = 7, absolute = 8;
    dt_target y = {.label = 0};
    int32_t predicted = 6;
    const dt_loss_rows rows = {&loss, &predicted, &squared, &absolute};
    for (size_t l = 0; l < DT_LOSS_COUNT; l++) {
        dt_losses[l]->gradient(z, &y, 0, 2, dt_losses[l]->fallback, &rows);
        assert_true(close_to(z[0], 3) && close_to(loss, 5));
        assert_int_equal(predicted, 6);
        assert_true(close_to(squared, 7) && close_to(absolute, 8));
    }
}

/* ---- values ---- */

/* A number of the loss that is not the usual one. */
static double other_number(const dt_loss *loss)
{
    return loss == &dt_huber ? 0.7 : loss == &dt_quantile ? 0.8 : 0.25;
}

/* The loss of one error, and its derivative, in double: from the papers. */
static double value_term(const dt_loss *loss, double e, double number, double *slope)
{
    if (loss == &dt_mean_squared_error) {
        *slope = 2 * e;
        return e * e;
    }
    if (loss == &dt_mean_absolute_error) {
        *slope = e > 0 ? 1 : -1;
        return fabs(e);
    }
    if (loss == &dt_huber) {
        *slope = fabs(e) <= number ? e : e > 0 ? number : -number;
        return fabs(e) <= number ? e * e / 2 : number * (fabs(e) - number / 2);
    }
    assert_ptr_equal(loss, &dt_quantile); /* another loss of values needs its formula here */
    *slope = e > 0 ? 1 - number : -number;
    return fmax(-number * e, (1 - number) * e);
}

static void check_values(const dt_loss *loss, size_t B, size_t C, double scale, double number)
{
    enum { MOST = 256 };
    float z[MOST], before[MOST], of_loss[MOST], squared[MOST], absolute[MOST];
    dt_target y[MOST];
    const dt_loss_rows rows = {.loss = of_loss, .squared = squared, .absolute = absolute};
    dt_random random = dt_random_start(B * 1000 + C, DT_RANDOM_EXAMPLE, 3);
    for (size_t i = 0; i < B * C; i++) {
        before[i] = z[i] = (float)(scale * dt_random_normal(&random));
        y[i].value = (float)(scale * dt_random_normal(&random));
    }
    loss->gradient(z, y, B, C, number, &rows);
    for (size_t i = 0; i < B; i++) {
        double sum = 0, squares = 0, sizes = 0;
        for (size_t j = 0; j < C; j++) {
            const size_t at = i * C + j;
            const double e = (double)(before[at] - y[at].value); /* one rounding, as in float32 */
            double slope = 0;
            sum += value_term(loss, e, number, &slope) / (double)C;
            squares += e * e / (double)C;
            sizes += fabs(e) / (double)C;
            assert_true(fabs((double)z[at] - slope / (double)C) <= 3e-7 * fabs(slope));
        }
        assert_true(fabs((double)of_loss[i] - sum) <= 1e-6 * sum);
        assert_true(fabs((double)squared[i] - squares) <= 1e-6 * squares);
        assert_true(fabs((double)absolute[i] - sizes) <= 1e-6 * sizes);
    }
}

static void test_values_against_double(void **state)
{
    (void)state;
    const double numbers[] = {0.01, 0.1, 0.5, 0.95};
    for (size_t l = 0; l < DT_LOSS_COUNT; l++)
        for (size_t k = 0; !dt_losses[l]->classes && k < sizeof numbers / sizeof *numbers; k++) {
            check_values(dt_losses[l], 1, 1, 1, numbers[k]);
            check_values(dt_losses[l], 200, 1, 1, numbers[k]);
            check_values(dt_losses[l], 31, 8, 3, numbers[k]);
            check_values(dt_losses[l], 20, 3, 1e6, numbers[k]);
            check_values(dt_losses[l], 20, 3, 1e-6, numbers[k]);
        }
}

static float loss_of_value(const dt_loss *loss, float output, float target, double number,
                           float *dz)
{
    float of_loss = -1, squared = -1, absolute = -1;
    const dt_loss_rows rows = {.loss = &of_loss, .squared = &squared, .absolute = &absolute};
    *dz = output;
    loss->gradient(dz, &(dt_target){.value = target}, 1, 1, number, &rows);
    return of_loss;
}

/* By hand, on both sides of each kink and on it. */
static void test_known_values_of_errors(void **state)
{
    (void)state;
    const struct {
        const dt_loss *loss;
        double number;
        float output, target;
        double expected, slope;
    } cases[] = {
        {&dt_mean_squared_error, 0, 5, 2, 9, 6},
        {&dt_mean_squared_error, 0, 2, 5, 9, -6},
        {&dt_mean_absolute_error, 0, 5, 2, 3, 1},
        {&dt_mean_absolute_error, 0, 2, 5, 3, -1},
        {&dt_mean_absolute_error, 0, 2, 2, 0, 0},
        {&dt_huber, 2, 3, 2, 0.5, 1},
        {&dt_huber, 2, 4, 2, 2, 2},
        {&dt_huber, 2, 7, 2, 8, 2},
        {&dt_huber, 2, -3, 2, 8, -2},
        {&dt_huber, 2, 2, 2, 0, 0},
        {&dt_quantile, 0.75, 6, 2, 1, 0.25},
        {&dt_quantile, 0.75, 2, 6, 3, -0.75},
        {&dt_quantile, 0.75, 2, 2, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float dz = 0;
        const float got =
            loss_of_value(cases[i].loss, cases[i].output, cases[i].target, cases[i].number, &dz);
        assert_true(close_to(got, cases[i].expected) && close_to(dz, cases[i].slope));
    }
}

static void test_values_that_are_not_finite_are_seen(void **state)
{
    (void)state;
    const float bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t l = 0; l < DT_LOSS_COUNT; l++)
        for (size_t i = 0; !dt_losses[l]->classes && i < 3; i++)
            for (size_t row = 0; row < 2; row++) {
                float z[] = {1, 2, 3, 4}, loss[2], squared[2], absolute[2];
                const dt_target y[] = {{.value = 2}, {.value = 4}, {.value = 6}, {.value = 8}};
                const dt_loss_rows rows = {loss, NULL, squared, absolute};
                z[2 * row + 1] = bad[i];
                dt_losses[l]->gradient(z, y, 2, 2, dt_losses[l]->fallback, &rows);
                assert_true(!isfinite(loss[row]));
                assert_false(isfinite(squared[row]) || isfinite(absolute[row]));
                assert_true(isfinite(loss[1 - row])); /* the other row is none the worse */
                assert_true(!isnan(bad[i]) || isnan(z[2 * row + 1]));
            }
}

/* ---- all losses ---- */

enum { EACH_B = 9, EACH_C = 5 };

/* What a loss gives of rows, each in memory of its own. */
typedef struct given {
    float loss[EACH_B], squared[EACH_B], absolute[EACH_B];
    int32_t predicted[EACH_B];
} given;

static dt_loss_rows rows_from(given *g, const dt_loss *loss, size_t i)
{
    dt_loss_rows rows = {.loss = g->loss + i};
    if (loss->classes) {
        rows.predicted = g->predicted + i;
    } else {
        rows.squared = g->squared + i;
        rows.absolute = g->absolute + i;
    }
    return rows;
}

static void draw_targets(dt_target *y, const dt_loss *loss)
{
    dt_random random = dt_random_start(5, DT_RANDOM_EXAMPLE, 4);
    for (size_t i = 0; !loss->classes && i < EACH_B * EACH_C; i++)
        y[i].value = (float)dt_random_normal(&random);
}

/* The gradient is that of the loss. */
static void check_slopes(const dt_loss *loss, double number, const float *z, const dt_target *y,
                         const float *gradient)
{
    const size_t targets = dt_loss_targets(loss, EACH_C);
    for (size_t i = 0; i < EACH_B; i++)
        for (size_t j = 0; j < EACH_C; j++) {
            const float step = 0x1p-8f;
            given side[2];
            for (int s = 0; s < 2; s++) {
                float row[EACH_C];
                const dt_loss_rows rows = rows_from(&side[s], loss, 0);
                memcpy(row, z + i * EACH_C, sizeof row);
                row[j] += s == 0 ? step : -step;
                loss->evaluate(row, y + i * targets, 1, EACH_C, number, &rows);
            }
            const double slope =
                ((double)side[0].loss[0] - (double)side[1].loss[0]) / (2.0 * (double)step);
            assert_true(fabs(slope - (double)gradient[i * EACH_C + j]) < 1e-3);
        }
}

/* What holds for each loss that is listed: the gradient is that of the loss, each row is by itself,
 * and the three functions agree to the bit. */
static void check_each(const dt_loss *loss, double number)
{
    const size_t C = EACH_C, targets = dt_loss_targets(loss, EACH_C);
    float z[EACH_B * EACH_C], gradient[EACH_B * EACH_C], p[EACH_B * EACH_C], alone[EACH_B * EACH_C];
    dt_target y[EACH_B * EACH_C];
    given by_gradient = {0}, by_evaluate = {0}, by_row = {0}, by_predict = {0};
    dt_loss_rows rows = rows_from(&by_gradient, loss, 0);
    draw(z, y, EACH_B, C, 1.0, 3.0);
    draw_targets(y, loss);
    memcpy(gradient, z, sizeof z);
    loss->gradient(gradient, y, EACH_B, C, number, &rows);
    check_slopes(loss, number, z, y, gradient);

    memcpy(p, z, sizeof z);
    rows = rows_from(&by_evaluate, loss, 0);
    loss->evaluate(p, y, EACH_B, C, number, &rows);
    assert_memory_equal(&by_evaluate, &by_gradient, sizeof by_gradient);
    memcpy(alone, z, sizeof z);
    for (size_t i = 0; i < EACH_B; i++) {
        rows = rows_from(&by_row, loss, i);
        loss->gradient(alone + i * C, y + i * targets, 1, C, number, &rows);
    }
    assert_memory_equal(&by_row, &by_gradient, sizeof by_gradient);
    assert_memory_equal(alone, gradient, sizeof gradient);
    memcpy(alone, z, sizeof z);
    for (size_t i = 0; i < EACH_B; i++) {
        rows = rows_from(&by_predict, loss, i);
        loss->predict(alone + i * C, 1, C, &rows);
    }
    assert_memory_equal(alone, p, sizeof p);
    assert_memory_equal(by_predict.predicted, by_gradient.predicted, sizeof by_predict.predicted);
    const given untouched = {0}; /* without targets */
    assert_memory_equal(&by_predict, &untouched, offsetof(given, predicted));
    assert_true(loss->classes || memcmp(p, z, sizeof z) == 0); /* values are the predictions */
}

static void test_each(void **state)
{
    (void)state;
    for (size_t l = 0; l < DT_LOSS_COUNT; l++) {
        const dt_loss *loss = dt_losses[l];
        assert_ptr_equal(dt_loss_find(loss->name), loss);
        check_each(loss, loss->fallback);
        if (loss->number != NULL)
            check_each(loss, other_number(loss));
    }
    assert_null(dt_loss_find("hinge"));
}

/* A loss is given what it fills in, and no more. */
static void test_rows_of_a_loss(void **state)
{
    (void)state;
    for (size_t l = 0; l < DT_LOSS_COUNT; l++) {
        const bool classes = dt_losses[l]->classes;
        dt_loss_rows rows;
        assert_int_equal(dt_loss_rows_init(&rows, dt_losses[l], 3), DT_OK);
        assert_non_null(rows.loss);
        assert_true((rows.predicted != NULL) == classes);
        assert_true((rows.squared != NULL) == !classes && (rows.absolute != NULL) == !classes);
        assert_int_equal(dt_loss_targets(dt_losses[l], 4), classes ? 1 : 4);
        dt_loss_rows_clear(&rows);
        assert_null(rows.loss);
        dt_loss_rows_clear(&rows); /* zeroed ones are allowed */
        assert_int_equal(dt_loss_rows_init(&rows, dt_losses[l], SIZE_MAX / 8), DT_MEMORY);
        assert_true(rows.loss == NULL && rows.predicted == NULL && rows.absolute == NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each),
        cmocka_unit_test(test_rows_of_a_loss),
        cmocka_unit_test(test_values_against_double),
        cmocka_unit_test(test_known_values_of_errors),
        cmocka_unit_test(test_values_that_are_not_finite_are_seen),
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
