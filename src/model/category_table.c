#include "category_table.h"

#include "dtrain/base/memory.h"

dt_status dt_category_table_make(dt_category_table *out, const dt_network *network,
                                 const dt_layer *layer)
{
    dt_status status = DT_OK;
    const float *group_of = network->constants + layer->group_of;
    size_t encoded = 0, other = layer->lead + layer->encoded;
    *out = (dt_category_table){.E = layer->encoded,
                               .G = layer->groups,
                               .width = layer->width,
                               .lead = layer->lead,
                               .O = layer->D - layer->lead - layer->encoded,
                               .table = network->params + layer->kernel};
    DT_TRY(dt_memory_alloc(&out->inputs, layer->D, sizeof *out->inputs, "places of inputs"));
    DT_TRY(dt_memory_alloc(&out->groups, out->E, out->G * sizeof *out->groups,
                           "columns of categories"));
    for (size_t d = 0; d < layer->D; d++) {
        const size_t group = (size_t)group_of[d];
        if (d < layer->lead) {
            out->inputs[d] = (int64_t)d;
        } else if (group == 0) {
            out->inputs[other++] = (int64_t)d;
        } else {
            out->groups[encoded * out->G + group - 1] = 1.0f;
            out->inputs[layer->lead + encoded++] = (int64_t)d;
        }
    }
out:
    if (status != DT_OK)
        dt_category_table_clear(out);
    return status;
}

void dt_category_table_clear(dt_category_table *table)
{
    dt_memory_free(table->inputs);
    dt_memory_free(table->groups);
    *table = (dt_category_table){0};
}
