/* Copies a set from one group of ranks to another group with the same shards. */
#include "dtrain/data/dataset.h"

#include "dtrain/base/memory.h"

#include <string.h>

/* One of a set's arrays. */
typedef struct array {
    void **at;
    size_t count, bytes; /* of each */
} array;

enum { ARRAYS = 12 };

/* The numbers that the others need before they allocate the arrays. */
typedef struct header {
    dt_dataset set; /* its pointers are of rank 0's memory */
    size_t own, name_bytes;
    bool has[ARRAYS];
} header;

static void list_arrays(array out[ARRAYS], dt_dataset *set, size_t own)
{
    const array all[ARRAYS] = {
        {(void **)&set->class_rows, set->C, sizeof *set->class_rows},
        {(void **)&set->shard_start, set->shard_count + 1, sizeof *set->shard_start},
        {(void **)&set->x, own * set->D, sizeof *set->x},
        {(void **)&set->y, own * set->T, sizeof *set->y},
        {(void **)&set->w, own, sizeof *set->w},
        {(void **)&set->class_weights, set->C, sizeof *set->class_weights},
        {(void **)&set->order, own, sizeof *set->order},
        {(void **)&set->numbers, set->N, sizeof *set->numbers},
        {(void **)&set->ids.text, set->ids.capacity, 1},
        {(void **)&set->ids.at, set->ids.room, sizeof *set->ids.at},
        {(void **)&set->groups.text, set->groups.capacity, 1},
        {(void **)&set->groups.at, set->groups.room, sizeof *set->groups.at}};
    memcpy(out, all, sizeof all);
}

/* All names of classes, each with its NUL. */
static size_t count_names(const dt_dataset *set)
{
    size_t bytes = 0;
    for (size_t c = 0; set->class_names != NULL && c < set->C; c++)
        bytes += strlen(set->class_names[c]) + 1;
    return bytes;
}

static void join_names(char *out, const dt_dataset *set)
{
    for (size_t c = 0; c < set->C; c++) {
        const size_t bytes = strlen(set->class_names[c]) + 1;
        memcpy(out, set->class_names[c], bytes);
        out += bytes;
    }
}

DT_MUST_USE static dt_status split_names(dt_dataset *set, const char *names)
{
    dt_status status = DT_OK;
    DT_TRY(dt_memory_alloc(&set->class_names, set->C, sizeof *set->class_names, "class names"));
    for (size_t c = 0; c < set->C; c++) {
        DT_TRY(dt_memory_copy_text(&set->class_names[c], names));
        names += strlen(names) + 1;
    }
out:
    return status;
}

DT_MUST_USE static dt_status share_names(dt_dataset *set, const dt_comm *peers, size_t bytes)
{
    dt_status status = DT_OK;
    char *names = NULL;
    const bool root = dt_comm_rank(peers) == 0;
    if (bytes == 0)
        return DT_OK;
    DT_TRY(dt_comm_agree(peers, dt_memory_alloc(&names, bytes, 1, "class names")));
    if (root)
        join_names(names, set);
    dt_comm_broadcast(peers, names, bytes);
    DT_TRY(dt_comm_agree(peers, root ? DT_OK : split_names(set, names)));
out:
    dt_memory_free(names);
    return status;
}

/* What rank 0 has, as an empty set elsewhere. */
static void share_header(header *h, dt_dataset *set, const dt_comm *peers)
{
    array arrays[ARRAYS];
    const bool root = dt_comm_rank(peers) == 0;
    if (root) {
        *h = (header){.set = *set, .own = dt_dataset_own_rows(set), .name_bytes = count_names(set)};
        list_arrays(arrays, set, h->own);
        for (size_t i = 0; i < ARRAYS; i++)
            h->has[i] = *arrays[i].at != NULL;
    }
    dt_comm_broadcast(peers, h, sizeof *h);
    if (root)
        return;
    *set = h->set;
    set->class_names = NULL;
    list_arrays(arrays, set, h->own);
    for (size_t i = 0; i < ARRAYS; i++)
        *arrays[i].at = NULL;
}

dt_status dt_dataset_share(dt_dataset *set, const dt_comm *peers)
{
    dt_status status = DT_OK;
    header h;
    array arrays[ARRAYS];
    const bool root = dt_comm_rank(peers) == 0;
    share_header(&h, set, peers);
    list_arrays(arrays, set, h.own);
    for (size_t i = 0; i < ARRAYS && status == DT_OK; i++)
        if (h.has[i] && !root)
            status = dt_memory_alloc(arrays[i].at, arrays[i].count, arrays[i].bytes, "rows");
    DT_TRY(dt_comm_agree(peers, status));
    for (size_t i = 0; i < ARRAYS; i++)
        if (h.has[i])
            dt_comm_broadcast(peers, *arrays[i].at, arrays[i].count * arrays[i].bytes);
    DT_TRY(share_names(set, peers, h.name_bytes));
out:
    return status;
}
