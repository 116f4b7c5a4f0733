#ifndef DTRAIN_MODEL_KERAS_MODEL_CHAIN_H
#define DTRAIN_MODEL_KERAS_MODEL_CHAIN_H

/* What a Keras file's JSON says about the model, boiled down to a chain of dense layers. */

#include "dtrain/base/status.h"
#include "dtrain/nn/loss.h"

#include <jansson.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DT_KERAS_NAME_BYTES = 64, DT_KERAS_LEFT_OUT_BYTES = 256 };

typedef struct dt_keras_dense {
    char name[DT_KERAS_NAME_BYTES]; /* for error lines; cut off when longer */
    uint64_t units;
    const char *activation; /* static text */
    bool has_bias;
} dt_keras_dense;

/* A Normalization layer before the first dense one. */
typedef struct dt_keras_normalization {
    bool there;
    char name[DT_KERAS_NAME_BYTES];
    bool one_for_all; /* one mean and variance for all columns */
    size_t given; /* how many means the configuration itself has; 0: they are in the weights */
    double *mean, *variance; /* [given] */
} dt_keras_normalization;

/* A Rescaling layer after the last dense one. */
typedef struct dt_keras_rescaling {
    bool there;
    char name[DT_KERAS_NAME_BYTES];
    size_t scales, offsets; /* 1: one for all outputs; no offset: 0 for all */
    double *scale, *offset; /* [scales], [offsets] */
} dt_keras_rescaling;

typedef struct dt_keras_chain {
    uint64_t inputs; /* 0: the configuration does not say */
    size_t count;
    dt_keras_dense *layers;
    dt_keras_normalization normalization;
    dt_keras_rescaling rescaling;
    const dt_loss *loss; /* what the outputs are; the nearest one that dtrain has */
    double loss_number; /* dt_loss.number, in units of the outputs */
    bool adam, other_optimizer; /* compiled with it; neither: the file does not say */
    bool scheduled; /* the learning rate is a schedule's, and so no variable of the optimizer */
    double learning_rate, beta_1, beta_2, epsilon; /* Adam's, or its defaults */
    char left_out[DT_KERAS_LEFT_OUT_BYTES]; /* see dt_keras_loaded */
} dt_keras_chain;

/* The texts of one file. */
typedef struct dt_keras_config {
    const char *model; /* JSON */
    const char *model_name; /* what error lines call it */
    const char *training; /* JSON; NULL: there is none, or it is `compile_config` of the model */
} dt_keras_config;

/* Reads the texts. `path` is what error lines call the file.
 * Owns: the caller clears. Errors: DT_DATA, DT_MEMORY; then *out is zeroed. */
DT_MUST_USE dt_status dt_keras_chain_read(dt_keras_chain *out, const dt_keras_config *config,
                                          const char *path);

void dt_keras_chain_clear(dt_keras_chain *chain);

/* ---- what its files share ---- */

/* Adds to the list of what dtrain would not train with; what does not fit becomes "...". */
DT_PRINTF(2, 3) void dt_keras_leave_out(char *list, const char *format, ...);

/* Returns the text under `key`, or `otherwise` when there is none, or `json` is no object. */
const char *dt_keras_text_of(const json_t *json, const char *key, const char *otherwise);

/* Returns the name of a layer's JSON, "?" when it has none. */
const char *dt_keras_name_of(const json_t *layer);

/* Returns the only element of a list; NULL: there are more or none. */
const json_t *dt_keras_only_element(const json_t *json);

/* Reads a number, or a list of them in as many brackets as there are, of a layer's configuration;
 * they are finite as float32.
 * Owns: the caller frees *out, also after an error. Errors: DT_DATA, DT_MEMORY. */
DT_MUST_USE dt_status dt_keras_numbers_read(double **out, size_t *count, const json_t *layer,
                                            const char *key, const char *path);

/* Reads a Normalization layer. Errors: DT_DATA, DT_MEMORY. */
DT_MUST_USE dt_status dt_keras_normalization_read(dt_keras_normalization *out, const json_t *layer,
                                                  const char *path);

/* Reads a Rescaling layer behind those that the chain has. Errors: DT_DATA, DT_MEMORY. */
DT_MUST_USE dt_status dt_keras_rescaling_read(dt_keras_chain *chain, const json_t *layer,
                                              const char *path);

/* Returns the name of the loss, or of its class; NULL: the file has none. */
const char *dt_keras_loss_name(const json_t *training);

/* Returns whether the loss turns logits into probabilities by softmax itself. */
bool dt_keras_loss_takes_logits(const json_t *training);

/* Reads how the model was compiled, after its layers; `training` may be NULL: not at all. */
void dt_keras_training_read(dt_keras_chain *chain, const json_t *training);

/* Adds what layers of any class may have and dtrain has not to chain->left_out.
 * Errors: DT_DATA when predictions need it: quantized weights. */
DT_MUST_USE dt_status dt_keras_extras_read(dt_keras_chain *chain, const json_t *layer,
                                           const char *path);

/* Returns the decimal number of the fewest digits that is `value` in float32, if `value` is exactly
 * a float32: Keras keeps 0.01 as 0.009999999776482582. */
double dt_keras_plain_number(double value);

#endif
