#include "dtrain/base/log.h"
#include "dtrain/base/text.h"
#include "dtrain/model/keras_model.h"
#include "dtrain/model/model.h"
#include "dtrain/model/model_json.h"
#include "dtrain/report/text_table.h"
#include "inspect_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LINE_BYTES = 1024 };

typedef struct model {
    dt_model model;
    bool has_recipe;
    dt_recipe recipe;
} model;

DT_MUST_USE static dt_status load_model(model *out, const char *path)
{
    dt_status status = DT_OK;
    char where[LINE_BYTES];
    DT_TRY(dt_model_read(&out->model, path));
    const char *json = out->model.recipe_json;
    if (json != NULL) {
        (void)snprintf(where, sizeof where, "%s: its " DT_KERAS_RECIPE, path);
        DT_TRY(dt_recipe_from_json(&out->recipe, json, strlen(json), where));
        out->has_recipe = true;
    }
out:
    return status;
}

static size_t count_parameters(const dt_network *network, size_t l)
{
    size_t count = 0;
    for (size_t t = 0; t < network->tensor_count; t++)
        count += network->tensors[t].layer == l ? network->tensors[t].count : 0;
    return count;
}

/* "activation relu": all options except defaults, and except units and members, which have
 * columns. */
static void print_options(char out[LINE_BYTES], const dt_layer *layer)
{
    const dt_option_table *table = dt_layer_options(layer->kind);
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < table->count && used < LINE_BYTES; i++) {
        const dt_option *option = &table->options[i];
        char value[DT_OPTION_TEXT_BYTES];
        if (option->offset != offsetof(dt_layer, H) &&
            option->offset != offsetof(dt_layer, members) && !dt_options_is_fallback(option, layer))
            used += (size_t)snprintf(out + used, LINE_BYTES - used, "%s%s %s", used > 0 ? ", " : "",
                                     option->name,
                                     dt_options_format(value, sizeof value, option, layer));
    }
}

static void print_training(const dt_model *m)
{
    char line[LINE_BYTES];
    const dt_optimizer *optimizer = &m->optimizer;
    dt_log_show("%s: learning rate %g, ", optimizer->kind->title, optimizer->learning_rate);
    for (size_t i = 0; i < optimizer->kind->number_count; i++) {
        const dt_optimizer_number *number = &optimizer->kind->numbers[i];
        if (!number->is_flag)
            dt_log_show("%s %g, ", number->name, optimizer->numbers[i]);
        else if (optimizer->numbers[i] > 0.0)
            dt_log_show("%s, ", number->name);
    }
    if (optimizer->weight_decay > 0.0)
        dt_log_show("weight decay %g, ", optimizer->weight_decay);
    if (optimizer->P > 0)
        dt_log_show("state after %" PRId64 " updates\n", optimizer->step);
    else
        dt_log_show("no state\n");
    if (m->predicts_only[0] != '\0')
        dt_log_show("only for predict and evaluate: %s\n",
                    dt_text_table_printable(line, sizeof line, m->predicts_only));
    if (m->left_out[0] != '\0')
        dt_log_show("ignored by dtrain: %s\n",
                    dt_text_table_printable(line, sizeof line, m->left_out));
}

/* The units of values in training, for the first targets. */
DT_MUST_USE static dt_status print_scale(const dt_network *network)
{
    enum { SHOWN = 20 };
    const size_t shown = network->C < SHOWN ? network->C : SHOWN;
    dt_text_table table = {.more = network->C - shown};
    char text[DT_TEXT_NUMBER_BYTES];
    if (network->loss->classes)
        return DT_OK;
    dt_log_show("loss: %s, %s\n", network->loss->name, network->loss->unit);
    if (network->scale == NULL)
        return DT_OK;
    dt_log_show("\n");
    dt_text_table_titles(&table, ">target|>mean|>standard deviation");
    for (size_t j = 0; j < shown; j++) {
        dt_text_table_add(&table, "%zu", j);
        dt_text_table_add(&table, "%s", dt_text_number(text, network->scale[j].mean, 6));
        dt_text_table_add(&table, "%s", dt_text_number(text, network->scale[j].deviation, 6));
    }
    return dt_text_table_print(&table);
}

/* A row for each layer, as Keras's summary(); the members are those that a layer's outputs have. */
DT_MUST_USE static dt_status print_layers(const dt_network *network)
{
    enum { OPTIONS_WIDTH = 38 };
    const bool members = dt_network_first(network, &dt_layer_member_scale) != NULL;
    char text[LINE_BYTES];
    dt_text_table table = {.width = OPTIONS_WIDTH};
    dt_text_table_titles(&table, members ? "layer|>outputs|>members" : "layer|>outputs");
    dt_text_table_titles(&table, "options|>parameters");
    for (size_t l = 0; l < network->layer_count; l++) {
        const dt_layer *layer = &network->layers[l];
        dt_network_print_layer(text, sizeof text, network, l);
        dt_text_table_add(&table, "%s", text);
        dt_text_table_add(&table, "%zu", layer->H);
        if (members)
            dt_text_table_add(&table, "%zu", layer->K);
        print_options(text, layer);
        dt_text_table_add(&table, "%s", text);
        dt_text_table_add(&table, "%zu", count_parameters(network, l));
    }
    return dt_text_table_print(&table);
}

DT_MUST_USE static dt_status print_model(const model *m, const char *path)
{
    dt_status status = DT_OK;
    char list[LINE_BYTES];
    char line[LINE_BYTES];
    const dt_network *network = &m->model.network;
    dt_log_show("%s: model; %zu inputs, %zu %s, P = %zu parameters\n", path, network->D, network->C,
                network->loss->classes ? "classes"
                : network->C == 1      ? "value"
                                       : "values",
                network->P);
    if (network->other_count > 0)
        dt_log_show("ensemble: predicts the mean of %zu such networks\n", network->other_count + 1);
    if (m->model.class_name_count > 0) {
        dt_text_table_join(list, sizeof list, m->model.class_names, m->model.class_name_count);
        dt_log_show("classes: %s\n", dt_text_table_printable(line, sizeof line, list));
    }
    if (!isnan(network->threshold))
        dt_log_show("class 1 is predicted if its probability is at least %.9g\n",
                    network->threshold);
    print_training(&m->model);
    DT_TRY(print_scale(network));
    dt_log_show("\n");
    DT_TRY(print_layers(network));
    if (!m->has_recipe) {
        dt_log_show("\nno recipe: the model takes prepared .npz data, not tables\n");
    } else {
        if (m->recipe.D != network->D)
            dt_log_show("\n"
                        "the recipe does not fit: it prepares %zu inputs, not %zu\n",
                        m->recipe.D, network->D);
        dt_log_show("\nrecipe of %zu columns\n", m->recipe.column_count);
        DT_TRY(dt_inspect_print_recipe(&m->recipe));
    }
out:
    return status;
}

static void describe_layer(dt_json *json, const dt_network *network, size_t l)
{
    const dt_layer *layer = &network->layers[l];
    char name[LINE_BYTES];
    dt_network_print_layer(name, sizeof name, network, l);
    dt_json_begin_object(json, NULL);
    dt_json_add_text(json, "name", name);
    dt_json_add_text(json, "kind", dt_layer_kind_name(layer->kind));
    dt_model_json_add_options(json, layer);
    dt_json_add_int(json, "outputs", (int64_t)layer->H);
    if (layer->kind != &dt_layer_member_scale) /* whose option it is */
        dt_json_add_int(json, "members", (int64_t)layer->K);
    dt_json_add_int(json, "parameters", (int64_t)count_parameters(network, l));
    dt_json_end(json);
}

static void describe_model(dt_json *json, const model *m)
{
    const dt_network *network = &m->model.network;
    const dt_optimizer *optimizer = &m->model.optimizer;
    dt_json_add_text(json, "kind", "model");
    dt_json_add_int(json, "inputs", (int64_t)network->D);
    dt_json_add_int(json, "parameters", (int64_t)network->P);
    dt_json_add_int(json, "networks", (int64_t)network->other_count + 1);
    dt_json_add_text(json, "optimizer", optimizer->kind->name);
    dt_model_json_add_numbers(json, optimizer);
    dt_json_add_int(json, "updates", optimizer->step);
    dt_json_add_bool(json, "optimizer_state", optimizer->P > 0);
    if (isnan(network->threshold))
        dt_json_add_null(json, "threshold");
    else
        dt_json_add_double(json, "threshold", network->threshold);
    dt_json_add_text(json, "predicts_only", m->model.predicts_only);
    dt_json_add_text(json, "left_out", m->model.left_out);
    dt_json_add_text(json, "loss", network->loss->name);
    dt_json_begin_list(json, "targets");
    for (size_t j = 0; network->scale != NULL && j < network->C; j++) {
        dt_json_begin_object(json, NULL);
        dt_json_add_double(json, "mean", network->scale[j].mean);
        dt_json_add_double(json, "deviation", network->scale[j].deviation);
        dt_json_end(json);
    }
    dt_json_end(json);
    dt_json_begin_list(json, "layers");
    for (size_t l = 0; l < network->layer_count; l++)
        describe_layer(json, network, l);
    dt_json_end(json);
    dt_json_add_texts(json, "classes", m->model.class_names, m->model.class_name_count);
    if (!m->has_recipe) {
        dt_json_add_null(json, "recipe");
        return;
    }
    dt_json_begin_object(json, "recipe");
    dt_inspect_describe_recipe(json, &m->recipe);
    dt_json_end(json);
}

dt_status dt_inspect_model(const char *path, bool as_json)
{
    dt_status status = DT_OK;
    model m = {0};
    dt_json *json = NULL;
    DT_TRY(load_model(&m, path));
    if (as_json) {
        DT_TRY(dt_json_new(&json));
        dt_json_add_text(json, "file", path);
        describe_model(json, &m);
        status = dt_json_print(json);
    } else {
        status = print_model(&m, path);
    }
out:
    dt_recipe_clear(&m.recipe);
    dt_model_clear(&m.model);
    return status;
}
