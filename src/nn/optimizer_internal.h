#ifndef DTRAIN_NN_OPTIMIZER_INTERNAL_H
#define DTRAIN_NN_OPTIMIZER_INTERNAL_H

#include "dtrain/nn/optimizer.h"

#include <math.h>

/* Returns a state's number, or 0 if it is below 1e-30: a dead unit would otherwise leave subnormal
 * numbers, which CPUs compute 10 to 100 times slower. NaN stays. */
static inline float dt_optimizer_flush(float number)
{
    return fabsf(number) < 1e-30f ? 0.0f : number;
}

#endif
