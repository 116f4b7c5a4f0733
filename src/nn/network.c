#include "dtrain/nn/network.h"

#include "layer_internal.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/random.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

DT_MUST_USE static dt_status plan_layer(dt_network *network, size_t l, size_t D)
{
    dt_layer *layer = &network->layers[l];
    layer->D = D;
    layer->K = l > 0 ? network->layers[l - 1].K : 1;
    layer->number = 0;
    for (size_t i = 0; i < l; i++)
        layer->number += network->layers[i].kind == layer->kind;
    return layer->kind->plan(network, l);
}

dt_status dt_network_plan(dt_network *out, size_t D, const dt_layer *layers, size_t layer_count)
{
    enum { TENSORS_A_LAYER = 4 };
    dt_status status = DT_OK;
    DT_ASSERT(layer_count > 0 && D > 0);
    *out = (dt_network){
        .D = D, .C = D, .loss = &dt_cross_entropy, .threshold = NAN, .layer_count = layer_count};
    DT_TRY(dt_memory_alloc(&out->layers, layer_count, sizeof *out->layers, "layers"));
    DT_TRY(dt_memory_alloc(&out->tensors, 2 * layer_count * TENSORS_A_LAYER, sizeof *out->tensors,
                           "tensors"));
    out->constant_tensors = out->tensors + TENSORS_A_LAYER * layer_count;
    memcpy(out->layers, layers, layer_count * sizeof *layers);
    for (size_t l = 0; l < layer_count; l++) {
        DT_TRY(plan_layer(out, l, out->C));
        out->C = out->layers[l].H;
    }
    const dt_layer *last = &out->layers[layer_count - 1];
    out->K = last->K;
    if ((last->kind != &dt_layer_dense && !last->kind->row_major) ||
        last->activation != DT_ACTIVATION_LINEAR)
        DT_TRY(
            dt_fail(DT_DATA,
                    "the last layer is of the kind '%s' with activation %s; expected 'dense' with "
                    "activation linear",
                    last->kind->name, dt_activation_name(last->activation)));
out:
    if (status != DT_OK)
        dt_network_clear(out);
    return status;
}

dt_status dt_network_allocate(dt_network *network)
{
    dt_status status = DT_OK;
    DT_TRY(
        dt_memory_alloc(&network->params, network->P, sizeof(float), "the network's parameters"));
    if (network->constant_count > 0)
        DT_TRY(dt_memory_alloc(&network->constants, network->constant_count, sizeof(float),
                               "the network's constants"));
    for (size_t m = 0; m < network->other_count; m++) {
        network->others[m].constants = network->constants;
        DT_TRY(dt_memory_alloc(&network->others[m].params, network->P, sizeof(float),
                               "the networks' parameters"));
    }
out:
    return status;
}

dt_status dt_network_make(dt_network *out, size_t D, const dt_layer *layers, size_t layer_count)
{
    dt_status status = dt_network_plan(out, D, layers, layer_count);
    if (status != DT_OK)
        return status;
    status = dt_network_allocate(out);
    if (status != DT_OK)
        dt_network_clear(out);
    return status;
}

static double draw_within(dt_random *random, double most)
{
    double value = dt_random_normal(random);
    while (fabs(value) > most)
        value = dt_random_normal(random);
    return value;
}

/* A normal number of variance 1 when it is cut off at two standard deviations. */
static double draw_truncated(dt_random *random)
{
    const double deviation_left = .87962566103423978;
    return draw_within(random, 2.0) / deviation_left;
}

static void fill_at_random(float *W, const dt_tensor *tensor, dt_init init, dt_random *random)
{
    const double D = (double)tensor->fan_in, H = (double)tensor->fan_out;
    const bool he = init == DT_INIT_HE_UNIFORM || init == DT_INIT_HE_NORMAL;
    const bool glorot = init == DT_INIT_GLOROT_UNIFORM || init == DT_INIT_GLOROT_NORMAL;
    const bool normal =
        init == DT_INIT_GLOROT_NORMAL || init == DT_INIT_HE_NORMAL || init == DT_INIT_LECUN_NORMAL;
    const double scale = glorot || he ? 2.0 : init == DT_INIT_FAN_IN_UNIFORM ? 1.0 / 3.0 : 1.0;
    const double fans = glorot ? D + H : D;
    const double deviation = sqrt(scale / fans), limit = sqrt(3.0 * scale / fans);
    const size_t drawn = tensor->alike ? tensor->dims[1] : tensor->count;
    for (size_t i = 0; i < drawn; i++)
        W[i] = (float)(normal ? draw_truncated(random) * deviation
                              : (2.0 * dt_random_uniform(random) - 1.0) * limit);
    for (size_t i = drawn; i < tensor->count; i++)
        W[i] = W[i - drawn];
}

static void fill_with(float *W, size_t count, float value)
{
    for (size_t i = 0; i < count; i++)
        W[i] = value;
}

static void fill_normal(float *W, const dt_tensor *tensor, dt_random *random)
{
    for (size_t row = 0; row < tensor->dims[0]; row++)
        for (size_t j = 0; j < tensor->dims[1]; j++, W++)
            if (j < tensor->repeated && j % tensor->repeats != 0)
                *W = W[-1];
            else
                *W = (float)dt_random_normal(random);
}

static void fill_frequencies(float *W, const dt_tensor *tensor, dt_random *random)
{
    for (size_t i = 0; i < tensor->count; i++)
        W[i] = (float)(draw_within(random, 3.0) * tensor->deviation);
}

void dt_network_fill(dt_network *network, dt_init init, uint64_t seed)
{
    uint64_t number = 0;
    for (size_t t = 0; t < network->tensor_count; t++) {
        const dt_tensor *tensor = &network->tensors[t];
        float *W = network->params + tensor->first;
        const bool zeros = tensor->start == DT_START_ZEROS ||
                           (tensor->start == DT_START_BIAS && init != DT_INIT_FAN_IN_UNIFORM);
        if (zeros || tensor->start == DT_START_ONES) {
            fill_with(W, tensor->count, zeros ? 0.0f : 1.0f);
            continue;
        }
        dt_random random = dt_random_start(seed, DT_RANDOM_WEIGHTS, number++);
        if (tensor->start == DT_START_NORMAL)
            fill_normal(W, tensor, &random);
        else if (tensor->start == DT_START_FREQUENCIES)
            fill_frequencies(W, tensor, &random);
        else
            fill_at_random(W, tensor,
                           tensor->start == DT_START_UNIFORM ? DT_INIT_FAN_IN_UNIFORM : init,
                           &random);
    }
}

dt_status dt_network_check_constants(const dt_network *network)
{
    dt_status status = DT_OK;
    for (size_t l = 0; l < network->layer_count; l++)
        if (network->layers[l].kind->check != NULL)
            DT_TRY(network->layers[l].kind->check(network, l));
out:
    return status;
}

void dt_network_prepare(const dt_network *network, float *X, size_t B)
{
    for (size_t l = 0; network->layers[l].kind->prepare != NULL; l++)
        network->layers[l].kind->prepare(network, l, X, B);
}

bool dt_network_prepares(const dt_network *network)
{
    return network->layers[0].kind->prepare != NULL;
}

dt_status dt_network_set_loss(dt_network *network, const dt_loss *loss, double number,
                              const dt_target_scale *scale)
{
    dt_status status = DT_OK;
    dt_target_scale *copy = NULL;
    if (scale != NULL) {
        DT_TRY(dt_memory_alloc(&copy, network->C, sizeof *copy, "the targets' scales"));
        memcpy(copy, scale, network->C * sizeof *copy);
    }
    dt_memory_free(network->scale);
    network->loss = loss;
    network->loss_number = number;
    network->scale = copy;
out:
    return status;
}

void dt_network_standardise(const dt_network *network, dt_target *y, size_t B)
{
    const size_t C = network->C;
    for (size_t i = 0; network->scale != NULL && i < B; i++)
        for (size_t j = 0; j < C; j++) {
            const dt_target_scale *scale = &network->scale[j];
            float *value = &y[i * C + j].value;
            *value = (float)(((double)*value - scale->mean) / scale->deviation);
        }
}

void dt_network_restore_units(const dt_network *network, float *predictions, size_t B)
{
    const size_t C = network->C;
    for (size_t i = 0; network->scale != NULL && i < B; i++)
        for (size_t j = 0; j < C; j++) {
            const dt_target_scale *scale = &network->scale[j];
            float *value = &predictions[i * C + j];
            *value = (float)(scale->mean + scale->deviation * (double)*value);
        }
}

void dt_network_print_layer(char *out, size_t bytes, const dt_network *network, size_t l)
{
    const dt_layer *layer = &network->layers[l];
    if (layer->number == 0)
        (void)snprintf(out, bytes, "%s", layer->kind->name);
    else
        (void)snprintf(out, bytes, "%s_%zu", layer->kind->name, layer->number);
}

const dt_layer *dt_network_dense(const dt_network *network, size_t n)
{
    for (size_t l = 0; l < network->layer_count; l++) {
        const dt_layer *layer = &network->layers[l];
        const bool is_dense =
            layer->kind == &dt_layer_dense || layer->kind == &dt_layer_member_dense;
        if (is_dense && n-- == 0)
            return layer;
    }
    return NULL;
}

const dt_layer *dt_network_first(const dt_network *network, const dt_layer_kind *kind)
{
    for (size_t l = 0; l < network->layer_count; l++)
        if (network->layers[l].kind == kind)
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

dt_status dt_network_add(dt_network *network, dt_network *other)
{
    const size_t count = network->other_count;
    DT_ASSERT(other->P == network->P && other->D == network->D && other->C == network->C &&
              other->loss == network->loss && other->other_count == 0);
    const dt_status status =
        dt_memory_grow(&network->others, count, count + 1, sizeof *other, "networks");
    if (status != DT_OK)
        return status;
    dt_memory_free(other->constants);
    other->constants = network->constants;
    network->others[count] = *other;
    network->other_count++;
    *other = (dt_network){0};
    return DT_OK;
}

void dt_network_clear(dt_network *network)
{
    for (size_t m = 0; m < network->other_count; m++) {
        network->others[m].constants = NULL; /* the first network's */
        dt_network_clear(&network->others[m]);
    }
    dt_memory_free(network->others);
    dt_memory_free(network->params);
    dt_memory_free(network->constants);
    dt_memory_free(network->layers);
    dt_memory_free(network->tensors);
    dt_memory_free(network->scale);
    *network = (dt_network){0};
}
