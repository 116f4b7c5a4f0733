/* Rows that repeat earlier ones: the same inputs, targets and weight. */
#include "prepare_internal.h"

#include "dtrain/base/memory.h"

#include <string.h>

/* Numbers by their values: "1.0" and "1" are the same. */
static uint64_t hash_cell(const dt_prepare *p, size_t c, const dt_csv_field *cell, uint64_t hash)
{
    const dt_prepare_column *column = &p->columns[c];
    const bool is_number = dt_recipe_is_number(column->role) || column->role == DT_ROLE_WEIGHTS ||
                           (column->role == DT_ROLE_TARGET && p->class_count == 0);
    double number = 0.0;
    if (dt_missing_is(&p->missing, cell))
        return dt_hash64(NULL, 0, hash + 1);
    if (is_number && dt_prepare_read(&number, &p->surveys[c], cell)) {
        number += 0.0; /* -0 is 0 */
        return dt_hash64(&number, sizeof number, hash);
    }
    return dt_hash64(cell->text, cell->bytes, hash);
}

static dt_status take_row(void *context, const dt_csv_row *row)
{
    dt_prepare *p = context;
    const uint64_t at = row->row - 1;
    uint64_t hash = 0;
    bool is_new = false;
    dt_prepare_report_progress(p, row);
    if (dt_prepare_drops(p, row))
        return DT_OK;
    if (at >= p->repeats.rows)
        return dt_prepare_fail_changed(p);
    for (size_t c = 0; c < p->count; c++)
        if (p->columns[c].role != DT_ROLE_DROPPED)
            hash = hash_cell(p, c, &row->fields[c], hash);
    const dt_status status = dt_hash_set_add(&p->different, hash, 0, &is_new);
    if (status == DT_OK && !is_new) {
        p->repeats.bits[at / 8] |= (unsigned char)(1u << at % 8);
        p->repeats.count++;
    }
    return status;
}

dt_status dt_prepare_find_repeats(dt_repeats *out, dt_prepare *p)
{
    dt_status status = DT_OK;
    p->repeats.rows = p->rows + p->dropped_rows;
    DT_TRY(dt_memory_alloc(&p->repeats.bits, p->repeats.rows / 8 + 1, 1, "rows that repeat"));
    DT_TRY(dt_prepare_pass(p, "looking for equal rows", take_row));
    DT_TRY(dt_memory_alloc(&p->repeats.columns, p->count, sizeof *p->columns, "columns"));
    memcpy(p->repeats.columns, p->columns, p->count * sizeof *p->columns);
    *out = p->repeats;
    p->repeats = (dt_repeats){0};
out:
    dt_hash_set_clear(&p->different);
    return status;
}

void dt_prepare_clear_repeats(dt_repeats *repeats)
{
    dt_memory_free(repeats->bits);
    dt_memory_free(repeats->columns);
}
