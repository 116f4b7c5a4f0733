#ifndef DTRAIN_TESTS_H5_FILES_H
#define DTRAIN_TESTS_H5_FILES_H

/** Makes HDF5 files with HDF5 alone, for the code under test to read. For cmocka tests. */

#include "h5_reading.h"
#include "scratch_folder.h"
#include "status_checks.h"

#include "dtrain/io/h5.h"

#include <hdf5.h>

/** Creates file.h5 in the scratch folder. */
hid_t h5_create(void);

/** Closes the file, and opens file.h5 with the code under test. */
dt_h5 *h5_reopen(hid_t file);

/** Closes any HDF5 object; fails if it is not one. */
void h5_close_id(hid_t id);

/** Adds an attribute; `dims` 0 makes a scalar, -1 an attribute without a value. */
void h5_add_attribute(hid_t object, const char *name, hid_t type, int dims, const hsize_t *shape,
                      const void *value);

/** Makes a string type; `bytes` is H5T_VARIABLE or a size. The caller closes it. */
hid_t h5_text_type(size_t bytes, H5T_str_t padding, H5T_cset_t cset);

/** Adds a dataset; `creation` may be H5P_DEFAULT, and `data` (of type `memory`) NULL for none. */
void h5_add_dataset(hid_t file, const char *path, hid_t type, int dims, const hsize_t *shape,
                    hid_t creation, hid_t memory, const void *data);

/** Adds a dataset of float32: a scalar, [rows] or [rows, columns]. */
void h5_add_f32(hid_t file, const char *path, int dims, hsize_t rows, hsize_t columns,
                const float *data);

#endif
