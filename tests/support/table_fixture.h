#ifndef DTRAIN_TESTS_TABLE_FIXTURE_H
#define DTRAIN_TESTS_TABLE_FIXTURE_H

/** Tables of known numbers in every form that a .npz file can have. For tests over ranks. */

#include "ranks.h"

#include "dtrain/data/dataset.h"

/** Describes the table of a file. */
typedef struct table {
    size_t N, D, C;
    const char *x_type, *y_type;
    const char *x_shape, *y_shape; /* NULL: (N, D) and (N,) */
    bool x_fortran, y_fortran, one_hot, deflate;
    size_t middle; /* of three dimensions (N, D/middle, middle) in Fortran order; 0: two */
    size_t damaged; /* 1 + row * D + column of an input that is `value` instead */
    double value;
    size_t wrong_label; /* 1 + row of a label that is `label` instead */
    double label;
    uint32_t crc_change;
    size_t cut;
} table;

/** Returns an input; it is exact in every type, and neighbours differ. */
double table_input(const table *t, size_t row, size_t column);

/** Returns the class of a row. */
size_t table_class(const table *t, size_t row);

/** Writes the table to file `name` of the scratch folder; rank 0 only. */
bool write_table(const char *name, const table *t);

/** Loads `path` on all ranks. Collective. */
dt_status table_load(dt_dataset sets[DT_SET_COUNT], const char *path, const dt_deal *deal);

#endif
