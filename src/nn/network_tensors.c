#include "dtrain/nn/network.h"

#include "layer_internal.h"

#include <limits.h>

dt_status dt_network_declare(dt_network *network, size_t l, const dt_tensor_plan *plan,
                             size_t *first)
{
    size_t *total = plan->is_constant ? &network->constant_count : &network->P;
    size_t *count = plan->is_constant ? &network->constant_tensor_count : &network->tensor_count;
    dt_tensor *list = plan->is_constant ? network->constant_tensors : network->tensors;
    dt_tensor tensor = {.layer = l,
                        .name = plan->name,
                        .first = *total,
                        .count = plan->rows,
                        .dims = {plan->rows, plan->columns},
                        .start = plan->start,
                        .fan_in = plan->fan_in > 0 ? plan->fan_in : plan->rows,
                        .fan_out = plan->fan_out > 0 ? plan->fan_out : plan->columns,
                        .deviation = plan->deviation,
                        .repeated = plan->repeated,
                        .repeats = plan->repeats,
                        .alike = plan->alike,
                        .decays = plan->decays,
                        .moves = plan->moves,
                        .non_negative = plan->non_negative};
    if (plan->rows > INT_MAX || plan->columns > INT_MAX ||
        (plan->columns > 0 && __builtin_mul_overflow(plan->rows, plan->columns, &tensor.count)) ||
        __builtin_add_overflow(*total, tensor.count, total) ||
        *total > SIZE_MAX / (4 * sizeof(float)))
        return dt_fail(DT_MEMORY,
                       "layer %zu: its %s of %zu by %zu numbers is too large; use fewer units",
                       l + 1, plan->name, plan->rows, plan->columns);
    *first = tensor.first;
    list[(*count)++] = tensor;
    return DT_OK;
}

const dt_tensor *dt_network_tensor_of(const dt_network *network, size_t index)
{
    const dt_tensor *tensor = network->tensors + network->tensor_count - 1;
    while (index < tensor->first)
        tensor--;
    return tensor;
}

dt_status dt_network_check_beginning(const dt_network *network, size_t l, size_t end)
{
    for (size_t i = 0; i < end; i++) {
        const dt_layer_kind *kind = network->layers[i].kind;
        if (kind->prepare == NULL && !kind->training_only)
            return dt_fail(DT_DATA, "layer %zu (%s) must come before layers that train", l + 1,
                           network->layers[l].kind->name);
    }
    return DT_OK;
}
