#ifndef DTRAIN_DATA_LABELS_H
#define DTRAIN_DATA_LABELS_H

#include "classes.h"
#include "dtrain/base/status.h"
#include "dtrain/data/source.h"

#include <stddef.h>
#include <stdint.h>

/**
 * The class ids of one set, read from its file in row order. Root-only.
 *
 * Accepts whole numbers of any type, bools and texts, [N] or [N,1], and one-hot rows [N,C]. Needs a
 * few MiB of memory; for one-hot rows in Fortran order another two bytes for each row.
 */
typedef struct dt_labels {
    const dt_source_set *set;
    dt_npz_stream *stream;
    size_t width; /* 1, or C of one-hot rows */
    uint64_t row; /* next to be read */
    size_t capacity; /* rows a call can give */
    void *items; /* as in the file */
    double *values;
    uint16_t *ones; /* [N]: one-hot in Fortran order only; 1 + the class */
    char *text; /* of one label */
    dt_classes *classes;
} dt_labels;

/**
 * Starts reading; one-hot rows in Fortran order are read to the end. Labels must be among the
 * classes, unless those are found; the columns of one-hot rows are their indices.
 *
 * Owns:    the caller closes with dt_labels_close, also after an error; `classes` is borrowed
 * Errors:  DT_DATA: too many columns, or as dt_labels_read; DT_MEMORY
 */
DT_MUST_USE dt_status dt_labels_open(dt_labels *out, const dt_source_set *set, dt_classes *classes);

/**
 * Reads the next up to `capacity` labels; 0 at the end.
 *
 * Shapes:  y [labels->capacity] out
 * Errors:  DT_DATA: damaged data; fractional, empty, not among the classes, too many, not one-hot;
 *          DT_MEMORY
 */
DT_MUST_USE dt_status dt_labels_read(dt_labels *labels, int32_t *y, size_t *count);

/** Frees the memory of dt_labels_open. */
void dt_labels_close(dt_labels *labels);

/** Returns C when the targets are one-hot rows [N,C], else 0. */
size_t dt_labels_one_hot_width(const dt_source_set *set);

#endif
