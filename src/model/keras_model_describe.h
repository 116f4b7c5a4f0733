#ifndef DTRAIN_MODEL_KERAS_MODEL_DESCRIBE_H
#define DTRAIN_MODEL_KERAS_MODEL_DESCRIBE_H

/* A model as the JSON that Keras keeps in its files. */

#include "dtrain/model/keras_model.h"

/* "dense_" and a number. */
enum { DT_KERAS_LAYER_BYTES = 32 };

/* Prints the name of dense layer `index`. */
void dt_keras_name_layer(char out[DT_KERAS_LAYER_BYTES], size_t index);

/* What a .h5 file has as model_config and training_config, and a .keras file as config.json.
 * Owns: the caller frees with free. Errors: DT_MEMORY; *out = NULL. */
DT_MUST_USE dt_status dt_keras_describe_model(char **out, const dt_keras_model *model);
DT_MUST_USE dt_status dt_keras_describe_training(char **out, const dt_keras_model *model);
DT_MUST_USE dt_status dt_keras_describe_archive(char **out, const dt_keras_model *model);

#endif
