#include "keras_graph.h"

#include "dtrain/base/memory.h"

#include <stdio.h>
#include <string.h>

/* The state of building the graph. */
typedef struct builder {
    dt_keras_graph *graph;
    const dt_network *network;
    size_t *place; /* [layer_count]: node that gives the layer's outputs */
    size_t last; /* node that gives the outputs of the layers so far */
    bool failed; /* no memory for JSON */
} builder;

/* ---- nodes ---- */

static void take(builder *b, dt_keras_node *node, size_t from)
{
    b->graph->links[b->graph->link_count++] = from;
    node->from_count++;
}

/* Adds a node whose inputs are to be given before the next node comes, and whose outputs then are
 * the outputs so far. */
static dt_keras_node *start_node(builder *b, const char *class_name, const char *name, bool trains)
{
    dt_keras_graph *graph = b->graph;
    dt_keras_node *node = &graph->nodes[graph->count];
    *node = (dt_keras_node){
        .class_name = class_name, .trains = trains, .from = graph->links + graph->link_count};
    (void)snprintf(node->name, sizeof node->name, "%s", name);
    node->config =
        json_pack("{s:s, s:b, s:s}", "name", name, "trainable", trains ? 1 : 0, "dtype", "float32");
    b->failed = b->failed || node->config == NULL;
    b->last = graph->count++;
    return node;
}

/* Adds a node whose inputs are the outputs so far. */
static dt_keras_node *add_node(builder *b, const char *class_name, const char *name, bool trains)
{
    const size_t from = b->last;
    dt_keras_node *node = start_node(b, class_name, name, trains);
    take(b, node, from);
    return node;
}

static void set(builder *b, const dt_keras_node *node, const char *key, json_t *value)
{
    if (json_object_set_new(node->config, key, value) != 0)
        b->failed = true;
}

/* An extent of 0 ends the shape. */
static void add_variable(builder *b, dt_keras_node *node, const char *name, const float *values,
                         const size_t shape[3])
{
    dt_keras_variable *v = &node->variables[node->variable_count++];
    *v = (dt_keras_variable){.name = name, .values = values, .count = 1};
    for (; v->dims < 3 && shape[v->dims] > 0; v->dims++) {
        v->shape[v->dims] = shape[v->dims];
        v->count *= shape[v->dims];
    }
    if (!node->trains)
        return;
    v->first = b->graph->trained;
    b->graph->trained += v->count;
}

/* ---- layers that are one layer of Keras ---- */

static void add_same(builder *b, size_t l)
{
    const dt_network *network = b->network;
    const dt_keras_form *form = dt_keras_form_of(&network->layers[l]);
    char name[DT_KERAS_LAYER_BYTES];
    dt_network_print_layer(name, sizeof name, network, l);
    dt_keras_node *node = add_node(b, form->class_name, name, true);
    if (node->config != NULL && !form->describe(node->config, network, l))
        b->failed = true;
    for (size_t t = 0; t < network->tensor_count; t++) {
        const dt_tensor *tensor = &network->tensors[t];
        if (tensor->layer != l)
            continue;
        add_variable(b, node, tensor->name, network->params + tensor->first,
                     (size_t[3]){tensor->dims[0], tensor->dims[1]});
        node->variables[node->variable_count - 1].moves = tensor->moves;
    }
}

/* ---- encoding, members, residuals ---- */

static json_t *make_shape(size_t rows, size_t columns)
{
    return json_pack("[I, I]", (json_int_t)rows, (json_int_t)columns);
}

/* Shapes without the batch, whose letter is b; `bias_axes` NULL: no bias. */
static dt_keras_node *add_einsum(builder *b, const char *name, const char *equation, size_t rows,
                                 size_t columns, const char *bias_axes, bool trains)
{
    dt_keras_node *node = add_node(b, "EinsumDense", name, trains);
    set(b, node, "equation", json_string(equation));
    set(b, node, "output_shape", make_shape(rows, columns));
    set(b, node, "activation", json_string("linear"));
    set(b, node, "bias_axes", bias_axes != NULL ? json_string(bias_axes) : json_null());
    return node;
}

static void add_reshape(builder *b, const char *name, json_t *shape)
{
    set(b, add_node(b, "Reshape", name, true), "target_shape", shape);
}

/* Of the last axis: with another one Keras 3.3 does not open .h5 files. */
static dt_keras_node *start_concatenation(builder *b, const char *name)
{
    dt_keras_node *node = start_node(b, "Concatenate", name, true);
    set(b, node, "axis", json_integer(-1));
    return node;
}

static void add_concatenation(builder *b, const char *name, size_t first, size_t second)
{
    dt_keras_node *node = start_concatenation(b, name);
    take(b, node, first);
    take(b, node, second);
}

/* The outputs so far as rows [D,1], out of which columns are cut. */
typedef struct rows {
    size_t node, D;
} rows;

static rows add_rows(builder *b, const char *name, size_t D)
{
    add_reshape(b, name, make_shape(D, 1));
    return (rows){b->last, D};
}

/* Cuts out neighbouring columns. */
static void add_run(builder *b, const char *name, rows from, int64_t first, size_t count)
{
    const json_int_t behind = (json_int_t)(from.D - (size_t)first - count);
    char cut[DT_KERAS_LAYER_BYTES];
    (void)snprintf(cut, sizeof cut, "cut_%.30s", name);
    b->last = from.node;
    set(b, add_node(b, "Cropping1D", cut, true), "cropping",
        json_pack("[I, I]", (json_int_t)first, behind));
    add_reshape(b, name, json_pack("[I]", (json_int_t)count));
}

/* Cuts out columns, run by run. */
static void add_choice(builder *b, const char *name, rows from, const int64_t *columns,
                       size_t count)
{
    const size_t first = b->graph->count;
    for (size_t at = 0, to = 0; at < count; at = to) {
        char run[DT_KERAS_LAYER_BYTES];
        for (to = at + 1; to < count && columns[to] == columns[to - 1] + 1;)
            to++;
        if (to - at == count) {
            add_run(b, name, from, columns[at], count);
            return;
        }
        (void)snprintf(run, sizeof run, "%s_from_%lld", name, (long long)columns[at]);
        add_run(b, run, from, columns[at], to - at);
    }
    const size_t end = b->graph->count;
    dt_keras_node *node = start_concatenation(b, name);
    for (size_t i = first + 1; i < end; i += 2)
        take(b, node, i);
}

/* The places in the bins, and the numbers behind them. */
static void add_places(builder *b)
{
    const dt_encoding *e = &b->graph->encoding;
    const size_t table[3] = {e->E, e->T}, numbers = b->last;
    dt_keras_node *edges = add_einsum(b, "edges", "bd,dt->bdt", e->E, e->T, "dt", false);
    add_variable(b, edges, "kernel", e->powers, table);
    add_variable(b, edges, "bias", e->offsets, table);
    dt_keras_node *widths = add_einsum(b, "widths", "bdt,dt->bdt", e->E, e->T, NULL, false);
    add_variable(b, widths, "kernel", e->inverses, table);
    set(b, add_node(b, "ReLU", "bins", true), "max_value", json_real(1.0));
    const size_t bins = b->last;
    b->last = numbers;
    add_reshape(b, "columns", make_shape(e->E, 1));
    add_concatenation(b, "places", bins, b->last);
}

DT_MUST_USE static dt_status add_encoding(builder *b, const dt_layer *layer)
{
    dt_status status = DT_OK;
    dt_encoding *e = &b->graph->encoding;
    rows from = {0};
    DT_TRY(dt_encoding_make(e, b->network, layer));
    if (e->O > 0) {
        from = add_rows(b, "rows", layer->D);
        add_choice(b, "numbers", from, e->inputs, e->E);
    }
    add_places(b);
    dt_keras_node *embedding =
        add_einsum(b, "embedding", "bdt,dtj->bdj", e->E, e->width, "dj", true);
    add_variable(b, embedding, "kernel", e->kernel, (size_t[3]){e->E, e->T + 1, e->width});
    add_variable(b, embedding, "bias", e->shift, (size_t[3]){e->E, e->width});
    add_reshape(b, "embedded", json_pack("[I]", (json_int_t)(e->E * e->width)));
    if (e->O > 0) {
        const size_t embedded = b->last;
        add_choice(b, "others", from, e->inputs + e->E, e->O);
        add_concatenation(b, "encoded", embedded, b->last);
    }
out:
    return status;
}

/* The columns [G,width], as one row. */
static void add_columns(builder *b)
{
    const dt_category_table *t = &b->graph->categories;
    dt_keras_node *embedding =
        add_einsum(b, "category_embedding", "bd,dj->bdj", t->E, t->width, NULL, true);
    add_variable(b, embedding, "table", t->table, (size_t[3]){t->E, t->width});
    dt_keras_node *columns =
        add_einsum(b, "category_columns", "bdj,dg->bgj", t->G, t->width, NULL, false);
    add_variable(b, columns, "groups", t->groups, (size_t[3]){t->E, t->G});
    add_reshape(b, "embedded_categories", json_pack("[I]", (json_int_t)(t->G * t->width)));
}

DT_MUST_USE static dt_status add_categories(builder *b, const dt_layer *layer)
{
    dt_status status = DT_OK;
    dt_category_table *t = &b->graph->categories;
    size_t parts[3], count = 0;
    DT_TRY(dt_category_table_make(t, b->network, layer));
    if (t->lead + t->O == 0) {
        add_columns(b);
        return DT_OK;
    }
    const rows from = add_rows(b, "category_rows", layer->D);
    if (t->lead > 0) {
        add_choice(b, "encoded_numbers", from, t->inputs, t->lead);
        parts[count++] = b->last;
    }
    add_choice(b, "categories", from, t->inputs + t->lead, t->E);
    add_columns(b);
    parts[count++] = b->last;
    if (t->O > 0) {
        add_choice(b, "no_categories", from, t->inputs + t->lead + t->E, t->O);
        parts[count++] = b->last;
    }
    dt_keras_node *all = start_concatenation(b, "with_categories");
    for (size_t i = 0; i < count; i++)
        take(b, all, parts[i]);
out:
    return status;
}

/* Scales [K,D], and shifts. */
static void add_member_scale(builder *b, size_t l)
{
    const dt_layer *layer = &b->network->layers[l];
    const bool members = dt_network_takes_members(b->network, l);
    const bool shifts = layer->shifts == DT_SHIFTS_MEMBERS;
    const size_t shape[3] = {layer->K, layer->D};
    char name[DT_KERAS_LAYER_BYTES];
    dt_network_print_layer(name, sizeof name, b->network, l);
    dt_keras_node *node = add_einsum(b, name, members ? "bkd,kd->bkd" : "bd,kd->bkd", layer->K,
                                     layer->D, shifts ? "kd" : NULL, true);
    add_variable(b, node, "scale", b->network->params + layer->kernel, shape);
    if (shifts)
        add_variable(b, node, "shift", b->network->params + layer->bias, shape);
}

/* The last layer of members: [K,D,C] and [K,C]. */
static void add_member_dense(builder *b, const dt_layer *layer)
{
    const size_t K = layer->K, D = layer->D, C = layer->H;
    const float *kernel = b->network->params + layer->kernel;
    dt_keras_node *node = add_einsum(b, "member_outputs", "bkd,kdc->bkc", K, C, "kc", true);
    set(b, node, "activation", json_string(b->network->loss->classes ? "softmax" : "linear"));
    add_variable(b, node, "kernel", kernel, (size_t[3]){K, D, C});
    add_variable(b, node, "bias", b->network->params + layer->bias, (size_t[3]){K, C});
}

DT_MUST_USE static dt_status add_layer(builder *b, size_t l)
{
    dt_status status = DT_OK;
    const dt_layer *layer = &b->network->layers[l];
    const dt_keras_form *form = dt_keras_form_of(layer);
    if (form != NULL && form->class_name != NULL) {
        add_same(b, l);
    } else if (layer->kind == &dt_layer_piecewise_linear) {
        DT_TRY(add_encoding(b, layer));
    } else if (layer->kind == &dt_layer_category_embedding) {
        DT_TRY(add_categories(b, layer));
    } else if (layer->kind == &dt_layer_add) {
        char name[DT_KERAS_LAYER_BYTES];
        dt_network_print_layer(name, sizeof name, b->network, l);
        dt_keras_node *node = add_node(b, "Add", name, true);
        take(b, node, b->place[layer->source]);
    } else if (layer->kind == &dt_layer_member_scale) {
        add_member_scale(b, l);
    } else if (form == NULL) {
        add_member_dense(b, layer);
    }
    b->place[l] = b->last;
out:
    return status;
}

/* ---- outputs ---- */

/* A number for one target; a list for several. */
static json_t *describe_scale(const dt_network *network, bool deviations)
{
    const dt_target_scale *scale = network->scale;
    if (network->C == 1)
        return json_real(deviations ? scale->deviation : scale->mean);
    json_t *list = json_array();
    for (size_t j = 0; list != NULL && j < network->C; j++) {
        const double number = deviations ? scale[j].deviation : scale[j].mean;
        if (json_array_append_new(list, json_real(number)) != 0) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

static void add_end(builder *b)
{
    const dt_network *network = b->network;
    if (dt_network_first(network, &dt_layer_member_scale) != NULL) {
        set(b, add_node(b, "GlobalAveragePooling1D", "mean", true), "data_format",
            json_string("channels_last"));
    }
    if (network->scale != NULL) {
        const dt_keras_node *node = add_node(b, "Rescaling", DT_KERAS_RESCALING, true);
        set(b, node, "scale", describe_scale(network, true));
        set(b, node, "offset", describe_scale(network, false));
    }
}

/* ---- the whole ---- */

/* Two for each run of columns that are encoded, or are not: where `encodes` is above 0. */
static size_t count_runs(const float *encodes, size_t D)
{
    size_t count = 0;
    for (size_t d = 1; d < D; d++)
        count += (encodes[d] > 0.0f) != (encodes[d - 1] > 0.0f) ? 2 : 0;
    return count;
}

/* Returns the maximum number of nodes. */
static size_t count_nodes(const dt_network *network)
{
    enum { ENCODING_NODES = 16, CATEGORY_NODES = 16, OTHERS = 3 };
    const dt_layer *numbers = dt_network_first(network, &dt_layer_piecewise_linear);
    const dt_layer *categories = dt_network_first(network, &dt_layer_category_embedding);
    size_t count = network->layer_count + OTHERS;
    if (numbers != NULL)
        count += ENCODING_NODES + count_runs(network->constants + numbers->edge_counts, numbers->D);
    if (categories != NULL)
        count +=
            CATEGORY_NODES + count_runs(network->constants + categories->group_of, categories->D);
    return count;
}

DT_MUST_USE static dt_status build(builder *b)
{
    dt_status status = DT_OK;
    const dt_network *network = b->network;
    dt_keras_graph *graph = b->graph;
    const size_t count = count_nodes(network);
    DT_TRY(dt_memory_alloc(&graph->nodes, count, sizeof *graph->nodes, "layers of Keras"));
    DT_TRY(dt_memory_alloc(&graph->links, count, 3 * sizeof *graph->links, "layers of Keras"));
    DT_TRY(dt_memory_alloc(&b->place, network->layer_count, sizeof *b->place, "layers"));
    graph->nodes[0] = (dt_keras_node){.class_name = "InputLayer", .name = "input_1"};
    graph->count = 1;
    for (size_t l = 0; l < network->layer_count; l++)
        DT_TRY(add_layer(b, l));
    add_end(b);
    if (b->failed)
        DT_TRY(dt_fail(DT_MEMORY, "no memory for the JSON of a Keras file"));
out:
    dt_memory_free(b->place);
    return status;
}

dt_status dt_keras_graph_make(dt_keras_graph *out, const dt_network *network)
{
    builder b = {.graph = out, .network = network};
    *out = (dt_keras_graph){.inputs = network->D,
                            .functional =
                                dt_network_first(network, &dt_layer_piecewise_linear) != NULL ||
                                dt_network_first(network, &dt_layer_category_embedding) != NULL ||
                                dt_network_first(network, &dt_layer_member_scale) != NULL ||
                                dt_network_first(network, &dt_layer_add) != NULL};
    const dt_status status = build(&b);
    if (status != DT_OK)
        dt_keras_graph_clear(out);
    return status;
}

void dt_keras_graph_clear(dt_keras_graph *graph)
{
    for (size_t i = 0; i < graph->count; i++)
        json_decref(graph->nodes[i].config);
    dt_memory_free(graph->nodes);
    dt_memory_free(graph->links);
    dt_encoding_clear(&graph->encoding);
    dt_category_table_clear(&graph->categories);
    *graph = (dt_keras_graph){0};
}
