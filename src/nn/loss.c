#include "dtrain/nn/loss.h"

#include <string.h>

const dt_loss *const dt_losses[DT_LOSS_COUNT] = {&dt_cross_entropy};

const dt_loss *dt_loss_find(const char *name)
{
    for (size_t i = 0; i < DT_LOSS_COUNT; i++)
        if (strcmp(dt_losses[i]->name, name) == 0)
            return dt_losses[i];
    return NULL;
}
