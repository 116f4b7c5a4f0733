#include "dtrain/model/onnx.h"

#ifdef DTRAIN_WITH_ONNX

#include "onnx_graph.h"

#include "dtrain/base/memory.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { NODES_A_LAYER = 15, TENSORS_A_LAYER = 9 }; /* of encodings, the most */

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
    dt_onnx_add_tensor(w, dt_onnx_add_node(w, "Sub", "normalization/centered"), "normalization",
                       "mean", mean, 0, layer->D);
    dt_onnx_add_tensor(w, dt_onnx_add_node(w, "Div", "normalization/scaled"), "normalization",
                       "deviation", w->deviation, 0, layer->D);
    return DT_OK;
}

/* gelu, z (1 + erf(z / sqrt(2))) / 2, and silu, z sigmoid(z). */
static void add_product(dt_onnx_writer *w, const char *layer, const char *activation)
{
    const char *z = w->last;
    if (strcmp(activation, "gelu") == 0) {
        dt_onnx_add_number(w, "Mul", layer, "erf_input", 0.707106781f);
        (void)dt_onnx_add_part(w, "Erf", layer, "erf");
        dt_onnx_add_number(w, "Add", layer, "erf_above_0", 1.0f);
        dt_onnx_add_number(w, "Mul", layer, "probability", 0.5f);
    } else {
        (void)dt_onnx_add_part(w, "Sigmoid", layer, "sigmoid");
    }
    dt_onnx_add_input(dt_onnx_add_part(w, "Mul", layer, activation), z);
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
    const bool last = l + 1 == network->layer_count;
    const char *activation = dt_keras_activation(network, l);
    char layer[DT_KERAS_LAYER_BYTES], name[DT_ONNX_NAME_BYTES];
    if (last && w->has_members) /* dt_onnx_add_member_mean */
        return DT_OK;
    dt_network_print_layer(layer, sizeof layer, network, l);
    (void)snprintf(name, sizeof name, "%s/%s", layer, activation);
    if (last)
        (void)snprintf(name, sizeof name, "probabilities");
    if (strcmp(activation, "gelu") == 0 || strcmp(activation, "silu") == 0) {
        add_product(w, layer, activation);
        return DT_OK;
    }
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++)
        if (strcmp(activation, operators[i].activation) == 0) {
            dt_onnx_node *n = dt_onnx_add_node(w, operators[i].kind, name);
            if (operators[i].attribute != NULL)
                dt_onnx_add_float_attribute(n, operators[i].attribute, operators[i].number);
            if (last)
                dt_onnx_add_attribute(n, "axis", 1);
            return DT_OK;
        }
    DT_ASSERT(strcmp(activation, "linear") == 0);
    return DT_OK;
}

/* The operators have one number each; a threshold and a slope together need two. */
DT_MUST_USE static dt_status add_rectifier(dt_onnx_writer *w, const dt_network *network, size_t l)
{
    const dt_layer *layer = &network->layers[l];
    const bool jumps = layer->threshold < 0.0 || layer->threshold > 0.0;
    const char *kind = layer->curve > 0.0 ? "Elu" : jumps ? "ThresholdedRelu" : "LeakyRelu";
    const double number = layer->curve > 0.0 ? layer->curve
                          : jumps            ? layer->threshold
                                             : layer->slope;
    const bool slopes = layer->slope < 0.0 || layer->slope > 0.0;
    char name[DT_KERAS_LAYER_BYTES];
    dt_network_print_layer(name, sizeof name, network, l);
    if (jumps && (slopes || layer->curve > 0.0))
        return dt_fail(DT_USAGE,
                       "ONNX has no operator for layer '%s', a ReLU with a slope below a "
                       "threshold; export to .keras, .h5 or .npz",
                       name);
    dt_onnx_add_float_attribute(dt_onnx_add_part(w, kind, name, "rectified"), "alpha",
                                (float)number);
    if (layer->limit > 0.0)
        dt_onnx_add_number(w, "Min", name, "limited", (float)layer->limit);
    return DT_OK;
}

DT_MUST_USE static dt_status add_prelu(dt_onnx_writer *w, const dt_network *network, size_t l)
{
    const dt_layer *layer = &network->layers[l];
    const size_t slopes = layer->slopes == DT_SLOPES_ONE ? 1 : layer->H;
    char name[DT_KERAS_LAYER_BYTES];
    dt_network_print_layer(name, sizeof name, network, l);
    dt_onnx_add_tensor(w, dt_onnx_add_part(w, "PRelu", name, "bent"), name, "alpha",
                       network->params + layer->kernel, 0, slopes);
    return DT_OK;
}

DT_MUST_USE static dt_status add_dense(dt_onnx_writer *w, const dt_network *network, size_t l)
{
    const dt_layer *layer = &network->layers[l];
    char dense[DT_KERAS_LAYER_BYTES], name[DT_ONNX_NAME_BYTES];
    dt_network_print_layer(dense, sizeof dense, network, l);
    (void)snprintf(name, sizeof name, "%s/sum", dense);
    const float *kernel = network->params + layer->kernel, *bias = network->params + layer->bias;
    if (layer->biases == DT_BIAS_NONE) {
        dt_onnx_add_tensor(w, dt_onnx_add_node(w, "MatMul", name), dense, "kernel", kernel,
                           layer->D, layer->H);
    } else if (w->has_members) { /* Gemm takes matrices alone */
        dt_onnx_node *product = dt_onnx_add_part(w, "MatMul", dense, "product");
        dt_onnx_add_tensor(w, product, dense, "kernel", kernel, layer->D, layer->H);
        dt_onnx_add_tensor(w, dt_onnx_add_node(w, "Add", name), dense, "bias", bias, 0, layer->H);
    } else {
        dt_onnx_node *sum = dt_onnx_add_node(w, "Gemm", name);
        dt_onnx_add_tensor(w, sum, dense, "kernel", kernel, layer->D, layer->H);
        dt_onnx_add_tensor(w, sum, dense, "bias", bias, 0, layer->H);
    }
    return add_activation(w, network, l);
}

DT_MUST_USE static dt_status add_layer_norm(dt_onnx_writer *w, const dt_network *network, size_t l)
{
    const dt_layer *layer = &network->layers[l];
    char name[DT_KERAS_LAYER_BYTES];
    dt_network_print_layer(name, sizeof name, network, l);
    dt_onnx_node *n = dt_onnx_add_node(w, "LayerNormalization", name);
    dt_onnx_add_float_attribute(n, "epsilon", (float)layer->epsilon);
    dt_onnx_add_tensor(w, n, name, "gamma", network->params + layer->kernel, 0, layer->D);
    dt_onnx_add_tensor(w, n, name, "beta", network->params + layer->bias, 0, layer->D);
    return DT_OK;
}

DT_MUST_USE static dt_status add_batch_norm(dt_onnx_writer *w, const dt_network *network, size_t l)
{
    static const int64_t units_second[3] = {0, 2, 1};
    const dt_layer *layer = &network->layers[l];
    const float *params = network->params;
    char name[DT_KERAS_LAYER_BYTES];
    dt_network_print_layer(name, sizeof name, network, l);
    if (w->has_members) /* the operator takes units in the second dimension */
        dt_onnx_add_list_attribute(dt_onnx_add_part(w, "Transpose", name, "units"), "perm",
                                   units_second, 3);
    dt_onnx_node *n = dt_onnx_add_node(w, "BatchNormalization", name);
    dt_onnx_add_float_attribute(n, "epsilon", (float)layer->epsilon);
    dt_onnx_add_tensor(w, n, name, "gamma", params + layer->kernel, 0, layer->D);
    dt_onnx_add_tensor(w, n, name, "beta", params + layer->bias, 0, layer->D);
    dt_onnx_add_tensor(w, n, name, "moving_mean", params + layer->mean, 0, layer->D);
    dt_onnx_add_tensor(w, n, name, "moving_variance", params + layer->variance, 0, layer->D);
    if (w->has_members)
        dt_onnx_add_list_attribute(dt_onnx_add_part(w, "Transpose", name, "members"), "perm",
                                   units_second, 3);
    return DT_OK;
}

DT_MUST_USE static dt_status add_rms_norm(dt_onnx_writer *w, const dt_network *network, size_t l)
{
    static const int64_t axes[2] = {1, 2};
    const dt_layer *layer = &network->layers[l];
    const char *x = w->last;
    char name[DT_KERAS_LAYER_BYTES];
    dt_network_print_layer(name, sizeof name, network, l);
    dt_onnx_add_input(dt_onnx_add_part(w, "Mul", name, "squares"), x);
    dt_onnx_node *mean = dt_onnx_add_part(w, "ReduceMean", name, "mean");
    dt_onnx_add_list_attribute(mean, "axes", axes + (w->has_members ? 1 : 0), 1);
    dt_onnx_add_number(w, "Add", name, "above_0", (float)layer->epsilon);
    const char *deviation = dt_onnx_add_part(w, "Sqrt", name, "deviation")->name;
    w->last = x;
    dt_onnx_add_input(dt_onnx_add_part(w, "Div", name, "divided"), deviation);
    dt_onnx_add_tensor(w, dt_onnx_add_node(w, "Mul", name), name, "scale",
                       network->params + layer->kernel, 0, layer->D);
    return DT_OK;
}

DT_MUST_USE static dt_status add_sum(dt_onnx_writer *w, const dt_network *network, size_t l)
{
    char name[DT_KERAS_LAYER_BYTES];
    dt_network_print_layer(name, sizeof name, network, l);
    dt_onnx_add_input(dt_onnx_add_part(w, "Add", name, "sum"),
                      w->layer_outputs[network->layers[l].source]);
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
    {&dt_layer_rectifier, add_rectifier},
    {&dt_layer_prelu, add_prelu},
    {&dt_layer_add, add_sum},
    {&dt_layer_piecewise_linear, dt_onnx_add_encoding},
    {&dt_layer_periodic, dt_onnx_add_periodic},
    {&dt_layer_category_embedding, dt_onnx_add_categories},
    {&dt_layer_member_scale, dt_onnx_add_member_scale},
    {&dt_layer_member_dense, dt_onnx_add_member_dense},
    {&dt_layer_layer_norm, add_layer_norm},
    {&dt_layer_rms_norm, add_rms_norm},
    {&dt_layer_batch_norm, add_batch_norm},
    {&dt_layer_dropout, NULL},
    {&dt_layer_noise, NULL},
};

DT_MUST_USE static dt_status add_layer(dt_onnx_writer *w, const dt_network *network, size_t l)
{
    dt_status status = DT_OK;
    bool known = false;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (forms[i].kind != network->layers[l].kind)
            continue;
        known = true;
        if (forms[i].add != NULL)
            DT_TRY(forms[i].add(w, network, l));
    }
    DT_ASSERT(known);
    w->layer_outputs[l] = w->last;
out:
    return status;
}

static void add_class(dt_onnx_writer *w)
{
    dt_onnx_node *chosen = dt_onnx_add_node(w, "ArgMax", "class");
    dt_onnx_add_attribute(chosen, "axis", 1);
    dt_onnx_add_attribute(chosen, "keepdims", 0);
}

/* Turns values into the targets' units. */
DT_MUST_USE static dt_status add_units(dt_onnx_writer *w, const dt_network *network)
{
    dt_status status = DT_OK;
    const size_t C = network->C;
    if (network->scale == NULL) {
        (void)dt_onnx_add_node(w, "Identity", "predicted");
        return DT_OK;
    }
    DT_TRY(dt_memory_alloc(&w->units, C, 2 * sizeof *w->units, "scales"));
    for (size_t j = 0; j < C; j++) {
        w->units[j] = (float)network->scale[j].deviation;
        w->units[C + j] = (float)network->scale[j].mean;
    }
    dt_onnx_add_tensor(w, dt_onnx_add_part(w, "Mul", DT_KERAS_RESCALING, "scaled"),
                       DT_KERAS_RESCALING, "scale", w->units, 0, C);
    dt_onnx_add_tensor(w, dt_onnx_add_node(w, "Add", "predicted"), DT_KERAS_RESCALING, "offset",
                       w->units + C, 0, C);
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
    /* And two nodes for the mean of members; one for the class, or two of two constants for the
     * units. */
    const size_t nodes = NODES_A_LAYER * layers + 4;
    const size_t tensors = TENSORS_A_LAYER * layers + 2;
    DT_TRY(dt_memory_alloc(&w->nodes, nodes, sizeof *w->nodes, "ONNX nodes"));
    DT_TRY(dt_memory_alloc(&w->node_list, nodes, sizeof *w->node_list, "ONNX nodes"));
    DT_TRY(dt_memory_alloc(&w->tensors, tensors, sizeof *w->tensors, "ONNX tensors"));
    DT_TRY(dt_memory_alloc(&w->tensor_list, tensors, sizeof *w->tensor_list, "ONNX tensors"));
    DT_TRY(dt_memory_alloc(&w->layer_outputs, layers, sizeof *w->layer_outputs, "ONNX nodes"));
    w->graph = (Onnx__GraphProto)ONNX__GRAPH_PROTO__INIT;
    w->graph.name = dt_onnx_text("dtrain");
    w->graph.node = w->node_list;
    w->graph.initializer = w->tensor_list;

    w->last = "inputs";
    for (size_t l = 0; l < layers; l++)
        DT_TRY(add_layer(w, network, l));
    if (w->has_members)
        dt_onnx_add_member_mean(w, network);
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
    dt_memory_free(w->layer_outputs);
    dt_encoding_clear(&w->encoding);
    dt_category_table_clear(&w->categories);
    dt_memory_free(w->waves);
    dt_memory_free(w->deviation);
    dt_memory_free(w->units);
    dt_memory_free(w->classes);
    *w = (dt_onnx_writer){0};
}

#endif
