#include "run_folds.h"

#include "dtrain/base/clock.h"
#include "dtrain/base/log.h"
#include "dtrain/comm/watchdog.h"
#include "dtrain/data/set_sizes.h"
#include "dtrain/data/shared_rows.h"
#include "dtrain/io/file.h"
#include "dtrain/run/preset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The run of this data before this one, in the folder of the number before, may have been
 * stopped. */
static void warn_of_checkpoint(const dt_run *r, const char *path)
{
    char before[sizeof r->folder], checkpoint[PATH_BYTES + 16];
    const long number = strcmp(r->folder, path) == 0
                            ? 1
                            : strtol(r->folder + strlen(path) + 1, NULL, 10); /* "path-7" */
    if (number < 2)
        return;
    if (number == 2)
        (void)snprintf(before, sizeof before, "%s", path);
    else
        (void)snprintf(before, sizeof before, "%s-%ld", path, number - 1);
    if (access(dt_checkpoint_path(checkpoint, sizeof checkpoint, before), F_OK) == 0)
        dt_log_warn(
            "the run in %s has not ended; use --resume %s to resume it. This is a new run, in %s",
            before, before, r->folder);
}

dt_status dt_run_make_folder(dt_run *r, const char *name)
{
    char path[128];
    if (r->settings.out[0] != '\0') {
        (void)snprintf(r->folder, sizeof r->folder, "%s", r->settings.out);
        const dt_status made = dt_file_make_folder(r->folder);
        return made == DT_OK ? dt_run_take_folder(r, r->folder) : made;
    }
    (void)snprintf(path, sizeof path, "results/%s", name);
    dt_status status = dt_file_make_new_folder(r->folder, sizeof r->folder, path);
    if (status == DT_OK)
        status = dt_run_own(r, r->folder);
    if (status == DT_OK)
        warn_of_checkpoint(r, path);
    return status;
}

/* Other programs also name files recipe.json: the message says how to get past such a file. */
static dt_status load_recipe(dt_run *r)
{
    dt_status status = dt_recipe_load(&r->recipe, r->source.recipe);
    if (status == DT_DATA)
        status = dt_fail(status, "%s; remove or rename it, or prepare the table again",
                         dt_status_text());
    return status;
}

/* Weights that `dtrain prepare` wrote count, unless others are asked for. */
static void take_weights(dt_run *r)
{
    if (r->recipe.weights != NULL && r->settings.weights[0] == '\0')
        (void)snprintf(r->settings.weights, sizeof r->settings.weights, DT_SOURCE_WEIGHTS);
}

/* An array that looks like weights of the rows may have been forgotten. */
static void name_unused_weights(const dt_run *r)
{
    static const char *const names[] = {"weights", "sample_weight", "sample_weights", "weight"};
    const dt_source_set *set = &r->source.sets[DT_TRAIN];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const dt_npz_member *found = dt_source_look(set, DT_TRAIN, names[i]);
        if (found == NULL || found == set->inputs || found == set->targets ||
            found->npy.count != set->inputs->npy.shape[0])
            continue;
        dt_log_warn("%s: the array %s is not used; --weights %s weighs the rows by it",
                    dt_npz_path(set->npz), found->name, names[i]);
        return;
    }
}

/* The shares apply to sets that the data does not have; a share that was given must have an effect.
 */
static dt_status check_splits(const dt_run *r)
{
    const struct {
        dt_set set;
        const char *option;
        double share;
    } splits[] = {{DT_VALIDATION, "validation-split", r->settings.validation_split},
                  {DT_TEST, "test-split", r->settings.test_split}};
    double shares = 0.0;
    for (size_t i = 0; i < sizeof splits / sizeof *splits; i++) {
        if (r->source.sets[splits[i].set].inputs == NULL)
            shares += splits[i].share;
        else if (dt_options_given(dt_settings_table(), &r->settings, splits[i].option))
            return dt_fail(DT_USAGE, "--%s was given, but the data has a %s set already",
                           splits[i].option, dt_set_name(splits[i].set));
    }
    if (shares >= 1.0)
        return dt_fail(DT_USAGE,
                       "--validation-split and --test-split take %g of the rows and leave no rows "
                       "for training",
                       shares);
    return DT_OK;
}

static dt_status open_data(dt_run *r)
{
    dt_status status = DT_OK;
    const dt_settings *settings = &r->settings;
    const char *paths[DT_DATA_MAX];
    char prefix[PATH_BYTES + 16];
    for (int i = 0; i < settings->data_count; i++)
        paths[i] = settings->data[i];
    size_t count = (size_t)settings->data_count;
    if (count == 0) {
        DT_TRY(dt_run_make_folder(r, "example"));
        (void)snprintf(prefix, sizeof prefix, "%s/example", r->folder);
        DT_TRY(dt_example_write(&r->example, prefix));
        paths[0] = prefix;
        count = 1;
    }
    DT_TRY(dt_source_open(&r->source, paths, count, settings->inputs, settings->targets));
    if (r->source.recipe[0] != '\0')
        DT_TRY(load_recipe(r));
    take_weights(r);
    if (settings->weights[0] != '\0')
        DT_TRY(dt_source_find_weights(&r->source, settings->weights));
    else
        name_unused_weights(r);
    DT_TRY(check_splits(r));
out:
    return status;
}

/* The recipe of other data would be saved in the model, and spoil predictions. */
static dt_status check_recipe(const dt_run *r)
{
    const dt_dataset *set = &r->sets[DT_TRAIN];
    const dt_recipe *recipe = &r->recipe;
    const bool classes = recipe->class_count > 0;
    if (recipe->D == 0 ||
        (recipe->D == set->D && recipe->class_count == set->C && recipe->T == set->T))
        return DT_OK;
    if (classes != (set->C > 0))
        return dt_fail(DT_DATA,
                       "%s prepares %s, but the targets in the same folder are %s; remove or "
                       "rename it, or prepare the table again",
                       r->source.recipe, classes ? "classes" : "values",
                       classes ? "values" : "classes");
    return dt_fail(DT_DATA,
                   "%s prepares %zu inputs and %zu %s, but the rows in the same folder have %zu "
                   "and %zu; remove or rename it, or prepare the table again",
                   r->source.recipe, recipe->D, classes ? recipe->class_count : recipe->T,
                   classes ? "classes" : "values", set->D, classes ? set->C : set->T);
}

/* A resumed or repeated run keeps the values that were found before. */
static dt_status fit_preset(dt_run *r)
{
    dt_settings *s = &r->settings;
    const dt_preset_data data = {.classes = r->sets[DT_TRAIN].C > 0, .rows = r->sets[DT_TRAIN].N};
    if (s->resume[0] != '\0' || s->like[0] != '\0')
        return DT_OK;
    return dt_preset_fit(dt_settings_table(), s, (dt_preset)s->preset, &data);
}

static void warn_of_sizes(const dt_run *r)
{
    const dt_dataset *train = &r->sets[DT_TRAIN];
    dt_set_sizes sizes = {.C = train->C, .class_names = (const char *const *)train->class_names};
    if (r->recipe.class_count > 0 && r->recipe.class_count == train->C)
        sizes.class_names = (const char *const *)r->recipe.classes;
    for (int p = 0; p < DT_SET_COUNT; p++) {
        sizes.rows[p] = r->sets[p].N;
        sizes.class_rows[p] = r->sets[p].class_rows;
    }
    dt_set_sizes_warn(&sizes);
}

dt_status dt_run_load_data(dt_run *r)
{
    dt_status status = DT_OK;
    dt_shared_rows shared;
    const double begin = dt_clock_s();
    dt_comm_at(r->comm, DT_AT_LOAD, 0, 0);
    const dt_settings *s = &r->settings;
    dt_deal deal = {.S = (size_t)s->shards,
                    .numbers = s->folds > 0,
                    .validation_split = s->validation_split,
                    .test_split = s->test_split,
                    .seed = (uint64_t)dt_settings_split_seed(s),
                    .host_ranks = r->environment.launch.host_size};
    int32_t is_table = r->root && dt_settings_has_table(s);
    dt_comm_broadcast(r->comm, &is_table, sizeof is_table);
    if (is_table)
        status = dt_run_open_table(r);
    else if (r->root)
        status = open_data(r);
    if (r->root) {
        deal.targets = dt_run_expected_targets(r);
        deal.ids = r->recipe.D > 0;
    }
    DT_TRY(dt_comm_agree(r->comm, status));
    DT_TRY(dt_dataset_load(r->sets, r->comm, &r->source, &deal));
    DT_TRY(dt_comm_agree(r->comm, check_recipe(r)));
    DT_TRY(dt_shared_rows_count(&shared, r->comm, r->sets));
    DT_TRY(dt_run_take_targets(r));
    DT_TRY(dt_comm_agree(r->comm, fit_preset(r)));
    DT_TRY(dt_run_scale_inputs(r));
    if (s->folds > 0)
        DT_TRY(dt_run_check_folds(r));
    if (s->fold > 0)
        DT_TRY(dt_run_take_fold(r, r));
    if (r->root) {
        r->member_count = dt_fingerprint_list(r->members, &r->source);
        dt_source_close_files(&r->source);
        if (is_table)
            status = dt_run_close_table(r);
        if (status == DT_OK)
            status = dt_previous_check(&r->previous, r->members, r->member_count, &r->recipe,
                                       &r->environment);
    }
    DT_TRY(dt_comm_agree(r->comm, status));
    if (r->root)
        warn_of_sizes(r);
    if (r->root) /* last, so that an error is the only line */
        dt_shared_rows_warn(&shared, r->recipe.D == 0 ? DT_SHARED_ROWS_OF_ARRAYS
                                     : is_table && s->prepare.drop_duplicates
                                         ? DT_SHARED_ROWS_OF_DIFFERENT
                                         : DT_SHARED_ROWS_OF_TABLE);
    r->load_s = dt_clock_s() - begin;
out:
    return status;
}
