/* The last passes: weights, and the recipe applied to every kept row. */
#include "prepare_internal.h"

#include "dtrain/base/memory.h"
#include "dtrain/data/preprocess.h"

static dt_status apply_row(void *context, const dt_csv_row *row)
{
    dt_prepare *p = context;
    dt_status status = DT_OK;
    dt_prepare_report_progress(p, row);
    if (dt_prepare_drops(p, row))
        return DT_OK;
    float w = 0.0f; /* in float64 below */
    dt_prepare_row taken = {.row = row->row, .x = p->x, .values = p->values};
    DT_TRY(dt_preprocess_row(p->preprocess, row, p->x, p->y, &w));
    if (p->next_row >= p->rows)
        DT_TRY(dt_prepare_fail_changed(p));
    taken.label = p->class_count > 0 ? p->y->label : 0;
    for (size_t j = 0; p->values != NULL && j < p->T; j++)
        DT_TRY(dt_prepare_number(&p->values[j], p, row, p->targets[j]));
    if (p->weights != SIZE_MAX)
        DT_TRY(dt_prepare_number(&taken.weight, p, row, p->weights));
    DT_TRY(dt_prepare_next_set(&taken.set, p, row, (size_t)taken.label, false));
    DT_TRY(p->take(p->take_context, &taken));
out:
    return status;
}

static dt_status give_row(void *context, const dt_csv_row *row)
{
    dt_prepare *p = context;
    dt_status status = DT_OK;
    dt_prepare_row taken = {.row = row->row};
    dt_prepare_report_progress(p, row);
    if (dt_prepare_drops(p, row))
        goto out;
    if (p->next_row >= p->rows)
        DT_TRY(dt_prepare_fail_changed(p));
    if (p->weights != SIZE_MAX)
        DT_TRY(dt_prepare_number(&taken.weight, p, row, p->weights));
    if (p->id != SIZE_MAX)
        taken.id = &row->fields[p->id];
    if (p->split_by != SIZE_MAX)
        taken.group = &row->fields[p->split_by];
    DT_TRY(dt_prepare_next_set(&taken.set, p, row, 0, false));
    DT_TRY(p->take(p->take_context, &taken));
out:
    return status;
}

DT_MUST_USE static dt_status give_all(dt_prepare *p, const char *pass, dt_prepare_take *take,
                                      void *context)
{
    dt_status status = DT_OK;
    p->take = take;
    p->take_context = context;
    DT_TRY(dt_prepare_pass(p, pass, give_row));
    if (p->next_row != p->rows)
        DT_TRY(dt_prepare_fail_changed(p));
out:
    return status;
}

dt_status dt_prepare_weigh(dt_prepare *prepare, dt_prepare_take *take, void *context)
{
    return give_all(prepare, "writing the weights", take, context);
}

dt_status dt_prepare_identify(dt_prepare *prepare, dt_prepare_take *take, void *context)
{
    return give_all(prepare, "writing the ids", take, context);
}

dt_status dt_prepare_trace(dt_prepare *prepare, dt_prepare_take *take, void *context)
{
    dt_status status = DT_OK;
    for (uint64_t at = 0; at < prepare->rows + prepare->dropped_rows; at++) {
        const unsigned set = prepare->traces[at / 4] >> at % 4 * 2 & 3;
        if (set < DT_SET_COUNT)
            DT_TRY(take(context, &(dt_prepare_row){.set = (dt_set)set, .row = at + 1}));
    }
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
    DT_TRY(dt_preprocess_new(&p->preprocess, &p->recipe,
                             &(dt_preprocess_plan){.path = dt_csv_path(p->csv),
                                                   .names = p->names,
                                                   .count = p->count,
                                                   .labels = true,
                                                   .own = true,
                                                   .decimal = p->decimal}));
    DT_TRY(dt_prepare_pass(p, "writing the sets", apply_row));
    if (p->next_row != p->rows)
        DT_TRY(dt_prepare_fail_changed(p));
out:
    return status;
}

const dt_row_note *dt_prepare_unseen(const dt_prepare *prepare)
{
    return dt_preprocess_unseen(prepare->preprocess);
}
