#include "dtrain/data/rows.h"

#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"
#include "dtrain/data/dataset.h"
#include "dtrain/io/h5.h"
#include "keys.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct dt_rows {
    const dt_comm *comm;
    dt_table *table; /* NULL: the rows are in `set` */
    dt_dataset set; /* a shard a rank: row n on rank n / batch_rows mod ranks */
    dt_source arrays; /* rank 0 only: what the keys are read from */
    dt_keys keys;
    bool labels;
    size_t batch_rows;
    uint64_t next; /* rows of this rank that have been given */
    char file[1024], source[1200]; /* rank 0 only */
};

bool dt_rows_is_table(const char *path)
{
    static const char *const arrays[] = {"PK", "\x93NUMPY"};
    enum { MAGIC_BYTES = 6 };
    struct stat info;
    char magic[MAGIC_BYTES + 1] = "";
    bool is_array = false;
    if (strcmp(path, "-") == 0)
        return true;
    if (stat(path, &info) != 0 || S_ISDIR(info.st_mode))
        return dt_text_ends_in(path, ".csv") || dt_text_ends_in(path, ".tsv");
    if (dt_text_ends_in(path, ".xlsx") || dt_text_ends_in(path, ".ods")) /* refused with advice */
        return true;
    if (dt_text_ends_in(path, ".npz") || dt_text_ends_in(path, ".npy") || dt_h5_is_file(path))
        return false;
    if (!S_ISREG(info.st_mode)) /* a pipe would be waited for; for a table it is refused */
        return true;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return true;
    (void)fread(magic, 1, MAGIC_BYTES, file);
    (void)fclose(file);
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        is_array = is_array || memcmp(magic, arrays[i], strlen(arrays[i])) == 0;
    return !is_array;
}

static dt_status fail_set(const dt_rows_plan *plan)
{
    return dt_fail(DT_USAGE, "--set %s was given, but %s has no sets to choose from",
                   dt_set_name(plan->set), plan->path);
}

/* Arrays from another recipe may have the model's width by chance: then all results are wrong, and
 * nothing shows it. */
static dt_status check_recipe(const dt_source *source, const dt_rows_plan *plan)
{
    dt_status status = DT_OK;
    dt_recipe beside = {0};
    char difference[256];
    if (source->recipe[0] == '\0' || plan->recipe == NULL)
        return DT_OK;
    DT_TRY(dt_recipe_load(&beside, source->recipe));
    if (dt_recipe_describe_difference(difference, sizeof difference, plan->recipe, &beside) != NULL)
        DT_TRY(dt_fail(DT_DATA,
                       "%s is not the recipe that the model was trained with; use the sets of its "
                       "training, or the raw table",
                       source->recipe));
out:
    dt_recipe_clear(&beside);
    return status;
}

/* Weights that the model was trained with, if this data has them. */
static dt_status find_weights(dt_source *source, const dt_rows_plan *plan)
{
    const bool wanted = plan->labels && plan->recipe != NULL && plan->recipe->weights != NULL;
    if (!wanted || !dt_npz_has(source->sets[DT_TRAIN].npz, DT_SOURCE_WEIGHTS))
        return DT_OK;
    return dt_source_find_weights(source, DT_SOURCE_WEIGHTS);
}

static dt_status check_source(const dt_source *source, const dt_rows_plan *plan)
{
    const dt_source_set *set = &source->sets[DT_TRAIN];
    if (plan->set_asked && !source->has_sets)
        return fail_set(plan);
    if (dt_source_columns(set) != plan->D)
        return dt_fail(DT_DATA, "%s: %s has %llu columns, but the model takes %zu inputs",
                       dt_npz_path(set->npz), set->inputs->name,
                       (unsigned long long)dt_source_columns(set), plan->D);
    return check_recipe(source, plan);
}

static dt_status open_arrays(dt_rows *r, const dt_rows_plan *plan)
{
    dt_status status = DT_OK;
    const bool root = dt_comm_rank(r->comm) == 0;
    dt_source *source = &r->arrays;
    dt_dataset sets[DT_SET_COUNT] = {0};
    const dt_deal deal = {.S = (size_t)dt_comm_size(r->comm),
                          .run = plan->batch_rows,
                          .targets = plan->values ? DT_TARGETS_VALUES : DT_TARGETS_CLASSES,
                          .C = plan->C,
                          .class_names = plan->class_names,
                          .ids = plan->recipe != NULL,
                          .host_ranks = plan->host_ranks};
    if (root) {
        const char *const paths[] = {plan->path, plan->targets_path};
        const bool pair = plan->targets_path != NULL && plan->targets_path[0] != '\0';
        status = dt_source_open_rows(source, paths, pair ? 2 : 1, plan->set, plan->inputs,
                                     plan->targets, plan->labels);
        if (status == DT_OK)
            status = check_source(source, plan);
        if (status == DT_OK)
            status = find_weights(source, plan);
    }
    DT_TRY(dt_comm_agree(r->comm, status));
    if (root) {
        const dt_source_set *set = &source->sets[DT_TRAIN];
        (void)snprintf(r->file, sizeof r->file, "%s", dt_npz_path(set->npz));
        (void)snprintf(r->source, sizeof r->source, "%s, %.100s", r->file, set->inputs->name);
    }
    DT_TRY(dt_dataset_load(sets, r->comm, source, &deal));
    r->set = sets[DT_TRAIN];
    dt_dataset_clear(&sets[DT_VALIDATION]);
    dt_dataset_clear(&sets[DT_TEST]);
    if (plan->keys)
        DT_TRY(
            dt_keys_open(&r->keys, r->comm, &source->sets[DT_TRAIN], plan->set, plan->batch_rows));
    if (!r->keys.has_row && !r->keys.has_id)
        dt_source_clear(source);
out:
    return status;
}

dt_status dt_rows_open(dt_rows **out, const dt_comm *comm, const dt_rows_plan *plan)
{
    dt_status status = DT_OK;
    dt_rows *r = NULL;
    int32_t text = 0;
    const bool root = dt_comm_rank(comm) == 0;
    *out = NULL;
    DT_TRY(dt_comm_agree(comm, dt_memory_alloc(&r, 1, sizeof *r, "rows")));
    r->comm = comm;
    r->labels = plan->labels;
    r->batch_rows = plan->batch_rows;
    if (root)
        text = dt_rows_is_table(plan->path);
    (void)snprintf(r->file, sizeof r->file, "%s", plan->path);
    (void)snprintf(r->source, sizeof r->source, "%s", plan->path);
    dt_comm_broadcast(comm, &text, sizeof text);
    if (text && plan->set_asked)
        DT_TRY(dt_comm_agree(comm, root ? fail_set(plan) : DT_OK));
    if (text && plan->recipe == NULL)
        DT_TRY(dt_comm_agree(
            comm,
            root ? dt_fail(DT_DATA,
                           "%s: a table of text, but the model has no recipe to prepare it (dtrain "
                           "did not prepare its training data, or Keras has saved the model since)",
                           plan->path)
                 : DT_OK));
    if (text)
        DT_TRY(dt_table_open(&r->table, comm, plan->path, plan->recipe, &plan->format, plan->labels,
                             plan->batch_rows));
    else
        DT_TRY(open_arrays(r, plan));
    *out = r;
out:
    if (status != DT_OK)
        dt_rows_close(r);
    return status;
}

const char *dt_rows_file(const dt_rows *rows)
{
    return rows->file;
}

const char *dt_rows_source(const dt_rows *rows)
{
    return rows->source;
}

void dt_rows_close(dt_rows *rows)
{
    if (rows == NULL)
        return;
    dt_table_close(rows->table);
    dt_dataset_clear(&rows->set);
    dt_keys_clear(&rows->keys);
    dt_source_clear(&rows->arrays);
    dt_memory_free(rows);
}

dt_status dt_rows_next(dt_rows *rows, dt_row_take *take, void *context, bool *more)
{
    dt_rows *r = rows;
    if (r->table != NULL)
        return dt_table_next(r->table, take, context, more);
    /* No rank has more rows than rank 0, so that all ranks reach the end together. */
    const uint64_t size = (uint64_t)dt_comm_size(r->comm), rank = (uint64_t)dt_comm_rank(r->comm);
    dt_status status = DT_OK;
    const size_t own = dt_dataset_own_rows(&r->set);
    const size_t left = r->next < own ? own - (size_t)r->next : 0;
    const size_t count = left < r->batch_rows ? left : r->batch_rows;
    *more = r->next * size < r->set.N;
    DT_TRY(dt_keys_next(&r->keys, count));
    if (count > 0) {
        const dt_row_batch batch = {.first = r->next * size + rank * r->batch_rows + 1,
                                    .count = count,
                                    .x = r->set.x + r->next * r->set.D,
                                    .y = r->labels ? r->set.y + r->next * r->set.T : NULL,
                                    .w = r->set.w != NULL ? r->set.w + r->next : NULL,
                                    .numbers = r->keys.has_row ? r->keys.row : NULL,
                                    .kept = r->keys.id,
                                    .kept_at = r->keys.has_id ? r->keys.id_at : NULL};
        status = take(context, &batch);
    }
    r->next += r->batch_rows;
    status = dt_comm_agree(r->comm, status);
out:
    return status;
}

dt_status dt_rows_count(dt_rows *rows, uint64_t *count)
{
    dt_status status = DT_OK;
    *count = rows->set.N;
    if (rows->table == NULL)
        return DT_OK;
    if (dt_comm_rank(rows->comm) == 0)
        status = dt_table_count(rows->table, count);
    status = dt_comm_agree(rows->comm, status);
    dt_comm_broadcast(rows->comm, count, sizeof *count);
    return status;
}

bool dt_rows_are_table(const dt_rows *rows)
{
    return rows->table != NULL;
}

dt_status dt_rows_keep(const char **header, dt_rows *rows, const char *list)
{
    return dt_table_keep(header, rows->table, list);
}

dt_status dt_rows_take_bad(dt_rows *rows, bool skip)
{
    return dt_table_take_bad(rows->table, skip);
}

dt_status dt_rows_bad(dt_row_note *out, const dt_rows *rows)
{
    return dt_table_bad(out, rows->table);
}

bool dt_rows_have_ids(const dt_rows *rows)
{
    return rows->keys.has_id;
}

bool dt_rows_weighted(const dt_rows *rows)
{
    return rows->table != NULL ? dt_table_weighted(rows->table) : rows->set.w != NULL;
}

double dt_rows_share(const dt_rows *rows)
{
    if (rows->table != NULL)
        return dt_table_share(rows->table);
    const double given = (double)rows->next * dt_comm_size(rows->comm) / (double)rows->set.N;
    return given < 1.0 ? given : 1.0;
}

dt_status dt_rows_judge(dt_row_note *unseen, const dt_rows *rows)
{
    *unseen = (dt_row_note){0};
    return rows->table != NULL ? dt_table_judge(unseen, rows->table) : DT_OK;
}
