#include "dtrain/nn/network.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/random.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>

double dt_network_count_parameters(const size_t *widths, size_t layer_count)
{
    double P = 0.0;
    for (size_t l = 0; l < layer_count; l++)
        P += ((double)widths[l] + 1.0) * (double)widths[l + 1];
    return P;
}

/* Appends a tensor of rows by columns, or a vector: no columns. */
static dt_status add_tensor(dt_network *network, size_t layer, const char *name, size_t rows,
                            size_t columns, dt_init init, bool decays)
{
    dt_tensor *tensor = &network->tensors[network->tensor_count];
    *tensor = (dt_tensor){.layer = layer,
                          .name = name,
                          .first = network->P,
                          .count = rows,
                          .dims = {rows, columns},
                          .init = init,
                          .decays = decays};
    if (rows > INT_MAX || columns > INT_MAX ||
        (columns > 0 && __builtin_mul_overflow(rows, columns, &tensor->count)) ||
        __builtin_add_overflow(network->P, tensor->count, &network->P) ||
        network->P > SIZE_MAX / (4 * sizeof(float)))
        return dt_fail(DT_MEMORY, "layer %zu: a %s of %zu by %zu is too large", layer, name, rows,
                       columns);
    network->tensor_count++;
    return DT_OK;
}

static dt_status lay_out_layers(dt_network *network, const size_t *widths,
                                const dt_activation *activations)
{
    dt_status status = DT_OK;
    for (size_t l = 0; l < network->layer_count; l++) {
        const size_t D = widths[l], H = widths[l + 1];
        const dt_tensor *kernel = &network->tensors[network->tensor_count], *bias = kernel + 1;
        DT_TRY(add_tensor(network, l, "kernel", D, H, DT_INIT_GLOROT_UNIFORM, true));
        DT_TRY(add_tensor(network, l, "bias", H, 0, DT_INIT_ZEROS, false));
        network->layers[l] = (dt_layer){.kind = &dt_layer_dense,
                                        .number = l,
                                        .D = D,
                                        .H = H,
                                        .kernel = kernel->first,
                                        .bias = bias->first,
                                        .activation = activations[l]};
    }
out:
    return status;
}

dt_status dt_network_make(dt_network *out, const size_t *widths, const dt_activation *activations,
                          size_t layer_count)
{
    dt_status status = DT_OK;
    DT_ASSERT(layer_count > 0);
    *out = (dt_network){.D = widths[0], .C = widths[layer_count], .layer_count = layer_count};
    DT_TRY(dt_memory_alloc(&out->layers, layer_count, sizeof *out->layers, "layers"));
    DT_TRY(dt_memory_alloc(&out->tensors, 2 * layer_count, sizeof *out->tensors, "tensors"));
    DT_TRY(lay_out_layers(out, widths, activations));
    DT_TRY(dt_memory_alloc(&out->params, out->P, sizeof(float), "the network's parameters"));
out:
    if (status != DT_OK)
        dt_network_clear(out);
    return status;
}

static void fill_tensors(dt_network *network, uint64_t seed)
{
    for (size_t t = 0; t < network->tensor_count; t++) {
        const dt_tensor *tensor = &network->tensors[t];
        if (tensor->init == DT_INIT_ZEROS)
            continue; /* they are zeros */
        const double limit = sqrt(6.0 / (double)(tensor->dims[0] + tensor->dims[1]));
        dt_random random = dt_random_start(seed, DT_RANDOM_WEIGHTS, tensor->layer);
        float *W = network->params + tensor->first;
        for (size_t i = 0; i < tensor->count; i++)
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
    fill_tensors(out, seed);
out:
    dt_memory_free(activations);
    dt_memory_free(widths);
    return status;
}

dt_status dt_network_add_dropout(dt_network *network, double rate)
{
    const size_t dense = network->layer_count;
    dt_layer *layers = NULL;
    if (rate <= 0.0 || dense < 2)
        return DT_OK;
    DT_ASSERT(dt_network_dense(network, dense - 1) != NULL); /* there are no other layers yet */
    dt_status status = dt_memory_alloc(&layers, 2 * dense - 1, sizeof *layers, "layers");
    if (status != DT_OK)
        return status;
    for (size_t l = 0; l < dense; l++) {
        const size_t H = network->layers[l].H;
        layers[2 * l] = network->layers[l];
        if (l + 1 < dense)
            layers[2 * l + 1] = (dt_layer){.kind = &dt_layer_dropout,
                                           .number = l,
                                           .D = H,
                                           .H = H,
                                           .activation = DT_ACTIVATION_LINEAR,
                                           .rate = rate};
    }
    for (size_t t = 0; t < network->tensor_count; t++)
        network->tensors[t].layer *= 2;
    dt_memory_free(network->layers);
    network->layers = layers;
    network->layer_count = 2 * dense - 1;
    return DT_OK;
}

const dt_layer *dt_network_dense(const dt_network *network, size_t n)
{
    for (size_t l = 0; l < network->layer_count; l++)
        if (network->layers[l].kind == &dt_layer_dense && network->layers[l].number == n)
            return &network->layers[l];
    return NULL;
}

void dt_network_print_widths(char *out, size_t bytes, const dt_network *network)
{
    const dt_layer *layer = NULL;
    size_t used = (size_t)snprintf(out, bytes, "%zu", network->D);
    for (size_t n = 0; used < bytes && (layer = dt_network_dense(network, n)) != NULL; n++)
        used += (size_t)snprintf(out + used, bytes - used, "-%zu", layer->H);
}

void dt_network_clear(dt_network *network)
{
    dt_memory_free(network->params);
    dt_memory_free(network->layers);
    dt_memory_free(network->tensors);
    *network = (dt_network){0};
}

const dt_tensor *dt_network_tensor_of(const dt_network *network, size_t index)
{
    const dt_tensor *tensor = network->tensors + network->tensor_count - 1;
    while (index < tensor->first)
        tensor--;
    return tensor;
}
