#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/base/random.h"
#include "dtrain/nn/linalg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static float *draw(size_t count, uint64_t seed)
{
    float *data = calloc(count + 1, sizeof *data);
    dt_random random = dt_random_start(seed, DT_RANDOM_EXAMPLE, count);
    assert_non_null(data);
    for (size_t i = 0; i < count; i++)
        data[i] = (float)dt_random_normal(&random);
    return data;
}

/* Sums of `terms` products in float32, of about 1 each: a few rounding errors a term. */
static void assert_near(float got, double exact, size_t terms)
{
    if (!(fabs((double)got - exact) <= 1e-6 * (2 + (double)terms)))
        fail_msg("%g, expected %g", (double)got, exact);
}

enum { GUARD_BITS = 0x5A5A5A5A };

/* Room for `count` results, full of NaN, with one number behind that must stay. */
static float *room(size_t count)
{
    float *data = malloc((count + 1) * sizeof *data);
    const uint32_t guard = GUARD_BITS;
    assert_non_null(data);
    for (size_t i = 0; i < count; i++)
        data[i] = NAN;
    memcpy(data + count, &guard, sizeof guard);
    return data;
}

static void check_guard(const float *data, size_t count)
{
    const uint32_t guard = GUARD_BITS;
    assert_memory_equal(data + count, &guard, sizeof guard);
}

static void check_products(size_t B, size_t D, size_t H)
{
    float *X = draw(B * D, 1), *W = draw(D * H, 2), *b = draw(H, 3), *dY = draw(B * H, 4);
    float *Y = room(B * H), *dX = room(B * D), *sums = room(H);
    dt_linalg_forward(Y, X, W, b, B, D, H);
    dt_linalg_input_gradient(dX, dY, W, B, D, H);
    dt_linalg_column_sums(sums, dY, B, H);
    check_guard(Y, B * H);
    check_guard(dX, B * D);
    check_guard(sums, H);
    for (size_t i = 0; i < B; i++) {
        for (size_t h = 0; h < H; h++) {
            double sum = (double)b[h];
            for (size_t d = 0; d < D; d++)
                sum += (double)X[i * D + d] * (double)W[d * H + h];
            assert_near(Y[i * H + h], sum, D);
        }
        for (size_t d = 0; d < D; d++) {
            double sum = 0;
            for (size_t h = 0; h < H; h++)
                sum += (double)dY[i * H + h] * (double)W[d * H + h];
            assert_near(dX[i * D + d], sum, H);
        }
    }
    for (size_t h = 0; h < H; h++) { /* in row order, so to the last bit */
        float sum = 0;
        for (size_t i = 0; i < B; i++)
            sum += dY[i * H + h];
        assert_memory_equal(&sums[h], &sum, sizeof sum);
    }
    free(X);
    free(W);
    free(b);
    free(dY);
    free(Y);
    free(dX);
    free(sums);
}

static void check_weight_gradient(size_t B, size_t D, size_t H, size_t first, size_t rows)
{
    float *X = draw(B * D, 5), *dY = draw(B * H, 6), *dW = room(rows * H);
    dt_linalg_weight_gradient(dW, X, dY, B, D, H, first, rows);
    check_guard(dW, rows * H);
    for (size_t d = 0; d < rows; d++)
        for (size_t h = 0; h < H; h++) {
            double sum = 0;
            for (size_t i = 0; i < B; i++)
                sum += (double)X[i * D + first + d] * (double)dY[i * H + h];
            assert_near(dW[d * H + h], sum, B);
        }
    free(X);
    free(dY);
    free(dW);
}

/* Around every size at which an implementation could change its way: one, vectors, blocks. */
static const size_t sizes[] = {1, 2, 3, 5, 8, 13, 16, 17, 30, 33, 51, 64, 65, 100, 130};
enum { SIZES = sizeof sizes / sizeof *sizes };

static void test_products(void **state)
{
    (void)state;
    for (size_t d = 0; d < SIZES; d++)
        for (size_t h = 0; h < SIZES; h++) {
            check_products(1, sizes[d], sizes[h]);
            check_products(13, sizes[d], sizes[h]);
        }
    for (size_t b = 0; b < SIZES; b++) {
        check_products(sizes[b], 51, 30);
        check_products(sizes[b], 30, 2);
    }
    check_products(3, 700, 40);
    check_products(3, 40, 700);
}

static void test_weight_gradients(void **state)
{
    (void)state;
    for (size_t b = 0; b < SIZES; b++)
        for (size_t h = 0; h < SIZES; h++) {
            check_weight_gradient(sizes[b], 20, sizes[h], 0, 20);
            check_weight_gradient(sizes[b], 20, sizes[h], 7, 9);
            check_weight_gradient(sizes[b], 20, sizes[h], 19, 1);
        }
}

/* Where it is promised that a row's bits are its own, they are; and the same call gives the same
 * bits, wherever its operands lie. */
static void test_bits(void **state)
{
    (void)state;
    enum { B = 37 };
    for (size_t d = 0; d < SIZES; d++)
        for (size_t h = 0; h < SIZES; h++) {
            const size_t D = sizes[d], H = sizes[h];
            float *X = draw(B * D, 1), *W = draw(D * H, 2), *b = draw(H, 3);
            float *Y = room(B * H), *again = room(B * H + 1), *moved = draw(B * D + 1, 4);
            memcpy(moved + 1, X, B * D * sizeof *X);
            dt_linalg_forward(Y, X, W, b, B, D, H);
            dt_linalg_forward(again + 1, moved + 1, W, b, B, D, H);
            assert_memory_equal(again + 1, Y, B * H * sizeof *Y);
            for (size_t i = 0; dt_linalg_forward_is_rowwise(D, H) && i < B; i += 5) {
                const size_t rows = B - i < 3 ? B - i : 3;
                dt_linalg_forward(again, X + i * D, W, b, rows, D, H);
                assert_memory_equal(again, Y + i * H, rows * H * sizeof *Y);
            }
            free(X);
            free(W);
            free(b);
            free(Y);
            free(again);
            free(moved);
        }
}

static void test_names(void **state)
{
    (void)state;
    assert_true(strlen(dt_linalg_kernels()) > 0);
    assert_true(strlen(dt_linalg_library()) > 0);
    assert_null(strstr(dt_linalg_library(), "  "));
}

static void test_pinned_below(void **state)
{
    (void)state;
    assert_int_equal(unsetenv("OPENBLAS_CORETYPE"), 0);
    assert_null(dt_linalg_pinned_below()); /* nobody has pinned anything */
}

int main(void)
{
    dt_linalg_init(1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products),     cmocka_unit_test(test_weight_gradients),
        cmocka_unit_test(test_bits),         cmocka_unit_test(test_names),
        cmocka_unit_test(test_pinned_below),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
