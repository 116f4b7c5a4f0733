#include "dtrain/io/keras_model.h"

#include "dtrain/base/memory.h"

#include <jansson.h>

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* The last Keras 2 that both readers know well; Keras 3 translates a file that says "2.". */
static const char keras_version[] = "2.13.1";
static const char keras_backend[] = "tensorflow";

/* "dense_" and a number; "/model_weights/" with the name twice and "kernel:0" behind it. */
enum { NAME_BYTES = 32, PATH_BYTES = 128 };

static void name_layer(char out[NAME_BYTES], size_t index)
{
    if (index == 0)
        (void)snprintf(out, NAME_BYTES, "dense");
    else
        (void)snprintf(out, NAME_BYTES, "dense_%zu", index);
}

/* Keys beyond these make one reader or the other refuse the file: Keras 2 knows neither
 * batch_shape nor module, Keras 3 takes no is_legacy_optimizer. */
static json_t *describe_input(uint64_t inputs)
{
    return json_pack("{s:s, s:{s:[n,I], s:s, s:s}}", "class_name", "InputLayer", "config",
                     "batch_input_shape", (json_int_t)inputs, "dtype", "float32", "name",
                     "input_1");
}

static json_t *describe_dense(const dt_keras_layer *layer, const char *name)
{
    return json_pack("{s:s, s:{s:s, s:b, s:s, s:I, s:s, s:b}}", "class_name", "Dense", "config",
                     "name", name, "trainable", 1, "dtype", "float32", "units",
                     (json_int_t)layer->units, "activation", layer->activation, "use_bias", 1);
}

static json_t *describe_model(const dt_keras_model *model)
{
    json_t *layers = json_array();
    bool complete = json_array_append_new(layers, describe_input(model->inputs)) == 0;
    for (size_t i = 0; complete && i < model->layer_count; i++) {
        char name[NAME_BYTES];
        name_layer(name, i);
        complete = json_array_append_new(layers, describe_dense(&model->layers[i], name)) == 0;
    }
    if (!complete) {
        json_decref(layers);
        return NULL;
    }
    return json_pack("{s:s, s:{s:s, s:o}}", "class_name", "Sequential", "config", "name",
                     "sequential", "layers", layers);
}

static json_t *describe_training(const dt_keras_model *model)
{
    json_t *adam =
        json_pack("{s:s, s:{s:s, s:f, s:f, s:f, s:f, s:b}}", "class_name", "Adam", "config", "name",
                  "Adam", "learning_rate", model->learning_rate, "beta_1", model->beta_1, "beta_2",
                  model->beta_2, "epsilon", model->epsilon, "amsgrad", 0);
    if (adam == NULL)
        return NULL;
    return json_pack("{s:s, s:[s], s:n, s:n, s:o}", "loss", "sparse_categorical_crossentropy",
                     "metrics", "accuracy", "weighted_metrics", "loss_weights", "optimizer_config",
                     adam);
}

/* Returns the fewest digits that give all of Adam's numbers back exactly: 0.9 rather than
 * 0.90000000000000002, which is what people read in the file. */
static size_t digits_needed(const dt_keras_model *model)
{
    const double values[] = {model->learning_rate, model->beta_1, model->beta_2, model->epsilon};
    size_t digits = 1;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        for (; digits < 17; digits++) {
            char text[64];
            (void)snprintf(text, sizeof text, "%.*g", (int)digits, values[i]);
            double back = strtod(text, NULL);
            if (!(back < values[i]) && !(back > values[i]))
                break;
        }
    return digits;
}

/* Takes the reference to `json`, which is NULL when memory was short. */
static dt_status set_json(dt_h5 *h5, const char *name, json_t *json, size_t digits)
{
    dt_status status = DT_OK;
    char *text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(digits));
    if (text == NULL)
        DT_TRY(dt_fail(DT_MEMORY, "no memory for the %s of a Keras file", name));
    DT_TRY(dt_h5_set_text(h5, "/", name, text));
out:
    free(text);
    json_decref(json);
    return status;
}

static dt_status set_versions(dt_h5 *h5, const char *path)
{
    dt_status status = DT_OK;
    DT_TRY(dt_h5_set_text(h5, path, "keras_version", keras_version));
    DT_TRY(dt_h5_set_text(h5, path, "backend", keras_backend));
out:
    return status;
}

static dt_status write_layer(dt_h5 *h5, const dt_keras_layer *layer, size_t index, uint64_t inputs)
{
    dt_status status = DT_OK;
    char name[NAME_BYTES];
    char group[PATH_BYTES];
    char path[2 * PATH_BYTES];
    char kernel[PATH_BYTES];
    char bias[PATH_BYTES];
    const char *const weights[] = {kernel, bias};
    const uint64_t kernel_shape[] = {inputs, layer->units};

    name_layer(name, index);
    (void)snprintf(group, sizeof group, "/model_weights/%s", name);
    (void)snprintf(kernel, sizeof kernel, "%s/kernel:0", name);
    (void)snprintf(bias, sizeof bias, "%s/bias:0", name);
    DT_TRY(dt_h5_make_group(h5, group));
    DT_TRY(dt_h5_set_texts(h5, group, "weight_names", weights, 2));
    (void)snprintf(path, sizeof path, "%s/%s", group, kernel);
    DT_TRY(dt_h5_write_array(h5, path, DT_H5_F32, 2, kernel_shape, layer->kernel));
    (void)snprintf(path, sizeof path, "%s/%s", group, bias);
    DT_TRY(dt_h5_write_array(h5, path, DT_H5_F32, 1, &layer->units, layer->bias));
out:
    return status;
}

/* Keras assigns the weights by this list's order, not by the groups' names. */
static dt_status set_layer_names(dt_h5 *h5, size_t layer_count)
{
    dt_status status = DT_OK;
    char(*names)[NAME_BYTES] = NULL;
    const char **texts = NULL;
    DT_TRY(dt_memory_alloc(&names, layer_count, sizeof *names, "layer names"));
    DT_TRY(dt_memory_alloc(&texts, layer_count, sizeof *texts, "layer names"));
    for (size_t i = 0; i < layer_count; i++) {
        name_layer(names[i], i);
        texts[i] = names[i];
    }
    DT_TRY(dt_h5_set_texts(h5, "/model_weights", "layer_names", texts, layer_count));
out:
    dt_memory_free(texts);
    dt_memory_free(names);
    return status;
}

dt_status dt_keras_model_write(const dt_keras_model *model, dt_h5 *h5)
{
    dt_status status = DT_OK;
    uint64_t inputs = model->inputs;
    DT_ASSERT(model->layer_count > 0 && inputs > 0);
    DT_ASSERT(isfinite(model->learning_rate) && isfinite(model->beta_1));
    DT_ASSERT(isfinite(model->beta_2) && isfinite(model->epsilon));

    DT_TRY(set_versions(h5, "/"));
    DT_TRY(set_json(h5, "model_config", describe_model(model), 17));
    DT_TRY(set_json(h5, "training_config", describe_training(model), digits_needed(model)));
    DT_TRY(dt_h5_make_group(h5, "/model_weights"));
    DT_TRY(set_versions(h5, "/model_weights"));
    DT_TRY(set_layer_names(h5, model->layer_count));
    for (size_t i = 0; i < model->layer_count; i++) {
        DT_TRY(write_layer(h5, &model->layers[i], i, inputs));
        inputs = model->layers[i].units;
    }
out:
    return status;
}

dt_status dt_keras_model_save(const dt_keras_model *model, const char *path)
{
    dt_status status = DT_OK;
    dt_h5 *h5 = NULL;
    DT_TRY(dt_h5_new(&h5));
    DT_TRY(dt_keras_model_write(model, h5));
    DT_TRY(dt_h5_save(h5, path));
out:
    dt_h5_free(h5);
    return status;
}
