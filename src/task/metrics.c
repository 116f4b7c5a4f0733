#include "dtrain/task/metrics.h"

#include "dtrain/comm/watchdog.h"

#include <math.h>

dt_metrics dt_metrics_mean(const dt_tally *tally, const dt_network *network)
{
    const bool one_unit = network->scale != NULL && network->C == 1;
    return dt_task_of(network->loss)->mean(tally, one_unit ? network->scale[0].deviation : 1.0);
}

/* Adds one shard's rows to the tally, a term for each call of the predictor. */
static void evaluate_shard(dt_tally *tally, const dt_comm *comm, dt_predictor *predictor,
                           const dt_dataset *set, size_t shard, dt_scores *scores)
{
    const dt_network *network = predictor->network;
    const dt_task *task = dt_task_of(network->loss);
    const size_t end = set->shard_start[shard + 1];
    size_t count = 0;
    for (size_t from = set->shard_start[shard]; from < end; from += count) {
        dt_comm_report_progress(comm); /* a large set takes long, so the rank reports its
                                        * progress */
        count = end - from < predictor->capacity ? end - from : predictor->capacity;
        const dt_target *y = set->y + from * set->T;
        const float *w = set->w != NULL ? set->w + from : NULL;
        dt_predictor_run(predictor, set->x + from * set->D, y, count);
        task->add_rows(tally, &predictor->rows, y, w, 0, count);
        if (scores != NULL)
            dt_scores_add(scores, predictor->p, y, w, predictor->rows.predicted, count);
    }
}

dt_status dt_evaluate(dt_metrics *out, const dt_comm *comm, dt_predictor *predictor,
                      const dt_dataset *set, dt_scores *scores)
{
    dt_tally tally = {0};
    for (size_t s = 0; s < set->shard_count; s++)
        evaluate_shard(&tally, comm, predictor, set, s, scores);
    dt_comm_sum_i64(comm, (int64_t *)&tally, DT_TALLY_WORDS);
    *out = dt_metrics_mean(&tally, predictor->network);
    dt_status status = dt_tally_check(&tally);
    if (status != DT_OK)
        status = dt_fail(status, "%s; check that the inputs are standardised", dt_status_text());
    return status;
}

double dt_metrics_baseline(const dt_dataset *set, size_t label)
{
    return set->N == 0 ? NAN : (double)set->class_rows[label] / (double)set->N;
}
