/* rooms: model */
/*
 * .onnx files: what is written, read back with the code that protobuf-c makes, node by node and bit
 * by bit; what is refused. In a dtrain without ONNX: that it says so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "keras_fixture.h"

#include "dtrain/model/onnx.h"

static const char *onnx_path(void)
{
    return scratch_path("model.onnx");
}

#ifdef DTRAIN_WITH_ONNX

#include <onnx.pb-c.h>

#include <math.h>

/* Writes a model and reads it; the caller frees. */
static Onnx__ModelProto *save(const dt_keras_model *model)
{
    size_t bytes = 0;
    assert_ok(keras_onnx_save(model, onnx_path()));
    unsigned char *file = scratch_read(onnx_path(), &bytes);
    assert_non_null(file);
    Onnx__ModelProto *found = onnx__model_proto__unpack(NULL, bytes, file);
    assert_non_null(found);
    assert_int_equal(onnx__model_proto__get_packed_size(found), bytes);
    free(file);
    return found;
}

static void free_model(Onnx__ModelProto *model)
{
    onnx__model_proto__free_unpacked(model, NULL);
}

/* Expects node `index` to be "KIND in,in -> out; attribute=number". */
static void expect_node(const Onnx__GraphProto *graph, size_t index, const char *expected)
{
    char found[256];
    assert_true(index < graph->n_node);
    const Onnx__NodeProto *node = graph->node[index];
    int used = snprintf(found, sizeof found, "%s ", node->op_type);
    for (size_t i = 0; i < node->n_input; i++)
        used += snprintf(found + used, sizeof found - (size_t)used, "%s%s", i > 0 ? "," : "",
                         node->input[i]);
    assert_int_equal(node->n_output, 1);
    assert_string_equal(node->name, node->output[0]);
    used += snprintf(found + used, sizeof found - (size_t)used, " -> %s", node->output[0]);
    for (size_t i = 0; i < node->n_attribute; i++) {
        const Onnx__AttributeProto *attribute = node->attribute[i];
        assert_true(attribute->has_type && attribute->has_i);
        assert_int_equal(attribute->type, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
        used += snprintf(found + used, sizeof found - (size_t)used, "; %s=%d", attribute->name,
                         (int)attribute->i);
    }
    assert_string_equal(found, expected);
}

/* Expects a constant [rows, columns], or [columns] when `rows` is 0, of these bits. */
static void expect_tensor(const Onnx__GraphProto *graph, size_t index, const char *name,
                          int64_t rows, int64_t columns, const float *expected)
{
    assert_true(index < graph->n_initializer);
    const Onnx__TensorProto *tensor = graph->initializer[index];
    const size_t count = (size_t)((rows > 0 ? rows : 1) * columns);
    assert_string_equal(tensor->name, name);
    assert_int_equal(tensor->data_type, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
    assert_int_equal(tensor->n_dims, rows > 0 ? 2 : 1);
    assert_int_equal(tensor->dims[0], rows > 0 ? rows : columns);
    assert_int_equal(tensor->dims[tensor->n_dims - 1], columns);
    if (tensor->has_raw_data) {
        assert_int_equal(tensor->n_float_data, 0);
        assert_int_equal(tensor->raw_data.len, count * sizeof *expected);
        assert_memory_equal(tensor->raw_data.data, expected, count * sizeof *expected);
    } else { /* on a big-endian machine */
        assert_int_equal(tensor->n_float_data, count);
        assert_memory_equal(tensor->float_data, expected, count * sizeof *expected);
    }
}

/* Expects "NAME" to be [N, columns], or [N] when `columns` is 0. */
static void expect_numbers(const Onnx__ValueInfoProto *value, const char *name, int type,
                           int64_t columns)
{
    assert_string_equal(value->name, name);
    assert_int_equal(value->type->value_case, ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE);
    const Onnx__TypeProto__Tensor *tensor = value->type->tensor_type;
    assert_int_equal(tensor->elem_type, type);
    assert_int_equal(tensor->shape->n_dim, columns > 0 ? 2 : 1);
    assert_int_equal(tensor->shape->dim[0]->value_case,
                     ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM);
    assert_string_equal(tensor->shape->dim[0]->dim_param, "N");
    if (columns == 0)
        return;
    assert_int_equal(tensor->shape->dim[1]->value_case,
                     ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE);
    assert_int_equal(tensor->shape->dim[1]->dim_value, columns);
}

static void test_full(void **state)
{
    (void)state;
    const float deviation[] = {sqrtf(2.0f / 3.0f), 1e-7f, sqrtf(3.4e38f)};
    Onnx__ModelProto *found = save(&keras_full);
    assert_int_equal(found->ir_version, 8);
    assert_int_equal(found->n_opset_import, 1);
    assert_string_equal(found->opset_import[0]->domain, "");
    assert_int_equal(found->opset_import[0]->version, 13);
    assert_string_equal(found->producer_name, "dtrain");
    assert_string_equal(found->producer_version, DTRAIN_VERSION);

    assert_int_equal(found->n_metadata_props, 2);
    assert_string_equal(found->metadata_props[0]->key, "dtrain_recipe");
    assert_string_equal(found->metadata_props[0]->value, keras_full.recipe_json);
    assert_string_equal(found->metadata_props[1]->key, "dtrain_classes");
    assert_non_null(strstr(found->metadata_props[1]->value, "\"classes\""));
    const char *no = strstr(found->metadata_props[1]->value, "\"no\"");
    assert_non_null(no);
    assert_non_null(strstr(no, "\"yes\""));

    const Onnx__GraphProto *graph = found->graph;
    assert_true(graph->name != NULL && graph->name[0] != '\0'); /* ONNX's checker wants one */
    assert_int_equal(graph->n_node, 7);
    expect_node(graph, 0, "Sub inputs,normalization/mean -> normalization/centered");
    expect_node(graph, 1,
                "Div normalization/centered,normalization/deviation -> normalization/scaled");
    expect_node(graph, 2, "Gemm normalization/scaled,dense/kernel,dense/bias -> dense/sum");
    expect_node(graph, 3, "Tanh dense/sum -> dense/tanh");
    expect_node(graph, 4, "Gemm dense/tanh,dense_1/kernel,dense_1/bias -> dense_1/sum");
    expect_node(graph, 5, "Softmax dense_1/sum -> probabilities; axis=1");
    expect_node(graph, 6, "ArgMax probabilities -> class; axis=1; keepdims=0");
    assert_int_equal(graph->n_initializer, 6);
    expect_tensor(graph, 0, "normalization/mean", 0, 3, keras_mean);
    expect_tensor(graph, 1, "normalization/deviation", 0, 3, deviation);
    expect_tensor(graph, 2, "dense/kernel", 3, 2, keras_params);
    expect_tensor(graph, 3, "dense/bias", 0, 2, keras_params + 6);
    expect_tensor(graph, 4, "dense_1/kernel", 2, 3, keras_params + 8);
    expect_tensor(graph, 5, "dense_1/bias", 0, 3, keras_params + 14);
    assert_int_equal(graph->n_input, 1);
    expect_numbers(graph->input[0], "inputs", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, 3);
    assert_int_equal(graph->n_output, 2);
    expect_numbers(graph->output[0], "probabilities", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, 3);
    expect_numbers(graph->output[1], "class", ONNX__TENSOR_PROTO__DATA_TYPE__INT64, 0);
    free_model(found);
    assert_int_equal(scratch_count(false), 1); /* no temporary file */
}

static void test_activations(void **state)
{
    (void)state;
    static const float weights[4] = {1, 2, 3, 4};
    static const dt_keras_layer layers[] = {{2, "relu", weights, weights},
                                            {2, "linear", weights, weights},
                                            {2, "sigmoid", weights, weights},
                                            {2, "softmax", weights, weights}};
    const dt_keras_model model = {.inputs = 2, .layer_count = 4, .layers = layers};
    Onnx__ModelProto *found = save(&model);
    const Onnx__GraphProto *graph = found->graph;
    assert_int_equal(found->n_metadata_props, 0);
    assert_int_equal(graph->n_node, 8);
    expect_node(graph, 0, "Gemm inputs,dense/kernel,dense/bias -> dense/sum");
    expect_node(graph, 1, "Relu dense/sum -> dense/relu");
    expect_node(graph, 2, "Gemm dense/relu,dense_1/kernel,dense_1/bias -> dense_1/sum");
    expect_node(graph, 3, "Gemm dense_1/sum,dense_2/kernel,dense_2/bias -> dense_2/sum");
    expect_node(graph, 4, "Sigmoid dense_2/sum -> dense_2/sigmoid");
    expect_node(graph, 5, "Gemm dense_2/sigmoid,dense_3/kernel,dense_3/bias -> dense_3/sum");
    expect_node(graph, 6, "Softmax dense_3/sum -> probabilities; axis=1");
    expect_node(graph, 7, "ArgMax probabilities -> class; axis=1; keepdims=0");
    assert_int_equal(graph->n_initializer, 8);
    free_model(found);
}

static void test_values(void **state)
{
    (void)state;
    const float scale[] = {0.1f, 1e-3f, 1.0f / 3.0f}, offset[] = {1000000.3125f, -2.5f, 0.0f};
    dt_keras_model model = keras_values();
    Onnx__ModelProto *found = save(&model);
    const Onnx__GraphProto *graph = found->graph;
    assert_int_equal(graph->n_node, 5);
    expect_node(graph, 2, "Gemm dense/tanh,dense_1/kernel,dense_1/bias -> dense_1/sum");
    expect_node(graph, 3, "Mul dense_1/sum,rescaling/scale -> rescaling/scaled");
    expect_node(graph, 4, "Add rescaling/scaled,rescaling/offset -> predicted");
    assert_int_equal(graph->n_initializer, 6);
    expect_tensor(graph, 4, "rescaling/scale", 0, 3, scale);
    expect_tensor(graph, 5, "rescaling/offset", 0, 3, offset);
    assert_int_equal(graph->n_output, 1);
    expect_numbers(graph->output[0], "predicted", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, 3);
    free_model(found);
    model.scale = NULL;
    found = save(&model);
    assert_int_equal(found->graph->n_node, 4);
    expect_node(found->graph, 3, "Identity dense_1/sum -> predicted");
    assert_int_equal(found->graph->n_output, 1);
    free_model(found);
}

static void test_one_layer(void **state)
{
    (void)state;
    static const float weights[2] = {1, -1};
    const dt_keras_layer layer = {2, "softmax", weights, weights};
    const dt_keras_model model = {.inputs = 1, .layer_count = 1, .layers = &layer};
    Onnx__ModelProto *found = save(&model);
    assert_int_equal(found->graph->n_node, 3);
    expect_tensor(found->graph, 0, "dense/kernel", 1, 2, weights);
    expect_numbers(found->graph->input[0], "inputs", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, 1);
    free_model(found);
}

static void test_same_model_same_bytes(void **state)
{
    (void)state;
    size_t bytes[2];
    unsigned char *files[2];
    for (int i = 0; i < 2; i++) {
        assert_ok(keras_onnx_save(&keras_full, onnx_path()));
        files[i] = scratch_read(onnx_path(), &bytes[i]);
        assert_non_null(files[i]);
    }
    assert_int_equal(bytes[0], bytes[1]);
    assert_memory_equal(files[0], files[1], bytes[0]);
    free(files[0]);
    free(files[1]);
}

/* Class names may be any bytes, and come as JSON, which is repaired; a recipe is not. */
static void test_not_utf8(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "b\xff", "c"};
    dt_keras_model model = keras_full;
    model.class_names = names;
    Onnx__ModelProto *found = save(&model);
    assert_non_null(strstr(found->metadata_props[1]->value, "b\xef\xbf\xbd"));
    free_model(found);
    model.recipe_json = "{\"a\xff\": 1}";
    assert_data(keras_onnx_save(&model, scratch_path("other.onnx")), "other.onnx", "UTF-8");
    assert_int_equal(scratch_count(false), 1);
}

/* Of a model that is too large no weight is looked at: there are none here. */
static void test_too_large(void **state)
{
    (void)state;
    const dt_keras_layer layers[] = {{8192, "relu", keras_params, keras_params},
                                     {2, "softmax", keras_params, keras_params}};
    const dt_keras_model model = {.inputs = 65536, .layer_count = 2, .layers = layers};
    assert_true(scratch_write(onnx_path(), "older", 5));
    assert_status(keras_onnx_save(&model, onnx_path()), DT_OUTPUT);
    assert_non_null(strstr(dt_status_text(), "model.onnx"));
    assert_non_null(strstr(dt_status_text(), "2 GiB"));
    size_t bytes = 0;
    unsigned char *file = scratch_read(onnx_path(), &bytes);
    assert_int_equal(bytes, 5);
    free(file);
    assert_int_equal(scratch_count(false), 1);
}

static void test_no_place(void **state)
{
    (void)state;
    assert_status(keras_onnx_save(&keras_full, scratch_path("none/model.onnx")), DT_OUTPUT);
    assert_status(keras_onnx_save(&keras_full, scratch_folder), DT_OUTPUT);
    assert_int_equal(scratch_count(false), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_full, scratch_empty),
        cmocka_unit_test_teardown(test_activations, scratch_empty),
        cmocka_unit_test_teardown(test_values, scratch_empty),
        cmocka_unit_test_teardown(test_one_layer, scratch_empty),
        cmocka_unit_test_teardown(test_same_model_same_bytes, scratch_empty),
        cmocka_unit_test_teardown(test_not_utf8, scratch_empty),
        cmocka_unit_test_teardown(test_too_large, scratch_empty),
        cmocka_unit_test_teardown(test_no_place, scratch_empty),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}

#else

static void test_not_built(void **state)
{
    (void)state;
    assert_status(keras_onnx_save(&keras_full, onnx_path()), DT_USAGE);
    assert_non_null(strstr(dt_status_text(), "built without ONNX"));
    assert_non_null(strstr(dt_status_text(), "libprotobuf-c-dev"));
    assert_int_equal(scratch_count(false), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(test_not_built, scratch_empty)};
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}

#endif
