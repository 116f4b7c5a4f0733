#ifndef DTRAIN_MODEL_KERAS_MODEL_CHAIN_H
#define DTRAIN_MODEL_KERAS_MODEL_CHAIN_H

/* The model in a Keras file's JSON, as a chain of dtrain's layers. */

#include "dtrain/base/status.h"
#include "dtrain/nn/layer.h"
#include "dtrain/nn/loss.h"
#include "keras_archive.h"

#include <jansson.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DT_KERAS_NAME_BYTES = 64,
    DT_KERAS_LEFT_OUT_BYTES = 256,
    DT_KERAS_REASON_BYTES = 160,
    DT_KERAS_TENSORS = 4 /* most of a step */
};

/* The tensors of a kind of layer in Keras's order, which is dtrain's. */
typedef struct dt_keras_tensors {
    const dt_layer_kind *kind;
    size_t count;
    struct {
        const char *name;
        float otherwise; /* its numbers if the file has none */
        bool moves; /* it does not train */
    } tensors[DT_KERAS_TENSORS];
} dt_keras_tensors;

/* Returns the tensors of a kind; NULL: it has none. */
const dt_keras_tensors *dt_keras_tensors_of(const dt_layer_kind *kind);

/* The place of the arrays of a layer. */
typedef struct dt_keras_place {
    char group[DT_KERAS_GROUP_BYTES]; /* how .keras files name the class: "batch_normalization" */
    size_t model; /* the one that the layer is in: 0, or a model in it (dt_keras_chain.models) */
    bool frozen; /* not trainable, including its contents */
} dt_keras_place;

/* A layer of the new network, and the source of its numbers: the file's arrays, the configuration,
 * or neither. */
typedef struct dt_keras_step {
    char name[DT_KERAS_NAME_BYTES]; /* for error lines; cut off when longer */
    dt_layer layer; /* kind and options */
    const dt_keras_tensors *tensors; /* NULL: none */
    size_t tensor_count; /* the first ones of them: a dense layer may have no bias */
    dt_keras_place place;
    uint64_t units; /* of a dense layer, in the file */
    bool stored[DT_KERAS_TENSORS]; /* the file has an array of it */
    bool more; /* there may be one array more, which is not read */
    size_t counts[DT_KERAS_TENSORS]; /* of `numbers`: 0, 1 (one for all units), or that of units */
    double *numbers[DT_KERAS_TENSORS]; /* of the configuration */
    bool identity; /* dense: its outputs are its inputs */
} dt_keras_step;

/* A Normalization layer before all others, or a Rescaling, which is one. */
typedef struct dt_keras_normalization {
    bool there;
    char name[DT_KERAS_NAME_BYTES];
    dt_keras_place place;
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
    dt_keras_step *steps; /* the last one is dense and linear */
    size_t model_count;
    dt_keras_place *models; /* in the file's order: the whole model, then those that are layers */
    dt_keras_normalization normalization;
    dt_keras_rescaling rescaling;
    bool classes; /* the outputs are logits */
    bool one_logit; /* of class 1 of two: that of class 0 is 0 */
    const dt_loss *loss; /* the meaning of the outputs; the nearest loss of dtrain */
    double loss_number; /* dt_loss.number, in units of the outputs */
    bool adam, other_optimizer; /* compiled with it; neither: the file does not say */
    bool scheduled; /* the learning rate comes from a schedule, so it is not a variable of the
                     * optimizer */
    double learning_rate, beta_1, beta_2, epsilon; /* Adam's, or its defaults */
    bool keras_2; /* the file is of Keras 2 or older */
    char left_out[DT_KERAS_LEFT_OUT_BYTES]; /* see dt_keras_loaded */
    char predicts_only[DT_KERAS_REASON_BYTES]; /* likewise */
} dt_keras_chain;

/* The texts of one file. */
typedef struct dt_keras_config {
    const char *model; /* JSON */
    const char *model_name; /* what error lines call it */
    const char *training; /* JSON; NULL: there is none, or it is `compile_config` of the model */
    const char *version; /* of Keras; NULL: unknown */
} dt_keras_config;

/* Reads the texts. `path` is what error lines call the file.
 * Owns: the caller clears. Errors: DT_DATA, DT_MEMORY; then *out is zeroed. */
DT_MUST_USE dt_status dt_keras_chain_read(dt_keras_chain *out, const dt_keras_config *config,
                                          const char *path);

void dt_keras_chain_clear(dt_keras_chain *chain);

/* Returns the units of the last step in the file: of one logit 1. */
uint64_t dt_keras_chain_outputs(const dt_keras_chain *chain);

/* ---- what its files share ---- */

/* The state of the walk through the layers. */
typedef struct dt_keras_builder {
    dt_keras_chain *chain;
    const char *path;
    const char *previous; /* name of the layer before; NULL at the first */
    bool functional;
    size_t model; /* whose layers these are, among chain->models */
    size_t dims; /* of a row here; 0: unknown, which counts as 1 */
    uint64_t values; /* of a row here; 0: unknown */
    const char *softmax; /* name of the layer that has it; NULL: none so far */
} dt_keras_builder;

/* Returns the place of a layer of the builder's model. */
dt_keras_place dt_keras_place_of(const dt_keras_builder *b, const json_t *layer);

/* Adds a step with the tensors of its kind; there is room for it. */
dt_keras_step *dt_keras_append_step(dt_keras_chain *chain, const char *name,
                                    const dt_layer_kind *kind);

/* Adds a step of that kind with the layer's name, and before it a pending Rescaling, which is then
 * not the last layer. Errors: DT_DATA: no layer can follow. DT_MEMORY. */
DT_MUST_USE dt_status dt_keras_add_step(dt_keras_step **out, dt_keras_builder *b,
                                        const json_t *layer, const dt_layer_kind *kind);

/* Adds y = scale x + offset as a step, a batch normalization that does not train. It takes over
 * the lists: 1 number, or one a unit; none: 1, and 0. */
void dt_keras_add_affine(dt_keras_builder *b, const char *name, double *scale, size_t scales,
                         double *offset, size_t offsets);

/* Makes the pending Rescaling a step. */
void dt_keras_settle_rescaling(dt_keras_builder *b);

/* Stores the reason why dtrain can predict with the model, but not train it. */
DT_PRINTF(2, 3) void dt_keras_set_predicts_only(dt_keras_chain *chain, const char *format, ...);

/* Reads a layer by its class. Errors: DT_DATA, DT_MEMORY. */
DT_MUST_USE dt_status dt_keras_take_class(dt_keras_builder *b, const json_t *layer);

/* Reads the activation of a layer: a name, or a function or layer as an object; NULL: none. Errors:
 * DT_DATA. */
DT_MUST_USE dt_status dt_keras_take_activation(dt_keras_builder *b, const json_t *layer,
                                               const json_t *activation);

/* Returns whether a layer of this class is an activation: LeakyReLU ... */
bool dt_keras_is_activation(const char *class_name);

/* Decides the meaning of the outputs, and makes the last step a dense one. */
DT_MUST_USE dt_status dt_keras_end_chain(dt_keras_builder *b, const json_t *training);

/* Adds to the list of parts that training would ignore; a text that does not fit becomes "...". */
DT_PRINTF(2, 3) void dt_keras_leave_out(char *list, const char *format, ...);

/* Returns the text under `key`, or `otherwise` if there is none, or if `json` is not an object. */
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
DT_MUST_USE dt_status dt_keras_take_normalization(dt_keras_builder *b, const json_t *layer);

/* Reads a Rescaling layer. Errors: DT_DATA, DT_MEMORY. */
DT_MUST_USE dt_status dt_keras_take_rescaling(dt_keras_builder *b, const json_t *layer);

/* Checks that a layer works on the columns of rows: its axis, where it has one, and the rows'
 * dimensions. Errors: DT_DATA. */
DT_MUST_USE dt_status dt_keras_check_rows(const dt_keras_builder *b, const json_t *layer);
DT_MUST_USE dt_status dt_keras_check_axis(const dt_keras_builder *b, const json_t *layer);

/* Returns the name of the loss, or of its class; NULL: the file has none. */
const char *dt_keras_loss_name(const json_t *training);

/* Returns whether the loss turns logits into probabilities itself: of classes, or of one output. */
bool dt_keras_loss_takes_logits(const json_t *training, bool one_output);

/* Reads how the model was compiled, after its layers; `training` may be NULL: not at all. */
void dt_keras_training_read(dt_keras_chain *chain, const json_t *training);

/* Adds properties that layers of any class may have, but dtrain does not support, to
 * chain->left_out.
 * Errors: DT_DATA when predictions need it: quantized weights. */
DT_MUST_USE dt_status dt_keras_extras_read(dt_keras_chain *chain, const json_t *layer,
                                           const char *path);

/* Returns the decimal number of the fewest digits that is `value` in float32, if `value` is exactly
 * a float32: Keras keeps 0.01 as 0.009999999776482582. */
double dt_keras_plain_number(double value);

#endif
