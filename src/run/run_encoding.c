/* Which inputs of a new network are encoded, and by what: from the training rows and the recipe. */
#include "run_internal.h"

#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/nn/spec.h"

/* The held-out rows of a fold do not decide how inputs are encoded, but all folds have the same
 * encoding, so that their networks make an ensemble. */
static const dt_dataset *measured(const dt_run *r)
{
    return r->measured != NULL ? r->measured : &r->sets[DT_TRAIN];
}

DT_MUST_USE static dt_status find_bins(const dt_run *r, dt_bins *out)
{
    const dt_bin_rule rule = {
        .by = (dt_bins_by)r->settings.bins_by, .bins = (size_t)r->settings.bins, .scale = r->scale};
    return dt_dataset_find_bins(out, r->comm, measured(r), &rule);
}

dt_status dt_run_find_numbers(const dt_run *r, dt_bins *bins, bool **numbers)
{
    dt_status status = DT_OK;
    const dt_dataset *train = measured(r);
    const int embedding = r->settings.numeric_embedding;
    size_t encoded = 0;
    if (embedding == DT_EMBEDDING_NONE)
        return DT_OK;
    if (embedding == DT_EMBEDDING_PIECEWISE) {
        DT_TRY(find_bins(r, bins));
        encoded = bins->encoded;
    } else {
        DT_TRY(dt_comm_agree(
            r->comm, dt_memory_alloc(numbers, train->D, sizeof **numbers, "kinds of inputs")));
        DT_TRY(dt_dataset_find_numbers(*numbers, r->comm, train));
        for (size_t d = 0; d < train->D; d++)
            encoded += (*numbers)[d];
    }
    if (r->root && encoded == 0)
        dt_log_warn("--numeric-embedding has no effect: no input has values beside 0 and 1");
out:
    return status;
}

dt_status dt_run_find_columns(const dt_run *r, size_t **out)
{
    dt_status status = DT_OK;
    const size_t D = r->sets[DT_TRAIN].D;
    size_t count = 0, input = 0;
    if (r->settings.category_embedding == 0)
        return DT_OK;
    DT_TRY(dt_comm_agree(r->comm, dt_memory_alloc(out, D, sizeof **out, "columns of inputs")));
    for (size_t c = 0; r->recipe.D == D && c < r->recipe.column_count; c++) {
        const dt_recipe_column *column = &r->recipe.columns[c];
        if (column->role != DT_ROLE_CATEGORICAL)
            continue;
        if (count++ == 0)
            input = dt_recipe_first_input(&r->recipe, c);
        for (size_t i = 0; i < dt_recipe_width(column); i++)
            (*out)[input++] = count;
    }
    if (r->root && count == 0 &&
        dt_options_given(dt_settings_table(), &r->settings, "category-embedding"))
        dt_log_warn("--category-embedding has no effect: the data has no recipe with a column of "
                    "categories");
    dt_comm_broadcast(r->comm, *out, D * sizeof **out);
out:
    return status;
}
