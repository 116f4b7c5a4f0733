#ifndef DTRAIN_MODEL_ONNX_GRAPH_H
#define DTRAIN_MODEL_ONNX_GRAPH_H

/* The graph of an ONNX file: nodes and tensors. All calls are local. */

#include "category_table.h"
#include "encoding.h"
#include "keras_forms.h"

#include "dtrain/model/model.h"

#include <onnx.pb-c.h>

#include <stdbool.h>

enum { DT_ONNX_NAME_BYTES = DT_KERAS_LAYER_BYTES + 16 };

/* The messages of protobuf-c are full of pointers to messages; each struct here holds one with all
 * that it points to, so it must not move once it is set up. */

typedef struct dt_onnx_node {
    Onnx__NodeProto proto;
    Onnx__AttributeProto attributes[2];
    Onnx__AttributeProto *attribute_list[2];
    char *inputs[5];
    char *output; /* the node is called as what it gives */
    char name[DT_ONNX_NAME_BYTES];
} dt_onnx_node;

typedef struct dt_onnx_tensor {
    Onnx__TensorProto proto;
    int64_t dims[3];
    float number; /* of a constant that is one number */
    char name[DT_ONNX_NAME_BYTES];
} dt_onnx_tensor;

typedef struct dt_onnx_value {
    Onnx__ValueInfoProto proto;
    Onnx__TypeProto type;
    Onnx__TypeProto__Tensor tensor;
    Onnx__TensorShapeProto shape;
    Onnx__TensorShapeProto__Dimension dims[2];
    Onnx__TensorShapeProto__Dimension *dim_list[2];
} dt_onnx_value;

typedef struct dt_onnx_writer {
    Onnx__ModelProto model;
    Onnx__GraphProto graph;
    Onnx__OperatorSetIdProto opset, *opset_list[1];
    Onnx__StringStringEntryProto properties[2], *property_list[2];
    dt_onnx_value inputs, outputs, chosen;
    Onnx__ValueInfoProto *input_list[1], *output_list[2];
    dt_onnx_node *nodes; /* in the order of computation, as ONNX wants them */
    Onnx__NodeProto **node_list;
    dt_onnx_tensor *tensors;
    Onnx__TensorProto **tensor_list;
    const char *last; /* what the next node takes */
    const char **layer_outputs; /* [layer_count]: of each layer */
    bool has_members; /* the values so far are [N,K,H], not [N,H] */
    dt_encoding encoding;
    dt_category_table categories;
    int64_t *waves; /* [D]: places of the inputs that a periodic encoding takes, then the others */
    float *deviation; /* [D] */
    float *units; /* [2*C]: scales, offsets */
    char *classes;
} dt_onnx_writer;

/* protobuf-c wants texts that may be changed, though packing changes none. */
static inline char *dt_onnx_text(const char *constant)
{
    return (char *)constant;
}

/* Makes w->graph. Owns: the caller clears, also after an error. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_onnx_make_graph(dt_onnx_writer *w, const dt_network *network);

/* Frees what the writer has; a zeroed one is allowed. */
void dt_onnx_writer_clear(dt_onnx_writer *w);

/* ---- nodes and constants ---- */

/* Adds a node that takes the value `last`, which what it gives replaces. */
dt_onnx_node *dt_onnx_add_node(dt_onnx_writer *w, const char *kind, const char *name);

/* Adds a node LAYER/WHAT. */
dt_onnx_node *dt_onnx_add_part(dt_onnx_writer *w, const char *kind, const char *layer,
                               const char *what);

/* Gives node `n` one more input, the value of that name. */
void dt_onnx_add_input(dt_onnx_node *n, const char *other);

/* Sets an attribute of a node. A list is borrowed until the graph is written. */
void dt_onnx_add_attribute(dt_onnx_node *n, const char *name, int64_t number);
void dt_onnx_add_float_attribute(dt_onnx_node *n, const char *name, float number);
void dt_onnx_add_list_attribute(dt_onnx_node *n, const char *name, const int64_t *numbers,
                                size_t count);

/* Gives node `n` one more input, a constant LAYER/PART of up to 3 dimensions; or [rows, columns],
 * or [columns] when `rows` is 0; or whole numbers [count]; or a number without dimensions. Arrays
 * are borrowed until the graph is written. */
void dt_onnx_add_array(dt_onnx_writer *w, dt_onnx_node *n, const char *layer, const char *part,
                       const float *data, const uint64_t *shape, size_t dims);
void dt_onnx_add_tensor(dt_onnx_writer *w, dt_onnx_node *n, const char *layer, const char *part,
                        const float *data, uint64_t rows, uint64_t columns);
void dt_onnx_add_indices(dt_onnx_writer *w, dt_onnx_node *n, const char *layer, const char *part,
                         const int64_t *data, size_t count);
void dt_onnx_add_scalar(dt_onnx_writer *w, dt_onnx_node *n, const char *layer, const char *part,
                        float number);

/* Adds a node LAYER/WHAT of the last value and a number. */
void dt_onnx_add_number(dt_onnx_writer *w, const char *kind, const char *layer, const char *what,
                        float number);

/* ---- layers of networks with an encoding or members (onnx_members.c) ---- */

DT_MUST_USE dt_status dt_onnx_add_encoding(dt_onnx_writer *w, const dt_network *network, size_t l);
DT_MUST_USE dt_status dt_onnx_add_periodic(dt_onnx_writer *w, const dt_network *network, size_t l);
DT_MUST_USE dt_status dt_onnx_add_categories(dt_onnx_writer *w, const dt_network *network,
                                             size_t l);
DT_MUST_USE dt_status dt_onnx_add_member_scale(dt_onnx_writer *w, const dt_network *network,
                                               size_t l);
DT_MUST_USE dt_status dt_onnx_add_member_dense(dt_onnx_writer *w, const dt_network *network,
                                               size_t l);

/* The mean of the members' predictions. */
void dt_onnx_add_member_mean(dt_onnx_writer *w, const dt_network *network);

#endif
