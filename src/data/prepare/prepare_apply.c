/* The last passes: weights, and the recipe applied to every kept row. */
#include "prepare_internal.h"

#include "dtrain/base/memory.h"
#include "dtrain/data/preprocess.h"

static dt_status apply_row(void *context, const dt_csv_row *row)
{
    dt_prepare *p = context;
    dt_status status = DT_OK;
    dt_set set = DT_TRAIN;
    dt_prepare_report_progress(p, row);
    if (dt_prepare_drops(p, row))
        goto out;
    float w = 0.0f; /* dt_prepare_weigh gives it in float64 */
    DT_TRY(dt_preprocess_row(p->preprocess, row, p->x, p->y, &w));
    if (p->next_row >= p->rows)
        DT_TRY(dt_prepare_fail_changed(p));
    const int32_t label = p->class_count > 0 ? p->y->label : 0;
    DT_TRY(dt_prepare_next_set(&set, p, row, (size_t)label, false));
    DT_TRY(p->take(p->take_context, &(dt_prepare_row){.set = set, .label = label, .x = p->x}));
out:
    return status;
}

static dt_status weigh_row(void *context, const dt_csv_row *row)
{
    dt_prepare *p = context;
    dt_status status = DT_OK;
    dt_prepare_row taken = {0};
    dt_prepare_report_progress(p, row);
    if (dt_prepare_drops(p, row))
        goto out;
    if (p->next_row >= p->rows)
        DT_TRY(dt_prepare_fail_changed(p));
    DT_TRY(dt_prepare_number(&taken.weight, p, row, p->weights));
    DT_TRY(dt_prepare_next_set(&taken.set, p, row, 0, false));
    DT_TRY(p->take(p->take_context, &taken));
out:
    return status;
}

dt_status dt_prepare_weigh(dt_prepare *prepare, dt_prepare_take *take, void *context)
{
    dt_status status = DT_OK;
    prepare->take = take;
    prepare->take_context = context;
    DT_TRY(dt_prepare_pass(prepare, "writing the weights", weigh_row));
    if (prepare->next_row != prepare->rows)
        DT_TRY(dt_prepare_fail_changed(prepare));
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
    DT_TRY(dt_memory_alloc(&p->y, p->T, sizeof *p->y, "targets of a row"));
    DT_TRY(dt_preprocess_new(&p->preprocess, &p->recipe, p->names, p->count, p->decimal, true,
                             dt_csv_path(p->csv)));
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
