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

/** A model that was read. */
typedef struct dt_keras_loaded {
    dt_keras_model model; /* its layers and weights point into what stands below */
    dt_keras_layer *layers;
    float
        *params; /* [parameter_count]: kernel and bias of the first layer, then of the next, ... */
    size_t parameter_count;
} dt_keras_loaded;

/**
 * Reads a classifier that is a chain of dense layers, as Keras 2 and 3 and dt_keras_model_save
 * write it: Sequential, or Functional without branches, of InputLayer, Dense, Dropout (left out)
 * and Activation (becomes part of the linear Dense before it).
 *
 * `h5` comes from dt_h5_open; `path` is what error lines call it. Hidden activations are "relu",
 * "tanh", "sigmoid" or "linear", the last layer's is "softmax" with at least two units; one that
 * gives logits (linear, and a loss with from_logits) is handed over as "softmax" too. A layer
 * without bias gets zeros. Adam's numbers are those of training_config, and Keras's defaults where
 * it has none. The activations' names are static text.
 *
 * Owns:    the caller clears with dt_keras_loaded_clear
 * Errors:  DT_DATA when it is no such model (the line names the layer, and what it is), a member of
 *          the file is missing or leaves the file, shapes do not fit the configuration, or a weight
 *          is not finite. DT_MEMORY. On error *out is zeroed
 */
DT_MUST_USE dt_status dt_keras_model_read(dt_keras_loaded *out, dt_h5 *h5, const char *path);

/** Opens `path` and does the above. Errors: DT_DATA also as dt_h5_open. */
DT_MUST_USE dt_status dt_keras_model_load(dt_keras_loaded *out, const char *path);

/** Frees; a zeroed one is allowed. */
void dt_keras_loaded_clear(dt_keras_loaded *loaded);

#endif
