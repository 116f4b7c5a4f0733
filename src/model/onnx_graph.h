#ifndef DTRAIN_MODEL_ONNX_GRAPH_H
#define DTRAIN_MODEL_ONNX_GRAPH_H

/* The graph of an ONNX file: nodes and tensors. All calls are local. */

#include "keras_forms.h"

#include "dtrain/model/model.h"

#include <onnx.pb-c.h>

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
    int64_t dims[2];
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

#endif
