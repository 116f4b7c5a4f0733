#include "dtrain/model/keras_model.h"

#include "keras_model_describe.h"

#include "dtrain/base/memory.h"

#include <stdio.h>
#include <stdlib.h>

/* The last Keras 2 that both readers know well; Keras 3 translates a file that says "2.". */
static const char keras_version[] = "2.13.1";
static const char keras_backend[] = "tensorflow";

/* "/model_weights/" with the layer's name twice and "kernel:0" behind it. */
enum { PATH_BYTES = 128 };

uint64_t dt_keras_layer_parameters(uint64_t inputs, uint64_t units)
{
    return (inputs + 1) * units;
}

uint64_t dt_keras_model_parameters(const dt_keras_model *model)
{
    uint64_t P = 0, inputs = model->inputs;
    for (size_t l = 0; l < model->layer_count; l++) {
        P += dt_keras_layer_parameters(inputs, model->layers[l].units);
        inputs = model->layers[l].units;
    }
    return P;
}

static dt_status set_versions(dt_h5 *h5, const char *path)
{
    dt_status status = DT_OK;
    DT_TRY(dt_h5_set_text(h5, path, "keras_version", keras_version));
    DT_TRY(dt_h5_set_text(h5, path, "backend", keras_backend));
out:
    return status;
}

DT_MUST_USE static dt_status set_configs(dt_h5 *h5, const dt_keras_model *model)
{
    dt_status status = DT_OK;
    char *config = NULL, *training = NULL;
    DT_TRY(dt_keras_describe_model(&config, model));
    DT_TRY(dt_h5_set_text(h5, "/", "model_config", config));
    DT_TRY(dt_keras_describe_training(&training, model));
    DT_TRY(dt_h5_set_text(h5, "/", "training_config", training));
out:
    free(training);
    free(config);
    return status;
}

static dt_status write_layer(dt_h5 *h5, const dt_keras_layer *layer, size_t index, uint64_t inputs)
{
    dt_status status = DT_OK;
    char name[DT_KERAS_LAYER_BYTES];
    char group[PATH_BYTES];
    char path[2 * PATH_BYTES];
    char kernel[PATH_BYTES];
    char bias[PATH_BYTES];
    const char *const weights[] = {kernel, bias};
    const uint64_t kernel_shape[] = {inputs, layer->units};

    dt_keras_name_layer(name, index);
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

/* Keras assigns the weights by this list's order, not by the groups' names. Layers without weights,
 * Normalization as it is here among them, need not be in it. */
static dt_status set_layer_names(dt_h5 *h5, size_t layer_count)
{
    dt_status status = DT_OK;
    char(*names)[DT_KERAS_LAYER_BYTES] = NULL;
    const char **texts = NULL;
    DT_TRY(dt_memory_alloc(&names, layer_count, sizeof *names, "layer names"));
    DT_TRY(dt_memory_alloc(&texts, layer_count, sizeof *texts, "layer names"));
    for (size_t i = 0; i < layer_count; i++) {
        dt_keras_name_layer(names[i], i);
        texts[i] = names[i];
    }
    DT_TRY(dt_h5_set_texts(h5, "/model_weights", "layer_names", texts, layer_count));
out:
    dt_memory_free(texts);
    dt_memory_free(names);
    return status;
}

dt_status dt_keras_write_companions(dt_h5 *h5, const char *recipe_json,
                                    const char *const *class_names, size_t class_name_count)
{
    dt_status status = DT_OK;
    if (recipe_json != NULL)
        DT_TRY(dt_h5_set_text(h5, "/", DT_KERAS_RECIPE, recipe_json));
    if (class_name_count > 0 && class_name_count <= DT_H5_TEXTS_MAX)
        DT_TRY(dt_h5_set_texts(h5, "/", DT_KERAS_CLASSES, class_names, class_name_count));
out:
    return status;
}

/* ---- the whole ---- */

dt_status dt_keras_model_write(const dt_keras_model *model, dt_h5 *h5)
{
    dt_status status = DT_OK;
    uint64_t inputs = model->inputs;
    const size_t names = model->class_name_count;
    DT_ASSERT(model->layer_count > 0 && inputs > 0);
    DT_ASSERT(names == 0 || names == model->layers[model->layer_count - 1].units);
    DT_ASSERT((model->mean == NULL) == (model->variance == NULL));

    DT_TRY(set_versions(h5, "/"));
    DT_TRY(set_configs(h5, model));
    DT_TRY(dt_h5_make_group(h5, "/model_weights"));
    DT_TRY(set_versions(h5, "/model_weights"));
    DT_TRY(set_layer_names(h5, model->layer_count));
    for (size_t i = 0; i < model->layer_count; i++) {
        DT_TRY(write_layer(h5, &model->layers[i], i, inputs));
        inputs = model->layers[i].units;
    }
    DT_TRY(dt_keras_write_companions(h5, model->recipe_json, model->class_names,
                                     model->class_name_count));
out:
    return status;
}
