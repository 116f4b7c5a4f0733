#include "dtrain/base/log.h"
#include "dtrain/model/keras_model.h"
#include "dtrain/report/text_table.h"
#include "inspect_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LINE_BYTES = 1024 };

typedef struct model {
    dt_keras_loaded keras;
    bool has_recipe;
    dt_recipe recipe;
} model;

DT_MUST_USE static dt_status load_model(model *out, const char *path)
{
    dt_status status = DT_OK;
    char where[LINE_BYTES];
    DT_TRY(dt_keras_model_load(&out->keras, path));
    const char *json = out->keras.model.recipe_json;
    if (json != NULL) {
        (void)snprintf(where, sizeof where, "%s: its " DT_KERAS_RECIPE, path);
        DT_TRY(dt_recipe_from_json(&out->recipe, json, strlen(json), where));
        out->has_recipe = true;
    }
out:
    return status;
}

static uint64_t layer_parameters(const dt_keras_model *keras, size_t layer)
{
    const uint64_t inputs = layer == 0 ? keras->inputs : keras->layers[layer - 1].units;
    return dt_keras_layer_parameters(inputs, keras->layers[layer].units);
}

static void print_training(const dt_keras_loaded *loaded)
{
    char line[LINE_BYTES];
    const dt_keras_model *keras = &loaded->model;
    dt_log_result("Adam: learning rate %g, ", keras->learning_rate);
    if (keras->adam_m != NULL)
        dt_log_result("state after %" PRId64 " updates\n", keras->iterations);
    else
        dt_log_result("without its state\n");
    if (keras->mean != NULL)
        dt_log_result("a Normalization of the inputs comes before the first layer\n");
    if (loaded->no_bias[0] != '\0')
        dt_log_result("without bias: %s\n",
                      dt_text_table_printable(line, sizeof line, loaded->no_bias));
    if (loaded->left_out[0] != '\0')
        dt_log_result("not taken over: %s\n", loaded->left_out);
}

DT_MUST_USE static dt_status print_model(const model *m, const char *path)
{
    dt_status status = DT_OK;
    char list[LINE_BYTES];
    char line[LINE_BYTES];
    const dt_keras_model *keras = &m->keras.model;
    dt_text_table table = {.columns = 4,
                           .titles = {">layer", ">units", "activation", ">parameters"}};
    dt_log_result("%s: Keras model; %" PRIu64 " inputs, %" PRIu64 " classes, P = %zu parameters\n",
                  path, keras->inputs, keras->layers[keras->layer_count - 1].units,
                  m->keras.parameter_count);
    if (m->keras.class_names.count > 0) {
        dt_text_table_join(list, sizeof list, m->keras.class_names.texts,
                           m->keras.class_names.count);
        dt_log_result("classes: %s\n", dt_text_table_printable(line, sizeof line, list));
    }
    print_training(&m->keras);
    dt_log_result("\n");
    for (size_t i = 0; i < keras->layer_count; i++) {
        dt_text_table_add(&table, "%zu", i + 1);
        dt_text_table_add(&table, "%" PRIu64, keras->layers[i].units);
        dt_text_table_add(&table, "%s", keras->layers[i].activation);
        dt_text_table_add(&table, "%" PRIu64, layer_parameters(keras, i));
    }
    DT_TRY(dt_text_table_print(&table));
    if (!m->has_recipe) {
        dt_log_result("\nno recipe: it takes .npz data, no tables\n");
    } else {
        if (m->recipe.D != keras->inputs)
            dt_log_result("\nthe recipe does not fit: it makes %zu inputs, not %" PRIu64 "\n",
                          m->recipe.D, keras->inputs);
        dt_log_result("\nrecipe of %zu columns\n", m->recipe.column_count);
        DT_TRY(inspect_print_recipe(&m->recipe));
    }
out:
    return status;
}

static void describe_model(dt_json *json, const model *m)
{
    const dt_keras_model *keras = &m->keras.model;
    dt_json_add_text(json, "kind", "model");
    dt_json_add_int(json, "inputs", (int64_t)keras->inputs);
    dt_json_add_int(json, "parameters", (int64_t)m->keras.parameter_count);
    dt_json_add_double(json, "learning_rate", keras->learning_rate);
    dt_json_add_int(json, "updates", keras->iterations);
    dt_json_add_bool(json, "adam_state", keras->adam_m != NULL);
    dt_json_add_bool(json, "normalization", keras->mean != NULL);
    dt_json_add_text(json, "no_bias", m->keras.no_bias);
    dt_json_add_text(json, "left_out", m->keras.left_out);
    dt_json_begin_list(json, "layers");
    for (size_t i = 0; i < keras->layer_count; i++) {
        dt_json_begin_object(json, NULL);
        dt_json_add_int(json, "units", (int64_t)keras->layers[i].units);
        dt_json_add_text(json, "activation", keras->layers[i].activation);
        dt_json_add_int(json, "parameters", (int64_t)layer_parameters(keras, i));
        dt_json_end(json);
    }
    dt_json_end(json);
    dt_json_begin_list(json, "classes");
    for (size_t i = 0; i < m->keras.class_names.count; i++)
        dt_json_add_text(json, NULL, m->keras.class_names.texts[i]);
    dt_json_end(json);
    if (!m->has_recipe) {
        dt_json_add_null(json, "recipe");
        return;
    }
    dt_json_begin_object(json, "recipe");
    inspect_describe_recipe(json, &m->recipe);
    dt_json_end(json);
}

dt_status inspect_model(const char *path, bool as_json)
{
    dt_status status = DT_OK;
    model m = {0};
    dt_json *json = NULL;
    DT_TRY(load_model(&m, path));
    if (as_json) {
        DT_TRY(dt_json_new(&json));
        dt_json_add_text(json, "file", path);
        describe_model(json, &m);
        status = inspect_print_json(json);
    } else {
        status = print_model(&m, path);
    }
out:
    dt_recipe_clear(&m.recipe);
    dt_keras_loaded_clear(&m.keras);
    return status;
}
