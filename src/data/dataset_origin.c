/* The number, id and group of each row in its source, so that users can find the row there. Rank 0
 * only. */
#include "dataset_internal.h"

#include "dtrain/base/memory.h"
#include "dtrain/data/prepare.h"

#include <stdio.h>
#include <string.h>

/* Rows of each set whose number was found. */
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

static bool is_whole(const dt_npy *npy)
{
    return npy->kind == DT_NPY_INT || npy->kind == DT_NPY_UINT;
}

static bool is_a_row(const dt_npy *npy, uint64_t N)
{
    return npy->dims > 0 && npy->shape[0] == N && npy->count == N;
}

/* ---- numbers ---- */

/* The array `row` of dtrain prepare; *out stays NULL if there is none. */
DT_MUST_USE static dt_status read_numbers(int64_t **out, const dt_source_set *from, dt_set set)
{
    enum { AT_ONCE = 64 * 1024 };
    dt_status status = DT_OK;
    dt_npz_stream *stream = NULL;
    char *items = NULL;
    const dt_npz_member *member = dt_source_look(from, set, DT_SOURCE_ROW);
    const uint64_t N = dt_source_rows(from);
    if (member == NULL || !is_whole(&member->npy) || !is_a_row(&member->npy, N))
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

/* ---- ids ---- */

DT_MUST_USE static dt_status add_text(dt_row_texts *texts, const char *text, size_t bytes)
{
    dt_status status = DT_OK;
    const size_t used = texts->count > 0 ? texts->at[texts->count] : 0;
    if (texts->count + 2 > texts->room) {
        const uint64_t room = 2 * (texts->count + 2);
        DT_TRY(dt_memory_grow(&texts->at, texts->count > 0 ? texts->count + 1 : 0, room,
                              sizeof *texts->at, "texts of rows"));
        texts->room = room;
    }
    if (used + bytes + 1 > texts->capacity) {
        const size_t capacity = 2 * (used + bytes + 1);
        DT_TRY(dt_memory_grow(&texts->text, used, capacity, 1, "texts of rows"));
        texts->capacity = capacity;
    }
    memcpy(texts->text + used, text, bytes);
    texts->text[used + bytes] = '\0';
    texts->at[texts->count] = used;
    texts->at[++texts->count] = used + bytes + 1;
out:
    return status;
}

static dt_status take_texts(void *context, const dt_prepare_row *row)
{
    dt_status status = DT_OK;
    const origin *o = context;
    dt_dataset *set = &o->l->sets[row->set];
    if (row->id != NULL)
        DT_TRY(add_text(&set->ids, row->id->text, row->id->bytes));
    if (row->group != NULL)
        DT_TRY(add_text(&set->groups, row->group->text, row->group->bytes));
out:
    return status;
}

/* One item as text. Returns its length. */
static size_t write_id(char *out, size_t bytes, const void *item, const dt_npy *npy)
{
    if (dt_npy_is_text(npy)) {
        const size_t length = dt_npy_to_text(out, item, npy);
        return length != SIZE_MAX ? length : 0;
    }
    const uint64_t whole = dt_npy_to_whole(item, npy);
    return (size_t)(npy->kind == DT_NPY_INT
                        ? snprintf(out, bytes, "%lld", (long long)whole)
                        : snprintf(out, bytes, "%llu", (unsigned long long)whole));
}

/* A file's array `id`, if it has one of whole numbers or texts. */
DT_MUST_USE static dt_status read_ids(origin *o, dt_set file_set)
{
    enum { NUMBER_BYTES = 24 };
    dt_status status = DT_OK;
    const dt_loader *l = o->l;
    const dt_source_set *from = &l->source->sets[file_set];
    const bool split = l->split != NULL && file_set == DT_TRAIN;
    const dt_npz_member *member = dt_source_look(from, file_set, DT_SOURCE_ID);
    dt_npz_stream *stream = NULL;
    char *item = NULL, *text = NULL;
    if (member == NULL || !is_a_row(&member->npy, dt_source_rows(from)) ||
        !(is_whole(&member->npy) || dt_npy_is_text(&member->npy)))
        return DT_OK;
    const size_t bytes = dt_npy_text_bytes(&member->npy) + NUMBER_BYTES;
    DT_TRY(dt_memory_alloc(&item, member->npy.item_bytes, 1, "row ids"));
    DT_TRY(dt_memory_alloc(&text, bytes, 1, "row ids"));
    DT_TRY(dt_npz_stream_open(&stream, from->npz, member));
    for (uint64_t row = 0; row < dt_source_rows(from); row++) {
        const dt_set set = split ? dt_split_set_of(l->split, row) : file_set;
        DT_TRY(dt_npz_stream_read(stream, item, member->npy.item_bytes));
        DT_TRY(add_text(&l->sets[set].ids, text, write_id(text, bytes, item, &member->npy)));
    }
out:
    dt_npz_stream_close(stream);
    dt_memory_free(item);
    dt_memory_free(text);
    return status;
}

/* ---- all ---- */

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
    if (l->source->table != NULL) {
        struct dt_prepare *prepare = l->source->table->prepare;
        DT_TRY(dt_prepare_trace(prepare, take_row, &o));
        if (dt_prepare_recipe(prepare)->id != NULL ||
            dt_prepare_table_of(prepare)->split_by != NULL)
            DT_TRY(dt_prepare_identify(prepare, take_texts, &o));
        goto out;
    }
    for (int p = 0; p < DT_SET_COUNT; p++)
        if (l->source->sets[p].inputs != NULL) {
            DT_TRY(number_file(&o, (dt_set)p));
            DT_TRY(read_ids(&o, (dt_set)p));
        }
out:
    return status;
}
