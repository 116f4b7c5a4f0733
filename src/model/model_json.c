#include "dtrain/model/model_json.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"
#include "dtrain/io/json.h"

#include <jansson.h>

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { OPTIONS_MAX = 8 };

/* What a double, and so JSON in other programs, counts to. */
#define STEPS_MAX (INT64_C(1) << 53)

/* ---- writing ---- */

void dt_model_json_add_options(dt_json *json, const dt_layer *layer)
{
    const dt_option_table *table = dt_layer_options(layer->kind);
    for (size_t i = 0; i < table->count; i++) {
        const dt_option *option = &table->options[i];
        const char *value = (const char *)layer + option->offset;
        char text[DT_OPTION_TEXT_BYTES];
        int64_t whole = 0;
        double number = 0.0;
        if (option->kind == DT_OPTION_INT) {
            memcpy(&whole, value, sizeof whole);
            dt_json_add_int(json, option->name, whole);
        } else if (option->kind == DT_OPTION_FLOAT) {
            memcpy(&number, value, sizeof number);
            dt_json_add_double(json, option->name, number);
        } else {
            dt_json_add_text(json, option->name,
                             dt_options_format(text, sizeof text, option, layer));
        }
    }
}

static void add_optimizer(dt_json *json, const dt_optimizer *optimizer)
{
    const dt_optimizer_kind *kind = optimizer->kind;
    dt_json_add_text(json, "kind", kind->name);
    dt_json_add_double(json, "learning_rate", optimizer->learning_rate);
    dt_json_add_double(json, "weight_decay", optimizer->weight_decay);
    for (size_t i = 0; i < kind->number_count; i++)
        dt_json_add_double(json, kind->numbers[i].name, optimizer->numbers[i]);
    dt_json_add_int(json, "step", optimizer->step);
    dt_json_add_bool(json, "has_state", optimizer->P > 0);
}

dt_status dt_model_json_write(char **out, const dt_network *network, const dt_optimizer *optimizer)
{
    dt_json *json = NULL;
    *out = NULL;
    dt_status status = dt_json_new(&json);
    if (status != DT_OK)
        return status;
    dt_json_add_int(json, "inputs", (int64_t)network->D);
    dt_json_add_text(json, "loss", network->loss->name);
    dt_json_begin_list(json, "layers");
    for (size_t l = 0; l < network->layer_count; l++) {
        dt_json_begin_object(json, NULL);
        dt_json_add_text(json, "kind", dt_layer_kind_name(network->layers[l].kind));
        dt_model_json_add_options(json, &network->layers[l]);
        dt_json_end(json);
    }
    dt_json_end(json);
    dt_json_begin_object(json, "optimizer");
    add_optimizer(json, optimizer);
    dt_json_end(json);
    return dt_json_finish(out, json);
}

dt_status dt_model_json_write_optimizer(char **out, const dt_optimizer *optimizer)
{
    dt_json *json = NULL;
    *out = NULL;
    dt_status status = dt_json_new(&json);
    if (status != DT_OK)
        return status;
    add_optimizer(json, optimizer);
    return dt_json_finish(out, json);
}

/* ---- reading ---- */

/* An object that is being read, and what error lines call it: "m.h5: layer 2 (dense)". */
typedef struct place {
    const json_t *object;
    char where[600];
} place;

DT_MUST_USE static dt_status find(const json_t **out, place *at, const char *name)
{
    *out = json_object_get(at->object, name);
    return *out != NULL ? DT_OK : dt_fail(DT_DATA, "%s: member '%s' is missing", at->where, name);
}

/* Reads a number of the interval [least, below). */
DT_MUST_USE static dt_status read_number(double *out, place *at, const char *name, double least,
                                         double below)
{
    dt_status status = DT_OK;
    const json_t *number = NULL;
    DT_TRY(find(&number, at, name));
    *out = json_number_value(number);
    char found[64] = "not a number", bound[64] = "";
    if (json_is_number(number))
        (void)snprintf(found, sizeof found, "%g", *out);
    if (isfinite(below))
        (void)snprintf(bound, sizeof bound, " and below %g", below);
    if (!json_is_number(number) || !(*out >= least && *out < below))
        DT_TRY(dt_fail(DT_DATA, "%s: %s is %s; expected a number of at least %g%s", at->where, name,
                       found, least, bound));
out:
    return status;
}

/* A member that nobody reads would change the meaning of the file in silence. `known` ends with
 * NULL. */
DT_MUST_USE static dt_status check_unknown(const place *at, const char *const *known)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)at->object, name, value)
    {
        if (!dt_text_is_among(name, known))
            return dt_fail(DT_DATA,
                           "%s: has the member '%.60s', which this dtrain does not know; use the "
                           "dtrain that wrote the file",
                           at->where, name);
    }
    return DT_OK;
}

/* Reads an option by the table that also prints it. */
DT_MUST_USE static dt_status read_option(dt_layer *layer, place *at, const dt_option *option)
{
    dt_status status = DT_OK;
    const json_t *value = NULL;
    char number[64];
    DT_TRY(find(&value, at, option->name));
    const char *text = json_string_value(value);
    if (json_is_integer(value))
        (void)snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
    else
        (void)snprintf(number, sizeof number, "%.17g", json_number_value(value));
    if (json_is_number(value) && option->kind != DT_OPTION_CHOICE)
        text = number;
    if (text == NULL)
        DT_TRY(dt_fail(DT_DATA, "%s: %s has the wrong type; expected a %s", at->where, option->name,
                       option->kind == DT_OPTION_CHOICE ? "text" : "number"));
    if (dt_options_parse_value(option, layer, text, false) != DT_OK) {
        char reason[DT_STATUS_TEXT_BYTES];
        (void)snprintf(reason, sizeof reason, "%s", dt_status_text());
        DT_TRY(dt_fail(DT_DATA, "%s: %s", at->where, reason + strspn(reason, "-")));
    }
out:
    return status;
}

static const dt_layer_kind *find_layer_kind(const char *name)
{
    for (size_t i = 0; name != NULL && i < DT_LAYER_KIND_COUNT; i++)
        if (strcmp(dt_layer_kind_name(dt_layer_kinds[i]), name) == 0)
            return dt_layer_kinds[i];
    return NULL;
}

DT_MUST_USE static dt_status read_layer(dt_layer *out, const json_t *object, size_t index,
                                        const char *path)
{
    dt_status status = DT_OK;
    const char *name = json_string_value(json_object_get(object, "kind"));
    place at = {.object = object};
    out->kind = find_layer_kind(name);
    if (out->kind == NULL)
        return dt_fail(DT_DATA,
                       "%s: layer %zu is of the kind '%.60s', which this dtrain does not know; use "
                       "the dtrain that wrote the file",
                       path, index + 1, name != NULL ? name : "?");
    (void)snprintf(at.where, sizeof at.where, "%.500s: layer %zu (%s)", path, index + 1, name);
    const dt_option_table *table = dt_layer_options(out->kind);
    const char *known[OPTIONS_MAX + 2] = {"kind"};
    DT_ASSERT(table->count <= OPTIONS_MAX);
    for (size_t i = 0; i < table->count; i++) {
        known[1 + i] = table->options[i].name;
        DT_TRY(read_option(out, &at, &table->options[i]));
    }
    DT_TRY(check_unknown(&at, known));
out:
    return status;
}

DT_MUST_USE static dt_status read_network(dt_network *out, const json_t *json, const char *path)
{
    dt_status status = DT_OK;
    dt_layer *layers = NULL;
    const json_t *list = json_object_get(json, "layers");
    const char *name = json_string_value(json_object_get(json, "loss"));
    const dt_loss *loss = name != NULL ? dt_loss_find(name) : NULL;
    const json_int_t inputs = json_integer_value(json_object_get(json, "inputs"));
    const size_t count = json_array_size(list);
    if (inputs < 1 || inputs > INT_MAX || count < 1 || count > DT_MODEL_LAYERS_MAX)
        return dt_fail(
            DT_DATA,
            "%s: its model has %lld inputs and %zu layers; expected 1 to %d inputs and 1 "
            "to %d layers",
            path, (long long)inputs, count, INT_MAX, DT_MODEL_LAYERS_MAX);
    if (loss == NULL)
        return dt_fail(DT_DATA,
                       "%s: its loss is '%.60s', which this dtrain does not know; use the dtrain "
                       "that wrote the file",
                       path, name != NULL ? name : "?");
    DT_TRY(dt_memory_alloc(&layers, count, sizeof *layers, "layers"));
    for (size_t l = 0; l < count; l++)
        DT_TRY(read_layer(&layers[l], json_array_get(list, l), l, path));
    status = dt_network_plan(out, (size_t)inputs, layers, count);
    if (status != DT_OK) {
        char reason[DT_STATUS_TEXT_BYTES];
        (void)snprintf(reason, sizeof reason, "%s", dt_status_text());
        DT_TRY(dt_fail(status, "%s: %s", path, reason));
    }
    if (out->C < 2)
        DT_TRY(dt_fail(DT_DATA,
                       "%s: its last layer has %zu unit; expected one a class, two or more", path,
                       out->C));
    out->loss = loss;
out:
    dt_memory_free(layers);
    return status;
}

DT_MUST_USE static dt_status read_optimizer(dt_optimizer *out, bool *has_state,
                                            const json_t *object, const char *path)
{
    dt_status status = DT_OK;
    place at = {.object = object};
    double rate = 0.0, step = 0.0;
    const char *name = json_string_value(json_object_get(object, "kind"));
    const dt_optimizer_kind *kind = name != NULL ? dt_optimizer_find(name) : NULL;
    const json_t *state = NULL;
    if (kind == NULL)
        return dt_fail(DT_DATA,
                       "%s: its optimizer is '%.60s', which this dtrain does not know; use the "
                       "dtrain that wrote the file",
                       path, name != NULL ? name : "?");
    (void)snprintf(at.where, sizeof at.where, "%.500s: its optimizer (%s)", path, name);
    DT_TRY(read_number(&rate, &at, "learning_rate", 0.0, HUGE_VAL));
    DT_TRY(dt_optimizer_init(out, kind, 0, rate));
    DT_TRY(read_number(&out->weight_decay, &at, "weight_decay", 0.0, HUGE_VAL));
    for (size_t i = 0; i < kind->number_count; i++)
        DT_TRY(
            read_number(&out->numbers[i], &at, kind->numbers[i].name, 0.0, kind->numbers[i].below));
    DT_TRY(read_number(&step, &at, "step", 0.0, (double)STEPS_MAX));
    out->step = (int64_t)step;
    DT_TRY(find(&state, &at, "has_state"));
    if (!json_is_integer(json_object_get(object, "step")) || !json_is_boolean(state))
        DT_TRY(dt_fail(DT_DATA,
                       "%s: expected a whole number as step, and true or false as has_state",
                       at.where));
    *has_state = json_is_true(state);
    const char *known[DT_OPTIMIZER_NUMBERS + 6] = {"kind", "learning_rate", "weight_decay", "step",
                                                   "has_state"};
    for (size_t i = 0; i < kind->number_count; i++)
        known[5 + i] = kind->numbers[i].name;
    DT_TRY(check_unknown(&at, known));
out:
    return status;
}

DT_MUST_USE static dt_status parse(json_t **out, const char *json, const char *path)
{
    json_error_t error;
    *out = json_loads(json, JSON_REJECT_DUPLICATES, &error);
    if (*out == NULL && json_error_code(&error) == json_error_out_of_memory)
        return dt_fail(DT_MEMORY, "%s: no memory for its model's JSON", path);
    if (!json_is_object(*out))
        return dt_fail(DT_DATA, "%s: its model is not a JSON object%s%s", path,
                       *out == NULL ? ": " : "", *out == NULL ? error.text : "");
    return DT_OK;
}

dt_status dt_model_json_read(dt_network *network, dt_optimizer *optimizer, bool *has_state,
                             const char *json, const char *path)
{
    static const char *const known[] = {"inputs", "loss", "layers", "optimizer", NULL};
    dt_status status = DT_OK;
    json_t *root = NULL;
    *network = (dt_network){0};
    *optimizer = (dt_optimizer){0};
    *has_state = false;
    DT_TRY(parse(&root, json, path));
    DT_TRY(read_network(network, root, path));
    DT_TRY(read_optimizer(optimizer, has_state, json_object_get(root, "optimizer"), path));
    place at = {.object = root};
    (void)snprintf(at.where, sizeof at.where, "%.500s: its model", path);
    DT_TRY(check_unknown(&at, known));
out:
    json_decref(root);
    return status;
}

dt_status dt_model_json_read_optimizer(dt_optimizer *out, bool *has_state, const char *json,
                                       const char *path)
{
    dt_status status = DT_OK;
    json_t *root = NULL;
    *out = (dt_optimizer){0};
    *has_state = false;
    DT_TRY(parse(&root, json, path));
    DT_TRY(read_optimizer(out, has_state, root, path));
out:
    json_decref(root);
    return status;
}
