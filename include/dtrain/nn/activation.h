#ifndef DTRAIN_NN_ACTIVATION_H
#define DTRAIN_NN_ACTIVATION_H

#include "dtrain/base/status.h"

#include <stdbool.h>
#include <stddef.h>

/** The activations of hidden layers; the names are Keras's. */
typedef enum dt_activation {
    DT_ACTIVATION_RELU,
    DT_ACTIVATION_TANH,
    DT_ACTIVATION_SIGMOID,
    DT_ACTIVATION_GELU, /* z Phi(z), Phi by the error function: Keras's approximate=False */
    DT_ACTIVATION_SILU, /* z sigmoid(z) */
    DT_ACTIVATION_ELU, /* z for z > 0, else e^z - 1 */
    DT_ACTIVATION_SELU, /* 1.0507 z for z > 0, else 1.7581 (e^z - 1) */
    DT_ACTIVATION_LEAKY_RELU, /* z for z >= 0, else 0.2 z */
    DT_ACTIVATION_SOFTPLUS, /* log(1 + e^z) */
    DT_ACTIVATION_HARD_SIGMOID, /* z / 6 + 1/2 within 0..1: Keras 3's; Keras 2's has z / 5 */
    DT_ACTIVATION_LINEAR
} dt_activation;

/** The names in the order of the enumeration, separated by bars, for the options table. */
#define DT_ACTIVATION_NAMES                                                                        \
    "relu|tanh|sigmoid|gelu|silu|elu|selu|leaky_relu|softplus|hard_sigmoid|linear"

/** Returns the name of an activation. */
const char *dt_activation_name(dt_activation activation);

/** Returns the activation of that name; linear if there is none. */
dt_activation dt_activation_find(const char *name);

/** Returns whether the backward pass needs slopes that the forward pass keeps: of some activations
 * the output does not determine the slope. */
bool dt_activation_keeps_slopes(dt_activation activation);

/**
 * Applies the activation, in place.
 *
 * Math:    Y = act(Y)
 * Shapes:  Y [count] in and out; slopes [count] out: act'(z), for an activation that keeps them, or
 *          NULL. The bits of Y are the same with and without
 * Error:   tanh at most 1.331 ulp of float32; sigmoid at most 1.499 ulp for z >= 0, and 2.481 ulp
 *          for -87 <= z < 0; sigmoid of a smaller z lies between the values at -88 and -87: 6e-39
 *          and 2e-38, or 0 if subnormal numbers are off. gelu at most 5.6 ulp for z >= -12.9,
 *          silu 2.7 ulp for z >= -87; a smaller z counts as that bound. elu 1.1, selu
 *          2.5, softplus 2.2 ulp for z >= -87
 * Calls:   local; each element on its own, so the bits do not depend on the count
 */
void dt_activation_forward(dt_activation activation, float *Y, float *slopes, size_t count);

/**
 * Carries the gradient back through the activation, in place.
 *
 * Math:    dY = dY * act'(z), written in terms of Y = act(z)
 * Shapes:  dY [count] in and out; Y [count] in, or the slopes if the activation keeps them
 * Calls:   local; each element on its own
 */
void dt_activation_backward(dt_activation activation, float *dY, const float *Y, size_t count);

#endif
