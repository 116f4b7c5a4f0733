#ifndef DTRAIN_NN_TENSOR_H
#define DTRAIN_NN_TENSOR_H

#include <stdbool.h>
#include <stddef.h>

/** How a tensor begins. */
typedef enum dt_start {
    DT_START_ZEROS,
    DT_START_ONES,
    DT_START_RANDOM, /* by a dt_init */
    DT_START_BIAS, /* by a dt_init: zeros, or random numbers as the kernel beside it has */
    DT_START_UNIFORM, /* uniform in [-L, L), L = 1 / sqrt(fan_in) */
    DT_START_NORMAL, /* normal, of variance 1; see dt_tensor.repeated */
    DT_START_FREQUENCIES /* normal, cut off at three standard deviations (dt_tensor.deviation) */
} dt_start;

/**
 * How random tensors begin. Their variance is 2 / (D + H) (Glorot), 2 / D (He), 1 / D (LeCun) or
 * 1 / (3 D) (fan-in) for D inputs and H units: uniform in [-L, L), L = sqrt(3 variance), or normal.
 * The normal one is cut off at two standard deviations and spread to have that variance. Biases
 * are zeros; only the fan-in one gives them random numbers, too.
 *
 * Source:  Glorot and Bengio 2010; He et al. 2015; LeCun et al. 1998; Keras's VarianceScaling;
 *          fan-in: PyTorch's default of linear layers
 */
typedef enum dt_init {
    DT_INIT_GLOROT_UNIFORM,
    DT_INIT_GLOROT_NORMAL,
    DT_INIT_HE_UNIFORM,
    DT_INIT_HE_NORMAL,
    DT_INIT_LECUN_UNIFORM,
    DT_INIT_LECUN_NORMAL,
    DT_INIT_FAN_IN_UNIFORM
} dt_init;

/** The names in the order of the enumeration, separated by bars, for the options table. */
#define DT_INIT_NAMES                                                                              \
    "glorot_uniform|glorot_normal|he_uniform|he_normal|lecun_uniform|lecun_normal|fan_in_uniform"

/**
 * A tensor of a network's parameters: a range of their block, row-major. The list of tensors is the
 * one source for allocation, initial values, names in files, and messages about parameters.
 */
typedef struct dt_tensor {
    size_t layer; /* its index in the network */
    const char *name; /* "kernel", "bias", as Keras has them; static text */
    size_t first, count; /* parameters first .. first+count-1 */
    size_t dims[2]; /* of a vector: count, 0 */
    dt_start start;
    size_t fan_in, fan_out; /* inputs and outputs of a unit, for random starts */
    double deviation; /* DT_START_FREQUENCIES: standard deviation, before the cut */
    size_t repeated, repeats; /* DT_START_NORMAL: of each row of dims[1] numbers, the first
                                 `repeated` ones are drawn once for each `repeats` of them */
    bool alike; /* a random tensor: all of its rows start as the first one */
    bool decays; /* weight decay applies to it: kernels alone */
    bool moves; /* a moving average: it does not train (dt_network_move) */
    bool non_negative; /* a variance */
} dt_tensor;

#endif
