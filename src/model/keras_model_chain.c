#include "keras_model_chain.h"

#include "keras_graph.h"

#include "dtrain/base/memory.h"

#include <stdio.h>
#include <string.h>

DT_MUST_USE static dt_status parse(json_t **out, const char *text, const char *what,
                                   const char *path)
{
    json_error_t error;
    *out = json_loads(text, 0, &error);
    if (*out != NULL)
        return DT_OK;
    if (json_error_code(&error) == json_error_out_of_memory)
        return dt_fail(DT_MEMORY, "%s: no memory for its %s", path, what);
    return dt_fail(DT_DATA, "%s: its %s is not valid JSON: %s", path, what, error.text);
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

DT_MUST_USE static dt_status check_link(const dt_keras_builder *b, const json_t *layer)
{
    const char *from = inbound_name(layer), *name = dt_keras_name_of(layer);
    const char *class = dt_keras_text_of(layer, "class_name", "?");
    const size_t uses = json_array_size(json_object_get(layer, "inbound_nodes"));
    if (!b->functional || (b->previous == NULL && uses == 0))
        return DT_OK;
    if (from == NULL || b->previous == NULL)
        return dt_fail(DT_DATA,
                       uses > 1 ? "%s: layer '%.60s' (%.60s) is used in several places; dtrain "
                                  "accepts a chain of layers. Use Keras to predict"
                                : "%s: layer '%.60s' (%.60s) does not follow exactly one layer; "
                                  "dtrain accepts a chain of layers. Use Keras to predict",
                       b->path, name, class);
    if (strcmp(from, b->previous) == 0)
        return DT_OK;
    return dt_fail(DT_DATA,
                   "%s: layer '%.60s' (%.60s) follows '%.60s', not '%.60s'; dtrain accepts a chain "
                   "of layers. Use Keras to predict",
                   b->path, name, class, from, b->previous);
}

/* Returns the number of tensors in a list of inputs or outputs. One is ["name", 0, 0], in Keras 2
 * within a list, and in Keras 3 perhaps in an object. */
static size_t count_tensors(const json_t *list)
{
    if (json_is_object(list))
        return json_object_size(list);
    return json_is_string(json_array_get(list, 0)) ? 1 : json_array_size(list);
}

DT_MUST_USE static dt_status check_ends(const dt_keras_builder *b, const json_t *config)
{
    const size_t inputs = count_tensors(json_object_get(config, "input_layers"));
    const size_t outputs = count_tensors(json_object_get(config, "output_layers"));
    if (b->functional && inputs > 1)
        return dt_fail(DT_DATA,
                       "%s: has %zu inputs; dtrain accepts models of one, with all columns. Use "
                       "Keras to predict",
                       b->path, inputs);
    if (b->functional && outputs > 1)
        return dt_fail(DT_DATA,
                       "%s: has %zu outputs; dtrain accepts models of one. Save one for each, with "
                       "keras.Model(model.inputs, model.outputs[0])",
                       b->path, outputs);
    return DT_OK;
}

/* The output is that of the last layer. */
DT_MUST_USE static dt_status check_output(const dt_keras_builder *b, const json_t *config)
{
    const json_t *output = json_object_get(config, "output_layers");
    if (!b->functional)
        return DT_OK;
    if (json_is_object(output))
        output = json_object_iter_value(json_object_iter((json_t *)output));
    if (json_is_array(json_array_get(output, 0)))
        output = dt_keras_only_element(output);
    const char *name = json_string_value(json_array_get(output, 0));
    if (name != NULL && b->previous != NULL && strcmp(name, b->previous) == 0)
        return DT_OK;
    return dt_fail(DT_DATA,
                   "%s: its output is not that of its last layer; dtrain accepts a chain of layers",
                   b->path);
}

/* ---- the model ---- */

/* Takes D from a layer that states the shape of a batch, [null, D], or [null, rows, columns]: a
 * Flatten follows, and dtrain's rows are those that it makes. */
DT_MUST_USE static dt_status take_input_shape(dt_keras_builder *b, const json_t *layer)
{
    const json_t *config = json_object_get(layer, "config");
    const json_t *shape = json_object_get(config, "batch_input_shape"); /* Keras 2 */
    if (shape == NULL)
        shape = json_object_get(config, "batch_shape"); /* Keras 3 */
    if (shape == NULL || json_is_null(shape))
        return DT_OK;
    b->dims = json_array_size(shape) > 0 ? json_array_size(shape) - 1 : 0;
    b->values = b->dims > 0 ? 1 : 0;
    for (size_t i = 1; i <= b->dims; i++) {
        const json_int_t extent = json_integer_value(json_array_get(shape, i));
        const bool fits = extent > 0 && extent <= INT32_MAX && b->values <= INT32_MAX;
        b->values = fits ? b->values * (uint64_t)extent : 0;
    }
    if (b->dims == 1 && json_is_null(json_array_get(shape, 1)))
        return DT_OK; /* the weights have it */
    if (b->values == 0 || b->values > INT32_MAX)
        return dt_fail(DT_DATA,
                       "%s: layer '%.60s' takes inputs of %zu dimensions; dtrain accepts rows of a "
                       "fixed number of values, [null, D]",
                       b->path, dt_keras_name_of(layer), json_array_size(shape));
    b->chain->inputs = b->values;
    return DT_OK;
}

static bool is_model(const char *class)
{
    return strcmp(class, "Sequential") == 0 || strcmp(class, "Functional") == 0 ||
           strcmp(class, "Model") == 0;
}

/* Keras below 2.2.3 has the list itself as the configuration. */
static const json_t *layers_of(const json_t *model)
{
    const json_t *config = json_object_get(model, "config");
    return json_is_array(config) ? config : json_object_get(config, "layers");
}

DT_MUST_USE static dt_status take_layers(dt_keras_builder *b, const json_t *model);

/* The layers of a model that is a layer follow on the layer before it. */
DT_MUST_USE static dt_status take_model(dt_keras_builder *b, const json_t *layer)
{
    dt_status status = DT_OK;
    const dt_keras_builder outer = *b;
    const dt_keras_place place = dt_keras_place_of(b, layer);
    b->model = b->chain->model_count++;
    b->chain->models[b->model] = place;
    DT_TRY(take_layers(b, layer));
    b->functional = outer.functional;
    b->model = outer.model;
out:
    return status;
}

DT_MUST_USE static dt_status take_layer(dt_keras_builder *b, const json_t *layer)
{
    dt_status status = DT_OK;
    const char *class = dt_keras_text_of(layer, "class_name", "?");
    const bool input = strcmp(class, "InputLayer") == 0;
    DT_TRY(check_link(b, layer));
    if (b->previous == NULL && b->dims == 0 && b->values == 0)
        DT_TRY(take_input_shape(b, layer));
    if (is_model(class)) {
        DT_TRY(take_model(b, layer));
    } else if (!input || b->previous != NULL) {
        DT_TRY(dt_keras_take_class(b, layer));
        DT_TRY(dt_keras_extras_read(b->chain, layer, b->path));
    }
    b->previous = dt_keras_name_of(layer);
out:
    return status;
}

DT_MUST_USE static dt_status take_layers(dt_keras_builder *b, const json_t *model)
{
    dt_status status = DT_OK;
    const json_t *config = json_object_get(model, "config"), *layers = layers_of(model);
    b->functional = strcmp(dt_keras_text_of(model, "class_name", "?"), "Sequential") != 0;
    b->previous = NULL;
    DT_TRY(check_ends(b, config));
    for (size_t i = 0; i < json_array_size(layers); i++)
        DT_TRY(take_layer(b, json_array_get(layers, i)));
    DT_TRY(check_output(b, config));
out:
    return status;
}

/* Counts the layers, also those of models in the model, whose number is counted, too. jansson
 * limits how deep they lie. */
static size_t count_layers(size_t *models, const json_t *model)
{
    const json_t *layers = layers_of(model);
    size_t count = json_array_size(layers);
    for (size_t i = 0; i < json_array_size(layers); i++) {
        const json_t *layer = json_array_get(layers, i);
        if (!is_model(dt_keras_text_of(layer, "class_name", "?")))
            continue;
        ++*models;
        count += count_layers(models, layer);
    }
    return count;
}

DT_MUST_USE static dt_status read_layers(dt_keras_builder *b, const json_t *model)
{
    /* Rescaling, Dense, and an activation of two. A damaged file may have millions of layers. */
    enum { STEPS_A_LAYER = 4, LAYERS_MAX = 4000 };
    dt_status status = DT_OK;
    dt_keras_chain *chain = b->chain;
    const char *class = dt_keras_text_of(model, "class_name", "?");
    const json_t *config = json_object_get(model, "config");
    size_t models = 1;
    const size_t count = count_layers(&models, model);
    if (!is_model(class))
        return dt_fail(DT_DATA,
                       "%s: its model is of the class %.60s; dtrain accepts Sequential and "
                       "Functional ones. Use Keras to predict",
                       b->path, class);
    if (strcmp(class, "Sequential") != 0 &&
        strcmp(dt_keras_text_of(config, "name", ""), DT_KERAS_OWN_NAME) == 0)
        return dt_fail(
            DT_DATA,
            "%s: is an export for Keras of a model with an encoding, members or residual "
            "connections, which dtrain does not read back; use model.h5 of the run that "
            "trained it",
            b->path);
    if (count > LAYERS_MAX)
        return dt_fail(DT_DATA, "%s: has %zu layers; dtrain accepts at most %d", b->path, count,
                       LAYERS_MAX);
    DT_TRY(
        dt_memory_alloc(&chain->steps, count + 1, STEPS_A_LAYER * sizeof *chain->steps, "layers"));
    DT_TRY(dt_memory_alloc(&chain->models, models, sizeof *chain->models, "models"));
    chain->model_count = 1;
    DT_TRY(take_layers(b, model));
out:
    return status;
}

dt_status dt_keras_chain_read(dt_keras_chain *out, const dt_keras_config *config, const char *path)
{
    dt_status status = DT_OK;
    json_t *model = NULL, *training = NULL;
    dt_keras_builder b = {.chain = out, .path = path};
    *out = (dt_keras_chain){.keras_2 =
                                config->version == NULL || strncmp(config->version, "3.", 2) != 0};
    DT_TRY(parse(&model, config->model, config->model_name, path));
    if (config->training != NULL)
        DT_TRY(parse(&training, config->training, "training_config", path));
    else
        training = json_incref(json_object_get(model, "compile_config"));
    DT_TRY(read_layers(&b, model));
    DT_TRY(dt_keras_end_chain(&b, training));
    dt_keras_training_read(out, training);
out:
    json_decref(training);
    json_decref(model);
    if (status != DT_OK)
        dt_keras_chain_clear(out);
    return status;
}
