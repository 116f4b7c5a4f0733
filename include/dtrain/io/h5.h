#ifndef DTRAIN_IO_H5_H
#define DTRAIN_IO_H5_H

#include "dtrain/base/status.h"

#include <stddef.h>
#include <stdint.h>

/**
 * HDF5 files built in memory (the core driver without a backing file) and put in place whole with
 * dt_file_replace, so that a reader never meets a half-written or locked one, and no kill damages
 * it.
 *
 * The format is the oldest that holds the content (superblock 0), without time stamps: the same
 * calls give the same bytes. Paths are absolute ("/model_weights/dense"), names are UTF-8.
 *
 * HDF5's own error stack is silenced; its innermost description goes into our one line. All calls
 * are local, and made by rank 0 only. Failing calls return DT_OUTPUT unless said otherwise, or
 * DT_MEMORY; a file that a call failed on can be freed, but what it holds is not to be relied on.
 *
 * HDF5 keeps some memory of its own for later use and gives it back when the process ends, through
 * its atexit handler; nobody needs to call H5close.
 */
typedef struct dt_h5 dt_h5;

typedef enum dt_h5_type {
    DT_H5_I32,
    DT_H5_I64,
    DT_H5_U32,
    DT_H5_F32,
    DT_H5_F64,
    DT_H5_TEXT /* in tables only: a char array of fixed size in the row, NUL-terminated, UTF-8 */
} dt_h5_type;

/** Starts an empty file in memory. Owns: the caller frees with dt_h5_free. */
DT_MUST_USE dt_status dt_h5_new(dt_h5 **out);

/** Frees the file in memory; NULL is allowed. */
void dt_h5_free(dt_h5 *h5);

/** Writes the file as it now is to `path` (dt_file_replace); it can be gone on with. */
DT_MUST_USE dt_status dt_h5_save(dt_h5 *h5, const char *path);

/** Makes a group and its missing parents; one that exists already is fine. */
DT_MUST_USE dt_status dt_h5_make_group(dt_h5 *h5, const char *path);

/** Sets a scalar attribute of the object at `path`, which exists ("/" does); replaces an older. */
DT_MUST_USE dt_status dt_h5_set_text(dt_h5 *h5, const char *path, const char *name,
                                     const char *text); /* variable-length UTF-8 */
DT_MUST_USE dt_status dt_h5_set_int(dt_h5 *h5, const char *path, const char *name, int64_t value);
DT_MUST_USE dt_status dt_h5_set_double(dt_h5 *h5, const char *path, const char *name, double value);

/** How many texts one attribute holds: 16 bytes each within Keras' bound of 64512 bytes a list. */
enum { DT_H5_TEXTS_MAX = 4032 };

/**
 * Sets a one-dimensional attribute of variable-length UTF-8 strings; `count` may be 0.
 *
 * Errors:  DT_OUTPUT also when count > DT_H5_TEXTS_MAX; an older attribute then stays
 */
DT_MUST_USE dt_status dt_h5_set_texts(dt_h5 *h5, const char *path, const char *name,
                                      const char *const *texts, size_t count);

/**
 * Writes a contiguous dataset, row-major, little-endian; parents are made; dims 0 is a scalar.
 *
 * An extent of 0 is allowed. `type` is not DT_H5_TEXT.
 *
 * Errors:  DT_OUTPUT also when `path` exists already
 */
DT_MUST_USE dt_status dt_h5_write_array(dt_h5 *h5, const char *path, dt_h5_type type, unsigned dims,
                                        const uint64_t *shape, const void *data);

/** One column of a table. */
typedef struct dt_h5_column {
    const char *name;
    const char *unit; /* goes into an attribute `<name>_unit` of the table; NULL for none */
    dt_h5_type type;
    size_t offset; /* in the row struct */
    size_t bytes; /* DT_H5_TEXT only: size of the char array, its NUL included */
} dt_h5_column;

/**
 * Makes an empty table: a one-dimensional compound dataset, extensible, packed in the file.
 * `pandas.DataFrame(f["epochs"][:])` reads it.
 *
 * Errors:  DT_OUTPUT also when `path` exists already
 */
DT_MUST_USE dt_status dt_h5_make_table(dt_h5 *h5, const char *path, const dt_h5_column *columns,
                                       size_t column_count, size_t row_bytes);

/**
 * Appends rows to a table made with the same columns; `row_count` may be 0.
 *
 * Only the columns get into the file, not the padding between them, and of a text nothing behind
 * its NUL; a text that fills its array loses the last byte.
 */
DT_MUST_USE dt_status dt_h5_append_rows(dt_h5 *h5, const char *path, const dt_h5_column *columns,
                                        size_t column_count, size_t row_bytes, const void *rows,
                                        size_t row_count);

/** Returns the version of the HDF5 library in use, "1.10.8". Owns: static text. */
const char *dt_h5_version(void);

#endif
