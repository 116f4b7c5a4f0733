#include "dtrain/nn/layer.h"

#include "layer_internal.h"

const dt_layer_kind *const dt_layer_kinds[DT_LAYER_KIND_COUNT] = {
    &dt_layer_normalization, &dt_layer_dense,
    &dt_layer_dropout,       &dt_layer_activation,
    &dt_layer_rectifier,     &dt_layer_prelu,
    &dt_layer_add,           &dt_layer_layer_norm,
    &dt_layer_rms_norm,      &dt_layer_batch_norm,
    &dt_layer_noise,         &dt_layer_piecewise_linear,
    &dt_layer_periodic,      &dt_layer_category_embedding,
    &dt_layer_member_scale,  &dt_layer_member_dense,
};

const char *dt_layer_kind_name(const dt_layer_kind *kind)
{
    return kind->name;
}

const dt_option_table *dt_layer_options(const dt_layer_kind *kind)
{
    return &kind->options;
}
