/* Batch normalization: what test_layers.c does not test for every layer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/nn/network.h"
#include "status_checks.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { D = 2, C = 2, MOST_ROWS = 8 };

/* Batch normalization, then a dense layer whose outputs are its inputs. */
typedef struct fixture {
    dt_network network;
    dt_workspace workspace;
    uint64_t positions[MOST_ROWS];
} fixture;

static void make(fixture *f)
{
    const dt_layer layers[] = {
        {.kind = &dt_layer_batch_norm, .epsilon = 1e-3, .momentum = 0.99},
        {.kind = &dt_layer_dense, .H = C, .activation = DT_ACTIVATION_LINEAR}};
    memset(f, 0, sizeof *f);
    assert_ok(dt_network_make(&f->network, D, layers, 2));
    dt_network_fill(&f->network, DT_INIT_GLOROT_UNIFORM, 1);
    const dt_layer *norm = &f->network.layers[0], *dense = &f->network.layers[1];
    const float gamma[D] = {2.0f, 0.5f}, beta[D] = {1.0f, -1.0f}, same[D * C] = {1, 0, 0, 1};
    memcpy(f->network.params + norm->kernel, gamma, sizeof gamma);
    memcpy(f->network.params + norm->bias, beta, sizeof beta);
    memcpy(f->network.params + dense->kernel, same, sizeof same);
    assert_ok(dt_workspace_init(&f->workspace, &f->network, MOST_ROWS, DT_BOTH_PASSES));
    f->workspace.pass = (dt_pass){.training = true, .positions = f->positions};
}

static void clear(fixture *f)
{
    dt_workspace_clear(&f->workspace);
    dt_network_clear(&f->network);
}

static const float *run_rows(fixture *f, const float *X, size_t rows)
{
    const size_t start[] = {0, rows};
    return dt_network_forward(&f->network, &f->workspace, X, &(dt_segments){1, start});
}

static void expect_floats(const float *found, const double *expected, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)found[i] - expected[i]) <= 2e-7 * (1.0 + fabs(expected[i]))))
            fail_msg("number %zu is %.9g, expected %.9g", i, (double)found[i], expected[i]);
}

static const float rows4[4 * D] = {1, 10, 2, 20, 3, 60, 6, 30};

/* The numbers are those of Keras 3.15 with the same weights, computed in float64. */
static void test_as_in_keras(void **state)
{
    (void)state;
    static fixture made;
    fixture *f = &made;
    make(f);
    const double y[4 * C] = {-1.13778448105,
                             -1.53452181816,
                             -0.0688922405243,
                             -1.26726090908,
                             1,
                             -0.198217511177,
                             4.20667648315,
                             -1};
    const double moving[2 * D] = {0.03, 0.3, 1.025, 4.49};
    const double y_inference[4 * C] = {2.91526126862, 1.28860187531, 4.88975763321, 3.64798521996,
                                       6.8642539978,  13.0855178833, 12.7877426147, 6.00736808777};
    expect_floats(run_rows(f, rows4, 4), y, 4 * C);
    dt_network_move(&f->network, &f->workspace, 0, f->network.P);
    expect_floats(f->network.params + f->network.layers[0].mean, moving, 2 * D);
    f->workspace.pass.training = false;
    expect_floats(run_rows(f, rows4, 4), y_inference, 4 * C);
    clear(f);
}

/* Sums of such numbers are exact in double, too, so that segments do not matter at all. */
static void test_segments_do_not_matter(void **state)
{
    (void)state;
    static fixture made;
    fixture *f = &made;
    make(f);
    const size_t start[] = {0, 1, 1, 3, 4};
    float whole[4 * C];
    memcpy(whole, run_rows(f, rows4, 4), sizeof whole);
    const float *parts =
        dt_network_forward(&f->network, &f->workspace, rows4, &(dt_segments){4, start});
    assert_memory_equal(parts, whole, sizeof whole);
    clear(f);
}

/* The variance of large numbers that hardly differ is not lost. */
static void test_large_mean(void **state)
{
    (void)state;
    static fixture made;
    fixture *f = &made;
    make(f);
    float X[4 * D];
    for (size_t i = 0; i < 4 * D; i++)
        X[i] = 4096.0f + (float)(i / D % 2); /* mean 4096.5, variance 1/4 */
    const double half = 0.5 / sqrt(0.25 + 1e-3);
    const double y[2 * C] = {1.0 - 2.0 * half, -1.0 - 0.5 * half, 1.0 + 2.0 * half,
                             -1.0 + 0.5 * half};
    expect_floats(run_rows(f, X, 4), y, 2 * C);
    clear(f);
}

static void test_one_row(void **state)
{
    (void)state;
    static fixture made;
    fixture *f = &made;
    make(f);
    const double beta[C] = {1.0, -1.0}, moving[2 * D] = {0.01, 0.1, 0.99, 0.99};
    expect_floats(run_rows(f, rows4, 1), beta, C);
    dt_network_move(&f->network, &f->workspace, 0, f->network.P);
    expect_floats(f->network.params + f->network.layers[0].mean, moving, 2 * D);
    clear(f);
}

/* A rank moves the averages of its slice alone. */
static void test_move_of_a_slice(void **state)
{
    (void)state;
    static fixture made;
    fixture *f = &made;
    make(f);
    const dt_layer *norm = &f->network.layers[0];
    float before[32], *params = f->network.params;
    const double moved[2] = {0.3, 1.025};
    (void)run_rows(f, rows4, 4);
    assert_true(f->network.P <= 32);
    memcpy(before, params, f->network.P * sizeof *params);
    dt_network_move(&f->network, &f->workspace, norm->mean + 1, 2);
    expect_floats(params + norm->mean + 1, moved, 2);
    before[norm->mean + 1] = params[norm->mean + 1];
    before[norm->variance] = params[norm->variance];
    assert_memory_equal(params, before, f->network.P * sizeof *params);
    clear(f);
}

static void test_not_finite(void **state)
{
    (void)state;
    static fixture made;
    fixture *f = &made;
    make(f);
    const float bad[] = {NAN, INFINITY, -INFINITY, 1e30f};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        float X[4 * D];
        memcpy(X, rows4, sizeof X);
        X[5] = bad[i];
        (void)run_rows(f, X, 4);
        assert_ptr_equal(f->workspace.unsummed, &f->network.layers[0]);
        (void)run_rows(f, rows4, 4);
        assert_null(f->workspace.unsummed);
    }
    f->workspace.pass.training = false; /* each row is by itself */
    (void)run_rows(f, (const float[D]){NAN, 1}, 1);
    assert_null(f->workspace.unsummed);
    clear(f);
}

/* ---- ranks without rows ---- */

static void count_call(void *context, dt_exact_total *totals, size_t count)
{
    (void)totals, (void)count;
    ++*(int *)context;
}

static void refuse(void *context, const dt_gradient_block *block, const float *gradient, bool fresh,
                   bool last, int thread)
{
    (void)context, (void)block, (void)gradient, (void)fresh, (void)last, (void)thread;
    fail_msg("there are no rows");
}

static void note_first(void *context, size_t first)
{
    *(size_t *)context = first;
}

/* A rank without rows takes part in the sums; a call that only asks for suffixes does not. */
static void test_without_rows(void **state)
{
    (void)state;
    static fixture made;
    fixture *f = &made;
    make(f);
    const dt_layer layers[] = {
        {.kind = &dt_layer_dense, .H = 3, .activation = DT_ACTIVATION_LINEAR},
        {.kind = &dt_layer_batch_norm, .epsilon = 1e-3, .momentum = 0.99},
        {.kind = &dt_layer_dense, .H = C, .activation = DT_ACTIVATION_LINEAR}};
    const dt_segments empty = {1, (const size_t[]){0, 0}}, none = {0, (const size_t[]){0}};
    dt_network network;
    dt_workspace w;
    int calls = 0;
    size_t first = 0;
    assert_ok(dt_network_make(&network, D, layers, 3));
    dt_network_fill(&network, DT_INIT_GLOROT_UNIFORM, 1);
    assert_ok(dt_workspace_init(&w, &network, MOST_ROWS, DT_BOTH_PASSES));
    w.pass = f->workspace.pass;
    w.sum = count_call;
    w.sum_context = &calls;
    (void)dt_network_forward(&network, &w, NULL, &empty);
    assert_int_equal(calls, 1);
    first = network.P;
    dt_network_backward(&network, &w, &empty, refuse, note_first, &first);
    assert_int_equal(calls, 2);
    assert_int_equal(first, 0);
    first = network.P;
    dt_network_backward(&network, &w, &none, NULL, note_first, &first);
    assert_int_equal(calls, 2);
    assert_int_equal(first, 0);
    w.pass.training = false;
    (void)dt_network_forward(&network, &w, NULL, &empty);
    assert_int_equal(calls, 2);
    dt_workspace_clear(&w);
    dt_network_clear(&network);
    clear(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_in_keras),     cmocka_unit_test(test_segments_do_not_matter),
        cmocka_unit_test(test_large_mean),      cmocka_unit_test(test_one_row),
        cmocka_unit_test(test_move_of_a_slice), cmocka_unit_test(test_not_finite),
        cmocka_unit_test(test_without_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
