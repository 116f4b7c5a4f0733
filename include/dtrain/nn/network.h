#ifndef DTRAIN_NN_NETWORK_H
#define DTRAIN_NN_NETWORK_H

#include "dtrain/base/exact_total.h"
#include "dtrain/base/pool.h"
#include "dtrain/base/status.h"
#include "dtrain/nn/layer.h"
#include "dtrain/nn/loss.h"
#include "dtrain/nn/panels.h"
#include "dtrain/nn/tensor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The scale of an output that is a value: target = mean + deviation * output. */
typedef struct dt_target_scale {
    double mean, deviation; /* of the training targets, over all rows; deviation > 0 */
} dt_target_scale;

/** Maximum number of networks of an ensemble. */
enum { DT_NETWORKS_MAX = 256 };

/**
 * A chain of layers whose last one, a dense layer, gives the C outputs.
 *
 * It may be the first one of an ensemble, whose prediction is the mean of its networks' predictions
 * (nn/predictor.h). Then loss, threshold and constants are those of the first one. All calls except
 * dt_network_allocate and dt_network_clear concern only the first one.
 */
typedef struct dt_network {
    size_t D, C;
    size_t K; /* members: each row has K adjacent rows of C outputs. Each member learns by its own
                 loss; the prediction is the mean of all members (members.h) */
    const dt_loss *loss; /* what the outputs mean; dt_network_plan sets cross-entropy */
    double loss_number; /* dt_loss.number */
    double
        threshold; /* of two classes: class 1 is predicted if its probability is at least that, in
                         float32; NaN: the more probable class is, also after dt_network_plan */
    dt_target_scale *scale; /* [C]; NULL: classes, or values that stay in their own units */
    size_t layer_count;
    dt_layer *layers;
    size_t tensor_count;
    dt_tensor *tensors; /* in the order of the parameters, layer by layer: trained tensors and
                         * moving averages */
    size_t P; /* parameters */
    float *params; /* [P]: kernel and bias of the first dense layer, then of the next, ... */
    size_t constant_tensor_count;
    dt_tensor *constant_tensors; /* that do not train; their offsets are in `constants` */
    size_t constant_count;
    float *constants; /* [constant_count] */
    size_t other_count; /* 0: it is not an ensemble */
    struct dt_network *others; /* [other_count]: the ensemble's other networks, of the same layers;
                                  each with its own parameters and scale */
} dt_network;

/**
 * Lays out a network of the given layers without memory for its parameters.
 *
 * Shapes:  layers [layer_count], with their kind and options set, are copied
 * Calls:   local
 * Owns:    the caller clears with dt_network_clear
 * Errors:  DT_DATA: the layers do not form a network: the last one is not a dense layer with linear
 *          outputs, or a layer is in a wrong place. DT_MEMORY, also if P would overflow or a
 *          dimension exceeds what BLAS can address
 */
DT_MUST_USE dt_status dt_network_plan(dt_network *out, size_t D, const dt_layer *layers,
                                      size_t layer_count);

/** Allocates parameters and constants, all 0, of a planned network, and the parameters of the
 * others of its ensemble. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_network_allocate(dt_network *network);

/** Plans a network and allocates it. Owns, Errors: as dt_network_plan. */
DT_MUST_USE dt_status dt_network_make(dt_network *out, size_t D, const dt_layer *layers,
                                      size_t layer_count);

/**
 * Gives all parameters their initial values.
 *
 * Math:    zeros, ones or random numbers, as the tensor says; the latter are a function of the
 *          seed, the tensor's number among those that are random, and the index
 * Calls:   local; the same on all ranks: the same arguments give the same bits
 */
void dt_network_fill(dt_network *network, dt_init init, uint64_t seed);

/** Checks constants for rules beyond the range of their tensors. Errors: DT_DATA. Local. */
DT_MUST_USE dt_status dt_network_check_constants(const dt_network *network);

/**
 * Applies the normalization, which comes first and does not train, to rows in place. The passes
 * below skip it: they expect prepared rows.
 *
 * Shapes:  X [B,D] in and out
 * Calls:   local; each row on its own
 */
void dt_network_prepare(const dt_network *network, float *X, size_t B);

/** Returns whether dt_network_prepare changes rows. Local. */
bool dt_network_prepares(const dt_network *network);

/**
 * Sets the scale of the outputs. `scale` [C] is copied; NULL: the outputs are classes, or values in
 * their own units.
 *
 * Errors: DT_MEMORY. Local.
 */
DT_MUST_USE dt_status dt_network_set_loss(dt_network *network, const dt_loss *loss, double number,
                                          const dt_target_scale *scale);

/** Turns values [B,C] from their own units into those of training; labels stay as they are.
 * Local. */
void dt_network_standardise(const dt_network *network, dt_target *y, size_t B);

/** Turns predictions [B,C] into the targets' units; probabilities stay as they are. Local. */
void dt_network_restore_units(const dt_network *network, float *predictions, size_t B);

/** Prints the layer's name as in Keras: "dense", "dense_1". Local. */
void dt_network_print_layer(char *out, size_t bytes, const dt_network *network, size_t l);

/** Returns the n-th dense layer, from 0, a member's or not; NULL: there are fewer. Local. */
const dt_layer *dt_network_dense(const dt_network *network, size_t n);

/** Returns the first layer of that kind; NULL: there is none. Local. */
const dt_layer *dt_network_first(const dt_network *network, const dt_layer_kind *kind);

/** Prints the widths of inputs and dense layers, "51-30-2", cut to the buffer. Local. */
void dt_network_print_widths(char *out, size_t bytes, const dt_network *network);

/** Frees; a zeroed network is allowed. */
void dt_network_clear(dt_network *network);

/**
 * Adds a planned network to the ensemble of `network`. Both have the same layers and the same loss.
 *
 * Calls:   local
 * Owns:    `other` is moved and then zeroed, but not after an error
 * Errors:  DT_MEMORY
 */
DT_MUST_USE dt_status dt_network_add(dt_network *network, dt_network *other);

/** Returns network m of the ensemble, m = 0 .. other_count. Local. */
static inline const dt_network *dt_network_member(const dt_network *network, size_t m)
{
    return m == 0 ? network : &network->others[m - 1];
}

/** Returns whether the inputs of layer l are rows of members: K for each row of the network's.
 * Local. */
static inline bool dt_network_takes_members(const dt_network *network, size_t l)
{
    return l > 0 && network->layers[l - 1].K > 1;
}

/** Returns the tensor that parameter `index` belongs to. */
const dt_tensor *dt_network_tensor_of(const dt_network *network, size_t index);

/**
 * Rows of one call, in segments: matrix products are computed segment by segment, so the bits of a
 * segment depend only on its own rows, on whatever rank it is computed.
 */
typedef struct dt_segments {
    size_t count;
    const size_t *start; /* [count + 1]: segment s has the rows start[s] .. start[s+1]-1 */
} dt_segments;

/** Largest number of units of a last layer that is not padded to a panel. */
enum { DT_NARROW = 16 };

/** Returns whether layer l keeps its outputs row-major, as logits: the last one, if it has few
 * units, or units of each member. Local. */
bool dt_network_is_narrow(const dt_network *network, size_t l);

/**
 * Adds up totals over the ranks that share a batch, in place. All of them call it in the same order
 * with the same counts, also those without rows.
 */
typedef void dt_batch_sum(void *context, dt_exact_total *totals, size_t count);

/**
 * The results of a forward pass that the backward pass uses; allocated once, before the step loop.
 */
typedef struct dt_workspace {
    dt_pool *pool; /* threads that share the work, set by the caller; NULL: none */
    dt_pass pass; /* the purpose of the next passes, set by the caller; zeroed: inference */
    /* For layers that need all rows of a batch, set by the caller; NULL: a call has all rows of its
     * batch. */
    dt_batch_sum *sum;
    void *sum_context;
    size_t capacity; /* rows */
    size_t layer_count;
    dt_panels input; /* [capacity,D] */
    dt_panels *outputs; /* [layer_count]: [capacity*K,H] each; of a narrow last layer none */
    dt_panels *deltas; /* [layer_count]: gradients of the outputs */
    dt_panels
        *kept; /* [layer_count]: what a layer keeps for the backward pass beside its outputs */
    float *logits; /* [capacity,K,C], row-major */
    uint32_t *marks; /* of the first dense layer's inputs, which are not zero; NULL: it is small */
    float **weights; /* [layer_count]: kernel and bias in the layout that products read */
    float **transposed; /* [layer_count]: kernel, transposed; of the first layer none */
    size_t total_count;
    dt_exact_total *totals; /* [total_count]: a layer's sums over the batch, if one needs any */
    /* A layer whose sums over the batch were not finite, or too large, in the forward pass or the
     * backward one behind it; the same on all ranks. What was computed is meaningless then. NULL:
     * there is none. */
    const dt_layer *unsummed;
} dt_workspace;

/** The passes of a workspace: both, or only the forward pass, which needs half the memory. */
typedef enum dt_passes { DT_BOTH_PASSES, DT_FORWARD_PASS } dt_passes;

/** Allocates for up to `rows` rows in one call. Owns: the caller clears. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_workspace_init(dt_workspace *out, const dt_network *network, size_t rows,
                                        dt_passes passes);

/** Frees; a zeroed workspace is allowed. */
void dt_workspace_clear(dt_workspace *workspace);

/**
 * Computes the logits of all rows.
 *
 * Shapes:  X [B,D] in, B = segments->start[count] <= capacity, or NULL: the rows are in
 *          workspace->input; the result [B,K,C] is borrowed, until the next call
 * Calls:   local; if workspace->sum is set and the pass is for training, as that is
 * Cost:    2*B*P flop; allocates nothing
 */
float *dt_network_forward(const dt_network *network, dt_workspace *workspace, const float *X,
                          const dt_segments *segments);

/** A block of at most 32 by 32 parameters: (i, j) is parameter first + i*row_step +
 * j*column_step. */
typedef struct dt_gradient_block {
    size_t first, rows, columns;
    size_t row_step, column_step;
} dt_gradient_block;

/**
 * Receives one segment's gradient of a block, [rows][32]; columns beyond the block are zeros.
 * Within a segment each parameter is given exactly once. A block comes for all segments in turn:
 * `fresh` marks the first segment of the block in this pass, `last` the last one. The numbers are
 * borrowed for the call. The threads of a pool pass different blocks at the same time; `thread` is
 * the calling thread.
 */
typedef void dt_gradient_sink(void *context, const dt_gradient_block *block, const float *gradient,
                              bool fresh, bool last, int thread);

/**
 * Reports that the gradients of all segments are complete for the parameters from `first` on: a
 * suffix that grows until `first` is 0. In between it is called with the same `first`, after each
 * product, so that the caller can advance its messages.
 */
typedef void dt_gradient_done(void *context, size_t first);

/**
 * Carries the gradient back and passes each segment's parameter gradient to `sink` in blocks that
 * fit the first-level cache, from the last parameters to the first. Without rows, `sink` is not
 * called and may be NULL; then only `done` is called.
 *
 * `done`, unless it is NULL, gets the same suffixes for any number of rows, even none: they depend
 * only on the network, so that all ranks have the same ones.
 *
 * Shapes:  rows as in the forward pass just done; the logits it returned hold dLoss/dlogits by now
 * Calls:   local; if workspace->sum is set, as that is, unless `sink` is NULL
 * Cost:    up to 4*B*P flop; allocates nothing
 */
void dt_network_backward(const dt_network *network, dt_workspace *workspace,
                         const dt_segments *segments, dt_gradient_sink *sink,
                         dt_gradient_done *done, void *context);

/**
 * Updates the moving averages among the parameters first .. first+count-1 with the statistics of
 * the last training pass.
 *
 * Math:    moving = momentum moving + (1 - momentum) statistic, in float32
 * Calls:   local, after the update of the other parameters
 */
void dt_network_move(const dt_network *network, const dt_workspace *workspace, size_t first,
                     size_t count);

#endif
