#ifndef DTRAIN_MODEL_KERAS_MODEL_DESCRIBE_H
#define DTRAIN_MODEL_KERAS_MODEL_DESCRIBE_H

/* A model as the JSON of Keras's files. */

#include "keras_graph.h"

#include "dtrain/model/model.h"

/* Writes model_config and training_config of a .h5 file, and config.json of a .keras file.
 * Owns: the caller frees with free. Errors: DT_MEMORY; *out = NULL. */
DT_MUST_USE dt_status dt_keras_describe_model(char **out, const dt_keras_graph *graph,
                                              const dt_model *model);
DT_MUST_USE dt_status dt_keras_describe_training(char **out, const dt_model *model);
DT_MUST_USE dt_status dt_keras_describe_archive(char **out, const dt_keras_graph *graph,
                                                const dt_model *model);

#endif
