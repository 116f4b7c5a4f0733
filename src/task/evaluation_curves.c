#include "evaluation_internal.h"

#include "curve.h"
#include "dtrain/base/memory.h"

#include <string.h>

/* The classes are dealt to the ranks, round by round; each gets all rows' keys of its class. */
typedef struct curves {
    bool weighted;
    size_t key_bytes;
    void *own; /* [own rows]: this rank's keys of one class */
    void *keys, *buffer; /* [N] on a rank that gets a class, else NULL */
    size_t *bytes; /* [size]: of each rank's keys */
    dt_curve_areas *areas; /* [C]: 0 but on the class's rank */
} curves;

static dt_status allocate(curves *w, dt_evaluation *out, const dt_comm *comm,
                          const dt_scores *scores)
{
    dt_status status = DT_OK;
    const size_t N = (size_t)out->N;
    DT_TRY(dt_memory_alloc(&w->own, scores->rows, w->key_bytes, "scores"));
    DT_TRY(dt_memory_alloc(&w->bytes, (size_t)dt_comm_size(comm), sizeof *w->bytes, "sizes"));
    DT_TRY(dt_memory_alloc(&w->areas, out->C, sizeof *w->areas, "areas under curves"));
    if (out->C == 2)
        DT_TRY(dt_memory_alloc(&out->roc, DT_ROC_POINTS, sizeof *out->roc, "ROC curve"));
    if ((size_t)dt_comm_rank(comm) < out->C) {
        DT_TRY(dt_memory_alloc(&w->keys, N, w->key_bytes, "all ranks' scores"));
        DT_TRY(dt_memory_alloc(&w->buffer, N, w->key_bytes, "all ranks' scores"));
    }
out:
    return status;
}

static void collect_class(curves *w, const dt_comm *comm, const dt_scores *scores, size_t class_id,
                          int root)
{
    dt_weighted_key *weighted = w->own;
    uint32_t *plain = w->own;
    for (size_t i = 0; i < scores->rows; i++) {
        const float p = scores->p[i * scores->C + class_id];
        const bool positive = (size_t)scores->y[i].label == class_id;
        if (w->weighted)
            weighted[i] = dt_curve_weighted_key(p, positive, scores->w[i]);
        else
            plain[i] = dt_curve_key(p, positive);
    }
    dt_comm_gatherv(comm, root, w->keys, w->bytes, w->own, scores->rows * w->key_bytes);
}

static void measure_class(curves *w, dt_evaluation *out, size_t class_id)
{
    const size_t N = (size_t)out->N;
    const bool wants_points = out->C == 2 && class_id == 1;
    if (w->weighted) {
        dt_curve_sort_weighted(w->keys, N);
        w->areas[class_id] = dt_curve_measure_weighted(w->keys, N);
        if (wants_points)
            out->roc_count = dt_curve_points_weighted(out->roc, w->keys, N);
        return;
    }
    dt_curve_sort(w->keys, w->buffer, N);
    w->areas[class_id] = dt_curve_measure(w->keys, N);
    if (wants_points)
        out->roc_count = dt_curve_points(out->roc, w->keys, N);
}

/* All others hold zeros, so a sum of the bits hands the numbers round as they are. */
static void share(dt_evaluation *out, const dt_comm *comm, dt_curve_areas *areas)
{
    int64_t points = (int64_t)out->roc_count;
    dt_comm_sum_i64(comm, (int64_t *)areas, out->C * sizeof *areas / sizeof(int64_t));
    dt_comm_sum_i64(comm, &points, 1);
    out->roc_count = (size_t)points;
    if (points > 0)
        dt_comm_sum_i64(comm, (int64_t *)out->roc,
                        out->roc_count * sizeof *out->roc / sizeof(int64_t));
    for (size_t c = 0; c < out->C; c++) {
        out->classes[c].roc_auc = areas[c].roc_auc;
        out->classes[c].pr_auc = areas[c].pr_auc;
    }
}

dt_status dt_evaluation_measure_curves(dt_evaluation *out, const dt_comm *comm,
                                       const dt_scores *scores)
{
    dt_status status = DT_OK;
    curves w = {.weighted = scores->weighted,
                .key_bytes = scores->weighted ? sizeof(dt_weighted_key) : sizeof(uint32_t)};
    const size_t size = (size_t)dt_comm_size(comm), rank = (size_t)dt_comm_rank(comm);
    const size_t own_bytes = scores->rows * w.key_bytes;
    DT_TRY(dt_comm_agree(comm, allocate(&w, out, comm, scores)));
    dt_comm_allgather(comm, w.bytes, &own_bytes, sizeof own_bytes);
    for (size_t first = 0; first < out->C; first += size) {
        for (size_t c = first; c < out->C && c < first + size; c++)
            collect_class(&w, comm, scores, c, (int)(c - first));
        if (first + rank < out->C)
            measure_class(&w, out, first + rank);
    }
    share(out, comm, w.areas);
out:
    dt_memory_free(w.own);
    dt_memory_free(w.keys);
    dt_memory_free(w.buffer);
    dt_memory_free(w.bytes);
    dt_memory_free(w.areas);
    return status;
}
