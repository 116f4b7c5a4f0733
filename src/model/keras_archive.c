#include "keras_archive.h"
#include "keras_graph.h"
#include "keras_model_describe.h"

#include "dtrain/base/memory.h"
#include "dtrain/io/zip.h"
#include "dtrain/model/keras_model.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The oldest Keras with which these files were tested; the date is constant, so that the same model
 * gives the same bytes. */
static const char metadata[] =
    "{\"keras_version\": \"3.3.3\", \"date_saved\": \"1980-01-01@00:00:00\"}";

enum { PATH_BYTES = DT_KERAS_GROUP_BYTES + 32 };

/* ---- model.weights.h5 ---- */

/* Keras numbers the variables of an object. */
DT_MUST_USE static dt_status write_number(dt_h5 *h5, const char *group, size_t index,
                                          dt_h5_type type, const void *data)
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%zu", group, index);
    return dt_h5_write_array(h5, path, type, 0, NULL, data);
}

DT_MUST_USE static dt_status write_variable(dt_h5 *h5, const char *group, size_t index,
                                            const dt_keras_variable *v, const float *values)
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%zu", group, index);
    return dt_h5_write_array(h5, path, DT_H5_F32, v->dims, v->shape, values);
}

/* Keras 3.3 and 3.5 require a group for every object, even without variables; the Input of a
 * Sequential model does not count. */
DT_MUST_USE static dt_status write_nodes(dt_h5 *h5, const dt_keras_graph *graph)
{
    dt_status status = DT_OK;
    char class_name[DT_KERAS_GROUP_BYTES], group[DT_KERAS_GROUP_BYTES];
    DT_TRY(dt_h5_make_group(h5, "/vars"));
    for (size_t i = graph->functional ? 0 : 1; i < graph->count; i++) {
        const dt_keras_node *node = &graph->nodes[i];
        size_t number = 0;
        for (size_t before = 0; before < i; before++)
            number += strcmp(graph->nodes[before].class_name, node->class_name) == 0;
        dt_keras_archive_class(class_name, node->class_name);
        dt_keras_archive_group(group, class_name, number);
        DT_TRY(dt_h5_make_group(h5, group));
        for (size_t v = 0; v < node->variable_count; v++)
            DT_TRY(write_variable(h5, group, v, &node->variables[v], node->variables[v].values));
    }
out:
    return status;
}

/* Keras's SGD keeps no velocities without momentum. */
static size_t count_states(const dt_optimizer *optimizer)
{
    const bool none = optimizer->kind == &dt_sgd && optimizer->numbers[0] <= 0.0;
    return none ? 0 : optimizer->kind->state_count;
}

/* Keras stores all states of a variable together, for the trained variables, and then its other
 * variables. */
DT_MUST_USE static dt_status write_states(dt_h5 *h5, const char *group, const dt_keras_graph *graph,
                                          const dt_optimizer *optimizer)
{
    dt_status status = DT_OK;
    size_t next = 2;
    for (size_t i = 0; i < graph->count; i++) {
        const dt_keras_node *node = &graph->nodes[i];
        for (size_t v = 0; node->trains && v < node->variable_count; v++)
            for (size_t s = 0; !node->variables[v].moves && s < count_states(optimizer); s++)
                DT_TRY(write_variable(h5, group, next++, &node->variables[v],
                                      optimizer->states[s] + node->variables[v].first));
    }
    if (optimizer->kind->scalar != NULL) {
        const float scalar = (float)optimizer->kind->scalar(optimizer);
        DT_TRY(write_number(h5, group, next++, DT_H5_F32, &scalar));
    }
out:
    return status;
}

/* Without a state, that of a new optimizer is written, because Keras would warn if it were missing;
 * also if Keras cannot resume from the state. */
DT_MUST_USE static dt_status write_optimizer(dt_h5 *h5, const dt_keras_graph *graph,
                                             const dt_model *model)
{
    static const char group[] = "/optimizer/vars";
    dt_status status = DT_OK;
    dt_optimizer fresh = {0};
    const dt_optimizer *optimizer = &model->optimizer;
    const float rate = (float)optimizer->learning_rate;
    if (optimizer->P == 0 || !dt_keras_keeps_state(&model->network)) {
        DT_TRY(dt_optimizer_init(&fresh, optimizer->kind, graph->trained, 0.0));
        memcpy(fresh.numbers, optimizer->numbers, sizeof fresh.numbers);
        optimizer = &fresh;
    }
    const int64_t iterations = optimizer->step;
    const int32_t narrow = (int32_t)iterations;
    if (iterations <= INT32_MAX) /* as Keras itself writes it, but with TensorFlow */
        DT_TRY(write_number(h5, group, 0, DT_H5_I32, &narrow));
    else
        DT_TRY(write_number(h5, group, 0, DT_H5_I64, &iterations));
    DT_TRY(write_number(h5, group, 1, DT_H5_F32, &rate));
    DT_TRY(write_states(h5, group, graph, optimizer));
out:
    dt_optimizer_clear(&fresh);
    return status;
}

DT_MUST_USE static dt_status make_weights(void **out, size_t *bytes, const dt_keras_graph *graph,
                                          const dt_model *model)
{
    dt_status status = DT_OK;
    dt_h5 *h5 = NULL;
    DT_TRY(dt_h5_new(&h5));
    DT_TRY(write_nodes(h5, graph));
    DT_TRY(write_optimizer(h5, graph, model));
    DT_TRY(dt_h5_image(out, bytes, h5));
out:
    dt_h5_free(h5);
    return status;
}

/* ---- the archive ---- */

DT_MUST_USE static dt_status write_member(dt_zip_writer *zip, const char *name, const void *data,
                                          size_t bytes)
{
    dt_status status = DT_OK;
    DT_TRY(dt_zip_writer_begin(zip, name, bytes));
    DT_TRY(dt_zip_writer_write(zip, data, bytes));
out:
    return status;
}

DT_MUST_USE static dt_status write_config(dt_zip_writer *zip, const dt_keras_graph *graph,
                                          const dt_model *model)
{
    dt_status status = DT_OK;
    char *config = NULL;
    DT_TRY(dt_keras_describe_archive(&config, graph, model));
    DT_TRY(write_member(zip, DT_KERAS_CONFIG_MEMBER, config, strlen(config)));
out:
    free(config);
    return status;
}

DT_MUST_USE static dt_status write_weights(dt_zip_writer *zip, const dt_keras_graph *graph,
                                           const dt_model *model)
{
    dt_status status = DT_OK;
    void *image = NULL;
    size_t bytes = 0;
    DT_TRY(make_weights(&image, &bytes, graph, model));
    DT_TRY(write_member(zip, DT_KERAS_WEIGHTS_MEMBER, image, bytes));
out:
    dt_memory_free(image);
    return status;
}

DT_MUST_USE static dt_status write_companions(dt_zip_writer *zip, const dt_model *model)
{
    dt_status status = DT_OK;
    char *classes = NULL;
    const size_t names = model->class_name_count;
    DT_ASSERT(names == 0 || names == model->network.C);
    if (model->recipe_json != NULL)
        DT_TRY(write_member(zip, DT_KERAS_RECIPE_MEMBER, model->recipe_json,
                            strlen(model->recipe_json)));
    if (names > 0 && names <= DT_H5_NAMES_MAX) {
        DT_TRY(dt_keras_classes_format(&classes, (const char *const *)model->class_names, names));
        DT_TRY(write_member(zip, DT_KERAS_CLASSES_MEMBER, classes, strlen(classes)));
    }
out:
    dt_memory_free(classes);
    return status;
}

dt_status dt_keras_archive_save(const dt_model *model, const char *path)
{
    dt_status status = DT_OK;
    dt_zip_writer *zip = NULL;
    dt_keras_graph graph = {0};
    DT_TRY(dt_keras_graph_make(&graph, &model->network));
    DT_TRY(dt_zip_writer_open(&zip, path, 0));
    DT_TRY(write_member(zip, DT_KERAS_METADATA_MEMBER, metadata, strlen(metadata)));
    DT_TRY(write_config(zip, &graph, model));
    DT_TRY(write_weights(zip, &graph, model));
    DT_TRY(write_companions(zip, model));
    status = dt_zip_writer_finish(zip);
    zip = NULL;
out:
    dt_keras_graph_clear(&graph);
    dt_zip_writer_discard(zip);
    return status;
}
