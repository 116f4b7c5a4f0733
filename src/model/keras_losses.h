#ifndef DTRAIN_MODEL_KERAS_LOSSES_H
#define DTRAIN_MODEL_KERAS_LOSSES_H

/* The losses in Keras: one row for each loss. All calls are local. */

#include "dtrain/nn/network.h"

enum { DT_KERAS_LOSS_NAMES = 2 };

typedef struct dt_keras_loss {
    const dt_loss *loss; /* its name is that of Keras's function */
    const char *class_name; /* NULL: Keras has no such loss */
    const char *number; /* what the class calls dt_loss.number; NULL: it has none */
    const char *others[DT_KERAS_LOSS_NAMES]; /* more names in files, for the same function */
    bool of_two; /* of each output by itself: that of classes if these are two */
} dt_keras_loss;

/* Returns the first row of a loss. */
const dt_keras_loss *dt_keras_loss_of(const dt_loss *loss);

/* Returns the row that has a file's name of a loss; NULL: dtrain has no such loss. */
const dt_keras_loss *dt_keras_loss_find(const char *name);

#endif
