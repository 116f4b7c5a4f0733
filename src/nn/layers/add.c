/*
 * Adds the outputs of an earlier layer to those of the layer before: Y = X + Z, a residual
 * connection.
 *
 * The gradient of Z skips the layers between. It is stored until the layer behind the source has
 * written the source's deltas (dt_layer_kind.add_kept).
 */
#include "../layer_internal.h"

#include "dtrain/base/vectorize.h"

#include <limits.h>
#include <string.h>

_Static_assert(sizeof(size_t) == sizeof(int64_t), "a layer's index is read as an int64_t");

static const dt_option options[] = {
    {"from", "N", DT_OPTION_INT, offsetof(dt_layer, source), 0, INT_MAX, NULL, NULL,
     "index of the earlier layer"},
};

static dt_status plan(dt_network *network, size_t l)
{
    dt_layer *layer = &network->layers[l];
    const size_t source = layer->source;
    layer->H = layer->D;
    layer->activation = DT_ACTIVATION_LINEAR;
    if (source >= l || network->layers[source].H != layer->D ||
        network->layers[source].K != layer->K)
        return dt_fail(
            DT_DATA,
            "layer %zu (add): 'from' is %zu; expected the index (from 0) of a layer before "
            "layer %zu with %zu units",
            l + 1, source, l, layer->D);
    return DT_OK;
}

static dt_status allocate(dt_workspace *w, const dt_network *network, size_t l, dt_passes passes)
{
    if (passes == DT_FORWARD_PASS)
        return DT_OK;
    return dt_workspace_make_panels(&w->kept[l], dt_workspace_rows(w, network, l),
                                    network->layers[l].H, "a residual");
}

DT_VECTORIZE static void add_residual(float *restrict y, const float *restrict x, size_t count)
{
    for (size_t i = 0; i < count; i++)
        y[i] += x[i];
}

static void forward(const dt_traversal *t, size_t l, size_t from, size_t to)
{
    const dt_layer *layer = &t->network->layers[l];
    const dt_panels *in = dt_traversal_inputs(t, l);
    const dt_panels *other = dt_traversal_outputs(t, layer->source);
    const size_t count = (to - from) * DT_PANEL;
    for (size_t p = 0; p < dt_panels_count(layer->H); p++) {
        float *y = dt_panels_at(&t->workspace->outputs[l], from, p);
        memcpy(y, dt_panels_at(in, from, p), count * sizeof *y);
        add_residual(y, dt_panels_at(other, from, p), count);
    }
}

/* Whose outputs are added in this pass; SIZE_MAX: the network's inputs. */
static size_t find_source(const dt_traversal *t, size_t l)
{
    const size_t source = t->network->layers[l].source;
    return dt_traversal_uses(t, source) ? source : dt_traversal_before(t, source);
}

static void backward(const dt_traversal *t, size_t l, size_t before, size_t from, size_t to)
{
    const dt_workspace *w = t->workspace;
    const dt_layer *layer = &t->network->layers[l];
    const size_t source = find_source(t, l), count = (to - from) * DT_PANEL;
    for (size_t p = 0; p < dt_panels_count(layer->H); p++) {
        const float *dY = dt_panels_at(&w->deltas[l], from, p);
        float *kept = dt_panels_at(&w->kept[l], from, p);
        memcpy(dt_panels_at(&w->deltas[before], from, p), dY, count * sizeof *dY);
        memcpy(kept, dY, count * sizeof *dY);
        if (source != SIZE_MAX)
            dt_activation_backward(t->network->layers[source].activation, kept,
                                   dt_panels_at(dt_traversal_behind(t, source), from, p), count);
    }
}

static void add_kept(const dt_traversal *t, size_t l, size_t to_layer, size_t from, size_t to)
{
    const dt_workspace *w = t->workspace;
    if (find_source(t, l) != to_layer)
        return;
    for (size_t p = 0; p < dt_panels_count(t->network->layers[l].H); p++)
        add_residual(dt_panels_at(&w->deltas[to_layer], from, p),
                     dt_panels_at(&w->kept[l], from, p), (to - from) * DT_PANEL);
}

const dt_layer_kind dt_layer_add = {
    .name = "add",
    .options = {.options = options, .count = sizeof options / sizeof *options},
    .plan = plan,
    .allocate = allocate,
    .forward = forward,
    .backward = backward,
    .add_kept = add_kept,
};
