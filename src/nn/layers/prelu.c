/*
 * Keras's PReLU: a rectifier whose slope below 0 is trained, one of each unit or one for all.
 *
 *     y = x          for x >= 0
 *     y = alpha x    otherwise
 */
#include "../layer_internal.h"

#include "dtrain/base/vectorize.h"

#define AT(field) offsetof(dt_layer, field)

static const dt_option options[] = {
    {"slopes", "NAME", DT_OPTION_CHOICE, AT(slopes), 0, 0, "units|one", "units",
     "slopes below 0: one for each unit, or one for all"},
};

static bool is_one(const dt_layer *layer)
{
    return layer->slopes == DT_SLOPES_ONE;
}

static dt_status plan(dt_network *network, size_t l)
{
    dt_layer *layer = &network->layers[l];
    layer->H = layer->D;
    layer->activation = DT_ACTIVATION_LINEAR;
    return dt_network_declare(network, l,
                              &(dt_tensor_plan){.name = "alpha",
                                                .rows = is_one(layer) ? 1 : layer->D,
                                                .start = DT_START_ZEROS},
                              &layer->kernel);
}

/* The slopes of panel p; those of its padding are 0. */
static void find_slopes(float slopes[DT_PANEL], const dt_traversal *t, size_t l, size_t p)
{
    const dt_layer *layer = &t->network->layers[l];
    const float *alpha = t->network->params + layer->kernel;
    const size_t units = dt_panels_width(layer->H, p * DT_PANEL);
    for (size_t j = 0; j < DT_PANEL; j++)
        slopes[j] = j >= units ? 0.0f : alpha[is_one(layer) ? 0 : p * DT_PANEL + j];
}

/* A NaN stays one. */
DT_VECTORIZE static void bend(float *restrict y, const float *restrict x,
                              const float *restrict slopes, size_t rows)
{
    for (size_t i = 0; i < rows * DT_PANEL; i += DT_PANEL)
        for (size_t j = 0; j < DT_PANEL; j++)
            y[i + j] = x[i + j] >= 0.0f ? x[i + j] : slopes[j] * x[i + j];
}

DT_VECTORIZE static void bend_back(float *restrict dX, const float *restrict dY,
                                   const float *restrict x, const float *restrict slopes,
                                   size_t rows)
{
    for (size_t i = 0; i < rows * DT_PANEL; i += DT_PANEL)
        for (size_t j = 0; j < DT_PANEL; j++)
            dX[i + j] = x[i + j] >= 0.0f ? dY[i + j] : slopes[j] * dY[i + j];
}

static void forward(const dt_traversal *t, size_t l, size_t from, size_t to)
{
    const dt_panels *in = dt_traversal_inputs(t, l), *out = &t->workspace->outputs[l];
    for (size_t p = 0; p < dt_panels_count(t->network->layers[l].H); p++) {
        float slopes[DT_PANEL];
        find_slopes(slopes, t, l, p);
        bend(dt_panels_at(out, from, p), dt_panels_at(in, from, p), slopes, to - from);
    }
}

static void backward(const dt_traversal *t, size_t l, size_t before, size_t from, size_t to)
{
    const dt_workspace *w = t->workspace;
    const dt_panels *in = dt_traversal_inputs(t, l);
    for (size_t p = 0; p < dt_panels_count(t->network->layers[l].H); p++) {
        float slopes[DT_PANEL];
        find_slopes(slopes, t, l, p);
        bend_back(dt_panels_at(&w->deltas[before], from, p), dt_panels_at(&w->deltas[l], from, p),
                  dt_panels_at(in, from, p), slopes, to - from);
    }
}

/* ---- the gradient of the slopes ---- */

DT_VECTORIZE static void add_below(float *restrict sums, const float *restrict dY,
                                   const float *restrict x, size_t rows, size_t units)
{
    for (size_t i = 0; i < rows * DT_PANEL; i += DT_PANEL)
        for (size_t j = 0; j < units; j++)
            sums[j] += x[i + j] >= 0.0f ? 0.0f : dY[i + j] * x[i + j];
}

/* Adds a segment's gradient of panel p. */
static void add_panel(float sums[DT_PANEL], const dt_traversal *t, size_t l, size_t p, size_t s)
{
    const size_t from = dt_traversal_start(t, l, s), to = dt_traversal_start(t, l, s + 1);
    add_below(sums, dt_panels_at(&t->workspace->deltas[l], from, p),
              dt_panels_at(dt_traversal_inputs(t, l), from, p), to - from,
              dt_panels_width(t->network->layers[l].H, p * DT_PANEL));
}

/* Passes on the gradients of the panels from `first` to end-1: of each unit, or their sum. */
static void hand_over(const dt_traversal *t, size_t l, size_t first, size_t end)
{
    const dt_layer *layer = &t->network->layers[l];
    const size_t column = first * DT_PANEL;
    const dt_gradient_block block = {layer->kernel + column, 1,
                                     is_one(layer) ? 1 : dt_panels_width(layer->H, column), 1, 1};
    for (size_t s = t->first_filled; s <= t->last_filled; s++) {
        float sums[DT_PANEL] __attribute__((aligned(64))) = {0};
        if (dt_traversal_start(t, l, s) == dt_traversal_start(t, l, s + 1))
            continue;
        for (size_t p = first; p < end; p++)
            add_panel(sums, t, l, p, s);
        for (size_t j = 1; is_one(layer) && j < DT_PANEL; j++) {
            sums[0] += sums[j];
            sums[j] = 0.0f;
        }
        t->sink(t->context, &block, sums, s == t->first_filled, s == t->last_filled, 0);
    }
}

static void gradient(dt_traversal *t, size_t l)
{
    const dt_layer *layer = &t->network->layers[l];
    const size_t panels = dt_panels_count(layer->H), together = is_one(layer) ? panels : 1;
    for (size_t p = 0; p < panels; p += together)
        hand_over(t, l, p, p + together);
    dt_traversal_report_final(t, layer->kernel);
}

const dt_layer_kind dt_layer_prelu = {
    .name = "prelu",
    .options = {.options = options, .count = sizeof options / sizeof *options},
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .gradient = gradient,
};
