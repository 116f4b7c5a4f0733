#include "dtrain/cli/train.h"

#include "train_run.h"

#include "dtrain/base/clock.h"
#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/io/file.h"
#include "dtrain/train/model.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

void dt_cli_train_help(void)
{
    dt_options_print_help(dt_settings_table());
}

/* ---- settings, folder, data ---- */

static void join_words(char *out, size_t bytes, int argc, char **argv)
{
    size_t used = (size_t)snprintf(out, bytes, "dtrain");
    for (int i = 0; i < argc && used < bytes; i++)
        used += (size_t)snprintf(out + used, bytes - used, " %s", argv[i]);
}

/* What is said of DATA is of no use without it. */
static dt_status check_data_options(const dt_settings *settings)
{
    static const char *const options[] = {"inputs", "targets", "validation-split", "test-split"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (settings->data_count == 0 &&
            dt_options_given(dt_settings_table(), settings, options[i]))
            return dt_fail(DT_USAGE,
                           "--%s was given, but no DATA; the built-in example has its arrays "
                           "and sets",
                           options[i]);
    return DT_OK;
}

static dt_status read_settings(dt_train_run *r, int argc, char **argv)
{
    dt_status status = DT_OK;
    if (r->root) {
        join_words(r->command_line, sizeof r->command_line, argc, argv);
        status = dt_settings_parse(&r->settings, argc, argv);
        if (status == DT_OK)
            status = dt_like_read(&r->like, &r->settings);
        if (status == DT_OK)
            status = check_data_options(&r->settings);
        if (status == DT_OK)
            status = dt_settings_complete(&r->settings, dt_comm_size(r->comm));
    }
    status = dt_comm_agree(r->comm, status);
    dt_comm_broadcast(r->comm, &r->settings, sizeof r->settings);
    dt_log_init(r->root, r->settings.quiet);
    return status;
}

/* The folder that --out names, or a new one in results/: an earlier run's results are never written
 * over unasked. Made as late as can be, so that a refused run leaves none. */
static dt_status make_folder(dt_train_run *r, const char *name)
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
        DT_TRY(make_folder(r, "example"));
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

static dt_status load_data(dt_train_run *r)
{
    dt_status status = DT_OK;
    const double begin = dt_clock_s();
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

/* ---- results ---- */

static void take_epoch(void *context, const dt_epoch *row)
{
    const dt_train_run *r = context;
    dt_train_report_epoch(r, row);
    dt_run_log_add_epoch(r->log, row);
    if (r->csv_log != NULL)
        dt_csv_log_add_epoch(r->csv_log, row);
}

static void take_step(void *context, const dt_step *step)
{
    dt_train_report_step(context, step);
}

static dt_status save_model(const dt_train_run *r)
{
    dt_status status = DT_OK;
    char path[PATH_BYTES + 16];
    char *json = NULL;
    dt_model model = r->model; /* borrowed, as all of it */
    if (r->recipe.D > 0) {
        DT_TRY(dt_recipe_to_json(&json, &r->recipe));
        model.recipe_json = json;
        model.class_names = r->recipe.classes;
        model.class_name_count = r->recipe.class_count;
    }
    (void)snprintf(path, sizeof path, "%s/model.h5", r->folder);
    DT_TRY(dt_model_save(&model, path));
out:
    dt_memory_free(json);
    return status;
}

/* Opened first and looked at then: a path to what is read, or to the run's other results, shows itself
 * only once it is there. It may lie in the run's folder. */
static dt_status open_csv_log(dt_train_run *r, const dt_fingerprint *members, size_t count)
{
    dt_status status = DT_OK;
    const dt_settings *s = &r->settings;
    char model[PATH_BYTES + 16], results[2][PATH_BYTES + 16];
    const char *taken[DT_FINGERPRINT_MAX + 4] = {dt_model_find(model, sizeof model, s->init_from),
                                                 s->like, results[0], results[1]};
    (void)snprintf(results[0], sizeof results[0], "%s/run.h5", r->folder);
    (void)snprintf(results[1], sizeof results[1], "%s/model.h5", r->folder);
    for (size_t i = 0; i < count; i++)
        taken[4 + i] = members[i].file;
    DT_TRY(dt_csv_log_open(&r->csv_log, s->csv_log, r->sets[DT_VALIDATION].N > 0));
    for (size_t i = 0; i < 4 + count; i++)
        if (dt_file_same(s->csv_log, taken[i]))
            DT_TRY(
                dt_fail(DT_USAGE, "--csv-log %s would be written over %s", s->csv_log, taken[i]));
out:
    /* A refused run leaves no folder: a new one of ours is empty still. */
    if (status != DT_OK) {
        (void)!dt_csv_log_close(r->csv_log);
        r->csv_log = NULL;
        if (s->out[0] == '\0')
            (void)rmdir(r->folder);
    }
    return status;
}

static dt_status open_logs(dt_train_run *r)
{
    dt_status status = DT_OK;
    char path[PATH_BYTES + 16];
    dt_fingerprint members[DT_FINGERPRINT_MAX];
    char *const *names = r->recipe.D > 0 ? r->recipe.classes : r->model.class_names;
    const dt_run_facts facts = {.settings = &r->settings,
                                .environment = &r->environment,
                                .sets = r->sets,
                                .members = members,
                                .member_count = dt_fingerprint_list(members, &r->source),
                                .network = &r->model.network,
                                .class_names = names,
                                .has_init = r->has_init,
                                .init_weights_crc = r->init_weights_crc,
                                .init_state_crc = r->init_state_crc,
                                .command_line = r->command_line};
    DT_TRY(dt_like_check(&r->like, members, facts.member_count, &r->environment));
    if (r->folder[0] == '\0') /* the example has its folder already */
        DT_TRY(make_folder(r, r->source.name));
    if (r->settings.csv_log[0] != '\0')
        DT_TRY(open_csv_log(r, members, facts.member_count));
    (void)snprintf(path, sizeof path, "%s/run.h5", r->folder);
    DT_TRY(dt_run_log_open(&r->log, path, &facts));
out:
    return status;
}

/* Gathers the ranks' times; rank 0 prints what the run came to, and adds it to the log. Numbers of
 * a model that is not there are printed, but not logged: a log that grows may not find room on the
 * disk that had none for the model, and would not get to say that the run failed. */
static dt_status report_results(dt_train_run *r, bool saved, bool evaluated)
{
    dt_status status = DT_OK;
    const size_t size = (size_t)dt_comm_size(r->comm);
    dt_rank_row mine = {.rank = dt_comm_rank(r->comm),
                        .rows = (int64_t)dt_dataset_own_rows(&r->sets[DT_TRAIN]),
                        .phases = r->result.phases};
    dt_rank_row *rows = NULL;
    memcpy(mine.host, r->environment.launch.host, sizeof mine.host);
    mine.phases.seconds[DT_PHASE_LOAD] = r->load_s;
    DT_TRY(dt_comm_agree(r->comm, dt_memory_alloc(&rows, size, sizeof *rows, "ranks' times")));
    dt_comm_gather(r->comm, rows, &mine, sizeof mine);
    if (r->root && evaluated) {
        dt_train_report_phases(rows, size);
        dt_like_report(&r->like, r->result.weights_crc);
        dt_train_report_summary(r);
    } else if (r->root && saved) {
        dt_log_say("\nmodel      saved in %s/model.h5, but not evaluated on all sets\n", r->folder);
    }
    if (r->root && saved)
        status = dt_run_log_add_result(r->log, &r->result, rows, size);
    status = dt_comm_agree(r->comm, status);
out:
    dt_memory_free(rows);
    return status;
}

/* What went wrong first is what gets reported, whatever is still done after it. */
typedef struct failure {
    dt_status status;
    char text[DT_STATUS_TEXT_BYTES];
} failure;

static bool note(failure *first, dt_status status)
{
    if (status != DT_OK && first->status == DT_OK) {
        first->status = status;
        (void)snprintf(first->text, sizeof first->text, "%s", dt_status_text());
    }
    return status == DT_OK;
}

/* Saves the model before anything else can fail; and evaluates it even when it could not be saved,
 * so that the run's numbers at least are seen. */
static dt_status save_results(dt_train_run *r)
{
    dt_status status = DT_OK;
    failure first = {.status = DT_OK};
    const bool saved = note(&first, dt_comm_agree(r->comm, r->root ? save_model(r) : DT_OK));
    const bool evaluated =
        note(&first, dt_trainer_evaluate(&r->result, r->comm, r->sets, &r->model.network));
    (void)note(&first, report_results(r, saved, evaluated));
    status = dt_csv_log_close(r->csv_log); /* NULL but on rank 0 */
    r->csv_log = NULL;
    (void)note(&first, dt_comm_agree(r->comm, status));
    if (first.status != DT_OK)
        return dt_fail(first.status, "%s", first.text);
    status = dt_run_log_close(r->log, "ok"); /* likewise */
    r->log = NULL;
    status = dt_comm_agree(r->comm, status);
    if (status == DT_OK)
        dt_log_result("summary.status=ok\n");
    return status;
}

static dt_status run_all(dt_train_run *r, int argc, char **argv)
{
    dt_status status = DT_OK;
    dt_observer observer = {.epoch_ended = take_epoch, .context = r};
    DT_TRY(read_settings(r, argc, argv));
    if (r->settings.progress)
        observer.step_ended = take_step;
    DT_TRY(dt_environment_survey(&r->environment, r->comm, (int)r->settings.threads));
    DT_TRY(load_data(r));
    DT_TRY(dt_train_make_model(r));
    DT_TRY(dt_comm_agree(r->comm, r->root ? open_logs(r) : DT_OK));
    dt_train_report_start(r);
    DT_TRY(dt_trainer_run(&r->result, r->comm, &r->settings, r->sets, &r->model.network,
                          &r->model.adam, &observer));
    DT_TRY(save_results(r));
out:
    return status;
}

static const char *status_word(dt_status status)
{
    return status == DT_DIVERGED ? "diverged" : "failed";
}

dt_status dt_cli_train(const dt_comm *comm, int argc, char **argv)
{
    dt_train_run *r = NULL; /* too large for the stack */
    dt_status status = dt_comm_agree(comm, dt_memory_alloc(&r, 1, sizeof *r, "run"));
    if (status != DT_OK)
        goto out;
    r->comm = comm;
    r->root = dt_comm_rank(comm) == 0;
    status = run_all(r, argc, argv);
    if (r->log != NULL) {
        /* The log's last words; what ended the run is what gets reported. */
        char text[DT_STATUS_TEXT_BYTES];
        (void)snprintf(text, sizeof text, "%s", dt_status_text());
        (void)!dt_run_log_close(r->log, status_word(status));
        dt_status_set_text(text);
    }
    dt_source_clear(&r->source);
    dt_recipe_clear(&r->recipe);
    dt_environment_clear(&r->environment);
    for (int p = 0; p < DT_PART_COUNT; p++)
        dt_dataset_clear(&r->sets[p]);
    dt_model_clear(&r->model);
    (void)!dt_csv_log_close(r->csv_log);
    dt_result_clear(&r->result);
out:
    dt_memory_free(r);
    return status;
}
