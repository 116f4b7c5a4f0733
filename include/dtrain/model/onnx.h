#ifndef DTRAIN_MODEL_ONNX_H
#define DTRAIN_MODEL_ONNX_H

#include "dtrain/base/status.h"
#include "dtrain/model/keras_model.h"

/**
 * A trained network as an ONNX file, for predictions by ONNX Runtime and similar programs. All
 * calls are local. Writing it needs protobuf-c and ONNX's own onnx.proto when dtrain is built.
 *
 * Source:  ONNX IR specification, version 8; operators of opset 13
 */

/**
 * Writes a model as the ONNX file `path`, which appears whole or not at all.
 *
 * The graph takes "inputs" and gives "probabilities" and "class", the index of the largest; or, if
 * the outputs are values, "predicted", in the targets' units. Its parameters are named as in the
 * Keras files: "normalization/mean", "dense/kernel", "dense_1/bias"; "normalization/deviation" is
 * max(sqrt(variance), 1e-7); "rescaling/scale" and "rescaling/offset" are deviations and means of
 * the targets. Kernels of an encoding and of members have three dimensions: [encoded, most bins +
 * 1, width], whose last bin is the slope, and [K,D,C]. Recipe and class names are in
 * metadata_props, as DT_KERAS_RECIPE and DT_KERAS_CLASSES ({"classes": [...]}), JSON both. The
 * optimizer's state is not saved. The same model gives the same bytes.
 *
 * Shapes:  inputs [N,D] float32; probabilities or predicted [N,C] float32; class [N] int64; any N
 * Errors:  DT_USAGE in a dtrain without ONNX; DT_DATA if the recipe is not UTF-8; DT_OUTPUT, also
 *          when the file would have 2 GiB or more, where the format ends; DT_MEMORY
 */
DT_MUST_USE dt_status dt_onnx_save(const dt_model *model, const char *path);

#endif
