/* The kinds of layers: one row each. */
#include "layer_internal.h"

const dt_layer_kind *const dt_layer_kinds[] = {&dt_layer_dense, &dt_layer_dropout, NULL};

const char *dt_layer_kind_name(const dt_layer *layer)
{
    return layer->kind->name;
}
