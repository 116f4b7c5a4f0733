#ifndef DTRAIN_IO_NPZ_H5_H
#define DTRAIN_IO_NPZ_H5_H

/* The datasets of an HDF5 file as members of an archive. Private to src/io/npz. */

#include "dtrain/io/npy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A dataset. */
typedef struct npz_h5_array {
    char *path; /* "/train/inputs" */
    char *error; /* why it cannot be used; NULL: it can */
    dt_npy npy; /* what its .npy would say; texts of any length: once they are measured */
    bool unmeasured; /* texts whose longest is not known yet */
    uint64_t stored_bytes, chunk_rows;
    uint32_t crc32; /* of that .npy, once it has been read to its end */
    bool summed;
} npz_h5_array;

typedef struct npz_h5 npz_h5;

/**
 * Opens a file and lists its datasets, those in groups too, in the order of their names.
 *
 * Owns:    the caller closes; *out = NULL on error
 * Errors:  DT_DATA as dt_h5_open; also when it is a model, a run's log, a checkpoint or a table of
 *          pandas, holds no dataset that can be used, or more than 1000; DT_MEMORY
 */
DT_MUST_USE dt_status npz_h5_open(npz_h5 **out, const char *path);
void npz_h5_close(npz_h5 *h5);

size_t npz_h5_count(const npz_h5 *h5);
npz_h5_array *npz_h5_at(const npz_h5 *h5, size_t index); /* borrowed */

/** Finds the longest text of an array that is unmeasured. Errors: DT_DATA. */
DT_MUST_USE dt_status npz_h5_measure(const npz_h5 *h5, npz_h5_array *array);

/** An array being read, as dt_npz_stream. */
typedef struct npz_h5_stream npz_h5_stream;
DT_MUST_USE dt_status npz_h5_stream_open(npz_h5_stream **out, const npz_h5 *h5,
                                         npz_h5_array *array);

/** Errors: DT_DATA: damaged; it has other bytes than when it was read before */
DT_MUST_USE dt_status npz_h5_stream_read(npz_h5_stream *stream, void *out, size_t bytes);
void npz_h5_stream_close(npz_h5_stream *stream);

#endif
