/* The data of a search: the first group reads it, and the others receive copies from its ranks. */
#include "search_internal.h"

#include "dtrain/base/memory.h"

#include <stddef.h>
#include <string.h>

/* What has a fixed size: rank 0 fills it in, and the others take it. */
typedef struct facts {
    dt_run fixed; /* only the fields below are in use */
    uint64_t json_bytes; /* of the recipe, with its NUL; 0: it has none */
    bool has_scaling, has_scale; /* of inputs, of targets */
} facts;

/* The fields of a run that are copied as they are. */
#define FIELD(name)                                                                                \
    {                                                                                              \
        offsetof(dt_run, name), sizeof(((dt_run *)0)->name)                                        \
    }
static const struct {
    size_t offset, bytes;
} fields[] = {
    FIELD(settings),     FIELD(unscaled),    FIELD(baseline_rmse), FIELD(members),
    FIELD(member_count), FIELD(source.name), FIELD(source.recipe), FIELD(load_s),
};

static void copy_fields(dt_run *to, const dt_run *from)
{
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        memcpy((char *)to + fields[i].offset, (const char *)from + fields[i].offset,
               fields[i].bytes);
}

/* How inputs and targets are scaled. */
DT_MUST_USE static dt_status share_scales(dt_run *r, const dt_comm *peers, const facts *f)
{
    dt_status status = DT_OK;
    const size_t D = r->sets[DT_TRAIN].D, T = r->sets[DT_TRAIN].T;
    static const char what[] = "statistics of the data";
    if (dt_comm_rank(peers) > 0) {
        if (f->has_scaling)
            status = dt_memory_alloc(&r->input_mean, D, sizeof *r->input_mean, what);
        if (f->has_scaling && status == DT_OK)
            status = dt_memory_alloc(&r->input_variance, D, sizeof *r->input_variance, what);
        if (f->has_scale && status == DT_OK)
            status = dt_memory_alloc(&r->scale, T, sizeof *r->scale, what);
    }
    DT_TRY(dt_comm_agree(peers, status));
    if (f->has_scaling) {
        dt_comm_broadcast(peers, r->input_mean, D * sizeof *r->input_mean);
        dt_comm_broadcast(peers, r->input_variance, D * sizeof *r->input_variance);
    }
    if (f->has_scale)
        dt_comm_broadcast(peers, r->scale, T * sizeof *r->scale);
out:
    return status;
}

/* On leaders; the other ranks have none. */
DT_MUST_USE static dt_status share_recipe(dt_run *r, const dt_comm *peers, const char *json,
                                          size_t bytes)
{
    dt_status status = DT_OK;
    char *copy = NULL;
    const bool root = dt_comm_rank(peers) == 0;
    DT_TRY(dt_comm_agree(peers, dt_memory_alloc(&copy, bytes, 1, "recipe")));
    if (root && json != NULL)
        memcpy(copy, json, bytes);
    dt_comm_broadcast(peers, copy, bytes);
    if (!root)
        status = dt_recipe_from_json(&r->recipe, copy, bytes - 1, "recipe of the data");
    DT_TRY(dt_comm_agree(peers, status));
out:
    dt_memory_free(copy);
    return status;
}

DT_MUST_USE static dt_status share(dt_run *r, const dt_comm *peers, facts *f)
{
    dt_status status = DT_OK;
    char *json = NULL;
    const bool root = dt_comm_rank(peers) == 0;
    if (root) {
        copy_fields(&f->fixed, r);
        f->has_scaling = r->input_mean != NULL;
        f->has_scale = r->scale != NULL;
        if (r->recipe.D > 0)
            status = dt_recipe_to_json(&json, &r->recipe);
        f->json_bytes = json != NULL ? strlen(json) + 1 : 0;
    }
    DT_TRY(dt_comm_agree(peers, status));
    dt_comm_broadcast(peers, f, sizeof *f);
    if (!root)
        copy_fields(r, &f->fixed);
    for (int p = 0; p < DT_SET_COUNT; p++)
        DT_TRY(dt_dataset_share(&r->sets[p], peers));
    DT_TRY(share_scales(r, peers, f));
    if (f->json_bytes > 0)
        DT_TRY(share_recipe(r, peers, json, f->json_bytes));
out:
    dt_memory_free(json);
    return status;
}

dt_status dt_search_share_data(dt_search *s)
{
    dt_status status = DT_OK;
    facts *f = NULL; /* too large for the stack */
    DT_TRY(dt_comm_agree(s->all, dt_memory_alloc(&f, 1, sizeof *f, "facts of the data")));
    DT_TRY(dt_comm_agree(s->all, share(s->run, dt_crew_peers(s->crew), f)));
out:
    dt_memory_free(f);
    return status;
}
