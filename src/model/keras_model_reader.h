#ifndef DTRAIN_MODEL_KERAS_MODEL_READER_H
#define DTRAIN_MODEL_KERAS_MODEL_READER_H

/* Shared by reading .h5 and .keras files: both have a configuration and, in an HDF5 file, arrays in
 * the order of the layers and of the optimizer. Only the places of the arrays differ. */

#include "dtrain/model/keras_model.h"
#include "keras_model_chain.h"
#include "model_arrays.h"

enum { DT_KERAS_CONFIG_BYTES_MAX = 16 << 20 }; /* a layer takes about 1 KiB of JSON */

/* A model that is being read: its configuration, and the places of the arrays. */
typedef struct dt_keras_reader {
    dt_model_arrays in;
    dt_keras_chain chain;
    char *statistics[2]; /* datasets of a Normalization: mean, variance; NULL: not in the weights */
    char *(
        *datasets)[DT_KERAS_TENSORS]; /* [chain.count]: paths; NULL: the file has no such array */
    size_t located; /* steps whose weights have been found */
    uint64_t inputs; /* of the next; 0: unknown */
    dt_h5_names state; /* paths of Keras's arrays of Adam: iteration, perhaps learning rate, m, v,
                          m, v ...; count 0: none */
    bool own_state; /* in /dtrain */
} dt_keras_reader;

/* Reads the configuration; comes first. Errors: DT_DATA, DT_MEMORY. */
DT_MUST_USE dt_status dt_keras_reader_begin(dt_keras_reader *r, const dt_keras_config *config);

/* Returns the name and place of the next layer with arrays; NULL: there is none. */
const char *dt_keras_reader_next(const dt_keras_reader *r, const dt_keras_place **place);

/* Assigns the arrays `names` below `group` to the next layer with arrays. */
DT_MUST_USE dt_status dt_keras_reader_take_weights(dt_keras_reader *r, const char *group,
                                                   const dt_h5_names *names);

/* Assigns the arrays of a layer of the whole model in a .h5 file; the layer may be a model. */
DT_MUST_USE dt_status dt_keras_reader_take_layer(dt_keras_reader *r, const char *group,
                                                 const dt_h5_names *names);

/* Assigns the arrays of Keras's optimizer, after all weights; a state that is not Adam's in the
 * form of Keras 3 is ignored and listed in chain.left_out. */
DT_MUST_USE dt_status dt_keras_reader_take_state(dt_keras_reader *r, const char *group,
                                                 const dt_h5_names *names);

/* Assigns the state in /dtrain, after all weights. */
DT_MUST_USE dt_status dt_keras_reader_take_own_state(dt_keras_reader *r);

/* Reads all assigned arrays. Owns: the caller clears *out, also after an error. */
DT_MUST_USE dt_status dt_keras_reader_finish(dt_keras_loaded *out, dt_keras_reader *r);

void dt_keras_reader_clear(dt_keras_reader *r);

/* Checks that there are as many class names as classes, or none. */
DT_MUST_USE dt_status dt_keras_check_names(const dt_h5_names *names, uint64_t C, const char *path);

/* ---- between the reader's own files ---- */

/* Returns whether it is the last step of a chain of one logit. */
bool dt_keras_is_one_logit(const dt_keras_reader *r, size_t step);

/* Returns whether the file has arrays of the step. */
bool dt_keras_has_arrays(const dt_keras_step *step);

/* Returns whether the next arrays are those of the Normalization before all others. */
bool dt_keras_waits_for_statistics(const dt_keras_reader *r);

/* Shapes a tensor of a step with that many inputs as the file has it; returns its dimensions. */
unsigned dt_keras_shape_tensor(uint64_t shape[2], const dt_keras_step *step, size_t t,
                               uint64_t inputs);

/* Skips the next steps without arrays, except a Normalization before all others. */
void dt_keras_reader_pass(dt_keras_reader *r);

/* Returns how many outputs a step has, in the file. */
uint64_t dt_keras_step_outputs(const dt_keras_step *step, uint64_t inputs);

/* Returns how many numbers the tensor has in the network: of the last step of one logit twice as
 * many as in the file. */
uint64_t dt_keras_count_tensor(const dt_keras_reader *r, size_t step, size_t t, uint64_t inputs);

/* Returns the number of the network's parameters, after all weights. */
uint64_t dt_keras_reader_count(const dt_keras_reader *r);

/* Spreads the numbers of one logit over two: that of class 0 is `factor` times that of class 1. */
void dt_keras_spread_logit(float *values, uint64_t count, float factor);

/* Reads the assigned moments, and Adam's numbers. */
DT_MUST_USE dt_status dt_keras_reader_read_state(dt_keras_loaded *out, dt_keras_reader *r);

/* Reads a .keras file; as dt_keras_model_load. On error *out is not cleared. */
DT_MUST_USE dt_status dt_keras_archive_read(dt_keras_loaded *out, const char *path);

#endif
