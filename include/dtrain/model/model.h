#ifndef DTRAIN_MODEL_MODEL_H
#define DTRAIN_MODEL_MODEL_H

#include "dtrain/base/status.h"
#include "dtrain/comm/comm.h"
#include "dtrain/nn/network.h"
#include "dtrain/nn/optimizer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A model: a network with its preprocessing, class names and optimizer. */
typedef struct dt_model {
    dt_network network; /* including the normalization of its inputs, if there is one */
    dt_optimizer optimizer; /* P == 0: it has numbers, but no state */
    char *recipe_json; /* the recipe that prepares a table's columns as D inputs (data/recipe.h);
                        * NULL: none */
    char **class_names; /* [class_name_count] */
    size_t class_name_count; /* C, or 0: none */

    /* For a model that was read: what training would ignore (dt_keras_loaded). */
    char left_out[256], predicts_only[160];
} dt_model;

/**
 * Writes the path of a model: for a run's folder, the model.h5 in it; else the path itself. Returns
 * `out`.
 */
const char *dt_model_find(char *out, size_t bytes, const char *path);

/**
 * Writes the model in the format that the path's ending names: .keras, .onnx (model/onnx.h), or
 * else dtrain's .h5, which Keras opens, too (model/keras_model.h).
 *
 * `model` may borrow its parts; `class_name_count` is 0 or C. The optimizer's state is saved if
 * there is one; ONNX has no place for it.
 *
 * An ensemble gets a .h5 without the Keras part.
 *
 * Calls:   local
 * Errors:  DT_OUTPUT, DT_MEMORY; as dt_onnx_save; DT_USAGE: an ensemble, and
 *          .keras or .onnx
 */
DT_MUST_USE dt_status dt_model_save(const dt_model *model, const char *path);

/**
 * Reads a model that dtrain or Keras wrote, .h5 or .keras.
 *
 * Calls:   local
 * Owns:    the caller clears with dt_model_clear
 * Errors:  DT_DATA as dt_keras_model_load; DT_MEMORY. On error *out is zeroed
 */
DT_MUST_USE dt_status dt_model_read(dt_model *out, const char *path);

/**
 * Reads a model on rank 0 and sends it to all ranks.
 *
 * Calls:   collective; same on all ranks: the result, also of an error; `path` is read on rank 0
 *          only
 */
DT_MUST_USE dt_status dt_model_load(dt_model *out, const dt_comm *comm, const char *path);

/**
 * Returns the CRC-32 of the constants, and of the optimizer's numbers and state: all that training
 * uses besides the weights. Local.
 */
uint32_t dt_model_state_crc(const dt_model *model);

/** Frees a model that was read; a zeroed one is allowed. Local. */
void dt_model_clear(dt_model *model);

#endif
