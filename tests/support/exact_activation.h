#ifndef DTRAIN_TESTS_EXACT_ACTIVATION_H
#define DTRAIN_TESTS_EXACT_ACTIVATION_H

#include "dtrain/nn/activation.h"

/* Activations and their derivatives by libm, from the formulas alone. */
long double exact_activation(dt_activation activation, long double z);
long double exact_slope(dt_activation activation, long double z);

#endif
