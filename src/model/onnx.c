#include "dtrain/model/onnx.h"

#ifdef DTRAIN_WITH_ONNX

#include "keras_archive.h"
#include "keras_forms.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"
#include "dtrain/io/file.h"

#include <onnx.pb-c.h>

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* LayerNormalization came with opset 17; models without it open in older programs, too. */
enum { IR_VERSION = 8, OPSET = 13, NORM_OPSET = 17 };
enum { NODES_A_LAYER = 8, TENSORS_A_LAYER = 5, NAME_BYTES = DT_KERAS_LAYER_BYTES + 16 };

static const bool machine_is_big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;

/* protobuf-c wants texts that may be changed, though packing changes none. */
static char *text(const char *constant)
{
    return (char *)constant;
}

/* The messages of protobuf-c are full of pointers to messages; each struct here holds one with all
 * that it points to, so it must not move once it is set up. */

typedef struct node {
    Onnx__NodeProto proto;
    Onnx__AttributeProto attributes[2];
    Onnx__AttributeProto *attribute_list[2];
    char *inputs[3];
    char *output; /* the node is called as what it gives */
    char name[NAME_BYTES];
} node;

typedef struct tensor {
    Onnx__TensorProto proto;
    int64_t dims[2];
    float number; /* of a constant that is one number */
    char name[NAME_BYTES];
} tensor;

typedef struct value {
    Onnx__ValueInfoProto proto;
    Onnx__TypeProto type;
    Onnx__TypeProto__Tensor tensor;
    Onnx__TensorShapeProto shape;
    Onnx__TensorShapeProto__Dimension dims[2];
    Onnx__TensorShapeProto__Dimension *dim_list[2];
} value;

typedef struct writer {
    Onnx__ModelProto model;
    Onnx__GraphProto graph;
    Onnx__OperatorSetIdProto opset, *opset_list[1];
    Onnx__StringStringEntryProto properties[2], *property_list[2];
    value inputs, outputs, chosen;
    Onnx__ValueInfoProto *input_list[1], *output_list[2];
    node *nodes; /* in the order of computation, as ONNX wants them */
    Onnx__NodeProto **node_list;
    tensor *tensors;
    Onnx__TensorProto **tensor_list;
    const char *last; /* what the next node takes */
    float *deviation; /* [D] */
    float *units; /* [2*C]: scales, offsets */
    char *classes;
} writer;

/* ---- the graph ---- */

/* Adds a node that takes the value `last`, which what it gives replaces. */
static node *add_node(writer *w, const char *kind, const char *name)
{
    node *n = &w->nodes[w->graph.n_node];
    n->proto = (Onnx__NodeProto)ONNX__NODE_PROTO__INIT;
    (void)snprintf(n->name, sizeof n->name, "%s", name);
    n->output = n->name;
    n->inputs[0] = text(w->last);
    n->proto.name = n->name;
    n->proto.op_type = text(kind);
    n->proto.n_input = 1;
    n->proto.input = n->inputs;
    n->proto.n_output = 1;
    n->proto.output = &n->output;
    n->proto.attribute = n->attribute_list;
    w->node_list[w->graph.n_node++] = &n->proto;
    w->last = n->name;
    return n;
}

static Onnx__AttributeProto *start_attribute(node *n, const char *name, int type)
{
    Onnx__AttributeProto *attribute = &n->attributes[n->proto.n_attribute];
    *attribute = (Onnx__AttributeProto)ONNX__ATTRIBUTE_PROTO__INIT;
    attribute->name = text(name);
    attribute->has_type = 1;
    attribute->type = (Onnx__AttributeProto__AttributeType)type;
    n->attribute_list[n->proto.n_attribute++] = attribute;
    return attribute;
}

static void add_attribute(node *n, const char *name, int64_t number)
{
    Onnx__AttributeProto *attribute =
        start_attribute(n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
    attribute->has_i = 1;
    attribute->i = number;
}

static void add_float_attribute(node *n, const char *name, float number)
{
    Onnx__AttributeProto *attribute =
        start_attribute(n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
    attribute->has_f = 1;
    attribute->f = number;
}

/* Gives node `n` one more input, the value of that name. */
static void add_input(node *n, const char *other)
{
    n->inputs[n->proto.n_input++] = text(other);
}

/* Gives node `n` one more input, a constant [rows, columns], or [columns] when `rows` is 0. */
static void add_tensor(writer *w, node *n, const char *layer, const char *part, const float *data,
                       uint64_t rows, uint64_t columns)
{
    tensor *t = &w->tensors[w->graph.n_initializer];
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
static node *add_part(writer *w, const char *kind, const char *layer, const char *what)
{
    char name[NAME_BYTES];
    (void)snprintf(name, sizeof name, "%.39s/%.15s", layer, what);
    return add_node(w, kind, name);
}

/* Adds a node LAYER/WHAT of the last value and a number. */
static void add_number(writer *w, const char *kind, const char *layer, const char *what,
                       float number)
{
    node *n = add_part(w, kind, layer, what);
    float *place = &w->tensors[w->graph.n_initializer].number;
    char part[NAME_BYTES];
    *place = number;
    (void)snprintf(part, sizeof part, "%.12s_by", what);
    add_tensor(w, n, layer, part, place, 0, 1);
}

DT_MUST_USE static dt_status add_normalization(writer *w, const dt_network *network, size_t l)
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
static void add_product(writer *w, const char *layer, const char *activation)
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
DT_MUST_USE static dt_status add_activation(writer *w, const dt_network *network, size_t l)
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
    char layer[DT_KERAS_LAYER_BYTES], name[NAME_BYTES];
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
            node *n = add_node(w, operators[i].kind, name);
            if (operators[i].attribute != NULL)
                add_float_attribute(n, operators[i].attribute, operators[i].number);
            if (l + 1 == network->layer_count)
                add_attribute(n, "axis", 1);
            return DT_OK;
        }
    DT_ASSERT(strcmp(activation, "linear") == 0);
    return DT_OK;
}

DT_MUST_USE static dt_status add_dense(writer *w, const dt_network *network, size_t l)
{
    const dt_layer *layer = &network->layers[l];
    char dense[DT_KERAS_LAYER_BYTES], name[NAME_BYTES];
    dt_network_print_layer(dense, sizeof dense, network, l);
    (void)snprintf(name, sizeof name, "%s/sum", dense);
    node *sum = add_node(w, "Gemm", name);
    add_tensor(w, sum, dense, "kernel", network->params + layer->kernel, layer->D, layer->H);
    add_tensor(w, sum, dense, "bias", network->params + layer->bias, 0, layer->H);
    return add_activation(w, network, l);
}

DT_MUST_USE static dt_status add_layer_norm(writer *w, const dt_network *network, size_t l)
{
    const dt_layer *layer = &network->layers[l];
    char name[DT_KERAS_LAYER_BYTES];
    dt_network_print_layer(name, sizeof name, network, l);
    node *n = add_node(w, "LayerNormalization", name);
    add_float_attribute(n, "epsilon", (float)layer->epsilon);
    add_tensor(w, n, name, "gamma", network->params + layer->kernel, 0, layer->D);
    add_tensor(w, n, name, "beta", network->params + layer->bias, 0, layer->D);
    return DT_OK;
}

DT_MUST_USE static dt_status add_rms_norm(writer *w, const dt_network *network, size_t l)
{
    static int64_t axis = 1;
    const dt_layer *layer = &network->layers[l];
    const char *x = w->last;
    char name[DT_KERAS_LAYER_BYTES];
    dt_network_print_layer(name, sizeof name, network, l);
    add_input(add_part(w, "Mul", name, "squares"), x);
    node *mean = add_part(w, "ReduceMean", name, "mean");
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
    dt_status (*add)(writer *w, const dt_network *network, size_t l);
} forms[] = {
    {&dt_layer_normalization, add_normalization}, {&dt_layer_dense, add_dense},
    {&dt_layer_activation, add_activation},       {&dt_layer_layer_norm, add_layer_norm},
    {&dt_layer_rms_norm, add_rms_norm},           {&dt_layer_dropout, NULL},
};

DT_MUST_USE static dt_status add_layer(writer *w, const dt_network *network, size_t l)
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

static void add_class(writer *w)
{
    node *chosen = add_node(w, "ArgMax", "class");
    add_attribute(chosen, "axis", 1);
    add_attribute(chosen, "keepdims", 0);
}

/* Turns values into the targets' units. */
DT_MUST_USE static dt_status add_units(writer *w, const dt_network *network)
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
static void describe(value *v, const char *name, int32_t type, uint64_t columns)
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
    v->dims[0].dim_param = text("N");
    v->dims[1].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
    v->dims[1].dim_value = (int64_t)columns;
    v->shape.n_dim = columns > 0 ? 2 : 1;
    v->shape.dim = v->dim_list;
    v->tensor.has_elem_type = 1;
    v->tensor.elem_type = type;
    v->tensor.shape = &v->shape;
    v->type.value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    v->type.tensor_type = &v->tensor;
    v->proto.name = text(name);
    v->proto.type = &v->type;
}

DT_MUST_USE static dt_status make_graph(writer *w, const dt_model *model)
{
    dt_status status = DT_OK;
    const dt_network *network = &model->network;
    const size_t layers = network->layer_count;
    /* And one node for the class, or two of two constants for the units. */
    const size_t nodes = NODES_A_LAYER * layers + 2;
    const size_t tensors = TENSORS_A_LAYER * layers + 2;
    DT_TRY(dt_memory_alloc(&w->nodes, nodes, sizeof *w->nodes, "ONNX nodes"));
    DT_TRY(dt_memory_alloc(&w->node_list, nodes, sizeof *w->node_list, "ONNX nodes"));
    DT_TRY(dt_memory_alloc(&w->tensors, tensors, sizeof *w->tensors, "ONNX tensors"));
    DT_TRY(dt_memory_alloc(&w->tensor_list, tensors, sizeof *w->tensor_list, "ONNX tensors"));
    w->graph = (Onnx__GraphProto)ONNX__GRAPH_PROTO__INIT;
    w->graph.name = text("dtrain");
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

/* ---- the model around it ---- */

static void add_property(writer *w, const char *key, const char *json)
{
    Onnx__StringStringEntryProto *property = &w->properties[w->model.n_metadata_props];
    *property = (Onnx__StringStringEntryProto)ONNX__STRING_STRING_ENTRY_PROTO__INIT;
    property->key = text(key);
    property->value = text(json);
    w->property_list[w->model.n_metadata_props++] = property;
}

DT_MUST_USE static dt_status make_model(writer *w, const dt_model *model, const char *path)
{
    dt_status status = DT_OK;
    const char *recipe = model->recipe_json;
    DT_TRY(make_graph(w, model));
    w->opset = (Onnx__OperatorSetIdProto)ONNX__OPERATOR_SET_ID_PROTO__INIT;
    w->opset.domain = text("");
    w->opset.has_version = 1;
    w->opset.version = OPSET;
    for (size_t l = 0; l < model->network.layer_count; l++)
        if (model->network.layers[l].kind == &dt_layer_layer_norm)
            w->opset.version = NORM_OPSET;
    w->opset_list[0] = &w->opset;

    w->model = (Onnx__ModelProto)ONNX__MODEL_PROTO__INIT;
    w->model.has_ir_version = 1;
    w->model.ir_version = IR_VERSION;
    w->model.n_opset_import = 1;
    w->model.opset_import = w->opset_list;
    w->model.producer_name = text("dtrain");
    w->model.producer_version = text(DTRAIN_VERSION);
    w->model.graph = &w->graph;
    w->model.metadata_props = w->property_list;
    if (recipe != NULL) {
        if (!dt_text_is_utf8(recipe, strlen(recipe)))
            DT_TRY(dt_fail(DT_DATA,
                           "%s: the model's preprocessing recipe is no UTF-8 text, and ONNX "
                           "holds no other",
                           path));
        add_property(w, DT_KERAS_RECIPE, recipe);
    }
    if (model->class_name_count > 0) {
        DT_TRY(dt_keras_classes_format(&w->classes, (const char *const *)model->class_names,
                                       model->class_name_count));
        add_property(w, DT_KERAS_CLASSES, w->classes);
    }
out:
    return status;
}

DT_MUST_USE static dt_status write_model(const writer *w, const char *path)
{
    dt_status status = DT_OK;
    uint8_t *packed = NULL;
    const size_t bytes = onnx__model_proto__get_packed_size(&w->model);
    if (bytes > INT32_MAX)
        return dt_fail(DT_OUTPUT,
                       "%s: an ONNX file ends at 2 GiB (%d bytes), and this model needs %zu: save "
                       "it as .keras or .h5",
                       path, INT32_MAX, bytes);
    DT_TRY(dt_memory_alloc(&packed, bytes, 1, "ONNX file"));
    const size_t written = onnx__model_proto__pack(&w->model, packed);
    DT_ASSERT(written == bytes);
    DT_TRY(dt_file_replace(path, packed, bytes));
out:
    dt_memory_free(packed);
    return status;
}

dt_status dt_onnx_save(const dt_model *model, const char *path)
{
    dt_status status = DT_OK;
    writer w = {0};
    DT_ASSERT(model->class_name_count == 0 || model->class_name_count == model->network.C);

    DT_TRY(make_model(&w, model, path));
    DT_TRY(write_model(&w, path));
out:
    dt_memory_free(w.nodes);
    dt_memory_free(w.node_list);
    dt_memory_free(w.tensors);
    dt_memory_free(w.tensor_list);
    dt_memory_free(w.deviation);
    dt_memory_free(w.units);
    dt_memory_free(w.classes);
    return status;
}

#else

dt_status dt_onnx_save(const dt_model *model, const char *path)
{
    (void)model;
    return dt_fail(DT_USAGE,
                   "%s: this dtrain was built without ONNX: install protobuf-c-compiler, "
                   "libprotobuf-c-dev and libonnx-dev, and build again",
                   path);
}

#endif
