#ifndef DTRAIN_TRAIN_MODEL_H
#define DTRAIN_TRAIN_MODEL_H

#include "dtrain/base/status.h"
#include "dtrain/comm/comm.h"
#include "dtrain/nn/network.h"

#include <stddef.h>

/** The root's attributes of a model file that Keras ignores. */
#define DT_MODEL_RECIPE "dtrain_recipe" /* JSON text: io/recipe.h */
#define DT_MODEL_CLASSES "dtrain_classes" /* [C] texts */

/** A trained network with what came with it: model.h5, as the program uses it. */
typedef struct dt_model {
    dt_network network;
    char *recipe_json; /* how a table's columns become the D inputs (io/recipe.h); NULL: none */
    char **class_names; /* [class_name_count] */
    size_t class_name_count; /* C, or 0: none */
} dt_model;

/**
 * Writes a Keras model file; the recipe and the class names ride along as attributes.
 *
 * `model` may borrow its parts; `class_name_count` is 0 or C. More than DT_H5_TEXTS_MAX class names
 * are left out. `learning_rate` is what Keras goes on training with.
 *
 * Calls:   root-only
 * Errors:  DT_OUTPUT, DT_MEMORY
 */
DT_MUST_USE dt_status dt_model_save(const dt_model *model, double learning_rate, const char *path);

/**
 * Reads a model that dtrain or Keras wrote, on rank 0, and gives it to all ranks.
 *
 * Calls:   collective; same on all ranks: the result; `path` is read on rank 0 only
 * Owns:    the caller clears with dt_model_clear
 * Errors:  DT_DATA as dt_keras_model_load; also when there are class names, but not C. DT_MEMORY.
 *          On error *out is zeroed, on all ranks
 */
DT_MUST_USE dt_status dt_model_load(dt_model *out, const dt_comm *comm, const char *path);

/** Frees a model that dt_model_load gave; a zeroed one is allowed. */
void dt_model_clear(dt_model *model);

#endif
