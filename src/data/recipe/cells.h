#ifndef DTRAIN_DATA_CELLS_H
#define DTRAIN_DATA_CELLS_H

/* Shared by the fit and the application of a recipe: the cells of a table. */

#include "dtrain/base/status.h"
#include "dtrain/io/csv.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The texts that mean a missing value, beside the empty one. */
typedef struct dt_missing {
    const char *const *texts;
    size_t count;
    /* For the texts that begin with this byte, bit n: one of them has n bytes. For most cells this
     * is enough. */
    uint64_t lengths[256];
} dt_missing;

/** Makes it; `texts` are borrowed. Local. */
dt_missing dt_missing_of(const char *const *texts, size_t count);

/** Returns whether a cell means a missing value. Local. */
bool dt_missing_is(const dt_missing *missing, const dt_csv_field *cell);

/** Returns the index of the text that a cell is; SIZE_MAX: none, as of an empty cell. Local. */
size_t dt_missing_find(const dt_missing *missing, const dt_csv_field *cell);

/**
 * Fails with DT_DATA: "clients.csv: row 17 (line 18): column 'age': 'old' <what>". Local.
 */
DT_MUST_USE dt_status dt_cell_fail(const char *path, const dt_csv_row *row, const char *column,
                                   const dt_csv_field *cell, const char *what);

/** Returns sign(x) log(1 + |x|), the scale "log" before it is centred. Local. */
double dt_signed_log(double x);

/**
 * Returns z / sqrt(1 + (z / 3)^2), the smooth clip of the scale "clipped"; infinities become 3 and
 * -3. Local.
 */
double dt_smooth_clip(double z);

#endif
