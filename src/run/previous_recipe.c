/* The recipe of a resumed run: even with equal arrays it may differ, and the model would contain
 * the wrong one. */
#include "dtrain/run/previous.h"

#include "previous_internal.h"

#include "dtrain/base/memory.h"
#include "dtrain/run/checkpoint.h"

#include <string.h>

dt_status dt_previous_read_recipe(dt_previous *previous, dt_h5 *h5)
{
    if (!previous->resumes || !dt_h5_has_attribute(h5, "/", DT_CHECKPOINT_RECIPE))
        return DT_OK; /* older checkpoints do not have it */
    return dt_h5_get_text(&previous->recipe, h5, "/", DT_CHECKPOINT_RECIPE);
}

dt_status dt_previous_check_recipe(const dt_previous *previous, const dt_recipe *recipe)
{
    dt_status status = DT_OK;
    char difference[256];
    dt_recipe was = {0};
    if (previous->recipe == NULL || recipe->D == 0)
        return DT_OK;
    DT_TRY(dt_recipe_from_json(&was, previous->recipe, strlen(previous->recipe), previous->path));
    if (dt_recipe_describe_difference(difference, sizeof difference, &was, recipe) != NULL)
        status = dt_fail(DT_DATA, "%s %s: its data was prepared by another recipe: %s",
                         previous->option, previous->path, difference);
out:
    dt_recipe_clear(&was);
    return status;
}

void dt_previous_clear(dt_previous *previous)
{
    dt_memory_free(previous->recipe);
    *previous = (dt_previous){0};
}
