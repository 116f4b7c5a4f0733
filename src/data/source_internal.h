#ifndef DTRAIN_DATA_SOURCE_INTERNAL_H
#define DTRAIN_DATA_SOURCE_INTERNAL_H

/* Shared by the files of source.h: source_arrays.c finds the sets' arrays in a file. Root-only. */

#include "arrays.h"
#include "dtrain/data/source.h"

/* Finds the arrays of one set in a file with this set only: the arrays that were given, else those
 * named after the set, else those of no set, else those of the training set. Errors: DT_DATA. */
DT_MUST_USE dt_status dt_source_find_set(dt_source_set *out, const dt_npz *npz, dt_set set,
                                         const dt_array_wish *wish);

/* Finds all sets of a file; there must be a training set. Errors: DT_DATA. */
DT_MUST_USE dt_status dt_source_find_sets(dt_source *source, const dt_npz *npz,
                                          const dt_array_wish *wish);

/* Finds the arrays of dt_source_open_rows. A name that was given as it is in the file means that
 * array, whatever sets there are. Errors: DT_DATA, also when the set is not there. */
DT_MUST_USE dt_status dt_source_find_rows(dt_source *out, const dt_npz *npz, dt_set set,
                                          const dt_array_wish *wish);

/* Makes one of the sets the training set, without others. Errors: DT_DATA: it is not there. */
DT_MUST_USE dt_status dt_source_choose_set(dt_source *source, const char *path, dt_set set);

#endif
