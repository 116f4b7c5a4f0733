#include "train_run.h"

#include "dtrain/base/clock.h"
#include "dtrain/comm/watchdog.h"
#include "dtrain/io/file.h"

#include <stdio.h>

dt_status dt_train_make_folder(dt_train_run *r, const char *name)
{
    char path[128];
    if (r->settings.out[0] != '\0') {
        (void)snprintf(r->folder, sizeof r->folder, "%s", r->settings.out);
        return dt_file_make_folder(r->folder);
    }
    (void)snprintf(path, sizeof path, "results/%s", name);
    return dt_file_make_new_folder(r->folder, sizeof r->folder, path);
}

/* Many a file is called recipe.json: what is none must not stop a training for good. */
static dt_status load_recipe(dt_train_run *r)
{
    dt_status status = dt_recipe_load(&r->recipe, r->source.recipe);
    if (status == DT_DATA)
        status = dt_fail(status, "%s; remove or rename it, or prepare the table again",
                         dt_status_text());
    return status;
}

static dt_status open_data(dt_train_run *r)
{
    dt_status status = DT_OK;
    const dt_settings *settings = &r->settings;
    const char *paths[DT_DATA_MAX];
    char prefix[PATH_BYTES + 16];
    for (int i = 0; i < settings->data_count; i++)
        paths[i] = settings->data[i];
    size_t count = (size_t)settings->data_count;
    if (count == 0) {
        DT_TRY(dt_train_make_folder(r, "example"));
        (void)snprintf(prefix, sizeof prefix, "%s/example", r->folder);
        DT_TRY(dt_example_write(&r->example, prefix));
        paths[0] = prefix;
        count = 1;
    }
    DT_TRY(dt_source_open(&r->source, paths, count, settings->inputs, settings->targets));
    if (r->source.recipe[0] != '\0')
        DT_TRY(load_recipe(r));
out:
    return status;
}

/* The shares count for the sets that the data does not have; one that was asked for must be of use.
 */
static dt_status check_splits(const dt_train_run *r)
{
    const struct {
        dt_part part;
        const char *option;
        double share;
    } splits[] = {{DT_VALIDATION, "validation-split", r->settings.validation_split},
                  {DT_TEST, "test-split", r->settings.test_split}};
    double shares = 0.0;
    for (size_t i = 0; i < sizeof splits / sizeof *splits; i++) {
        if (r->source.parts[splits[i].part].inputs == NULL)
            shares += splits[i].share;
        else if (dt_options_given(dt_settings_table(), &r->settings, splits[i].option))
            return dt_fail(DT_USAGE, "--%s was given, but the data has a %s set already",
                           splits[i].option, dt_part_name(splits[i].part));
    }
    if (shares >= 1.0)
        return dt_fail(DT_USAGE,
                       "--validation-split and --test-split take %g of the rows and leave no rows "
                       "for training",
                       shares);
    return DT_OK;
}

/* A recipe that some other data was made with would ride in the model, and spoil predictions. */
static dt_status check_recipe(const dt_train_run *r)
{
    const dt_dataset *set = &r->sets[DT_TRAIN];
    if (r->recipe.D == 0 || (r->recipe.D == set->D && r->recipe.class_count == set->C))
        return DT_OK;
    return dt_fail(DT_DATA,
                   "%s makes %zu inputs and %zu classes, but the rows beside it have %zu and %zu; "
                   "remove or rename it, or prepare the table again",
                   r->source.recipe, r->recipe.D, r->recipe.class_count, set->D, set->C);
}

dt_status dt_train_load_data(dt_train_run *r)
{
    dt_status status = DT_OK;
    const double begin = dt_clock_s();
    dt_comm_at(r->comm, DT_AT_LOAD, 0, 0);
    const dt_deal deal = {.S = (size_t)r->settings.shards,
                          .validation_split = r->settings.validation_split,
                          .test_split = r->settings.test_split,
                          .seed = (uint64_t)r->settings.seed,
                          .host_ranks = r->environment.launch.host_size};
    if (r->root) {
        status = open_data(r);
        if (status == DT_OK)
            status = check_splits(r);
    }
    DT_TRY(dt_comm_agree(r->comm, status));
    DT_TRY(dt_dataset_load(r->sets, r->comm, &r->source, &deal));
    DT_TRY(dt_comm_agree(r->comm, check_recipe(r)));
    r->load_s = dt_clock_s() - begin;
out:
    return status;
}
