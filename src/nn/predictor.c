#include "dtrain/nn/predictor.h"

#include "dtrain/base/memory.h"

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
    DT_TRY(dt_memory_alloc(&out->loss, out->capacity, sizeof *out->loss, "losses"));
    DT_TRY(dt_memory_alloc(&out->predicted, out->capacity, sizeof *out->predicted, "predictions"));
out:
    if (status != DT_OK)
        dt_predictor_clear(out);
    return status;
}

void dt_predictor_clear(dt_predictor *predictor)
{
    dt_workspace_clear(&predictor->workspace);
    dt_memory_free(predictor->prepared);
    dt_memory_free(predictor->loss);
    dt_memory_free(predictor->predicted);
    memset(predictor, 0, sizeof *predictor);
}

void dt_predictor_run(dt_predictor *predictor, const float *X, const int32_t *y, size_t B)
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
    if (y != NULL)
        network->loss->evaluate(z, y, B, network->C, predictor->loss, predictor->predicted);
    else
        network->loss->predict(z, B, network->C, predictor->predicted);
}
