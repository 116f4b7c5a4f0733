#include "dtrain/task/metrics.h"

#include "dtrain/base/memory.h"
#include "dtrain/comm/watchdog.h"

#include <math.h>
#include <string.h>

#define LOSS_STEP 0x1p-24
#define LARGEST_TERM 0x1p38 /* its count still fits 63 bits */

/* A product's rows in an evaluation: part of a shard's bits, so a constant. Some segments at once
 * keep the small loops long. */
enum { SEGMENT_ROWS = 256, SEGMENTS_AT_ONCE = 4, CAPACITY = SEGMENT_ROWS * SEGMENTS_AT_ONCE };

void dt_tally_add_loss(dt_tally *tally, double loss)
{
    if (!(fabs(loss) < LARGEST_TERM)) { /* a NaN compares false */
        tally->outside++;
        return;
    }
    const int64_t count = llrint(loss / LOSS_STEP);
    const int64_t low = count & 0xFFFFFFFF;
    tally->loss_low += low;
    tally->loss_high += (count - low) / ((int64_t)1 << 32);
}

void dt_tally_add(dt_tally *tally, const dt_tally *other)
{
    tally->loss_high += other->loss_high;
    tally->loss_low += other->loss_low;
    tally->hits += other->hits;
    tally->outside += other->outside;
}

dt_status dt_tally_check(const dt_tally *tally)
{
    if (tally->outside == 0)
        return DT_OK;
    return dt_fail(DT_DIVERGED, "the loss is not finite, or beyond 2^38 nats");
}

void dt_tally_add_rows(dt_tally *tally, const float *loss, const int32_t *predicted,
                       const int32_t *y, size_t rows)
{
    double sum = 0.0;
    int64_t hits = 0;
    for (size_t i = 0; i < rows; i++) {
        sum += (double)loss[i];
        hits += predicted[i] == y[i];
    }
    dt_tally_add_loss(tally, sum);
    tally->hits += hits;
}

dt_metrics dt_tally_mean(const dt_tally *tally, uint64_t rows)
{
    if (rows == 0)
        return dt_metrics_none();
    const double loss =
        (double)tally->loss_high * (LOSS_STEP * 0x1p32) + (double)tally->loss_low * LOSS_STEP;
    return (dt_metrics){.loss = loss / (double)rows,
                        .accuracy = (double)tally->hits / (double)rows};
}

dt_status dt_evaluator_init(dt_evaluator *out, const dt_network *network)
{
    dt_status status = DT_OK;
    memset(out, 0, sizeof *out);
    DT_TRY(dt_workspace_init(&out->workspace, network, CAPACITY, DT_FORWARD_PASS));
    DT_TRY(dt_memory_alloc(&out->loss, CAPACITY, sizeof *out->loss, "losses"));
    DT_TRY(dt_memory_alloc(&out->predicted, CAPACITY, sizeof *out->predicted, "predictions"));
out:
    if (status != DT_OK)
        dt_evaluator_clear(out);
    return status;
}

void dt_evaluator_clear(dt_evaluator *evaluator)
{
    dt_workspace_clear(&evaluator->workspace);
    dt_memory_free(evaluator->loss);
    dt_memory_free(evaluator->predicted);
    memset(evaluator, 0, sizeof *evaluator);
}

/* Adds one shard's rows to the tally, a term for each pass they take. */
static void evaluate_shard(dt_tally *tally, const dt_comm *comm, const dt_network *network,
                           dt_evaluator *evaluator, const float *x, const int32_t *y, size_t rows,
                           dt_scores *scores)
{
    for (size_t from = 0; from < rows; from += CAPACITY) {
        dt_comm_report_progress(comm); /* a large set takes long, without a word to the others */
        const size_t count = rows - from < CAPACITY ? rows - from : CAPACITY;
        size_t start[SEGMENTS_AT_ONCE + 1] = {0};
        dt_segments segments = {.start = start};
        for (size_t done = 0; done < count; done += SEGMENT_ROWS)
            start[++segments.count] = count - done < SEGMENT_ROWS ? count : done + SEGMENT_ROWS;
        float *z =
            dt_network_forward(network, &evaluator->workspace, x + from * network->D, &segments);
        network->loss->evaluate(z, y + from, count, network->C, evaluator->loss,
                                evaluator->predicted);
        dt_tally_add_rows(tally, evaluator->loss, evaluator->predicted, y + from, count);
        if (scores != NULL)
            dt_scores_add(scores, z, y + from, evaluator->predicted, count);
    }
}

dt_status dt_evaluate(dt_metrics *out, const dt_comm *comm, const dt_network *network,
                      dt_evaluator *evaluator, const dt_dataset *set, dt_scores *scores)
{
    dt_tally tally = {0};
    for (size_t s = 0; s < set->shard_count; s++) {
        const size_t first = set->shard_start[s];
        evaluate_shard(&tally, comm, network, evaluator, set->x + first * set->D, set->y + first,
                       set->shard_start[s + 1] - first, scores);
    }
    dt_comm_sum_i64(comm, (int64_t *)&tally, sizeof tally / sizeof(int64_t));
    *out = dt_tally_mean(&tally, set->N);
    dt_status status = dt_tally_check(&tally);
    if (status != DT_OK)
        status = dt_fail(status, "%s; check that the inputs are standardised", dt_status_text());
    return status;
}

double dt_metrics_baseline(const dt_dataset *set, size_t label)
{
    return set->N == 0 ? NAN : (double)set->class_rows[label] / (double)set->N;
}
