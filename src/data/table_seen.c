/* What all ranks have seen in the cells of a table, at its end. */
#include "table_internal.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"

#include <math.h>
#include <string.h>

/* ---- categories ---- */

/* The example of rank 0, or of the next rank that has one. */
static dt_status fail_unknown(const dt_table *t, size_t i, int64_t cells, dt_unseen_cells *all)
{
    dt_unseen_cells mine = {0};
    const dt_category_cells own = dt_preprocess_cells(t->preprocess, i);
    mine.count = own.unseen;
    memcpy(mine.example, own.example, sizeof mine.example);
    dt_comm_allgather(t->comm, all, &mine, sizeof mine);
    while (all->count == 0)
        all++;
    return dt_fail(DT_DATA,
                   "%s: all %lld cells of a column hold categories that no training row had, as "
                   "%s; is it another column, or written in another way?",
                   t->path, (long long)cells, all->example);
}

/* Some column of which nothing is known is no column of the recipe's. */
DT_MUST_USE static dt_status check_known(const dt_table *t, dt_unseen_cells *all)
{
    enum { CELLS_MIN = 10 }; /* fewer may all be new */
    dt_status status = DT_OK;
    const size_t count = dt_preprocess_columns(t->preprocess);
    int64_t *cells = NULL;
    DT_TRY(dt_comm_agree(t->comm, dt_memory_alloc(&cells, count, 2 * sizeof *cells, "columns")));
    for (size_t i = 0; i < count; i++) {
        const dt_category_cells own = dt_preprocess_cells(t->preprocess, i);
        cells[2 * i] = (int64_t)own.known;
        cells[2 * i + 1] = (int64_t)own.unseen;
    }
    dt_comm_sum_i64(t->comm, cells, 2 * count);
    for (size_t i = 0; i < count; i++)
        if (cells[2 * i] == 0 && cells[2 * i + 1] >= CELLS_MIN)
            DT_TRY(fail_unknown(t, i, cells[2 * i + 1], all));
out:
    dt_memory_free(cells);
    return status;
}

/* ---- numbers ---- */

DT_MUST_USE static dt_status fail_doubt(const dt_table *t, size_t i)
{
    dt_status status = DT_OK;
    dt_number_seen *all = NULL;
    char item[2 * (DT_TEXT_SHOWN_BYTES + 4)];
    const size_t ranks = (size_t)dt_comm_size(t->comm);
    const char *name = dt_preprocess_name(t->preprocess, i);
    DT_TRY(dt_comm_agree(t->comm, dt_memory_alloc(&all, ranks, sizeof *all, "cells")));
    dt_comm_allgather(t->comm, all, dt_preprocess_numbers(t->preprocess, i), sizeof *all);
    const dt_number_seen *first = all;
    while (first->cells[DT_SEEN_DOUBTS] == 0)
        first++;
    const char *sign = first->sign == ',' ? "comma" : "point";
    const bool divides =
        fabs(first->read) > fabs(first->other); /* thousands are the larger number */
    (void)dt_text_quote_item(item, sizeof item, name);
    status = dt_fail(DT_DATA,
                     "%s: column '%s': '%s' may be %.9g or %.9g; use --thousands '%s=%s' for %.9g, "
                     "--decimal '%s=%s' for %.9g",
                     t->path, name, first->example, first->read, first->other, item, sign,
                     divides ? first->read : first->other, item, sign,
                     divides ? first->other : first->read);
out:
    dt_memory_free(all);
    return status;
}

DT_MUST_USE static dt_status check_numbers(const dt_table *t)
{
    dt_status status = DT_OK;
    const size_t count = dt_preprocess_columns(t->preprocess);
    int64_t *cells = NULL;
    DT_TRY(dt_comm_agree(t->comm,
                         dt_memory_alloc(&cells, count, DT_SEEN_KINDS * sizeof *cells, "columns")));
    for (size_t i = 0; i < count; i++) {
        const dt_number_seen *seen = dt_preprocess_numbers(t->preprocess, i);
        if (seen != NULL)
            memcpy(cells + i * DT_SEEN_KINDS, seen->cells, sizeof seen->cells);
    }
    dt_comm_sum_i64(t->comm, cells, count * DT_SEEN_KINDS);
    for (size_t i = 0; i < count; i++)
        if (dt_number_seen_is_doubtful(cells + i * DT_SEEN_KINDS))
            DT_TRY(fail_doubt(t, i));
out:
    dt_memory_free(cells);
    return status;
}

/* ---- both ---- */

dt_status dt_table_unseen(dt_unseen_cells *out, const dt_table *table)
{
    dt_unseen_cells *all = NULL;
    const size_t ranks = (size_t)dt_comm_size(table->comm);
    *out = (dt_unseen_cells){0};
    dt_status status =
        dt_comm_agree(table->comm, dt_memory_alloc(&all, ranks, sizeof *all, "unseen categories"));
    if (status == DT_OK)
        status = check_known(table, all);
    if (status == DT_OK)
        status = check_numbers(table);
    if (status == DT_OK)
        dt_comm_allgather(table->comm, all, dt_preprocess_unseen(table->preprocess), sizeof *all);
    for (size_t rank = ranks; status == DT_OK && rank-- > 0;) {
        const uint64_t count = out->count + all[rank].count;
        if (all[rank].count > 0)
            *out = all[rank];
        out->count = count;
    }
    dt_memory_free(all);
    return status;
}
