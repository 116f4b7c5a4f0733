/*
 * Normalization of the inputs by a mean and a variance that do not train, as Keras's layer of this
 * name computes it: (x - mean) / max(sqrt(variance), 1e-7), column by column.
 *
 * Source: keras/src/layers/preprocessing/normalization.py
 */
#include "../layer_internal.h"

#include "dtrain/base/vectorize.h"
#include "dtrain/nn/normalization.h"

#include <math.h>
#include <string.h>

/* keras.backend.epsilon(): a column of one value stays finite. */
static const float least_spread = (float)DT_NORMALIZATION_SPREAD_MIN;

static dt_status plan(dt_network *network, size_t l)
{
    dt_status status = DT_OK;
    dt_layer *layer = &network->layers[l];
    const dt_tensor_plan mean = {.name = "mean", .rows = layer->D, .is_constant = true};
    const dt_tensor_plan variance = {
        .name = "variance", .rows = layer->D, .is_constant = true, .non_negative = true};
    layer->H = layer->D;
    layer->activation = DT_ACTIVATION_LINEAR;
    if (l > 0)
        return dt_fail(DT_DATA, "layer %zu is a normalization; it must be the first layer", l + 1);
    DT_TRY(dt_network_declare(network, l, &mean, &layer->mean));
    DT_TRY(dt_network_declare(network, l, &variance, &layer->variance));
out:
    return status;
}

DT_VECTORIZE static void normalize(float *restrict x, const float *restrict mean,
                                   const float *restrict variance, size_t D)
{
    for (size_t i = 0; i < D; i++)
        x[i] = (x[i] - mean[i]) / fmaxf(sqrtf(variance[i]), least_spread);
}

void dt_normalization_apply(const dt_normalization *by, float *X, size_t B, size_t D)
{
    for (size_t i = 0; i < B; i++)
        normalize(X + i * D, by->mean, by->variance, D);
}

void dt_normalization_put(dt_network *network, const dt_normalization *by)
{
    const dt_layer *layer = dt_network_first(network, &dt_layer_normalization);
    if (layer == NULL)
        return;
    memcpy(network->constants + layer->mean, by->mean, layer->D * sizeof *by->mean);
    memcpy(network->constants + layer->variance, by->variance, layer->D * sizeof *by->variance);
}

static void prepare(const dt_network *network, size_t l, float *X, size_t B)
{
    const dt_layer *layer = &network->layers[l];
    const dt_normalization by = {network->constants + layer->mean,
                                 network->constants + layer->variance};
    dt_normalization_apply(&by, X, B, layer->D);
}

const dt_layer_kind dt_layer_normalization = {
    .name = "normalization",
    .plan = plan,
    .prepare = prepare,
};
