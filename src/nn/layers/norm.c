/*
 * Normalization of each row's units, with a trained scale and, of the first, a trained shift:
 *
 *     layer normalization    y = gamma (x - mean) / sqrt(variance + epsilon) + beta
 *     RMS normalization      y = scale x / sqrt(mean of x^2 + epsilon)
 *
 * A row's bits are its own: sums run in 32 lanes, unit mod 32, which are then added in pairs.
 *
 * Source: Ba, Kiros and Hinton, 2016; Zhang and Sennrich, NeurIPS 2019; names and formulas as in
 *         Keras's LayerNormalization and RMSNormalization
 */
#include "../layer_internal.h"

#include "dtrain/base/vectorize.h"

#include <math.h>
#include <string.h>

#define AT(field) offsetof(dt_layer, field)

static const dt_option options[] = {
    {"epsilon", "F", DT_OPTION_FLOAT, AT(epsilon), 1e-30, 1, NULL, NULL,
     "small number that is added to the variance"},
};

static bool has_shift(const dt_layer *layer)
{
    return layer->kind == &dt_layer_layer_norm;
}

static dt_status plan(dt_network *network, size_t l)
{
    dt_status status = DT_OK;
    dt_layer *layer = &network->layers[l];
    const dt_tensor_plan scale = {
        .name = has_shift(layer) ? "gamma" : "scale", .rows = layer->D, .start = DT_START_ONES};
    const dt_tensor_plan shift = {.name = "beta", .rows = layer->D, .start = DT_START_ZEROS};
    layer->H = layer->D;
    layer->activation = DT_ACTIVATION_LINEAR;
    DT_TRY(dt_network_declare(network, l, &scale, &layer->kernel));
    if (has_shift(layer))
        DT_TRY(dt_network_declare(network, l, &shift, &layer->bias));
out:
    return status;
}

/* The mean and 1 / deviation of each row. */
enum { MEAN, INVERSE, STATISTICS };

static dt_status allocate(dt_workspace *w, const dt_network *network, size_t l, dt_passes passes)
{
    (void)passes;
    return dt_workspace_make_panels(&w->kept[l], dt_workspace_rows(w, network, l), STATISTICS,
                                    "statistics of rows");
}

/* ---- sums over the units of a row ---- */

static float add_lanes(float lanes[DT_PANEL])
{
    for (size_t apart = DT_PANEL / 2; apart > 0; apart /= 2)
        for (size_t j = 0; j < apart; j++)
            lanes[j] += lanes[j + apart];
    return lanes[0];
}

DT_VECTORIZE static void add_units(float *restrict lanes, const float *restrict x, size_t count)
{
    for (size_t j = 0; j < count; j++)
        lanes[j] += x[j];
}

DT_VECTORIZE static void add_squares(float *restrict lanes, const float *restrict x, float mean,
                                     size_t count)
{
    for (size_t j = 0; j < count; j++)
        lanes[j] += (x[j] - mean) * (x[j] - mean);
}

static void measure(float statistics[STATISTICS], const dt_layer *layer, const dt_panels *in,
                    size_t i)
{
    const size_t panels = dt_panels_count(layer->H);
    float sums[DT_PANEL] = {0}, squares[DT_PANEL] = {0};
    float mean = 0.0f;
    if (has_shift(layer)) {
        for (size_t p = 0; p < panels; p++)
            add_units(sums, dt_panels_at(in, i, p), dt_panels_width(layer->H, p * DT_PANEL));
        mean = add_lanes(sums) / (float)layer->H;
    }
    for (size_t p = 0; p < panels; p++)
        add_squares(squares, dt_panels_at(in, i, p), mean, dt_panels_width(layer->H, p * DT_PANEL));
    statistics[MEAN] = mean;
    statistics[INVERSE] =
        1.0f / sqrtf(add_lanes(squares) / (float)layer->H + (float)layer->epsilon);
}

/* ---- forward ---- */

DT_VECTORIZE static void scale_units(float *restrict y, const float *restrict x, float mean,
                                     float inverse, const float *restrict scale, size_t count)
{
    for (size_t j = 0; j < count; j++)
        y[j] = (x[j] - mean) * inverse * scale[j];
}

static void forward(const dt_traversal *t, size_t l, size_t from, size_t to)
{
    const dt_layer *layer = &t->network->layers[l];
    const dt_panels *in = dt_traversal_inputs(t, l), *out = &t->workspace->outputs[l];
    const float *scale = t->network->params + layer->kernel;
    const float *shift = t->network->params + layer->bias;
    for (size_t i = from; i < to; i++) {
        float *statistics = dt_panels_at(&t->workspace->kept[l], i, 0);
        measure(statistics, layer, in, i);
        for (size_t p = 0; p < dt_panels_count(layer->H); p++) {
            const size_t units = dt_panels_width(layer->H, p * DT_PANEL);
            float *y = dt_panels_at(out, i, p);
            scale_units(y, dt_panels_at(in, i, p), statistics[MEAN], statistics[INVERSE],
                        scale + p * DT_PANEL, units);
            if (has_shift(layer))
                add_units(y, shift + p * DT_PANEL, units);
        }
    }
}

/* ---- the gradient of the inputs ---- */

/* g = dY scale, the gradient of x' = (x - mean) inverse; sums of g and of g x' in lanes. */
DT_VECTORIZE static void add_products(float *restrict sums, float *restrict products,
                                      float *restrict g, const float *restrict dY,
                                      const float *restrict scale, const float *restrict x,
                                      float mean, float inverse, size_t count)
{
    for (size_t j = 0; j < count; j++) {
        g[j] = dY[j] * scale[j];
        sums[j] += g[j];
        products[j] += g[j] * ((x[j] - mean) * inverse);
    }
}

DT_VECTORIZE static void project(float *restrict g, const float *restrict x, float mean,
                                 float inverse, float mean_g, float mean_product, size_t count)
{
    for (size_t j = 0; j < count; j++)
        g[j] = inverse * (g[j] - mean_g - (x[j] - mean) * inverse * mean_product);
}

static void backward(const dt_traversal *t, size_t l, size_t before, size_t from, size_t to)
{
    const dt_layer *layer = &t->network->layers[l];
    const dt_panels *in = dt_traversal_inputs(t, l);
    const dt_panels *dY = &t->workspace->deltas[l], *dX = &t->workspace->deltas[before];
    const float *scale = t->network->params + layer->kernel;
    const size_t panels = dt_panels_count(layer->H);
    for (size_t i = from; i < to; i++) {
        const float *statistics = dt_panels_at(&t->workspace->kept[l], i, 0);
        const float mean = statistics[MEAN], inverse = statistics[INVERSE];
        float sums[DT_PANEL] = {0}, products[DT_PANEL] = {0};
        for (size_t p = 0; p < panels; p++)
            add_products(sums, products, dt_panels_at(dX, i, p), dt_panels_at(dY, i, p),
                         scale + p * DT_PANEL, dt_panels_at(in, i, p), mean, inverse,
                         dt_panels_width(layer->H, p * DT_PANEL));
        const float mean_g = has_shift(layer) ? add_lanes(sums) / (float)layer->H : 0.0f;
        const float mean_product = add_lanes(products) / (float)layer->H;
        for (size_t p = 0; p < panels; p++)
            project(dt_panels_at(dX, i, p), dt_panels_at(in, i, p), mean, inverse, mean_g,
                    mean_product, dt_panels_width(layer->H, p * DT_PANEL));
    }
}

/* ---- the gradients of scale and shift ---- */

DT_VECTORIZE static void add_scaled(float *restrict sums, const float *restrict dY,
                                    const float *restrict x, float mean, float inverse,
                                    size_t count)
{
    for (size_t j = 0; j < count; j++)
        sums[j] += dY[j] * ((x[j] - mean) * inverse);
}

/* One row's part of the gradient of panel p. */
static void add_row(float sums[DT_PANEL], const dt_traversal *t, size_t l, bool of_scale, size_t i,
                    size_t p)
{
    const size_t units = dt_panels_width(t->network->layers[l].H, p * DT_PANEL);
    const float *dY = dt_panels_at(&t->workspace->deltas[l], i, p);
    const float *statistics = dt_panels_at(&t->workspace->kept[l], i, 0);
    if (of_scale)
        add_scaled(sums, dY, dt_panels_at(dt_traversal_inputs(t, l), i, p), statistics[MEAN],
                   statistics[INVERSE], units);
    else
        add_units(sums, dY, units);
}

static void hand_over(dt_traversal *t, size_t l, size_t first, bool of_scale)
{
    const dt_layer *layer = &t->network->layers[l];
    for (size_t p = 0; p < dt_panels_count(layer->H); p++) {
        const dt_gradient_block block = {first + p * DT_PANEL, 1,
                                         dt_panels_width(layer->H, p * DT_PANEL), 1, 1};
        for (size_t s = t->first_filled; s <= t->last_filled; s++) {
            const size_t from = dt_traversal_start(t, l, s), to = dt_traversal_start(t, l, s + 1);
            float sums[DT_PANEL] __attribute__((aligned(64))) = {0};
            if (from == to)
                continue;
            for (size_t i = from; i < to; i++)
                add_row(sums, t, l, of_scale, i, p);
            t->sink(t->context, &block, sums, s == t->first_filled, s == t->last_filled, 0);
        }
    }
    dt_traversal_report_final(t, first);
}

static void gradient(dt_traversal *t, size_t l)
{
    const dt_layer *layer = &t->network->layers[l];
    if (has_shift(layer))
        hand_over(t, l, layer->bias, false);
    hand_over(t, l, layer->kernel, true);
}

#define KIND(NAME)                                                                                 \
    {                                                                                              \
        .name = (NAME),                                                                            \
        .options = {.options = options, .count = sizeof options / sizeof *options}, .plan = plan,  \
        .allocate = allocate, .forward = forward, .backward = backward, .gradient = gradient,      \
    }

const dt_layer_kind dt_layer_layer_norm = KIND("layer_normalization");
const dt_layer_kind dt_layer_rms_norm = KIND("rms_normalization");
