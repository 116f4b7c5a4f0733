#include "dtrain/nn/spec.h"

#include "dtrain/base/memory.h"

dt_status dt_spec_plan(dt_network *out, size_t D, const size_t *hidden, size_t hidden_count,
                       dt_activation activation, size_t C)
{
    dt_layer *layers = NULL;
    *out = (dt_network){0};
    dt_status status = dt_memory_alloc(&layers, hidden_count + 1, sizeof *layers, "layers");
    if (status != DT_OK)
        return status;
    for (size_t l = 0; l < hidden_count; l++)
        layers[l] = (dt_layer){.kind = &dt_layer_dense, .H = hidden[l], .activation = activation};
    layers[hidden_count] =
        (dt_layer){.kind = &dt_layer_dense, .H = C, .activation = DT_ACTIVATION_LINEAR};
    status = dt_network_plan(out, D, layers, hidden_count + 1);
    dt_memory_free(layers);
    return status;
}

dt_status dt_spec_make(dt_network *out, size_t D, const size_t *hidden, size_t hidden_count,
                       dt_activation activation, size_t C, uint64_t seed)
{
    dt_status status = DT_OK;
    DT_TRY(dt_spec_plan(out, D, hidden, hidden_count, activation, C));
    DT_TRY(dt_network_allocate(out));
    dt_network_fill(out, seed);
out:
    if (status != DT_OK)
        dt_network_clear(out);
    return status;
}

/* Copies the layers but dropout, with dropout of that rate behind the hidden dense ones. place[l]
 * becomes the new index of layer l; for a dropout layer, that of the layer whose outputs it gave;
 * SIZE_MAX: the network's inputs. Returns the number of layers. */
static size_t place_dropout(dt_layer *out, size_t *place, const dt_network *network, double rate)
{
    size_t count = 0;
    for (size_t l = 0; l < network->layer_count; l++) {
        const dt_layer *layer = &network->layers[l];
        if (layer->kind == &dt_layer_dropout) {
            place[l] = count > 0 ? count - 1 : SIZE_MAX;
            continue;
        }
        place[l] = count;
        out[count++] = *layer;
        if (rate > 0.0 && layer->kind == &dt_layer_dense && l + 1 < network->layer_count)
            out[count++] = (dt_layer){.kind = &dt_layer_dropout, .rate = rate};
    }
    return count;
}

dt_status dt_spec_set_dropout(dt_network *network, double rate)
{
    dt_status status = DT_OK;
    dt_network next = {0};
    dt_layer *layers = NULL;
    size_t *place = NULL;
    DT_TRY(dt_memory_alloc(&layers, 2 * network->layer_count, sizeof *layers, "layers"));
    DT_TRY(dt_memory_alloc(&place, network->layer_count, sizeof *place, "layers"));
    const size_t count = place_dropout(layers, place, network, rate);
    for (size_t l = 0; l < count; l++)
        if (layers[l].kind == &dt_layer_add)
            layers[l].source = place[layers[l].source];
    DT_TRY(dt_network_plan(&next, network->D, layers, count));
    next.loss = network->loss;
    DT_ASSERT(next.P == network->P && next.constant_count == network->constant_count);
    next.params = network->params;
    next.constants = network->constants;
    network->params = network->constants = NULL;
    dt_network_clear(network);
    *network = next;
out:
    dt_memory_free(place);
    dt_memory_free(layers);
    return status;
}
