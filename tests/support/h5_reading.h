#ifndef DTRAIN_TESTS_H5_READING_H
#define DTRAIN_TESTS_H5_READING_H

/** Reads HDF5 files with HDF5 alone, to check what the code under test wrote. For cmocka tests. */

#include "status_checks.h"

#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

/** Reads a scalar text attribute, which must be of variable length in UTF-8; free() the result. */
char *h5_read_text(hid_t file, const char *path, const char *name);

/** Fails unless the text attribute equals `expected`. */
void assert_h5_text(hid_t file, const char *path, const char *name, const char *expected);

/** Fails unless the attribute is the list of these texts. */
void assert_h5_texts(hid_t file, const char *path, const char *name, const char *const *expected,
                     size_t count);

#endif
