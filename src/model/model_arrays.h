#ifndef DTRAIN_MODEL_MODEL_ARRAYS_H
#define DTRAIN_MODEL_MODEL_ARRAYS_H

/* Arrays of numbers in the HDF5 file of a model. All calls are local. */

#include "dtrain/io/h5.h"
#include "dtrain/nn/tensor.h"

#include <stdbool.h>

/* A file that is being read. */
typedef struct dt_model_arrays {
    dt_h5 *h5;
    const char *path; /* what error lines call it */
    uint64_t stored_bytes; /* of the arrays that have been counted */
} dt_model_arrays;

/* Returns the number of the tensor's dimensions, 1 or 2. */
unsigned dt_model_tensor_dims(const dt_tensor *tensor);

/* Writes the tensor's values. Errors: DT_OUTPUT. */
DT_MUST_USE dt_status dt_model_tensor_write(dt_h5 *h5, const char *path, const dt_tensor *tensor,
                                            const float *values);

/* Counts an array's bytes, because the same array under many names would make a small file large.
 * Errors: DT_DATA. */
DT_MUST_USE dt_status dt_model_arrays_count(dt_model_arrays *in, const dt_h5_shape *shape);

/* Returns whether the array has this shape. */
bool dt_model_has_shape(const dt_h5_shape *found, unsigned dims, const uint64_t *expected);

/* Checks the array and counts it without reading it. Errors: DT_DATA: it is missing, or has another
 * shape or type. */
DT_MUST_USE dt_status dt_model_arrays_check(dt_model_arrays *in, const char *dataset, unsigned dims,
                                            const uint64_t *shape);

/* Reads floats. Errors: DT_DATA: one is not finite. */
DT_MUST_USE dt_status dt_model_arrays_read(const dt_model_arrays *in, float *data,
                                           const char *dataset, uint64_t count);

#endif
