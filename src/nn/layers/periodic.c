/*
 * Periodic encoding of numbers. Each encoded input x has n frequencies c of its own; all of them
 * share one kernel [2 n, width] and one bias:
 *
 *     F = (cos(2 pi c_1 x), ..., cos(2 pi c_n x), sin(2 pi c_1 x), ..., sin(2 pi c_n x))
 *     Y = max(0, F kernel + bias)
 *
 * The outputs of the encoded inputs come first; the other inputs follow as they are. The array
 * [rows, inputs, 2 n] is never built: F of one input at a time is computed for the product, and
 * again for the gradients. Kernels of products compute both products, forward and back.
 *
 * The product c x is rounded to float32, and is a number of turns (nn/vector_math.h): a large one
 * has few digits behind the point. An x that is not finite gives NaN.
 *
 * Source: Gorishniy, Rubachev and Babenko, "On embeddings for numerical features in tabular deep
 *         learning", NeurIPS 2022; one kernel for all inputs, and the start of the frequencies, as
 *         in the package rtdl_num_embeddings (PeriodicEmbeddings, lite)
 */
#include "products.h"

#include "../vector_math.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/vectorize.h"

#include <limits.h>
#include <string.h>

_Static_assert(sizeof(size_t) == sizeof(int64_t), "numbers of things are read as an int64_t");

#define AT(field) offsetof(dt_layer, field)

static const dt_option options[] = {
    {"inputs", "N", DT_OPTION_INT, AT(encoded), 1, INT_MAX, NULL, NULL,
     "number of inputs that are encoded"},
    {"frequencies", "N", DT_OPTION_INT, AT(frequencies), 1, DT_FREQUENCIES_MAX, NULL, NULL,
     "number of frequencies of an encoded input"},
    {"width", "N", DT_OPTION_INT, AT(width), 1, DT_PANEL, NULL, NULL,
     "outputs of an encoded input"},
    {"scale", "F", DT_OPTION_FLOAT, AT(deviation), 1e-6, 1e6, NULL, NULL,
     "standard deviation of the initial frequencies"},
};

/* ---- the layer ---- */

static dt_status plan(dt_network *network, size_t l)
{
    dt_status status = DT_OK;
    dt_layer *layer = &network->layers[l];
    const size_t n = layer->frequencies;
    const dt_tensor_plan frequencies = {.name = "frequencies",
                                        .rows = layer->encoded,
                                        .columns = n,
                                        .start = DT_START_FREQUENCIES,
                                        .deviation = layer->deviation};
    const dt_tensor_plan kernel = {.name = "kernel",
                                   .rows = 2 * n,
                                   .columns = layer->width,
                                   .start = DT_START_RANDOM,
                                   .decays = true};
    const dt_tensor_plan bias = {.name = "bias",
                                 .rows = layer->width,
                                 .fan_in = 2 * n,
                                 .fan_out = layer->width,
                                 .start = DT_START_BIAS};
    const dt_tensor_plan encoded = {
        .name = "encoded", .rows = layer->D, .is_constant = true, .non_negative = true};
    DT_TRY(dt_network_check_beginning(network, l, l));
    if (layer->encoded > layer->D)
        return dt_fail(DT_DATA, "layer %zu (%s): 'inputs' is %zu; expected at most %zu", l + 1,
                       layer->kind->name, layer->encoded, layer->D);
    layer->H = layer->encoded * layer->width + (layer->D - layer->encoded);
    layer->activation = DT_ACTIVATION_RELU; /* nothing reads the gradients of the other inputs */
    DT_TRY(dt_network_declare(network, l, &frequencies, &layer->turns));
    DT_TRY(dt_network_declare(network, l, &kernel, &layer->kernel));
    DT_TRY(dt_network_declare(network, l, &bias, &layer->bias));
    DT_TRY(dt_network_declare(network, l, &encoded, &layer->is_encoded));
out:
    return status;
}

static bool is_encoded(const dt_network *network, const dt_layer *layer, size_t d)
{
    return network->constants[layer->is_encoded + d] > 0.0f;
}

/* Each input is marked as encoded (1) or not (0), and the layer's number of inputs is encoded. */
static dt_status check(const dt_network *network, size_t l)
{
    const dt_layer *layer = &network->layers[l];
    size_t inputs = 0;
    for (size_t d = 0; d < layer->D; d++) {
        const float flag = network->constants[layer->is_encoded + d];
        if (flag != 0.0f && flag != 1.0f)
            return dt_fail(DT_DATA, "layer %zu (%s): 'encoded' of input %zu is %g; expected 0 or 1",
                           l + 1, layer->kind->name, d, (double)flag);
        inputs += flag > 0.0f;
    }
    if (inputs != layer->encoded)
        return dt_fail(DT_DATA, "layer %zu (%s): %zu inputs are encoded; expected %zu", l + 1,
                       layer->kind->name, inputs, layer->encoded);
    return DT_OK;
}

/* ---- memory ---- */

/* Panels of a kernel's half: of cosines, or of sines. */
static size_t half_panels(const dt_layer *layer)
{
    return dt_panels_count(layer->frequencies);
}

/* The panel of scratch behind those of F, or of its gradient: of Y, or of its gradient. */
static size_t last_panel(const dt_layer *layer)
{
    const size_t panels = dt_panels_count(2 * layer->frequencies);
    return panels > 2 ? panels : 2;
}

/* Kernel and bias for the forward product; each half of the kernel, transposed, for the backward
 * one; scratch. */
static dt_status allocate(dt_workspace *w, const dt_network *network, size_t l, dt_passes passes)
{
    dt_status status = DT_OK;
    const dt_layer *layer = &network->layers[l];
    DT_TRY(dt_memory_alloc(&w->weights[l], (2 * layer->frequencies + 1) * DT_PANEL, sizeof(float),
                           "a layer's weights"));
    if (passes == DT_BOTH_PASSES)
        DT_TRY(dt_memory_alloc(&w->transposed[l], 2 * half_panels(layer) * DT_PANEL * layer->width,
                               sizeof(float), "a layer's weights, transposed"));
    DT_TRY(dt_workspace_make_panels(&w->kept[l], w->capacity, (last_panel(layer) + 1) * DT_PANEL,
                                    "sines and cosines"));
out:
    return status;
}

/* ---- forward ---- */

static void begin_forward(const dt_traversal *t, size_t l)
{
    const dt_layer *layer = &t->network->layers[l];
    const size_t features = 2 * layer->frequencies;
    const float *params = t->network->params;
    float *to = t->workspace->weights[l];
    dt_pack_panels(to, params + layer->kernel, features, layer->width);
    memcpy(to + features * DT_PANEL, params + layer->bias, layer->width * sizeof *to);
}

DT_VECTORIZE static void make_waves(float *restrict cosines, float *restrict sines,
                                    const float *restrict frequencies, float x, size_t count)
{
    for (size_t f = 0; f < count; f++)
        sines[f] = dt_sin_cos_turns(&cosines[f], frequencies[f] * x);
}

/* F of some rows of input d, the e-th that is encoded, into the scratch. */
static void fill_features(const dt_traversal *t, size_t l, size_t d, size_t e, size_t from,
                          size_t to)
{
    const dt_layer *layer = &t->network->layers[l];
    const size_t n = layer->frequencies;
    const float *frequencies = t->network->params + layer->turns + e * n;
    const dt_panels *in = dt_traversal_inputs(t, l), *kept = &t->workspace->kept[l];
    const dt_panels features = {kept->data, kept->pitch, 2 * n};
    float row[2 * DT_FREQUENCIES_MAX];
    for (size_t i = from; i < to; i++) {
        make_waves(row, row + n, frequencies, *dt_panels_element(in, i, d), n);
        dt_panels_put_row(&features, i, row);
    }
}

static void encode_rows(const dt_traversal *t, size_t l, size_t d, size_t e, size_t from, size_t to)
{
    const dt_layer *layer = &t->network->layers[l];
    const dt_panels *kept = &t->workspace->kept[l];
    const size_t features = 2 * layer->frequencies;
    const dt_multiply m = {
        .out = dt_panels_at(kept, from, last_panel(layer)),
        .out_pitch = kept->pitch,
        .A = dt_panels_at(kept, from, 0),
        .a_row = DT_PANEL,
        .a_panel = kept->pitch * DT_PANEL,
        .B = t->workspace->weights[l],
        .start = t->workspace->weights[l] + features * DT_PANEL,
        .rows = to - from,
        .K = features,
        .N = layer->width,
        .activation = layer->activation,
    };
    fill_features(t, l, d, e, from, to);
    t->kernels->multiply(&m);
    for (size_t i = from; i < to; i++)
        dt_panels_put_part(&t->workspace->outputs[l], i, e * layer->width,
                           dt_panels_at(kept, i, last_panel(layer)), layer->width);
}

static void forward(const dt_traversal *t, size_t l, size_t from, size_t to)
{
    const dt_layer *layer = &t->network->layers[l];
    const dt_panels *in = dt_traversal_inputs(t, l), *out = &t->workspace->outputs[l];
    size_t e = 0, plain = layer->encoded * layer->width;
    for (size_t d = 0; d < layer->D; d++) {
        if (is_encoded(t->network, layer, d)) {
            encode_rows(t, l, d, e++, from, to);
            continue;
        }
        for (size_t i = from; i < to; i++)
            *dt_panels_element(out, i, plain) = *dt_panels_element(in, i, d);
        plain++;
    }
}

/* ---- gradients ---- */

/* The gradient of F kernel + bias for some rows of input e, [to - from][32], padded with zeros. The
 * next layer or the pass has applied the derivative of ReLU. */
static const float *find_delta(const dt_traversal *t, size_t l, size_t e, size_t from, size_t to)
{
    const dt_layer *layer = &t->network->layers[l];
    const dt_workspace *w = t->workspace;
    const dt_panels *kept = &w->kept[l];
    for (size_t i = from; i < to; i++) {
        float *delta = dt_panels_at(kept, i, last_panel(layer));
        memset(delta, 0, DT_PANEL * sizeof *delta);
        dt_panels_get_part(delta, &w->deltas[l], i, e * layer->width, layer->width);
    }
    return dt_panels_at(kept, from, last_panel(layer));
}

/* Adds the gradient of the bias, and of some rows of the kernel, from a segment's rows of an
 * input. */
typedef void add_input(float *g, const dt_traversal *t, size_t l, const dt_gradient_block *block,
                       size_t d, size_t e, size_t from, size_t to);

static void add_to_bias(float *g, const dt_traversal *t, size_t l, const dt_gradient_block *block,
                        size_t d, size_t e, size_t from, size_t to)
{
    (void)d;
    const float *delta = find_delta(t, l, e, from, to);
    for (size_t i = 0; i < to - from; i++)
        for (size_t j = 0; j < block->columns; j++)
            g[j] += delta[i * DT_PANEL + j];
}

/* F of one row: those of the block's rows of the kernel. The cosines come first. */
static void make_block_features(float *out, const dt_layer *layer, const dt_gradient_block *block,
                                const float *frequencies, float x)
{
    float other[DT_PANEL];
    const size_t n = layer->frequencies, first = (block->first - layer->kernel) / layer->width;
    const size_t left = first < n ? n - first : 0;
    const size_t cosines = left < block->rows ? left : block->rows;
    if (cosines > 0)
        make_waves(out, other, frequencies + first, x, cosines);
    if (cosines < block->rows)
        make_waves(other, out + cosines, frequencies + (first + cosines - n), x,
                   block->rows - cosines);
}

static void add_to_kernel(float *g, const dt_traversal *t, size_t l, const dt_gradient_block *block,
                          size_t d, size_t e, size_t from, size_t to)
{
    const dt_layer *layer = &t->network->layers[l];
    const dt_panels *in = dt_traversal_inputs(t, l), *kept = &t->workspace->kept[l];
    const float *frequencies = t->network->params + layer->turns + e * layer->frequencies;
    float part[DT_PANEL * DT_PANEL] __attribute__((aligned(64)));
    const dt_outer m = {.A = dt_panels_at(kept, from, 0),
                        .B = find_delta(t, l, e, from, to),
                        .a_row = DT_PANEL,
                        .b_row = DT_PANEL,
                        .rows = to - from,
                        .count = block->rows};
    for (size_t i = from; i < to; i++)
        make_block_features(dt_panels_at(kept, i, 0), layer, block, frequencies,
                            *dt_panels_element(in, i, d));
    t->kernels->outer(part, &m);
    for (size_t i = 0; i < block->rows; i++) /* padding of a NaN would become one */
        for (size_t j = 0; j < block->columns; j++)
            g[i * DT_PANEL + j] += part[i * DT_PANEL + j];
}

DT_VECTORIZE static void add_frequencies(float *restrict g, const float *restrict frequencies,
                                         const float *restrict cosine_deltas,
                                         const float *restrict sine_deltas, float x, size_t count)
{
    const float angle = 6.28318531f * x; /* its derivative is that of the phase */
    for (size_t f = 0; f < count; f++) {
        float cosine;
        const float sine = dt_sin_cos_turns(&cosine, frequencies[f] * x);
        g[f] += angle * (cosine * sine_deltas[f] - sine * cosine_deltas[f]);
    }
}

/* The gradient of some frequencies of the input. */
static void add_to_frequencies(float *g, const dt_traversal *t, size_t l,
                               const dt_gradient_block *block, size_t d, size_t e, size_t from,
                               size_t to)
{
    const dt_layer *layer = &t->network->layers[l];
    const dt_panels *in = dt_traversal_inputs(t, l), *kept = &t->workspace->kept[l];
    const float *frequencies = t->network->params + block->first;
    const float *delta = find_delta(t, l, e, from, to);
    const size_t first = (block->first - layer->turns) % layer->frequencies;
    for (size_t half = 0; half < 2; half++) {
        const size_t panel = half * half_panels(layer) + first / DT_PANEL;
        const dt_multiply m = {
            .out = dt_panels_at(kept, from, half),
            .out_pitch = kept->pitch,
            .A = delta,
            .a_row = DT_PANEL,
            .a_panel = kept->pitch * DT_PANEL,
            .B = t->workspace->transposed[l] + panel * layer->width * DT_PANEL,
            .rows = to - from,
            .K = layer->width,
            .N = block->columns,
            .activation = DT_ACTIVATION_LINEAR,
        };
        t->kernels->multiply(&m);
    }
    for (size_t i = from; i < to; i++)
        add_frequencies(g, frequencies, dt_panels_at(kept, i, 0), dt_panels_at(kept, i, 1),
                        *dt_panels_element(in, i, d), block->columns);
}

/* Segment by segment, the sum over its rows of the encoded inputs first .. end-1. */
static void hand_over(const dt_traversal *t, size_t l, const dt_gradient_block *block,
                      add_input *add, size_t first, size_t end)
{
    const dt_layer *layer = &t->network->layers[l];
    float g[DT_PANEL * DT_PANEL] __attribute__((aligned(64)));
    for (size_t s = t->first_filled; s <= t->last_filled; s++) {
        const size_t from = t->segments->start[s], to = t->segments->start[s + 1];
        if (from == to)
            continue;
        memset(g, 0, block->rows * DT_PANEL * sizeof *g);
        for (size_t d = 0, e = 0; e < end && d < layer->D; d++) {
            if (!is_encoded(t->network, layer, d))
                continue;
            if (e >= first)
                add(g, t, l, block, d, e, from, to);
            e++;
        }
        t->sink(t->context, block, g, s == t->first_filled, s == t->last_filled, 0);
    }
}

static void pack_halves(const dt_traversal *t, size_t l)
{
    const dt_layer *layer = &t->network->layers[l];
    const size_t n = layer->frequencies, width = layer->width;
    const float *kernel = t->network->params + layer->kernel;
    float *to = t->workspace->transposed[l];
    dt_pack_transposed(to, kernel, n, width);
    dt_pack_transposed(to + half_panels(layer) * DT_PANEL * width, kernel + n * width, n, width);
}

static void gradient(dt_traversal *t, size_t l)
{
    const dt_layer *layer = &t->network->layers[l];
    const size_t n = layer->frequencies, E = layer->encoded, width = layer->width;
    hand_over(t, l, &(dt_gradient_block){layer->bias, 1, width, width, 1}, add_to_bias, 0, E);
    dt_traversal_report_final(t, layer->bias);
    for (size_t k = 0; k < 2 * n; k += DT_PANEL)
        hand_over(t, l,
                  &(dt_gradient_block){layer->kernel + k * width, dt_panels_width(2 * n, k), width,
                                       width, 1},
                  add_to_kernel, 0, E);
    dt_traversal_report_final(t, layer->kernel);
    if (t->first_filled <= t->last_filled)
        pack_halves(t, l);
    for (size_t e = 0; e < E; e++)
        for (size_t f = 0; f < n; f += DT_PANEL)
            hand_over(
                t, l,
                &(dt_gradient_block){layer->turns + e * n + f, 1, dt_panels_width(n, f), n, 1},
                add_to_frequencies, e, e + 1);
    dt_traversal_report_final(t, layer->turns);
}

const dt_layer_kind dt_layer_periodic = {
    .name = "periodic",
    .options = {.options = options, .count = sizeof options / sizeof *options},
    .plan = plan,
    .check = check,
    .encodes_numbers = true,
    .allocate = allocate,
    .begin_forward = begin_forward,
    .forward = forward,
    .gradient = gradient,
};
