#ifndef DTRAIN_IO_KERAS_MODEL_H
#define DTRAIN_IO_KERAS_MODEL_H

#include "dtrain/base/status.h"
#include "dtrain/io/h5.h"

#include <stddef.h>
#include <stdint.h>

/**
 * A trained network as Keras stores it: the HDF5 format that keras.models.load_model reads in
 * Keras 2 and 3. All calls are local.
 *
 * Source:  keras/src/legacy/saving/legacy_h5_format.py (Keras 3), hdf5_format.py (Keras 2.13)
 */

typedef struct dt_keras_layer {
    uint64_t units; /* H */
    const char *activation; /* "relu", "tanh", "sigmoid", "linear", "softmax" */
    const float *kernel; /* [inputs of this layer, units], row-major */
    const float *bias; /* [units] */
} dt_keras_layer;

typedef struct dt_keras_model {
    uint64_t inputs; /* D */
    size_t layer_count;
    const dt_keras_layer *layers;
    double learning_rate, beta_1, beta_2, epsilon; /* Adam's, for training_config */
} dt_keras_model;

/**
 * Writes a Sequential model of Dense layers, compiled with Adam and sparse categorical
 * cross-entropy, as `path`; the file appears whole or not at all.
 *
 * The optimizer's state is left out on purpose: with it, Keras 3 loads the file but cannot fit.
 *
 * Errors:  DT_OUTPUT, DT_MEMORY
 */
DT_MUST_USE dt_status dt_keras_model_save(const dt_keras_model *model, const char *path);

/**
 * Writes the model into an empty `h5`, to which the caller may add what Keras ignores (attributes
 * of other names, a group /dtrain) before dt_h5_save.
 *
 * Errors:  DT_OUTPUT, DT_MEMORY
 */
DT_MUST_USE dt_status dt_keras_model_write(const dt_keras_model *model, dt_h5 *h5);

#endif
