#ifdef DTRAIN_WITH_ONNX

#include "onnx_graph.h"

#include <stdbool.h>
#include <stdio.h>

static const bool machine_is_big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;

/* ---- nodes ---- */

dt_onnx_node *dt_onnx_add_node(dt_onnx_writer *w, const char *kind, const char *name)
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

dt_onnx_node *dt_onnx_add_part(dt_onnx_writer *w, const char *kind, const char *layer,
                               const char *what)
{
    char name[DT_ONNX_NAME_BYTES];
    (void)snprintf(name, sizeof name, "%.39s/%.15s", layer, what);
    return dt_onnx_add_node(w, kind, name);
}

void dt_onnx_add_input(dt_onnx_node *n, const char *other)
{
    n->inputs[n->proto.n_input++] = dt_onnx_text(other);
}

static Onnx__AttributeProto *start_attribute(dt_onnx_node *n, const char *name,
                                             Onnx__AttributeProto__AttributeType type)
{
    Onnx__AttributeProto *attribute = &n->attributes[n->proto.n_attribute];
    *attribute = (Onnx__AttributeProto)ONNX__ATTRIBUTE_PROTO__INIT;
    attribute->name = dt_onnx_text(name);
    attribute->has_type = 1;
    attribute->type = type;
    n->attribute_list[n->proto.n_attribute++] = attribute;
    return attribute;
}

void dt_onnx_add_attribute(dt_onnx_node *n, const char *name, int64_t number)
{
    Onnx__AttributeProto *attribute =
        start_attribute(n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
    attribute->has_i = 1;
    attribute->i = number;
}

void dt_onnx_add_float_attribute(dt_onnx_node *n, const char *name, float number)
{
    Onnx__AttributeProto *attribute =
        start_attribute(n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
    attribute->has_f = 1;
    attribute->f = number;
}

void dt_onnx_add_list_attribute(dt_onnx_node *n, const char *name, const int64_t *numbers,
                                size_t count)
{
    Onnx__AttributeProto *attribute =
        start_attribute(n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
    attribute->n_ints = count;
    attribute->ints = (int64_t *)numbers;
}

/* ---- constants ---- */

/* Gives node `n` one more input, a constant without dimensions and numbers. */
static dt_onnx_tensor *start_tensor(dt_onnx_writer *w, dt_onnx_node *n, const char *layer,
                                    const char *part, int32_t type)
{
    dt_onnx_tensor *t = &w->tensors[w->graph.n_initializer];
    t->proto = (Onnx__TensorProto)ONNX__TENSOR_PROTO__INIT;
    (void)snprintf(t->name, sizeof t->name, "%.39s/%.15s", layer, part);
    t->proto.name = t->name;
    t->proto.dims = t->dims;
    t->proto.has_data_type = 1;
    t->proto.data_type = type;
    w->tensor_list[w->graph.n_initializer++] = &t->proto;
    n->inputs[n->proto.n_input++] = t->name;
    return t;
}

/* Raw data is little-endian; of the others protobuf-c swaps the bytes. */
void dt_onnx_add_array(dt_onnx_writer *w, dt_onnx_node *n, const char *layer, const char *part,
                       const float *data, const uint64_t *shape, size_t dims)
{
    dt_onnx_tensor *t = start_tensor(w, n, layer, part, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
    size_t count = 1;
    for (size_t i = 0; i < dims; i++) {
        t->dims[t->proto.n_dims++] = (int64_t)shape[i];
        count *= (size_t)shape[i];
    }
    if (machine_is_big) {
        t->proto.float_data = (float *)data;
        t->proto.n_float_data = count;
    } else {
        t->proto.has_raw_data = 1;
        t->proto.raw_data.data = (uint8_t *)data;
        t->proto.raw_data.len = count * sizeof *data;
    }
}

void dt_onnx_add_tensor(dt_onnx_writer *w, dt_onnx_node *n, const char *layer, const char *part,
                        const float *data, uint64_t rows, uint64_t columns)
{
    const uint64_t shape[2] = {rows, columns};
    dt_onnx_add_array(w, n, layer, part, data, rows > 0 ? shape : shape + 1, rows > 0 ? 2 : 1);
}

void dt_onnx_add_indices(dt_onnx_writer *w, dt_onnx_node *n, const char *layer, const char *part,
                         const int64_t *data, size_t count)
{
    dt_onnx_tensor *t = start_tensor(w, n, layer, part, ONNX__TENSOR_PROTO__DATA_TYPE__INT64);
    t->dims[t->proto.n_dims++] = (int64_t)count;
    t->proto.int64_data = (int64_t *)data;
    t->proto.n_int64_data = count;
}

void dt_onnx_add_scalar(dt_onnx_writer *w, dt_onnx_node *n, const char *layer, const char *part,
                        float number)
{
    float *place = &w->tensors[w->graph.n_initializer].number;
    *place = number;
    dt_onnx_add_array(w, n, layer, part, place, NULL, 0);
}

void dt_onnx_add_number(dt_onnx_writer *w, const char *kind, const char *layer, const char *what,
                        float number)
{
    dt_onnx_node *n = dt_onnx_add_part(w, kind, layer, what);
    float *place = &w->tensors[w->graph.n_initializer].number;
    char part[DT_ONNX_NAME_BYTES];
    *place = number;
    (void)snprintf(part, sizeof part, "%.12s_by", what);
    dt_onnx_add_tensor(w, n, layer, part, place, 0, 1);
}

#endif
