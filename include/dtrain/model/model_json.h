#ifndef DTRAIN_MODEL_MODEL_JSON_H
#define DTRAIN_MODEL_MODEL_JSON_H

#include "dtrain/base/status.h"
#include "dtrain/io/json.h"
#include "dtrain/nn/network.h"
#include "dtrain/nn/optimizer.h"

/**
 * A network and its optimizer as JSON, without the arrays. Model files contain this text, and
 * checkpoints its object `optimizer`; rank 0 sends the text to the others:
 *
 *     {"inputs": 51, "loss": "sparse_categorical_crossentropy",
 *      "layers": [{"kind": "dense", "units": 30, "activation": "relu"}, ...],
 *      "optimizer": {"kind": "adam", "learning_rate": 0.001, "weight_decay": 0, "beta_1": 0.9, ...,
 *                    "step": 1530, "has_state": true}}
 *
 * Of an ensemble it is the first network; the list `others` has an object for each other one, with
 * its `targets`, if there are any.
 *
 * A layer has the options of its kind (dt_layer_options), an optimizer its numbers. All calls are
 * local.
 */

enum { DT_MODEL_LAYERS_MAX = 1000 };

/** Adds the options of a layer to the object that is open. */
void dt_model_json_add_options(dt_json *json, const dt_layer *layer);

/** Adds learning rate, weight decay and the kind's numbers to the object that is open. */
void dt_model_json_add_numbers(dt_json *json, const dt_optimizer *optimizer);

/** Writes the text. Owns: the caller frees with dt_memory_free. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_model_json_write(char **out, const dt_network *network,
                                          const dt_optimizer *optimizer);

/** Writes the object of the optimizer alone. Owns, Errors: as dt_model_json_write. */
DT_MUST_USE dt_status dt_model_json_write_optimizer(char **out, const dt_optimizer *optimizer);

/** Reads the object of the optimizer alone. Owns, Errors: as dt_model_json_read. */
DT_MUST_USE dt_status dt_model_json_read_optimizer(dt_optimizer *out, bool *has_state,
                                                   const char *json, const char *path);

/**
 * Reads the text: a planned network (dt_network_plan), and an optimizer without memory for its
 * state; *has_state reports whether there is a state. Nothing of the size of the parameters is
 * allocated.
 *
 * `path` is the file's name in error lines.
 *
 * Owns:    the caller clears both
 * Errors:  DT_DATA: not JSON, or not such a text: an unknown kind, an option that is missing, not
 *          known, of another type or out of its range, more than DT_MODEL_LAYERS_MAX layers, or
 *          layers that are not a network. DT_MEMORY
 */
DT_MUST_USE dt_status dt_model_json_read(dt_network *network, dt_optimizer *optimizer,
                                         bool *has_state, const char *json, const char *path);

#endif
