#ifndef DTRAIN_MODEL_KERAS_ARCHIVE_H
#define DTRAIN_MODEL_KERAS_ARCHIVE_H

/* Shared by reading and writing .keras files: the names in the archive, and of its groups. */

#include "dtrain/base/status.h"
#include "dtrain/io/h5.h"

#include <stddef.h>

#define DT_KERAS_METADATA_MEMBER "metadata.json"
#define DT_KERAS_CONFIG_MEMBER "config.json"
#define DT_KERAS_WEIGHTS_MEMBER "model.weights.h5"

enum { DT_KERAS_GROUP_BYTES = 64 };

/* Prints a class's name as Keras does in its files: "re_lu", "global_average_pooling1d". */
void dt_keras_archive_class(char out[DT_KERAS_GROUP_BYTES], const char *name);

/* Prints the group of a layer's variables: those of one class are counted in the model's order. */
void dt_keras_archive_group(char out[DT_KERAS_GROUP_BYTES], const char *class, size_t index);

/* The class names as the JSON of a member, and back.
 * Owns: the caller frees with dt_memory_free, or clears. Errors: DT_MEMORY; DT_DATA. */
DT_MUST_USE dt_status dt_keras_classes_format(char **out, const char *const *names, size_t count);
DT_MUST_USE dt_status dt_keras_classes_parse(dt_h5_names *out, const char *json, const char *path);

#endif
