#ifndef DTRAIN_NN_LAYER_H
#define DTRAIN_NN_LAYER_H

#include "dtrain/base/options.h"
#include "dtrain/nn/activation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What a kind of layer implements (nn/layer_internal.h). */
typedef struct dt_layer_kind dt_layer_kind;

/** Whether a dense layer adds a bias to each unit. */
typedef enum dt_bias { DT_BIAS_UNITS, DT_BIAS_NONE } dt_bias;

/** Initial values of the scales of members: normal random numbers, or ones. */
typedef enum dt_scales { DT_SCALES_NORMAL, DT_SCALES_ONES } dt_scales;

/** Whether each unit of a prelu has its own slope, or all share one. */
typedef enum dt_slopes { DT_SLOPES_UNITS, DT_SLOPES_ONE } dt_slopes;

/** Whether a layer that scales members also adds a shift to each unit of each member. */
typedef enum dt_shifts { DT_SHIFTS_NONE, DT_SHIFTS_MEMBERS } dt_shifts;

/** A layer of a network: its kind, its options and its place. */
typedef struct dt_layer {
    const dt_layer_kind *kind;

    /* Set by the options of the kind (dt_layer_options). */
    size_t H; /* units; the number of inputs if the layer does not have this option */
    /* Of the outputs; periodic: of those of encoded inputs. It is linear in the last layer (its
     * outputs are logits) and in layers without an activation. */
    dt_activation activation;
    dt_bias biases; /* dense */
    dt_slopes slopes; /* prelu */
    dt_scales start; /* member scale: of its scales */
    dt_shifts shifts; /* member scale */
    double rate; /* dropout: share of the units that are dropped */
    double deviation; /* noise: standard deviation; periodic: standard deviation of the initial
                         frequencies */
    double slope, threshold, limit, curve; /* rectifier: its numbers */
    double epsilon; /* layer, RMS and batch normalization: number that is added to the variance */
    double momentum; /* batch normalization: share of the moving averages that a step keeps */
    size_t source; /* add: index of the earlier layer */
    size_t encoded; /* piecewise linear, periodic, category embedding: number of inputs that are
                       encoded */
    size_t edges; /* piecewise linear: edges of all their bins */
    size_t frequencies; /* periodic: of an encoded input */
    size_t width; /* piecewise linear, periodic: outputs of an encoded input; category embedding:
                     of a column */
    size_t groups; /* category embedding: columns that the encoded inputs come from */
    size_t members; /* member scale: number of members */

    /* Set by dt_network_plan from the layer's place in the network. */
    size_t number; /* among the network's layers of this kind, from 0; part of names */
    size_t D; /* inputs */
    size_t K; /* rows of outputs for each row of the network's inputs: the number of members of an
                 ensemble in one network; 1: a plain network. The K outputs of a row are adjacent */
    /* Offsets among the parameters. dense: of W [D,H], row-major, and of b [H], if it has one,
     * right behind it; member dense: of W [K,D,H] and b [K,H]; layer, RMS and batch normalization:
     * of the scale and the shift, [H] each; member scale: of the scales [K,H], and of the shifts
     * [K,H], if it has any; piecewise linear: of the slopes and the shifts, [encoded,width] each;
     * prelu: of the slopes [H] or [1]; periodic: of the common kernel [2 frequencies,width] and
     * bias [width]; category embedding: of the table [encoded,width]. */
    size_t kernel, bias;
    size_t bins; /* piecewise linear: offset of [edges - encoded, width], among the parameters */
    size_t turns; /* periodic: offset of the frequencies [encoded,frequencies], among the
                     parameters */
    /* Offsets of [D] each. normalization: among the constants; batch normalization: of the moving
     * averages, among the parameters. */
    size_t mean, variance;
    size_t edge_counts, edge_values; /* piecewise linear: offsets of [D] and of [edges], among the
                                        constants */
    size_t is_encoded; /* periodic: offset of [D], among the constants: 1 or 0 */
    size_t lead; /* category embedding: encoded numbers, which are its first inputs and outputs */
    size_t group_of; /* category embedding: offset of [D], among the constants: the number, from 1,
                        of the column that an input comes from; 0: it is not encoded */
} dt_layer;

/**
 * The purpose of a pass over a network. A zeroed one is inference.
 *
 * Random numbers are keyed by (seed, epoch, position, layer, unit): they belong to the row, not to
 * the rank or the place in the batch.
 */
typedef struct dt_pass {
    bool training; /* layers for training only are active */
    uint64_t seed, epoch;
    const uint64_t *positions; /* [rows]: of each row in the epoch's global order; for training */
} dt_pass;

/** The kinds of layers, one file each in nn/layers. */
extern const dt_layer_kind dt_layer_activation, dt_layer_add, dt_layer_batch_norm,
    dt_layer_category_embedding, dt_layer_dense, dt_layer_dropout, dt_layer_layer_norm,
    dt_layer_member_dense, dt_layer_member_scale, dt_layer_noise, dt_layer_normalization,
    dt_layer_periodic, dt_layer_piecewise_linear, dt_layer_prelu, dt_layer_rectifier,
    dt_layer_rms_norm;

/** Largest number of members. */
enum { DT_MEMBERS_MAX = 1024 };

/** Largest number of frequencies of a periodic encoding. */
enum { DT_FREQUENCIES_MAX = 256 };

/** The list of all kinds. */
enum { DT_LAYER_KIND_COUNT = 16 };
extern const dt_layer_kind *const dt_layer_kinds[DT_LAYER_KIND_COUNT];

/** Returns the kind's name, as in files: "dense". */
const char *dt_layer_kind_name(const dt_layer_kind *kind);

/** Returns the option table that describes, reads and writes a layer of this kind. */
const dt_option_table *dt_layer_options(const dt_layer_kind *kind);

#endif
