#include "dtrain/model/onnx.h"

#ifdef DTRAIN_WITH_ONNX

#include "onnx_graph.h"

#include "dtrain/base/memory.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { NODES_A_LAYER = 8, TENSORS_A_LAYER = 5 };

static const bool machine_is_big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;

/* Adds a node that takes the value `last`, which what it gives replaces. */
static dt_onnx_node *add_node(dt_onnx_writer *w, const char *kind, const char *name)
{
    dt_onnx_node *n = &w->nodes[w->graph.n_node];
    n->proto = (Onnx__NodeProto)ONNX__NODE_PROTO__INIT;
    (void)snprintf(n->name, sizeof n->name, "%s", name);
    n->output = n->name;
    n->inputs[0] = dt_onnx_text(w->last);
    n->proto.name = n->name;
    n->proto.op_type = dt_onnx_text(kind);
    n->proto.n_input = 1;
    n->proto.input = n->inputs;
    n->proto.n_output = 1;
    n->proto.output = &n->output;
    n->proto.attribute = n->attribute_list;
    w->node_list[w->graph.n_node++] = &n->proto;
    w->last = n->name;
    return n;
}

static Onnx__AttributeProto *start_attribute(dt_onnx_node *n, const char *name, int type)
{
    Onnx__AttributeProto *attribute = &n->attributes[n->proto.n_attribute];
    *attribute = (Onnx__AttributeProto)ONNX__ATTRIBUTE_PROTO__INIT;
    attribute->name = dt_onnx_text(name);
    attribute->has_type = 1;
    attribute->type = (Onnx__AttributeProto__AttributeType)type;
    n->attribute_list[n->proto.n_attribute++] = attribute;
    return attribute;
}

static void add_attribute(dt_onnx_node *n, const char *name, int64_t number)
{
    Onnx__AttributeProto *attribute =
        start_attribute(n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
    attribute->has_i = 1;
    attribute->i = number;
}

static void add_float_attribute(dt_onnx_node *n, const char *name, float number)
{
    Onnx__AttributeProto *attribute =
        start_attribute(n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
    attribute->has_f = 1;
    attribute->f = number;
}

/* Gives node `n` one more input, the value of that name. */
static void add_input(dt_onnx_node *n, const char *other)
{
    n->inputs[n->proto.n_input++] = dt_onnx_text(other);
}

/* Gives node `n` one more input, a constant [rows, columns], or [columns] when `rows` is 0. */
static void add_tensor(dt_onnx_writer *w, dt_onnx_node *n, const char *layer, const char *part,
                       const float *data, uint64_t rows, uint64_t columns)
{
    dt_onnx_tensor *t = &w->tensors[w->graph.n_initializer];
    const size_t count = (size_t)((rows > 0 ? rows : 1) * columns);
    t->proto = (Onnx__TensorProto)ONNX__TENSOR_PROTO__INIT;
    (void)snprintf(t->name, sizeof t->name, "%.39s/%.15s", layer, part);
    t->proto.name = t->name;
    if (rows > 0)
        t->dims[t->proto.n_dims++] = (int64_t)rows;
    t->dims[t->proto.n_dims++] = (int64_t)columns;
    t->proto.dims = t->dims;
    t->proto.has_data_type = 1;
    t->proto.data_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    if (machine_is_big) { /* raw data is little-endian; of float_data protobuf-c swaps the bytes */
        t->proto.float_data = (float *)data;
        t->proto.n_float_data = count;
    } else {
        t->proto.has_raw_data = 1;
        t->proto.raw_data.data = (uint8_t *)data;
        t->proto.raw_data.len = count * sizeof *data;
    }
    w->tensor_list[w->graph.n_initializer++] = &t->proto;
    n->inputs[n->proto.n_input++] = t->name;
}

/* Adds a node LAYER/WHAT. */
static dt_onnx_node *add_part(dt_onnx_writer *w, const char *kind, const char *layer,
                              const char *what)
{
    char name[DT_ONNX_NAME_BYTES];
    (void)snprintf(name, sizeof name, "%.39s/%.15s", layer, what);
    return add_node(w, kind, name);
}

/* Adds a node LAYER/WHAT of the last value and a number. */
static void add_number(dt_onnx_writer *w, const char *kind, const char *layer, const char *what,
                       float number)
{
    dt_onnx_node *n = add_part(w, kind, layer, what);
    float *place = &w->tensors[w->graph.n_initializer].number;
    char part[DT_ONNX_NAME_BYTES];
    *place = number;
    (void)snprintf(part, sizeof part, "%.12s_by", what);
    add_tensor(w, n, layer, part, place, 0, 1);
}

DT_MUST_USE static dt_status add_normalization(dt_onnx_writer *w, const dt_network *network,
                                               size_t l)
{
    const dt_layer *layer = &network->layers[l];
    const float *mean = network->constants + layer->mean;
    const float *variance = network->constants + layer->variance;
    dt_status status = dt_memory_alloc(&w->deviation, layer->D, sizeof(float), "deviations");
    if (status != DT_OK)
        return status;
    for (size_t i = 0; i < layer->D; i++)
        w->deviation[i] = fmaxf(sqrtf(variance[i]), 1e-7f);
    add_tensor(w, add_node(w, "Sub", "normalization/centered"), "normalization", "mean", mean, 0,
               layer->D);
    add_tensor(w, add_node(w, "Div", "normalization/scaled"), "normalization", "deviation",
               w->deviation, 0, layer->D);
    return DT_OK;
}

/* gelu, z (1 + erf(z / sqrt(2))) / 2, and silu, z sigmoid(z). */
static void add_product(dt_onnx_writer *w, const char *layer, const char *activation)
{
    const char *z = w->last;
    if (strcmp(activation, "gelu") == 0) {
        add_number(w, "Mul", layer, "erf_input", 0.707106781f);
        (void)add_part(w, "Erf", layer, "erf");
        add_number(w, "Add", layer, "erf_above_0", 1.0f);
        add_number(w, "Mul", layer, "probability", 0.5f);
    } else {
        (void)add_part(w, "Sigmoid", layer, "sigmoid");
    }
    add_input(add_part(w, "Mul", layer, activation), z);
}

/* The softmax of the last layer; nothing for a linear one. */
DT_MUST_USE static dt_status add_activation(dt_onnx_writer *w, const dt_network *network, size_t l)
{
    static const struct {
        const char *activation, *kind, *attribute; /* NULL: none */
        float number;
    } operators[] = {
        {"relu", "Relu", NULL, 0},         {"tanh", "Tanh", NULL, 0},
        {"sigmoid", "Sigmoid", NULL, 0},   {"elu", "Elu", NULL, 0},
        {"selu", "Selu", NULL, 0},         {"leaky_relu", "LeakyRelu", "alpha", 0.2f},
        {"softplus", "Softplus", NULL, 0}, {"hard_sigmoid", "HardSigmoid", "alpha", 1.0f / 6.0f},
        {"softmax", "Softmax", NULL, 0},
    };
    const char *activation = dt_keras_activation(network, l);
    char layer[DT_KERAS_LAYER_BYTES], name[DT_ONNX_NAME_BYTES];
    dt_network_print_layer(layer, sizeof layer, network, l);
    (void)snprintf(name, sizeof name, "%s/%s", layer, activation);
    if (l + 1 == network->layer_count)
        (void)snprintf(name, sizeof name, "probabilities");
    if (strcmp(activation, "gelu") == 0 || strcmp(activation, "silu") == 0) {
        add_product(w, layer, activation);
        return DT_OK;
    }
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++)
        if (strcmp(activation, operators[i].activation) == 0) {
            dt_onnx_node *n = add_node(w, operators[i].kind, name);
            if (operators[i].attribute != NULL)
                add_float_attribute(n, operators[i].attribute, operators[i].number);
            if (l + 1 == network->layer_count)
                add_attribute(n, "axis", 1);
            return DT_OK;
        }
    DT_ASSERT(strcmp(activation, "linear") == 0);
    return DT_OK;
}

DT_MUST_USE static dt_status add_dense(dt_onnx_writer *w, const dt_network *network, size_t l)
{
    const dt_layer *layer = &network->layers[l];
    char dense[DT_KERAS_LAYER_BYTES], name[DT_ONNX_NAME_BYTES];
    dt_network_print_layer(dense, sizeof dense, network, l);
    (void)snprintf(name, sizeof name, "%s/sum", dense);
    dt_onnx_node *sum = add_node(w, "Gemm", name);
    add_tensor(w, sum, dense, "kernel", network->params + layer->kernel, layer->D, layer->H);
    add_tensor(w, sum, dense, "bias", network->params + layer->bias, 0, layer->H);
    return add_activation(w, network, l);
}

DT_MUST_USE static dt_status add_layer_norm(dt_onnx_writer *w, const dt_network *network, size_t l)
{
    const dt_layer *layer = &network->layers[l];
    char name[DT_KERAS_LAYER_BYTES];
    dt_network_print_layer(name, sizeof name, network, l);
    dt_onnx_node *n = add_node(w, "LayerNormalization", name);
    add_float_attribute(n, "epsilon", (float)layer->epsilon);
    add_tensor(w, n, name, "gamma", network->params + layer->kernel, 0, layer->D);
    add_tensor(w, n, name, "beta", network->params + layer->bias, 0, layer->D);
    return DT_OK;
}

DT_MUST_USE static dt_status add_batch_norm(dt_onnx_writer *w, const dt_network *network, size_t l)
{
    const dt_layer *layer = &network->layers[l];
    const float *params = network->params;
    char name[DT_KERAS_LAYER_BYTES];
    dt_network_print_layer(name, sizeof name, network, l);
    dt_onnx_node *n = add_node(w, "BatchNormalization", name);
    add_float_attribute(n, "epsilon", (float)layer->epsilon);
    add_tensor(w, n, name, "gamma", params + layer->kernel, 0, layer->D);
    add_tensor(w, n, name, "beta", params + layer->bias, 0, layer->D);
    add_tensor(w, n, name, "moving_mean", params + layer->mean, 0, layer->D);
    add_tensor(w, n, name, "moving_variance", params + layer->variance, 0, layer->D);
    return DT_OK;
}

DT_MUST_USE static dt_status add_rms_norm(dt_onnx_writer *w, const dt_network *network, size_t l)
{
    static int64_t axis = 1;
    const dt_layer *layer = &network->layers[l];
    const char *x = w->last;
    char name[DT_KERAS_LAYER_BYTES];
    dt_network_print_layer(name, sizeof name, network, l);
    add_input(add_part(w, "Mul", name, "squares"), x);
    dt_onnx_node *mean = add_part(w, "ReduceMean", name, "mean");
    Onnx__AttributeProto *axes =
        start_attribute(mean, "axes", ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
    axes->n_ints = 1;
    axes->ints = &axis;
    add_number(w, "Add", name, "above_0", (float)layer->epsilon);
    const char *deviation = add_part(w, "Sqrt", name, "deviation")->name;
    w->last = x;
    add_input(add_part(w, "Div", name, "divided"), deviation);
    add_tensor(w, add_node(w, "Mul", name), name, "scale", network->params + layer->kernel, 0,
               layer->D);
    return DT_OK;
}

/* Each kind of layer; those that only training has do nothing. */
static const struct {
    const dt_layer_kind *kind;
    dt_status (*add)(dt_onnx_writer *w, const dt_network *network, size_t l);
} forms[] = {
    {&dt_layer_normalization, add_normalization},
    {&dt_layer_dense, add_dense},
    {&dt_layer_activation, add_activation},
    {&dt_layer_layer_norm, add_layer_norm},
    {&dt_layer_rms_norm, add_rms_norm},
    {&dt_layer_batch_norm, add_batch_norm},
    {&dt_layer_dropout, NULL},
    {&dt_layer_noise, NULL},
};

DT_MUST_USE static dt_status add_layer(dt_onnx_writer *w, const dt_network *network, size_t l)
{
    bool known = false;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (forms[i].kind != network->layers[l].kind)
            continue;
        if (forms[i].add != NULL)
            return forms[i].add(w, network, l);
        known = true;
    }
    DT_ASSERT(known); /* dt_keras_can_save */
    return DT_OK;
}

static void add_class(dt_onnx_writer *w)
{
    dt_onnx_node *chosen = add_node(w, "ArgMax", "class");
    add_attribute(chosen, "axis", 1);
    add_attribute(chosen, "keepdims", 0);
}

/* Turns values into the targets' units. */
DT_MUST_USE static dt_status add_units(dt_onnx_writer *w, const dt_network *network)
{
    dt_status status = DT_OK;
    const size_t C = network->C;
    if (network->scale == NULL) {
        (void)add_node(w, "Identity", "predicted");
        return DT_OK;
    }
    DT_TRY(dt_memory_alloc(&w->units, C, 2 * sizeof *w->units, "scales"));
    for (size_t j = 0; j < C; j++) {
        w->units[j] = (float)network->scale[j].deviation;
        w->units[C + j] = (float)network->scale[j].mean;
    }
    add_tensor(w, add_part(w, "Mul", DT_KERAS_RESCALING, "scaled"), DT_KERAS_RESCALING, "scale",
               w->units, 0, C);
    add_tensor(w, add_node(w, "Add", "predicted"), DT_KERAS_RESCALING, "offset", w->units + C, 0,
               C);
out:
    return status;
}

/* Describes a value of any number of rows, [N, columns], or [N] when `columns` is 0. */
static void describe(dt_onnx_value *v, const char *name, int32_t type, uint64_t columns)
{
    v->proto = (Onnx__ValueInfoProto)ONNX__VALUE_INFO_PROTO__INIT;
    v->type = (Onnx__TypeProto)ONNX__TYPE_PROTO__INIT;
    v->tensor = (Onnx__TypeProto__Tensor)ONNX__TYPE_PROTO__TENSOR__INIT;
    v->shape = (Onnx__TensorShapeProto)ONNX__TENSOR_SHAPE_PROTO__INIT;
    for (size_t i = 0; i < 2; i++) {
        v->dims[i] = (Onnx__TensorShapeProto__Dimension)ONNX__TENSOR_SHAPE_PROTO__DIMENSION__INIT;
        v->dim_list[i] = &v->dims[i];
    }
    v->dims[0].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
    v->dims[0].dim_param = dt_onnx_text("N");
    v->dims[1].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
    v->dims[1].dim_value = (int64_t)columns;
    v->shape.n_dim = columns > 0 ? 2 : 1;
    v->shape.dim = v->dim_list;
    v->tensor.has_elem_type = 1;
    v->tensor.elem_type = type;
    v->tensor.shape = &v->shape;
    v->type.value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    v->type.tensor_type = &v->tensor;
    v->proto.name = dt_onnx_text(name);
    v->proto.type = &v->type;
}

dt_status dt_onnx_make_graph(dt_onnx_writer *w, const dt_network *network)
{
    dt_status status = DT_OK;
    const size_t layers = network->layer_count;
    /* And one node for the class, or two of two constants for the units. */
    const size_t nodes = NODES_A_LAYER * layers + 2;
    const size_t tensors = TENSORS_A_LAYER * layers + 2;
    DT_TRY(dt_memory_alloc(&w->nodes, nodes, sizeof *w->nodes, "ONNX nodes"));
    DT_TRY(dt_memory_alloc(&w->node_list, nodes, sizeof *w->node_list, "ONNX nodes"));
    DT_TRY(dt_memory_alloc(&w->tensors, tensors, sizeof *w->tensors, "ONNX tensors"));
    DT_TRY(dt_memory_alloc(&w->tensor_list, tensors, sizeof *w->tensor_list, "ONNX tensors"));
    w->graph = (Onnx__GraphProto)ONNX__GRAPH_PROTO__INIT;
    w->graph.name = dt_onnx_text("dtrain");
    w->graph.node = w->node_list;
    w->graph.initializer = w->tensor_list;

    w->last = "inputs";
    for (size_t l = 0; l < layers; l++)
        DT_TRY(add_layer(w, network, l));
    if (network->loss->classes)
        add_class(w);
    else
        DT_TRY(add_units(w, network));

    describe(&w->inputs, "inputs", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, network->D);
    describe(&w->outputs, network->loss->classes ? "probabilities" : "predicted",
             ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, network->C);
    describe(&w->chosen, "class", ONNX__TENSOR_PROTO__DATA_TYPE__INT64, 0);
    w->input_list[0] = &w->inputs.proto;
    w->output_list[0] = &w->outputs.proto;
    w->output_list[1] = &w->chosen.proto;
    w->graph.n_input = 1;
    w->graph.input = w->input_list;
    w->graph.n_output = network->loss->classes ? 2 : 1;
    w->graph.output = w->output_list;
out:
    return status;
}

void dt_onnx_writer_clear(dt_onnx_writer *w)
{
    dt_memory_free(w->nodes);
    dt_memory_free(w->node_list);
    dt_memory_free(w->tensors);
    dt_memory_free(w->tensor_list);
    dt_memory_free(w->deviation);
    dt_memory_free(w->units);
    dt_memory_free(w->classes);
    *w = (dt_onnx_writer){0};
}

#endif
