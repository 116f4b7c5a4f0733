#include "keras_model_describe.h"

#include "keras_graph.h"
#include "keras_losses.h"

#include "dtrain/io/json.h"
#include "dtrain/model/keras_model.h"

#include <jansson.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* The file format. */
typedef enum file_form { FORM_H5, FORM_ARCHIVE } file_form;

enum { FLOAT_DIGITS = 9 }; /* give all bits of a float32 back */

/* ---- layers ---- */

/* In .h5, keys beyond these make one reader or the other refuse the file: Keras 2 knows neither
 * batch_shape nor module, Keras 3 takes no is_legacy_optimizer. In .keras, `module` is how Keras 3
 * finds the class. Takes the reference to `config`, which is NULL when memory was short. */
static json_t *describe_object(file_form form, const char *module, const char *class,
                               json_t *config)
{
    if (form == FORM_H5)
        return json_pack("{s:s, s:o}", "class_name", class, "config", config);
    return json_pack("{s:s, s:s, s:o, s:n}", "module", module, "class_name", class, "config",
                     config, "registered_name");
}

static json_t *describe_input(file_form form, uint64_t inputs)
{
    json_t *config =
        json_pack("{s:[n,I], s:s, s:s}", form == FORM_H5 ? "batch_input_shape" : "batch_shape",
                  (json_int_t)inputs, "dtype", "float32", "name", "input_1");
    return describe_object(form, "keras.layers", "InputLayer", config);
}

/* Keras 2's form, which Keras 3 reads, too: [[["edges", 0, 0, {}], ...]]. */
static json_t *describe_links(const dt_keras_graph *graph, const dt_keras_node *node)
{
    json_t *links = json_array();
    for (size_t i = 0; links != NULL && i < node->from_count; i++)
        if (json_array_append_new(
                links, json_pack("[s, i, i, {}]", graph->nodes[node->from[i]].name, 0, 0)) != 0) {
            json_decref(links);
            links = NULL;
        }
    return node->from_count > 0 ? json_pack("[o]", links) : links;
}

static json_t *describe_node(file_form form, const dt_keras_graph *graph, size_t i)
{
    const dt_keras_node *node = &graph->nodes[i];
    json_t *json =
        i == 0 ? describe_input(form, graph->inputs)
               : describe_object(form, "keras.layers", node->class_name, json_incref(node->config));
    if (graph->functional &&
        (json_object_set_new(json, "name", json_string(node->name)) != 0 ||
         json_object_set_new(json, "inbound_nodes", describe_links(graph, node)) != 0)) {
        json_decref(json);
        json = NULL;
    }
    return json;
}

static json_t *describe_graph(file_form form, const dt_keras_graph *graph)
{
    json_t *layers = json_array();
    bool complete = layers != NULL;
    for (size_t i = 0; complete && i < graph->count; i++)
        complete = json_array_append_new(layers, describe_node(form, graph, i)) == 0;
    if (!complete) {
        json_decref(layers);
        return NULL;
    }
    if (!graph->functional)
        return describe_object(form, "keras", "Sequential",
                               json_pack("{s:s, s:o}", "name", "sequential", "layers", layers));
    return describe_object(form, "keras", form == FORM_H5 ? "Functional" : "Model",
                           json_pack("{s:s, s:o, s:[[s, i, i]], s:[[s, i, i]]}", "name",
                                     DT_KERAS_OWN_NAME, "layers", layers, "input_layers",
                                     graph->nodes[0].name, 0, 0, "output_layers",
                                     graph->nodes[graph->count - 1].name, 0, 0));
}

/* ---- training ---- */

static json_t *describe_optimizer(file_form form, const dt_optimizer *optimizer)
{
    const dt_optimizer_kind *kind = optimizer->kind;
    json_t *config = json_pack("{s:s, s:f}", "name", form == FORM_H5 ? kind->title : kind->name,
                               "learning_rate", optimizer->learning_rate);
    bool complete = config != NULL;
    for (size_t i = 0; complete && i < kind->number_count; i++)
        complete =
            json_object_set_new(config, kind->numbers[i].name,
                                kind->numbers[i].is_flag ? json_boolean(optimizer->numbers[i] > 0.0)
                                                         : json_real(optimizer->numbers[i])) == 0;
    if (complete && kind->weight_decay > 0.0)
        complete =
            json_object_set_new(config, "weight_decay", json_real(optimizer->weight_decay)) == 0;
    if (!complete) {
        json_decref(config);
        config = NULL;
    }
    return describe_object(form, "keras.optimizers", kind->title, config);
}

/* A loss that Keras does not have is null: fit then asks for one. */
static json_t *describe_loss(file_form form, const dt_network *network)
{
    const dt_keras_loss *keras = dt_keras_loss_of(network->loss);
    const char *name = network->loss->name;
    double number = 0.0;
    if (!dt_keras_loss_in_units(&number, network))
        return json_null();
    if (keras->number == NULL)
        return json_string(name);
    return describe_object(form, "keras.losses", keras->class_name,
                           json_pack("{s:s, s:f}", "name", name, keras->number, number));
}

static json_t *describe_training(file_form form, const dt_model *model)
{
    const dt_network *network = &model->network;
    json_t *metrics = network->loss->classes
                          ? json_pack("[s]", "accuracy")
                          : json_pack("[s, s]", "RootMeanSquaredError", "mean_absolute_error");
    return json_pack("{s:o, s:o, s:n, s:n, s:o}", "loss", describe_loss(form, network), "metrics",
                     metrics, "weighted_metrics", "loss_weights",
                     form == FORM_H5 ? "optimizer_config" : "optimizer",
                     describe_optimizer(form, &model->optimizer));
}

static bool is_printed(double value, size_t digits)
{
    char text[64];
    (void)snprintf(text, sizeof text, "%.*g", (int)digits, value);
    const double back = strtod(text, NULL);
    return !(back < value) && !(back > value);
}

/* Returns the fewest digits, at least `digits`, that give the number back exactly: 0.9 rather than
 * 0.90000000000000002, which is what people read in the file. */
static size_t raise_digits(size_t digits, double number)
{
    enum { MOST = 17 };
    while (digits < MOST && !is_printed(number, digits))
        digits++;
    return digits;
}

static size_t digits_of_training(const dt_model *model)
{
    const dt_optimizer *optimizer = &model->optimizer;
    double loss_number = 0.0;
    size_t digits = raise_digits(1, optimizer->learning_rate);
    digits = raise_digits(digits, optimizer->weight_decay);
    for (size_t i = 0; i < optimizer->kind->number_count; i++)
        digits = raise_digits(digits, optimizer->numbers[i]);
    (void)dt_keras_loss_in_units(&loss_number, &model->network);
    return raise_digits(digits, loss_number);
}

static size_t digits_of_model(const dt_network *network)
{
    size_t digits = FLOAT_DIGITS;
    for (size_t j = 0; network->scale != NULL && j < network->C; j++) {
        digits = raise_digits(digits, network->scale[j].mean);
        digits = raise_digits(digits, network->scale[j].deviation);
    }
    return digits;
}

/* ---- texts ---- */

/* Takes the reference to `json`, which is NULL when memory was short. */
DT_MUST_USE static dt_status print(char **out, json_t *json, size_t digits)
{
    dt_json_watch_memory();
    *out = json == NULL ? NULL : json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(digits));
    json_decref(json);
    if (dt_json_was_short()) {
        free(*out);
        *out = NULL;
    }
    return *out != NULL ? DT_OK : dt_fail(DT_MEMORY, "no memory for the JSON of a Keras file");
}

dt_status dt_keras_describe_model(char **out, const dt_keras_graph *graph, const dt_model *model)
{
    return print(out, describe_graph(FORM_H5, graph), digits_of_model(&model->network));
}

dt_status dt_keras_describe_training(char **out, const dt_model *model)
{
    return print(out, describe_training(FORM_H5, model), digits_of_training(model));
}

dt_status dt_keras_describe_archive(char **out, const dt_keras_graph *graph, const dt_model *model)
{
    const size_t digits = digits_of_training(model), least = digits_of_model(&model->network);
    json_t *json = describe_graph(FORM_ARCHIVE, graph);
    json_t *built = json_pack("{s:[n,I]}", "input_shape", (json_int_t)model->network.D);
    bool complete = json_object_set_new(json, "build_config", built) == 0;
    if (complete)
        complete = json_object_set_new(json, "compile_config",
                                       describe_training(FORM_ARCHIVE, model)) == 0;
    if (!complete) {
        json_decref(json);
        json = NULL;
    }
    return print(out, json, digits > least ? digits : least);
}
