/*
 * Tests for every kind of layer in the list: gradients agree with central differences, segments do
 * not affect each other, every gradient is given once, and a second pass gives the same bits. A new
 * kind in the list needs a network here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/base/random.h"
#include "dtrain/nn/linalg.h"
#include "dtrain/nn/network.h"
#include "dtrain/nn/spec.h"
#include "status_checks.h"
#include "ulps.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { D = 37, C = 3, ROWS = 11, MOST = 10000, MOST_OUTPUTS = 80 };

/* A network with a layer of the kind, and the options that the other ranks would be sent. */
typedef struct example {
    const dt_layer_kind *kind;
    size_t count;
    dt_layer layers[10];
} example;

#define DENSE(units, function)                                                                     \
    {                                                                                              \
        .kind = &dt_layer_dense, .H = (units), .activation = DT_ACTIVATION_##function              \
    }
#define DENSE_WITHOUT_BIAS(units, function)                                                        \
    {                                                                                              \
        .kind = &dt_layer_dense, .H = (units), .activation = DT_ACTIVATION_##function,             \
        .biases = DT_BIAS_NONE                                                                     \
    }
/* Between layers, and with shifts. */
#define SCALE(number)                                                                              \
    {                                                                                              \
        .kind = &dt_layer_member_scale, .members = (number), .start = DT_SCALES_ONES               \
    }
#define SHIFT(number)                                                                              \
    {                                                                                              \
        .kind = &dt_layer_member_scale, .members = (number), .start = DT_SCALES_ONES,              \
        .shifts = DT_SHIFTS_MEMBERS                                                                \
    }
#define NORM(norm)                                                                                 \
    {                                                                                              \
        .kind = &dt_layer_##norm##_norm, .epsilon = 1e-3                                           \
    }
#define BATCH_NORM                                                                                 \
    {                                                                                              \
        .kind = &dt_layer_batch_norm, .epsilon = 1e-3, .momentum = 0.9                             \
    }
#define DROPOUT(share)                                                                             \
    {                                                                                              \
        .kind = &dt_layer_dropout, .rate = (share)                                                 \
    }

#define NOISE(of)                                                                                  \
    {                                                                                              \
        .kind = &dt_layer_noise, .deviation = (of)                                                 \
    }

/* Of each seventh input (set_edges). */
#define PIECEWISE(outputs)                                                                         \
    {                                                                                              \
        .kind = &dt_layer_piecewise_linear, .encoded = ENCODED, .edges = EDGES, .width = (outputs) \
    }
static const size_t edge_counts[] = {2, 3, 5, 9, 60};
enum { ENCODED = 5, EDGES = 79 };

/* Of each seventh input (set_waves). */
#define PERIODIC(of_each, outputs)                                                                 \
    {                                                                                              \
        .kind = &dt_layer_periodic, .encoded = ENCODED, .frequencies = (of_each),                  \
        .width = (outputs), .deviation = 0.25                                                      \
    }

/* Of 17 inputs (set_columns). */
#define CATEGORIES(outputs)                                                                        \
    {                                                                                              \
        .kind = &dt_layer_category_embedding, .encoded = 17, .groups = 4, .width = (outputs)       \
    }

/* Units that fill no panel, and more than one. */
static const example listed[] = {
    {&dt_layer_dense, 3, {DENSE(40, TANH), DENSE(33, SIGMOID), DENSE(C, LINEAR)}},
    {&dt_layer_dense, 2, {DENSE(7, TANH), DENSE(40, LINEAR)}}, /* its last layer is not narrow */
    {&dt_layer_dense, 2, {DENSE_WITHOUT_BIAS(7, TANH), DENSE_WITHOUT_BIAS(C, LINEAR)}},
    {&dt_layer_dense, 2, {DENSE(7, TANH), DENSE_WITHOUT_BIAS(40, LINEAR)}},
    {&dt_layer_normalization,
     3,
     {{.kind = &dt_layer_normalization}, DENSE(40, TANH), DENSE(C, LINEAR)}},
    {&dt_layer_dropout,
     5,
     {DENSE(40, TANH), DROPOUT(0.2), DENSE(33, SIGMOID), DROPOUT(0.5), DENSE(C, LINEAR)}},
    /* Of the inputs, and elsewhere. */
    {&dt_layer_noise,
     6,
     {{.kind = &dt_layer_normalization},
      NOISE(0.25),
      DENSE(40, TANH),
      NOISE(0.5),
      DENSE(33, SIGMOID),
      DENSE(C, LINEAR)}},
    {&dt_layer_noise, 3, {DENSE(33, SIGMOID), NOISE(0.5), DENSE(C, LINEAR)}},
    {&dt_layer_activation,
     5,
     {DENSE(40, LINEAR),
      {.kind = &dt_layer_activation, .activation = DT_ACTIVATION_TANH},
      DENSE(33, SIGMOID),
      {.kind = &dt_layer_activation, .activation = DT_ACTIVATION_SIGMOID},
      DENSE(C, LINEAR)}},
    /* An exponential that has no kink at the threshold; limits and slopes: test_rectifier.c. */
    {&dt_layer_rectifier,
     5,
     {DENSE(40, TANH),
      {.kind = &dt_layer_rectifier, .curve = 1.0},
      DENSE(33, SIGMOID),
      {.kind = &dt_layer_rectifier, .threshold = -1e6},
      DENSE(C, LINEAR)}},
    /* Away from the kink: all inputs below it, or all above. */
    {&dt_layer_prelu,
     9,
     {DENSE(40, TANH),
      {.kind = &dt_layer_rectifier, .slope = 1.0, .threshold = 2.0},
      {.kind = &dt_layer_prelu},
      DENSE(40, TANH),
      {.kind = &dt_layer_rectifier, .slope = 1.0, .threshold = 2.0},
      {.kind = &dt_layer_prelu, .slopes = DT_SLOPES_ONE},
      DENSE(7, SIGMOID),
      {.kind = &dt_layer_prelu},
      DENSE(C, LINEAR)}},
    {&dt_layer_rectifier,
     3,
     {{.kind = &dt_layer_rectifier, .slope = 0.3, .threshold = 1e6, .curve = 0.5},
      DENSE(33, TANH),
      DENSE(C, LINEAR)}},
    /* A residual block, then one around it that begins at the same layer. */
    {&dt_layer_add,
     7,
     {DENSE(40, TANH),
      DENSE(40, SIGMOID),
      DROPOUT(0.25),
      {.kind = &dt_layer_add, .source = 0},
      {.kind = &dt_layer_activation, .activation = DT_ACTIVATION_TANH},
      {.kind = &dt_layer_add, .source = 0},
      DENSE(C, LINEAR)}},
    /* Before the first dense layer, and of a layer's outputs to themselves. */
    {&dt_layer_dropout, 3, {DROPOUT(0.25), DENSE(33, TANH), DENSE(C, LINEAR)}},
    {&dt_layer_activation,
     4,
     {{.kind = &dt_layer_normalization},
      {.kind = &dt_layer_activation, .activation = DT_ACTIVATION_TANH},
      DENSE(33, TANH),
      DENSE(C, LINEAR)}},
    {&dt_layer_add,
     4,
     {DENSE(33, TANH), DROPOUT(0.25), {.kind = &dt_layer_add, .source = 0}, DENSE(C, LINEAR)}},
    {&dt_layer_add,
     3,
     {DENSE(33, SIGMOID), {.kind = &dt_layer_add, .source = 0}, DENSE(C, LINEAR)}},
    /* Behind a padding that is not zeros, and behind one that is; of the inputs. */
    {&dt_layer_layer_norm,
     5,
     {DENSE(40, SIGMOID), NORM(layer), DENSE(33, LINEAR), NORM(layer), DENSE(C, LINEAR)}},
    {&dt_layer_rms_norm,
     5,
     {DENSE(40, SIGMOID), NORM(rms), DENSE(33, LINEAR), NORM(rms), DENSE(C, LINEAR)}},
    {&dt_layer_layer_norm, 4, {NORM(layer), DENSE(64, GELU), NORM(rms), DENSE(C, LINEAR)}},
    {&dt_layer_batch_norm,
     5,
     {DENSE(40, SIGMOID), BATCH_NORM, DENSE(33, LINEAR), BATCH_NORM, DENSE(C, LINEAR)}},
    {&dt_layer_batch_norm, 4, {BATCH_NORM, DENSE(64, GELU), NORM(layer), DENSE(C, LINEAR)}},
    {&dt_layer_batch_norm,
     8,
     {DENSE(40, SILU),
      DROPOUT(0.25),
      DENSE(40, LINEAR),
      BATCH_NORM,
      {.kind = &dt_layer_activation, .activation = DT_ACTIVATION_SILU},
      DROPOUT(0.25),
      {.kind = &dt_layer_add, .source = 1},
      DENSE(C, LINEAR)}},
    /* What --norm, --residual and --dropout make. */
    {&dt_layer_rms_norm,
     8,
     {DENSE(40, SILU),
      DROPOUT(0.25),
      DENSE(40, LINEAR),
      NORM(rms),
      {.kind = &dt_layer_activation, .activation = DT_ACTIVATION_SILU},
      DROPOUT(0.25),
      {.kind = &dt_layer_add, .source = 1},
      DENSE(C, LINEAR)}},
    /* What is added are the outputs of a dropout layer. */
    {&dt_layer_add,
     5,
     {DENSE(33, TANH),
      DROPOUT(0.5),
      DENSE(33, TANH),
      {.kind = &dt_layer_add, .source = 1},
      DENSE(C, LINEAR)}},
    /* Outputs that cross from one panel to the next; more bins than a block has rows. */
    {&dt_layer_piecewise_linear, 3, {PIECEWISE(11), DENSE(33, TANH), DENSE(C, LINEAR)}},
    {&dt_layer_piecewise_linear,
     4,
     {{.kind = &dt_layer_normalization}, NOISE(0.1), PIECEWISE(1), DENSE(C, LINEAR)}},
    /* Halves of the kernel that meet within a panel, and that fill more than one. */
    {&dt_layer_periodic, 3, {PERIODIC(40, 11), DENSE(33, TANH), DENSE(C, LINEAR)}},
    {&dt_layer_periodic,
     5,
     {{.kind = &dt_layer_normalization},
      NOISE(0.1),
      PERIODIC(1, 1),
      CATEGORIES(1),
      DENSE(C, LINEAR)}},
    {&dt_layer_periodic,
     4,
     {PERIODIC(64, 32),
      {.kind = &dt_layer_member_scale, .members = 2},
      DENSE(7, TANH),
      {.kind = &dt_layer_member_dense, .H = C}}},
    /* Columns of one, two and more categories; what stands between them; behind encoded numbers. */
    {&dt_layer_category_embedding, 3, {CATEGORIES(11), DENSE(33, TANH), DENSE(C, LINEAR)}},
    {&dt_layer_category_embedding,
     5,
     {{.kind = &dt_layer_normalization},
      NOISE(0.1),
      PIECEWISE(7),
      CATEGORIES(1),
      DENSE(C, LINEAR)}},
    {&dt_layer_category_embedding,
     4,
     {CATEGORIES(32),
      {.kind = &dt_layer_member_scale, .members = 2},
      DENSE(7, TANH),
      {.kind = &dt_layer_member_dense, .H = C}}},
    /* Members: all that stands behind their beginning, and a last layer that they share. */
    {&dt_layer_member_scale,
     8,
     {PIECEWISE(8),
      {.kind = &dt_layer_member_scale, .members = 3},
      DENSE(40, TANH),
      DROPOUT(0.25),
      DENSE(40, SIGMOID),
      NORM(batch),
      {.kind = &dt_layer_add, .source = 3},
      {.kind = &dt_layer_member_dense, .H = C}}},
    {&dt_layer_member_scale,
     4,
     {DENSE(33, TANH),
      {.kind = &dt_layer_member_scale, .members = 2},
      NOISE(0.25),
      DENSE(C, LINEAR)}},
    {&dt_layer_member_dense,
     3,
     {{.kind = &dt_layer_member_scale, .members = 35},
      DENSE(7, TANH),
      {.kind = &dt_layer_member_dense, .H = 1}}},
    {&dt_layer_member_dense,
     3,
     {{.kind = &dt_layer_member_scale, .members = 2},
      DENSE(40, TANH),
      {.kind = &dt_layer_member_dense, .H = 33}}},
    {&dt_layer_dense, 3, {DENSE_WITHOUT_BIAS(40, TANH), DENSE(33, TANH), DENSE(C, LINEAR)}},
    {&dt_layer_dense,
     4,
     {{.kind = &dt_layer_normalization},
      DENSE(33, TANH),
      DENSE_WITHOUT_BIAS(40, SIGMOID),
      DENSE(40, LINEAR)}},
    /* Two blocks of --members-kind full; shifts of the inputs; more members than a panel has
     * columns. */
    {&dt_layer_member_scale,
     10,
     {{.kind = &dt_layer_member_scale, .members = 3},
      DENSE_WITHOUT_BIAS(40, LINEAR),
      SHIFT(3),
      {.kind = &dt_layer_activation, .activation = DT_ACTIVATION_SIGMOID},
      DROPOUT(0.25),
      SCALE(3),
      DENSE_WITHOUT_BIAS(33, LINEAR),
      SHIFT(3),
      {.kind = &dt_layer_activation, .activation = DT_ACTIVATION_SILU},
      {.kind = &dt_layer_member_dense, .H = C}}},
    {&dt_layer_member_scale,
     6,
     {SHIFT(2),
      DENSE(7, TANH),
      SCALE(2),
      BATCH_NORM,
      SHIFT(2),
      {.kind = &dt_layer_member_dense, .H = C}}},
    {&dt_layer_member_scale, 4, {SHIFT(35), DENSE(3, TANH), SCALE(35), DENSE(2, LINEAR)}},
};
enum { LISTED = sizeof listed / sizeof *listed, EXAMPLES = LISTED + DT_ACTIVATION_LINEAR + 1 };

/* Behind those that are listed one for each activation: of a dense layer, of one that an add takes,
 * and by itself. */
static example get_example(size_t e)
{
    if (e < LISTED)
        return listed[e];
    const dt_activation activation = (dt_activation)(e - LISTED);
    return (example){&dt_layer_activation,
                     5,
                     {{.kind = &dt_layer_dense, .H = 40, .activation = activation},
                      {.kind = &dt_layer_dense, .H = 40, .activation = activation},
                      {.kind = &dt_layer_add, .source = 0},
                      {.kind = &dt_layer_activation, .activation = activation},
                      DENSE(C, LINEAR)}};
}

/* Differences are no measure of a slope near a kink: tests/unit/test_network.c avoids kinks. */
static bool has_kink(const example *e)
{
    const dt_activation activation = e->layers[0].activation;
    return activation == DT_ACTIVATION_RELU || activation == DT_ACTIVATION_LEAKY_RELU ||
           activation == DT_ACTIVATION_SELU || activation == DT_ACTIVATION_HARD_SIGMOID;
}

/* ---- a network that is computed with ---- */

typedef struct fixture {
    dt_network network;
    dt_workspace workspace;
    float X[ROWS * D];
    float G[ROWS * MOST_OUTPUTS]; /* dLoss/dlogits; the loss is the sum of logits times these */
    uint64_t positions[ROWS];
    float gradient[MOST]; /* over all rows, of the segments together */
    unsigned given[MOST]; /* how often a parameter's was */
    size_t final; /* from here on, gradients are complete */
} fixture;

static void draw(float *out, size_t count, uint64_t stream)
{
    dt_random random = dt_random_start(3, DT_RANDOM_EXAMPLE, stream);
    for (size_t i = 0; i < count; i++)
        out[i] = (float)dt_random_normal(&random);
}

static bool is_zeros(const dt_tensor *tensor)
{
    return tensor->start == DT_START_ZEROS || tensor->start == DT_START_BIAS;
}

/* Rows are on both sides of the edges, and between them. */
static void set_edges(dt_network *network)
{
    const dt_layer *layer = dt_network_first(network, &dt_layer_piecewise_linear);
    if (layer == NULL)
        return;
    float *edges = network->constants + layer->edge_values;
    for (size_t d = 0; d < D; d++)
        network->constants[layer->edge_counts + d] = 0.0f;
    for (size_t n = 0; n < ENCODED; n++) {
        network->constants[layer->edge_counts + 3 + 7 * n] = (float)edge_counts[n];
        for (size_t i = 0; i < edge_counts[n]; i++)
            *edges++ = -1.0f + 2.0f * (float)i / (float)edge_counts[n];
    }
}

/* Sums are far from the kink of relu: some outputs are 0, the others are not. */
static void set_waves(dt_network *network)
{
    const dt_layer *layer = dt_network_first(network, &dt_layer_periodic);
    if (layer == NULL)
        return;
    for (size_t d = 0; d < D; d++)
        network->constants[layer->is_encoded + d] = d % 7 == 3 && d / 7 < ENCODED ? 1.0f : 0.0f;
    for (size_t j = 0; j < layer->width; j++)
        network->params[layer->bias + j] = j % 4 == 2 ? -9.0f : 9.0f;
}

/* Columns of 1, 2, 11 and 3 of the last inputs, the third one with another input in its middle. */
static void set_columns(dt_network *network)
{
    static const float columns[] = {1, 2, 2, 0, 3, 3, 3, 3, 3, 0, 3, 3, 3, 3, 3, 3, 4, 4, 4, 0};
    enum { COLUMNS = sizeof columns / sizeof *columns };
    const dt_layer *layer = dt_network_first(network, &dt_layer_category_embedding);
    if (layer == NULL)
        return;
    float *of = network->constants + layer->group_of;
    memset(of, 0, layer->D * sizeof *of);
    memcpy(of + layer->D - COLUMNS, columns, sizeof columns);
}

static void make(fixture *f, const example *e, bool training)
{
    memset(f, 0, sizeof *f);
    dt_network *network = &f->network;
    assert_ok(dt_network_make(network, D, e->layers, e->count));
    assert_in_range(network->P, 1, MOST);
    dt_network_fill(network, DT_INIT_GLOROT_UNIFORM, 7);
    for (size_t t = 0; t < network->tensor_count; t++) /* biases too */
        for (size_t i = 0; is_zeros(&network->tensors[t]) && i < network->tensors[t].count; i++)
            network->params[network->tensors[t].first + i] = 0.1f * (float)(i % 7) - 0.3f;
    for (size_t t = 0; t < network->tensor_count; t++) /* scales, different ones */
        for (size_t i = 0;
             network->tensors[t].start == DT_START_ONES && i < network->tensors[t].count; i++)
            network->params[network->tensors[t].first + i] = 0.7f + 0.1f * (float)(i % 5);
    for (size_t i = 0; i < network->constant_count; i++)
        network->constants[i] = 0.5f + 0.01f * (float)i;
    set_edges(network);
    set_waves(network);
    set_columns(network);
    assert_ok(dt_network_check_constants(network));
    assert_ok(dt_workspace_init(&f->workspace, network, ROWS, DT_BOTH_PASSES));
    draw(f->X, ROWS * D, 1);
    draw(f->G, ROWS * network->K * network->C, 2);
    assert_true(network->K * network->C <= MOST_OUTPUTS);
    dt_network_prepare(network, f->X, ROWS);
    for (size_t i = 0; i < ROWS; i++)
        f->positions[i] = 1000 + 3 * i;
    f->workspace.pass =
        (dt_pass){.training = training, .seed = 9, .epoch = 2, .positions = f->positions};
}

static void clear(fixture *f)
{
    dt_workspace_clear(&f->workspace);
    dt_network_clear(&f->network);
}

static double loss_of(fixture *f, const dt_segments *segments)
{
    const float *logits = dt_network_forward(&f->network, &f->workspace, f->X, segments);
    double loss = 0.0;
    for (size_t i = 0; i < ROWS * f->network.K * f->network.C; i++)
        loss += (double)logits[i] * (double)f->G[i];
    return loss;
}

static void take(void *context, const dt_gradient_block *block, const float *gradient, bool fresh,
                 bool last, int thread)
{
    fixture *f = context;
    (void)fresh, (void)thread;
    for (size_t i = 0; i < block->rows; i++)
        for (size_t j = 0; j < block->columns; j++) {
            const size_t at = block->first + i * block->row_step + j * block->column_step;
            assert_true(at < f->network.P && at < f->final);
            f->gradient[at] += gradient[i * DT_PANEL + j];
            f->given[at] += last;
        }
}

static void done(void *context, size_t first)
{
    fixture *f = context;
    assert_true(first <= f->final);
    for (size_t i = first; i < f->final; i++)
        assert_int_equal(f->given[i], 1);
    f->final = first;
}

/* Fills in the gradient. */
static void go_back(fixture *f, const dt_segments *segments)
{
    float *logits = dt_network_forward(&f->network, &f->workspace, f->X, segments);
    memset(f->gradient, 0, sizeof f->gradient);
    memset(f->given, 0, sizeof f->given);
    f->final = f->network.P;
    memcpy(logits, f->G,
           segments->start[segments->count] * f->network.K * f->network.C * sizeof *logits);
    dt_network_backward(&f->network, &f->workspace, segments, take, done, f);
    assert_int_equal(f->final, 0);
}

static const dt_segments whole = {.count = 1, .start = (const size_t[]){0, ROWS}};
static const dt_segments parts = {.count = 3, .start = (const size_t[]){0, 4, 4, ROWS}};

/* ---- the tests ---- */

static void test_all_are_here(void **state)
{
    (void)state;
    for (size_t k = 0; k < DT_LAYER_KIND_COUNT; k++) {
        bool found = false;
        for (size_t e = 0; e < EXAMPLES; e++)
            found = found || get_example(e).kind == dt_layer_kinds[k];
        if (!found)
            fail_msg("no network with a layer of the kind %s",
                     dt_layer_kind_name(dt_layer_kinds[k]));
        for (size_t other = 0; other < k; other++)
            assert_true(strcmp(dt_layer_kind_name(dt_layer_kinds[k]),
                               dt_layer_kind_name(dt_layer_kinds[other])) != 0);
    }
}

/* Of a sum over 11 rows in float32: the differences are taken over a step that is not small. */
static void check_differences(fixture *f, const example *e)
{
    go_back(f, &parts);
    for (size_t i = 0; i < f->network.P; i += 1 + i % ulps_count(23, 5)) {
        if (dt_network_tensor_of(&f->network, i)->moves) { /* it does not train */
            assert_true(f->gradient[i] == 0.0f);
            continue;
        }
        const bool turns = dt_network_tensor_of(&f->network, i)->start == DT_START_FREQUENCIES;
        float *w = &f->network.params[i];
        const float was = *w, step = turns ? 0x1p-9f : 0x1p-6f; /* 2 pi times as steep */
        *w = was + step;
        const double above = loss_of(f, &parts);
        *w = was - step;
        const double below = loss_of(f, &parts);
        *w = was;
        const double expected = (above - below) / (2.0 * (double)step);
        if (fabs((double)f->gradient[i] - expected) > 3e-3 * (1.0 + fabs(expected)))
            fail_msg("%s: parameter %zu: gradient %g, differences %g", dt_layer_kind_name(e->kind),
                     i, (double)f->gradient[i], expected);
    }
}

static void check_gradients(bool training)
{
    static fixture f;
    for (size_t e = 0; e < EXAMPLES; e++) {
        const example made = get_example(e);
        if (has_kink(&made))
            continue;
        make(&f, &made, training);
        check_differences(&f, &made);
        clear(&f);
    }
}

static void test_central_differences(void **state)
{
    (void)state;
    check_gradients(true);
}

/* Layers that only training has are passed by. */
static void test_central_differences_of_inference(void **state)
{
    (void)state;
    check_gradients(false);
}

static void test_twice_the_same_bits(void **state)
{
    (void)state;
    static fixture f;
    static float gradient[MOST];
    float logits[ROWS * MOST_OUTPUTS];
    for (size_t e = 0; e < EXAMPLES; e++) {
        const example made = get_example(e);
        make(&f, &made, true);
        const size_t bytes = ROWS * f.network.K * f.network.C * sizeof(float);
        memcpy(logits, dt_network_forward(&f.network, &f.workspace, f.X, &whole), bytes);
        go_back(&f, &whole);
        memcpy(gradient, f.gradient, sizeof gradient);
        assert_memory_equal(dt_network_forward(&f.network, &f.workspace, f.X, &whole), logits,
                            bytes);
        go_back(&f, &whole);
        assert_memory_equal(f.gradient, gradient, sizeof gradient);
        clear(&f);
    }
}

/* What the segments of a batch come to together, which each is given when it is computed by itself,
 * as by a rank of its own; and what those that are by themselves come to. */
enum { SUMS = 4, TOTALS = 2 * 64 + 2 };
typedef struct batch_sums {
    bool alone;
    size_t count;
    dt_exact_total together[SUMS][TOTALS], added[SUMS][TOTALS];
} batch_sums;

static void sum_batch(void *context, dt_exact_total *totals, size_t count)
{
    batch_sums *sums = context;
    assert_true(sums->count < SUMS && count <= TOTALS);
    dt_exact_total *together = sums->together[sums->count], *added = sums->added[sums->count];
    sums->count++;
    if (!sums->alone) {
        memcpy(together, totals, count * sizeof *totals);
        return;
    }
    for (size_t i = 0; i < count; i++)
        dt_exact_total_join(&added[i], &totals[i]);
    memcpy(totals, together, count * sizeof *totals);
}

/* A segment comes to the same bits by itself: outputs and gradient. */
static void check_segment(const example *e, const fixture *together, size_t from, size_t to,
                          float *sum, batch_sums *sums)
{
    static fixture f;
    const size_t rows = to - from, starts[] = {0, rows};
    const dt_segments alone = {.count = 1, .start = starts};
    make(&f, e, true);
    f.workspace.sum = sum_batch;
    f.workspace.sum_context = sums;
    sums->count = 0;
    const size_t width = f.network.K * f.network.C;
    memmove(f.X, together->X + from * D, rows * D * sizeof *f.X);
    memmove(f.G, together->G + from * width, rows * width * sizeof *f.G);
    memmove(f.positions, together->positions + from, rows * sizeof *f.positions);
    if (rows > 0) {
        go_back(&f, &alone);
    } else {
        (void)dt_network_forward(&f.network, &f.workspace, f.X, &alone);
        dt_network_backward(&f.network, &f.workspace, &alone, take, NULL, &f);
    }
    for (size_t i = 0; i < f.network.P; i++)
        sum[i] += f.gradient[i];
    clear(&f);
}

static void test_segments_by_themselves(void **state)
{
    (void)state;
    static fixture f;
    static float sum[MOST];
    static batch_sums sums;
    for (size_t e = 0; e < EXAMPLES; e++) {
        const example made = get_example(e);
        make(&f, &made, true);
        memset(&sums, 0, sizeof sums);
        f.workspace.sum = sum_batch;
        f.workspace.sum_context = &sums;
        go_back(&f, &parts);
        sums.alone = true;
        memset(sum, 0, sizeof sum);
        check_segment(&made, &f, 0, 4, sum, &sums);
        check_segment(&made, &f, 4, ROWS, sum, &sums);
        check_segment(&made, &f, ROWS, ROWS, sum, &sums); /* a rank without rows */
        assert_memory_equal(sums.added, sums.together, sizeof sums.added);
        assert_memory_equal(sum, f.gradient, f.network.P * sizeof *sum);
        clear(&f);
    }
}

/* Inference allocates for the forward pass alone, and has the bits of a pass with more memory. */
static void test_forward_alone(void **state)
{
    (void)state;
    static fixture f;
    for (size_t e = 0; e < EXAMPLES; e++) {
        dt_workspace forward;
        const example made = get_example(e);
        make(&f, &made, false);
        assert_ok(dt_workspace_init(&forward, &f.network, ROWS, DT_FORWARD_PASS));
        const float *alone = dt_network_forward(&f.network, &forward, f.X, &whole);
        assert_memory_equal(dt_network_forward(&f.network, &f.workspace, f.X, &whole), alone,
                            ROWS * f.network.K * f.network.C * sizeof *alone);
        dt_workspace_clear(&forward);
        clear(&f);
    }
}

static void test_add_of_no_such_layer(void **state)
{
    (void)state;
    dt_network network;
    dt_layer layers[] = {
        DENSE(4, TANH), DENSE(5, TANH), {.kind = &dt_layer_add, .source = 0}, DENSE(C, LINEAR)};
    for (size_t i = 0; i < 3; i++) { /* other units; itself and what follows */
        layers[2].source = (const size_t[]){0, 2, 3}[i];
        assert_int_equal(dt_network_make(&network, D, layers, 4), DT_DATA);
        assert_non_null(strstr(dt_status_text(), "layer 3 (add): 'from' is "));
    }
}

static void test_members_that_do_not_fit(void **state)
{
    (void)state;
    dt_network network;
    const dt_layer layers[] = {{.kind = &dt_layer_member_scale, .members = 2},
                               DENSE(4, TANH),
                               SCALE(3),
                               {.kind = &dt_layer_member_dense, .H = C}};
    assert_int_equal(dt_network_make(&network, D, layers, 4), DT_DATA);
    assert_string_equal(dt_status_text(),
                        "layer 3 (member_scale) has 3 members, but the layers before it have 2");
}

/* Scales between layers start as ones, and the shifts of all members alike. */
static void test_start_of_scales(void **state)
{
    (void)state;
    dt_network network;
    const dt_layer layers[] = {{.kind = &dt_layer_member_scale, .members = 3},
                               DENSE_WITHOUT_BIAS(40, LINEAR),
                               SHIFT(3),
                               {.kind = &dt_layer_member_dense, .H = C}};
    assert_ok(dt_network_make(&network, D, layers, 4));
    dt_network_fill(&network, DT_INIT_FAN_IN_UNIFORM, 7);
    const float *shifts = network.params + network.layers[2].bias;
    float most = 0.0f;
    for (size_t i = 0; i < 3 * 40; i++) {
        assert_true(network.params[network.layers[2].kernel + i] == 1.0f);
        assert_true(shifts[i] == shifts[i % 40]);
        most = fmaxf(most, fabsf(shifts[i]));
    }
    assert_true(most > 0.8f / sqrtf(D) && most <= 1.0f / sqrtf(D)); /* the dense layer's inputs */
    const float *first = network.params + network.layers[0].kernel;
    assert_true(first[0] != first[D] && first[0] != first[1]);
    dt_network_fill(&network, DT_INIT_GLOROT_UNIFORM, 7);
    for (size_t i = 0; i < 3 * 40; i++)
        assert_true(shifts[i] == 0.0f);
    dt_network_clear(&network);
}

/* An add takes the outputs of the same layer when dropout layers come and go. */
static void test_dropout_moves_add(void **state)
{
    (void)state;
    const dt_layer layers[] = {
        DENSE(5, TANH), DENSE(5, TANH), {.kind = &dt_layer_add, .source = 0}, DENSE(C, LINEAR)};
    dt_network network;
    assert_ok(dt_network_make(&network, D, layers, 4));
    network.params[0] = 3.0f;
    assert_ok(dt_spec_set_dropout(&network, 0.2)); /* behind both hidden layers */
    assert_int_equal(network.layer_count, 6);
    assert_ptr_equal(network.layers[4].kind, &dt_layer_add);
    assert_int_equal(network.layers[4].source, 1); /* what dropout gives */
    assert_ok(dt_spec_set_dropout(&network, 0.3));
    assert_int_equal(network.layers[4].source, 1);
    assert_ok(dt_spec_set_dropout(&network, 0.0));
    assert_int_equal(network.layer_count, 4);
    assert_int_equal(network.layers[2].source, 0);
    assert_true(network.params[0] > 2.0f);
    dt_network_clear(&network);
    const dt_layer first[] = {DROPOUT(0.1), {.kind = &dt_layer_add, .source = 0}, DENSE(C, LINEAR)};
    assert_ok(dt_network_make(&network, D, first, 3));
    assert_int_equal(dt_spec_set_dropout(&network, 0.0), DT_DATA); /* of the inputs */
    assert_int_equal(network.layer_count, 3);
    dt_network_clear(&network);
}

/* Noise of the inputs comes behind their normalization, and moves what an add takes. */
static void test_noise_comes_first(void **state)
{
    (void)state;
    const dt_layer layers[] = {{.kind = &dt_layer_normalization},
                               DENSE(5, TANH),
                               DENSE(5, TANH),
                               {.kind = &dt_layer_add, .source = 1},
                               DENSE(C, LINEAR)};
    dt_network network;
    assert_ok(dt_network_make(&network, D, layers, 5));
    network.params[0] = 3.0f;
    for (size_t i = 0; i < 2; i++) { /* the second replaces the first */
        const double deviation = 0.25 * (double)(1 + i);
        assert_ok(dt_spec_set_noise(&network, deviation));
        assert_int_equal(network.layer_count, 6);
        assert_ptr_equal(network.layers[1].kind, &dt_layer_noise);
        assert_true(fabs(network.layers[1].deviation - deviation) <= 0.0);
        assert_int_equal(network.layers[1].H, D);
        assert_int_equal(network.layers[4].source, 2);
    }
    assert_ok(dt_spec_set_noise(&network, 0.0));
    assert_int_equal(network.layer_count, 5);
    assert_int_equal(network.layers[3].source, 1);
    assert_true(network.params[0] > 2.0f);
    dt_network_clear(&network);
    assert_ok(dt_network_make(&network, D, layers + 4, 1));
    assert_ok(dt_spec_set_noise(&network, 0.5)); /* without a normalization */
    assert_ptr_equal(network.layers[0].kind, &dt_layer_noise);
    assert_int_equal(network.layer_count, 2);
    dt_network_clear(&network);
}

/* ---- what options become ---- */

/* "dense 40 gelu, layer_normalization 40, ..." */
static void print_layers(char *out, size_t bytes, const dt_network *network)
{
    size_t used = 0;
    for (size_t l = 0; l < network->layer_count; l++) {
        const dt_layer *layer = &network->layers[l];
        used += (size_t)snprintf(out + used, bytes - used, "%s%s %zu %s", l > 0 ? ", " : "",
                                 dt_layer_kind_name(layer->kind), layer->H,
                                 dt_activation_name(layer->activation));
        if (layer->kind == &dt_layer_add)
            used += (size_t)snprintf(out + used, bytes - used, " from %zu", layer->source);
        assert_true(used < bytes);
    }
}

static void check_spec(const dt_spec *spec, double dropout, const char *expected)
{
    dt_network network;
    dt_spec found;
    char text[1024];
    assert_ok(dt_spec_plan(&network, D, spec, C));
    assert_ok(dt_spec_set_dropout(&network, dropout));
    print_layers(text, sizeof text, &network);
    assert_string_equal(text, expected);
    dt_spec_of(&found, &network);
    assert_memory_equal(&found.hidden, &spec->hidden, sizeof found.hidden);
    assert_memory_equal(&found.activations, &spec->activations, sizeof found.activations);
    assert_int_equal(found.norm, spec->norm);
    assert_int_equal(found.residual, spec->residual);
    assert_int_equal(found.members, spec->members);
    assert_int_equal(found.members_kind, spec->members_kind);
    dt_network_clear(&network);
}

static void test_specs(void **state)
{
    (void)state;
    dt_spec spec = {.hidden = {3, {8, 8, 5}}, .activations = {1, {DT_ACTIVATION_GELU}}};
    check_spec(&spec, 0, "dense 8 gelu, dense 8 gelu, dense 5 gelu, dense 3 linear");
    spec.residual = true;
    check_spec(&spec, 0,
               "dense 8 gelu, dense 8 gelu, add 8 linear from 0, dense 5 gelu, dense 3 linear");
    spec.activations =
        (dt_option_list){3, {DT_ACTIVATION_GELU, DT_ACTIVATION_TANH, DT_ACTIVATION_RELU}};
    check_spec(&spec, 0.5,
               "dense 8 gelu, dropout 8 linear, dense 8 tanh, dropout 8 linear, "
               "add 8 linear from 1, dense 5 relu, dropout 5 linear, dense 3 linear");
    spec.norm = DT_NORM_LAYER;
    check_spec(&spec, 0.5,
               "dense 8 linear, layer_normalization 8 linear, activation 8 gelu, dropout 8 linear, "
               "dense 8 linear, layer_normalization 8 linear, activation 8 tanh, dropout 8 linear, "
               "add 8 linear from 3, "
               "dense 5 linear, layer_normalization 5 linear, activation 5 relu, dropout 5 linear, "
               "dense 3 linear");
    /* The source of a second add is the first one. */
    spec = (dt_spec){.hidden = {3, {6, 6, 6}},
                     .activations = {1, {DT_ACTIVATION_RELU}},
                     .norm = DT_NORM_RMS,
                     .residual = true};
    check_spec(&spec, 0,
               "dense 6 linear, rms_normalization 6 linear, activation 6 relu, "
               "dense 6 linear, rms_normalization 6 linear, activation 6 relu, add 6 linear from "
               "2, dense 6 linear, rms_normalization 6 linear, activation 6 relu, "
               "add 6 linear from 6, dense 3 linear");
}

/* Scales, a kernel, scales and shifts; the first scales are those of mini. */
static void test_specs_of_full_members(void **state)
{
    (void)state;
    dt_spec spec = {.hidden = {2, {8, 8}},
                    .activations = {2, {DT_ACTIVATION_GELU, DT_ACTIVATION_LINEAR}},
                    .members = 2};
    check_spec(&spec, 0,
               "member_scale 37 linear, dense 8 gelu, dense 8 linear, member_dense 3 linear");
    spec.members_kind = DT_MEMBERS_FULL;
    check_spec(&spec, 0.5,
               "member_scale 37 linear, dense 8 linear, member_scale 8 linear, activation 8 gelu, "
               "dropout 8 linear, "
               "member_scale 8 linear, dense 8 linear, member_scale 8 linear, activation 8 linear, "
               "dropout 8 linear, member_dense 3 linear");
    spec.norm = DT_NORM_RMS;
    spec.residual = true;
    check_spec(
        &spec, 0.5,
        "member_scale 37 linear, dense 8 linear, member_scale 8 linear, rms_normalization 8 "
        "linear, activation 8 gelu, dropout 8 linear, "
        "member_scale 8 linear, dense 8 linear, member_scale 8 linear, rms_normalization 8 linear, "
        "activation 8 linear, dropout 8 linear, add 8 linear from 5, member_dense 3 linear");
}

static void test_full_members_of_nothing(void **state)
{
    (void)state;
    dt_network network;
    dt_spec spec = {.hidden = {1, {8}},
                    .activations = {1, {DT_ACTIVATION_GELU}},
                    .members = 1,
                    .members_kind = DT_MEMBERS_FULL};
    assert_int_equal(dt_spec_plan(&network, D, &spec, C), DT_USAGE);
    assert_string_equal(dt_status_text(),
                        "--members-kind full requires --members of 2 or more; set --members, or "
                        "--members-kind mini");
    spec.members = 2;
    spec.hidden.count = 0;
    assert_int_equal(dt_spec_plan(&network, D, &spec, C), DT_USAGE);
    assert_string_equal(dt_status_text(),
                        "--members-kind full changes hidden layers, but --hidden is none; set "
                        "--hidden, or --members-kind mini");
}

static void test_too_many_activations(void **state)
{
    (void)state;
    dt_network network;
    const dt_spec spec = {.hidden = {3, {8, 8, 5}}, .activations = {2, {0, 1}}};
    assert_int_equal(dt_spec_plan(&network, D, &spec, C), DT_USAGE);
    assert_string_equal(dt_status_text(),
                        "--activation has 2 names, but --hidden has 3 layers; give one name, or "
                        "one for each hidden layer");
}

/* Normal, cut off at three deviations; the same whatever --init is. */
static void test_frequencies(void **state)
{
    (void)state;
    enum { EACH = 250, MANY = 40 };
    dt_network network;
    double squares = 0, most = 0;
    const dt_layer layers[] = {{.kind = &dt_layer_periodic,
                                .encoded = MANY,
                                .frequencies = EACH,
                                .width = 3,
                                .deviation = 0.02},
                               DENSE(C, LINEAR)};
    assert_ok(dt_network_make(&network, MANY, layers, 2));
    dt_network_fill(&network, DT_INIT_HE_UNIFORM, 5);
    for (size_t i = 0; i < (size_t)EACH * MANY; i++) {
        const double turns = (double)network.params[network.layers[0].turns + i];
        squares += turns * turns;
        most = fabs(turns) > most ? fabs(turns) : most;
    }
    assert_true(fabs(squares / (EACH * MANY) / (0.02 * 0.02 * 0.9733) - 1) < 0.05);
    assert_true(most <= 0.06 * (1 + 1e-7) && most > 0.055);
    dt_network_clear(&network);
}

/* What is refused: a place behind layers that train, and more inputs than there are. */
static void test_periodic_of_no_such_inputs(void **state)
{
    (void)state;
    dt_network network;
    const dt_layer behind[] = {DENSE(C, TANH), PERIODIC(3, 2), DENSE(C, LINEAR)};
    assert_int_equal(dt_network_make(&network, D, behind, 3), DT_DATA);
    assert_string_equal(dt_status_text(), "layer 2 (periodic) must come before layers that train");
    assert_int_equal(dt_network_make(&network, ENCODED - 1, behind + 1, 2), DT_DATA);
    assert_string_equal(dt_status_text(), "layer 1 (periodic): 'inputs' is 5; expected at most 4");
}

/* Mean and variance of a large kernel, and the largest number, for each way to begin. */
static void test_inits(void **state)
{
    (void)state;
    enum { ROWS_OF_KERNEL = 500, UNITS = 200 };
    const double glorot = 2.0 / (ROWS_OF_KERNEL + UNITS), he = 2.0 / ROWS_OF_KERNEL,
                 lecun = 1.0 / ROWS_OF_KERNEL;
    const double variances[] = {glorot, glorot, he, he, lecun, lecun};
    for (int init = 0; init < 6; init++) {
        dt_network network;
        const double variance = variances[init];
        const bool normal = init % 2 == 1;
        double sum = 0, squares = 0, most = 0;
        assert_ok(dt_network_make(
            &network, ROWS_OF_KERNEL,
            (dt_layer[]){DENSE(UNITS, RELU), NORM(layer), DENSE(UNITS, LINEAR)}, 3));
        dt_network_fill(&network, (dt_init)init, 5);
        for (size_t i = 0; i < (size_t)ROWS_OF_KERNEL * UNITS; i++) {
            const double w = (double)network.params[i];
            sum += w;
            squares += w * w;
            most = fabs(w) > most ? fabs(w) : most;
        }
        const double count = ROWS_OF_KERNEL * UNITS;
        assert_true(fabs(sum / count) < 4 * sqrt(variance / count));
        assert_true(fabs(squares / count / variance - 1) < 0.02);
        const double bound = sqrt(variance) * (normal ? 2 / .87962566103423978 : sqrt(3.0));
        assert_true(most <= bound * (1 + 1e-7) && most > 0.99 * bound);
        const float *scale = network.params + network.layers[1].kernel;
        const float *shift = network.params + network.layers[1].bias;
        for (size_t i = 0; i < UNITS; i++)
            assert_true(scale[i] >= 1.0f && scale[i] <= 1.0f && fabsf(shift[i]) <= 0);
        dt_network_clear(&network);
    }
}

int main(void)
{
    assert_ok(dt_linalg_choose(DT_ENGINE_AUTO));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_are_here),
        cmocka_unit_test(test_central_differences),
        cmocka_unit_test(test_central_differences_of_inference),
        cmocka_unit_test(test_twice_the_same_bits),
        cmocka_unit_test(test_segments_by_themselves),
        cmocka_unit_test(test_forward_alone),
        cmocka_unit_test(test_add_of_no_such_layer),
        cmocka_unit_test(test_members_that_do_not_fit),
        cmocka_unit_test(test_start_of_scales),
        cmocka_unit_test(test_dropout_moves_add),
        cmocka_unit_test(test_noise_comes_first),
        cmocka_unit_test(test_specs),
        cmocka_unit_test(test_specs_of_full_members),
        cmocka_unit_test(test_full_members_of_nothing),
        cmocka_unit_test(test_too_many_activations),
        cmocka_unit_test(test_frequencies),
        cmocka_unit_test(test_periodic_of_no_such_inputs),
        cmocka_unit_test(test_inits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
