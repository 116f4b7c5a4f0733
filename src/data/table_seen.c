/* The judgement of a table's cells at its end, from all ranks. */
#include "table_internal.h"

#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

dt_status dt_table_gather(dt_row_note *out, const dt_table *table, const dt_row_note *mine)
{
    dt_row_note *all = NULL;
    const size_t ranks = (size_t)dt_comm_size(table->comm);
    *out = (dt_row_note){0};
    dt_status status =
        dt_comm_agree(table->comm, dt_memory_alloc(&all, ranks, sizeof *all, "rows"));
    if (status == DT_OK)
        dt_comm_allgather(table->comm, all, mine, sizeof *all);
    for (size_t rank = 0; status == DT_OK && rank < ranks; rank++) {
        const uint64_t count = out->count + all[rank].count;
        if (all[rank].count > 0 && (out->count == 0 || all[rank].row < out->row))
            *out = all[rank];
        out->count = count;
    }
    dt_memory_free(all);
    return status;
}

/* The cells of the i-th column of a kind from DT_SEEN_UNSEEN on, and the first of them. */
DT_MUST_USE static dt_status gather_cells(dt_row_note *out, const dt_table *t, size_t i, int kind)
{
    const dt_column_seen *seen = dt_preprocess_seen(t->preprocess, i);
    const int at = kind - DT_SEEN_UNSEEN;
    dt_row_note mine = {.count = (uint64_t)seen->cells[kind], .row = seen->first[at].row};
    (void)snprintf(mine.example, sizeof mine.example, "%s", seen->first[at].text);
    return dt_table_gather(out, t, &mine);
}

static const char *show_name(char out[DT_TEXT_SHOWN_BYTES + 4], const dt_table *t, size_t i)
{
    const char *name = dt_preprocess_column(t->preprocess, i)->name;
    return dt_text_show(out, name, strlen(name));
}

/* ---- errors ---- */

DT_MUST_USE static dt_status fail_unknown(const dt_table *t, size_t i)
{
    dt_row_note cells;
    char name[DT_TEXT_SHOWN_BYTES + 4];
    const dt_status status = gather_cells(&cells, t, i, DT_SEEN_UNSEEN);
    if (status != DT_OK)
        return status;
    return dt_fail(DT_DATA,
                   "%s: all %llu cells of a column hold categories that no training row had, as "
                   "column '%s': '%s'; is it another column, or written in another way?",
                   t->path, (unsigned long long)cells.count, show_name(name, t, i), cells.example);
}

/* The cells seen in the i-th column by all ranks; freed by the caller. */
DT_MUST_USE static dt_status gather_seen(dt_column_seen **out, const dt_table *t, size_t i)
{
    const size_t ranks = (size_t)dt_comm_size(t->comm);
    const dt_status status =
        dt_comm_agree(t->comm, dt_memory_alloc(out, ranks, sizeof **out, "cells"));
    if (status == DT_OK)
        dt_comm_allgather(t->comm, *out, dt_preprocess_seen(t->preprocess, i), sizeof **out);
    return status;
}

DT_MUST_USE static dt_status fail_doubt(const dt_table *t, size_t i)
{
    dt_status status = DT_OK;
    dt_column_seen *all = NULL;
    char item[2 * (DT_TEXT_SHOWN_BYTES + 4)];
    const char *name = dt_preprocess_column(t->preprocess, i)->name;
    DT_TRY(gather_seen(&all, t, i));
    const dt_column_seen *first = all;
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

/* ---- warnings ---- */

/* A unit that the training rows do not have, and if it is not one alone, which. */
DT_MUST_USE static dt_status check_new_unit(const dt_table *t, size_t i)
{
    dt_status status = DT_OK;
    dt_column_seen *all = NULL;
    char name[DT_TEXT_SHOWN_BYTES + 4];
    const char *unit = NULL;
    bool differ = false;
    DT_TRY(gather_seen(&all, t, i));
    for (int rank = 0; rank < dt_comm_size(t->comm); rank++) {
        if (all[rank].cells[DT_SEEN_UNIT] == 0)
            continue;
        differ =
            differ || all[rank].units_differ || (unit != NULL && strcmp(unit, all[rank].unit) != 0);
        unit = unit == NULL ? all[rank].unit : unit;
    }
    if (differ)
        status = dt_fail(DT_DATA,
                         "%s: column '%s': its numbers have '%s' and other units, and the training "
                         "rows have none; write them in one unit",
                         t->path, show_name(name, t, i), unit);
out:
    dt_memory_free(all);
    return status;
}

DT_MUST_USE static dt_status warn_of_unit(const dt_table *t, size_t i)
{
    dt_status status = DT_OK;
    dt_row_note cells;
    char name[DT_TEXT_SHOWN_BYTES + 4];
    const char *unit = dt_preprocess_column(t->preprocess, i)->format.unit;
    const bool is_new = unit[0] == '\0';
    if (is_new)
        DT_TRY(check_new_unit(t, i));
    DT_TRY(gather_cells(&cells, t, i, DT_SEEN_UNIT));
    const unsigned long long count = cells.count, row = cells.row;
    if (is_new)
        dt_log_warn("%s: column '%s': %llu number%s a unit, which the training rows do not have, "
                    "as '%s' in row %llu; correct the table if these numbers mean something else",
                    t->path, show_name(name, t, i), count, count == 1 ? " has" : "s have",
                    cells.example, row);
    else
        dt_log_warn("%s: column '%s': %llu number%s no '%s', which the training rows have, as '%s' "
                    "in row %llu; correct the table if these numbers mean something else",
                    t->path, show_name(name, t, i), count, count == 1 ? " has" : "s have", unit,
                    cells.example, row);
out:
    return status;
}

/* More than expected by chance. Of a Cauchy distribution, or a Pareto one without a mean, about one
 * table in a hundred has as many (in simulations of 50 to 1000 rows). */
static bool are_far(const int64_t cells[DT_SEEN_KINDS])
{
    enum { CELLS = 10, SHARE = 50, CELLS_FEW = 3, SHARE_FEW = 10 };
    const int64_t far = cells[DT_SEEN_FAR], all = cells[DT_SEEN_NUMBERS];
    return (far > 0 && far == all) || (far >= CELLS && far * SHARE > all) ||
           (far >= CELLS_FEW && far * SHARE_FEW > all);
}

/* No cell is in the range of training; for dates that is normal. */
static bool are_outside(const int64_t cells[DT_SEEN_KINDS], dt_role role)
{
    enum { CELLS_MIN = 10 };
    const int64_t outside = cells[DT_SEEN_OUTSIDE];
    return role != DT_ROLE_DATE && outside >= CELLS_MIN && outside == cells[DT_SEEN_NUMBERS];
}

DT_MUST_USE static dt_status warn_of_range(const dt_table *t, size_t i, int kind, int64_t all)
{
    dt_row_note cells;
    char name[DT_TEXT_SHOWN_BYTES + 4], range[2 * DT_DATE_BYTES + 8], ends[2][DT_DATE_BYTES];
    const dt_recipe_column *column = dt_preprocess_column(t->preprocess, i);
    const dt_status status = gather_cells(&cells, t, i, kind);
    if (status != DT_OK)
        return status;
    if (column->role == DT_ROLE_DATE)
        (void)snprintf(range, sizeof range, "%s to %s",
                       dt_date_show(ends[0], column->minimum, column->order),
                       dt_date_show(ends[1], column->maximum, column->order));
    else
        (void)dt_text_range(range, column->minimum, column->maximum, 6);
    dt_log_warn("%s: column '%s': %llu of %lld cells (%.3g %%) %s %soutside the range of "
                "the training rows, %s, as '%s' in row %llu; %s",
                t->path, show_name(name, t, i), (unsigned long long)cells.count, (long long)all,
                100.0 * (double)cells.count / (double)all, cells.count == 1 ? "is" : "are",
                kind == DT_SEEN_FAR ? "far " : "", range, cells.example,
                (unsigned long long)cells.row,
                column->role == DT_ROLE_DATE ? "predictions there are guesses"
                                             : "check the unit of the column");
    return DT_OK;
}

/* ---- all columns ---- */

DT_MUST_USE static dt_status check_columns(const dt_table *t, const int64_t *cells, size_t count)
{
    enum { CELLS_MIN = 10 }; /* fewer may all be new */
    dt_status status = DT_OK;
    for (size_t i = 0; i < count; i++) {
        const int64_t *seen = cells + i * DT_SEEN_KINDS;
        /* A column of which nothing is known is none of the recipe's. */
        if (seen[DT_SEEN_KNOWN] == 0 && seen[DT_SEEN_UNSEEN] >= CELLS_MIN)
            DT_TRY(fail_unknown(t, i));
        if (dt_column_seen_is_doubtful(seen))
            DT_TRY(fail_doubt(t, i));
    }
out:
    return status;
}

DT_MUST_USE static dt_status warn_of_columns(const dt_table *t, const int64_t *cells, size_t count)
{
    enum { COLUMNS_SHOWN = 5 }; /* a line each */
    dt_status status = DT_OK;
    size_t units = 0, ranges = 0;
    for (size_t i = 0; i < count; i++) {
        const int64_t *seen = cells + i * DT_SEEN_KINDS;
        if (seen[DT_SEEN_UNIT] > 0 && units++ < COLUMNS_SHOWN)
            DT_TRY(warn_of_unit(t, i));
        const dt_role role = dt_preprocess_column(t->preprocess, i)->role;
        const bool far = are_far(seen);
        if ((far || are_outside(seen, role)) && ranges++ < COLUMNS_SHOWN)
            DT_TRY(warn_of_range(t, i, far ? DT_SEEN_FAR : DT_SEEN_OUTSIDE, seen[DT_SEEN_NUMBERS]));
    }
    if (units > COLUMNS_SHOWN)
        dt_log_warn("%s: %zu more columns have other units than the training rows", t->path,
                    units - COLUMNS_SHOWN);
    if (ranges > COLUMNS_SHOWN)
        dt_log_warn("%s: %zu more columns are outside the range of the training rows", t->path,
                    ranges - COLUMNS_SHOWN);
out:
    return status;
}

dt_status dt_table_judge(dt_row_note *unseen, const dt_table *table)
{
    dt_status status = DT_OK;
    const dt_table *t = table;
    const size_t count = dt_preprocess_columns(t->preprocess);
    int64_t *cells = NULL;
    *unseen = (dt_row_note){0};
    DT_TRY(dt_comm_agree(t->comm,
                         dt_memory_alloc(&cells, count, DT_SEEN_KINDS * sizeof *cells, "columns")));
    for (size_t i = 0; i < count; i++)
        memcpy(cells + i * DT_SEEN_KINDS, dt_preprocess_seen(t->preprocess, i)->cells,
               DT_SEEN_KINDS * sizeof *cells);
    dt_comm_sum_i64(t->comm, cells, count * DT_SEEN_KINDS);
    DT_TRY(check_columns(t, cells, count));
    DT_TRY(warn_of_columns(t, cells, count));
    DT_TRY(dt_table_gather(unseen, t, dt_preprocess_unseen(t->preprocess)));
out:
    dt_memory_free(cells);
    return status;
}
