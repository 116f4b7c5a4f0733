#include "keras_model_describe.h"

#include <jansson.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* Which of the two files it is for. */
typedef enum file_form { FORM_H5, FORM_ARCHIVE } file_form;

enum { FLOAT_DIGITS = 9 }; /* give all bits of a float32 back */

void dt_keras_name_layer(char out[DT_KERAS_LAYER_BYTES], size_t index)
{
    if (index == 0)
        (void)snprintf(out, DT_KERAS_LAYER_BYTES, "dense");
    else
        (void)snprintf(out, DT_KERAS_LAYER_BYTES, "dense_%zu", index);
}

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

static json_t *describe_floats(const float *values, uint64_t count)
{
    json_t *list = json_array();
    for (uint64_t i = 0; list != NULL && i < count; i++)
        if (json_array_append_new(list, json_real((double)values[i])) != 0) {
            json_decref(list);
            list = NULL;
        }
    return list;
}

/* The numbers are in the configuration, not in weights: Keras 3.3 reads such weights of a .h5 file,
 * but goes on computing with 0 and 1. */
static json_t *describe_normalization(file_form form, const dt_keras_model *model)
{
    json_t *config = json_pack("{s:s, s:b, s:s, s:[i], s:o, s:o}", "name", "normalization",
                               "trainable", 1, "dtype", "float32", "axis", -1, "mean",
                               describe_floats(model->mean, model->inputs), "variance",
                               describe_floats(model->variance, model->inputs));
    return describe_object(form, "keras.layers", "Normalization", config);
}

static json_t *describe_dense(file_form form, const dt_keras_layer *layer, size_t index)
{
    char name[DT_KERAS_LAYER_BYTES];
    dt_keras_name_layer(name, index);
    json_t *config = json_pack("{s:s, s:b, s:s, s:I, s:s, s:b}", "name", name, "trainable", 1,
                               "dtype", "float32", "units", (json_int_t)layer->units, "activation",
                               layer->activation, "use_bias", 1);
    return describe_object(form, "keras.layers", "Dense", config);
}

static json_t *describe_sequential(file_form form, const dt_keras_model *model)
{
    json_t *layers = json_array();
    bool complete = json_array_append_new(layers, describe_input(form, model->inputs)) == 0;
    if (complete && model->mean != NULL)
        complete = json_array_append_new(layers, describe_normalization(form, model)) == 0;
    for (size_t i = 0; complete && i < model->layer_count; i++)
        complete = json_array_append_new(layers, describe_dense(form, &model->layers[i], i)) == 0;
    if (!complete) {
        json_decref(layers);
        return NULL;
    }
    json_t *config = json_pack("{s:s, s:o}", "name", "sequential", "layers", layers);
    return describe_object(form, "keras", "Sequential", config);
}

/* ---- training ---- */

static json_t *describe_optimizer(file_form form, const dt_optimizer *optimizer)
{
    const dt_optimizer_kind *kind = optimizer->kind;
    json_t *config = json_pack("{s:s, s:f}", "name", form == FORM_H5 ? kind->title : kind->name,
                               "learning_rate", optimizer->learning_rate);
    bool complete = config != NULL;
    for (size_t i = 0; complete && i < kind->number_count; i++)
        complete = json_object_set_new(config, kind->numbers[i].name,
                                       json_real(optimizer->numbers[i])) == 0;
    if (!complete) {
        json_decref(config);
        config = NULL;
    }
    return describe_object(form, "keras.optimizers", kind->title, config);
}

static json_t *describe_training(file_form form, const dt_keras_model *model)
{
    return json_pack("{s:s, s:[s], s:n, s:n, s:o}", "loss", "sparse_categorical_crossentropy",
                     "metrics", "accuracy", "weighted_metrics", "loss_weights",
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

/* Returns the fewest digits that give all of the optimizer's numbers back exactly: 0.9 rather than
 * 0.90000000000000002, which is what people read in the file. */
static size_t digits_needed(const dt_optimizer *optimizer)
{
    enum { MOST = 17 };
    size_t digits = 1;
    while (digits < MOST && !is_printed(optimizer->learning_rate, digits))
        digits++;
    for (size_t i = 0; i < optimizer->kind->number_count; i++)
        while (digits < MOST && !is_printed(optimizer->numbers[i], digits))
            digits++;
    return digits;
}

/* ---- texts ---- */

/* Takes the reference to `json`, which is NULL when memory was short. */
DT_MUST_USE static dt_status print(char **out, json_t *json, size_t digits)
{
    *out = json == NULL ? NULL : json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(digits));
    json_decref(json);
    return *out != NULL ? DT_OK : dt_fail(DT_MEMORY, "no memory for the JSON of a Keras file");
}

dt_status dt_keras_describe_model(char **out, const dt_keras_model *model)
{
    return print(out, describe_sequential(FORM_H5, model), FLOAT_DIGITS);
}

dt_status dt_keras_describe_training(char **out, const dt_keras_model *model)
{
    return print(out, describe_training(FORM_H5, model), digits_needed(&model->optimizer));
}

dt_status dt_keras_describe_archive(char **out, const dt_keras_model *model)
{
    const size_t digits = digits_needed(&model->optimizer);
    json_t *json = describe_sequential(FORM_ARCHIVE, model);
    json_t *built = json_pack("{s:[n,I]}", "input_shape", (json_int_t)model->inputs);
    bool complete = json_object_set_new(json, "build_config", built) == 0;
    if (complete)
        complete = json_object_set_new(json, "compile_config",
                                       describe_training(FORM_ARCHIVE, model)) == 0;
    if (!complete) {
        json_decref(json);
        json = NULL;
    }
    return print(out, json, digits > FLOAT_DIGITS ? digits : FLOAT_DIGITS);
}
