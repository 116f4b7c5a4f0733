#ifndef DTRAIN_MODEL_KERAS_MODEL_H
#define DTRAIN_MODEL_KERAS_MODEL_H

#include "dtrain/base/status.h"
#include "dtrain/io/h5.h"
#include "dtrain/model/model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * A trained network as Keras stores it, in both of its formats: .h5, the HDF5 format that
 * keras.models.load_model reads in Keras 2 and 3, and .keras, the archive of Keras 3. All calls are
 * local.
 *
 * Source:  keras/src/legacy/saving/legacy_h5_format.py and saving/saving_lib.py (Keras 3),
 *          hdf5_format.py (Keras 2.13)
 *
 * Outputs that are values are in the targets' units in Keras: a Rescaling layer at the end has
 * dt_network.scale, scale = deviation and offset = mean, a number for one target and a list for
 * several. dtrain's loss is of standardised targets, Keras's of targets in their own units: for one
 * target it is dtrain's times a constant; of several, those with a larger deviation weigh more.
 */

/* dtrain's own data in a model file, which Keras ignores. In .h5 these are attributes of the root,
 * in .keras members of the archive (below). */
#define DT_KERAS_RECIPE "dtrain_recipe"
#define DT_KERAS_CLASSES "dtrain_classes"
#define DT_KERAS_RECIPE_MEMBER "dtrain_recipe.json"
#define DT_KERAS_CLASSES_MEMBER "dtrain_classes.json"

typedef struct dt_keras_layer {
    uint64_t units; /* H */
    const char *activation; /* "relu", "tanh", "sigmoid", "linear", "softmax" */
    const float *kernel; /* [inputs of this layer, units], row-major */
    const float *bias; /* [units]; NULL: the layer has none */
    dt_layer layer; /* of a model that was read: kind and options. If the kind is not dense,
                       `kernel` and `bias` are the first tensors of the kind, in its order */
} dt_keras_layer;

/**
 * Normalization is (x - mean) / max(sqrt(variance), 1e-7), column by column, before the first
 * layer. The last layer is "softmax" for classes, "linear" for values. The optimizer's states are
 * in the order of the parameters: kernel and bias of the first layer, then of the next; P in all.
 */
typedef struct dt_keras_model {
    uint64_t inputs; /* D */
    size_t layer_count;
    const dt_keras_layer *layers;
    dt_optimizer optimizer; /* P == 0: it has no state */
    const dt_loss *loss;
    double loss_number; /* dt_loss.number, in the units of the outputs */
    const dt_target_scale *scale; /* [C] of a Rescaling layer; NULL: there is none */
    const float *mean, *variance; /* [inputs] of a Normalization layer; NULL: there is none */
    const char *recipe_json; /* the preprocessing; NULL: none */
    const char *const *class_names; /* [class_name_count] */
    size_t class_name_count; /* 0: the classes have no names */
} dt_keras_model;

/**
 * Returns whether Keras has layers for the network. Keras has no layers for sines and cosines,
 * which a periodic encoding needs, and dtrain does not write code into models. Local.
 */
bool dt_keras_has_layers(const dt_network *network);

/** Returns whether a .keras file has the optimizer's state. If not, it has that of a new optimizer:
 * with dt_network.scale, whose gradients are of standardised targets; with an encoding, whose bins
 * are another tensor in Keras; with members, which Keras trains by the loss of their mean.
 * Local. */
bool dt_keras_keeps_state(const dt_network *network);

/** Returns whether Keras has the network's loss: it has no quantile loss, and Huber's only if all
 * targets have the same deviation. If so, *number becomes the loss's number in the targets' units.
 * Local. */
bool dt_keras_loss_in_units(double *number, const dt_network *network);

/**
 * Writes a model of the layers, compiled with its optimizer and loss, into an empty `h5`, to which
 * the caller adds what Keras ignores (the group /dtrain) before dt_h5_save. A loss that Keras does
 * not have is left out, as is label smoothing.
 *
 * A chain of layers that Keras has is a Sequential model. An encoding, members and residual
 * connections make a Functional one of Keras's own layers, among them EinsumDense (Keras 2.11 and
 * later), whose predictions are the same to about 1e-6.
 *
 * The optimizer's state is not written, because Keras 3 loads a .h5 file with it, but fit then
 * fails. More than DT_H5_TEXTS_MAX class names are not written.
 *
 * Errors:  DT_OUTPUT, DT_MEMORY
 */
DT_MUST_USE dt_status dt_keras_model_write(const dt_model *model, dt_h5 *h5);

/**
 * Writes the same model as the .keras file `path`, which Keras 3.3.3 and later load with the
 * optimizer's state, so that fit resumes this training. The file appears whole or not at all.
 *
 * The same model gives the same bytes. A model without the optimizer's state gets that of a new
 * optimizer; so does a model for which dt_keras_keeps_state is false. Recipe and class names (at
 * most DT_H5_NAMES_MAX) are members that Keras ignores.
 *
 * Errors:  DT_OUTPUT, DT_MEMORY
 */
DT_MUST_USE dt_status dt_keras_archive_save(const dt_model *model, const char *path);

/** A model that was read. */
typedef struct dt_keras_loaded {
    dt_keras_model model; /* its pointers point to the members below */
    dt_keras_layer *layers;
    float
        *params; /* [parameter_count]: kernel and bias of the first layer, then of the next, ... */
    size_t parameter_count; /* P */
    float *normalization; /* [2 * inputs]: mean, variance; NULL: none */
    dt_target_scale *scale; /* [C]; NULL: none */
    char *recipe_json; /* NULL: none */
    dt_h5_names class_names;
    char left_out[256]; /* parts of the file that training would ignore, for a warning; "": none */
    char predicts_only[160]; /* why dtrain cannot continue the training; "": it can */
} dt_keras_loaded;

/**
 * Reads a model that is a chain of layers, as Keras 1, 2 and 3 and the calls above write it, from a
 * .h5 or .keras file, distinguished by its first bytes: Sequential, or Functional without branches,
 * of such models and of
 *
 *     Dense, Activation, ReLU, LeakyReLU, ELU, Softmax   activations, also as a Dense layer's own
 *     PReLU           slopes of the units, or one for all
 *     BatchNormalization, LayerNormalization, RMSNormalization   over the last axis
 *     Normalization   over the last axis; before all others also one mean for all
 *     Rescaling       before all others a normalization; after the last Dense, if that is linear
 *                     and the scale positive, the outputs' units
 *     Flatten, Reshape, InputLayer   of rows of values nothing changes
 *     Dropout, GaussianNoise and others that training alone has   are left out
 *
 * The last layer's activation is softmax of at least two units. One that gives logits (linear, and
 * a loss with from_logits) is handed over as "softmax" too. One sigmoid unit (or a logit, by the
 * loss) becomes softmax of two, sigmoid(z) = softmax([0, z]): kernel [0, w], bias [0, b], Adam's m
 * [-m, m] and v [v, v]. Other outputs are values if the loss is of values, or if the file has no
 * loss and there is one unit or a Rescaling. The loss is then mse, mae or Huber's with its delta;
 * mse if the file has none. Adam's numbers are those the model was compiled with, and Keras's
 * defaults where it has none; the learning rate is that of the optimizer's state, where there is
 * one, in the form given to Keras: 0.01, although the file has the nearest float32,
 * 0.009999999776482582. The activations' names are static text.
 *
 * What dtrain can compute but not train is there, too, and `predicts_only` says so: a Rescaling or
 * Normalization in the middle, which becomes a batch normalization; a normalization without scale
 * or shift; layers behind the last Dense, which is followed by one that gives back its inputs.
 *
 * Adam's state is taken from /dtrain or, in a .keras file, and in a .h5 file of Keras 3, from where
 * Keras keeps it, if it is Adam's (one m and one v a weight); else, after no update, and with a
 * Rescaling there is none. That of Keras 2 is not taken. `left_out` lists what predictions do not
 * need, but continued training would: Dropout, regularizers, an optimizer other than Adam ...
 *
 * A model with an encoding, members or residual connections that the calls above wrote is not read
 * back: dtrain reads those from the group /dtrain of its own .h5 files (model.h).
 *
 * Owns:    the caller clears with dt_keras_loaded_clear
 * Errors:  DT_DATA when it is not such a model (the line names the layer and its kind), a member of
 *          the file is missing or outside of the file, shapes do not fit the configuration, a
 *          weight is not finite, or there are class names, but not one a class. DT_MEMORY. On error
 *          *out is zeroed
 */
DT_MUST_USE dt_status dt_keras_model_load(dt_keras_loaded *out, const char *path);

/** Reads a model from an .h5 file that dt_h5_open opened; `path` is its name in error lines. */
DT_MUST_USE dt_status dt_keras_model_read(dt_keras_loaded *out, dt_h5 *h5, const char *path);

/** Reads a model from a .keras file. */
DT_MUST_USE dt_status dt_keras_archive_load(dt_keras_loaded *out, const char *path);

/** Returns whether the file begins like a .keras archive. */
bool dt_keras_is_archive(const char *path);

/** Writes the recipe, unless it is NULL, and class names, if there are at most DT_H5_TEXTS_MAX, as
 * attributes of the root. Errors: DT_OUTPUT. */
DT_MUST_USE dt_status dt_keras_write_companions(dt_h5 *h5, const dt_model *model);

/**
 * Reads recipe and class names from the .h5 file of a model with C classes; NULL and none if they
 * are not there.
 *
 * Owns:    the caller frees *recipe_json and clears *names, also after an error
 * Errors:  DT_DATA: not one name a class; DT_MEMORY
 */
DT_MUST_USE dt_status dt_keras_read_companions(char **recipe_json, dt_h5_names *names, dt_h5 *h5,
                                               uint64_t C, const char *path);

/** Frees; a zeroed one is allowed. */
void dt_keras_loaded_clear(dt_keras_loaded *loaded);

#endif
