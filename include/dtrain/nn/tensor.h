#ifndef DTRAIN_NN_TENSOR_H
#define DTRAIN_NN_TENSOR_H

#include <stdbool.h>
#include <stddef.h>

/** How a tensor begins. */
typedef enum dt_init {
    DT_INIT_ZEROS,
    DT_INIT_GLOROT_UNIFORM /* U[-L, L), L = sqrt(6 / (dims[0] + dims[1])) */
} dt_init;

/**
 * A tensor of a network's parameters: a range of their block, row-major. The list of tensors is the
 * one source for allocation, initial values, names in files, and messages about parameters.
 */
typedef struct dt_tensor {
    size_t layer; /* its index in the network */
    const char *name; /* "kernel", "bias", as Keras has them; static text */
    size_t first, count; /* parameters first .. first+count-1 */
    size_t dims[2]; /* of a vector: count, 0 */
    dt_init init;
    bool decays; /* weight decay applies to it: kernels, not biases */
    bool non_negative; /* a variance */
} dt_tensor;

#endif
