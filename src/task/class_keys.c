#include "class_keys.h"

#include "dtrain/base/memory.h"

static bool weighs(const dt_scores *scores, size_t i)
{
    return !scores->weighted || scores->w[i] > 0.0f;
}

dt_status dt_class_keys_init(dt_class_keys *out, const dt_comm *comm, const dt_scores *scores,
                             bool gets)
{
    dt_status status = DT_OK;
    dt_class_keys *k = out;
    const size_t ranks = (size_t)dt_comm_size(comm);
    *k = (dt_class_keys){.weighted = scores->weighted};
    k->key_bytes = scores->weighted ? sizeof(dt_weighted_key) : sizeof(uint32_t);
    status = dt_memory_alloc(&k->own, scores->rows, k->key_bytes, "scores");
    if (status == DT_OK)
        status = dt_memory_alloc(&k->bytes, ranks, sizeof *k->bytes, "sizes");
    DT_TRY(dt_comm_agree(comm, status));
    for (size_t i = 0; i < scores->rows; i++)
        k->rows += weighs(scores, i);
    const size_t own_bytes = k->rows * k->key_bytes;
    dt_comm_allgather(comm, k->bytes, &own_bytes, sizeof own_bytes);
    for (size_t rank = 0; rank < ranks; rank++)
        k->N += k->bytes[rank] / k->key_bytes;
    if (gets)
        status = dt_memory_alloc(&k->keys, k->N, k->key_bytes, "all ranks' scores");
    if (gets && status == DT_OK)
        status = dt_memory_alloc(&k->buffer, k->N, k->key_bytes, "all ranks' scores");
    status = dt_comm_agree(comm, status);
out:
    return status;
}

void dt_class_keys_collect(dt_class_keys *keys, const dt_comm *comm, const dt_scores *scores,
                           size_t class_id, int root)
{
    dt_weighted_key *weighted = keys->own;
    uint32_t *plain = keys->own;
    for (size_t i = 0, n = 0; i < scores->rows; i++) {
        const float p = scores->p[i * scores->C + class_id];
        const bool positive = (size_t)scores->y[i].label == class_id;
        if (!weighs(scores, i))
            continue;
        if (keys->weighted)
            weighted[n++] = dt_curve_weighted_key(p, positive, scores->w[i]);
        else
            plain[n++] = dt_curve_key(p, positive);
    }
    dt_comm_gatherv(comm, root, keys->keys, keys->bytes, keys->own, keys->rows * keys->key_bytes);
}

dt_curve_walk dt_class_keys_sort(dt_class_keys *keys)
{
    if (keys->weighted) {
        dt_curve_sort_weighted(keys->keys, keys->N);
        return (dt_curve_walk){.weighted = keys->keys, .left = keys->N};
    }
    dt_curve_sort(keys->keys, keys->buffer, keys->N);
    return (dt_curve_walk){.keys = keys->keys, .left = keys->N};
}

void dt_class_keys_clear(dt_class_keys *keys)
{
    dt_memory_free(keys->own);
    dt_memory_free(keys->keys);
    dt_memory_free(keys->buffer);
    dt_memory_free(keys->bytes);
    *keys = (dt_class_keys){0};
}
