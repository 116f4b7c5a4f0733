#ifndef DTRAIN_TESTS_NPZ_FIXTURE_H
#define DTRAIN_TESTS_NPZ_FIXTURE_H

#include "zip_builder.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Describes an array of a .npz file. */
typedef struct npz_array {
    const char *name; /* with ".npy" */
    const char *descr; /* as in the header: "'<f4'" */
    bool fortran;
    const char *shape; /* "(3, 2)" */
    const void *items;
    size_t bytes;
    bool deflate;
    uint32_t crc_change; /* damage: see zip_member */
    size_t cut;
} npz_array;

/** Writes a .npz file of these arrays without any code under test. Returns false if that fails. */
bool npz_build(const char *path, const npz_array *arrays, size_t count);

/** Appends `value` as an item of type `descr` ("'<f4'", "'>i8'", "'|b1'", ...). */
void npz_append(zip_bytes *to, const char *descr, double value);

#endif
