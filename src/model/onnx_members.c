/* Layers of networks with an encoding or members. Members are a dimension of their own: outputs
 * are [N,K,H]. */
#ifdef DTRAIN_WITH_ONNX

#include "onnx_graph.h"

#include "dtrain/base/memory.h"

static const int64_t swapped[2] = {1, 0}, swapped_of_three[3] = {1, 0, 2},
                     last_swapped[3] = {0, 2, 1};
static const int64_t axis_1[1] = {1}, axis_2[1] = {2};

/* Some columns of the last value. */
static void add_gather(dt_onnx_writer *w, const char *layer, const char *what, const char *part,
                       const int64_t *columns, size_t count)
{
    dt_onnx_node *n = dt_onnx_add_part(w, "Gather", layer, what);
    dt_onnx_add_attribute(n, "axis", 1);
    dt_onnx_add_indices(w, n, layer, part, columns, count);
}

/* The other columns of the inputs behind the last value, as they are. */
static void add_others(dt_onnx_writer *w, const char *layer, const char *inputs,
                       const int64_t *columns, size_t count)
{
    const char *encoded = w->last;
    if (count == 0)
        return;
    w->last = inputs;
    add_gather(w, layer, "others", "other_columns", columns, count);
    const char *others = w->last;
    w->last = encoded;
    dt_onnx_node *n = dt_onnx_add_part(w, "Concat", layer, "encoded");
    dt_onnx_add_attribute(n, "axis", 1);
    dt_onnx_add_input(n, others);
}

/* The places [E,N,T] in bins, with the numbers behind them: [E,N,T+1]. */
static void add_places(dt_onnx_writer *w, const char *layer)
{
    const dt_encoding *e = &w->encoding;
    const uint64_t table[3] = {e->E, 1, e->T};
    dt_onnx_node *n = dt_onnx_add_part(w, "Transpose", layer, "by_input");
    dt_onnx_add_list_attribute(n, "perm", swapped, 2);
    n = dt_onnx_add_part(w, "Unsqueeze", layer, "rows");
    dt_onnx_add_indices(w, n, layer, "row_axis", axis_2, 1);
    const char *numbers = w->last;
    n = dt_onnx_add_part(w, "Sub", layer, "centered");
    dt_onnx_add_array(w, n, layer, "edges", e->edges, table, 3);
    n = dt_onnx_add_part(w, "Div", layer, "divided");
    dt_onnx_add_array(w, n, layer, "widths", e->widths, table, 3);
    n = dt_onnx_add_part(w, "Clip", layer, "places");
    dt_onnx_add_scalar(w, n, layer, "least", 0.0f);
    dt_onnx_add_scalar(w, n, layer, "most", 1.0f);
    n = dt_onnx_add_part(w, "Concat", layer, "all_places");
    dt_onnx_add_attribute(n, "axis", 2);
    dt_onnx_add_input(n, numbers);
}

dt_status dt_onnx_add_encoding(dt_onnx_writer *w, const dt_network *network, size_t l)
{
    dt_status status = DT_OK;
    dt_encoding *e = &w->encoding;
    const char *inputs = w->last;
    char layer[DT_KERAS_LAYER_BYTES];
    dt_network_print_layer(layer, sizeof layer, network, l);
    DT_TRY(dt_encoding_make(e, network, &network->layers[l]));
    add_gather(w, layer, "numbers", "number_columns", e->inputs, e->E);
    add_places(w, layer);
    dt_onnx_node *n = dt_onnx_add_part(w, "MatMul", layer, "embedded");
    dt_onnx_add_array(w, n, layer, "kernel", e->kernel, (uint64_t[3]){e->E, e->T + 1, e->width}, 3);
    n = dt_onnx_add_part(w, "Add", layer, "shifted");
    dt_onnx_add_array(w, n, layer, "shift", e->shift, (uint64_t[3]){e->E, 1, e->width}, 3);
    dt_onnx_add_list_attribute(dt_onnx_add_part(w, "Transpose", layer, "by_row"), "perm",
                               swapped_of_three, 3);
    dt_onnx_add_attribute(dt_onnx_add_part(w, "Flatten", layer, "flat"), "axis", 1);
    add_others(w, layer, inputs, e->inputs + e->E, e->O);
out:
    return status;
}

/* Cosines and sines [N,E,2n] of inputs [N,E]. Whole turns are subtracted first, as dtrain does it:
 * sines of large angles would differ in digits that a float32 does not have. */
static void add_waves(dt_onnx_writer *w, const dt_network *network, const dt_layer *layer,
                      const char *name)
{
    dt_onnx_node *n = dt_onnx_add_part(w, "Unsqueeze", name, "cells");
    dt_onnx_add_indices(w, n, name, "cell_axis", axis_2, 1);
    n = dt_onnx_add_part(w, "Mul", name, "turns");
    dt_onnx_add_tensor(w, n, name, "frequencies", network->params + layer->turns, layer->encoded,
                       layer->frequencies);
    const char *turns = w->last;
    const char *whole = dt_onnx_add_part(w, "Round", name, "whole_turns")->name;
    w->last = turns;
    dt_onnx_add_input(dt_onnx_add_part(w, "Sub", name, "parts"), whole);
    dt_onnx_add_number(w, "Mul", name, "angles", 6.28318531f);
    const char *angles = w->last;
    const char *sines = dt_onnx_add_part(w, "Sin", name, "sines")->name;
    w->last = angles;
    (void)dt_onnx_add_part(w, "Cos", name, "cosines");
    n = dt_onnx_add_part(w, "Concat", name, "waves");
    dt_onnx_add_attribute(n, "axis", 2);
    dt_onnx_add_input(n, sines);
}

dt_status dt_onnx_add_periodic(dt_onnx_writer *w, const dt_network *network, size_t l)
{
    const dt_layer *layer = &network->layers[l];
    const char *inputs = w->last;
    size_t encoded = 0, other = layer->encoded;
    char name[DT_KERAS_LAYER_BYTES];
    const dt_status status =
        dt_memory_alloc(&w->waves, layer->D, sizeof *w->waves, "places of inputs");
    if (status != DT_OK)
        return status;
    for (size_t d = 0; d < layer->D; d++)
        w->waves[network->constants[layer->is_encoded + d] > 0.0f ? encoded++ : other++] =
            (int64_t)d;
    dt_network_print_layer(name, sizeof name, network, l);
    add_gather(w, name, "numbers", "number_columns", w->waves, layer->encoded);
    add_waves(w, network, layer, name);
    dt_onnx_add_tensor(w, dt_onnx_add_part(w, "MatMul", name, "product"), name, "kernel",
                       network->params + layer->kernel, 2 * layer->frequencies, layer->width);
    dt_onnx_add_tensor(w, dt_onnx_add_part(w, "Add", name, "sum"), name, "bias",
                       network->params + layer->bias, 0, layer->width);
    (void)dt_onnx_add_part(w, "Relu", name, "relu");
    dt_onnx_add_attribute(dt_onnx_add_part(w, "Flatten", name, "flat"), "axis", 1);
    add_others(w, name, inputs, w->waves + layer->encoded, layer->D - layer->encoded);
    return DT_OK;
}

/* The columns [N,G,width], as one row, of inputs [N,E]. */
static void add_columns(dt_onnx_writer *w, const char *layer)
{
    const dt_category_table *t = &w->categories;
    dt_onnx_node *n = dt_onnx_add_part(w, "Unsqueeze", layer, "cells");
    dt_onnx_add_indices(w, n, layer, "cell_axis", axis_2, 1);
    n = dt_onnx_add_part(w, "Mul", layer, "products");
    dt_onnx_add_tensor(w, n, layer, "table", t->table, t->E, t->width);
    dt_onnx_add_list_attribute(dt_onnx_add_part(w, "Transpose", layer, "by_number"), "perm",
                               last_swapped, 3);
    n = dt_onnx_add_part(w, "MatMul", layer, "sums");
    dt_onnx_add_tensor(w, n, layer, "groups", t->groups, t->E, t->G);
    dt_onnx_add_list_attribute(dt_onnx_add_part(w, "Transpose", layer, "by_column"), "perm",
                               last_swapped, 3);
    dt_onnx_add_attribute(dt_onnx_add_part(w, "Flatten", layer, "flat"), "axis", 1);
}

dt_status dt_onnx_add_categories(dt_onnx_writer *w, const dt_network *network, size_t l)
{
    const dt_category_table *t = &w->categories;
    const char *inputs = w->last, *parts[3];
    size_t count = 0;
    char layer[DT_KERAS_LAYER_BYTES];
    dt_network_print_layer(layer, sizeof layer, network, l);
    const dt_status status = dt_category_table_make(&w->categories, network, &network->layers[l]);
    if (status != DT_OK)
        return status;
    if (t->lead > 0) {
        add_gather(w, layer, "first", "first_columns", t->inputs, t->lead);
        parts[count++] = w->last;
        w->last = inputs;
    }
    add_gather(w, layer, "categories", "category_places", t->inputs + t->lead, t->E);
    add_columns(w, layer);
    parts[count++] = w->last;
    if (t->O > 0) {
        w->last = inputs;
        add_gather(w, layer, "others", "other_columns", t->inputs + t->lead + t->E, t->O);
        parts[count++] = w->last;
    }
    w->last = parts[0];
    dt_onnx_node *all = dt_onnx_add_part(w, "Concat", layer, "embedded");
    dt_onnx_add_attribute(all, "axis", 1);
    for (size_t i = 1; i < count; i++)
        dt_onnx_add_input(all, parts[i]);
    return DT_OK;
}

dt_status dt_onnx_add_member_scale(dt_onnx_writer *w, const dt_network *network, size_t l)
{
    const dt_layer *layer = &network->layers[l];
    const float *params = network->params;
    dt_onnx_node *n = NULL;
    char name[DT_KERAS_LAYER_BYTES];
    dt_network_print_layer(name, sizeof name, network, l);
    if (!w->has_members) {
        n = dt_onnx_add_part(w, "Unsqueeze", name, "member");
        dt_onnx_add_indices(w, n, name, "member_axis", axis_1, 1);
    }
    n = dt_onnx_add_part(w, "Mul", name, "scaled");
    dt_onnx_add_tensor(w, n, name, "scale", params + layer->kernel, layer->K, layer->D);
    if (layer->shifts == DT_SHIFTS_MEMBERS) {
        n = dt_onnx_add_part(w, "Add", name, "shifted");
        dt_onnx_add_tensor(w, n, name, "shift", params + layer->bias, layer->K, layer->D);
    }
    w->has_members = true;
    return DT_OK;
}

dt_status dt_onnx_add_member_dense(dt_onnx_writer *w, const dt_network *network, size_t l)
{
    const dt_layer *layer = &network->layers[l];
    const uint64_t K = layer->K;
    char name[DT_KERAS_LAYER_BYTES];
    dt_network_print_layer(name, sizeof name, network, l);
    dt_onnx_add_list_attribute(dt_onnx_add_part(w, "Transpose", name, "by_member"), "perm",
                               swapped_of_three, 3);
    dt_onnx_node *n = dt_onnx_add_part(w, "MatMul", name, "product");
    dt_onnx_add_array(w, n, name, "kernel", network->params + layer->kernel,
                      (uint64_t[3]){K, layer->D, layer->H}, 3);
    n = dt_onnx_add_part(w, "Add", name, "sum");
    dt_onnx_add_array(w, n, name, "bias", network->params + layer->bias,
                      (uint64_t[3]){K, 1, layer->H}, 3);
    dt_onnx_add_list_attribute(dt_onnx_add_part(w, "Transpose", name, "by_row"), "perm",
                               swapped_of_three, 3);
    return DT_OK;
}

void dt_onnx_add_member_mean(dt_onnx_writer *w, const dt_network *network)
{
    const bool classes = network->loss->classes;
    if (classes)
        dt_onnx_add_attribute(dt_onnx_add_node(w, "Softmax", "members/probabilities"), "axis", 2);
    dt_onnx_node *n = dt_onnx_add_node(w, "ReduceMean", classes ? "probabilities" : "members/mean");
    dt_onnx_add_list_attribute(n, "axes", axis_1, 1);
    dt_onnx_add_attribute(n, "keepdims", 0);
}

#endif
