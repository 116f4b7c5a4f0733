/* The trained network on each set, and its threshold. */
#include "dtrain/base/log.h"
#include "dtrain/nn/linalg.h"
#include "dtrain/train/trainer.h"

#include <math.h>

/* OpenBLAS has threads of its own. */
DT_MUST_USE static dt_status make_pool(dt_pool **out, int threads)
{
    return dt_linalg_uses_blas() ? DT_OK : dt_pool_new(out, threads);
}

/* Without memory for curves the set is evaluated without them. */
static dt_status evaluate_set(dt_result *result, const dt_comm *comm, const dt_dataset *sets,
                              const dt_network *network, int p, dt_pool *pool)
{
    dt_evaluation *out = &result->evaluation[p];
    dt_metrics *metrics = &result->metrics[p];
    const uint64_t *class_rows = sets[DT_TRAIN].class_rows;
    const bool curves = p != DT_TRAIN;
    dt_status status =
        dt_evaluation_of_set(out, metrics, comm, network, &sets[p], class_rows, curves, pool);
    if (status == DT_MEMORY && curves) {
        dt_log_warn("%s set: %s; its ROC and PR curves are left out", dt_set_name((dt_set)p),
                    dt_status_text());
        status =
            dt_evaluation_of_set(out, metrics, comm, network, &sets[p], class_rows, false, pool);
    }
    return status;
}

dt_status dt_trainer_evaluate(dt_result *result, const dt_comm *comm,
                              const dt_dataset sets[DT_SET_COUNT], const dt_network *network,
                              int threads)
{
    dt_pool *pool = NULL;
    dt_status status = dt_comm_agree(comm, make_pool(&pool, threads));
    result->threshold = network->threshold;
    for (int p = 0; p < DT_SET_COUNT && status == DT_OK; p++) {
        if (sets[p].N == 0)
            continue;
        status = evaluate_set(result, comm, sets, network, p, pool);
        if (status != DT_OK)
            status = dt_fail(status, "%s set: %s", dt_set_name((dt_set)p), dt_status_text());
    }
    dt_pool_free(pool);
    return status;
}

dt_status dt_trainer_set_threshold(dt_network *network, const dt_comm *comm,
                                   const dt_dataset sets[DT_SET_COUNT],
                                   const dt_threshold_rule *rule, int threads)
{
    dt_status status = DT_OK;
    dt_pool *pool = NULL;
    network->threshold = rule->kind == DT_THRESHOLD_NUMBER ? rule->number : NAN;
    if (!dt_threshold_needs_rows(rule))
        return DT_OK;
    DT_TRY(dt_comm_agree(comm, make_pool(&pool, threads)));
    DT_TRY(
        dt_threshold_of_set(&network->threshold, comm, network, &sets[DT_VALIDATION], rule, pool));
out:
    dt_pool_free(pool);
    return status;
}
