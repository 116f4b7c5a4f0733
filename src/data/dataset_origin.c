/* What number each row has where it comes from: for those who look it up there. Rank 0 only. */
#include "dataset_internal.h"

#include "dtrain/base/memory.h"
#include "dtrain/data/prepare.h"

/* Rows of each set that have their number. */
typedef struct origin {
    dt_loader *l;
    uint64_t count[DT_SET_COUNT];
} origin;

static void add(origin *o, dt_set set, int64_t number)
{
    dt_dataset *out = &o->l->sets[set];
    if (o->count[set] < out->N) /* a table that has changed is refused elsewhere */
        out->numbers[o->count[set]++] = number;
}

static dt_status take_row(void *context, const dt_prepare_row *row)
{
    add(context, row->set, (int64_t)row->row);
    return DT_OK;
}

/* The array `row` of dtrain prepare; *out stays NULL if there is none. */
DT_MUST_USE static dt_status read_numbers(int64_t **out, const dt_source_set *from, dt_set set)
{
    enum { AT_ONCE = 64 * 1024 };
    dt_status status = DT_OK;
    dt_npz_stream *stream = NULL;
    char *items = NULL;
    const dt_npz_member *member = dt_source_look(from, set, DT_SOURCE_ROW);
    const uint64_t N = dt_source_rows(from);
    if (member == NULL || (member->npy.kind != DT_NPY_INT && member->npy.kind != DT_NPY_UINT) ||
        member->npy.dims == 0 || member->npy.shape[0] != N || member->npy.count != N)
        return DT_OK;
    const dt_npy *npy = &member->npy;
    DT_TRY(dt_memory_alloc(out, N, sizeof **out, "row numbers"));
    DT_TRY(dt_memory_alloc(&items, AT_ONCE, npy->item_bytes, "row numbers"));
    DT_TRY(dt_npz_stream_open(&stream, from->npz, member));
    for (uint64_t done = 0; done < N; done += AT_ONCE) {
        const size_t count = N - done < AT_ONCE ? (size_t)(N - done) : AT_ONCE;
        DT_TRY(dt_npz_stream_read(stream, items, count * npy->item_bytes));
        for (size_t i = 0; i < count; i++)
            (*out)[done + i] = (int64_t)dt_npy_to_whole(items + i * npy->item_bytes, npy);
    }
out:
    dt_npz_stream_close(stream);
    dt_memory_free(items);
    return status;
}

DT_MUST_USE static dt_status number_file(origin *o, dt_set file_set)
{
    dt_status status = DT_OK;
    const dt_loader *l = o->l;
    const dt_source_set *from = &l->source->sets[file_set];
    const bool split = l->split != NULL && file_set == DT_TRAIN;
    int64_t *numbers = NULL;
    DT_TRY(read_numbers(&numbers, from, file_set));
    for (uint64_t row = 0; row < dt_source_rows(from); row++)
        add(o, split ? dt_split_set_of(l->split, row) : file_set,
            numbers != NULL ? numbers[row] : (int64_t)row);
out:
    dt_memory_free(numbers);
    return status;
}

dt_status dt_loader_number_rows(dt_loader *l)
{
    dt_status status = DT_OK;
    origin o = {.l = l};
    for (int p = 0; p < DT_SET_COUNT; p++)
        DT_TRY(dt_memory_alloc(&l->sets[p].numbers, l->sets[p].N, sizeof(int64_t), "row numbers"));
    if (l->source->table != NULL)
        return dt_prepare_trace(l->source->table->prepare, take_row, &o);
    for (int p = 0; p < DT_SET_COUNT; p++)
        if (l->source->sets[p].inputs != NULL)
            DT_TRY(number_file(&o, (dt_set)p));
out:
    return status;
}
