#include "dtrain/model/onnx.h"

#ifdef DTRAIN_WITH_ONNX

#include "keras_archive.h"
#include "onnx_graph.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"
#include "dtrain/io/file.h"

#include <stdint.h>
#include <string.h>

/* LayerNormalization came with opset 17; models without it open in older programs, too. */
enum { IR_VERSION = 8, OPSET = 13, NORM_OPSET = 17 };

static void add_property(dt_onnx_writer *w, const char *key, const char *json)
{
    Onnx__StringStringEntryProto *property = &w->properties[w->model.n_metadata_props];
    *property = (Onnx__StringStringEntryProto)ONNX__STRING_STRING_ENTRY_PROTO__INIT;
    property->key = dt_onnx_text(key);
    property->value = dt_onnx_text(json);
    w->property_list[w->model.n_metadata_props++] = property;
}

DT_MUST_USE static dt_status make_model(dt_onnx_writer *w, const dt_model *model, const char *path)
{
    dt_status status = DT_OK;
    const char *recipe = model->recipe_json;
    DT_TRY(dt_onnx_make_graph(w, &model->network));
    w->opset = (Onnx__OperatorSetIdProto)ONNX__OPERATOR_SET_ID_PROTO__INIT;
    w->opset.domain = dt_onnx_text("");
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
    w->model.producer_name = dt_onnx_text("dtrain");
    w->model.producer_version = dt_onnx_text(DTRAIN_VERSION);
    w->model.graph = &w->graph;
    w->model.metadata_props = w->property_list;
    if (recipe != NULL) {
        if (!dt_text_is_utf8(recipe, strlen(recipe)))
            DT_TRY(dt_fail(DT_DATA,
                           "%s: the model's preprocessing recipe is not UTF-8, which ONNX requires",
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

DT_MUST_USE static dt_status write_model(const dt_onnx_writer *w, const char *path)
{
    dt_status status = DT_OK;
    uint8_t *packed = NULL;
    const size_t bytes = onnx__model_proto__get_packed_size(&w->model);
    if (bytes > INT32_MAX)
        return dt_fail(DT_OUTPUT,
                       "%s: an ONNX file has at most 2 GiB (%d bytes), but this model needs %zu: "
                       "save it as .keras or .h5",
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
    dt_onnx_writer w = {0};
    DT_ASSERT(model->class_name_count == 0 || model->class_name_count == model->network.C);

    DT_TRY(make_model(&w, model, path));
    DT_TRY(write_model(&w, path));
out:
    dt_onnx_writer_clear(&w);
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
