/*
 * Piecewise-linear encoding of numbers, and its embedding. Each encoded input has edges
 * e_0 < ... < e_n, so n bins. With b the input's bin and f its place in the bin, from 0 to 1:
 *
 *     b = the largest i < n with e_i <= x, or 0;  f = (x - e_b) / (e_{b+1} - e_b), cut to [0,1]
 *     Y = x slope + (shift + bins[0] + ... + bins[b-1]) + f bins[b]
 *
 * slope, shift and each of `bins` have `width` numbers, as Y has. The outputs of the encoded inputs
 * come first; the other inputs follow as they are. The array [rows, inputs, bins] is never built:
 * the sums of bins are computed once a step. The backward pass sums the rows of each bin, and then
 * adds up these sums from the last bin on.
 *
 * The edges do not train. There is one list for all inputs, in their order; an input that is not
 * encoded has none.
 *
 * Source: Gorishniy, Rubachev and Babenko, "On embeddings for numerical features in tabular deep
 *         learning", NeurIPS 2022; the linear part, and bins that start at 0, as in the package
 *         rtdl_num_embeddings (PiecewiseLinearEmbeddings, version B)
 */
#include "../layer_internal.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/vectorize.h"
#include "dtrain/nn/bins.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <string.h>

_Static_assert(sizeof(size_t) == sizeof(int64_t), "numbers of things are read as an int64_t");

#define AT(field) offsetof(dt_layer, field)

static const dt_option options[] = {
    {"inputs", "N", DT_OPTION_INT, AT(encoded), 1, INT_MAX, NULL, NULL,
     "number of inputs that are encoded"},
    {"edges", "N", DT_OPTION_INT, AT(edges), 2, INT_MAX, NULL, NULL, "number of edges of all bins"},
    {"width", "N", DT_OPTION_INT, AT(width), 1, DT_PANEL, NULL, NULL,
     "outputs of an encoded input"},
};

/* ---- the layer ---- */

DT_MUST_USE static dt_status declare(dt_network *network, size_t l)
{
    dt_status status = DT_OK;
    dt_layer *layer = &network->layers[l];
    const size_t E = layer->encoded, width = layer->width;
    const dt_tensor_plan slope = {
        .name = "slope", .rows = E, .columns = width, .fan_in = width, .start = DT_START_UNIFORM};
    const dt_tensor_plan shift = {
        .name = "shift", .rows = E, .columns = width, .fan_in = width, .start = DT_START_UNIFORM};
    const dt_tensor_plan bins = {
        .name = "bins", .rows = layer->edges - E, .columns = width, .start = DT_START_ZEROS};
    const dt_tensor_plan counts = {
        .name = "edge_counts", .rows = layer->D, .is_constant = true, .non_negative = true};
    const dt_tensor_plan values = {.name = "edges", .rows = layer->edges, .is_constant = true};
    DT_TRY(dt_network_declare(network, l, &slope, &layer->kernel));
    DT_TRY(dt_network_declare(network, l, &shift, &layer->bias));
    DT_TRY(dt_network_declare(network, l, &bins, &layer->bins));
    DT_TRY(dt_network_declare(network, l, &counts, &layer->edge_counts));
    DT_TRY(dt_network_declare(network, l, &values, &layer->edge_values));
out:
    return status;
}

static dt_status plan(dt_network *network, size_t l)
{
    dt_status status = DT_OK;
    dt_layer *layer = &network->layers[l];
    DT_TRY(dt_network_check_beginning(network, l, l));
    if (layer->encoded > layer->D || layer->edges < 2 * layer->encoded)
        return dt_fail(DT_DATA,
                       "layer %zu (%s): 'inputs' is %zu and 'edges' %zu; expected at most %zu "
                       "inputs, and at least 2 edges for each",
                       l + 1, layer->kind->name, layer->encoded, layer->edges, layer->D);
    layer->H = layer->encoded * layer->width + (layer->D - layer->encoded);
    layer->activation = DT_ACTIVATION_LINEAR;
    DT_TRY(declare(network, l));
out:
    return status;
}

/* The edges are in order, and their number is that of the layer. */
static dt_status check(const dt_network *network, size_t l)
{
    const dt_layer *layer = &network->layers[l];
    const float *counts = network->constants + layer->edge_counts;
    const float *edges = network->constants + layer->edge_values;
    size_t inputs = 0, total = 0;
    for (size_t d = 0; d < layer->D; d++) {
        const size_t count = counts[d] <= (float)layer->edges ? (size_t)counts[d] : 0;
        if ((float)count != counts[d] || count == 1 || count > layer->edges - total ||
            count > DT_BINS_MAX + 1)
            return dt_fail(DT_DATA, "layer %zu (%s): input %zu has %g edges", l + 1,
                           layer->kind->name, d, (double)counts[d]);
        for (size_t i = total + 1; i < total + count; i++)
            if (!((double)edges[i] - (double)edges[i - 1] >= DT_BIN_WIDTH_MIN &&
                  (double)edges[i] - (double)edges[total] <= (double)FLT_MAX))
                return dt_fail(DT_DATA, "layer %zu (%s): the edges of input %zu are not in order",
                               l + 1, layer->kind->name, d);
        inputs += count > 0;
        total += count;
    }
    if (inputs != layer->encoded || total != layer->edges)
        return dt_fail(DT_DATA, "layer %zu (%s): %zu inputs have %zu edges; expected %zu with %zu",
                       l + 1, layer->kind->name, inputs, total, layer->encoded, layer->edges);
    return DT_OK;
}

/* One input of the layer. */
typedef struct input {
    size_t d; /* its column */
    size_t count; /* edges; 0: it is not encoded */
    size_t encoded, plain; /* index among the inputs of its kind */
    size_t first; /* of its edges; its bins begin at first - encoded */
} input;

/* Goes to the next input; the first one is that behind {.d = SIZE_MAX}. Returns whether there is
 * one. */
static bool next_input(input *it, const dt_network *network, const dt_layer *layer)
{
    if (it->d != SIZE_MAX) {
        it->encoded += it->count > 0;
        it->plain += it->count == 0;
        it->first += it->count;
    }
    it->d++;
    if (it->d >= layer->D)
        return false;
    it->count = (size_t)network->constants[layer->edge_counts + it->d];
    return true;
}

/* Its first output. */
static size_t output_of(const input *it, const dt_layer *layer)
{
    return it->count > 0 ? it->encoded * layer->width : layer->encoded * layer->width + it->plain;
}

/* ---- memory ---- */

/* Sums of bins, [edges - encoded, width]; bin and place in it of each encoded input. */
static dt_status allocate(dt_workspace *w, const dt_network *network, size_t l, dt_passes passes)
{
    (void)passes;
    dt_status status = DT_OK;
    const dt_layer *layer = &network->layers[l];
    DT_TRY(dt_memory_alloc(&w->weights[l], (layer->edges - layer->encoded) * layer->width,
                           sizeof(float), "sums of bins"));
    DT_TRY(dt_workspace_make_panels(&w->kept[l], w->capacity, 2 * layer->encoded, "bins of rows"));
out:
    return status;
}

/* ---- forward ---- */

/* The sums of the shift and the bins before each bin. */
static void begin_forward(const dt_traversal *t, size_t l)
{
    const dt_layer *layer = &t->network->layers[l];
    const float *params = t->network->params;
    const size_t width = layer->width;
    input it = {.d = SIZE_MAX};
    while (next_input(&it, t->network, layer)) {
        const size_t first = (it.first - it.encoded) * width;
        float *sums = t->workspace->weights[l] + first;
        if (it.count == 0)
            continue;
        memcpy(sums, params + layer->bias + it.encoded * width, width * sizeof *sums);
        for (size_t i = width; i < (it.count - 1) * width; i++)
            sums[i] = sums[i - width] + params[layer->bins + first + i - width];
    }
}

/* Counts the inner edges that are not above x: its bin. */
DT_VECTORIZE static size_t find_bin(const float *edges, size_t count, float x)
{
    int bin = 0;
    for (size_t i = 1; i + 1 < count; i++)
        bin += edges[i] <= x;
    return (size_t)bin;
}

static float find_place(const float *edges, size_t bin, float x)
{
    const float place = (x - edges[bin]) / (edges[bin + 1] - edges[bin]);
    return place < 0.0f ? 0.0f : place > 1.0f ? 1.0f : place; /* a NaN stays one */
}

static void encode(float *restrict y, float x, float place, const float *restrict slope,
                   const float *restrict sum, const float *restrict bin, size_t width)
{
    for (size_t j = 0; j < width; j++)
        y[j] = (x * slope[j] + sum[j]) + place * bin[j];
}

/* All rows of an encoded input. Its outputs may cross from one panel to the next. */
static void encode_rows(const dt_traversal *t, size_t l, const input *it, size_t from, size_t to)
{
    const dt_layer *layer = &t->network->layers[l];
    const dt_workspace *w = t->workspace;
    const dt_panels *in = dt_traversal_inputs(t, l), *out = &w->outputs[l], *kept = &w->kept[l];
    const float *edges = t->network->constants + layer->edge_values + it->first;
    const float *slope = t->network->params + layer->kernel + it->encoded * layer->width;
    const size_t column = output_of(it, layer), bins = it->first - it->encoded;
    const size_t left = DT_PANEL - column % DT_PANEL;
    const size_t here = left < layer->width ? left : layer->width;
    for (size_t i = from; i < to; i++) {
        const float x = *dt_panels_element(in, i, it->d);
        const size_t bin = find_bin(edges, it->count, x), at = (bins + bin) * layer->width;
        const float place = find_place(edges, bin, x);
        const float *sum = w->weights[l] + at, *value = t->network->params + layer->bins + at;
        *dt_panels_element(kept, i, it->encoded) = (float)bin;
        *dt_panels_element(kept, i, layer->encoded + it->encoded) = place;
        encode(dt_panels_element(out, i, column), x, place, slope, sum, value, here);
        if (here < layer->width)
            encode(dt_panels_element(out, i, column + here), x, place, slope + here, sum + here,
                   value + here, layer->width - here);
    }
}

static void forward(const dt_traversal *t, size_t l, size_t from, size_t to)
{
    const dt_layer *layer = &t->network->layers[l];
    const dt_panels *in = dt_traversal_inputs(t, l), *out = &t->workspace->outputs[l];
    input it = {.d = SIZE_MAX};
    while (next_input(&it, t->network, layer))
        if (it.count > 0)
            encode_rows(t, l, &it, from, to);
        else
            for (size_t i = from; i < to; i++)
                *dt_panels_element(out, i, output_of(&it, layer)) = *dt_panels_element(in, i, it.d);
}

/* ---- gradients ---- */

static void add_outputs(float *restrict sums, const float *restrict dy, float factor, size_t count)
{
    for (size_t j = 0; j < count; j++)
        sums[j] += factor * dy[j];
}

/* Adds factor times the gradient of the input's outputs in row i. */
static void add_row(float *sums, const dt_traversal *t, size_t l, const input *it, size_t i,
                    float factor)
{
    const dt_layer *layer = &t->network->layers[l];
    const dt_panels *dY = &t->workspace->deltas[l];
    const size_t column = output_of(it, layer), left = DT_PANEL - column % DT_PANEL;
    const size_t here = left < layer->width ? left : layer->width;
    add_outputs(sums, dt_panels_element(dY, i, column), factor, here);
    if (here < layer->width)
        add_outputs(sums + here, dt_panels_element(dY, i, column + here), factor,
                    layer->width - here);
}

/* The gradients of bins first .. first+count-1 from the rows of a segment. A row adds its place's
 * share to its own bin, and all of it to the bins before. */
static void add_bins(float *g, const dt_traversal *t, size_t l, const input *it, size_t first,
                     size_t count, size_t from, size_t to)
{
    const dt_layer *layer = &t->network->layers[l];
    const dt_panels *kept = &t->workspace->kept[l];
    float whole[(DT_PANEL + 1) * DT_PANEL] = {0}; /* of the rows in each bin; the last: behind */
    memset(g, 0, count * DT_PANEL * sizeof *g);
    for (size_t i = from; i < to; i++) {
        const size_t bin = (size_t)*dt_panels_element(kept, i, it->encoded);
        if (bin < first)
            continue;
        const size_t at = bin - first < count ? bin - first : count;
        add_row(whole + at * DT_PANEL, t, l, it, i, 1.0f);
        if (at < count)
            add_row(g + at * DT_PANEL, t, l, it, i,
                    *dt_panels_element(kept, i, layer->encoded + it->encoded));
    }
    for (size_t b = count; b-- > 0;)
        for (size_t j = 0; j < layer->width; j++) {
            float *behind = whole + (b + 1) * DT_PANEL + j;
            g[b * DT_PANEL + j] += *behind;
            whole[b * DT_PANEL + j] += *behind;
        }
}

/* The gradient of some bins of an input, segment by segment. */
static void hand_over_bins(const dt_traversal *t, size_t l, const input *it, size_t first,
                           size_t count)
{
    const dt_layer *layer = &t->network->layers[l];
    const size_t at = layer->bins + (it->first - it->encoded + first) * layer->width;
    const dt_gradient_block block = {at, count, layer->width, layer->width, 1};
    float g[DT_PANEL * DT_PANEL] __attribute__((aligned(64)));
    for (size_t s = t->first_filled; s <= t->last_filled; s++) {
        const size_t from = t->segments->start[s], to = t->segments->start[s + 1];
        if (from == to)
            continue;
        add_bins(g, t, l, it, first, count, from, to);
        t->sink(t->context, &block, g, s == t->first_filled, s == t->last_filled, 0);
    }
}

/* The gradient of the slope or the shift of an input, segment by segment. */
static void hand_over_vector(const dt_traversal *t, size_t l, const input *it, bool slope)
{
    const dt_layer *layer = &t->network->layers[l];
    const dt_panels *in = dt_traversal_inputs(t, l);
    const size_t first = (slope ? layer->kernel : layer->bias) + it->encoded * layer->width;
    const dt_gradient_block block = {first, 1, layer->width, layer->width, 1};
    for (size_t s = t->first_filled; s <= t->last_filled; s++) {
        const size_t from = t->segments->start[s], to = t->segments->start[s + 1];
        float sums[DT_PANEL] __attribute__((aligned(64))) = {0};
        if (from == to)
            continue;
        for (size_t i = from; i < to; i++)
            add_row(sums, t, l, it, i, slope ? *dt_panels_element(in, i, it->d) : 1.0f);
        t->sink(t->context, &block, sums, s == t->first_filled, s == t->last_filled, 0);
    }
}

static void gradient(dt_traversal *t, size_t l)
{
    const dt_layer *layer = &t->network->layers[l];
    for (input it = {.d = SIZE_MAX}; next_input(&it, t->network, layer);)
        for (size_t first = 0; first + 1 < it.count; first += DT_PANEL)
            hand_over_bins(t, l, &it, first, dt_panels_width(it.count - 1, first));
    dt_traversal_report_final(t, layer->bins);
    for (int slope = 0; slope <= 1; slope++) {
        for (input it = {.d = SIZE_MAX}; next_input(&it, t->network, layer);)
            if (it.count > 0)
                hand_over_vector(t, l, &it, slope != 0);
        dt_traversal_report_final(t, slope != 0 ? layer->kernel : layer->bias);
    }
}

const dt_layer_kind dt_layer_piecewise_linear = {
    .name = "piecewise_linear",
    .options = {.options = options, .count = sizeof options / sizeof *options},
    .plan = plan,
    .check = check,
    .encodes_numbers = true,
    .allocate = allocate,
    .begin_forward = begin_forward,
    .forward = forward,
    .gradient = gradient,
};
