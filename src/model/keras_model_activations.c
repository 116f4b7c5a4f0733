/* Activations: as names, as layers, and as layers that are the activation of another one. */
#include "keras_model_chain.h"

#include "dtrain/base/memory.h"
#include "dtrain/nn/activation.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* An activation in a network. */
typedef struct function {
    dt_layer layer;
    bool softmax;
} function;

static function plain(dt_activation activation)
{
    return (function){{.kind = &dt_layer_activation, .activation = activation}, false};
}

/* A number of a configuration; Keras also writes it as an array of NumPy. Returns false: it is
 * none, or too large. */
static bool get_number(double *out, const json_t *config, const char *key, double otherwise)
{
    const json_t *json = json_object_get(config, key);
    if (json_is_object(json))
        json = json_object_get(json_object_get(json, "config"), "value");
    while (json_is_array(json))
        json = dt_keras_only_element(json);
    *out = otherwise;
    if (json_object_get(config, key) == NULL || json_is_null(json_object_get(config, key)))
        return true;
    *out = dt_keras_plain_number(json_number_value(json));
    return json_is_number(json) && fabs(*out) <= 1e6;
}

/* ---- layers ---- */

static bool read_leaky(function *out, const json_t *config)
{
    double alpha = 0.0;
    return get_number(&alpha, config, "alpha", 0.3) && /* Keras 2 */
           get_number(&out->layer.slope, config, "negative_slope", alpha);
}

static bool read_relu(function *out, const json_t *config)
{
    dt_layer *l = &out->layer;
    return get_number(&l->slope, config, "negative_slope", 0.0) &&
           get_number(&l->threshold, config, "threshold", 0.0) &&
           get_number(&l->limit, config, "max_value", HUGE_VAL) && l->limit > 0.0;
}

static bool read_thresholded(function *out, const json_t *config)
{
    return get_number(&out->layer.threshold, config, "theta", 1.0);
}

static bool read_elu(function *out, const json_t *config)
{
    return get_number(&out->layer.curve, config, "alpha", 1.0) && out->layer.curve > 0.0;
}

static bool read_softmax(function *out, const json_t *config)
{
    const json_t *axis = json_object_get(config, "axis");
    if (json_is_array(axis))
        axis = dt_keras_only_element(axis);
    const json_int_t which = axis != NULL ? json_integer_value(axis) : -1;
    out->softmax = true;
    return which == -1 || which == 1;
}

static const struct {
    const char *class_name;
    bool (*read)(function *out, const json_t *config); /* false: numbers that dtrain has not */
} classes[] = {
    {"ReLU", read_relu}, {"LeakyReLU", read_leaky}, {"ThresholdedReLU", read_thresholded},
    {"ELU", read_elu},   {"Softmax", read_softmax},
};

static size_t find_class(const char *class_name)
{
    size_t i = 0;
    while (i < sizeof classes / sizeof *classes && strcmp(classes[i].class_name, class_name) != 0)
        i++;
    return i;
}

bool dt_keras_is_activation(const char *class_name)
{
    return find_class(class_name) < sizeof classes / sizeof *classes;
}

/* The activations that dtrain has without numbers. */
static void simplify(function *f)
{
    const dt_layer *l = &f->layer;
    const bool straight = l->threshold == 0.0 && !(l->limit > 0.0);
    if (straight && l->slope == 0.0 && l->curve == 0.0)
        *f = plain(DT_ACTIVATION_RELU);
    else if (straight && l->slope == 0.2 && l->curve == 0.0)
        *f = plain(DT_ACTIVATION_LEAKY_RELU);
    else if (straight && l->slope == 0.0 && l->curve == 1.0)
        *f = plain(DT_ACTIVATION_ELU);
}

/* Of a class that there is. */
DT_MUST_USE static dt_status read_class(function *out, const dt_keras_builder *b,
                                        const json_t *layer, const char *class_name,
                                        const json_t *config)
{
    *out = (function){.layer = {.kind = &dt_layer_rectifier, .activation = DT_ACTIVATION_LINEAR}};
    if (!classes[find_class(class_name)].read(out, config))
        return dt_fail(DT_DATA,
                       "%s: layer '%.60s' has the activation %.60s with such numbers, which dtrain "
                       "does not have; use Keras to predict",
                       b->path, dt_keras_name_of(layer), class_name);
    if (!isfinite(out->layer.limit))
        out->layer.limit = 0.0;
    if (!out->softmax)
        simplify(out);
    return DT_OK;
}

/* ---- names ---- */

static bool find_name(function *out, const char *name)
{
    static const char *const others[][2] = {{"swish", "silu"}, {"celu", "elu"}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(name, others[i][0]) == 0)
            name = others[i][1];
    *out = plain(dt_activation_find(name));
    if (strcmp(name, "softmax") == 0)
        *out = (function){.softmax = true};
    else if (strcmp(name, "relu6") == 0)
        out->layer = (dt_layer){.kind = &dt_layer_rectifier, .limit = 6.0};
    else
        return strcmp(name, dt_activation_name(out->layer.activation)) == 0;
    return true;
}

/* Either a name, or a function or layer described by an object. */
DT_MUST_USE static dt_status read_function(function *out, const dt_keras_builder *b,
                                           const json_t *layer, const json_t *activation)
{
    const char *class_name = dt_keras_text_of(activation, "class_name", "?");
    const char *name = json_string_value(activation);
    if (activation == NULL || json_is_null(activation))
        name = "linear";
    if (name == NULL && dt_keras_is_activation(class_name))
        return read_class(out, b, layer, class_name, json_object_get(activation, "config"));
    if (name != NULL && dt_keras_is_activation(name)) /* Keras 2 takes a class by its name */
        return read_class(out, b, layer, name, NULL);
    if (name == NULL)
        name = dt_keras_text_of(activation, "config", class_name);
    if (find_name(out, name))
        return DT_OK;
    return dt_fail(DT_DATA,
                   "%s: layer '%.60s' has the activation %.60s, which dtrain does not have; use "
                   "Keras to predict",
                   b->path, dt_keras_name_of(layer), name);
}

/* ---- taking it ---- */

/* z / 5 + 1/2 of Keras 2 is that of Keras 3 with 1.2 z. */
DT_MUST_USE static dt_status add_factor(dt_keras_builder *b, const json_t *layer)
{
    dt_status status = DT_OK;
    double *factor = NULL;
    dt_keras_settle_rescaling(b);
    DT_TRY(dt_memory_alloc(&factor, 1, sizeof *factor, "a number"));
    *factor = 1.2;
    dt_keras_add_affine(b, dt_keras_name_of(layer), factor, 1, NULL, 0);
    dt_keras_set_predicts_only(b->chain, "layer '%.60s' has the hard_sigmoid of Keras 2",
                               dt_keras_name_of(layer));
out:
    return status;
}

dt_status dt_keras_take_activation(dt_keras_builder *b, const json_t *layer,
                                   const json_t *activation)
{
    dt_status status = DT_OK;
    dt_keras_chain *chain = b->chain;
    function f;
    dt_keras_step *step = NULL;
    DT_TRY(read_function(&f, b, layer, activation));
    if (!f.softmax && f.layer.kind == &dt_layer_activation &&
        f.layer.activation == DT_ACTIVATION_LINEAR)
        goto out;
    if (f.softmax && b->softmax == NULL) {
        DT_TRY(dt_keras_check_rows(b, layer));
        dt_keras_settle_rescaling(b);
        b->softmax = dt_keras_name_of(layer);
        goto out;
    }
    if (chain->keras_2 && f.layer.activation == DT_ACTIVATION_HARD_SIGMOID && b->softmax == NULL)
        DT_TRY(add_factor(b, layer));
    /* The same as the activation of a linear layer before it. */
    if (b->softmax == NULL && !chain->rescaling.there && chain->count > 0)
        step = &chain->steps[chain->count - 1];
    if (step == NULL || step->layer.kind != &dt_layer_dense ||
        step->layer.activation != DT_ACTIVATION_LINEAR || f.layer.kind != &dt_layer_activation) {
        DT_TRY(dt_keras_add_step(&step, b, layer, f.layer.kind));
        step->layer = f.layer;
    } else {
        step->layer.activation = f.layer.activation;
    }
out:
    return status;
}
