#ifndef DTRAIN_DATA_SOURCE_H
#define DTRAIN_DATA_SOURCE_H

#include "dtrain/base/status.h"
#include "dtrain/io/npz.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The three sets of a run. */
typedef enum dt_set { DT_TRAIN, DT_VALIDATION, DT_TEST, DT_SET_COUNT } dt_set;

/** Returns "train", "validation" or "test". */
const char *dt_set_name(dt_set set);

/** One set in its file; absent if inputs == NULL. */
typedef struct dt_source_set {
    const dt_npz *npz;
    const dt_npz_member *inputs; /* [N, ...]: all dimensions after the first are flattened */
    const dt_npz_member *targets; /* [N], [N,1], one-hot [N,C], or values [N,T] */
    const dt_npz_member *weights; /* [N] or [N,1]; NULL: none were asked for */
} dt_source_set;

/** The arrays of a set. */
enum { DT_ARRAY_INPUTS, DT_ARRAY_TARGETS, DT_ARRAY_WEIGHTS, DT_ARRAY_COUNT };

/** An array that is not in a file: the properties of an equal .npy file. */
typedef struct dt_source_sum {
    uint64_t bytes; /* with its header; 0: there is no such array */
    uint32_t crc32; /* of them */
} dt_source_sum;

/** A table whose rows are prepared while they are dealt. */
typedef struct dt_source_table {
    const char *path;
    struct dt_prepare *prepare; /* after dt_prepare_fit */
    dt_source_sum sums[DT_SET_COUNT][DT_ARRAY_COUNT]; /* once it has been dealt */
} dt_source_table;

/**
 * The data that the words after `dtrain train` name: a folder, a prefix, one file with all sets,
 * one file to split, or three files. All calls are root-only.
 */
typedef struct dt_source {
    dt_npz *files[DT_SET_COUNT];
    size_t file_count;
    dt_source_set sets[DT_SET_COUNT]; /* the training set is always there */
    dt_source_table *table; /* instead of all of them; borrowed. NULL: arrays */
    char name[64]; /* name in texts and of folders: "deposit" */
    bool has_sets; /* dt_source_open_rows chose one of several; else there was only one pair */
    char recipe[4096]; /* path of the folder's recipe.json; "" when there is none */
} dt_source;

/**
 * Finds and opens the data.
 *
 * - a folder: train.npz, validation.npz or val.npz, test.npz in it, or the same after one prefix
 * - PREFIX: PREFIX-train.npz, PREFIX_train.npz, PREFIX.train.npz ...
 * - one .npz with x_train, y_train[, x_val, y_val][, x_test, y_test]; X, valid, validation too
 * - one .npz with one pair of arrays: the training set, to be split
 * - three files: train, validation, test
 *
 * `inputs` and `targets` name the arrays. Empty ones are looked for: in a set's own file first the
 * names of that set (x_val and y_val ...) when both are empty, then inputs and targets, x and y,
 * X and y, x_train and y_train, data and labels, features and target.
 *
 * Owns:    the caller clears with dt_source_clear
 * Errors:  DT_DATA: nothing there, no such arrays, shapes that do not fit each other (rows of
 * inputs and targets, columns of the sets), no rows, more than INT_MAX / 4 columns
 */
DT_MUST_USE dt_status dt_source_open(dt_source *out, const char *const *paths, size_t path_count,
                                     const char *inputs, const char *targets);

/**
 * Finds and opens one set of rows for a model; it becomes the training set of the source, and there
 * is no other.
 *
 * `paths` is what dt_source_open takes, if there are several: .npy files; of named sets `set` is
 * taken; a file with one pair of arrays is taken whole, and so are .npy files of one set. With
 * `labels` it must have targets; without, a file with one array needs no names.
 *
 * Owns, Errors: as dt_source_open; DT_DATA also when the set is not there
 */
DT_MUST_USE dt_status dt_source_open_rows(dt_source *out, const char *const *paths,
                                          size_t path_count, dt_set set, const char *inputs,
                                          const char *targets, bool labels);

/** The array of weights that `dtrain prepare --weights` writes. */
#define DT_SOURCE_WEIGHTS "weights"

/** The arrays of `dtrain prepare` that identify the row of the table. */
#define DT_SOURCE_ROW "row"
#define DT_SOURCE_ID "id"

/**
 * Finds each set's row weights: the array `name`, or in a file with all sets name_train, name_val
 * and so on.
 *
 * Errors:  DT_DATA: a set has no such array, or not a number a row
 */
DT_MUST_USE dt_status dt_source_find_weights(dt_source *source, const char *name);

/**
 * Returns the array `name` of a set; its name may include the word of `set`. NULL: there is no
 * readable one.
 */
const dt_npz_member *dt_source_look(const dt_source_set *from, dt_set set, const char *name);

/**
 * Closes the files and their processes (io/h5.h) after reading; then there are no sets, but the
 * names remain.
 */
void dt_source_close_files(dt_source *source);

/** Closes the files; a zeroed source is allowed. */
void dt_source_clear(dt_source *source);

/** Returns the rows of a set, 0 when it is absent. */
uint64_t dt_source_rows(const dt_source_set *set);

/** Returns the inputs of a row, D: all dimensions after the first, multiplied. */
uint64_t dt_source_columns(const dt_source_set *set);

#endif
