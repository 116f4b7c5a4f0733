#include "dtrain/nn/predictor.h"

#include "dtrain/base/memory.h"

#include <math.h>
#include <string.h>

/* Some blocks at once keep the small loops long; but not of very wide rows, which only cost
 * memory. */
enum { BLOCKS_AT_ONCE = 4, WIDE_ROW = 4096 };

dt_status dt_predictor_init(dt_predictor *out, const dt_network *network, bool prepares)
{
    dt_status status = DT_OK;
    memset(out, 0, sizeof *out);
    out->network = network;
    out->capacity = (size_t)DT_PREDICTOR_BLOCK * (network->D > WIDE_ROW ? 1 : BLOCKS_AT_ONCE);
    DT_TRY(dt_workspace_init(&out->workspace, network, out->capacity, DT_FORWARD_PASS));
    if (prepares && dt_network_prepares(network))
        DT_TRY(dt_memory_alloc(&out->prepared, out->capacity, network->D * sizeof *out->prepared,
                               "rows"));
    DT_TRY(dt_memory_alloc(&out->y, out->capacity,
                           dt_loss_targets(network->loss, network->C) * sizeof *out->y, "targets"));
    DT_TRY(dt_loss_rows_init(&out->rows, network->loss, out->capacity));
out:
    if (status != DT_OK)
        dt_predictor_clear(out);
    return status;
}

void dt_predictor_clear(dt_predictor *predictor)
{
    dt_workspace_clear(&predictor->workspace);
    dt_memory_free(predictor->prepared);
    dt_memory_free(predictor->y);
    dt_loss_rows_clear(&predictor->rows);
    memset(predictor, 0, sizeof *predictor);
}

static void apply_threshold(dt_predictor *predictor, size_t B)
{
    const float threshold = (float)predictor->network->threshold;
    for (size_t i = 0; !isnan(threshold) && i < B; i++)
        predictor->rows.predicted[i] = predictor->p[2 * i + 1] >= threshold;
}

void dt_predictor_run(dt_predictor *predictor, const float *X, const dt_target *y, size_t B)
{
    const dt_network *network = predictor->network;
    size_t start[BLOCKS_AT_ONCE + 1] = {0};
    dt_segments segments = {.start = start};
    if (B == 0)
        return;
    if (predictor->prepared != NULL) {
        memcpy(predictor->prepared, X, B * network->D * sizeof *X);
        dt_network_prepare(network, predictor->prepared, B);
        X = predictor->prepared;
    }
    for (size_t done = 0; done < B; done += DT_PREDICTOR_BLOCK)
        start[++segments.count] = B - done < DT_PREDICTOR_BLOCK ? B : done + DT_PREDICTOR_BLOCK;
    float *z = dt_network_forward(network, &predictor->workspace, X, &segments);
    predictor->p = z;
    if (y == NULL) {
        network->loss->predict(z, B, network->C, &predictor->rows);
    } else {
        const size_t targets = dt_loss_targets(network->loss, network->C);
        memcpy(predictor->y, y, B * targets * sizeof *y);
        dt_network_standardise(network, predictor->y, B);
        network->loss->evaluate(z, predictor->y, B, network->C, network->loss_number,
                                &predictor->rows);
    }
    dt_network_restore_units(network, z, B);
    apply_threshold(predictor, B);
}
