#include "dtrain/model/keras_model.h"

#include "keras_forms.h"
#include "keras_model_describe.h"
#include "model_arrays.h"

#include "dtrain/base/memory.h"

#include <stdio.h>
#include <stdlib.h>

/* The last Keras 2 that both readers know well; Keras 3 translates a file that says "2.". */
static const char keras_version[] = "2.13.1";
static const char keras_backend[] = "tensorflow";

/* "/model_weights/" with the layer's name twice and "kernel:0" behind it. */
enum { PATH_BYTES = 128 };

static dt_status set_versions(dt_h5 *h5, const char *path)
{
    dt_status status = DT_OK;
    DT_TRY(dt_h5_set_text(h5, path, "keras_version", keras_version));
    DT_TRY(dt_h5_set_text(h5, path, "backend", keras_backend));
out:
    return status;
}

DT_MUST_USE static dt_status set_configs(dt_h5 *h5, const dt_model *model)
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

/* The variables of a layer: its tensors. */
DT_MUST_USE static dt_status write_layer(dt_h5 *h5, const dt_network *network, size_t l)
{
    enum { MOST = 8 };
    dt_status status = DT_OK;
    char layer[DT_KERAS_LAYER_BYTES], group[PATH_BYTES], path[2 * PATH_BYTES];
    char names[MOST][PATH_BYTES];
    const char *texts[MOST];
    size_t count = 0;
    dt_network_print_layer(layer, sizeof layer, network, l);
    (void)snprintf(group, sizeof group, "/model_weights/%s", layer);
    DT_TRY(dt_h5_make_group(h5, group));
    for (size_t t = 0; t < network->tensor_count; t++) {
        const dt_tensor *tensor = &network->tensors[t];
        if (tensor->layer != l)
            continue;
        DT_ASSERT(count < MOST);
        (void)snprintf(names[count], PATH_BYTES, "%s/%s:0", layer, tensor->name);
        (void)snprintf(path, sizeof path, "%s/%s", group, names[count]);
        texts[count] = names[count];
        count++;
        DT_TRY(dt_model_tensor_write(h5, path, tensor, network->params + tensor->first));
    }
    DT_TRY(dt_h5_set_texts(h5, group, "weight_names", texts, count));
out:
    return status;
}

/* Keras assigns the weights by this list's order, not by the groups' names. Layers without weights,
 * Normalization as it is here among them, need not be in it. */
DT_MUST_USE static dt_status write_layers(dt_h5 *h5, const dt_network *network)
{
    dt_status status = DT_OK;
    char(*names)[DT_KERAS_LAYER_BYTES] = NULL;
    const char **texts = NULL;
    size_t count = 0;
    DT_TRY(dt_memory_alloc(&names, network->layer_count, sizeof *names, "layer names"));
    DT_TRY(dt_memory_alloc(&texts, network->layer_count, sizeof *texts, "layer names"));
    for (size_t l = 0; l < network->layer_count; l++) {
        if (!dt_keras_form_of(&network->layers[l])->has_variables)
            continue;
        dt_network_print_layer(names[count], DT_KERAS_LAYER_BYTES, network, l);
        texts[count] = names[count];
        count++;
        DT_TRY(write_layer(h5, network, l));
    }
    DT_TRY(dt_h5_set_texts(h5, "/model_weights", "layer_names", texts, count));
out:
    dt_memory_free(texts);
    dt_memory_free(names);
    return status;
}

bool dt_keras_can_save(const dt_network *network, const char **kind)
{
    for (size_t l = 0; l < network->layer_count; l++)
        if (dt_keras_form_of(&network->layers[l]) == NULL) {
            *kind = dt_layer_kind_name(network->layers[l].kind);
            return false;
        }
    return true;
}

dt_status dt_keras_write_companions(dt_h5 *h5, const dt_model *model)
{
    dt_status status = DT_OK;
    const size_t names = model->class_name_count;
    DT_ASSERT(names == 0 || names == model->network.C);
    if (model->recipe_json != NULL)
        DT_TRY(dt_h5_set_text(h5, "/", DT_KERAS_RECIPE, model->recipe_json));
    if (names > 0 && names <= DT_H5_TEXTS_MAX)
        DT_TRY(dt_h5_set_texts(h5, "/", DT_KERAS_CLASSES, (const char *const *)model->class_names,
                               names));
out:
    return status;
}

/* ---- the whole ---- */

dt_status dt_keras_model_write(const dt_model *model, dt_h5 *h5)
{
    dt_status status = DT_OK;
    DT_TRY(set_versions(h5, "/"));
    DT_TRY(set_configs(h5, model));
    DT_TRY(dt_h5_make_group(h5, "/model_weights"));
    DT_TRY(set_versions(h5, "/model_weights"));
    DT_TRY(write_layers(h5, &model->network));
    DT_TRY(dt_keras_write_companions(h5, model));
out:
    return status;
}
