#ifndef DTRAIN_NN_SPEC_H
#define DTRAIN_NN_SPEC_H

#include "dtrain/nn/bins.h"
#include "dtrain/nn/network.h"
#include "dtrain/nn/normalization.h"

/** What normalizes the outputs of hidden dense layers: row by row, or unit by unit over a batch. */
typedef enum dt_norm { DT_NORM_NONE, DT_NORM_LAYER, DT_NORM_RMS, DT_NORM_BATCH } dt_norm;

/** The names in the order of the enumeration, separated by bars, for the options table. */
#define DT_NORM_NAMES "none|layer|rms|batch"

/** How numbers become inputs of the first hidden layer. */
typedef enum dt_embedding {
    DT_EMBEDDING_NONE,
    DT_EMBEDDING_PIECEWISE,
    DT_EMBEDDING_PERIODIC
} dt_embedding;

/** The names in the order of the enumeration, separated by bars, for the options table. */
#define DT_EMBEDDING_NAMES "none|piecewise|periodic"

/**
 * The parameters that the members of a network do not share: input scales and a last layer
 * (TabM-mini), or also scales before and after each hidden kernel, and biases (TabM).
 */
typedef enum dt_members_kind { DT_MEMBERS_MINI, DT_MEMBERS_FULL } dt_members_kind;

/** The names in the order of the enumeration, separated by bars, for the options table. */
#define DT_MEMBERS_KIND_NAMES "mini|full"

/**
 * A network as options describe it: the encoding of numbers and the beginning of members, if it has
 * them; hidden blocks, then a dense layer for the classes, of each member its own. A block is
 *
 *     f(h) = dropout(activation(norm(dense(h))))
 *
 * and of full members, of which W is all that they share,
 *
 *     f(h[k]) = dropout(activation(norm(((h[k] * r[k]) W) * s[k] + b[k])))
 *
 * and with `residual`, h + f(h) where h is a block's output that has as many units as f(h): never
 * in the first block, whose h are the network's inputs. A zeroed spec is a logistic regression.
 */
typedef struct dt_spec {
    dt_option_list hidden; /* units */
    dt_option_list activations; /* of each block, a dt_activation; one stands for all */
    dt_norm norm;
    bool residual;
    dt_normalization inputs; /* zeroed: they are taken as they are; dt_spec_of leaves this out */
    dt_embedding embedding; /* of numbers */
    const dt_bins *bins; /* of the piecewise one, and the normalized inputs; NULL, or none encoded:
                            inputs are taken as they are; dt_spec_of leaves this out */
    const bool *numbers; /* [D]: of the periodic one, which inputs are encoded; NULL, or none:
                            inputs are taken as they are; dt_spec_of leaves this out */
    size_t frequencies; /* of the periodic one, of an encoded input */
    double frequency_scale; /* their standard deviation at the start */
    size_t embedding_width; /* outputs of an encoded input */
    const size_t *columns; /* [D]: from 1 on the column of categories that an input comes from; 0:
                              it is none; NULL: none is; dt_spec_of leaves this out */
    size_t category_width; /* outputs of a column of categories; 0: inputs are taken as they are */
    size_t members; /* 0 or 1: one network alone */
    dt_members_kind members_kind; /* of two or more */
} dt_spec;

/**
 * Lays out the network, without dropout, noise and memory for its parameters. Once it is allocated,
 * dt_spec_put gives it its constants.
 *
 * Calls:   local
 * Owns:    the caller clears with dt_network_clear
 * Errors:  as dt_network_plan; DT_USAGE: the number of activations is neither 1 nor that of hidden
 *          layers; full members without two members and a hidden layer
 */
DT_MUST_USE dt_status dt_spec_plan(dt_network *out, size_t D, const dt_spec *spec, size_t C);

/** Copies the normalization, which numbers are encoded, the edges of bins, and the columns of
 * categories into the constants of a network that was planned by this spec. Local. */
void dt_spec_put(dt_network *network, const dt_spec *spec);

/**
 * Describes a network: hidden layers, their activations (one if they are all the same), the kind of
 * the first norm layer, whether any layer is an add, members and their kind, and the widths of
 * encodings. It has
 * at most DT_OPTION_LIST_MAX hidden dense layers. Local.
 */
void dt_spec_of(dt_spec *out, const dt_network *network);

/** Makes a network of dense layers alone with its initial parameters (DT_INIT_GLOROT_UNIFORM). */
DT_MUST_USE dt_status dt_spec_make(dt_network *out, size_t D, const size_t *hidden,
                                   size_t hidden_count, dt_activation activation, size_t C,
                                   uint64_t seed);

/**
 * Replaces the dropout layers: one at the end of each hidden block, before its add, or none if the
 * rate is 0. An add takes the outputs of the same layer as before, behind its dropout if there is
 * one.
 *
 * Calls:   local; parameters and constants stay as they are
 * Errors:  DT_MEMORY; DT_DATA: an add would take the inputs. Then the network is as it was
 */
DT_MUST_USE dt_status dt_spec_set_dropout(dt_network *network, double rate);

/**
 * Replaces the noise layers: one of that standard deviation for the network's inputs, behind their
 * normalization, or none if it is 0. Calls, Errors: as dt_spec_set_dropout.
 */
DT_MUST_USE dt_status dt_spec_set_noise(dt_network *network, double deviation);

#endif
