#include "dtrain/model/model_json.h"

#include "dtrain/base/memory.h"
#include "dtrain/io/json.h"
#include "dtrain/io/json_read.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { OPTIONS_MAX = 8 };

/* What a double, and so JSON in other programs, counts to. */
#define STEPS_MAX (INT64_C(1) << 53)

/* ---- writing ---- */

/* Options with a default are left out when they have it: older programs read the file then. */
void dt_model_json_add_options(dt_json *json, const dt_layer *layer)
{
    const dt_option_table *table = dt_layer_options(layer->kind);
    for (size_t i = 0; i < table->count; i++) {
        const dt_option *option = &table->options[i];
        const char *value = (const char *)layer + option->offset;
        char text[DT_OPTION_TEXT_BYTES];
        int64_t whole = 0;
        double number = 0.0;
        if (dt_options_is_fallback(option, layer))
            continue;
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

void dt_model_json_add_numbers(dt_json *json, const dt_optimizer *optimizer)
{
    dt_json_add_double(json, "learning_rate", optimizer->learning_rate);
    dt_json_add_double(json, "weight_decay", optimizer->weight_decay);
    for (size_t i = 0; i < optimizer->kind->number_count; i++) {
        const dt_optimizer_number *number = &optimizer->kind->numbers[i];
        if (number->is_flag)
            dt_json_add_bool(json, number->name, optimizer->numbers[i] > 0.0);
        else
            dt_json_add_double(json, number->name, optimizer->numbers[i]);
    }
    if (optimizer->ema > 0.0)
        dt_json_add_double(json, "ema", optimizer->ema);
}

static void add_optimizer(dt_json *json, const dt_optimizer *optimizer)
{
    dt_json_add_text(json, "kind", optimizer->kind->name);
    dt_model_json_add_numbers(json, optimizer);
    dt_json_add_int(json, "step", optimizer->step);
    dt_json_add_bool(json, "has_state", optimizer->P > 0);
}

static void add_scales(dt_json *json, const dt_network *network)
{
    if (network->scale == NULL)
        return;
    dt_json_begin_list(json, "targets");
    for (size_t j = 0; j < network->C; j++) {
        dt_json_begin_object(json, NULL);
        dt_json_add_double(json, "mean", network->scale[j].mean);
        dt_json_add_double(json, "deviation", network->scale[j].deviation);
        dt_json_end(json);
    }
    dt_json_end(json);
}

/* Members that a file may lack are left out when they say nothing: older programs read it then. */
static void add_loss(dt_json *json, const dt_network *network)
{
    const dt_loss *loss = network->loss;
    dt_json_add_text(json, "loss", loss->name);
    if (network->loss_number < loss->fallback || network->loss_number > loss->fallback)
        dt_json_add_double(json, "loss_number", network->loss_number);
    if (!isnan(network->threshold))
        dt_json_add_double(json, "threshold", network->threshold);
    add_scales(json, network);
}

static void add_others(dt_json *json, const dt_network *network)
{
    if (network->other_count == 0)
        return;
    dt_json_begin_list(json, "others");
    for (size_t m = 0; m < network->other_count; m++) {
        dt_json_begin_object(json, NULL);
        add_scales(json, &network->others[m]);
        dt_json_end(json);
    }
    dt_json_end(json);
}

dt_status dt_model_json_write(char **out, const dt_network *network, const dt_optimizer *optimizer)
{
    dt_json *json = NULL;
    *out = NULL;
    dt_status status = dt_json_new(&json);
    if (status != DT_OK)
        return status;
    dt_json_add_int(json, "inputs", (int64_t)network->D);
    add_loss(json, network);
    dt_json_begin_list(json, "layers");
    for (size_t l = 0; l < network->layer_count; l++) {
        dt_json_begin_object(json, NULL);
        dt_json_add_text(json, "kind", dt_layer_kind_name(network->layers[l].kind));
        dt_model_json_add_options(json, &network->layers[l]);
        dt_json_end(json);
    }
    dt_json_end(json);
    add_others(json, network);
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

DT_MUST_USE static dt_status fail_unknown(const dt_json_place *at, const char *what,
                                          const char *name)
{
    return dt_fail(DT_DATA,
                   "%s: the %s is '%.60s', which this dtrain does not know; use the dtrain that "
                   "wrote the file",
                   at->where, what, name);
}

/* Error lines begin with `where` and the kind. */
static void name_kind(dt_json_place *at, const char *where, const char *kind)
{
    (void)snprintf(at->where, sizeof at->where, "%.500s (%.60s)", where, kind);
}

/* Reads an option by the table that also prints it. */
DT_MUST_USE static dt_status read_option(dt_layer *layer, const dt_json_place *at,
                                         const dt_option *option)
{
    dt_status status = DT_OK;
    char text[DT_OPTION_TEXT_BYTES];
    if (option->fallback != NULL && !dt_json_has(at, option->name))
        (void)snprintf(text, sizeof text, "%s", option->fallback);
    else
        DT_TRY(dt_json_get_word(text, sizeof text, at, option->name));
    if (dt_options_parse_value(option, layer, text, false) != DT_OK)
        DT_TRY(dt_fail(DT_DATA, "%s: %s", at->where,
                       dt_status_text() + strspn(dt_status_text(), "-")));
out:
    return status;
}

static const dt_layer_kind *find_layer_kind(const char *name)
{
    for (size_t i = 0; i < DT_LAYER_KIND_COUNT; i++)
        if (strcmp(dt_layer_kind_name(dt_layer_kinds[i]), name) == 0)
            return dt_layer_kinds[i];
    return NULL;
}

DT_MUST_USE static dt_status read_layer(dt_layer *out, dt_json_place *at)
{
    dt_status status = DT_OK;
    const char *name = NULL;
    DT_TRY(dt_json_get_text(&name, at, "kind"));
    out->kind = find_layer_kind(name);
    if (out->kind == NULL)
        DT_TRY(fail_unknown(at, "kind", name));
    const dt_json_place layer = *at;
    name_kind(at, layer.where, name);
    const dt_option_table *table = dt_layer_options(out->kind);
    const char *known[OPTIONS_MAX + 2] = {"kind"};
    DT_ASSERT(table->count <= OPTIONS_MAX);
    for (size_t i = 0; i < table->count; i++) {
        known[1 + i] = table->options[i].name;
        DT_TRY(read_option(out, at, &table->options[i]));
    }
    DT_TRY(dt_json_check_members(at, known));
out:
    return status;
}

/* What a spread of float32 values may be. */
#define DEVIATION_MIN 1e-300

/* The scales of targets that are values; NULL: there are none. */
DT_MUST_USE static dt_status read_scales(dt_target_scale **out, const dt_json_place *root, size_t C)
{
    dt_status status = DT_OK;
    const char *const known[] = {"mean", "deviation", NULL};
    const dt_json_value *list = NULL;
    size_t count = 0;
    *out = NULL;
    if (!dt_json_has(root, "targets"))
        return DT_OK;
    DT_TRY(dt_json_get_list(&list, &count, root, "targets"));
    if (count != C)
        DT_TRY(dt_fail(DT_DATA, "%s: has the scales of %zu targets, but %zu outputs", root->where,
                       count, C));
    DT_TRY(dt_memory_alloc(out, C, sizeof **out, "the targets' scales"));
    for (size_t j = 0; j < C; j++) {
        dt_json_place at;
        DT_TRY(dt_json_enter_item(&at, root, list, j, "target"));
        DT_TRY(dt_json_get_number(&(*out)[j].mean, &at, "mean", -FLT_MAX, FLT_MAX));
        DT_TRY(dt_json_get_number(&(*out)[j].deviation, &at, "deviation", DEVIATION_MIN, FLT_MAX));
        DT_TRY(dt_json_check_members(&at, known));
    }
out:
    return status;
}

DT_MUST_USE static dt_status read_threshold(dt_network *network, const dt_json_place *root)
{
    dt_status status = DT_OK;
    if (!dt_json_has(root, "threshold"))
        return DT_OK;
    DT_TRY(dt_json_get_number(&network->threshold, root, "threshold", 0.0, HUGE_VAL));
    if (network->threshold > 1.0 || !network->loss->classes || network->C != 2)
        DT_TRY(dt_fail(DT_DATA, "%s: its threshold is %g; expected a probability, of two classes",
                       root->where, network->threshold));
out:
    return status;
}

/* Sets what the outputs mean. */
DT_MUST_USE static dt_status read_loss(dt_network *network, const dt_loss *loss,
                                       const dt_json_place *root)
{
    dt_status status = DT_OK;
    dt_target_scale *scales = NULL;
    double number = loss->fallback;
    if (dt_json_has(root, "loss_number"))
        DT_TRY(dt_json_get_number(&number, root, "loss_number", 0.0, HUGE_VAL));
    if (loss->classes && network->C < 2)
        DT_TRY(dt_fail(DT_DATA,
                       "%s: the last layer has %zu unit; expected one a class, two or more",
                       root->where, network->C));
    DT_TRY(read_scales(&scales, root, network->C));
    if (loss->classes && scales != NULL)
        DT_TRY(dt_fail(DT_DATA, "%s: has the scales of targets, but its loss (%s) is of classes",
                       root->where, loss->name));
    DT_TRY(dt_network_set_loss(network, loss, number, scales));
    DT_TRY(read_threshold(network, root));
out:
    dt_memory_free(scales);
    return status;
}

DT_MUST_USE static dt_status read_network(dt_network *out, const dt_json_place *root)
{
    dt_status status = DT_OK;
    dt_layer *layers = NULL;
    const dt_json_value *list = NULL;
    const char *name = NULL;
    int64_t inputs = 0;
    size_t count = 0;
    DT_TRY(dt_json_get_whole(&inputs, root, "inputs", 1, INT_MAX));
    DT_TRY(dt_json_get_text(&name, root, "loss"));
    const dt_loss *loss = dt_loss_find(name);
    if (loss == NULL)
        DT_TRY(fail_unknown(root, "loss", name));
    DT_TRY(dt_json_get_list(&list, &count, root, "layers"));
    if (count < 1 || count > DT_MODEL_LAYERS_MAX)
        DT_TRY(dt_fail(DT_DATA, "%s: has %zu layers; expected 1 to %d", root->where, count,
                       DT_MODEL_LAYERS_MAX));
    DT_TRY(dt_memory_alloc(&layers, count, sizeof *layers, "layers"));
    for (size_t l = 0; l < count; l++) {
        dt_json_place at;
        DT_TRY(dt_json_enter_item(&at, root, list, l, "layer"));
        DT_TRY(read_layer(&layers[l], &at));
    }
    status = dt_network_plan(out, (size_t)inputs, layers, count);
    if (status != DT_OK)
        DT_TRY(dt_fail(status, "%s: %s", root->where, dt_status_text()));
    DT_TRY(read_loss(out, loss, root));
out:
    dt_memory_free(layers);
    return status;
}

/* One more network of the same layers. */
DT_MUST_USE static dt_status read_other(dt_network *network, const dt_json_place *at)
{
    static const char *const known[] = {"targets", NULL};
    dt_status status = DT_OK;
    dt_network other = {0};
    dt_target_scale *scales = NULL;
    DT_TRY(dt_network_plan(&other, network->D, network->layers, network->layer_count));
    DT_TRY(read_scales(&scales, at, network->C));
    if ((scales != NULL) != (network->scale != NULL))
        DT_TRY(dt_fail(DT_DATA, "%s: of its networks only some have the scales of targets",
                       at->where));
    DT_TRY(dt_network_set_loss(&other, network->loss, network->loss_number, scales));
    DT_TRY(dt_json_check_members(at, known));
    DT_TRY(dt_network_add(network, &other));
out:
    dt_memory_free(scales);
    dt_network_clear(&other);
    return status;
}

DT_MUST_USE static dt_status read_others(dt_network *network, const dt_json_place *root)
{
    dt_status status = DT_OK;
    const dt_json_value *list = NULL;
    size_t count = 0;
    if (!dt_json_has(root, "others"))
        return DT_OK;
    DT_TRY(dt_json_get_list(&list, &count, root, "others"));
    if (count < 1 || count >= DT_NETWORKS_MAX)
        DT_TRY(dt_fail(DT_DATA, "%s: has %zu other networks; expected 1 to %d", root->where, count,
                       DT_NETWORKS_MAX - 1));
    for (size_t m = 0; m < count; m++) {
        dt_json_place at;
        DT_TRY(dt_json_enter_item(&at, root, list, m, "network"));
        DT_TRY(read_other(network, &at));
    }
out:
    return status;
}

DT_MUST_USE static dt_status read_flag(double *out, const dt_json_place *at, const char *name)
{
    bool flag = false;
    const dt_status status = dt_json_has(at, name) ? dt_json_get_bool(&flag, at, name) : DT_OK;
    *out = flag ? 1.0 : 0.0;
    return status;
}

DT_MUST_USE static dt_status read_optimizer(dt_optimizer *out, bool *has_state,
                                            const dt_json_place *from)
{
    dt_status status = DT_OK;
    dt_json_place at = *from;
    double rate = 0.0;
    const char *name = NULL;
    DT_TRY(dt_json_get_text(&name, from, "kind"));
    const dt_optimizer_kind *kind = dt_optimizer_find(name);
    if (kind == NULL)
        DT_TRY(fail_unknown(from, "kind", name));
    name_kind(&at, from->where, name);
    DT_TRY(dt_json_get_number(&rate, &at, "learning_rate", 0.0, HUGE_VAL));
    DT_TRY(dt_optimizer_init(out, kind, 0, rate));
    DT_TRY(dt_json_get_number(&out->weight_decay, &at, "weight_decay", 0.0, HUGE_VAL));
    const char *known[DT_OPTIMIZER_NUMBERS + 7] = {"kind", "learning_rate", "weight_decay",
                                                   "step", "has_state",     "ema"};
    for (size_t i = 0; i < kind->number_count; i++) {
        const dt_optimizer_number *number = &kind->numbers[i];
        known[6 + i] = number->name;
        if (number->is_flag)
            DT_TRY(read_flag(&out->numbers[i], &at, number->name));
        else
            DT_TRY(dt_json_get_number(&out->numbers[i], &at, number->name, 0.0, number->below));
    }
    DT_TRY(dt_json_get_whole(&out->step, &at, "step", 0, STEPS_MAX - 1));
    DT_TRY(dt_json_get_bool(has_state, &at, "has_state"));
    if (dt_json_has(&at, "ema"))
        DT_TRY(dt_json_get_number(&out->ema, &at, "ema", 0.0, 1.0));
    DT_TRY(dt_json_check_members(&at, known));
out:
    return status;
}

dt_status dt_model_json_read(dt_network *network, dt_optimizer *optimizer, bool *has_state,
                             const char *json, const char *path)
{
    static const char *const known[] = {"inputs", "loss",   "loss_number", "threshold", "targets",
                                        "layers", "others", "optimizer",   NULL};
    dt_status status = DT_OK;
    dt_json_place root, inside;
    char where[600];
    (void)snprintf(where, sizeof where, "%.500s: its model", path);
    *network = (dt_network){0};
    *optimizer = (dt_optimizer){0};
    *has_state = false;
    DT_TRY(dt_json_parse(&root, json, strlen(json), where));
    DT_TRY(read_network(network, &root));
    DT_TRY(read_others(network, &root));
    DT_TRY(dt_json_enter(&inside, &root, "optimizer"));
    DT_TRY(read_optimizer(optimizer, has_state, &inside));
    DT_TRY(dt_json_check_members(&root, known));
out:
    dt_json_root_clear(&root);
    return status;
}

dt_status dt_model_json_read_optimizer(dt_optimizer *out, bool *has_state, const char *json,
                                       const char *path)
{
    dt_status status = DT_OK;
    dt_json_place root;
    char where[600];
    (void)snprintf(where, sizeof where, "%.500s: its optimizer", path);
    *out = (dt_optimizer){0};
    *has_state = false;
    DT_TRY(dt_json_parse(&root, json, strlen(json), where));
    DT_TRY(read_optimizer(out, has_state, &root));
out:
    dt_json_root_clear(&root);
    return status;
}
