/* The layer of Gaussian noise: its numbers, against a reference in double, and their statistics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/base/random.h"
#include "dtrain/nn/linalg.h"
#include "dtrain/nn/network.h"
#include "status_checks.h"

#include <math.h>
#include <string.h>

enum { D = 70, ROWS = 4000 };

static float X[ROWS * D], noisy[ROWS * D];
static uint64_t positions[ROWS];

/* Fills in `noisy`: what the layer makes of X. */
static void make_noisy(double deviation, uint64_t seed, uint64_t epoch)
{
    const dt_layer layers[] = {
        {.kind = &dt_layer_noise, .deviation = deviation},
        {.kind = &dt_layer_dense, .H = 3, .activation = DT_ACTIVATION_LINEAR}};
    const dt_segments rows = {.count = 1, .start = (const size_t[]){0, ROWS}};
    dt_network network;
    dt_workspace workspace;
    assert_ok(dt_network_make(&network, D, layers, 2));
    assert_ok(dt_workspace_init(&workspace, &network, ROWS, DT_BOTH_PASSES));
    workspace.pass =
        (dt_pass){.training = true, .seed = seed, .epoch = epoch, .positions = positions};
    (void)dt_network_forward(&network, &workspace, X, &rows);
    for (size_t i = 0; i < ROWS; i++)
        dt_panels_get_row(noisy + i * D, &workspace.outputs[0], i);
    dt_workspace_clear(&workspace);
    dt_network_clear(&network);
}

static uint32_t number_of(uint64_t seed, uint64_t epoch, uint64_t position, size_t panel, size_t n)
{
    const uint32_t counter[4] = {(uint32_t)(panel * 8 + n % 8) | (uint32_t)(position >> 32) << 26,
                                 DT_RANDOM_NOISE, (uint32_t)position, (uint32_t)epoch};
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    uint32_t block[4];
    dt_random_philox(block, counter, key);
    return block[n / 8];
}

static double expected_noise(uint64_t seed, uint64_t epoch, uint64_t position, size_t unit)
{
    const double half_pi = 1.5707963267948966;
    const size_t panel = unit / DT_PANEL, pair = unit % 16;
    const uint32_t angle = number_of(seed, epoch, position, panel, 16 + pair);
    /* As in float32: near 1, its rounding shows in the radius, which is almost 0 then. */
    const uint32_t number = number_of(seed, epoch, position, panel, pair);
    const double u = (double)(((float)(number >> 1) + 0.5f) * 0x1p-31f);
    const double part = (angle & 0x3FFFFFFF) * 0x1p-30 - 0.5;
    const double turned = ((double)(angle >> 30) + part) * half_pi;
    return sqrt(-2.0 * log(u)) * (unit % DT_PANEL < 16 ? cos(turned) : sin(turned));
}

static void set_up(uint64_t first, float x)
{
    for (size_t i = 0; i < ROWS; i++)
        positions[i] = first + i;
    for (size_t i = 0; i < ROWS * D; i++)
        X[i] = x;
}

static void test_numbers(void **state)
{
    (void)state;
    const uint64_t seed = 0x0123456789abcdef, epoch = 3;
    set_up(((uint64_t)1 << 33) - 2000, 1.0f);
    make_noisy(0.25, seed, epoch);
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < D; j++) {
            const double expected = 1.0 + 0.25 * expected_noise(seed, epoch, positions[i], j);
            if (!(fabs((double)noisy[i * D + j] - expected) <= 5e-7))
                fail_msg("row %zu, unit %zu: %.9g, expected %.9g", i, j, (double)noisy[i * D + j],
                         expected);
        }
}

/* Moments, shares below some bounds, and correlations: each within four standard errors. */
static void test_distribution(void **state)
{
    (void)state;
    const double count = (double)ROWS * D;
    double sum = 0, squares = 0, fourth = 0, pairs = 0, next = 0;
    set_up(0, 0.0f);
    make_noisy(1.0, 1, 1);
    for (size_t i = 0; i < ROWS * D; i++) {
        const double x = (double)noisy[i];
        sum += x;
        squares += x * x;
        fourth += x * x * x * x;
        if (i % D < 16)
            pairs += x * (double)noisy[i + 16]; /* of one radius */
        if (i + D < ROWS * D)
            next += x * (double)noisy[i + D]; /* of the next row */
    }
    assert_true(fabs(sum / count) < 4 / sqrt(count));
    assert_true(fabs(squares / count - 1) < 4 * sqrt(2 / count));
    assert_true(fabs(fourth / count - 3) < 4 * sqrt(96 / count));
    assert_true(fabs(pairs / (ROWS * 16)) < 4 / sqrt(ROWS * 16.0));
    assert_true(fabs(next / count) < 4 / sqrt(count));
    for (int b = -6; b <= 6; b++) {
        const double bound = 0.5 * b, share = 0.5 * erfc(-bound / sqrt(2.0));
        double below = 0;
        for (size_t i = 0; i < ROWS * D; i++)
            below += (double)noisy[i] < bound;
        assert_true(fabs(below / count - share) < 4 * sqrt(share * (1 - share) / count));
    }
}

/* Other seeds and epochs give other numbers. */
static void test_keys(void **state)
{
    (void)state;
    static float first[ROWS * D];
    set_up(0, 0.0f);
    make_noisy(1.0, 1, 1);
    memcpy(first, noisy, sizeof first);
    for (int other = 0; other < 2; other++) {
        double product = 0;
        make_noisy(1.0, other == 0 ? 2 : 1, other == 0 ? 1 : 2);
        for (size_t i = 0; i < ROWS * D; i++)
            product += (double)first[i] * (double)noisy[i];
        assert_true(fabs(product / (ROWS * D)) < 4 / sqrt((double)ROWS * D));
    }
    make_noisy(1.0, 1, 1);
    assert_memory_equal(noisy, first, sizeof first);
}

int main(void)
{
    assert_ok(dt_linalg_choose(DT_ENGINE_AUTO));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_distribution),
        cmocka_unit_test(test_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
