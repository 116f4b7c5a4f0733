/*
 * An activation as a layer, for places where it cannot be part of the dense layer before it, for
 * example after an add. Y = act(X). The next layer applies its derivative, as after a dense layer.
 */
#include "../layer_internal.h"

#include <string.h>

static const dt_option options[] = {
    {"activation", "NAME", DT_OPTION_CHOICE, offsetof(dt_layer, activation), 0, 0,
     DT_ACTIVATION_NAMES, NULL, "name of the function"},
};

static dt_status plan(dt_network *network, size_t l)
{
    network->layers[l].H = network->layers[l].D;
    return DT_OK;
}

static void forward(const dt_traversal *t, size_t l, size_t from, size_t to)
{
    const dt_layer *layer = &t->network->layers[l];
    const dt_panels *in = dt_traversal_inputs(t, l);
    const size_t count = (to - from) * DT_PANEL;
    for (size_t p = 0; p < dt_panels_count(layer->H); p++) {
        float *y = dt_panels_at(&t->workspace->outputs[l], from, p);
        memcpy(y, dt_panels_at(in, from, p), count * sizeof *y);
        dt_activation_forward(layer->activation, y, dt_traversal_slopes(t, l, from, p), count);
    }
}

static void backward(const dt_traversal *t, size_t l, size_t before, size_t from, size_t to)
{
    const dt_workspace *w = t->workspace;
    for (size_t p = 0; p < dt_panels_count(t->network->layers[l].H); p++)
        memcpy(dt_panels_at(&w->deltas[before], from, p), dt_panels_at(&w->deltas[l], from, p),
               (to - from) * DT_PANEL * sizeof(float));
}

const dt_layer_kind dt_layer_activation = {
    .name = "activation",
    .options = {.options = options, .count = sizeof options / sizeof *options},
    .plan = plan,
    .allocate = dt_workspace_make_slopes,
    .forward = forward,
    .backward = backward,
};
