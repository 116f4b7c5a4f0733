/*
 * The contract, for every row of every list. Each optimizer, schedule, loss, activation, norm,
 * initialization, monitored metric and kind of layer, and each option that may change weights, is
 * part of a run. Each run gives the same bits on 1, 2, 3 and 8 ranks, with threads, and resumed
 * from a checkpoint in its middle. The last test fails if no run here uses a row of a list, or an
 * option.
 */
#include "course.h"

#include "dtrain/base/random.h"
#include "dtrain/model/model.h"
#include "dtrain/nn/spec.h"
#include "npz_fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the runs ---- */

#define BASE "--inputs x --batch 50 --epochs 4 --patience 9 --learning-rate 0.02 --hidden 12,12,8 "

/* Run i of the classes, and of the values, has the names number i of these lists, from the first
 * again after the last: as many runs as the longest list has names. */
static const char *const lists[] = {"activation", "norm", "init",   "optimizer",
                                    "schedule",   "loss", "monitor"};

/* Numbers and flags, alone or with what they could disturb. */
static const char *const others[] = {
    "@ --targets y --activation gelu,tanh,selu --norm layer --dropout 0.2 --residual",
    "@ --targets y --optimizer sgd --momentum 0.9 --nesterov",
    "@ --targets y --optimizer sgd --momentum 0.9 --weight-decay 0.1",
    "@ --targets y --optimizer rmsprop --rho 0.8 --warmup 1.5",
    "@ --targets y --schedule cosine --warmup 0.5 --ema 0.9",
    "@ --targets y --schedule exponential --schedule-every 3 --schedule-factor 0.3",
    "@ --targets y --l2 0.003 --l1 0.0004 --clip-norm 0.05",
    "@ --targets y --l1 0.0004 --clip-value 0.002 --max-norm 0.75 --ema 0.5",
    "@ --targets y --noise 0.3 --dropout 0.1 --norm rms --residual --l2 0.002 --clip-norm 0.1",
    "@ --targets y --label-smoothing 0.1 --no-restore-best",
    "@ --targets y --class-weight 0=3,1=0.5",
    "@ --targets y --class-weight balanced --weights w",
    "@ --targets b --threshold f1 --weights w --monitor val_pr_auc",
    "@ --targets y --preset tabular",
    "@ --targets v2 --weights w --numeric-embedding piecewise --bins 7 --embedding-width 5 "
    "--members 3 --norm batch --noise 0.1 --residual --dropout 0.2",
    "@ --targets y --numeric-embedding piecewise --bins 5 --bins-by tree --members 2",
    "@ --targets v2 --weights w --numeric-embedding piecewise --bins-by tree --norm layer",
    "@ --targets v2 --weights w --numeric-embedding periodic --frequencies 5 --frequency-scale 0.2 "
    "--embedding-width 7 --members 3 --noise 0.1 --norm layer",
    "@ --targets b --members 2 --threshold f1",
    "@ --targets y --members 3 --members-kind full --dropout 0.2 --residual --init fan_in_uniform",
    "@ --targets v2 --members 2 --members-kind full --norm layer --numeric-embedding piecewise",
    "@ --targets b --threshold recall=0.8 --seed 2",
    "@ --targets b --threshold precision=0.6 --seed 3",
    "@ --targets b --threshold 0.3 --seed 4",
    "@ --targets v2 --weights w --loss huber --huber-delta 0.5 --norm layer",
    "@ --targets v --loss quantile --quantile 0.2 --monitor val_pinball",
    "@ --targets v --task regression --min-epochs 2 --seed 5",
    "@ --targets v --baseline 0.1 --min-delta 1e-3 --patience 1 --no-restore-best",
    "@ --targets y --task classification --seed 3 --shards 11 --reduce window",
    "@train.npz --targets y --validation-split 0.2 --test-split 0.1 --split-seed 4 --overlap off",
    "@ --targets y --norm batch --dropout 0.1 --ema 0.9 --clip-norm 0.1 --engine own",
    "@ --targets y --hidden 9 --init-from @normal.h5",
    "@ --targets v2 --scale standard --numeric-embedding piecewise --bins 5 --embedding-width 3 "
    "--noise 0.1",
    "@ --targets y --scale minmax --weights w --members 2 --numeric-embedding periodic",
};

/* Names and options that no run here can have. */
static const struct {
    const char *option, *name; /* NULL: all of it */
} exempt[] = {
    {"sum", "fast"}, /* its bits depend on the number of ranks */
    {"engine", "blas"}, /* for a whole process; mpi/all_on_haswell runs other tests with it */
    {"threads", NULL}, /* always 1 or 2 here */
    {"restarts", NULL}, /* several runs: tests/cli/test_restarts.sh */
    {"average", NULL}, /* likewise */
    {"folds", NULL}, /* likewise: tests/cli/test_folds.sh */
    {"folds-by-id", NULL}, /* likewise */
    {"repeats", NULL}, /* likewise */
    {"fold", NULL}, /* likewise */
    {"category-embedding", NULL}, /* requires a recipe: tests/cli/test_members.sh */
};

/* ---- data ---- */

static const size_t row_counts[DT_SET_COUNT] = {203, 61, 40};
enum { D = 9, ARRAYS = 6 };

/* Appends row n: inputs, three classes, two classes, a value, two values, a weight. */
static void append_row(zip_bytes to[ARRAYS], int set, size_t n)
{
    dt_random random = dt_random_start((uint64_t)set, DT_RANDOM_EXAMPLE, n);
    double x[D];
    for (size_t j = 0; j < D; j++) {
        x[j] = rint(1024 * dt_random_normal(&random)) / 1024;
        npz_append(&to[0], "'<f4'", x[j]);
    }
    const double score = x[0] + fabs(x[1]) + rint(512 * dt_random_normal(&random)) / 1024;
    npz_append(&to[1], "'<i8'", n < 3 ? (double)n : score < 0.3 ? 0 : score < 1.3 ? 1 : 2);
    npz_append(&to[2], "'<i8'", n < 2 ? (double)n : score > 1.0);
    npz_append(&to[3], "'<f4'", 0.125 + score);
    npz_append(&to[4], "'<f4'", 0.125 + score);
    npz_append(&to[4], "'<f4'", 100 * x[2] - 7.5);
    npz_append(&to[5], "'<f4'", (double)(1 + n % 5) / 4);
}

static bool write_set(int set)
{
    static const char *const files[] = {"train.npz", "val.npz", "test.npz"};
    static const char *const names[] = {"x.npy", "y.npy", "b.npy", "v.npy", "v2.npy", "w.npy"};
    static const char *const types[] = {"'<f4'", "'<i8'", "'<i8'", "'<f4'", "'<f4'", "'<f4'"};
    static const size_t columns[] = {D, 0, 0, 0, 2, 0};
    const size_t N = row_counts[set];
    zip_bytes items[ARRAYS] = {0};
    npz_array arrays[ARRAYS];
    char shapes[ARRAYS][64];
    for (size_t n = 0; n < N; n++)
        append_row(items, set, n);
    for (size_t a = 0; a < ARRAYS; a++) {
        if (columns[a] > 0)
            (void)snprintf(shapes[a], sizeof shapes[a], "(%zu, %zu)", N, columns[a]);
        else
            (void)snprintf(shapes[a], sizeof shapes[a], "(%zu,)", N);
        arrays[a] = (npz_array){.name = names[a],
                                .descr = types[a],
                                .shape = shapes[a],
                                .items = items[a].data,
                                .bytes = items[a].count};
    }
    const bool good = npz_build(scratch_path(files[set]), arrays, ARRAYS);
    for (size_t a = 0; a < ARRAYS; a++)
        zip_free(&items[a]);
    return good;
}

/* A model that normalizes its inputs: no option makes one. */
static bool write_model(void)
{
    const dt_layer layers[] = {
        {.kind = &dt_layer_normalization},
        {.kind = &dt_layer_dense, .H = 9},
        {.kind = &dt_layer_dense, .H = 3, .activation = DT_ACTIVATION_LINEAR}};
    dt_model model = {0};
    dt_status status = dt_network_make(&model.network, D, layers, 3);
    if (status == DT_OK)
        status = dt_optimizer_init(&model.optimizer, &dt_adam, 0, 0.001);
    if (status == DT_OK) {
        dt_network_fill(&model.network, DT_INIT_HE_NORMAL, 5);
        for (size_t i = 0; i < model.network.constant_count; i++)
            model.network.constants[i] = 0.5f + (float)i / 16;
        status = dt_model_save(&model, scratch_path("normal.h5"));
    }
    dt_model_clear(&model);
    return status == DT_OK;
}

static void write_files(void)
{
    bool good = true;
    if (test_rank == 0) {
        for (int set = 0; set < DT_SET_COUNT; set++)
            good = write_set(set) && good;
        good = write_model() && good;
    }
    assert_all(good);
}

/* ---- what runs had ---- */

static uint64_t used[DT_OPTION_MAX]; /* of each option: bit n: its name n; of others bit 0: given */
static uint64_t used_kinds; /* of layers */

/* Copies name number n of a list between bars; "" if there are fewer. */
static const char *choice(char out[64], const char *choices, size_t n)
{
    for (; n > 0 && choices != NULL; n--)
        choices = strchr(choices, '|') != NULL ? strchr(choices, '|') + 1 : NULL;
    (void)snprintf(out, 64, "%.*s", choices != NULL ? (int)strcspn(choices, "|") : 0,
                   choices != NULL ? choices : "");
    return out;
}

static bool has_name(const char *names, const char *name)
{
    const size_t bytes = strlen(name);
    for (const char *at = names; (at = strstr(at, name)) != NULL; at++)
        if ((at == names || at[-1] == ',') && (at[bytes] == ',' || at[bytes] == '\0'))
            return true;
    return false;
}

static void note_used(const course *c)
{
    const dt_option_table *table = dt_settings_table();
    char value[DT_OPTION_TEXT_BYTES], name[64];
    used_kinds |= c->layer_kinds;
    for (size_t i = 0; i < table->count; i++) {
        const dt_option *option = &table->options[i];
        if (option->choices == NULL)
            used[i] |= dt_options_given(table, &c->settings, option->name);
        else
            (void)dt_options_format(value, sizeof value, option, &c->settings);
        for (size_t n = 0; choice(name, option->choices, n)[0] != '\0'; n++)
            used[i] |= has_name(value, name) ? UINT64_C(1) << n : 0;
    }
}

static bool is_exempt(const char *option, const char *name)
{
    bool found = false;
    for (size_t i = 0; i < sizeof exempt / sizeof *exempt; i++)
        found = found || (strcmp(exempt[i].option, option) == 0 &&
                          (exempt[i].name == NULL || strcmp(exempt[i].name, name) == 0));
    return found;
}

/* Says what is missing. */
static bool was_used(const dt_option *option, const char *name, bool had_it)
{
    if (had_it || is_exempt(option->name, name))
        return true;
    if (test_rank == 0)
        print_error("no run of this test has --%s %s: add one to `others`\n", option->name, name);
    return false;
}

/* ---- a run on groups of ranks ---- */

/* The groups of eight ranks that train at the same time, one of them with threads. Fewer ranks
 * would repeat what the groups do. */
static const struct {
    int size;
    const char *words, *resumed; /* more words, from the beginning and after an interruption */
} groups[] = {{1, "", ""},
              {2, "", " --overlap on"},
              {3, "", ""},
              {1, " --threads 2", " --threads 2"},
              {1, "", ""}};
enum { GROUPS = 5, RANKS = 8, RUNS_MAX = 96 };
static dt_comm group;
static int group_number;
static uint32_t all_params[RUNS_MAX];
static size_t run_count;

static void make_groups(void)
{
    int end = groups[0].size;
    group_number = 0;
    while (test_rank >= end && group_number + 1 < GROUPS)
        end += groups[++group_number].size;
    MPI_Comm_split(MPI_COMM_WORLD, group_number, test_rank, &group.comm);
    MPI_Comm_rank(group.comm, &group.rank);
    MPI_Comm_size(group.comm, &group.size);
}

static void check_same(const course *is, const course *expected, const char *what,
                       const char *words)
{
    const char *differs = course_difference(is, expected);
    if (differs != NULL)
        print_error("%s, rank %d: another %s: %s %s\n", what, test_rank, differs, words, is->text);
    assert_all(differs == NULL);
}

/* Each group in a folder of its own, from nothing or from the checkpoint in "stopped". */
static void run_groups(course *out, const char *words, const char *resume)
{
    char own[COURSE_WORDS_BYTES], folder[32];
    const bool resumes = resume[0] != '\0';
    (void)snprintf(own, sizeof own, "%s%s", resumes ? resume : words,
                   resumes ? groups[group_number].resumed : groups[group_number].words);
    (void)snprintf(folder, sizeof folder, "group-%d", group_number);
    course_run(out, &group, own, folder, 0);
    if (group.rank == 0)
        course_sweep(folder);
    note_used(out);
}

/* Groups, then all ranks; then all ranks stop in the middle, and the groups go on from there. */
static void check_run(const char *words)
{
    const dt_comm all = ranks_all();
    char stopping[COURSE_WORDS_BYTES];
    course *expected = calloc(1, sizeof *expected), *c = calloc(1, sizeof *c);
    assert_all(expected != NULL && c != NULL && run_count < RUNS_MAX);
    run_groups(c, words, "");
    if (c->status != DT_OK)
        print_error("%s: %s\n", words, c->text);
    assert_all_int(c->status, DT_OK);
    *expected = *c;
    dt_mpi_bcast(expected, sizeof *expected, MPI_BYTE, 0, MPI_COMM_WORLD);
    check_same(c, expected, "a group", words);
    course_run(c, &all, words, "all", 0);
    check_same(c, expected, "all ranks", words);
    note_used(c);
    (void)snprintf(stopping, sizeof stopping, "%s --reduce allreduce", words);
    course_run(c, &all, stopping, "stopped", expected->steps * 6 / 10);
    if (c->status != DT_STOPPED)
        print_error("%s: %s\n", stopping, c->text);
    assert_all_int(c->status, DT_STOPPED);
    assert_all_int(c->steps, expected->steps * 6 / 10);
    note_used(c);
    run_groups(c, words, "--resume @stopped");
    check_same(c, expected, "resumed", words);
    for (size_t i = 0; i < run_count; i++) /* what a run has changes its weights */
        if (all_params[i] == expected->params)
            print_error("%s: the weights of run %zu\n", words, i + 1);
    for (size_t i = 0; i < run_count; i++)
        assert_all(all_params[i] != expected->params);
    all_params[run_count++] = expected->params;
    if (test_rank == 0) {
        course_sweep("all");
        course_sweep("stopped");
    }
    dt_mpi_barrier(MPI_COMM_WORLD);
    free(expected);
    free(c);
}

/* ---- the lists ---- */

static const dt_option *option_of(const char *name)
{
    const dt_option *option = dt_settings_option(name);
    DT_ASSERT(option != NULL && option->choices != NULL);
    return option;
}

/* Whether a list's name goes with such targets. */
static bool goes_with(const char *list, size_t n, const char *name, const dt_task *task)
{
    if (strcmp(list, "loss") == 0)
        return n == 0 || dt_losses[n - 1]->classes == task->classes;
    if (strcmp(list, "monitor") != 0)
        return true;
    const char *metric = name + strlen("val_");
    return strcmp(metric, "pinball") != 0 && /* of one loss alone: among the others */
           dt_task_find_metric(dt_task_monitoring(task, metric), metric) != NULL;
}

/* Writes the names of a list that go with the targets, cut at bars; returns their number. */
static size_t names_for(char out[1024], const char *list, const dt_task *task)
{
    const char *choices = option_of(list)->choices;
    size_t count = 0, used_bytes = 0;
    char name[64];
    out[0] = '\0';
    for (size_t n = 0; choice(name, choices, n)[0] != '\0'; n++)
        if (goes_with(list, n, name, task)) {
            used_bytes += (size_t)snprintf(out + used_bytes, 1024 - used_bytes, "%s%s",
                                           count > 0 ? "|" : "", name);
            count++;
        }
    return count;
}

static bool schedule_reduces(const char *name)
{
    for (size_t i = 0; i < DT_SCHEDULE_COUNT; i++)
        if (strcmp(dt_schedules[i]->name, name) == 0)
            return dt_schedules[i]->reduces;
    return false;
}

/* Returns the number of runs, as many as the longest list has names. */
static size_t words_of_run(char out[COURSE_WORDS_BYTES], const dt_task *task, const char *targets,
                           size_t i)
{
    size_t longest = 0;
    size_t bytes = (size_t)snprintf(out, COURSE_WORDS_BYTES, BASE "@ --targets %s", targets);
    for (size_t l = 0; l < sizeof lists / sizeof *lists; l++) {
        char names[1024], name[64];
        const size_t count = names_for(names, lists[l], task);
        DT_ASSERT(count > 0 && bytes < COURSE_WORDS_BYTES);
        longest = count > longest ? count : longest;
        (void)choice(name, names, i % count);
        bytes +=
            (size_t)snprintf(out + bytes, COURSE_WORDS_BYTES - bytes, " --%s %s%s", lists[l], name,
                             strcmp(lists[l], "schedule") == 0 && schedule_reduces(name)
                                 ? " --schedule-every 1 --schedule-factor 0.5"
                                 : "");
    }
    return longest;
}

static void check_lists(const dt_task *task, const char *targets)
{
    char words[COURSE_WORDS_BYTES];
    const size_t count = words_of_run(words, task, targets, 0);
    assert_all(count > 5);
    for (size_t i = 0; i < count; i++) {
        (void)words_of_run(words, task, targets, i);
        check_run(words);
    }
}

static void test_lists_of_classes(void **state)
{
    (void)state;
    if (test_size != RANKS)
        skip();
    write_files();
    check_lists(&dt_classification, "y");
}

static void test_lists_of_values(void **state)
{
    (void)state;
    if (test_size != RANKS)
        skip();
    write_files();
    check_lists(&dt_regression, "v");
}

static void test_options(void **state)
{
    (void)state;
    char words[COURSE_WORDS_BYTES];
    if (test_size != RANKS)
        skip();
    write_files();
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        (void)snprintf(words, sizeof words, BASE "%s", others[i]);
        check_run(words);
    }
}

/* ---- nothing is left out ---- */

static void test_all_were_used(void **state)
{
    (void)state;
    const dt_option_table *table = dt_settings_table();
    bool complete = true;
    char name[64];
    if (test_size != RANKS)
        skip();
    dt_mpi_allreduce(MPI_IN_PLACE, used, DT_OPTION_MAX, MPI_UINT64_T, MPI_BOR, MPI_COMM_WORLD);
    for (size_t i = 0; i < table->count; i++) {
        const dt_option *option = &table->options[i];
        if ((option->flags & (DT_SETTING_SESSION | DT_SETTING_NO_WEIGHT | DT_SETTING_TABLE)) != 0)
            continue;
        if (option->choices == NULL)
            complete = was_used(option, "", used[i] != 0) && complete;
        for (size_t n = 0; choice(name, option->choices, n)[0] != '\0'; n++)
            complete = was_used(option, name, (used[i] >> n & 1) != 0) && complete;
    }
    /* Embeddings of categories need a recipe; a rectifier or a prelu comes with a model of
     * Keras alone. */
    for (size_t k = 0; k < DT_LAYER_KIND_COUNT; k++)
        if (dt_layer_kinds[k] != &dt_layer_category_embedding &&
            dt_layer_kinds[k] != &dt_layer_rectifier && dt_layer_kinds[k] != &dt_layer_prelu &&
            (used_kinds >> k & 1) == 0) {
            complete = false;
            if (test_rank == 0)
                print_error("no run of this test has a layer of the kind %s\n",
                            dt_layer_kind_name(dt_layer_kinds[k]));
        }
    assert_all(complete);
}

static int start(void **state)
{
    make_groups();
    return ranks_make_folder(state);
}

static int end(void **state)
{
    MPI_Comm_free(&group.comm);
    return ranks_remove_folder(state);
}

#define on_groups(test) cmocka_unit_test_setup_teardown((test), start, end)

static const struct CMUnitTest tests[] = {
    on_groups(test_lists_of_classes),
    on_groups(test_lists_of_values),
    on_groups(test_options),
    cmocka_unit_test(test_all_were_used),
};

MPI_SUITE(test_networks, tests);
