#include "evaluation_internal.h"

#include "class_keys.h"
#include "curve.h"
#include "dtrain/base/memory.h"

DT_MUST_USE static dt_status allocate(dt_curve_areas **areas, dt_evaluation *out)
{
    dt_status status = DT_OK;
    DT_TRY(dt_memory_alloc(areas, out->C, sizeof **areas, "areas under curves"));
    if (out->C == 2) {
        DT_TRY(dt_memory_alloc(&out->roc, DT_ROC_POINTS, sizeof *out->roc, "ROC curve"));
        DT_TRY(dt_memory_alloc(&out->pr, DT_ROC_POINTS, sizeof *out->pr, "PR curve"));
    }
out:
    return status;
}

static dt_curve_areas measure_class(dt_class_keys *keys, dt_evaluation *out, size_t class_id)
{
    const dt_curve_walk start = dt_class_keys_sort(keys);
    const bool wants_points = out->C == 2 && class_id == 1;
    if (wants_points) {
        out->roc_count = keys->weighted ? dt_curve_points_weighted(out->roc, keys->keys, keys->N)
                                        : dt_curve_points(out->roc, keys->keys, keys->N);
        out->pr_count = dt_curve_pr_points(out->pr, &start);
    }
    return keys->weighted ? dt_curve_measure_weighted(keys->keys, keys->N)
                          : dt_curve_measure(keys->keys, keys->N);
}

/* Distributes `count` points: all other ranks have zeros, so a sum of the bits copies the numbers
 * unchanged. */
static void share_points(void *points, size_t *count, size_t point_bytes, const dt_comm *comm)
{
    int64_t kept = (int64_t)*count;
    dt_comm_sum_i64(comm, &kept, 1);
    *count = (size_t)kept;
    if (kept > 0)
        dt_comm_sum_i64(comm, points, *count * point_bytes / sizeof(int64_t));
}

/* Likewise. */
static void share(dt_evaluation *out, const dt_comm *comm, dt_curve_areas *areas)
{
    dt_comm_sum_i64(comm, (int64_t *)areas, out->C * sizeof *areas / sizeof(int64_t));
    share_points(out->roc, &out->roc_count, sizeof *out->roc, comm);
    share_points(out->pr, &out->pr_count, sizeof *out->pr, comm);
    for (size_t c = 0; c < out->C; c++) {
        out->classes[c].roc_auc = areas[c].roc_auc;
        out->classes[c].pr_auc = areas[c].pr_auc;
    }
}

/* The classes are dealt to the ranks, round by round; each gets all rows' keys of its class. */
dt_status dt_evaluation_measure_curves(dt_evaluation *out, const dt_comm *comm,
                                       const dt_scores *scores)
{
    dt_status status = DT_OK;
    dt_class_keys keys = {0};
    dt_curve_areas *areas = NULL; /* [C]: 0 but on the class's rank */
    const size_t size = (size_t)dt_comm_size(comm), rank = (size_t)dt_comm_rank(comm);
    DT_TRY(dt_comm_agree(comm, allocate(&areas, out)));
    DT_TRY(dt_class_keys_init(&keys, comm, scores, rank < out->C));
    for (size_t first = 0; first < out->C; first += size) {
        for (size_t c = first; c < out->C && c < first + size; c++)
            dt_class_keys_collect(&keys, comm, scores, c, (int)(c - first));
        if (first + rank < out->C)
            areas[first + rank] = measure_class(&keys, out, first + rank);
    }
    share(out, comm, areas);
out:
    dt_class_keys_clear(&keys);
    dt_memory_free(areas);
    return status;
}
