/*
 * The network of members and encoded numbers against a reference in float64
 * (members_reference.py): outputs, predictions, losses, gradients, three steps of AdamW with
 * averaged weights.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/nn/bins.h"
#include "dtrain/nn/members.h"
#include "dtrain/nn/optimizer.h"
#include "dtrain/nn/predictor.h"
#include "dtrain/nn/spec.h"
#include "status_checks.h"

#include "members_golden.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { D = 4, K = 2, MOST = 128, CLASSES = 3 };

/* float32 of numbers around 1: the reference has 15 digits. */
#define TOLERANCE 1e-6

typedef struct task {
    dt_members_kind kind;
    dt_embedding embedding;
    const dt_loss *loss;
    size_t C;
    const dt_target *y; /* [GOLDEN_ROWS] */
    const double *params, *outputs, *prediction, *gradients, *losses, *trained, *average;
} task;

#define NUMBERS(name)                                                                              \
    golden_##name##_params, golden_##name##_outputs, golden_##name##_prediction,                   \
        golden_##name##_gradients, golden_##name##_losses, golden_##name##_trained,                \
        golden_##name##_average
static const dt_target labels[GOLDEN_ROWS] = {{0}, {1}, {2}, {1}, {0}, {2}};
static const dt_target values[GOLDEN_ROWS] = {{.value = -1.0f}, {.value = 0.5f},   {.value = 0.0f},
                                              {.value = 2.0f},  {.value = -0.25f}, {.value = 1.0f}};
static const task tasks[] = {
    {DT_MEMBERS_MINI, DT_EMBEDDING_PIECEWISE, &dt_cross_entropy, CLASSES, labels, NUMBERS(class)},
    {DT_MEMBERS_MINI, DT_EMBEDDING_PIECEWISE, &dt_mean_squared_error, 1, values, NUMBERS(value)},
    {DT_MEMBERS_FULL, DT_EMBEDDING_PIECEWISE, &dt_cross_entropy, CLASSES, labels,
     NUMBERS(full_class)},
    {DT_MEMBERS_FULL, DT_EMBEDDING_PIECEWISE, &dt_mean_squared_error, 1, values,
     NUMBERS(full_value)},
    {DT_MEMBERS_MINI, DT_EMBEDDING_PERIODIC, &dt_cross_entropy, CLASSES, labels,
     NUMBERS(waves_class)},
    {DT_MEMBERS_MINI, DT_EMBEDDING_PERIODIC, &dt_mean_squared_error, 1, values,
     NUMBERS(waves_value)},
};
enum { TASKS = sizeof tasks / sizeof *tasks };

static void expect(const char *what, size_t i, double got, double wanted)
{
    if (!(fabs(got - wanted) <= TOLERANCE * (1.0 + fabs(wanted))))
        fail_msg("%s %zu: %.9g, expected %.9g", what, i, got, wanted);
}

/* ---- the network ---- */

typedef struct fixture {
    dt_network network;
    dt_workspace workspace;
    dt_members members;
    dt_loss_rows rows;
    float X[GOLDEN_ROWS * D];
    float gradient[MOST];
} fixture;

/* As the options make it. */
static void make(fixture *f, const task *of)
{
    const size_t counts[] = {5, 4, 0, 0};
    const bool numbers[D] = {true, true, false, false};
    float edges[9];
    dt_bins bins;
    memset(f, 0, sizeof *f);
    for (size_t i = 0; i < 9; i++)
        edges[i] = (float)golden_edges[i];
    assert_ok(dt_bins_init(&bins, D));
    assert_ok(dt_bins_add(&bins, 0, edges, counts[0]));
    assert_ok(dt_bins_add(&bins, 1, edges + counts[0], counts[1]));
    const dt_spec spec = {.hidden = {2, {3, 3}},
                          .activations = {1, {DT_ACTIVATION_RELU}},
                          .embedding = of->embedding,
                          .bins = &bins,
                          .numbers = numbers,
                          .frequencies = 3,
                          .frequency_scale = 0.01,
                          .embedding_width = 2,
                          .members = K,
                          .members_kind = of->kind};
    assert_ok(dt_spec_plan(&f->network, D, &spec, of->C));
    assert_ok(dt_network_allocate(&f->network));
    dt_spec_put(&f->network, &spec);
    assert_ok(dt_network_check_constants(&f->network));
    assert_ok(dt_network_set_loss(&f->network, of->loss, of->loss->fallback, NULL));
    dt_bins_clear(&bins);
    assert_in_range(f->network.P, 1, MOST);
    for (size_t i = 0; i < f->network.P; i++)
        f->network.params[i] = (float)of->params[i];
    for (size_t i = 0; i < sizeof golden_x / sizeof *golden_x; i++)
        f->X[i] = (float)golden_x[i];
    assert_ok(dt_workspace_init(&f->workspace, &f->network, GOLDEN_ROWS, DT_BOTH_PASSES));
    assert_ok(dt_members_init(&f->members, &f->network, GOLDEN_ROWS));
    assert_ok(dt_loss_rows_init(&f->rows, of->loss, GOLDEN_ROWS));
}

static void clear(fixture *f)
{
    dt_workspace_clear(&f->workspace);
    dt_members_clear(&f->members);
    dt_loss_rows_clear(&f->rows);
    dt_network_clear(&f->network);
}

static void take(void *context, const dt_gradient_block *block, const float *gradient, bool fresh,
                 bool last, int thread)
{
    fixture *f = context;
    (void)fresh, (void)last, (void)thread;
    for (size_t i = 0; i < block->rows; i++)
        for (size_t j = 0; j < block->columns; j++)
            f->gradient[block->first + i * block->row_step + j * block->column_step] +=
                gradient[i * DT_PANEL + j] / (float)GOLDEN_ROWS;
}

static const size_t starts[] = {0, 2, 2, GOLDEN_ROWS};
static const dt_segments segments = {.count = 3, .start = starts};

static float *forward(fixture *f)
{
    f->workspace.pass.training = false;
    return dt_network_forward(&f->network, &f->workspace, f->X, &segments);
}

/* Fills in the gradient; returns the loss. */
static double go(fixture *f, const task *of)
{
    double loss = 0.0;
    dt_members_gradient(&f->members, forward(f), of->y, GOLDEN_ROWS, &f->rows);
    for (size_t i = 0; i < GOLDEN_ROWS; i++)
        loss += (double)f->rows.loss[i] / GOLDEN_ROWS;
    memset(f->gradient, 0, sizeof f->gradient);
    dt_network_backward(&f->network, &f->workspace, &segments, take, NULL, f);
    return loss;
}

/* ---- the tests ---- */

static void check_forward(const task *of)
{
    static fixture f;
    dt_predictor predictor;
    make(&f, of);
    const float *z = forward(&f);
    for (size_t i = 0; i < (size_t)GOLDEN_ROWS * K * of->C; i++)
        expect("output", i, (double)z[i], of->outputs[i]);
    assert_ok(dt_predictor_init(&predictor, &f.network, true));
    dt_predictor_run(&predictor, f.X, of->y, GOLDEN_ROWS);
    for (size_t i = 0; i < (size_t)GOLDEN_ROWS * of->C; i++)
        expect("prediction", i, (double)predictor.p[i], of->prediction[i]);
    for (size_t i = 0; i < GOLDEN_ROWS; i++) {
        const double *p = of->prediction + i * of->C;
        const double error = of->C > 1 ? 0.0 : p[0] - (double)of->y[i].value;
        expect("loss of row", i, (double)predictor.rows.loss[i],
               of->C > 1 ? -log(p[of->y[i].label]) : error * error);
    }
    dt_predictor_clear(&predictor);
    clear(&f);
}

static void test_predictions(void **state)
{
    (void)state;
    for (size_t i = 0; i < TASKS; i++)
        check_forward(&tasks[i]);
}

static void check_gradients(const task *of)
{
    static fixture f;
    make(&f, of);
    expect("loss", 0, go(&f, of), of->losses[0]);
    for (size_t i = 0; i < f.network.P; i++)
        expect("gradient", i, (double)f.gradient[i], of->gradients[i]);
    clear(&f);
}

static void test_gradients(void **state)
{
    (void)state;
    for (size_t i = 0; i < TASKS; i++)
        check_gradients(&tasks[i]);
}

static void update(fixture *f, dt_optimizer *optimizer)
{
    dt_optimizer_begin_step(optimizer);
    for (size_t t = 0; t < f->network.tensor_count; t++) {
        const dt_tensor *tensor = &f->network.tensors[t];
        dt_optimizer_update(optimizer, f->network.params, f->gradient + tensor->first,
                            tensor->first, tensor->count, tensor->decays);
    }
}

static void check_steps(const task *of)
{
    static fixture f;
    dt_optimizer optimizer;
    make(&f, of);
    assert_ok(dt_optimizer_init(&optimizer, &dt_adamw, f.network.P, 0.01));
    optimizer.weight_decay = 0.1;
    optimizer.ema = 0.998;
    assert_ok(dt_optimizer_start_average(&optimizer, f.network.params, f.network.P));
    for (size_t step = 0; step < GOLDEN_STEPS; step++) {
        expect("loss before step", step, go(&f, of), of->losses[step]);
        update(&f, &optimizer);
    }
    expect("loss after step", GOLDEN_STEPS, go(&f, of), of->losses[GOLDEN_STEPS]);
    for (size_t i = 0; i < f.network.P; i++) {
        expect("parameter", i, (double)f.network.params[i], of->trained[i]);
        expect("average", i, (double)optimizer.average[i], of->average[i]);
    }
    dt_optimizer_clear(&optimizer);
    clear(&f);
}

static void test_steps(void **state)
{
    (void)state;
    for (size_t i = 0; i < TASKS; i++)
        check_steps(&tasks[i]);
}

/* A probability that is 0 in float32 for every member leaves the loss finite. */
static void test_impossible_class(void **state)
{
    (void)state;
    static fixture f;
    make(&f, &tasks[0]);
    float z[K * CLASSES] = {200.0f, 0.0f, -200.0f, 200.0f, 0.0f, -200.0f};
    dt_members_average(&f.members, z, 1);
    f.network.loss->evaluate(z, &(dt_target){2}, 1, CLASSES, 0.0, &f.rows);
    assert_true(isfinite(f.rows.loss[0]) && f.rows.loss[0] > 80.0f);
    assert_int_equal(f.rows.predicted[0], 0);
    clear(&f);
}

/* ---- the edges ---- */

static void test_edges_of_few_values(void **state)
{
    (void)state;
    float out[DT_BINS_MAX + 1];
    const dt_value_count few[] = {{-1.0f, 5}, {0.5f, 1}, {2.0f, 7}};
    assert_int_equal(dt_bins_choose(out, few, 3, 48), 3);
    assert_true(out[0] == -1.0f && out[1] == 0.5f && out[2] == 2.0f);
    const dt_value_count binary[] = {{0.0f, 5}, {1.0f, 1}}, other[] = {{0.0f, 5}, {2.0f, 1}};
    assert_int_equal(dt_bins_choose(out, binary, 2, 48), 0);
    assert_int_equal(dt_bins_choose(out, other, 2, 48), 2);
    assert_int_equal(dt_bins_choose(out, few, 1, 48), 0);
    const dt_value_count close[] = {{0.0f, 1}, {1e-7f, 1}, {0.5f, 1}, {2.0f, 1}};
    assert_int_equal(dt_bins_choose(out, close, 4, 48), 3); /* 0 and 1e-7 are one */
    assert_true(out[1] == 0.5f);
}

/* Without ties: every n-th value. */
static void test_edges_at_quantiles(void **state)
{
    (void)state;
    enum { COUNT = 481, BINS = 48 };
    static dt_value_count list[COUNT];
    float out[DT_BINS_MAX + 1];
    for (size_t i = 0; i < COUNT; i++)
        list[i] = (dt_value_count){(float)i, 1};
    assert_int_equal(dt_bins_choose(out, list, COUNT, BINS), BINS + 1);
    for (size_t j = 0; j <= BINS; j++)
        assert_true(out[j] == (float)(10 * j));
}

/* A value of 91 % of the rows leaves bins for the others; with more than 129 values by square
 * roots, with fewer one a value. */
static void test_edges_beside_a_spike(void **state)
{
    (void)state;
    enum { COUNT = 400, BINS = 48, FEW = 120 };
    static dt_value_count list[COUNT];
    float out[DT_BINS_MAX + 1];
    for (size_t i = 0; i < COUNT; i++)
        list[i] = (dt_value_count){(float)i, i == 0 ? 4000 : 1};
    const size_t edges = dt_bins_choose(out, list, COUNT, BINS);
    assert_in_range(edges, 38, BINS);
    assert_true(out[0] == 0.0f && out[edges - 1] == (float)(COUNT - 1));
    assert_int_equal(dt_bins_choose(out, list, FEW, BINS), FEW);
    list[0].rows = 1;
    assert_int_equal(dt_bins_choose(out, list, FEW, BINS), BINS + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_predictions),
        cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_impossible_class),
        cmocka_unit_test(test_edges_of_few_values),
        cmocka_unit_test(test_edges_at_quantiles),
        cmocka_unit_test(test_edges_beside_a_spike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
