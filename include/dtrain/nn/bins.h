#ifndef DTRAIN_NN_BINS_H
#define DTRAIN_NN_BINS_H

#include "dtrain/base/status.h"
#include "dtrain/nn/network.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The edges of the bins into which a network's inputs are encoded (nn/layers/piecewise_linear.c).
 * An input whose values are only 0 and 1, or a single one, is not encoded: it has no edges. All
 * calls are local.
 */
typedef struct dt_bins {
    size_t D; /* inputs */
    size_t encoded; /* inputs with edges */
    size_t count; /* edges of all inputs */
    float *counts; /* [D]: edges of each input, 0 or at least 2 */
    float *edges; /* [count], rising within an input */
    size_t capacity; /* allocated edges */
} dt_bins;

/** How edges are chosen: by the rows of each value, or by a tree that predicts the targets. */
typedef enum dt_bins_by { DT_BINS_BY_QUANTILE, DT_BINS_BY_TREE } dt_bins_by;

/** The names in the order of the enumeration, separated by bars, for the options table. */
#define DT_BINS_BY_NAMES "quantile|tree"

/** Maximum of --bins, and the maximum number of bins of an input with a very frequent value. */
enum { DT_BINS_MAX = 512, DT_BINS_SPIKE = 128 };

/** Minimum width of a bin: it is not 0 when subnormal numbers are treated as 0. */
#define DT_BIN_WIDTH_MIN 0x1p-126

/** Returns whether an input with values from `least` to `most` can be encoded: the range is neither
 * below the smallest normal number nor beyond the largest one. */
bool dt_bins_has_range(double least, double most);

/** A value and how often it occurs. */
typedef struct dt_value_count {
    float value;
    uint32_t rows; /* UINT32_MAX: this many or more */
} dt_value_count;

/**
 * Chooses the edges of one input from its values: each value is an edge if there are few values;
 * otherwise the edges are quantiles, in which a value has the weight of the square root of its
 * rows, so that a frequent value does not occupy the bins of the others. "Few" means at most `bins`
 * bins, or DT_BINS_SPIKE bins if a tenth of all rows have the same value. dt_bins_finish is called
 * at the end.
 *
 * Shapes:  values [count], rising, all different; out [max(bins, DT_BINS_SPIKE) + 1]
 * Returns: the number of edges, 0 for an input that is not encoded
 */
size_t dt_bins_choose(float *out, const dt_value_count *values, size_t count, size_t bins);

/**
 * Returns whether each value is an edge under both rules: there are at most DT_BINS_SPIKE + 1
 * values, and a tenth of all rows have the same value. A tree needs rows on both sides of an edge,
 * and would give no edges to the rare values next to a frequent one (capital gains: 92 % are 0).
 */
bool dt_bins_are_values(const dt_value_count *values, size_t count);

/**
 * Removes an inner edge if its distance to the previous or to the last edge is below 1 / 600,000 of
 * the range: in float32 there are too few numbers between the two. Values without a range
 * (dt_bins_has_range) are not encoded.
 *
 * Shapes:  edges [count], not falling, in and out; count 1 or more Returns: the number of remaining
 * edges, 0 for an input that is not encoded
 */
size_t dt_bins_finish(float *edges, size_t count);

/** Starts with no edges of D inputs. Owns: the caller clears. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_bins_init(dt_bins *out, size_t D);

/** Adds the edges of input `d`; inputs come in order. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_bins_add(dt_bins *bins, size_t d, const float *edges, size_t count);

/**
 * Copies the edges into the constants of the network's encoding layer, which was planned for these
 * edges.
 */
void dt_bins_put(dt_network *network, const dt_bins *bins);

/**
 * Counts the rows with an input below its first edge or above its last one; training had no such
 * values. 0 if the network encodes no inputs.
 *
 * Shapes:  X [B,D], the inputs of the network's first layer that trains
 */
size_t dt_bins_count_outside(const dt_network *network, const float *X, size_t B);

/** Frees; zeroed bins are allowed. */
void dt_bins_clear(dt_bins *bins);

#endif
