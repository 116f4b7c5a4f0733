#include "dtrain/nn/network.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/random.h"

#include <limits.h>
#include <math.h>

double dt_network_count_parameters(const size_t *widths, size_t layer_count)
{
    double P = 0.0;
    for (size_t l = 0; l < layer_count; l++)
        P += ((double)widths[l] + 1.0) * (double)widths[l + 1];
    return P;
}

static dt_status lay_out_layers(dt_network *network, const size_t *widths,
                                const dt_activation *activations)
{
    const double P_max = (double)(SIZE_MAX / (4 * sizeof(float)));
    size_t P = 0;
    for (size_t l = 0; l < network->layer_count; l++) {
        const size_t D = widths[l], H = widths[l + 1];
        if (D > INT_MAX || H > INT_MAX || dt_network_count_parameters(widths, l + 1) > P_max)
            return dt_fail(DT_MEMORY, "layer %zu: %zu inputs by %zu units are too many", l, D, H);
        network->layers[l] = (dt_layer){
            .D = D,
            .H = H,
            .kernel = P,
            .bias = P + D * H,
            .activation = activations[l],
        };
        P += D * H + H;
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
