#ifndef DTRAIN_IO_NPY_H
#define DTRAIN_IO_NPY_H

#include "dtrain/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The array format inside a .npz: a header of text, then the items.
 *
 * Source:  NEP 1, and numpy/lib/format.py; versions 1, 2 and 3
 */
enum {
    DT_NPY_MAX_DIMS = 32, /* NumPy's own limit; 64 since NumPy 2 */
    DT_NPY_MAX_HEADER_BYTES = 65536 /* magic, length and text; NumPy's own reader stops at 10000 */
};

/* TEXT: UTF-32, padded with zeros; BYTES: one byte a character, padded with zeros. */
typedef enum dt_npy_kind {
    DT_NPY_BOOL,
    DT_NPY_INT,
    DT_NPY_UINT,
    DT_NPY_FLOAT,
    DT_NPY_TEXT,
    DT_NPY_BYTES
} dt_npy_kind;

typedef struct dt_npy {
    dt_npy_kind kind;
    unsigned item_bytes; /* 1, 2, 4 or 8; floats 2, 4 or 8; of text any number */
    bool swapped; /* the other byte order than this machine's */
    bool fortran; /* column-major */
    unsigned dims; /* 0 for a scalar */
    uint64_t shape[DT_NPY_MAX_DIMS];
    uint64_t count; /* product of the shape */
    uint64_t data_bytes; /* count * item_bytes */
    uint64_t header_bytes; /* where the items begin */
    char descr[16]; /* as in the header: "<f4" */
} dt_npy;

/**
 * Parses a header from the first `bytes` bytes of an array file.
 *
 * `name` is the array's name in error lines. If the header is longer than `bytes`, the call fails;
 * DT_NPY_MAX_HEADER_BYTES bytes, or the whole file, are always enough.
 *
 * Calls:   local
 * Errors:  DT_DATA for a bad magic, version, syntax, missing key, negative or overflowing shape,
 *          more than 32 dimensions, and for item types that are not numbers, each named with a
 *          remedy: object (pickled), strings, complex, structured, datetime, long double
 */
DT_MUST_USE dt_status dt_npy_parse(dt_npy *out, const char *name, const unsigned char *header,
                                   size_t bytes);

/** As dt_npy_parse, but also accepts arrays of text. */
DT_MUST_USE dt_status dt_npy_parse_any(dt_npy *out, const char *name, const unsigned char *header,
                                       size_t bytes);

/**
 * Describes an array in C order without a header by its type, for example "<f4", and shape. `name`
 * is its name in error lines; header_bytes is what dt_npy_header writes.
 *
 * Errors:  DT_DATA as dt_npy_parse_any
 */
DT_MUST_USE dt_status dt_npy_make(dt_npy *out, const char *name, const char *descr, unsigned dims,
                                  const uint64_t *shape);

/** Writes the header that the array has in a file of dtrain; returns its length. Dimensions beyond
 * the fourth are multiplied. */
size_t dt_npy_header(char out[256], const dt_npy *npy);

/** Fails as dt_npy_parse does for an array of text. */
DT_MUST_USE dt_status dt_npy_refuse_text(const dt_npy *npy, const char *name);

/** Returns whether the items are text. Local. */
bool dt_npy_is_text(const dt_npy *npy);

/**
 * Writes an item of text as UTF-8, without the zeros behind it. Bytes that are not UTF-8 are read
 * as Latin-1.
 *
 * Shapes:  out [dt_npy_text_bytes(npy)]
 * Returns: its length; SIZE_MAX: it has a character that Unicode does not have, or a zero inside
 */
size_t dt_npy_to_text(char *out, const void *item, const dt_npy *npy);

/** Returns how many bytes a text can take, with a zero behind it. Local. */
size_t dt_npy_text_bytes(const dt_npy *npy);

/**
 * Converts `count` items to float64: exact, except that integers beyond 2^53 are rounded to
 * nearest.
 *
 * `items` may lie at any address; it and `out` do not overlap. A bool is 1 for any byte but zero.
 *
 * Calls:   local
 * Cost:    at the speed of memory; allocates nothing
 */
void dt_npy_to_double(double *out, const void *items, size_t count, const dt_npy *npy);

/** As dt_npy_to_double, to float32: rounds once, to nearest; beyond its range: infinity. */
void dt_npy_to_float(float *out, const void *items, size_t count, const dt_npy *npy);

/** Returns a whole number (DT_NPY_INT, DT_NPY_UINT) in 64 bits, in two's complement. Local. */
uint64_t dt_npy_to_whole(const void *item, const dt_npy *npy);

/**
 * Formats a version 1 header for a C-order little-endian array, padded to 64 bytes.
 *
 * `descr` is "<f4", "<i8", ... and dims at most 4; returns the header's length, a multiple of 64.
 */
size_t dt_npy_format(char out[256], const char *descr, unsigned dims, const uint64_t *shape);

#endif
