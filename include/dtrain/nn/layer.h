#ifndef DTRAIN_NN_LAYER_H
#define DTRAIN_NN_LAYER_H

#include "dtrain/nn/activation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What a kind of layer implements (nn/layer_internal.h). */
typedef struct dt_layer_kind dt_layer_kind;

/** A layer of a network: one of a kind, with its numbers. */
typedef struct dt_layer {
    const dt_layer_kind *kind;
    size_t number; /* among the network's layers of this kind, from 0; part of names */
    size_t D, H; /* inputs, units */
    size_t kernel, bias; /* dense: offsets of W [D,H], row-major, and of b [H], right behind it */
    /* Of the outputs; linear in the last layer, whose outputs are logits, and in layers that have
     * none. */
    dt_activation activation;
    double rate; /* dropout: share of the units that are dropped */
} dt_layer;

/**
 * What a pass over a network is for. A zeroed one is inference.
 *
 * Random numbers are keyed by (seed, epoch, position, layer, unit): they belong to the row, not to
 * the rank or the place in the batch.
 */
typedef struct dt_pass {
    bool training; /* layers that only training has are active */
    uint64_t seed, epoch;
    const uint64_t *positions; /* [rows]: of each row in the epoch's global order; for training */
} dt_pass;

/** The kinds of layers, one file each in nn/layers. */
extern const dt_layer_kind dt_layer_dense, dt_layer_dropout;

#endif
