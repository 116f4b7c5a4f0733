#include "keras_losses.h"

#include "dtrain/base/status.h"
#include "dtrain/model/keras_model.h"

#include <string.h>

/* The cross-entropy of one-hot targets is the same function, written otherwise. */
static const dt_keras_loss losses[] = {
    {&dt_cross_entropy,
     "SparseCategoricalCrossentropy",
     NULL,
     {"categorical_crossentropy", "CategoricalCrossentropy"},
     false},
    {&dt_cross_entropy, "BinaryCrossentropy", NULL, {"binary_crossentropy"}, true},
    {&dt_mean_squared_error, "MeanSquaredError", NULL, {"mse", "MSE"}, false},
    {&dt_mean_absolute_error, "MeanAbsoluteError", NULL, {"mae", "MAE"}, false},
    {&dt_huber, "Huber", "delta", {"huber_loss"}, false},
    {&dt_quantile, NULL, NULL, {NULL}, false},
};

const dt_keras_loss *dt_keras_loss_of(const dt_loss *loss)
{
    size_t i = 0;
    while (losses[i].loss != loss)
        i++;
    return &losses[i];
}

static bool is_called(const dt_keras_loss *row, const char *name)
{
    bool is = strcmp(name, row->loss->name) == 0 || strcmp(name, row->class_name) == 0;
    for (size_t i = 0; i < DT_KERAS_LOSS_NAMES && row->others[i] != NULL; i++)
        is = is || strcmp(name, row->others[i]) == 0;
    return is;
}

const dt_keras_loss *dt_keras_loss_find(const char *name)
{
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++)
        if (losses[i].class_name != NULL && is_called(&losses[i], name))
            return &losses[i];
    return NULL;
}

bool dt_keras_loss_in_units(double *number, const dt_network *network)
{
    const dt_keras_loss *row = dt_keras_loss_of(network->loss);
    const dt_target_scale *scale = network->scale;
    *number = network->loss_number;
    if (row->class_name == NULL)
        return false;
    if (row->number == NULL || scale == NULL)
        return true;
    for (size_t j = 1; j < network->C; j++)
        if (scale[j].deviation < scale->deviation || scale[j].deviation > scale->deviation)
            return false;
    *number *= scale->deviation;
    return true;
}
