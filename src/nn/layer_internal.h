#ifndef DTRAIN_NN_LAYER_INTERNAL_H
#define DTRAIN_NN_LAYER_INTERNAL_H

#include "linalg_internal.h"

#include "dtrain/nn/network.h"

/** The state of a pass over a network's layers. */
typedef struct dt_traversal {
    const dt_kernels *kernels;
    const dt_network *network;
    dt_workspace *workspace;
    const dt_segments *segments;

    /* of a backward pass */
    size_t first_filled, last_filled; /* first and last segment with rows; first > last: none */
    dt_gradient_sink *sink;
    dt_gradient_done *done;
    void *context;
    size_t final; /* the gradients from this parameter on are complete */
} dt_traversal;

/**
 * The interface of a kind of layer. `l` is the layer's index. Rows are computed one by one or
 * segment by segment (linalg.h), never across segments, unless the layer sums the batch. All calls
 * are local, except for that sum.
 *
 * Rows are those of the layer's outputs: K for each row of the network's inputs (dt_layer.K).
 */
struct dt_layer_kind {
    const char *name; /* in files and messages; Keras's name of such a layer begins with it */
    dt_option_table options; /* of a dt_layer */

    /* Completes the layer, whose D, K and number are set, and declares its tensors
     * (dt_network_declare). Errors: DT_DATA: the layer is not allowed in this place. */
    dt_status (*plan)(dt_network *network, size_t l);

    /* Applies the layer to rows [B,D] in place; NULL: the layer is part of the passes. A layer with
     * this function has no trained tensors, and comes before all others; it is applied to the data
     * once. */
    void (*prepare)(const dt_network *network, size_t l, float *X, size_t B);

    /* Checks the layer's constants, which were read from a file; NULL: their tensors' ranges are
     * the only checks. Errors: DT_DATA. */
    dt_status (*check)(const dt_network *network, size_t l);

    bool encodes_numbers; /* its outputs begin with `width` numbers for each encoded input */
    bool row_major; /* its outputs are rows of logits, whatever their number; only a last layer */
    bool sums_batch; /* in training, `begin_forward` and `begin_backward` add up over all ranks */
    bool training_only; /* in inference its outputs are its inputs */
    bool fuses_activation; /* `backward` also applies the derivative of the activation before it */

    /* Allocates the layer's own memory in a workspace: weights[l], transposed[l], kept[l]; NULL:
     * nothing. Errors: DT_MEMORY. */
    dt_status (*allocate)(dt_workspace *w, const dt_network *network, size_t l, dt_passes passes);

    /* Prepares the passes; NULL: nothing to prepare. Without rows `begin_backward` is not called,
     * unless the layer sums the batch. */
    void (*begin_forward)(const dt_traversal *t, size_t l);
    void (*begin_backward)(const dt_traversal *t, size_t l);

    /* Computes the outputs of rows from .. to-1 from the inputs. Called by the threads of a
     * pool. */
    void (*forward)(const dt_traversal *t, size_t l, size_t from, size_t to);

    /* Computes the gradients of the inputs from those of the outputs, of rows from .. to-1: into
     * the deltas of layer `before`, whose outputs are the inputs. Called by the threads of a
     * pool. */
    void (*backward)(const dt_traversal *t, size_t l, size_t before, size_t from, size_t to);

    /* Adds the gradients that `backward` stored for layer `to_layer` to its deltas; called after
     * all other parts of these deltas have been written. NULL: it stores none. */
    void (*add_kept)(const dt_traversal *t, size_t l, size_t to_layer, size_t from, size_t to);

    /* Passes on the gradients of the layer's tensors, from the last to the first; NULL: it has no
     * tensors. */
    void (*gradient)(dt_traversal *t, size_t l);

    /* Updates the moving averages among the parameters first .. first+count-1 (dt_network_move);
     * NULL: it has none. */
    void (*move)(const dt_network *network, const dt_workspace *w, size_t l, size_t first,
                 size_t count);
};

/** The declaration of a tensor. */
typedef struct dt_tensor_plan {
    const char *name;
    size_t rows, columns; /* columns = 0: a vector */
    dt_start start;
    double deviation; /* as in dt_tensor */
    size_t fan_in, fan_out; /* 0: rows, columns */
    size_t repeated, repeats; /* as in dt_tensor */
    bool alike; /* likewise */
    bool decays;
    bool is_constant; /* it does not train */
    bool moves;
    bool non_negative;
} dt_tensor_plan;

/** Returns how many outputs of a layer, the first ones, are encoded inputs; 0: none. */
static inline size_t dt_layer_encoded_outputs(const dt_layer *layer)
{
    const size_t count = layer->kind->encodes_numbers ? layer->encoded : layer->groups;
    return layer->lead + count * layer->width;
}

/** Declares the next tensor of layer l; *first becomes its offset. Errors: DT_MEMORY: too large. */
DT_MUST_USE dt_status dt_network_declare(dt_network *network, size_t l, const dt_tensor_plan *plan,
                                         size_t *first);

/** Returns the allocated rows of layer l's outputs in a workspace. */
static inline size_t dt_workspace_rows(const dt_workspace *w, const dt_network *network, size_t l)
{
    return w->capacity * network->layers[l].K;
}

/** Allocates [rows, columns]. Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_workspace_make_panels(dt_panels *out, size_t rows, size_t columns,
                                               const char *what);

/**
 * Checks that no layer before layer `end` is part of the passes of inference, so that layer l is
 * one of the first in the passes. Errors: DT_DATA.
 */
DT_MUST_USE dt_status dt_network_check_beginning(const dt_network *network, size_t l, size_t end);

/** Returns whether a layer does anything in this pass. */
bool dt_traversal_uses(const dt_traversal *t, size_t l);

/** Returns the layer before layer l in this pass, whose outputs are its inputs; SIZE_MAX: none. */
size_t dt_traversal_before(const dt_traversal *t, size_t l);

/**
 * Returns how many inputs of layer l, the first ones, have gradients that a layer before uses. The
 * others are inputs of the network, which an encoding of numbers or categories leaves unchanged.
 */
size_t dt_traversal_used(const dt_traversal *t, size_t l);

/** Returns the first row of segment s, or behind the last one, of layer l's outputs. */
static inline size_t dt_traversal_start(const dt_traversal *t, size_t l, size_t s)
{
    return t->segments->start[s] * t->network->layers[l].K;
}

/** Returns the inputs of layer l. */
const dt_panels *dt_traversal_inputs(const dt_traversal *t, size_t l);

/** Returns the outputs of layer l, or its inputs if it does nothing in this pass. */
const dt_panels *dt_traversal_outputs(const dt_traversal *t, size_t l);

/** Allocates the slopes that the layer's activation keeps, in kept[l]; none for a forward pass.
 * Errors: DT_MEMORY. */
DT_MUST_USE dt_status dt_workspace_make_slopes(dt_workspace *w, const dt_network *network, size_t l,
                                               dt_passes passes);

/** Returns where the slopes of layer l go, from row `from` of panel p on; NULL: none are kept. */
float *dt_traversal_slopes(const dt_traversal *t, size_t l, size_t from, size_t p);

/** Returns what the derivative of layer l's activation is computed from: its outputs, or the slopes
 * that it kept. */
const dt_panels *dt_traversal_behind(const dt_traversal *t, size_t l);

/** Computes the part of `count` items for a thread of the pool: *from .. *to - 1. */
void dt_traversal_part(const dt_traversal *t, size_t count, int thread, size_t *from, size_t *to);

/** Reports that the gradients of the parameters from `first` on are complete. */
void dt_traversal_report_final(dt_traversal *t, size_t first);

/** Gives the caller time, for example to advance its messages. */
void dt_traversal_report_progress(const dt_traversal *t);

#endif
