/* The names of the classes, and their indices in the model. */
#include "run_internal.h"

#include "dtrain/base/memory.h"

char *const *dt_run_class_names(const dt_run *r)
{
    return r->recipe.D > 0                ? r->recipe.classes
           : r->model.class_names != NULL ? r->model.class_names
                                          : r->sets[DT_TRAIN].class_names;
}

dt_status dt_run_take_classes(dt_run *r, const char *path)
{
    dt_status status = DT_OK;
    int32_t *map = NULL;
    const dt_model *model = &r->model;
    const dt_dataset *train = &r->sets[DT_TRAIN];
    const size_t C = train->C;
    int32_t maps = train->class_names != NULL ||
                   (r->recipe.D == 0 && model->recipe_json == NULL && model->class_names != NULL);
    maps = maps && C > 0 && C <= model->network.C && model->network.loss->classes;
    dt_comm_broadcast(r->comm, &maps, sizeof maps);
    if (!maps) /* rank 0 has the names */
        return DT_OK;
    status = dt_memory_alloc(&map, C, sizeof *map, "classes");
    if (status == DT_OK && r->root)
        status = dt_dataset_match_classes(map, train, model->class_names, model->network.C, path);
    DT_TRY(dt_comm_agree(r->comm, status));
    dt_comm_broadcast(r->comm, map, C * sizeof *map);
    for (int p = 0; p < DT_SET_COUNT && status == DT_OK; p++)
        status = dt_dataset_map_classes(&r->sets[p], map, model->network.C);
    status = dt_comm_agree(r->comm, status);
out:
    dt_memory_free(map);
    return status;
}
