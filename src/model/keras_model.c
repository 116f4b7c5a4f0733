#include "dtrain/model/keras_model.h"

#include "keras_graph.h"
#include "keras_model_describe.h"

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

DT_MUST_USE static dt_status set_configs(dt_h5 *h5, const dt_keras_graph *graph,
                                         const dt_model *model)
{
    dt_status status = DT_OK;
    char *config = NULL, *training = NULL;
    DT_TRY(dt_keras_describe_model(&config, graph, model));
    DT_TRY(dt_h5_set_text(h5, "/", "model_config", config));
    DT_TRY(dt_keras_describe_training(&training, model));
    DT_TRY(dt_h5_set_text(h5, "/", "training_config", training));
out:
    free(training);
    free(config);
    return status;
}

DT_MUST_USE static dt_status write_node(dt_h5 *h5, const dt_keras_node *node)
{
    dt_status status = DT_OK;
    char group[PATH_BYTES], path[2 * PATH_BYTES], names[DT_KERAS_VARIABLES][PATH_BYTES];
    const char *texts[DT_KERAS_VARIABLES];
    (void)snprintf(group, sizeof group, "/model_weights/%s", node->name);
    DT_TRY(dt_h5_make_group(h5, group));
    for (size_t i = 0; i < node->variable_count; i++) {
        const dt_keras_variable *v = &node->variables[i];
        (void)snprintf(names[i], PATH_BYTES, "%s/%s:0", node->name, v->name);
        (void)snprintf(path, sizeof path, "%s/%s", group, names[i]);
        texts[i] = names[i];
        DT_TRY(dt_h5_write_array(h5, path, DT_H5_F32, v->dims, v->shape, v->values));
    }
    DT_TRY(dt_h5_set_texts(h5, group, "weight_names", texts, node->variable_count));
out:
    return status;
}

/* Keras assigns the weights by this list's order, not by the groups' names. Layers without weights,
 * Normalization as it is here among them, need not be in it. */
DT_MUST_USE static dt_status write_nodes(dt_h5 *h5, const dt_keras_graph *graph)
{
    dt_status status = DT_OK;
    const char **names = NULL;
    size_t count = 0;
    DT_TRY(dt_memory_alloc(&names, graph->count, sizeof *names, "layer names"));
    for (size_t i = 0; i < graph->count; i++) {
        if (graph->nodes[i].variable_count == 0)
            continue;
        names[count++] = graph->nodes[i].name;
        DT_TRY(write_node(h5, &graph->nodes[i]));
    }
    DT_TRY(dt_h5_set_texts(h5, "/model_weights", "layer_names", names, count));
out:
    dt_memory_free(names);
    return status;
}

bool dt_keras_has_layers(const dt_network *network)
{
    return dt_network_first(network, &dt_layer_periodic) == NULL;
}

bool dt_keras_keeps_state(const dt_network *network)
{
    return network->scale == NULL &&
           dt_network_first(network, &dt_layer_piecewise_linear) == NULL &&
           dt_network_first(network, &dt_layer_category_embedding) == NULL &&
           dt_network_first(network, &dt_layer_member_scale) == NULL;
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
    dt_keras_graph graph = {0};
    DT_TRY(dt_keras_graph_make(&graph, &model->network));
    DT_TRY(set_versions(h5, "/"));
    DT_TRY(set_configs(h5, &graph, model));
    DT_TRY(dt_h5_make_group(h5, "/model_weights"));
    DT_TRY(set_versions(h5, "/model_weights"));
    DT_TRY(write_nodes(h5, &graph));
    DT_TRY(dt_keras_write_companions(h5, model));
out:
    dt_keras_graph_clear(&graph);
    return status;
}
