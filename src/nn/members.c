#include "dtrain/nn/members.h"

#include "dtrain/base/memory.h"

#include <string.h>

dt_status dt_members_init(dt_members *out, const dt_network *network, size_t rows)
{
    dt_status status = DT_OK;
    const size_t all = rows * network->K;
    *out = (dt_members){.network = network};
    if (network->K == 1)
        return DT_OK;
    DT_TRY(dt_memory_alloc(&out->z, all, network->C * sizeof *out->z, "outputs of members"));
    DT_TRY(dt_memory_alloc(&out->y, all,
                           dt_loss_targets(network->loss, network->C) * sizeof *out->y,
                           "targets of members"));
    DT_TRY(dt_loss_rows_init(&out->rows, network->loss, all));
out:
    if (status != DT_OK)
        dt_members_clear(out);
    return status;
}

void dt_members_clear(dt_members *members)
{
    dt_memory_free(members->z);
    dt_memory_free(members->y);
    dt_loss_rows_clear(&members->rows);
    *members = (dt_members){0};
}

/* ---- the prediction ---- */

void dt_members_average(dt_members *members, float *z, size_t B)
{
    const dt_network *network = members->network;
    const size_t K = network->K, C = network->C;
    const float share = 1.0f / (float)K;
    if (K == 1)
        return;
    network->loss->predict(z, B * K, C, &members->rows);
    for (size_t i = 0; i < B; i++)
        for (size_t j = 0; j < C; j++) {
            float sum = 0.0f;
            for (size_t k = 0; k < K; k++)
                sum += z[(i * K + k) * C + j];
            z[i * C + j] = sum * share;
        }
    dt_loss_invert(network->loss, z, B * C);
}

/* ---- the gradient ---- */

static void repeat_targets(dt_members *members, const dt_target *y, size_t B)
{
    const size_t K = members->network->K;
    const size_t targets = dt_loss_targets(members->network->loss, members->network->C);
    for (size_t i = 0; i < B; i++)
        for (size_t k = 0; k < K; k++)
            memcpy(members->y + (i * K + k) * targets, y + i * targets, targets * sizeof *y);
}

void dt_members_gradient(dt_members *members, float *z, const dt_target *y, size_t B,
                         const dt_loss_rows *rows)
{
    const dt_network *network = members->network;
    const dt_loss *loss = network->loss;
    const size_t K = network->K, C = network->C;
    const float share = 1.0f / (float)K;
    if (K == 1) {
        loss->gradient(z, y, B, C, network->loss_number, rows);
        return;
    }
    memcpy(members->z, z, B * K * C * sizeof *z);
    dt_members_average(members, members->z, B);
    loss->evaluate(members->z, y, B, C, network->loss_number, rows);
    repeat_targets(members, y, B);
    loss->gradient(z, members->y, B * K, C, network->loss_number, &members->rows);
    for (size_t i = 0; i < B * K * C; i++)
        z[i] *= share;
    for (size_t i = 0; i < B; i++) {
        float sum = 0.0f;
        for (size_t k = 0; k < K; k++)
            sum += members->rows.loss[i * K + k];
        rows->loss[i] = sum * share;
    }
}
