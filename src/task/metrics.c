#include "dtrain/task/metrics.h"

#include "dtrain/comm/watchdog.h"

#include <math.h>

#define LOSS_STEP 0x1p-24
#define LARGEST_TERM 0x1p38 /* its count still fits 63 bits */

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

/* Adds one shard's rows to the tally, a term for each call of the predictor. */
static void evaluate_shard(dt_tally *tally, const dt_comm *comm, dt_predictor *predictor,
                           const float *x, const int32_t *y, size_t rows, dt_scores *scores)
{
    for (size_t from = 0; from < rows; from += predictor->capacity) {
        dt_comm_report_progress(comm); /* a large set takes long, without a word to the others */
        const size_t left = rows - from;
        const size_t count = left < predictor->capacity ? left : predictor->capacity;
        dt_predictor_run(predictor, x + from * predictor->network->D, y + from, count);
        dt_tally_add_rows(tally, predictor->loss, predictor->predicted, y + from, count);
        if (scores != NULL)
            dt_scores_add(scores, predictor->p, y + from, predictor->predicted, count);
    }
}

dt_status dt_evaluate(dt_metrics *out, const dt_comm *comm, dt_predictor *predictor,
                      const dt_dataset *set, dt_scores *scores)
{
    dt_tally tally = {0};
    for (size_t s = 0; s < set->shard_count; s++) {
        const size_t first = set->shard_start[s];
        evaluate_shard(&tally, comm, predictor, set->x + first * set->D, set->y + first,
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
