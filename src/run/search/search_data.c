/* The data of a search: the first group reads it, and the others get what its ranks have. */
#include "search_internal.h"

#include "dtrain/base/memory.h"

#include <string.h>

/* What has a fixed size. */
typedef struct facts {
    dt_settings settings;
    char unscaled[400];
    double baseline_rmse[DT_SET_COUNT];
    dt_fingerprint members[DT_FINGERPRINT_MAX];
    size_t member_count;
    char name[64], recipe[4096];
    double load_s;
    uint64_t json_bytes; /* of the recipe, with its NUL; 0: it has none */
    bool has_scaling, has_scale; /* of inputs, of targets */
} facts;

static void fill(facts *f, const dt_run *r)
{
    f->settings = r->settings;
    memcpy(f->unscaled, r->unscaled, sizeof f->unscaled);
    memcpy(f->baseline_rmse, r->baseline_rmse, sizeof f->baseline_rmse);
    memcpy(f->members, r->members, sizeof f->members);
    f->member_count = r->member_count;
    memcpy(f->name, r->source.name, sizeof f->name);
    memcpy(f->recipe, r->source.recipe, sizeof f->recipe);
    f->load_s = r->load_s;
    f->has_scaling = r->input_mean != NULL;
    f->has_scale = r->scale != NULL;
}

static void take(dt_run *r, const facts *f)
{
    r->settings = f->settings;
    memcpy(r->unscaled, f->unscaled, sizeof r->unscaled);
    memcpy(r->baseline_rmse, f->baseline_rmse, sizeof r->baseline_rmse);
    memcpy(r->members, f->members, sizeof r->members);
    r->member_count = f->member_count;
    memcpy(r->source.name, f->name, sizeof r->source.name);
    memcpy(r->source.recipe, f->recipe, sizeof r->source.recipe);
    r->load_s = f->load_s;
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

/* Of leaders: the others have none. */
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
        fill(f, r);
        if (r->recipe.D > 0)
            status = dt_recipe_to_json(&json, &r->recipe);
        f->json_bytes = json != NULL ? strlen(json) + 1 : 0;
    }
    DT_TRY(dt_comm_agree(peers, status));
    dt_comm_broadcast(peers, f, sizeof *f);
    if (!root)
        take(r, f);
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
