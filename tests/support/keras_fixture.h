#ifndef DTRAIN_TESTS_KERAS_FIXTURE_H
#define DTRAIN_TESTS_KERAS_FIXTURE_H

/** A model with everything that a Keras file of dtrain can contain. For cmocka tests. */

#include "h5_files.h"

#include "dtrain/model/keras_model.h"

/** Number of parameters: 3 inputs, 2 units, 3 classes, so 8 + 9. */
enum { KERAS_P = 17 };

/** Parameters, and Adam's moments. */
extern const float keras_params[KERAS_P], keras_m[KERAS_P], keras_v[KERAS_P];

/** The normalization of the inputs. */
extern const float keras_mean[3], keras_variance[3];

/** The class names; one has a letter outside ASCII. */
extern const char *const keras_classes[3];

/** The model of these parts: tanh, then softmax. */
extern const dt_keras_model keras_full;

/** Write the model that is described: Keras's part of a .h5, a .keras and a .onnx file. */
dt_status keras_write(const dt_keras_model *model, dt_h5 *h5);
dt_status keras_archive_save(const dt_keras_model *model, const char *path);
dt_status keras_onnx_save(const dt_keras_model *model, const char *path);

/** Saves the model as a .h5 file of older releases: Adam's state, if there is one, is in /dtrain as
 * adam_iterations, adam_m and adam_v. */
dt_status keras_save(const dt_keras_model *model, const char *path);

/** Returns the model without its optional parts. */
dt_keras_model keras_plain(void);

/** Deviations and means of three targets. */
extern const dt_target_scale keras_scale[3];

/** Returns the plain model with three values as outputs, by mean squared error, in the units of
 * keras_scale. */
dt_keras_model keras_values(void);

/** Fails unless both are NULL, or `count` numbers have the same bits. */
void keras_expect_floats(const float *found, const float *expected, size_t count);

/** Loads `path`; fails unless all is as in `expected`, which has the shape of keras_full. */
void keras_expect_model(const char *path, const dt_keras_model *expected);

/** Fails unless loading `path` returns DT_DATA with a line that contains `part` and the file's
 * name, and leaves a zeroed result. */
void keras_refuse(const char *path, const char *part);

#endif
