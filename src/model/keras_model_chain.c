#include "keras_model_chain.h"

#include "keras_archive.h"
#include "keras_graph.h"
#include "keras_losses.h"

#include "dtrain/base/memory.h"
#include "dtrain/nn/activation.h"

#include <stdio.h>
#include <string.h>

/* What is known while the layers are gone through. */
typedef struct builder {
    dt_keras_chain *chain;
    const char *path;
    const char *previous; /* name of the layer before; NULL at the first */
    bool functional;
    bool archive; /* a .keras file, and so of Keras 3 */
} builder;

DT_MUST_USE static dt_status parse(json_t **out, const char *text, const char *what,
                                   const char *path)
{
    json_error_t error;
    *out = json_loads(text, 0, &error);
    if (*out != NULL)
        return DT_OK;
    if (json_error_code(&error) == json_error_out_of_memory)
        return dt_fail(DT_MEMORY, "%s: no memory for its %s", path, what);
    return dt_fail(DT_DATA, "%s: its %s is no valid JSON: %s", path, what, error.text);
}

/* ---- layers ---- */

static const char *known_activation(const char *name)
{
    static const char softmax[] = "softmax";
    if (strcmp(name, softmax) == 0)
        return softmax;
    const char *known = dt_activation_name(dt_activation_find(name));
    return strcmp(name, known) == 0 ? known : NULL;
}

DT_MUST_USE static dt_status read_activation(const char **out, const builder *b,
                                             const json_t *layer)
{
    const json_t *activation = json_object_get(json_object_get(layer, "config"), "activation");
    /* Either a name, or a function or layer described by an object. */
    const char *name = json_string_value(activation);
    if (activation == NULL || json_is_null(activation))
        name = "linear";
    if (name == NULL)
        name =
            dt_keras_text_of(activation, "config", dt_keras_text_of(activation, "class_name", "?"));
    *out = known_activation(name);
    if (*out == NULL)
        return dt_fail(
            DT_DATA,
            "%s: layer '%.60s' has the activation %.60s; dtrain takes " DT_ACTIVATION_NAMES
            ", and softmax in the last layer",
            b->path, dt_keras_name_of(layer), name);
    if (strcmp(name, "hard_sigmoid") == 0 && !b->archive)
        return dt_fail(DT_DATA,
                       "%s: layer '%.60s' has the activation hard_sigmoid, which Keras 2 computes "
                       "otherwise than Keras 3; save the model as .keras",
                       b->path, dt_keras_name_of(layer));
    return DT_OK;
}

/* Takes D from a layer that states the shape of a batch, [null, D]. */
DT_MUST_USE static dt_status take_input_shape(builder *b, const json_t *layer)
{
    const json_t *config = json_object_get(layer, "config");
    const json_t *shape = json_object_get(config, "batch_input_shape"); /* Keras 2 */
    if (shape == NULL)
        shape = json_object_get(config, "batch_shape"); /* Keras 3 */
    if (shape == NULL || json_is_null(shape))
        return DT_OK;
    const json_int_t inputs = json_integer_value(json_array_get(shape, 1));
    if (json_array_size(shape) != 2 || inputs <= 0)
        return dt_fail(DT_DATA,
                       "%s: layer '%.60s' takes inputs of %zu dimensions; dtrain takes rows of a "
                       "fixed number of values, [null, D]",
                       b->path, dt_keras_name_of(layer), json_array_size(shape));
    b->chain->inputs = (uint64_t)inputs;
    return DT_OK;
}

DT_MUST_USE static dt_status take_dense(builder *b, const json_t *layer)
{
    dt_status status = DT_OK;
    const json_t *config = json_object_get(layer, "config");
    const json_t *bias = json_object_get(config, "use_bias");
    const json_int_t units = json_integer_value(json_object_get(config, "units"));
    dt_keras_dense *dense = &b->chain->layers[b->chain->count];
    if (b->chain->rescaling.there)
        return dt_fail(DT_DATA,
                       "%s: layer '%.60s' is a Dense layer after a Rescaling; dtrain takes a "
                       "Rescaling of the outputs, after the last",
                       b->path, dt_keras_name_of(layer));
    if (units <= 0)
        return dt_fail(DT_DATA, "%s: layer '%.60s' has no number of units", b->path,
                       dt_keras_name_of(layer));
    if (bias != NULL && !json_is_boolean(bias))
        return dt_fail(DT_DATA, "%s: layer '%.60s': its use_bias is neither true nor false",
                       b->path, dt_keras_name_of(layer));
    (void)snprintf(dense->name, sizeof dense->name, "%s", dt_keras_name_of(layer));
    dense->units = (uint64_t)units;
    dense->has_bias = bias == NULL || json_is_true(bias);
    DT_TRY(read_activation(&dense->activation, b, layer));
    b->chain->count++;
out:
    return status;
}

/* An Activation layer is the same as the activation of a linear layer before it. */
DT_MUST_USE static dt_status take_activation(builder *b, const json_t *layer)
{
    dt_status status = DT_OK;
    const char *activation = NULL;
    DT_TRY(read_activation(&activation, b, layer));
    if (strcmp(activation, "linear") == 0)
        goto out;
    dt_keras_dense *dense = b->chain->count > 0 ? &b->chain->layers[b->chain->count - 1] : NULL;
    if (dense == NULL || strcmp(dense->activation, "linear") != 0 || b->chain->rescaling.there)
        DT_TRY(dt_fail(DT_DATA,
                       "%s: layer '%.60s' applies %s to %s; dtrain takes one activation after each "
                       "Dense layer",
                       b->path, dt_keras_name_of(layer), activation,
                       dense == NULL               ? "the inputs"
                       : b->chain->rescaling.there ? "a Rescaling"
                                                   : dense->activation));
    dense->activation = activation;
out:
    return status;
}

DT_MUST_USE static dt_status take_normalization(builder *b, const json_t *layer)
{
    if (b->chain->count > 0)
        return dt_fail(DT_DATA,
                       "%s: layer '%.60s' is a Normalization after a Dense layer; dtrain takes one "
                       "of the inputs, before the first",
                       b->path, dt_keras_name_of(layer));
    if (b->chain->normalization.there)
        return dt_fail(DT_DATA, "%s: layer '%.60s' is a second Normalization; dtrain takes one",
                       b->path, dt_keras_name_of(layer));
    return dt_keras_normalization_read(&b->chain->normalization, layer, b->path);
}

/* Predictions do without Dropout and GaussianNoise. */
static void take_random(builder *b, const json_t *layer, const char *class, const char *number)
{
    const json_t *config = json_object_get(layer, "config");
    if (json_number_value(json_object_get(config, number)) > 0.0)
        dt_keras_leave_out(b->chain->left_out, "%s '%.60s'", class, dt_keras_name_of(layer));
}

/* ---- links of a Functional model ---- */

/* Returns the name of the one layer that `layer` takes its inputs from; NULL: none, or more.
 * Keras 2: [[["name", 0, 0, {}]]]
 * Keras 3: [{"args": [{"config": {"keras_history": ["name", 0, 0]}}]}] */
static const char *inbound_name(const json_t *layer)
{
    const json_t *node = dt_keras_only_element(json_object_get(layer, "inbound_nodes"));
    if (json_is_array(node))
        return json_string_value(json_array_get(dt_keras_only_element(node), 0));
    const json_t *tensor = dt_keras_only_element(json_object_get(node, "args"));
    const json_t *history = json_object_get(json_object_get(tensor, "config"), "keras_history");
    return json_string_value(json_array_get(history, 0));
}

DT_MUST_USE static dt_status check_link(const builder *b, const json_t *layer)
{
    const char *from = inbound_name(layer);
    if (!b->functional)
        return DT_OK;
    if (b->previous == NULL ? json_array_size(json_object_get(layer, "inbound_nodes")) == 0
                            : from != NULL && strcmp(from, b->previous) == 0)
        return DT_OK;
    return dt_fail(DT_DATA,
                   "%s: layer '%.60s' does not follow on the layer before alone; dtrain takes a "
                   "chain of layers",
                   b->path, dt_keras_name_of(layer));
}

/* The output is one, and the last layer's: ["name", 0, 0], in Keras 2 within a list. */
DT_MUST_USE static dt_status check_output(const builder *b, const json_t *config)
{
    const json_t *output = json_object_get(config, "output_layers");
    if (!b->functional)
        return DT_OK;
    if (json_is_array(json_array_get(output, 0)))
        output = dt_keras_only_element(output);
    const char *name = json_string_value(json_array_get(output, 0));
    if (name != NULL && b->previous != NULL && strcmp(name, b->previous) == 0)
        return DT_OK;
    return dt_fail(DT_DATA,
                   "%s: its last layer alone is not its output; dtrain takes a chain of "
                   "layers",
                   b->path);
}

/* ---- the model ---- */

DT_MUST_USE static dt_status take_layer(builder *b, const json_t *layer)
{
    dt_status status = DT_OK;
    const char *class = dt_keras_text_of(layer, "class_name", "?");
    DT_TRY(check_link(b, layer));
    if (b->previous == NULL)
        DT_TRY(take_input_shape(b, layer));
    if (strcmp(class, "Dense") == 0)
        status = take_dense(b, layer);
    else if (strcmp(class, "Activation") == 0)
        status = take_activation(b, layer);
    else if (strcmp(class, "Normalization") == 0)
        status = take_normalization(b, layer);
    else if (strcmp(class, "Rescaling") == 0)
        status = dt_keras_rescaling_read(b->chain, layer, b->path);
    else if (strcmp(class, "Dropout") == 0)
        take_random(b, layer, class, "rate");
    else if (strcmp(class, "GaussianNoise") == 0)
        take_random(b, layer, class, "stddev");
    else if (strcmp(class, "InputLayer") != 0 || b->previous != NULL)
        status =
            dt_fail(DT_DATA,
                    "%s: layer '%.60s' is %s %.60s; dtrain takes an Input followed by Dense, "
                    "Dropout, GaussianNoise, Activation and, before them, Normalization layers, "
                    "and a Rescaling at the end",
                    b->path, dt_keras_name_of(layer),
                    strchr("AEIOU", class[0]) != NULL ? "an" : "a", class);
    DT_TRY(status);
    if (strcmp(class, "InputLayer") != 0)
        DT_TRY(dt_keras_extras_read(b->chain, layer, b->path));
    b->previous = dt_keras_name_of(layer);
out:
    return status;
}

DT_MUST_USE static dt_status read_layers(builder *b, const json_t *model)
{
    dt_status status = DT_OK;
    const char *class = dt_keras_text_of(model, "class_name", "?");
    const json_t *config = json_object_get(model, "config");
    /* Keras below 2.2.3 has the list itself there. */
    const json_t *layers = json_is_array(config) ? config : json_object_get(config, "layers");
    const size_t count = json_array_size(layers);
    b->functional = strcmp(class, "Functional") == 0 || strcmp(class, "Model") == 0;
    if (!b->functional && strcmp(class, "Sequential") != 0)
        return dt_fail(DT_DATA, "%s: its model is a %.60s; dtrain takes Sequential ones", b->path,
                       class);
    if (b->functional && strcmp(dt_keras_text_of(config, "name", ""), DT_KERAS_OWN_NAME) == 0)
        return dt_fail(
            DT_DATA,
            "%s: is an export for Keras of a model with an encoding, members or residual "
            "connections, which dtrain does not read back; use model.h5 of the run that "
            "trained it",
            b->path);
    DT_TRY(dt_memory_alloc(&b->chain->layers, count, sizeof *b->chain->layers, "layers"));
    for (size_t i = 0; i < count; i++)
        DT_TRY(take_layer(b, json_array_get(layers, i)));
    if (b->chain->count == 0)
        DT_TRY(dt_fail(DT_DATA, "%s: its model has no Dense layer", b->path));
    DT_TRY(check_output(b, config));
out:
    return status;
}

/* Returns whether linear outputs are values: by the loss, or because they can be nothing else. */
static bool gives_values(const dt_keras_chain *chain, const json_t *training)
{
    const char *name = dt_keras_loss_name(training);
    const dt_keras_loss *loss = name != NULL ? dt_keras_loss_find(name) : NULL;
    if (name != NULL)
        return loss != NULL && !loss->loss->classes;
    return chain->rescaling.there || chain->layers[chain->count - 1].units == 1;
}

DT_MUST_USE static dt_status check_activations(const builder *b, const json_t *training)
{
    dt_keras_dense *last = &b->chain->layers[b->chain->count - 1];
    for (const dt_keras_dense *hidden = b->chain->layers; hidden < last; hidden++)
        if (strcmp(hidden->activation, "softmax") == 0)
            return dt_fail(DT_DATA,
                           "%s: layer '%s' is not the last, and has the activation softmax; dtrain "
                           "takes " DT_ACTIVATION_NAMES " there",
                           b->path, hidden->name);
    const bool linear = strcmp(last->activation, "linear") == 0;
    if (linear && gives_values(b->chain, training))
        return DT_OK;
    if (linear && !b->chain->rescaling.there && dt_keras_loss_takes_logits(training))
        last->activation = known_activation("softmax");
    if (strcmp(last->activation, "softmax") != 0 || last->units < 2)
        return dt_fail(DT_DATA,
                       "%s: its last layer '%s' has %llu %s unit%s; dtrain takes softmax with one "
                       "unit a class, two or more%s",
                       b->path, last->name, (unsigned long long)last->units, last->activation,
                       last->units == 1 ? "" : "s",
                       linear
                           ? " (or linear, if the loss is a cross-entropy with from_logits=True, "
                             "or mean squared or absolute error, or Huber's)"
                           : "");
    return DT_OK;
}

dt_status dt_keras_chain_read(dt_keras_chain *out, const dt_keras_config *config, const char *path)
{
    dt_status status = DT_OK;
    json_t *model = NULL, *training = NULL;
    builder b = {.chain = out,
                 .path = path,
                 .archive = strcmp(config->model_name, DT_KERAS_CONFIG_MEMBER) == 0};
    *out = (dt_keras_chain){0};
    DT_TRY(parse(&model, config->model, config->model_name, path));
    if (config->training != NULL)
        DT_TRY(parse(&training, config->training, "training_config", path));
    else
        training = json_incref(json_object_get(model, "compile_config"));
    DT_TRY(read_layers(&b, model));
    DT_TRY(check_activations(&b, training));
    dt_keras_training_read(out, training);
out:
    json_decref(training);
    json_decref(model);
    if (status != DT_OK)
        dt_keras_chain_clear(out);
    return status;
}

void dt_keras_chain_clear(dt_keras_chain *chain)
{
    dt_memory_free(chain->layers);
    dt_memory_free(chain->normalization.mean);
    dt_memory_free(chain->normalization.variance);
    dt_memory_free(chain->rescaling.scale);
    dt_memory_free(chain->rescaling.offset);
    *chain = (dt_keras_chain){0};
}
