#ifndef DTRAIN_NN_ACTIVATION_H
#define DTRAIN_NN_ACTIVATION_H

#include "dtrain/base/status.h"

#include <stddef.h>

/** The activations of hidden layers; the names are Keras's. */
typedef enum dt_activation {
    DT_ACTIVATION_RELU,
    DT_ACTIVATION_TANH,
    DT_ACTIVATION_SIGMOID,
    DT_ACTIVATION_LINEAR
} dt_activation;

/** The names in the order of the enumeration, separated by bars, for the options table. */
#define DT_ACTIVATION_NAMES "relu|tanh|sigmoid|linear"

/** Returns the name of an activation. */
const char *dt_activation_name(dt_activation activation);

/** Returns the activation of that name; linear if there is none. */
dt_activation dt_activation_find(const char *name);

/**
 * Applies the activation, in place.
 *
 * Math:    Y = act(Y)
 * Shapes:  Y [count] in and out
 * Error:   tanh at most 1.331 ulp of float32; sigmoid at most 1.499 ulp for z >= 0, and 2.481 ulp
 *          for -87 <= z < 0. Sigmoid of a smaller z lies between the values at -88 and -87: 6e-39
 *          and 2e-38, or 0 if subnormal numbers are off
 * Calls:   local; each element on its own, so the bits do not depend on the count
 */
void dt_activation_forward(dt_activation activation, float *Y, size_t count);

/**
 * Carries the gradient back through the activation, in place.
 *
 * Math:    dY = dY * act'(z), written in terms of Y = act(z)
 * Shapes:  dY [count] in and out, Y [count] in
 * Calls:   local; each element on its own
 */
void dt_activation_backward(dt_activation activation, float *dY, const float *Y, size_t count);

#endif
