#ifndef DTRAIN_DATA_ARRAYS_H
#define DTRAIN_DATA_ARRAYS_H

#include "dtrain/base/status.h"
#include "dtrain/data/source.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * Finds the arrays of a file that are inputs and targets of each set: by their names, else by their
 * shapes. Root-only.
 *
 * A name is a word for inputs or targets, and perhaps a word for a set before or behind it:
 * x_train, train_x, trainX, train/inputs, X-Training. Upper and lower case are the same.
 */

/** The sets of a file, and its arrays without a set in their names; absent if inputs == NULL. */
typedef struct dt_array_sets {
    dt_source_set sets[DT_SET_COUNT];
    dt_source_set bare;
} dt_array_sets;

/** The names to search. */
typedef struct dt_array_wish {
    const char *inputs, *targets; /* names without sets; "": the usual words */
    bool labels; /* a set must have targets */
} dt_array_wish;

/** Finds arrays by their names; warns of inputs of a set that have no targets. Errors: DT_DATA: one
 * of them cannot be read. */
DT_MUST_USE dt_status dt_array_sets_find(dt_array_sets *out, const dt_npz *npz,
                                         const dt_array_wish *wish);

/**
 * Finds arrays by their shapes, and warns that it did: a single pair of an array with columns and a
 * narrow one with as many rows, which becomes the bare one; or two or three such pairs in order,
 * with which the file is full: training, validation if there are three, test.
 *
 * `known` has the arrays that are already known by name: inputs, targets, or none. *out has the
 * arrays found by names; if it has a set, nothing is guessed.
 *
 * Errors:  DT_DATA: nothing fits; the line lists the arrays with their shapes and says what to type
 */
DT_MUST_USE dt_status dt_array_sets_guess(dt_array_sets *out, const dt_npz *npz,
                                          const dt_array_wish *wish, const dt_source_set *known);

/** Writes the name without the word for the set that it begins or ends with, as it was written, and
 * returns that set; DT_SET_COUNT: there is none, and the name is copied. */
dt_set dt_array_name_split(char *base, size_t bytes, const char *name);

/** Returns the set's words, the best first, up to a NULL. */
const char *const *dt_array_set_words(dt_set set);

#endif
