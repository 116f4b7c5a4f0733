#ifndef DTRAIN_NN_LAYERS_ZEROS_H
#define DTRAIN_NN_LAYERS_ZEROS_H

#include "../layer_internal.h"

/**
 * Skips what a dense layer does not need: products with zeros among the network's inputs (columns
 * of categories have many), and gradients of inputs that no layer before uses. As long as all
 * numbers are finite, the bits are as if nothing was skipped, but for the sign of a zero among the
 * gradients (dt_mark). All calls are local; those for rows are made by threads.
 */

/** Allocates the marks of the inputs of layer l, if it can have any. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_zeros_allocate(dt_workspace *w, const dt_network *network, size_t l);

/** Marks the inputs of rows from .. to-1. Returns the marks of the first row for the product, or
 * NULL if skipping steps does not pay. */
const uint32_t *dt_zeros_mark(const dt_traversal *t, size_t l, size_t from, size_t to);

/** Returns the marks of a panel of inputs, of all rows, or NULL if skipping rows does not pay. */
const uint32_t *dt_zeros_marks(const dt_traversal *t, size_t l, size_t panel);

/**
 * Computes those gradients of the inputs that are used, of rows from .. to-1, from the returned
 * column on: into the deltas of layer `before`. The gradients of the columns before it remain to be
 * computed: it is a multiple of 32, or layer l's D.
 */
size_t dt_zeros_backward(const dt_traversal *t, size_t l, size_t before, size_t from, size_t to);

#endif
