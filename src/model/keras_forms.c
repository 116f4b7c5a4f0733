#include "keras_forms.h"

static json_t *make_floats(const float *values, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; list != NULL && i < count; i++)
        if (json_array_append_new(list, json_real((double)values[i])) != 0) {
            json_decref(list);
            list = NULL;
        }
    return list;
}

const char *dt_keras_activation(const dt_network *network, size_t l)
{
    if (l + 1 == network->layer_count && network->loss->classes)
        return "softmax";
    return dt_activation_name(network->layers[l].activation);
}

static bool describe_activation(json_t *config, const dt_network *network, size_t l)
{
    return json_object_set_new(config, "activation",
                               json_string(dt_keras_activation(network, l))) == 0;
}

static bool describe_dense(json_t *config, const dt_network *network, size_t l)
{
    const dt_layer *layer = &network->layers[l];
    return json_object_set_new(config, "units", json_integer((json_int_t)layer->H)) == 0 &&
           describe_activation(config, network, l) &&
           json_object_set_new(config, "use_bias", json_boolean(layer->biases == DT_BIAS_UNITS)) ==
               0;
}

/* The numbers are in the configuration, not in weights: Keras 3.3 reads such weights of a .h5 file,
 * but still computes with 0 and 1. */
static bool describe_normalization(json_t *config, const dt_network *network, size_t l)
{
    const dt_layer *layer = &network->layers[l];
    const float *mean = network->constants + layer->mean;
    const float *variance = network->constants + layer->variance;
    return json_object_set_new(config, "axis", json_pack("[i]", -1)) == 0 &&
           json_object_set_new(config, "mean", make_floats(mean, layer->D)) == 0 &&
           json_object_set_new(config, "variance", make_floats(variance, layer->D)) == 0;
}

static bool describe_norm(json_t *config, const dt_network *network, size_t l)
{
    return json_object_set_new(config, "axis", json_integer(-1)) == 0 &&
           json_object_set_new(config, "epsilon", json_real(network->layers[l].epsilon)) == 0;
}

static bool describe_batch_norm(json_t *config, const dt_network *network, size_t l)
{
    return describe_norm(config, network, l) &&
           json_object_set_new(config, "momentum", json_real(network->layers[l].momentum)) == 0;
}

static bool set_number(json_t *config, const char *key, double number)
{
    return json_object_set_new(config, key, json_real(number)) == 0;
}

/* The keys of Keras 2 and 3, which LeakyReLU has not in common. */
static bool describe_relu(json_t *config, const dt_network *network, size_t l)
{
    const dt_layer *layer = &network->layers[l];
    return set_number(config, "negative_slope", layer->slope) &&
           set_number(config, "threshold", layer->threshold) &&
           (!(layer->limit > 0.0) || set_number(config, "max_value", layer->limit));
}

static bool describe_elu(json_t *config, const dt_network *network, size_t l)
{
    return set_number(config, "alpha", network->layers[l].curve);
}

static bool describe_prelu(json_t *config, const dt_network *network, size_t l)
{
    const bool one = network->layers[l].slopes == DT_SLOPES_ONE;
    return json_object_set_new(config, "shared_axes", one ? json_pack("[i]", 1) : json_null()) == 0;
}

static bool is_curved(const dt_layer *layer)
{
    return layer->curve > 0.0;
}

/* A Keras model with Dropout or GaussianNoise would have to contain the state of its random
 * numbers. */
static const dt_keras_form forms[] = {
    {&dt_layer_normalization, "Normalization", describe_normalization, NULL},
    {&dt_layer_dense, "Dense", describe_dense, NULL},
    {&dt_layer_activation, "Activation", describe_activation, NULL},
    {&dt_layer_rectifier, "ELU", describe_elu, is_curved},
    {&dt_layer_rectifier, "ReLU", describe_relu, NULL},
    {&dt_layer_prelu, "PReLU", describe_prelu, NULL},
    {&dt_layer_layer_norm, "LayerNormalization", describe_norm, NULL},
    {&dt_layer_rms_norm, "RMSNormalization", describe_norm, NULL},
    {&dt_layer_batch_norm, "BatchNormalization", describe_batch_norm, NULL},
    {&dt_layer_dropout, NULL, NULL, NULL},
    {&dt_layer_noise, NULL, NULL, NULL},
};

const dt_keras_form *dt_keras_form_of(const dt_layer *layer)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (forms[i].kind == layer->kind && (forms[i].fits == NULL || forms[i].fits(layer)))
            return &forms[i];
    return NULL;
}
