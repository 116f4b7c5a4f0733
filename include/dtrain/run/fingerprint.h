#ifndef DTRAIN_RUN_FINGERPRINT_H
#define DTRAIN_RUN_FINGERPRINT_H

#include "dtrain/data/source.h"
#include "dtrain/io/h5.h"

#include <stddef.h>
#include <stdint.h>

/** Maximum number of arrays of a run: inputs, targets and weights of each set. */
enum { DT_FINGERPRINT_MAX = 3 * DT_SET_COUNT };

/** One array that a run was trained on; a row of the log's table /data/members. */
typedef struct dt_fingerprint {
    char set[12]; /* "train", "validation", "test" */
    char array[8]; /* "inputs", "targets", "weights" */
    char file[256]; /* as it was named; longer names are cut */
    char member[64]; /* the array's name in the file; likewise */
    int64_t bytes; /* of the array with its .npy header, inflated */
    uint32_t crc32; /* CRC-32 of these bytes, from the archive and checked by reading; for a table,
                       of the array that `dtrain prepare` would write */
} dt_fingerprint;

/** The table /data/members over dt_fingerprint. */
extern const dt_h5_table dt_fingerprint_table;

/**
 * Lists the arrays of an open source (of a table, after its rows were dealt); returns their number.
 * Calls: local.
 */
size_t dt_fingerprint_list(dt_fingerprint out[DT_FINGERPRINT_MAX], const dt_source *source);

#endif
