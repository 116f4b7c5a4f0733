#include "dtrain/model/predictor.h"

#include "dtrain/base/memory.h"

#include <string.h>

/* Some blocks at once keep the small loops long; but not of very wide rows, which only cost
 * memory. */
enum { BLOCKS_AT_ONCE = 4, WIDE_ROW = 4096 };

dt_status dt_predictor_init(dt_predictor *out, const dt_network *network)
{
    dt_status status = DT_OK;
    memset(out, 0, sizeof *out);
    out->network = network;
    out->capacity = (size_t)DT_PREDICTOR_BLOCK * (network->D > WIDE_ROW ? 1 : BLOCKS_AT_ONCE);
    DT_TRY(dt_workspace_init(&out->workspace, network, out->capacity, DT_FORWARD_PASS));
    DT_TRY(
        dt_memory_alloc(&out->block, DT_PREDICTOR_BLOCK, network->D * sizeof *out->block, "rows"));
    DT_TRY(dt_memory_alloc(&out->p, out->capacity, network->C * sizeof *out->p, "probabilities"));
    DT_TRY(dt_memory_alloc(&out->predicted, out->capacity, sizeof *out->predicted, "predictions"));
out:
    if (status != DT_OK)
        dt_predictor_clear(out);
    return status;
}

void dt_predictor_clear(dt_predictor *predictor)
{
    dt_workspace_clear(&predictor->workspace);
    dt_memory_free(predictor->block);
    dt_memory_free(predictor->p);
    dt_memory_free(predictor->predicted);
    memset(predictor, 0, sizeof *predictor);
}

/* `blocks` whole blocks, of which the first `rows` rows are wanted. */
static void run_blocks(dt_predictor *p, const float *X, size_t blocks, size_t rows, size_t at)
{
    size_t start[BLOCKS_AT_ONCE + 1];
    const dt_segments segments = {.count = blocks, .start = start};
    const size_t C = p->network->C;
    if (rows == 0)
        return;
    for (size_t b = 0; b <= blocks; b++)
        start[b] = b * DT_PREDICTOR_BLOCK;
    float *logits = dt_network_forward(p->network, &p->workspace, X, &segments);
    p->network->loss->predict(logits, rows, C, p->predicted + at);
    memcpy(p->p + at * C, logits, rows * C * sizeof *logits);
}

/* Up to a block of rows by way of our own memory: filled up with zeros, prepared. */
static void run_copied(dt_predictor *p, const float *X, size_t rows, size_t at)
{
    const size_t D = p->network->D;
    memcpy(p->block, X, rows * D * sizeof *X);
    dt_network_prepare(p->network, p->block, rows);
    memset(p->block + rows * D, 0, (DT_PREDICTOR_BLOCK - rows) * D * sizeof *X);
    run_blocks(p, p->block, 1, rows, at);
}

void dt_predictor_run(dt_predictor *predictor, const float *X, size_t B)
{
    const size_t D = predictor->network->D;
    const size_t whole = dt_network_prepares(predictor->network) ? 0 : B / DT_PREDICTOR_BLOCK;
    size_t done = whole * DT_PREDICTOR_BLOCK;
    run_blocks(predictor, X, whole, done, 0);
    while (done < B) {
        const size_t rows = B - done < DT_PREDICTOR_BLOCK ? B - done : DT_PREDICTOR_BLOCK;
        run_copied(predictor, X + done * D, rows, done);
        done += rows;
    }
}
