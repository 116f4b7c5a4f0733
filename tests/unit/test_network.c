#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/base/random.h"
#include "dtrain/nn/linalg.h"
#include "dtrain/nn/loss.h"
#include "dtrain/nn/network.h"
#include "dtrain/nn/spec.h"
#include "exact_activation.h"
#include "same_bits.h"
#include "status_checks.h"
#include "ulps.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the same network in double, and written from the formulas alone ---- */

enum { MAX_WIDTH = 64 };

static double activate(dt_activation activation, double z)
{
    return (double)exact_activation(activation, (long double)z);
}

/* ---- dropout ---- */

enum { MOST_ROWS = 512 };
static double dropout; /* of all networks that a test makes from here on */
static uint64_t positions[MOST_ROWS];

/* What the passes over rows from `first` on are for. */
static dt_pass pass_from(size_t first)
{
    for (size_t i = 0; i < MOST_ROWS; i++)
        positions[i] = ((uint64_t)1 << 33) + 7 * i;
    return (dt_pass){.training = dropout > 0.0,
                     .seed = 0x0123456789abcdef,
                     .epoch = 3,
                     .positions = positions + first};
}

/* Whether a unit of a row is dropped: one number of Philox, by itself. */
static bool is_dropped(const dt_layer *layer, size_t row, size_t unit)
{
    const dt_pass pass = pass_from(0);
    /* 32 numbers for 64 units: of word 0 of eight blocks, word 1, ...; a half for each unit. */
    const size_t number = unit / DT_PANEL % 2 * 16 + unit % 16;
    const uint32_t block = (uint32_t)(unit / (2 * DT_PANEL) * 8 + number % 8);
    const uint64_t q = pass.positions[row];
    const uint32_t counter[4] = {block | (uint32_t)(q >> 32) << 26,
                                 DT_RANDOM_DROPOUT | (uint32_t)layer->number << 8, (uint32_t)q,
                                 (uint32_t)pass.epoch};
    const uint32_t key[2] = {(uint32_t)pass.seed, (uint32_t)(pass.seed >> 32)};
    uint32_t numbers[4];
    dt_random_philox(numbers, counter, key);
    const uint32_t half =
        unit % DT_PANEL < 16 ? numbers[number / 8] & 0xffff : numbers[number / 8] >> 16;
    return half < (uint32_t)lround(layer->rate * 0x1p16);
}

/* Logits of one row; *nearest becomes the smallest |z| before a hidden activation. */
static void reference_row(const dt_network *net, const double *params, const float *x, size_t row,
                          double *logits, double *nearest)
{
    double in[MAX_WIDTH], out[MAX_WIDTH];
    size_t at = 0;
    for (size_t j = 0; j < net->D; j++)
        in[j] = (double)x[j];
    for (size_t l = 0; l < net->layer_count; l++) {
        const size_t D = net->layers[l].D, H = net->layers[l].H;
        if (net->layers[l].kind == &dt_layer_dropout) {
            for (size_t h = 0; h < H; h++)
                in[h] = is_dropped(&net->layers[l], row, h) ? 0 : in[h] / (1 - dropout);
            continue;
        }
        for (size_t h = 0; h < H; h++) {
            out[h] = params[at + D * H + h];
            for (size_t d = 0; d < D; d++)
                out[h] += in[d] * params[at + d * H + h];
            if (l + 1 < net->layer_count) {
                *nearest = fabs(out[h]) < *nearest ? fabs(out[h]) : *nearest;
                out[h] = activate(net->layers[l].activation, out[h]);
            }
        }
        memcpy(in, out, sizeof in);
        at += D * H + H;
    }
    memcpy(logits, in, net->C * sizeof *logits);
}

static double reference_loss(const dt_network *net, const double *params, const float *X,
                             const dt_target *y, size_t B, double *nearest)
{
    double loss = 0;
    for (size_t i = 0; i < B; i++) {
        double z[MAX_WIDTH], sum = 0;
        reference_row(net, params, X + i * net->D, i, z, nearest);
        for (size_t c = 0; c < net->C; c++)
            sum += exp(z[c] - z[y[i].label]);
        loss += log(sum);
    }
    return loss;
}

/* ---- the code's own gradient ---- */

typedef struct collected {
    float *gradient;
    int *given; /* how often each parameter came */
} collected;

/* The parameter that an element of a block is. */
static size_t parameter(const dt_gradient_block *block, size_t i, size_t j)
{
    return block->first + i * block->row_step + j * block->column_step;
}

static void collect(void *context, const dt_gradient_block *block, const float *gradient,
                    bool fresh, bool last, int thread)
{
    (void)last, (void)thread;
    collected *c = context;
    for (size_t i = 0; i < block->rows; i++)
        for (size_t j = 0; j < DT_PANEL; j++) {
            const float value = gradient[i * DT_PANEL + j];
            if (j >= block->columns) {
                assert_true(value == 0.0f);
                continue;
            }
            const size_t at = parameter(block, i, j);
            assert_int_equal(fresh, c->given[at] == 0);
            c->gradient[at] += value;
            c->given[at]++;
        }
}

/* Forward, loss, backward; returns the summed loss. Each parameter must come once a segment. */
static double run_pass(const dt_network *net, const float *X, const dt_target *y,
                       const dt_segments *segments, float *gradient)
{
    const size_t B = segments->start[segments->count];
    dt_workspace workspace;
    dt_loss_rows rows;
    assert_ok(dt_loss_rows_init(&rows, net->loss, B + 1));
    collected c = {gradient, calloc(net->P, sizeof(int))};
    assert_ok(dt_workspace_init(&workspace, net, B, DT_BOTH_PASSES));
    workspace.pass = pass_from(0);
    float *logits = dt_network_forward(net, &workspace, X, segments);
    net->loss->gradient(logits, y, B, net->C, net->loss_number, &rows);
    memset(gradient, 0, net->P * sizeof *gradient);
    dt_network_backward(net, &workspace, segments, collect, NULL, &c);
    double sum = 0;
    for (size_t i = 0; i < B; i++)
        sum += (double)rows.loss[i];
    int filled = 0;
    for (size_t s = 0; s < segments->count; s++)
        filled += segments->start[s + 1] > segments->start[s];
    for (size_t i = 0; i < net->P; i++)
        assert_int_equal(c.given[i], filled);
    dt_workspace_clear(&workspace);
    dt_loss_rows_clear(&rows);
    free(c.given);
    return sum;
}

static void draw_rows(float *X, dt_target *y, size_t B, size_t D, size_t C, uint64_t seed)
{
    dt_random random = dt_random_start(seed, DT_RANDOM_EXAMPLE, 5);
    for (size_t i = 0; i < B * D; i++)
        X[i] = (float)dt_random_normal(&random);
    for (size_t i = 0; i < B; i++)
        y[i].label = (int32_t)dt_random_below(&random, C);
}

static void make_network(dt_network *net, size_t D, const size_t *hidden, size_t count,
                         dt_activation activation, size_t C, uint64_t seed)
{
    assert_ok(dt_spec_make(net, D, hidden, count, activation, C, seed));
    assert_ok(dt_spec_set_dropout(net, dropout));
    dt_random random = dt_random_start(seed, DT_RANDOM_EXAMPLE, 77);
    for (size_t t = 0; t < net->tensor_count; t++) /* biases that matter */
        for (size_t i = 0; net->tensors[t].start == DT_START_BIAS && i < net->tensors[t].count; i++)
            net->params[net->tensors[t].first + i] = (float)(0.3 * dt_random_normal(&random));
}

static void check_gradient(size_t D, const size_t *hidden, size_t count, dt_activation activation,
                           size_t C, size_t B)
{
    dt_network net;
    float *X = calloc(B * D, sizeof *X);
    dt_target *y = calloc(B, sizeof *y);
    double nearest = 0;
    uint64_t seed = 0;
    double *params = NULL;
    /* The kink of ReLU and others is no place for a difference: draw until none is near. */
    do {
        if (seed > 0)
            dt_network_clear(&net);
        free(params);
        make_network(&net, D, hidden, count, activation, C, ++seed);
        draw_rows(X, y, B, D, C, seed);
        params = calloc(net.P, sizeof *params);
        for (size_t i = 0; i < net.P; i++)
            params[i] = (double)net.params[i];
        nearest = INFINITY;
        (void)reference_loss(&net, params, X, y, B, &nearest);
    } while (nearest < 1e-3 && seed < 1000);
    float *gradient = calloc(net.P, sizeof *gradient);
    const size_t start[4] = {0, B / 3, B / 3, B}; /* uneven, and an empty one */
    const dt_segments segments = {3, start};
    const double loss = run_pass(&net, X, y, &segments, gradient);
    double ignored = 0;
    const double expected_loss = reference_loss(&net, params, X, y, B, &ignored);
    if (!(fabs(loss - expected_loss) <= 1e-5 * (1 + fabs(expected_loss))))
        fail_msg("loss %g, expected %g", loss, expected_loss);
    for (size_t i = 0; i < net.P; i++) {
        const double h = 1e-5, middle = params[i];
        params[i] = middle + h;
        const double above = reference_loss(&net, params, X, y, B, &ignored);
        params[i] = middle - h;
        const double below = reference_loss(&net, params, X, y, B, &ignored);
        params[i] = middle;
        const double expected = (above - below) / (2 * h);
        if (!(fabs((double)gradient[i] - expected) <= 2e-5 * (1 + fabs(expected))))
            fail_msg("%s, %zu hidden layers, D %zu, C %zu: parameter %zu has gradient %g, "
                     "expected %g",
                     dt_activation_name(activation), count, D, C, i, (double)gradient[i], expected);
    }
    dt_network_clear(&net);
    free(X);
    free(y);
    free(params);
    free(gradient);
}

static void check_gradients(void)
{
    static const size_t shapes[][3] = {{5, 4, 3}, {1, 1, 1}, {7, 1, 6}};
    const size_t inputs[] = {1, 6}, classes[] = {2, 5};
    const size_t step = ulps_count(3, 1);
    for (int a = DT_ACTIVATION_RELU; a <= DT_ACTIVATION_LINEAR; a++)
        for (size_t count = 0; count <= 3; count++)
            for (size_t s = 0; s < (count == 0 ? 1 : 3); s++)
                for (size_t ends = step == 1 ? 0 : s; ends < 4; ends += step)
                    check_gradient(inputs[ends / 2], shapes[s], count, (dt_activation)a,
                                   classes[ends % 2], 7);
    check_gradient(20, (const size_t[]){33}, 1, DT_ACTIVATION_TANH, 10, 50);
    check_gradient(3, NULL, 0, DT_ACTIVATION_RELU, 64, 5);
}

static void test_gradients(void **state)
{
    (void)state;
    check_gradients();
}

static void test_gradients_with_dropout(void **state)
{
    (void)state;
    dropout = 0.4;
    check_gradients();
    dropout = 0.0;
}

/* As many units as the rate says, the others scaled; others in another epoch, row and layer;
 * none in inference. */
static void test_dropout(void **state)
{
    (void)state;
    enum { D = 3, H = 1000, B = 40 };
    dt_network net;
    dt_workspace w;
    float X[B * D];
    dt_target y[B];
    const size_t start[] = {0, B};
    const dt_segments segments = {1, start};
    dropout = 0.25;
    make_network(&net, D, (const size_t[]){H, H}, 2, DT_ACTIVATION_SIGMOID, 2, 3);
    assert_int_equal(net.layer_count, 5);
    assert_ptr_equal(net.layers[3].kind, &dt_layer_dropout);
    assert_int_equal(net.layers[3].number, 1);
    draw_rows(X, y, B, D, 2, 3);
    assert_ok(dt_workspace_init(&w, &net, B, DT_BOTH_PASSES));
    w.pass = pass_from(0);
    size_t dropped = 0, same_row = 0, same_layer = 0, same_epoch = 0;
    static bool gone[2][B][H];
    for (uint64_t epoch = 3; epoch <= 4; epoch++) {
        w.pass.epoch = epoch;
        (void)dt_network_forward(&net, &w, X, &segments);
        for (size_t n = 0; n < 2; n++)
            for (size_t i = 0; i < B; i++)
                for (size_t h = 0; h < H; h++) {
                    const float in = dt_panels_at(&w.outputs[2 * n], i, h / DT_PANEL)[h % DT_PANEL];
                    const float out =
                        dt_panels_at(&w.outputs[2 * n + 1], i, h / DT_PANEL)[h % DT_PANEL];
                    const bool is_gone = out == 0.0f;
                    assert_true(is_gone || out == in * (float)(1 / 0.75)); /* in > 0: sigmoid */
                    if (epoch == 3) {
                        assert_int_equal(is_gone, is_dropped(&net.layers[2 * n + 1], i, h));
                        gone[n][i][h] = is_gone;
                        dropped += is_gone;
                        same_row += i > 0 && is_gone && gone[n][i - 1][h];
                        same_layer += n > 0 && is_gone && gone[0][i][h];
                    } else {
                        same_epoch += is_gone && gone[n][i][h];
                    }
                }
    }
    /* Binomial counts, within five standard errors. */
    const double numbers = 2.0 * B * H;
    assert_true(fabs((double)dropped - 0.25 * numbers) < 5 * sqrt(numbers * 0.25 * 0.75));
    const double pairs[][2] = {{(double)same_row, 2.0 * (B - 1) * H},
                               {(double)same_layer, 1.0 * B * H},
                               {(double)same_epoch, numbers}};
    for (size_t i = 0; i < 3; i++)
        assert_true(fabs(pairs[i][0] - pairs[i][1] / 16) < 5 * sqrt(pairs[i][1] * 15 / 256));
    /* Inference is the network without the layers. */
    float with[B * 2];
    w.pass = (dt_pass){0};
    memcpy(with, dt_network_forward(&net, &w, X, &segments), sizeof with);
    dt_workspace_clear(&w);
    assert_ok(dt_workspace_init(&w, &net, B, DT_FORWARD_PASS));
    assert_null(w.outputs[1].data);
    assert_memory_equal(with, dt_network_forward(&net, &w, X, &segments), sizeof with);
    dropout = 0.0;
    dt_network plain;
    make_network(&plain, D, (const size_t[]){H, H}, 2, DT_ACTIVATION_SIGMOID, 2, 3);
    dt_workspace_clear(&w);
    assert_ok(dt_workspace_init(&w, &plain, B, DT_BOTH_PASSES));
    assert_memory_equal(with, dt_network_forward(&plain, &w, X, &segments), sizeof with);
    dt_workspace_clear(&w);
    dt_network_clear(&plain);
    dt_network_clear(&net);
}

/* A kernel of many blocks. */
static void test_gradient_in_panels(void **state)
{
    (void)state;
    enum { D = 300, H = 1000, C = 3, B = 4 };
    dt_network net;
    dt_workspace workspace;
    make_network(&net, D, (const size_t[]){H}, 1, DT_ACTIVATION_TANH, C, 3);
    static float X[B * D], dW[D * H];
    dt_target y[B];
    draw_rows(X, y, B, D, C, 3);
    float *gradient = calloc(net.P, sizeof *gradient);
    const size_t start[] = {0, B};
    const dt_segments segments = {1, start};
    (void)run_pass(&net, X, y, &segments, gradient);
    assert_ok(dt_workspace_init(&workspace, &net, B, DT_BOTH_PASSES));
    float *logits = dt_network_forward(&net, &workspace, X, &segments);
    float loss[B];
    int32_t predicted[B];
    const dt_loss_rows rows = {.loss = loss, .predicted = predicted};
    net.loss->gradient(logits, y, B, C, net.loss_number, &rows);
    collected ignored = {calloc(net.P, sizeof(float)), calloc(net.P, sizeof(int))};
    dt_network_backward(&net, &workspace, &segments, collect, NULL, &ignored);
    for (size_t d = 0; d < D; d++) /* X^T dY, from the workspace's own dY */
        for (size_t h = 0; h < H; h++) {
            double sum = 0;
            for (size_t i = 0; i < B; i++)
                sum += (double)X[i * D + d] *
                       (double)dt_panels_at(&workspace.deltas[0], i, h / DT_PANEL)[h % DT_PANEL];
            dW[d * H + h] = (float)sum;
        }
    for (size_t i = 0; i < (size_t)D * H; i++)
        assert_true(fabs((double)(gradient[i] - dW[i])) <= 1e-5);
    dt_workspace_clear(&workspace);
    dt_network_clear(&net);
    free(gradient);
    free(ignored.gradient);
    free(ignored.given);
}

/* ---- segments ---- */

typedef struct per_segment {
    float *gradients; /* [segments, P] */
    size_t P;
    size_t *pieces; /* of each first parameter seen: how many segments gave it */
} per_segment;

static void sort_out(void *context, const dt_gradient_block *block, const float *gradient,
                     bool fresh, bool last, int thread)
{
    (void)last, (void)thread;
    per_segment *p = context;
    assert_int_equal(fresh, p->pieces[block->first] == 0);
    float *to = p->gradients + p->pieces[block->first]++ * p->P;
    for (size_t i = 0; i < block->rows; i++)
        for (size_t j = 0; j < block->columns; j++)
            to[parameter(block, i, j)] = gradient[i * DT_PANEL + j];
}

static void check_segments(size_t D, const size_t *hidden, size_t count, size_t C,
                           const size_t *start, size_t segment_count)
{
    const size_t B = start[segment_count];
    dt_network net;
    dt_workspace together, alone;
    make_network(&net, D, hidden, count, DT_ACTIVATION_SIGMOID, C, 11);
    float *X = calloc(B * D, sizeof *X);
    dt_target *y = calloc(B, sizeof *y);
    dt_loss_rows rows, own_rows;
    assert_ok(dt_loss_rows_init(&rows, net.loss, B));
    assert_ok(dt_loss_rows_init(&own_rows, net.loss, B));
    draw_rows(X, y, B, D, C, 4);
    per_segment p = {calloc(segment_count * net.P, sizeof(float)), net.P,
                     calloc(net.P, sizeof(size_t))};
    per_segment single = {calloc(net.P, sizeof(float)), net.P, calloc(net.P, sizeof(size_t))};
    assert_ok(dt_workspace_init(&together, &net, B, DT_BOTH_PASSES));
    assert_ok(dt_workspace_init(&alone, &net, B, DT_BOTH_PASSES));
    const dt_segments all = {segment_count, start};
    together.pass = pass_from(0);
    float *logits = dt_network_forward(&net, &together, X, &all);
    net.loss->gradient(logits, y, B, C, net.loss_number, &rows);
    dt_network_backward(&net, &together, &all, sort_out, NULL, &p);
    for (size_t s = 0, filled = 0; s < segment_count; s++) {
        const size_t own_count = start[s + 1] - start[s];
        if (own_count == 0)
            continue;
        const size_t own[2] = {0, own_count};
        const dt_segments one = {1, own};
        alone.pass = pass_from(start[s]);
        float *own_logits = dt_network_forward(&net, &alone, X + start[s] * D, &one);
        net.loss->gradient(own_logits, y + start[s], own_count, C, net.loss_number, &own_rows);
        memset(single.pieces, 0, net.P * sizeof(size_t));
        dt_network_backward(&net, &alone, &one, sort_out, NULL, &single);
        assert_memory_equal(own_rows.loss, rows.loss + start[s], own_count * sizeof(float));
        assert_memory_equal(own_logits, logits + start[s] * C, own_count * C * sizeof(float));
        assert_memory_equal(single.gradients, p.gradients + filled++ * net.P,
                            net.P * sizeof(float));
    }
    dt_workspace_clear(&together);
    dt_workspace_clear(&alone);
    dt_network_clear(&net);
    free(X);
    free(y);
    dt_loss_rows_clear(&rows);
    dt_loss_rows_clear(&own_rows);
    free(p.gradients);
    free(p.pieces);
    free(single.gradients);
    free(single.pieces);
}

static void test_a_segment_is_its_own_rows_alone(void **state)
{
    (void)state;
    const size_t even[] = {0, 13, 26, 39, 52, 64, 76, 88, 100}; /* 100 rows on 8 shards */
    const size_t uneven[] = {0, 1, 1, 30, 31, 31, 100};
    const size_t empty_ends[] = {0, 0, 5, 5};
    for (int round = 0; round < 2; round++) {
        dropout = 0.3 * round;
        check_segments(51, (const size_t[]){30}, 1, 2, even, 8);
        check_segments(51, NULL, 0, 2, even, 8);
        check_segments(7, (const size_t[]){64, 33}, 2, 5, uneven, 6);
        check_segments(300, (const size_t[]){512}, 1, 10, uneven, 6);
        check_segments(900, (const size_t[]){130}, 1, 70, uneven, 6);
        check_segments(130, (const size_t[]){65}, 1, 2, even, 8);
        check_segments(1, (const size_t[]){1, 1, 1}, 3, 2, empty_ends, 3);
    }
    dropout = 0.0;
}

/* ---- what is reported as final ---- */

enum { MOST_FINAL = 8192 };

typedef struct told {
    collected given;
    int segments; /* with rows */
    size_t looks; /* calls without anything new */
    size_t count, first[MOST_FINAL];
} told;

static void collect_told(void *context, const dt_gradient_block *block, const float *gradient,
                         bool fresh, bool last, int thread)
{
    told *t = context;
    collect(&t->given, block, gradient, fresh, last, thread);
}

/* A suffix that grows, and all of whose gradients are complete. */
static void note_final(void *context, size_t first)
{
    told *t = context;
    const size_t before = t->first[t->count - 1];
    assert_true(first <= before);
    t->looks += first == before;
    if (first == before)
        return;
    for (size_t i = first; i < before; i++)
        assert_int_equal(t->given.given[i], t->segments);
    assert_true(t->count < MOST_FINAL);
    t->first[t->count++] = first;
}

static void check_done(const dt_network *net, const dt_segments *segments, told *out)
{
    const size_t B = segments->count > 0 ? segments->start[segments->count] : 0;
    dt_workspace workspace;
    float *X = calloc(B * net->D + 1, sizeof *X);
    dt_target *y = calloc(B + 1, sizeof *y);
    dt_loss_rows rows;
    assert_ok(dt_loss_rows_init(&rows, net->loss, B + 1));
    draw_rows(X, y, B, net->D, net->C, 8);
    *out = (told){.given = {calloc(net->P, sizeof(float)), calloc(net->P, sizeof(int))},
                  .count = 1,
                  .first = {net->P}};
    for (size_t s = 0; s < segments->count; s++)
        out->segments += segments->start[s + 1] > segments->start[s];
    assert_ok(dt_workspace_init(&workspace, net, B, DT_BOTH_PASSES));
    float *logits = dt_network_forward(net, &workspace, X, segments);
    net->loss->gradient(logits, y, B, net->C, net->loss_number, &rows);
    dt_network_backward(net, &workspace, segments, collect_told, note_final, out);
    assert_int_equal(out->first[out->count - 1], 0);
    for (size_t l = 0; l < net->layer_count; l++) { /* no layer waits for the one before it */
        size_t n = 0;
        while (out->first[n] != net->layers[l].kernel)
            assert_true(++n < out->count);
    }
    /* In each block of a kernel, and on each layer's way back. */
    assert_true(out->looks + 1 >= net->layer_count);
    dt_workspace_clear(&workspace);
    free(X);
    free(y);
    dt_loss_rows_clear(&rows);
    free(out->given.gradient);
    free(out->given.given);
}

static void test_what_is_done(void **state)
{
    (void)state;
    static const size_t shapes[][3] = {{5, 4, 3}, {1000, 3, 70}, {1, 1, 200000}};
    const size_t starts[][5] = {{0, 3, 3, 7, 9}, {0, 0, 0, 0, 1}, {0, 0, 0, 0, 0}};
    for (size_t count = 0; count <= 3; count++)
        for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
            dt_network net;
            told usual, now;
            make_network(&net, 300, shapes[s], count, DT_ACTIVATION_RELU, 4, 3);
            check_done(&net, &(dt_segments){4, starts[0]}, &usual);
            for (size_t i = 1; i < sizeof starts / sizeof *starts; i++) {
                check_done(&net, &(dt_segments){4, starts[i]}, &now);
                assert_int_equal(now.count, usual.count);
                assert_memory_equal(now.first, usual.first, sizeof now.first);
            }
            check_done(&net, &(dt_segments){0, starts[0]}, &now);
            assert_memory_equal(now.first, usual.first, sizeof now.first);
            dt_network_clear(&net);
        }
}

/* ---- making networks ---- */

static void test_glorot(void **state)
{
    (void)state;
    const size_t hidden[] = {200, 50};
    dt_network a, b, other;
    assert_ok(dt_spec_make(&a, 100, hidden, 2, DT_ACTIVATION_RELU, 3, 42));
    assert_ok(dt_spec_make(&b, 100, hidden, 2, DT_ACTIVATION_RELU, 3, 42));
    assert_ok(dt_spec_make(&other, 100, hidden, 2, DT_ACTIVATION_RELU, 3, 43));
    assert_int_equal(a.P, 100 * 200 + 200 + 200 * 50 + 50 + 50 * 3 + 3);
    assert_memory_equal(a.params, b.params, a.P * sizeof(float));
    size_t equal = 0;
    for (size_t l = 0; l < 3; l++) {
        const dt_layer *layer = &a.layers[l];
        const size_t count = layer->D * layer->H;
        const double limit = sqrt(6.0 / (double)(layer->D + layer->H));
        double sum = 0, squares = 0, largest = 0;
        for (size_t i = 0; i < count; i++) {
            const double w = (double)a.params[layer->kernel + i];
            sum += w;
            squares += w * w;
            largest = fabs(w) > largest ? fabs(w) : largest;
            equal += memcmp(&a.params[layer->kernel + i], &other.params[layer->kernel + i], 4) == 0;
        }
        /* Five standard errors of a uniform distribution. */
        const double n = (double)count;
        assert_true(largest <= (double)(float)limit);
        assert_true(largest > limit * (1 - 20 / n));
        assert_true(fabs(sum / n) <= 5 * limit / sqrt(3 * n));
        assert_true(fabs(squares / n - limit * limit / 3) <= 5 * 0.3 * limit * limit / sqrt(n));
        for (size_t h = 0; h < layer->H; h++)
            assert_memory_equal(&a.params[layer->bias + h], &(float){0}, sizeof(float));
    }
    assert_true(equal < 3);
    /* Layers do not share numbers: seen when both are brought to [-1, 1). */
    size_t alike = 0;
    for (size_t i = 0; i < 100; i++) {
        const double first = (double)a.params[i] / sqrt(6.0 / (100 + 200));
        const double second = (double)a.params[a.layers[1].kernel + i] / sqrt(6.0 / (200 + 50));
        alike += fabs(first - second) < 1e-6;
    }
    assert_int_equal(alike, 0);
    dt_network_clear(&a);
    dt_network_clear(&b);
    dt_network_clear(&other);
    dt_network_clear(&a); /* a zeroed one is allowed */
}

static void test_layout(void **state)
{
    (void)state;
    dt_network net;
    const size_t hidden[] = {4, 2};
    assert_ok(dt_spec_make(&net, 3, hidden, 2, DT_ACTIVATION_TANH, 5, 1));
    assert_int_equal(net.layer_count, 3);
    assert_int_equal(net.P, 16 + 10 + 15);
    assert_int_equal(net.layers[1].kernel, 16);
    assert_int_equal(net.layers[1].bias, 24);
    assert_int_equal(net.layers[0].activation, DT_ACTIVATION_TANH);
    assert_int_equal(net.layers[2].activation, DT_ACTIVATION_LINEAR);
    const dt_tensor expected[] = {
        {0, "kernel", 0, 12, {3, 4}, .start = DT_START_RANDOM, .decays = true},
        {0, "bias", 12, 4, {4, 0}, .start = DT_START_BIAS},
        {1, "kernel", 16, 8, {4, 2}, .start = DT_START_RANDOM, .decays = true},
        {1, "bias", 24, 2, {2, 0}, .start = DT_START_BIAS},
        {2, "kernel", 26, 10, {2, 5}, .start = DT_START_RANDOM, .decays = true},
        {2, "bias", 36, 5, {5, 0}, .start = DT_START_BIAS},
    };
    enum { TENSORS = sizeof expected / sizeof *expected };
    assert_int_equal(net.tensor_count, TENSORS);
    for (size_t t = 0, i = 0; t < TENSORS; t++) {
        const dt_tensor *tensor = &net.tensors[t], *e = &expected[t];
        assert_int_equal(tensor->layer, e->layer);
        assert_string_equal(tensor->name, e->name);
        assert_int_equal(tensor->first, i);
        assert_int_equal(tensor->count, e->count);
        assert_memory_equal(tensor->dims, e->dims, sizeof e->dims);
        assert_int_equal(tensor->start, e->start);
        assert_int_equal(tensor->decays, e->decays);
        for (; i < e->first + e->count; i++)
            assert_ptr_equal(dt_network_tensor_of(&net, i), tensor);
    }
    dt_network_clear(&net);
}

static void test_too_large(void **state)
{
    (void)state;
    const size_t huge = (size_t)INT_MAX + 1, wide = INT_MAX;
    const struct {
        size_t D, hidden[3], count, C;
    } cases[] = {{huge, {1}, 1, 2},       {1, {huge}, 1, 2},     {1, {1}, 1, huge},
                 {wide, {wide, 2}, 2, 2}, {1, {SIZE_MAX}, 1, 2}, {wide, {wide, wide, wide}, 3, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dt_network net;
        assert_int_equal(dt_spec_make(&net, cases[i].D, cases[i].hidden, cases[i].count,
                                      DT_ACTIVATION_RELU, cases[i].C, 1),
                         DT_MEMORY);
        assert_null(net.params);
        assert_null(net.layers);
    }
    dt_network net;
    dt_workspace workspace;
    assert_ok(dt_spec_make(&net, 2, (const size_t[]){8}, 1, DT_ACTIVATION_RELU, 2, 1));
    assert_int_equal(dt_workspace_init(&workspace, &net, SIZE_MAX / 4, DT_BOTH_PASSES), DT_MEMORY);
    assert_null(workspace.outputs);
    assert_int_equal(dt_workspace_init(&workspace, &net, SIZE_MAX / 64, DT_BOTH_PASSES), DT_MEMORY);
    assert_null(workspace.outputs);
    dt_network_clear(&net);
    /* So many rows that their product with the units is 2^64, which looks like 0. */
    assert_ok(dt_spec_make(&net, 2, (const size_t[]){8}, 1, DT_ACTIVATION_RELU, 8, 1));
    assert_int_equal(dt_workspace_init(&workspace, &net, (size_t)1 << 61, DT_BOTH_PASSES),
                     DT_MEMORY);
    dt_network_clear(&net);
}

/* The same layout as a network to be trained has, each layer with an activation of its own. */
static void test_made_of_zeros(void **state)
{
    (void)state;
    const size_t widths[] = {5, 7, 4, 3}, hidden[] = {7, 4};
    const dt_activation activations[] = {DT_ACTIVATION_TANH, DT_ACTIVATION_SIGMOID,
                                         DT_ACTIVATION_LINEAR};
    dt_network made, trained;
    dt_layer layers[3];
    for (size_t l = 0; l < 3; l++)
        layers[l] =
            (dt_layer){.kind = &dt_layer_dense, .H = widths[l + 1], .activation = activations[l]};
    assert_int_equal(dt_network_make(&made, 5, layers, 3), DT_OK);
    assert_int_equal(dt_spec_make(&trained, 5, hidden, 2, DT_ACTIVATION_RELU, 3, 1), DT_OK);
    assert_int_equal(made.D, 5);
    assert_int_equal(made.C, 3);
    assert_int_equal(made.P, trained.P);
    for (size_t l = 0; l < 3; l++) {
        assert_int_equal(made.layers[l].activation, activations[l]);
        assert_int_equal(made.layers[l].D, widths[l]);
        assert_int_equal(made.layers[l].H, widths[l + 1]);
        assert_int_equal(made.layers[l].kernel, trained.layers[l].kernel);
        assert_int_equal(made.layers[l].bias, trained.layers[l].bias);
    }
    for (size_t i = 0; i < made.P; i++)
        assert_true(made.params[i] >= 0.0f && made.params[i] <= 0.0f);
    dt_network_clear(&trained);
    dt_network_clear(&made);
    layers[2].H = (size_t)1 << 40;
    assert_int_equal(dt_network_make(&made, 5, layers, 3), DT_MEMORY);
    assert_null(made.layers);
}

/* ---- what the outputs are ---- */

static void test_units_of_targets(void **state)
{
    (void)state;
    dt_network net;
    make_network(&net, 3, NULL, 0, DT_ACTIVATION_RELU, 2, 1);
    assert_ptr_equal(net.loss, &dt_cross_entropy);
    dt_target y[] = {{.value = 5}, {.value = -30}, {.value = 2}, {.value = 10}}, kept[4];
    memcpy(kept, y, sizeof y);
    dt_network_standardise(&net, y, 2); /* labels */
    assert_memory_equal(y, kept, sizeof y);
    dt_target_scale scale[] = {{3, 0.5}, {10, 20}};
    assert_ok(dt_network_set_loss(&net, &dt_huber, 1.5, scale));
    scale[0].mean = 77; /* it is a copy */
    assert_ptr_equal(net.loss, &dt_huber);
    assert_true(same_bits(net.loss_number, 1.5));
    dt_network_standardise(&net, y, 2);
    const float expected[] = {4, -2, -2, 0};
    for (size_t i = 0; i < 4; i++)
        assert_true(same_bits((double)y[i].value, (double)expected[i]));
    float predictions[4];
    memcpy(predictions, expected, sizeof predictions);
    dt_network_restore_units(&net, predictions, 2);
    assert_memory_equal(predictions, kept, sizeof predictions);
    assert_ok(dt_network_set_loss(&net, &dt_mean_squared_error, 0, NULL)); /* in their own units */
    dt_network_restore_units(&net, predictions, 2);
    assert_memory_equal(predictions, kept, sizeof predictions);
    dt_network_clear(&net);
}

int main(void)
{
    dt_linalg_init(1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_gradients_with_dropout),
        cmocka_unit_test(test_dropout),
        cmocka_unit_test(test_gradient_in_panels),
        cmocka_unit_test(test_a_segment_is_its_own_rows_alone),
        cmocka_unit_test(test_what_is_done),
        cmocka_unit_test(test_glorot),
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_made_of_zeros),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_units_of_targets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
