#ifndef DTRAIN_TRAIN_UPDATE_H
#define DTRAIN_TRAIN_UPDATE_H

#include "dtrain/train/stepper.h"

/**
 * Updates the parameters by the sum of a step's gradients: those of this rank's slice
 * (dt_gradient_sum). `weight` is that of all rows of the step; a step in which all weights are 0
 * has gradients of 0.
 *
 * Calls:   collective
 */
void dt_stepper_update(dt_stepper *stepper, double weight);

#endif
