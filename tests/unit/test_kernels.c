#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/nn/linalg.h"
#include "dtrain/nn/panels.h"
#include "kernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- operands ---- */

/* A matrix of normal numbers in panels; the padding is zeros. */
static dt_panels draw_panels(size_t pitch, size_t columns, uint64_t seed)
{
    const size_t floats = pitch * dt_panels_count(columns) * DT_PANEL;
    dt_panels m = {draw_numbers(floats, seed), pitch, columns};
    for (size_t i = 0; i < pitch; i++)
        for (size_t j = columns; j % DT_PANEL != 0; j++)
            dt_panels_at(&m, i, j / DT_PANEL)[j % DT_PANEL] = 0.0f;
    return m;
}

static float at(const dt_panels *m, size_t i, size_t j)
{
    return dt_panels_at(m, i, j / DT_PANEL)[j % DT_PANEL];
}

/* ---- the reference: one chain of fmaf in the order of k ---- */

static float chain(float start, const dt_panels *A, size_t i, const dt_panels *B, size_t j)
{
    for (size_t k = 0; k < A->columns; k++)
        start = fmaf(at(A, i, k), at(B, k, j), start);
    return start;
}

static void expect(const dt_kernels *kernels, float got, float wanted, size_t terms)
{
    const bool same = memcmp(&got, &wanted, sizeof got) == 0;
    const bool near = fabs((double)got - (double)wanted) <= 2e-6 * (2 + (double)terms);
    if (kernels->is_rowwise ? !same : !near)
        fail_msg("%s: %.9g, expected %.9g", kernels->name, (double)got, (double)wanted);
}

static float activate(dt_activation activation, float z)
{
    dt_activation_forward(activation, &z, NULL, 1);
    return z;
}

/* ---- the products ---- */

static void check_multiply(const dt_kernels *kernels, size_t rows, size_t K, size_t N)
{
    const size_t pitch = rows + 3;
    dt_panels A = draw_panels(pitch, K, 1), B = draw_panels(K, N, 2), bias = draw_panels(1, N, 3);
    dt_panels out = draw_panels(pitch, N, 4), outputs = draw_panels(pitch, N, 5);
    const float behind = at(&out, rows, 0);
    dt_multiply m = {.out = out.data,
                     .out_pitch = pitch,
                     .A = A.data,
                     .a_row = DT_PANEL,
                     .a_panel = pitch * DT_PANEL,
                     .B = B.data,
                     .start = bias.data,
                     .rows = rows,
                     .K = K,
                     .N = N,
                     .activation = DT_ACTIVATION_RELU};
    kernels->multiply(&m);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < N; j++)
            expect(kernels, at(&out, i, j),
                   activate(DT_ACTIVATION_RELU, chain(at(&bias, 0, j), &A, i, &B, j)), K);
    assert_true(at(&out, rows, 0) == behind);
    m.start = NULL;
    m.outputs = outputs.data;
    m.activation = DT_ACTIVATION_TANH;
    kernels->multiply(&m);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < N; j++) {
            const float y = at(&outputs, i, j);
            expect(kernels, at(&out, i, j), chain(0.0f, &A, i, &B, j) * (1.0f - y * y), 10 * K);
        }
    assert_true(at(&out, rows, 0) == behind);
    free(A.data);
    free(B.data);
    free(bias.data);
    free(out.data);
    free(outputs.data);
}

/* 16 chains, k mod 16, added in pairs. */
static float lanes(const dt_panels *X, size_t i, const float *WT, size_t C, size_t c)
{
    enum { LANES = 16 };
    float sum[LANES] = {0};
    for (size_t k = 0; k < dt_panels_count(X->columns) * DT_PANEL; k++)
        sum[k % LANES] = fmaf(dt_panels_at(X, i, k / DT_PANEL)[k % DT_PANEL],
                              WT[(k / DT_PANEL * C + c) * DT_PANEL + k % DT_PANEL], sum[k % LANES]);
    for (size_t apart = LANES / 2; apart > 0; apart /= 2)
        for (size_t l = 0; l < apart; l++)
            sum[l] += sum[l + apart];
    return sum[0];
}

/* Every `apart`-th row of X and z. */
static void check_narrow(const dt_kernels *kernels, size_t rows, size_t D, size_t C, size_t apart)
{
    dt_panels X = draw_panels(rows * apart + 2, D, 6);
    const size_t weights = dt_panels_count(D) * C * DT_PANEL, z_row = C * apart;
    float *WT = draw_numbers(weights, 7), *bias = draw_numbers(C, 8);
    float *z = draw_numbers(rows * z_row + 1, 9);
    float *before = draw_numbers(rows * z_row + 1, 9);
    for (size_t d = D; d % DT_PANEL != 0; d++)
        for (size_t c = 0; c < C; c++)
            WT[(d / DT_PANEL * C + c) * DT_PANEL + d % DT_PANEL] = 0.0f;
    const dt_narrow m = {.z = z,
                         .z_row = z_row,
                         .X = X.data,
                         .x_row = apart * DT_PANEL,
                         .x_panel = X.pitch * DT_PANEL,
                         .WT = WT,
                         .bias = bias,
                         .rows = rows,
                         .D = D,
                         .C = C};
    kernels->multiply_narrow(&m);
    for (size_t i = 0; i < rows; i++)
        for (size_t c = 0; c < C; c++)
            expect(kernels, z[i * z_row + c], lanes(&X, i * apart, WT, C, c) + bias[c], D);
    for (size_t i = 0; i < rows * z_row + 1; i++)
        assert_true(i < rows * z_row && i % z_row < C ? true : z[i] == before[i]);
    free(X.data);
    free(WT);
    free(bias);
    free(z);
    free(before);
}

static void check_outer(const dt_kernels *kernels, size_t rows, size_t count, size_t a_row,
                        size_t b_row)
{
    float *A = draw_numbers(rows * a_row + DT_PANEL, 10), *B = draw_numbers(rows * b_row, 11);
    float g[(DT_PANEL + 1) * DT_PANEL];
    for (size_t i = 0; i < sizeof g / sizeof *g; i++)
        g[i] = 77.0f;
    const dt_outer m = {A, B, a_row, b_row, rows, count};
    kernels->outer(g, &m);
    for (size_t f = 0; f < count; f++)
        for (size_t j = 0; j < DT_PANEL; j++) {
            float sum = 0.0f;
            for (size_t r = 0; r < rows; r++)
                sum = fmaf(A[r * a_row + f], B[r * b_row + j], sum);
            expect(kernels, g[f * DT_PANEL + j], sum, rows);
        }
    for (size_t i = count * DT_PANEL; i < sizeof g / sizeof *g; i++)
        assert_true(g[i] == 77.0f);
    free(A);
    free(B);
}

/* Rows of the result that stand `apart` rows from each other, the others untouched. */
static void check_apart(const dt_kernels *kernels, size_t rows, size_t K, size_t N, size_t apart)
{
    dt_panels A = draw_panels(rows, K, 17), B = draw_panels(K, N, 18);
    dt_panels out = draw_panels(rows * apart, N, 19), before = draw_panels(rows * apart, N, 19);
    const dt_multiply m = {.out = out.data,
                           .out_pitch = out.pitch,
                           .out_row = apart * DT_PANEL,
                           .A = A.data,
                           .a_row = DT_PANEL,
                           .a_panel = A.pitch * DT_PANEL,
                           .B = B.data,
                           .rows = rows,
                           .K = K,
                           .N = N,
                           .activation = DT_ACTIVATION_LINEAR};
    kernels->multiply(&m);
    for (size_t i = 0; i < rows * apart; i++)
        for (size_t j = 0; j < N; j++)
            if (i % apart == 0)
                expect(kernels, at(&out, i, j), chain(0.0f, &A, i / apart, &B, j), K);
            else
                assert_true(at(&out, i, j) == at(&before, i, j));
    free(A.data);
    free(B.data);
    free(out.data);
    free(before.data);
}

/* Each element is where the products look for it, and the padding is not touched. */
static void test_packing(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 2, 3, 4, 5, 31, 32, 33, 36, 67};
    enum { SIZES = sizeof sizes / sizeof *sizes };
    for (size_t n = 0; n < (size_t)SIZES * SIZES; n++) {
        const size_t D = sizes[n / SIZES], H = sizes[n % SIZES];
        const size_t wide = dt_panels_count(H) * DT_PANEL, tall = dt_panels_count(D) * DT_PANEL;
        float *W = draw_numbers(D * H, 14), *panels = draw_numbers(wide * D, 15);
        float *transposed = draw_numbers(tall * H, 16);
        for (size_t i = 0; i < wide * D; i++)
            panels[i] = 77.0f;
        for (size_t i = 0; i < tall * H; i++)
            transposed[i] = 77.0f;
        dt_pack_panels(panels, W, D, H);
        dt_pack_transposed(transposed, W, D, H);
        for (size_t d = 0; d < D; d++)
            for (size_t h = 0; h < wide; h++)
                assert_true(panels[(h / DT_PANEL * D + d) * DT_PANEL + h % DT_PANEL] ==
                            (h < H ? W[d * H + h] : 77.0f));
        for (size_t d = 0; d < tall; d++)
            for (size_t h = 0; h < H; h++)
                assert_true(transposed[(d / DT_PANEL * H + h) * DT_PANEL + d % DT_PANEL] ==
                            (d < D ? W[d * H + h] : 77.0f));
        free(W);
        free(panels);
        free(transposed);
    }
}

enum { MOST = OWN_KERNELS + 1 }; /* and BLAS */

/* Those that this CPU has; BLAS, whose order is its own, comes near. */
static size_t find_kernels(const dt_kernels *found[MOST])
{
    size_t count = find_own_kernels(found);
    assert_int_equal(dt_linalg_choose(DT_ENGINE_BLAS), DT_OK);
    found[count++] = dt_kernels_chosen();
    assert_ptr_equal(found[count - 1], &dt_kernels_blas);
    return count;
}

/* Around every size at which an implementation could change its way: one, vectors, tiles,
 * panels. */
static const size_t sizes[] = {1, 2, 5, 6, 7, 13, 14, 15, 29, 31, 32, 33, 64, 65, 100};
enum { SIZES = sizeof sizes / sizeof *sizes };

static void test_multiply(void **state)
{
    (void)state;
    const dt_kernels *found[MOST];
    const size_t count = find_kernels(found);
    assert_true(count >= 2);
    for (size_t i = 0; i < count; i++) {
        for (size_t a = 0; a < SIZES; a++)
            for (size_t b = 0; b < SIZES; b++) {
                check_multiply(found[i], sizes[a], sizes[b], 30);
                check_multiply(found[i], 13, sizes[a], sizes[b]);
            }
        check_multiply(found[i], 400, 70, 70); /* more than a block of rows */
    }
}

static void test_narrow(void **state)
{
    (void)state;
    const dt_kernels *found[MOST];
    const size_t count = find_kernels(found);
    for (size_t i = 0; i < count; i++)
        for (size_t a = 0; a < SIZES; a++)
            for (size_t C = 1; C <= 16; C++) {
                check_narrow(found[i], 9, sizes[a], C, 1);
                check_narrow(found[i], sizes[a], 51, C, 1);
                check_narrow(found[i], 9, sizes[a], C, 3);
                check_apart(found[i], sizes[a], C, 51, 3);
            }
}

static void test_outer(void **state)
{
    (void)state;
    const dt_kernels *found[MOST];
    const size_t count = find_kernels(found);
    for (size_t i = 0; i < count; i++) {
        for (size_t a = 0; a < SIZES; a++)
            for (size_t features = 1; features <= DT_PANEL; features++) {
                check_outer(found[i], sizes[a], features, DT_PANEL, DT_PANEL);
                check_outer(found[i], sizes[a], features, features, DT_PANEL);
                check_outer(found[i], sizes[a], features, features, 3 * DT_PANEL);
            }
        check_outer(found[i], 1100, 32, DT_PANEL, DT_PANEL); /* in more than one go */
        check_outer(found[i], 1100, 3, 3, DT_PANEL);
    }
}

/* ---- the choice ---- */

static void test_choice(void **state)
{
    (void)state;
    assert_int_equal(setenv("DTRAIN_ISA", "sse9", 1), 0);
    assert_int_equal(dt_linalg_choose(DT_ENGINE_AUTO), DT_USAGE);
    assert_string_equal(dt_status_text(),
                        "DTRAIN_ISA=sse9: expected avx512, avx2, neon, portable or blas");
#if defined(__aarch64__)
    const char *own = "neon", *foreign = "avx2";
#else
    const char *own = "portable", *foreign = "neon";
#endif
    char refused[128];
    (void)snprintf(refused, sizeof refused,
                   "DTRAIN_ISA=%s: this CPU does not have it; unset it, or choose another",
                   foreign);
    assert_int_equal(setenv("DTRAIN_ISA", foreign, 1), 0);
    assert_int_equal(dt_linalg_choose(DT_ENGINE_AUTO), DT_USAGE);
    assert_string_equal(dt_status_text(), refused);
    assert_int_equal(setenv("DTRAIN_ISA", own, 1), 0);
    assert_int_equal(dt_linalg_choose(DT_ENGINE_AUTO), DT_OK);
    assert_string_equal(dt_linalg_isa(), own);
    assert_int_equal(unsetenv("DTRAIN_ISA"), 0);
    assert_int_equal(dt_linalg_choose(DT_ENGINE_AUTO), DT_OK);
    assert_int_equal(dt_linalg_uses_blas(), !dt_linalg_has_own_kernels());
}

static void test_names(void **state)
{
    (void)state;
    assert_true(strlen(dt_linalg_kernels()) > 0);
    assert_true(strlen(dt_linalg_library()) > 0);
    assert_null(strstr(dt_linalg_library(), "  "));
}

static void test_better_kernels(void **state)
{
    (void)state;
    assert_null(dt_linalg_better_kernels("SapphireRapids"));
    const char *better = dt_linalg_better_kernels("Prescott");
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        assert_non_null(better);
        assert_null(dt_linalg_better_kernels(better)); /* no better one than that */
    }
#else
    assert_null(better);
#endif
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
        cmocka_unit_test(test_multiply),       cmocka_unit_test(test_narrow),
        cmocka_unit_test(test_outer),          cmocka_unit_test(test_packing),
        cmocka_unit_test(test_choice),         cmocka_unit_test(test_names),
        cmocka_unit_test(test_better_kernels), cmocka_unit_test(test_pinned_below),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
