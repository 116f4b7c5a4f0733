/*
 * The last layer of an ensemble that is one network: each member has a kernel and a bias of its
 * own, [K,D,C] and [K,C]. Z[i,k] = X[i,k] W[k] + b[k].
 *
 * Source: Gorishniy, Kotelnikov and Babenko, "TabM", ICLR 2025
 */
#include "products.h"

#include <limits.h>

_Static_assert(sizeof(size_t) == sizeof(int64_t), "a number of units is read as an int64_t");

static const dt_option options[] = {
    {"units", "N", DT_OPTION_INT, offsetof(dt_layer, H), 1, INT_MAX, NULL, NULL,
     "number of units of each member"},
};

static dt_status plan(dt_network *network, size_t l)
{
    dt_status status = DT_OK;
    dt_layer *layer = &network->layers[l];
    const size_t K = layer->K, D = layer->D, C = layer->H;
    const dt_tensor_plan kernel = {.name = "kernel",
                                   .rows = K * D,
                                   .columns = C,
                                   .fan_in = D,
                                   .start = DT_START_RANDOM,
                                   .decays = true};
    const dt_tensor_plan bias = {
        .name = "bias", .rows = K, .columns = C, .fan_in = D, .start = DT_START_BIAS};
    layer->activation = DT_ACTIVATION_LINEAR;
    if (K < 2)
        return dt_fail(DT_DATA, "layer %zu (%s) requires a layer member_scale before it", l + 1,
                       layer->kind->name);
    if (l + 1 < network->layer_count)
        return dt_fail(DT_DATA, "layer %zu (%s) must be the last layer", l + 1, layer->kind->name);
    DT_TRY(dt_network_declare(network, l, &kernel, &layer->kernel));
    DT_TRY(dt_network_declare(network, l, &bias, &layer->bias));
out:
    return status;
}

static dt_status allocate(dt_workspace *w, const dt_network *network, size_t l, dt_passes passes)
{
    (void)passes;
    return dt_narrow_allocate(w, network, l, network->layers[l].K);
}

static void begin_forward(const dt_traversal *t, size_t l)
{
    dt_narrow_pack(t, l, t->network->layers[l].K);
}

static void forward(const dt_traversal *t, size_t l, size_t from, size_t to)
{
    dt_narrow_forward(t, l, t->network->layers[l].K, from, to);
}

static void backward(const dt_traversal *t, size_t l, size_t before, size_t from, size_t to)
{
    const dt_layer *layer = &t->network->layers[l];
    const dt_workspace *w = t->workspace;
    const size_t K = layer->K, C = layer->H;
    for (size_t k = 0; k < K; k++) {
        const dt_multiply m = {
            .out = dt_panels_at(&w->deltas[before], from + k, 0),
            .out_pitch = w->deltas[before].pitch,
            .out_row = K * DT_PANEL,
            .A = w->logits + (from + k) * C,
            .a_row = K * C,
            .a_panel = DT_PANEL,
            .B = w->weights[l] + dt_narrow_packed(layer, k),
            .rows = (to - from) / K,
            .K = C,
            .N = layer->D,
            .activation = DT_ACTIVATION_LINEAR,
        };
        t->kernels->multiply(&m);
    }
}

static void gradient(dt_traversal *t, size_t l)
{
    dt_narrow_gradient(t, l, t->network->layers[l].K);
}

const dt_layer_kind dt_layer_member_dense = {
    .name = "member_dense",
    .options = {.options = options, .count = sizeof options / sizeof *options},
    .row_major = true,
    .plan = plan,
    .allocate = allocate,
    .begin_forward = begin_forward,
    .forward = forward,
    .backward = backward,
    .gradient = gradient,
};
