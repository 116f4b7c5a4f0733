/*
 * A piecewise linear activation with an exponential below its threshold, and with its own numbers:
 * Keras's ReLU, LeakyReLU and ELU layers. A layer by itself; activation.h has the functions without
 * numbers.
 *
 *     y = limit                                     for x >= limit
 *     y = x                                         for threshold <= x < limit
 *     y = slope (x - threshold) + curve (e^x - 1)   otherwise
 */
#include "../layer_internal.h"
#include "../vector_math.h"

#include "dtrain/base/vectorize.h"

#include <float.h>

#define AT(field) offsetof(dt_layer, field)

static const dt_option options[] = {
    {"slope", "F", DT_OPTION_FLOAT, AT(slope), -1e6, 1e6, NULL, NULL, "slope below the threshold"},
    {"threshold", "F", DT_OPTION_FLOAT, AT(threshold), -1e6, 1e6, NULL, NULL,
     "input from which on the output equals the input"},
    {"limit", "F", DT_OPTION_FLOAT, AT(limit), 0, 1e6, NULL, NULL, "largest output; 0: no limit"},
    {"curve", "F", DT_OPTION_FLOAT, AT(curve), 0, 1e6, NULL, NULL,
     "factor of the exponential below the threshold"},
};

static dt_status plan(dt_network *network, size_t l)
{
    dt_layer *layer = &network->layers[l];
    layer->H = layer->D;
    layer->activation = DT_ACTIVATION_LINEAR;
    return DT_OK;
}

typedef struct shape {
    float slope, threshold, limit, curve;
} shape;

static shape shape_of(const dt_layer *layer)
{
    return (shape){(float)layer->slope, (float)layer->threshold,
                   layer->limit > 0.0 ? (float)layer->limit : FLT_MAX, (float)layer->curve};
}

/* A NaN stays one. */
DT_VECTORIZE static void rectify(float *restrict y, const float *restrict x, shape s, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const float below = s.slope * (x[i] - s.threshold) + s.curve * dt_expm1(x[i]);
        const float above = x[i] >= s.limit ? s.limit : x[i];
        y[i] = x[i] >= s.threshold ? above : below;
    }
}

DT_VECTORIZE static void rectify_back(float *restrict dX, const float *restrict dY,
                                      const float *restrict x, shape s, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const float below = s.slope + s.curve * dt_exp(x[i]);
        const float above = x[i] >= s.limit ? 0.0f : 1.0f;
        dX[i] = dY[i] * (x[i] >= s.threshold ? above : below);
    }
}

static void forward(const dt_traversal *t, size_t l, size_t from, size_t to)
{
    const dt_layer *layer = &t->network->layers[l];
    const dt_panels *in = dt_traversal_inputs(t, l);
    for (size_t p = 0; p < dt_panels_count(layer->H); p++)
        rectify(dt_panels_at(&t->workspace->outputs[l], from, p), dt_panels_at(in, from, p),
                shape_of(layer), (to - from) * DT_PANEL);
}

static void backward(const dt_traversal *t, size_t l, size_t before, size_t from, size_t to)
{
    const dt_workspace *w = t->workspace;
    const dt_layer *layer = &t->network->layers[l];
    const dt_panels *in = dt_traversal_inputs(t, l);
    for (size_t p = 0; p < dt_panels_count(layer->H); p++)
        rectify_back(dt_panels_at(&w->deltas[before], from, p),
                     dt_panels_at(&w->deltas[l], from, p), dt_panels_at(in, from, p),
                     shape_of(layer), (to - from) * DT_PANEL);
}

const dt_layer_kind dt_layer_rectifier = {
    .name = "rectifier",
    .options = {.options = options, .count = sizeof options / sizeof *options},
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
