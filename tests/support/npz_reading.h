#ifndef DTRAIN_TESTS_NPZ_READING_H
#define DTRAIN_TESTS_NPZ_READING_H

/** Archives in the file x.npz of the scratch folder, valid and damaged, and checks of what is
 * read from them. For cmocka tests. */

#include "zip_builder.h"

#include "dtrain/io/npz.h"

/** Shape of the example. */
enum { NPZ_ROWS = 6, NPZ_COLUMNS = 3, NPZ_ITEMS = NPZ_ROWS * NPZ_COLUMNS };

/** Returns the items of the example, which most tests read. */
const float *npz_example_items(void);

/** Makes the .npy file of the example, NPZ_ROWS x NPZ_COLUMNS of float32; zip_free() the result. */
zip_bytes npz_example(void);

/** Ends the archive, saves it as x.npz and frees it; returns the path. */
const char *npz_save(zip_builder *zip, const zip_ending *ending);

/** Saves an archive of one member; by default its name is x.npy and its data the example's. */
const char *npz_save_member(zip_member member, zip_ending ending);

/** Saves any bytes as x.npz; returns the path. */
const char *npz_save_text(const char *text, size_t bytes);

/** Reads one array in pieces of `step` bytes to a block of exactly its size; free() the result. */
dt_status npz_read_array(const dt_npz *npz, const char *name, size_t step, unsigned char **out,
                         size_t *bytes);

/** Opens the archive and reads all arrays to their ends. If `expected` is not NULL, fails unless
 * each array that can be read has these bytes. */
dt_status npz_read_archive(const char *path, const void *expected, size_t expected_bytes);

/** Fails unless all arrays of the archive can be read and equal the example. */
void assert_npz_reads_example(const char *path);

/** Fails unless opening returns DT_DATA with one line that contains the path and `part`. */
void assert_npz_open_fails(const char *path, const char *part);

/** Fails unless opening or reading returns DT_DATA with one line that contains the path and
 * `part`. */
void assert_npz_read_fails(const char *path, const char *part);

#endif
