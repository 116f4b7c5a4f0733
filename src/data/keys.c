#include "keys.h"

#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"
#include "kept.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_BYTES_MAX = 4096, NUMBER_BYTES = 24 };

/* ---- which arrays ---- */

/* An array with one item for each row, of a suitable type; NULL: there is none. */
static const dt_npz_member *find(const dt_source_set *from, dt_set set, const char *name,
                                 bool text_too)
{
    const dt_npz_member *member = dt_source_look(from, set, name);
    if (member == NULL)
        return NULL;
    const dt_npy *npy = &member->npy;
    const bool whole = npy->kind == DT_NPY_INT || npy->kind == DT_NPY_UINT;
    const bool text = text_too && dt_npy_is_text(npy) && npy->item_bytes <= TEXT_BYTES_MAX;
    if ((whole || text) && npy->dims > 0 && npy->shape[0] == dt_source_rows(from) &&
        npy->count == npy->shape[0])
        return member;
    dt_log_warn(
        "%s: %s is not printed, because it does not have a whole number%s for each of %llu rows",
        dt_npz_path(from->npz), member->name, text_too ? " or a short text" : "",
        (unsigned long long)dt_source_rows(from));
    return NULL;
}

DT_MUST_USE static dt_status open_streams(dt_keys *k)
{
    dt_status status = DT_OK;
    const size_t size = (size_t)dt_comm_size(k->comm), rows = size * k->batch_rows;
    size_t widest = 8;
    k->left = dt_source_rows(k->set);
    if (k->row_array != NULL)
        DT_TRY(dt_npz_stream_open(&k->row_stream, k->set->npz, k->row_array));
    if (k->id_array != NULL) {
        const dt_npy *npy = &k->id_array->npy;
        widest = npy->item_bytes > widest ? npy->item_bytes : widest;
        DT_TRY(dt_npz_stream_open(&k->id_stream, k->set->npz, k->id_array));
        DT_TRY(dt_memory_alloc(&k->text, dt_npy_text_bytes(npy), 1, "row ids"));
    }
    DT_TRY(dt_memory_alloc(&k->items, rows, widest, "row ids"));
    DT_TRY(dt_memory_alloc(&k->rows, rows, sizeof *k->rows, "row numbers"));
    DT_TRY(dt_memory_alloc(&k->lengths, rows, sizeof *k->lengths, "row ids"));
    DT_TRY(dt_memory_alloc(&k->bytes, size, sizeof *k->bytes, "shares"));
out:
    return status;
}

dt_status dt_keys_open(dt_keys *out, const dt_comm *comm, const dt_source_set *from, dt_set set,
                       size_t batch_rows)
{
    dt_status status = DT_OK;
    dt_keys *k = out;
    int32_t has[2] = {0};
    *k = (dt_keys){.comm = comm, .set = from, .batch_rows = batch_rows};
    if (dt_comm_rank(comm) == 0) {
        k->row_array = find(from, set, DT_SOURCE_ROW, false);
        k->id_array = find(from, set, DT_SOURCE_ID, true);
        has[0] = k->row_array != NULL;
        has[1] = k->id_array != NULL;
    }
    dt_comm_broadcast(comm, has, sizeof has);
    k->has_row = has[0] != 0;
    k->has_id = has[1] != 0;
    if (!k->has_row && !k->has_id)
        return DT_OK;
    if (dt_comm_rank(comm) == 0)
        status = open_streams(k);
    if (status == DT_OK)
        status = dt_memory_alloc(&k->row, batch_rows, sizeof *k->row, "row numbers");
    if (status == DT_OK)
        status = dt_memory_alloc(&k->id_at, batch_rows + 1, sizeof *k->id_at, "row ids");
    return dt_comm_agree(comm, status);
}

void dt_keys_clear(dt_keys *keys)
{
    dt_npz_stream_close(keys->row_stream);
    dt_npz_stream_close(keys->id_stream);
    dt_memory_free(keys->row);
    dt_memory_free(keys->id);
    dt_memory_free(keys->id_at);
    dt_memory_free(keys->items);
    dt_memory_free(keys->rows);
    dt_memory_free(keys->ids);
    dt_memory_free(keys->text);
    dt_memory_free(keys->lengths);
    dt_memory_free(keys->bytes);
    *keys = (dt_keys){0};
}

/* ---- rank 0 ---- */

DT_MUST_USE static dt_status read_rows(dt_keys *k, size_t count)
{
    const dt_npy *npy = &k->row_array->npy;
    const dt_status status = dt_npz_stream_read(k->row_stream, k->items, count * npy->item_bytes);
    for (size_t i = 0; status == DT_OK && i < count; i++)
        k->rows[i] = (int64_t)dt_npy_to_whole(k->items + i * npy->item_bytes, npy);
    return status;
}

/* Writes an id as a field of a CSV; returns its length. */
static size_t write_id(dt_keys *k, char *out, const void *item)
{
    const dt_npy *npy = &k->id_array->npy;
    if (dt_npy_is_text(npy)) {
        const size_t bytes = dt_npy_to_text(k->text, item, npy);
        return dt_kept_write_field(out, k->text, bytes != SIZE_MAX ? bytes : 0);
    }
    const uint64_t whole = dt_npy_to_whole(item, npy);
    return (size_t)(npy->kind == DT_NPY_INT
                        ? snprintf(out, NUMBER_BYTES, "%lld,", (long long)(int64_t)whole)
                        : snprintf(out, NUMBER_BYTES, "%llu,", (unsigned long long)whole));
}

DT_MUST_USE static dt_status read_ids(dt_keys *k, size_t count)
{
    dt_status status = DT_OK;
    const dt_npy *npy = &k->id_array->npy;
    const size_t longest = 2 * dt_npy_text_bytes(npy) + NUMBER_BYTES;
    size_t used = 0;
    DT_TRY(dt_npz_stream_read(k->id_stream, k->items, count * npy->item_bytes));
    for (size_t i = 0; i < count; i++) {
        if (used + longest > k->ids_capacity) {
            const size_t capacity = 2 * (used + longest);
            DT_TRY(dt_memory_grow(&k->ids, used, capacity, 1, "row ids"));
            k->ids_capacity = capacity;
        }
        k->lengths[i] = write_id(k, k->ids + used, k->items + i * npy->item_bytes);
        used += k->lengths[i];
    }
out:
    return status;
}

/* The bytes of each rank's part of the round: of one number a row, or of the fields of ids. */
static void share(dt_keys *k, size_t rows, bool fields)
{
    for (size_t rank = 0; rank < (size_t)dt_comm_size(k->comm); rank++) {
        const size_t begin = rank * k->batch_rows < rows ? rank * k->batch_rows : rows;
        const size_t end = rows - begin < k->batch_rows ? rows : begin + k->batch_rows;
        k->bytes[rank] = fields ? 0 : (end - begin) * sizeof(int64_t);
        for (size_t i = begin; fields && i < end; i++)
            k->bytes[rank] += k->lengths[i];
    }
}

/* ---- all ranks ---- */

DT_MUST_USE static dt_status hand_out_ids(dt_keys *k, size_t count, size_t rows, bool root)
{
    dt_status status = DT_OK;
    if (root)
        share(k, rows, false);
    k->id_at[0] = 0;
    dt_comm_scatterv(k->comm, k->id_at + 1, count * sizeof *k->id_at, k->lengths, k->bytes);
    for (size_t i = 0; i < count; i++)
        k->id_at[i + 1] += k->id_at[i];
    const size_t bytes = k->id_at[count];
    if (bytes > k->id_capacity)
        status = dt_memory_grow(&k->id, 0, 2 * bytes, 1, "row ids");
    if (status == DT_OK && bytes > k->id_capacity)
        k->id_capacity = 2 * bytes;
    DT_TRY(dt_comm_agree(k->comm, status));
    if (root)
        share(k, rows, true);
    dt_comm_scatterv(k->comm, k->id, bytes, k->ids, k->bytes);
out:
    return status;
}

dt_status dt_keys_next(dt_keys *keys, size_t count)
{
    dt_status status = DT_OK;
    dt_keys *k = keys;
    _Static_assert(sizeof(size_t) == sizeof(int64_t), "both have the parts of share()");
    if (!k->has_row && !k->has_id)
        return DT_OK;
    const bool root = dt_comm_rank(k->comm) == 0;
    const uint64_t most = (uint64_t)dt_comm_size(k->comm) * k->batch_rows;
    const size_t rows = (size_t)(k->left < most ? k->left : most);
    if (root && k->has_row && rows > 0)
        status = read_rows(k, rows);
    if (root && k->has_id && rows > 0 && status == DT_OK)
        status = read_ids(k, rows);
    DT_TRY(dt_comm_agree(k->comm, status));
    k->left -= root ? rows : 0;
    if (root)
        share(k, rows, false);
    if (k->has_row)
        dt_comm_scatterv(k->comm, k->row, count * sizeof *k->row, k->rows, k->bytes);
    if (k->has_id)
        DT_TRY(hand_out_ids(k, count, rows, root));
out:
    return status;
}
