#ifndef DTRAIN_NN_LAYERS_PRODUCTS_H
#define DTRAIN_NN_LAYERS_PRODUCTS_H

#include "../layer_internal.h"

/** Shared by the layers with kernels. All calls are local. */

/**
 * Passes on a block of at most 32 by 32 parameters, whose gradient is A^T B, segment by segment.
 * `step` is the number of rows of A and B for each row of the network's inputs. Their rows are
 * `a_row` and `b_row` floats apart; B is a panel. `marks` are A's (dt_outer.marks), or NULL.
 */
void dt_hand_over_block(const dt_traversal *t, const dt_gradient_block *block, size_t step,
                        const float *A, size_t a_row, const uint32_t *marks, const float *B,
                        size_t b_row, int thread);

/**
 * Passes on the gradient of `columns` <= 32 parameters from `first` on: the sums over the rows of
 * dY, which are `row` floats apart.
 */
void dt_hand_over_sums(const dt_traversal *t, size_t first, size_t columns, size_t step,
                       const float *dY, size_t row);

/**
 * The last layer's product: rows of logits by `kernels` kernels [D,C], which alternate row by row.
 * Kernels are adjacent among the parameters, and so are biases, if there are any.
 */

/** Returns the size of the packed kernels, in floats. */
size_t dt_narrow_packed(const dt_layer *layer, size_t kernels);

/** Allocates the packed kernels, in weights[l]. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_narrow_allocate(dt_workspace *w, const dt_network *network, size_t l,
                                         size_t kernels);

/** Packs the kernels for the forward product and, transposed as they are, for the backward one. */
void dt_narrow_pack(const dt_traversal *t, size_t l, size_t kernels);

/** Computes the logits of rows from .. to-1; both are multiples of `kernels`. */
void dt_narrow_forward(const dt_traversal *t, size_t l, size_t kernels, size_t from, size_t to);

/** Passes on the gradients of biases, if there are any, and kernels. */
void dt_narrow_gradient(dt_traversal *t, size_t l, size_t kernels);

#endif
