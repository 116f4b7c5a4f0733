/* The third pass: the recipe is applied to every kept row. */
#include "prepare_internal.h"

#include "dtrain/base/memory.h"
#include "dtrain/data/preprocess.h"

static dt_status apply_row(void *context, const dt_csv_row *row)
{
    dt_prepare *p = context;
    dt_status status = DT_OK;
    dt_target y = {0};
    dt_set set = DT_TRAIN;
    dt_prepare_report_progress(p, row);
    if (dt_prepare_drops(p, row))
        goto out;
    DT_TRY(dt_preprocess_row(p->preprocess, row, p->x, &y));
    if (p->next_row >= p->rows)
        DT_TRY(dt_prepare_fail_changed(p));
    DT_TRY(dt_prepare_next_set(&set, p, row, (size_t)y.label, false));
    DT_TRY(p->take(p->take_context, set, y.label, p->x));
out:
    return status;
}

dt_status dt_prepare_apply(dt_prepare *prepare, dt_prepare_take *take, void *context)
{
    dt_status status = DT_OK;
    dt_prepare *p = prepare;
    p->take = take;
    p->take_context = context;
    DT_TRY(dt_memory_alloc(&p->x, p->recipe.D, sizeof *p->x, "inputs of a row"));
    DT_TRY(dt_preprocess_new(&p->preprocess, &p->recipe, p->names, p->count,
                             dt_csv_format_of(p->csv)->decimal, true, dt_csv_path(p->csv)));
    DT_TRY(dt_prepare_pass(p, "writing the sets", apply_row));
    if (p->next_row != p->rows)
        DT_TRY(dt_prepare_fail_changed(p));
out:
    return status;
}

const dt_unseen_cells *dt_prepare_unseen(const dt_prepare *prepare)
{
    return dt_preprocess_unseen(prepare->preprocess);
}
