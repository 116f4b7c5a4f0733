/* Penalties, clipping and limits of gradients and weights, against a reference in double. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/base/random.h"
#include "dtrain/nn/regularization.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { COUNT = 1000 };

static void draw(float *out, size_t count, uint64_t stream)
{
    dt_random random = dt_random_start(3, DT_RANDOM_EXAMPLE, stream);
    for (size_t i = 0; i < count; i++)
        out[i] = (float)dt_random_normal(&random);
}

static void assert_near(double found, double expected, double tolerance)
{
    if (!(fabs(found - expected) <= tolerance))
        fail_msg("found %.17g, expected %.17g", found, expected);
}

static void test_penalties(void **state)
{
    (void)state;
    float gradient[COUNT], before[COUNT], w[COUNT];
    draw(before, COUNT, 1);
    draw(w, COUNT, 2);
    w[0] = 0.0f;
    w[1] = -0.0f;
    memcpy(gradient, before, sizeof gradient);
    dt_regularization_add_penalties(gradient, w, COUNT, 0.25, 0.125);
    for (size_t i = 0; i < COUNT; i++) {
        const double wi = (double)w[i], sign = (wi > 0) - (wi < 0);
        const double expected = (double)before[i] + 0.5 * wi + 0.125 * sign;
        assert_near((double)gradient[i], expected, 1e-6);
    }
    assert_memory_equal(gradient, before, 2 * sizeof *gradient); /* the penalty of 0 is flat */
}

/* Each sum as in double; a sum does not depend on what comes before or behind. */
static void test_squares(void **state)
{
    (void)state;
    enum { SUMS = (COUNT + DT_SQUARES_TOGETHER - 1) / DT_SQUARES_TOGETHER };
    float gradient[COUNT];
    double sums[SUMS], other = 0.0;
    draw(gradient, COUNT, 1);
    dt_regularization_square(sums, gradient, COUNT);
    for (size_t k = 0; k < SUMS; k++) {
        double expected = 0.0;
        const size_t from = k * DT_SQUARES_TOGETHER, left = COUNT - from;
        for (size_t i = from; i < from + DT_SQUARES_TOGETHER && i < COUNT; i++)
            expected += (double)gradient[i] * (double)gradient[i];
        assert_near(sums[k], expected, 1e-14 * expected);
        dt_regularization_square(&other, gradient + from,
                                 left < DT_SQUARES_TOGETHER ? left : DT_SQUARES_TOGETHER);
        assert_memory_equal(&sums[k], &other, sizeof other);
    }
    gradient[3] = 3e38f; /* its square exceeds float32 */
    dt_regularization_square(&other, gradient + 3, 1);
    assert_near(other, (double)3e38f * (double)3e38f, 0.0);
}

static void test_clipping(void **state)
{
    (void)state;
    float gradient[COUNT], before[COUNT];
    draw(before, COUNT, 1);
    memcpy(gradient, before, sizeof gradient);
    dt_regularization_clamp(gradient, COUNT, 0.5);
    for (size_t i = 0; i < COUNT; i++)
        assert_near((double)gradient[i], fmax(-0.5, fmin(0.5, (double)before[i])), 0.0);
    memcpy(gradient, before, sizeof gradient);
    dt_regularization_scale(gradient, COUNT, 0.75f);
    for (size_t i = 0; i < COUNT; i++)
        assert_near((double)gradient[i], 0.75 * (double)before[i], 1e-6);
}

/* Of some columns, of which some are long enough. */
static void test_limit_of_columns(void **state)
{
    (void)state;
    enum { D = 20, H = 50, FIRST = 3, LIMITED = 40 };
    float W[D * H], before[D * H];
    const double most = 4.5;
    size_t shorter = 0;
    draw(before, D * H, 1);
    memcpy(W, before, sizeof W);
    dt_regularization_limit_columns(W, D, H, FIRST, LIMITED, most);
    for (size_t j = 0; j < H; j++) {
        double squares = 0.0;
        for (size_t d = 0; d < D; d++)
            squares += (double)before[d * H + j] * (double)before[d * H + j];
        const bool limited = j >= FIRST && j < FIRST + LIMITED && sqrt(squares) > most;
        shorter += limited;
        for (size_t d = 0; d < D; d++) {
            const double w = (double)before[d * H + j];
            if (limited)
                assert_near((double)W[d * H + j], w * (most / sqrt(squares)), 1e-6);
            else
                assert_memory_equal(&W[d * H + j], &before[d * H + j], sizeof *W);
        }
    }
    assert_in_range(shorter, 5, LIMITED - 5);
    memcpy(before, W, sizeof W);
    dt_regularization_limit_columns(W, D, H, FIRST, LIMITED, most * 1.000001);
    assert_memory_equal(W, before, sizeof W);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_penalties),
        cmocka_unit_test(test_squares),
        cmocka_unit_test(test_clipping),
        cmocka_unit_test(test_limit_of_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
