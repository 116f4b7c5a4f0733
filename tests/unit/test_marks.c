#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/nn/layer_internal.h"
#include "dtrain/base/subnormals.h"
#include "dtrain/nn/linalg.h"
#include "kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Products that leave out zeros, next to the same products without marks: bit by bit. */

/* Some numbers, some columns of categories of which every fourth row has none, and a padding that
 * is not zeros. Half of the zeros are -0. */
static float *draw_categories(size_t rows, size_t columns)
{
    const size_t panels = dt_panels_count(columns);
    float *data = draw_numbers(panels * rows * DT_PANEL, 1);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 3; j < columns; j++) {
            const bool one = i % 4 != 0 && (j * 7 + i / 3) % 17 == 0;
            data[(j / DT_PANEL * rows + i) * DT_PANEL + j % DT_PANEL] = one                ? 1.0f
                                                                        : (i + j) % 2 == 0 ? 0.0f
                                                                                           : -0.0f;
        }
    return data;
}

static uint32_t *mark_all(const float *A, size_t rows, size_t columns)
{
    const size_t panels = dt_panels_count(columns);
    uint32_t *marks = calloc(panels * rows + DT_PANEL, sizeof *marks);
    assert_non_null(marks);
    for (size_t p = 0; p < panels; p++)
        dt_mark(marks + p * rows, A + p * rows * DT_PANEL, rows,
                dt_panels_width(columns, p * DT_PANEL));
    return marks;
}

static const size_t sizes[] = {1, 2, 5, 6, 7, 13, 14, 15, 31, 32, 33, 65, 100, 230};
enum { SIZES = sizeof sizes / sizeof *sizes };

static void test_mark(void **state)
{
    (void)state;
    float panel[3 * DT_PANEL] = {0};
    uint32_t marks[4] = {7, 7, 7, 7};
    panel[0] = 1.0f;
    panel[31] = NAN;
    panel[DT_PANEL] = -0.0f;
    panel[2 * DT_PANEL + 9] = -3.0f;
    panel[2 * DT_PANEL + 10] = 5.0f;
    dt_mark(marks, panel, 3, DT_PANEL);
    assert_int_equal(marks[0], 0x80000001u);
    assert_int_equal(marks[1], 0);
    assert_int_equal(marks[2], 0x600);
    assert_int_equal(marks[3], 7);
    assert_true(dt_marks_zeros(marks, 3) == 6.0 / 9.0);
    dt_mark(marks, panel, 3, 10); /* what is behind column 9 is padding */
    assert_int_equal(marks[0], 1);
    assert_int_equal(marks[2], 0x200);
}

static void check_multiply(const dt_kernels *kernels, size_t rows, size_t K, size_t N)
{
    const size_t floats = dt_panels_count(N) * rows * DT_PANEL;
    float *A = draw_categories(rows, K), *B = draw_numbers(dt_panels_count(N) * K * DT_PANEL, 2);
    float *start = draw_numbers(dt_panels_count(N) * DT_PANEL, 3);
    float *plain = draw_numbers(floats, 4), *marked = draw_numbers(floats, 4);
    uint32_t *marks = mark_all(A, rows, K);
    start[0] = -0.0f; /* a step with a zero makes it 0 or leaves it, by the sign of the product */
    start[1] = 1e-40f; /* it is 0 for the next step, where subnormal numbers are */
    start[2] = -1e-40f;
    for (int starts = 0; starts < 2; starts++) {
        dt_multiply m = {.out = plain,
                         .out_pitch = rows,
                         .A = A,
                         .a_row = DT_PANEL,
                         .a_panel = rows * DT_PANEL,
                         .B = B,
                         .start = starts == 1 ? start : NULL,
                         .rows = rows,
                         .K = K,
                         .N = N,
                         .activation = DT_ACTIVATION_LINEAR};
        kernels->multiply(&m);
        m.out = marked;
        m.marks = marks;
        kernels->multiply(&m);
        assert_memory_equal(marked, plain, floats * sizeof *plain);
    }
    free(A);
    free(B);
    free(start);
    free(plain);
    free(marked);
    free(marks);
}

/* Also where subnormal numbers are zeros, as in training. */
static void test_multiply(void **state)
{
    (void)state;
    const dt_kernels *found[OWN_KERNELS];
    const size_t count = find_own_kernels(found);
    for (int off = 0; off < 2; off++) {
        const uint64_t flags = off == 1 ? dt_subnormals_off() : 0;
        for (size_t i = 0; i < count; i++)
            for (size_t a = 0; a < SIZES; a++)
                for (size_t b = 0; b < SIZES; b++)
                    check_multiply(found[i], sizes[a], sizes[b], 1 + (a * SIZES + b) % 70);
        if (off == 1)
            dt_subnormals_restore(flags);
    }
}

/* It leaves the steps out: a zero times infinity would be NaN. */
static void test_steps_left_out(void **state)
{
    (void)state;
    const dt_kernels *found[OWN_KERNELS];
    const size_t count = find_own_kernels(found);
    enum { ROWS = 20, K = 64 };
    for (size_t i = 0; i < count; i++) {
        float *A = draw_numbers(2 * (size_t)ROWS * DT_PANEL, 5);
        float *B = draw_numbers((size_t)K * DT_PANEL, 6);
        float out[ROWS * DT_PANEL], g[DT_PANEL * DT_PANEL];
        for (size_t r = 0; r < ROWS; r++)
            A[((size_t)ROWS + r) * DT_PANEL + 4] = 0.0f; /* column 36 */
        B[36 * DT_PANEL] = INFINITY;
        uint32_t *marks = mark_all(A, ROWS, K);
        const dt_multiply m = {.out = out,
                               .out_pitch = ROWS,
                               .A = A,
                               .a_row = DT_PANEL,
                               .a_panel = (size_t)ROWS * DT_PANEL,
                               .marks = marks,
                               .B = B,
                               .rows = ROWS,
                               .K = K,
                               .N = DT_PANEL};
        found[i]->multiply(&m);
        for (size_t r = 0; r < ROWS; r++)
            assert_true(isfinite(out[r * DT_PANEL]));
        memset(A + 2 * DT_PANEL, 0, DT_PANEL * sizeof *A); /* row 2, of panel 0 */
        dt_mark(marks, A, ROWS, DT_PANEL);
        B[2 * DT_PANEL] = INFINITY;
        const dt_outer o = {A, B, DT_PANEL, DT_PANEL, ROWS, DT_PANEL, marks};
        found[i]->outer(g, &o);
        for (size_t f = 0; f < DT_PANEL; f++)
            assert_true(isfinite(g[f * DT_PANEL]));
        free(A);
        free(B);
        free(marks);
    }
}

static void check_outer(const dt_kernels *kernels, size_t rows, size_t count)
{
    float *A = draw_categories(rows, DT_PANEL), *B = draw_numbers(rows * DT_PANEL, 7);
    float plain[DT_PANEL * DT_PANEL], marked[(DT_PANEL + 1) * DT_PANEL];
    uint32_t *marks = mark_all(A, rows, DT_PANEL);
    for (size_t i = 0; i < sizeof marked / sizeof *marked; i++)
        marked[i] = 77.0f;
    dt_outer m = {A, B, DT_PANEL, DT_PANEL, rows, count, NULL};
    kernels->outer(plain, &m);
    m.marks = marks;
    kernels->outer(marked, &m);
    assert_memory_equal(marked, plain, count * DT_PANEL * sizeof *plain);
    for (size_t i = count * DT_PANEL; i < sizeof marked / sizeof *marked; i++)
        assert_true(marked[i] == 77.0f);
    free(A);
    free(B);
    free(marks);
}

static void test_outer(void **state)
{
    (void)state;
    const dt_kernels *found[OWN_KERNELS];
    const size_t count = find_own_kernels(found);
    for (size_t i = 0; i < count; i++) {
        for (size_t a = 0; a < SIZES; a++)
            for (size_t features = 1; features <= DT_PANEL; features++)
                check_outer(found[i], sizes[a], features);
        check_outer(found[i], 1100, DT_PANEL); /* in more than one go */
    }
}

/* ---- a network ---- */

enum { ROWS = 90, INPUTS = 150, NUMBERS = 5, EDGES = 3, GROUPS = 4, WIDTH = 4, MEMBERS = 3 };

typedef struct network_case {
    size_t encoded, embedded, members, units; /* numbers, categories; 0: no such layer */
} network_case;

/* Behind the encodings of the last one are 60 inputs, of which the first 36 are encoded: no panel
 * has only inputs whose gradients are not used. */
static const network_case cases[] = {
    {0, 0, 0, 70},        {0, 0, MEMBERS, 70},          {0, 0, MEMBERS, 600},
    {NUMBERS, 0, 0, 70},  {NUMBERS, 0, MEMBERS, 289},   {NUMBERS, 60, MEMBERS, 70},
    {NUMBERS, 60, 0, 70}, {NUMBERS, 121, MEMBERS, 140},
};
enum { CASES = sizeof cases / sizeof *cases, LARGEST = 110000 };

static void take(void *context, const dt_gradient_block *block, const float *gradient, bool fresh,
                 bool last, int thread)
{
    (void)last, (void)thread;
    float *sums = context;
    for (size_t i = 0; i < block->rows; i++)
        for (size_t j = 0; j < block->columns; j++) {
            float *to = sums + block->first + i * block->row_step + j * block->column_step;
            *to = (fresh ? 0.0f : *to) + gradient[i * DT_PANEL + j];
        }
}

static void make(dt_network *out, const network_case *c)
{
    dt_layer layers[5];
    size_t count = 0;
    if (c->encoded > 0)
        layers[count++] = (dt_layer){.kind = &dt_layer_piecewise_linear,
                                     .encoded = c->encoded,
                                     .edges = EDGES * c->encoded,
                                     .width = WIDTH};
    if (c->embedded > 0)
        layers[count++] = (dt_layer){.kind = &dt_layer_category_embedding,
                                     .encoded = c->embedded,
                                     .groups = GROUPS,
                                     .width = WIDTH};
    if (c->members > 0)
        layers[count++] = (dt_layer){.kind = &dt_layer_member_scale, .members = c->members};
    layers[count++] =
        (dt_layer){.kind = &dt_layer_dense, .H = c->units, .activation = DT_ACTIVATION_RELU};
    layers[count++] = (dt_layer){.kind = c->members > 0 ? &dt_layer_member_dense : &dt_layer_dense,
                                 .H = 2,
                                 .activation = DT_ACTIVATION_LINEAR};
    assert_int_equal(dt_network_make(out, INPUTS, layers, count), DT_OK);
    dt_network_fill(out, DT_INIT_GLOROT_UNIFORM, 3);
    for (size_t d = 0; d < c->encoded; d++) {
        out->constants[out->layers[0].edge_counts + d] = EDGES;
        for (size_t e = 0; e < EDGES; e++)
            out->constants[out->layers[0].edge_values + d * EDGES + e] = (float)(e * (d + 3));
    }
    for (size_t i = 0; i < c->embedded; i++) /* the inputs behind the encoded numbers */
        out->constants[out->layers[1].group_of + c->encoded * WIDTH + i] =
            (float)(1 + i * GROUPS / c->embedded);
}

/* Forward and backward; `filler` stands in place of the categories' zeros. Numbers too small to
 * change a sum take it in a second network, which has nothing to leave out. */
static size_t run(const network_case *c, float filler, float *logits, float *gradients, size_t *P)
{
    const size_t start[] = {0, 37, 37, ROWS};
    const dt_segments segments = {3, start};
    dt_network network;
    dt_workspace w;
    static float X[ROWS * INPUTS];
    make(&network, c);
    assert_int_equal(dt_workspace_init(&w, &network, ROWS, DT_BOTH_PASSES), DT_OK);
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < INPUTS; j++)
            X[i * INPUTS + j] = j < NUMBERS ? (float)(i + 1) / (float)(j + 7)
                                : j == NUMBERS + i * 31 % (INPUTS - NUMBERS) ? 1.0f
                                                                             : filler;
    float *z = dt_network_forward(&network, &w, X, &segments);
    const size_t outputs = ROWS * network.K * network.C;
    memcpy(logits, z, outputs * sizeof *z);
    for (size_t i = 0; i < outputs; i++)
        z[i] = (float)(i % 7) - 3.0f;
    dt_network_backward(&network, &w, &segments, take, NULL, gradients);
    size_t unmarked = 0;
    for (size_t i = 0; i < ROWS * network.K; i++)
        unmarked += w.marks[i] != UINT32_MAX;
    *P = network.P;
    dt_workspace_clear(&w);
    dt_network_clear(&network);
    return unmarked;
}

static void check_network(const network_case *c)
{
    static float logits[2][ROWS * MEMBERS * 2], gradients[2][LARGEST];
    size_t P = 0;
    const size_t marked = run(c, 0.0f, logits[0], gradients[0], &P);
    assert_true(P <= LARGEST);
    assert_int_equal(marked, ROWS * (c->members > 0 ? c->members : 1));
    assert_int_equal(run(c, 1e-30f, logits[1], gradients[1], &P), 0);
    assert_memory_equal(logits[0], logits[1], sizeof logits[0]);
    for (size_t i = 0; i < P; i++)
        assert_true(fabsf(gradients[0][i] - gradients[1][i]) <= 1e-24f);
}

static void test_network(void **state)
{
    (void)state;
    const dt_kernels *found[OWN_KERNELS];
    const size_t count = find_own_kernels(found);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(setenv("DTRAIN_ISA", found[i]->name, 1), 0);
        assert_int_equal(dt_linalg_choose(DT_ENGINE_OWN), DT_OK);
        for (size_t n = 0; n < CASES; n++)
            check_network(&cases[n]);
    }
    assert_int_equal(unsetenv("DTRAIN_ISA"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mark),           cmocka_unit_test(test_multiply),
        cmocka_unit_test(test_steps_left_out), cmocka_unit_test(test_outer),
        cmocka_unit_test(test_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
