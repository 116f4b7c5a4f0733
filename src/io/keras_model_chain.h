#ifndef DTRAIN_IO_KERAS_MODEL_CHAIN_H
#define DTRAIN_IO_KERAS_MODEL_CHAIN_H

/* What a Keras file's JSON says about the model, boiled down to a chain of dense layers. */

#include "dtrain/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct dt_keras_dense {
    char name[64]; /* for error lines; cut off when longer */
    uint64_t units;
    const char *activation; /* static text */
    bool has_bias;
} dt_keras_dense;

typedef struct dt_keras_chain {
    uint64_t inputs; /* 0: the configuration does not say */
    size_t count;
    dt_keras_dense *layers;
    double learning_rate, beta_1, beta_2, epsilon; /* Adam's, or its defaults */
} dt_keras_chain;

/* Reads the two texts; `training_config` may be NULL. `path` is what error lines call the file.
 * Owns: the caller frees out->layers with dt_memory_free. Errors: DT_DATA, DT_MEMORY. */
DT_MUST_USE dt_status dt_keras_chain_read(dt_keras_chain *out, const char *model_config,
                                          const char *training_config, const char *path);

#endif
