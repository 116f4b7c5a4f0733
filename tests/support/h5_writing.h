#ifndef DTRAIN_TESTS_H5_WRITING_H
#define DTRAIN_TESTS_H5_WRITING_H

/** An HDF5 file that a test builds with the code under test and checks with HDF5 alone. For cmocka
 * tests. */

#include "h5_reading.h"
#include "scratch_folder.h"
#include "status_checks.h"

#include "dtrain/io/h5.h"

#include <hdf5.h>

/** The file in memory, and the path for saving it: file.h5 in the scratch folder. */
typedef struct h5_fixture {
    dt_h5 *h5;
    char path[512];
} h5_fixture;

/** Makes an empty h5_fixture, *state; a cmocka setup. */
int h5_start(void **state);

/** Frees and removes the file; a cmocka teardown. Fails if the test left another file in the
 * folder, such as a temporary one. */
int h5_stop(void **state);

/** Saves the file, and opens it as any reader does. */
hid_t h5_save_and_open(h5_fixture *f);

/** Fails unless the scalar attribute has the type `stored` and, read as `native`, the 8 bytes of
 * `expected`. */
void assert_h5_number(hid_t file, const char *path, const char *name, hid_t stored, hid_t native,
                      const void *expected);

/** A row of the table /epochs. The compiler has to leave holes, and one member is in no column. */
typedef struct h5_epoch_row {
    int32_t epoch;
    double loss;
    char host[10];
    uint32_t steps;
    void *unsaved;
    float rate;
    int64_t rows;
} h5_epoch_row;

/** The columns of /epochs. */
enum { H5_EPOCH_COLUMNS = 6 };
extern const dt_h5_table h5_epoch_table;

/** Returns a row; its holes are filled with the letter G. */
h5_epoch_row h5_make_row(int32_t epoch);

/** Makes the table /epochs. */
void h5_make_epochs(dt_h5 *h5);

/** Appends `count` rows, from epoch `first` on. */
void h5_append_epochs(dt_h5 *h5, int32_t first, int32_t count);

#endif
