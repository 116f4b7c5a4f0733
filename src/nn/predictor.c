#include "dtrain/nn/predictor.h"

#include "dtrain/base/memory.h"

#include <math.h>
#include <string.h>

/* Several blocks at once keep the small loops long; but with very wide rows or many members they
 * would only cost memory. */
enum { BLOCKS_AT_ONCE = 4, WIDE_ROW = 4096 };

static bool is_wide(const dt_network *network)
{
    bool wide = network->D > WIDE_ROW;
    for (size_t l = 0; l < network->layer_count; l++)
        wide = wide ||
               (network->layers[l].K > 1 && network->layers[l].H * network->layers[l].K > WIDE_ROW);
    return wide;
}

dt_status dt_predictor_init(dt_predictor *out, const dt_network *network, bool prepares)
{
    dt_status status = DT_OK;
    memset(out, 0, sizeof *out);
    out->network = network;
    out->capacity = (size_t)DT_PREDICTOR_BLOCK * (is_wide(network) ? 1 : BLOCKS_AT_ONCE);
    DT_TRY(dt_workspace_init(&out->workspace, network, out->capacity, DT_FORWARD_PASS));
    if (prepares && dt_network_prepares(network))
        DT_TRY(dt_memory_alloc(&out->prepared, out->capacity, network->D * sizeof *out->prepared,
                               "rows"));
    if (network->other_count > 0)
        DT_TRY(dt_memory_alloc(&out->mean, out->capacity, network->C * sizeof *out->mean,
                               "predictions"));
    DT_TRY(dt_memory_alloc(&out->y, out->capacity,
                           dt_loss_targets(network->loss, network->C) * sizeof *out->y, "targets"));
    DT_TRY(dt_loss_rows_init(&out->rows, network->loss, out->capacity));
    DT_TRY(dt_members_init(&out->members, network, out->capacity));
out:
    if (status != DT_OK)
        dt_predictor_clear(out);
    return status;
}

void dt_predictor_clear(dt_predictor *predictor)
{
    dt_workspace_clear(&predictor->workspace);
    dt_memory_free(predictor->prepared);
    dt_memory_free(predictor->mean);
    dt_memory_free(predictor->y);
    dt_loss_rows_clear(&predictor->rows);
    dt_members_clear(&predictor->members);
    memset(predictor, 0, sizeof *predictor);
}

static void apply_threshold(dt_predictor *predictor, size_t B)
{
    const float threshold = (float)predictor->network->threshold;
    for (size_t i = 0; !isnan(threshold) && i < B; i++)
        predictor->rows.predicted[i] = predictor->p[2 * i + 1] >= threshold;
}

/* ---- ensembles ---- */

/* The outputs whose prediction is the average: logits, or values in the first network's units. */
static void invert(float *z, const dt_network *network, const float *mean, size_t B)
{
    memcpy(z, mean, B * network->C * sizeof *z);
    dt_loss_invert(network->loss, z, B * network->C);
    if (!network->loss->classes)
        dt_network_standardise(network, (dt_target *)(void *)z, B);
}

/* Leaves the average in predictor->mean. Returns outputs of which it is the prediction. */
static float *average(dt_predictor *predictor, const float *X, const dt_segments *segments)
{
    const dt_network *first = predictor->network;
    const size_t B = segments->start[segments->count], C = first->C;
    const float share = 1.0f / (float)(first->other_count + 1);
    float *z = NULL, *mean = predictor->mean;
    for (size_t m = 0; m <= first->other_count; m++) {
        const dt_network *network = dt_network_member(first, m);
        z = dt_network_forward(network, &predictor->workspace, X, segments);
        dt_members_average(&predictor->members, z, B);
        first->loss->predict(z, B, C, &predictor->rows);
        dt_network_restore_units(network, z, B);
        for (size_t i = 0; i < B * C; i++)
            mean[i] = m == 0 ? z[i] : mean[i] + z[i];
    }
    for (size_t i = 0; i < B * C; i++)
        mean[i] *= share;
    invert(z, first, mean, B);
    return z;
}

/* The average itself: its last bits would change on the way through the outputs. */
static void take_average(dt_predictor *predictor, size_t B)
{
    const size_t C = predictor->network->C;
    memcpy(predictor->p, predictor->mean, B * C * sizeof *predictor->p);
    for (size_t i = 0; predictor->network->loss->classes && i < B; i++) {
        const float *p = predictor->p + i * C;
        size_t largest = 0;
        for (size_t c = 1; c < C; c++)
            largest = p[c] > p[largest] ? c : largest;
        predictor->rows.predicted[i] = (int32_t)largest;
    }
}

/* ---- all ---- */

void dt_predictor_run(dt_predictor *predictor, const float *X, const dt_target *y, size_t B)
{
    const dt_network *network = predictor->network;
    const bool averages = network->other_count > 0;
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
    float *z = averages ? average(predictor, X, &segments)
                        : dt_network_forward(network, &predictor->workspace, X, &segments);
    predictor->p = z;
    if (!averages)
        dt_members_average(&predictor->members, z, B);
    if (y == NULL) {
        network->loss->predict(z, B, network->C, &predictor->rows);
    } else {
        const size_t targets = dt_loss_targets(network->loss, network->C);
        memcpy(predictor->y, y, B * targets * sizeof *y);
        dt_network_standardise(network, predictor->y, B);
        network->loss->evaluate(z, predictor->y, B, network->C, network->loss_number,
                                &predictor->rows);
    }
    if (averages)
        take_average(predictor, B);
    else
        dt_network_restore_units(network, z, B);
    apply_threshold(predictor, B);
}
