#ifndef DTRAIN_MODEL_MODEL_FILE_H
#define DTRAIN_MODEL_MODEL_FILE_H

/*
 * dtrain's own part of a model file, the group /dtrain, which Keras ignores:
 *
 *     attribute format_version    1
 *     attribute model             layers and optimizer (model_json.h)
 *     tensors/dense/kernel ...    the network's tensors, constants included; a tensor that is also
 *                                 in the Keras part is the same dataset under two names
 *     others/1/tensors/ ...       of an ensemble: the trained tensors of its second network, ...
 *     optimizer/m ...             [P] each: the optimizer's states; absent without one
 *
 * All calls are local.
 */

#include "dtrain/io/h5.h"
#include "dtrain/model/model.h"

/* Writes the own part beside the Keras part, which is in `h5` already.
 * Errors: DT_OUTPUT, DT_MEMORY. */
DT_MUST_USE dt_status dt_model_file_write(dt_h5 *h5, const dt_model *model);

/* Returns whether there is such a part. */
bool dt_model_file_is(dt_h5 *h5);

/* Reads the part, without recipe and class names. Owns: the caller clears *out, also after an
 * error. Errors: DT_DATA: a newer version, an unknown layer or optimizer, or arrays that do not fit
 * or are not finite; DT_MEMORY. */
DT_MUST_USE dt_status dt_model_file_read(dt_model *out, dt_h5 *h5, const char *path);

#endif
