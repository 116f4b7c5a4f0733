/* Columns and rows of an explanation. */
#include "explanation_internal.h"

#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/random.h"
#include "dtrain/base/text.h"

#include <stdio.h>
#include <string.h>

/* ---- columns ---- */

void dt_explained_text(char out[DT_EXPLANATION_TEXT_BYTES], const char *text)
{
    size_t used = 0, left = strlen(text);
    while (left > 0) {
        const size_t found = dt_text_character_bytes(text + used, left);
        const size_t bytes = found > 0 ? found : 1;
        if (used + bytes >= DT_EXPLANATION_TEXT_BYTES)
            break;
        memcpy(out + used, text + used, bytes);
        used += bytes;
        left -= bytes;
    }
    out[used] = '\0';
}

static void set_column(dt_explained_column *out, const dt_recipe_column *recipe, size_t first)
{
    dt_explained_text(out->name, recipe->name);
    out->kind = recipe->role == DT_ROLE_CATEGORICAL ? DT_COLUMN_CATEGORY
                : recipe->role == DT_ROLE_DATE      ? DT_COLUMN_DATE
                                                    : DT_COLUMN_NUMBER;
    out->first = first;
    out->width = dt_recipe_width(recipe);
    out->recipe = recipe;
}

dt_status dt_explained_columns_new(dt_explained_column **out, size_t *count,
                                   const dt_recipe *recipe, size_t D)
{
    const size_t most = recipe != NULL && recipe->column_count < D ? recipe->column_count : D;
    dt_status status = dt_memory_alloc(out, most, sizeof **out, "columns");
    if (status != DT_OK)
        return status;
    *count = 0;
    for (size_t i = 0; recipe == NULL && i < D; i++) {
        dt_explained_column *column = &(*out)[(*count)++];
        (void)snprintf(column->name, sizeof column->name, "input %zu", i);
        column->first = i;
        column->width = 1;
    }
    size_t first = 0;
    for (int categories = 0; recipe != NULL && categories < 2; categories++)
        for (size_t i = 0; i < recipe->column_count; i++) {
            const dt_recipe_column *column = &recipe->columns[i];
            const size_t width = dt_recipe_width(column);
            if (width == 0 || dt_recipe_is_number(column->role) == (categories != 0))
                continue;
            set_column(&(*out)[(*count)++], column, first);
            first += width;
        }
    return DT_OK;
}

/* ---- rows ---- */

static dt_status grow(dt_explained_rows *r, size_t more, bool weighted)
{
    dt_status status = DT_OK;
    const size_t wanted = 2 * r->count + more;
    if (r->capacity - r->count >= more)
        return DT_OK;
    const double bytes = (double)(wanted - r->count) * (double)(r->D * sizeof *r->x);
    DT_TRY(dt_memory_check(bytes * r->host_ranks, r->host_ranks, "the rows",
                           "use more hosts, or fewer rows"));
    DT_TRY(dt_memory_grow(&r->x, r->count * r->D, wanted * r->D, sizeof *r->x, "rows"));
    DT_TRY(dt_memory_grow(&r->y, r->count * r->T, wanted * r->T, sizeof *r->y, "targets"));
    if (weighted)
        DT_TRY(dt_memory_grow(&r->w, r->count, wanted, sizeof *r->w, "weights"));
    DT_TRY(dt_memory_grow(&r->number, r->count, wanted, sizeof *r->number, "row numbers"));
    r->capacity = wanted;
out:
    return status;
}

static dt_status take(void *context, const dt_row_batch *rows)
{
    dt_explained_rows *r = context;
    dt_status status = DT_OK;
    if (rows->first + rows->count > UINT32_MAX)
        return dt_fail(DT_DATA, "the data has 2^32 rows or more; use fewer rows");
    DT_TRY(grow(r, rows->count, rows->w != NULL));
    if (r->batch_count == r->batch_capacity) {
        const size_t wanted = 2 * r->batch_capacity + 16;
        DT_TRY(dt_memory_grow(&r->batch, r->batch_count, wanted, sizeof *r->batch, "batches"));
        r->batch_capacity = wanted;
    }
    memcpy(r->x + r->count * r->D, rows->x, rows->count * r->D * sizeof *r->x);
    memcpy(r->y + r->count * r->T, rows->y, rows->count * r->T * sizeof *r->y);
    if (r->w != NULL)
        memcpy(r->w + r->count, rows->w, rows->count * sizeof *r->w);
    for (size_t i = 0; i < rows->count; i++)
        r->number[r->count + i] = (uint32_t)(rows->first - 1 + i);
    r->count += rows->count;
    r->batch[r->batch_count++] = r->count;
out:
    return status;
}

/* Finds the index of each row among the gathered rows. Collective. */
static dt_status find_places(dt_explained_rows *r, const dt_comm *comm)
{
    dt_status status = DT_OK;
    const size_t ranks = (size_t)dt_comm_size(comm);
    uint32_t *numbers = NULL; /* [N], rank after rank, on rank 0 */
    size_t *bytes = NULL;
    status = dt_memory_alloc(&r->place, (size_t)r->N, sizeof *r->place, "places of rows");
    if (status == DT_OK && dt_comm_rank(comm) == 0)
        status = dt_memory_alloc(&numbers, (size_t)r->N, sizeof *numbers, "row numbers");
    if (status == DT_OK)
        status = dt_memory_alloc(&bytes, ranks, sizeof *bytes, "sizes");
    DT_TRY(dt_comm_agree(comm, status));
    for (size_t rank = 0; rank < ranks; rank++)
        bytes[rank] = r->counts[rank] * sizeof *numbers;
    dt_comm_gatherv(comm, 0, numbers, bytes, r->number, r->count * sizeof *numbers);
    for (size_t i = 0; numbers != NULL && i < r->N; i++)
        r->place[numbers[i]] = (uint32_t)i;
    dt_comm_broadcast(comm, r->place, (size_t)r->N * sizeof *r->place);
out:
    dt_memory_free(numbers);
    dt_memory_free(bytes);
    return status;
}

dt_status dt_explained_rows_read(dt_explained_rows *out, const dt_comm *comm, dt_rows *rows,
                                 size_t D, size_t T)
{
    dt_status status = DT_OK;
    const bool root = dt_comm_rank(comm) == 0;
    const size_t ranks = (size_t)dt_comm_size(comm);
    out->D = D;
    out->T = T;
    DT_TRY(dt_comm_agree(comm, dt_memory_alloc(&out->counts, ranks, sizeof *out->counts, "sizes")));
    for (bool more = true; more;)
        DT_TRY(dt_rows_next(rows, take, out, &more));
    dt_comm_allgather(comm, out->counts, &out->count, sizeof out->count);
    for (size_t rank = 0; rank < ranks; rank++)
        out->N += out->counts[rank];
    if (out->N < 2)
        DT_TRY(dt_comm_agree(comm, root ? dt_fail(DT_DATA,
                                                  "%s: %s; expected at least two, because explain "
                                                  "permutes the values of a column",
                                                  dt_rows_source(rows),
                                                  out->N == 0 ? "no rows" : "one row only")
                                        : DT_OK));
    DT_TRY(find_places(out, comm));
out:
    return status;
}

void dt_explained_rows_clear(dt_explained_rows *rows)
{
    dt_memory_free(rows->x);
    dt_memory_free(rows->y);
    dt_memory_free(rows->w);
    dt_memory_free(rows->number);
    dt_memory_free(rows->batch);
    dt_memory_free(rows->counts);
    dt_memory_free(rows->place);
    memset(rows, 0, sizeof *rows);
}

/* ---- one column of all rows ---- */

void dt_explainer_gather(dt_explainer *e, const dt_explained_column *column)
{
    const dt_explained_rows *r = &e->rows;
    const size_t bytes = column->width * sizeof *e->mine;
    for (size_t i = 0; i < r->count; i++)
        memcpy(e->mine + i * column->width, r->x + i * r->D + column->first, bytes);
    for (size_t rank = 0; rank < (size_t)dt_comm_size(e->comm); rank++)
        e->bytes[rank] = r->counts[rank] * bytes;
    dt_comm_gatherv(e->comm, 0, e->all, e->bytes, e->mine, r->count * bytes);
    dt_comm_broadcast(e->comm, e->all, (size_t)r->N * bytes);
}

void dt_explainer_permute(dt_explainer *e, uint64_t stream)
{
    dt_random random = dt_random_start(e->plan->seed, DT_RANDOM_EXPLAIN, stream);
    dt_random_permutation(&random, e->permutation, (size_t)e->rows.N);
}

void dt_explainer_step(dt_explainer *e)
{
    e->done++;
    if (dt_comm_rank(e->comm) == 0)
        dt_log_progress("explaining", (double)e->done / (double)e->steps);
}
