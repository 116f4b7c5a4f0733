#include "dtrain/nn/network.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/random.h"
#include "dtrain/nn/linalg.h"

#include <limits.h>
#include <math.h>
#include <stdbool.h>

/* A gradient panel and the sums it goes into should stay in the nearer caches between the product
 * that makes them and the sink; smaller panels cost the product its speed. Of 48 to 420 Ki floats
 * this was the fastest for 784 by 512. */
enum { PANEL_FLOATS = 128 * 1024 };

static dt_status lay_out_layers(dt_network *network, const size_t *widths,
                                const dt_activation *activations)
{
    size_t P = 0;
    for (size_t l = 0; l < network->layer_count; l++) {
        const size_t D = widths[l], H = widths[l + 1];
        size_t kernel_size = 0;
        size_t end = 0;
        if (D > INT_MAX || H > INT_MAX || __builtin_mul_overflow(D, H, &kernel_size) ||
            __builtin_add_overflow(P, kernel_size, &end) || __builtin_add_overflow(end, H, &end) ||
            end > SIZE_MAX / (4 * sizeof(float)))
            return dt_fail(DT_MEMORY, "layer %zu: %zu inputs by %zu units are too many", l, D, H);
        network->layers[l] = (dt_layer){
            .D = D,
            .H = H,
            .kernel = P,
            .bias = P + kernel_size,
            .activation = activations[l],
        };
        P = end;
    }
    network->P = P;
    return DT_OK;
}

dt_status dt_network_make(dt_network *out, const size_t *widths, const dt_activation *activations,
                          size_t layer_count)
{
    dt_status status = DT_OK;
    DT_ASSERT(layer_count > 0);
    *out = (dt_network){.D = widths[0], .C = widths[layer_count], .layer_count = layer_count};
    DT_TRY(dt_memory_alloc(&out->layers, layer_count, sizeof *out->layers, "layers"));
    DT_TRY(lay_out_layers(out, widths, activations));
    DT_TRY(dt_memory_alloc(&out->params, out->P, sizeof(float), "the network's parameters"));
out:
    if (status != DT_OK)
        dt_network_clear(out);
    return status;
}

static void fill_kernels(dt_network *network, uint64_t seed)
{
    for (size_t l = 0; l < network->layer_count; l++) {
        const dt_layer *layer = &network->layers[l];
        const double limit = sqrt(6.0 / (double)(layer->D + layer->H));
        dt_random random = dt_random_start(seed, DT_RANDOM_WEIGHTS, l);
        float *W = network->params + layer->kernel;
        for (size_t i = 0; i < layer->D * layer->H; i++)
            W[i] = (float)((2.0 * dt_random_uniform(&random) - 1.0) * limit);
    }
}

dt_status dt_network_init(dt_network *out, size_t D, const size_t *hidden, size_t hidden_count,
                          dt_activation activation, size_t C, uint64_t seed)
{
    dt_status status = DT_OK;
    size_t *widths = NULL;
    dt_activation *activations = NULL;
    *out = (dt_network){0};
    DT_TRY(dt_memory_alloc(&widths, hidden_count + 2, sizeof *widths, "layers"));
    DT_TRY(dt_memory_alloc(&activations, hidden_count + 1, sizeof *activations, "layers"));
    widths[0] = D;
    for (size_t l = 0; l < hidden_count; l++) {
        widths[l + 1] = hidden[l];
        activations[l] = activation;
    }
    widths[hidden_count + 1] = C;
    activations[hidden_count] = DT_ACTIVATION_LINEAR;
    DT_TRY(dt_network_make(out, widths, activations, hidden_count + 1));
    fill_kernels(out, seed);
out:
    dt_memory_free(activations);
    dt_memory_free(widths);
    return status;
}

void dt_network_clear(dt_network *network)
{
    dt_memory_free(network->params);
    dt_memory_free(network->layers);
    *network = (dt_network){0};
}

size_t dt_network_layer_of(const dt_network *network, size_t index)
{
    size_t l = network->layer_count - 1;
    while (l > 0 && index < network->layers[l].kernel)
        l--;
    return l;
}

dt_status dt_workspace_init(dt_workspace *out, const dt_network *network, size_t rows)
{
    dt_status status = DT_OK;
    size_t widest = 1;
    *out = (dt_workspace){.capacity = rows, .layer_count = network->layer_count};
    DT_TRY(dt_memory_alloc(&out->outputs, 2 * network->layer_count, sizeof(float *), "workspace"));
    out->deltas = out->outputs + network->layer_count;
    for (size_t l = 0; l < network->layer_count; l++) {
        const size_t H = network->layers[l].H;
        size_t count = 0;
        if (__builtin_mul_overflow(rows, H, &count))
            DT_TRY(dt_fail(DT_MEMORY, "layer %zu: %zu rows by %zu units are too many", l, rows, H));
        DT_TRY(dt_memory_alloc(&out->outputs[l], count, sizeof(float), "layer outputs"));
        if (l + 1 < network->layer_count)
            DT_TRY(dt_memory_alloc(&out->deltas[l], count, sizeof(float), "layer gradients"));
        else
            out->deltas[l] =
                out->outputs[l]; /* the loss turns logits into their gradient in place */
        widest = H > widest ? H : widest;
    }
    out->panel_capacity = widest > PANEL_FLOATS ? widest : PANEL_FLOATS;
    DT_TRY(dt_memory_alloc(&out->panel, out->panel_capacity, sizeof(float), "gradient panel"));
out:
    if (status != DT_OK)
        dt_workspace_clear(out);
    return status;
}

void dt_workspace_clear(dt_workspace *workspace)
{
    for (size_t l = 0; workspace->outputs != NULL && l < workspace->layer_count; l++) {
        if (l + 1 < workspace->layer_count)
            dt_memory_free(workspace->deltas[l]); /* the last one is the outputs' */
        dt_memory_free(workspace->outputs[l]);
    }
    dt_memory_free(workspace->outputs);
    dt_memory_free(workspace->panel);
    *workspace = (dt_workspace){0};
}

/* A layer's outputs for some rows: while they are in the cache the activation goes over them. */
static void layer_forward(const dt_network *network, const dt_layer *layer, float *Y,
                          const float *X, size_t rows)
{
    dt_linalg_forward(Y, X, network->params + layer->kernel, network->params + layer->bias, rows,
                      layer->D, layer->H);
    dt_activation_forward(layer->activation, Y, rows * layer->H);
}

float *dt_network_forward(const dt_network *network, dt_workspace *workspace, const float *X,
                          const dt_segments *segments)
{
    const float *inputs = X;
    for (size_t l = 0; l < network->layer_count; l++) {
        const dt_layer *layer = &network->layers[l];
        const size_t D = layer->D, H = layer->H;
        float *Y = workspace->outputs[l];
        if (dt_linalg_forward_is_rowwise(D, H)) {
            layer_forward(network, layer, Y, inputs, segments->start[segments->count]);
        } else {
            for (size_t s = 0; s < segments->count; s++) {
                const size_t from = segments->start[s];
                const size_t rows = segments->start[s + 1] - from;
                if (rows > 0)
                    layer_forward(network, layer, Y + from * H, inputs + from * D, rows);
            }
        }
        inputs = Y;
    }
    return workspace->outputs[network->layer_count - 1];
}

/*
 * The gradient of one layer, panel by panel, each panel for all segments in turn: what the sink
 * adds up for a panel stays in the cache meanwhile. A panel is some whole rows of the kernel; the
 * last one, past the kernel's rows, is the bias.
 */
static void hand_over_gradient(const dt_layer *layer, const dt_workspace *workspace, const float *X,
                               const float *dY, const dt_segments *segments, dt_gradient_sink *sink,
                               dt_gradient_done *done, void *context)
{
    const size_t D = layer->D, H = layer->H;
    const size_t panel_rows = workspace->panel_capacity / H;
    for (size_t first = 0; first <= D;) {
        const bool is_bias = first == D;
        const size_t count = is_bias ? 1 : D - first < panel_rows ? D - first : panel_rows;
        bool fresh = true;
        for (size_t s = 0; s < segments->count; s++) {
            const size_t from = segments->start[s];
            const size_t rows = segments->start[s + 1] - from;
            if (rows == 0)
                continue;
            if (is_bias)
                dt_linalg_column_sums(workspace->panel, dY + from * H, rows, H);
            else
                dt_linalg_weight_gradient(workspace->panel, X + from * D, dY + from * H, rows, D, H,
                                          first, count);
            /* The bias lies right behind the kernel. */
            sink(context, layer->kernel + first * H, workspace->panel, count * H, fresh);
            fresh = false;
            if (done != NULL)
                done(context, 0, 0);
        }
        if (done != NULL)
            done(context, layer->kernel + first * H, count * H);
        first += count;
    }
}

/* The gradient of one layer's inputs, back through the activation that made them. */
static void carry_back(const dt_network *network, dt_workspace *workspace, size_t l,
                       const dt_segments *segments, dt_gradient_done *done, void *context)
{
    const dt_layer *layer = &network->layers[l];
    float *dX = workspace->deltas[l - 1];
    for (size_t s = 0; s < segments->count; s++) {
        const size_t from = segments->start[s];
        const size_t rows = segments->start[s + 1] - from;
        if (rows == 0)
            continue;
        dt_linalg_input_gradient(dX + from * layer->D, workspace->deltas[l] + from * layer->H,
                                 network->params + layer->kernel, rows, layer->D, layer->H);
        if (done != NULL)
            done(context, 0, 0);
    }
    dt_activation_backward(network->layers[l - 1].activation, dX, workspace->outputs[l - 1],
                           segments->start[segments->count] * layer->D);
}

void dt_network_backward(const dt_network *network, dt_workspace *workspace, const float *X,
                         const dt_segments *segments, dt_gradient_sink *sink,
                         dt_gradient_done *done, void *context)
{
    for (size_t l = network->layer_count; l-- > 0;) {
        const float *inputs = l > 0 ? workspace->outputs[l - 1] : X;
        hand_over_gradient(&network->layers[l], workspace, inputs, workspace->deltas[l], segments,
                           sink, done, context);
        if (l > 0)
            carry_back(network, workspace, l, segments, done, context);
    }
}
