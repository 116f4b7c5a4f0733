#include "commands.h"

#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/io/file.h"
#include "dtrain/report/report.h"
#include "dtrain/report/text_table.h"
#include "dtrain/run/explanation_file.h"
#include "dtrain/task/explanation.h"
#include "dtrain/train/trainer.h"
#include "scoring.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* ---- options ---- */

typedef struct settings {
    dt_option_set given;
    dt_scoring_settings scoring;
    char out[DT_OPTION_TEXT_BYTES];
    int metric; /* an index in METRICS */
    int64_t repeats, seed, points, rows;
    bool quiet;
} settings;

#define AT(field) offsetof(settings, field)

/* The qualities of all tasks. */
#define METRICS                                                                                    \
    "auto|loss|accuracy|log_loss|brier|calibration_error|roc_auc|pr_auc|precision|recall|f1|rmse|" \
    "mae|median_ae|r2|explained_variance|pinball"

static const dt_option options[] = {
    {"metric", "NAME", DT_OPTION_CHOICE, AT(metric), 0, 0, METRICS, "auto",
     "metric that measures the importance of a column; auto: loss for classes, rmse for values"},
    {"repeats", "N", DT_OPTION_INT, AT(repeats), 1, 10000, NULL, "5",
     "number of permutations of each column"},
    {"seed", "N", DT_OPTION_INT, AT(seed), 0, 1e15, NULL, "1", "seed of the permutations"},
    {"points", "N", DT_OPTION_INT, AT(points), 0, 1000, NULL, "20",
     "maximum number of values of a column for which the prediction is computed: quantiles, or the "
     "most frequent categories; 0: none"},
    {"dependence-rows", "N", DT_OPTION_INT, AT(rows), 1, UINT32_MAX, NULL, "2000",
     "maximum number of rows, drawn by the seed, over which the predictions for a value are "
     "averaged"},
    {"out", "FOLDER", DT_OPTION_TEXT, AT(out), 0, 0, NULL, NULL,
     "folder for explain.h5, explain.csv and explain-dependence.csv; the default is the folder of "
     "the model"},
    {"inputs", "NAME", DT_OPTION_TEXT, AT(scoring.inputs), 0, 0, NULL, NULL,
     "array of inputs in a .npz; usual names are found without this option"},
    {"targets", "NAME", DT_OPTION_TEXT, AT(scoring.targets), 0, 0, NULL, NULL,
     "array of targets in a .npz: class ids, one-hot rows, or values"},
    {"set", "NAME", DT_OPTION_CHOICE, AT(scoring.set), 0, 0, "train|validation|test", "test",
     "set to use of a folder or prefix with several sets"},
    DT_SCORING_TABLE_OPTIONS,
    {"quiet", NULL, DT_OPTION_FLAG, AT(quiet), 0, 0, NULL, NULL, "print only the summary"},
};

static const dt_option_table table = {
    .options = options,
    .count = sizeof options / sizeof *options,
    .given = AT(given),
    .usage = "Usage: dtrain explain MODEL DATA [OPTIONS]\n"
             "       mpirun -np 8 dtrain explain MODEL DATA [OPTIONS]\n"
             "\n"
             "Reports which columns of the data matter to a model, and how its predictions\n"
             "depend on them. Importance: how much worse the score on labelled rows becomes if\n"
             "the values of a column (all inputs from it together) are permuted. Dependence:\n"
             "the mean prediction if all rows get the same value. The numbers are the same on\n"
             "any number of ranks. MODEL and DATA are as for evaluate; use rows that the model\n"
             "was not trained on. dtrain report RUN --html FILE draws the results.",
};

void dt_cli_explain_help(void)
{
    dt_options_print_help(&table);
}

/* The folder of the model. */
static void set_folder(char *out, const char *model)
{
    const char *slash = strrchr(model, '/');
    const size_t length = slash == NULL ? 0 : slash == model ? 1 : (size_t)(slash - model);
    if (dt_file_is_folder(model))
        (void)snprintf(out, DT_OPTION_TEXT_BYTES, "%s", model);
    else if (length == 0)
        (void)snprintf(out, DT_OPTION_TEXT_BYTES, ".");
    else
        (void)snprintf(out, DT_OPTION_TEXT_BYTES, "%.*s", (int)length, model);
}

static dt_status parse(settings *out, int argc, char **argv)
{
    dt_status status = DT_OK;
    int words = 0;
    dt_options_set_defaults(&table, out);
    DT_TRY(dt_options_parse_words(&table, out, argc, argv, &words));
    DT_TRY(dt_scoring_parse_words(&out->scoring, words, argv, true,
                                  "explain requires a model and data"));
    out->scoring.once = true;
    out->scoring.set_asked = dt_options_given(&table, out, "set");
    if (out->out[0] == '\0')
        set_folder(out->out, out->scoring.model);
out:
    return status;
}

/* ---- the run ---- */

enum { FILE_H5, FILE_CSV, FILE_DEPENDENCE, FILES };
static const char *const file_names[FILES] = {"explain.h5", "explain.csv",
                                              "explain-dependence.csv"};

typedef struct run {
    settings settings;
    dt_scoring scoring;
    dt_explanation_file result;
    dt_file *files[FILES]; /* rank 0 */
} run;

/* The metric of the model's task; *out is NULL for auto. */
static dt_status find_metric(const dt_quality_kind **out, const run *r)
{
    const dt_task *task = dt_task_of(r->scoring.model.network.loss);
    char name[64], names[256] = "";
    *out = NULL;
    const char *at = METRICS;
    for (int i = 0; i < r->settings.metric; i++)
        at = strchr(at, '|') + 1;
    (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(at, "|"), at);
    for (size_t q = 0; q < task->quality_count; q++) {
        const size_t used = strlen(names);
        (void)snprintf(names + used, sizeof names - used, "%s%s", q > 0 ? ", " : "",
                       task->qualities[q].name);
        if (strcmp(task->qualities[q].name, name) == 0)
            *out = &task->qualities[q];
    }
    if (*out != NULL || r->settings.metric == 0)
        return DT_OK;
    return dt_fail(DT_USAGE, "--metric %s: the model's task is %s, which has %s", name, task->name,
                   names);
}

/* Starts the files now, so that a folder that cannot be written is found before the work. */
static dt_status begin_files(run *r)
{
    dt_status status = DT_OK;
    char path[DT_OPTION_TEXT_BYTES + 32];
    DT_TRY(dt_file_make_folder(r->settings.out));
    for (int i = 0; i < FILES; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", r->settings.out, file_names[i]);
        if (dt_file_same(path, dt_rows_file(r->scoring.rows)))
            DT_TRY(dt_fail(DT_USAGE, "%s would overwrite an input; choose another --out", path));
        DT_TRY(dt_file_create(&r->files[i], path));
    }
out:
    return status;
}

static dt_status name_result(run *r)
{
    dt_status status = DT_OK;
    char name[DT_OPTION_TEXT_BYTES];
    dt_explanation_file *f = &r->result;
    const size_t C = r->scoring.model.network.C;
    DT_TRY(dt_memory_copy_text(&f->model, r->settings.scoring.model));
    DT_TRY(dt_memory_copy_text(&f->data, dt_rows_source(r->scoring.rows)));
    DT_TRY(dt_memory_alloc(&f->outputs.texts, C, sizeof *f->outputs.texts, "names of outputs"));
    for (f->outputs.count = 0; f->outputs.count < C; f->outputs.count++)
        DT_TRY(dt_memory_copy_text(
            &f->outputs.texts[f->outputs.count],
            dt_scoring_output(name, sizeof name, &r->scoring, f->outputs.count)));
    f->weights_crc = dt_trainer_crc(&r->scoring.model.network);
out:
    return status;
}

/* All files are on the disk before the first one gets its name. */
static dt_status write_files(run *r)
{
    dt_status status = DT_OK;
    void *image = NULL;
    size_t bytes = 0;
    char *csv = NULL, *dependence = NULL;
    DT_TRY(name_result(r));
    DT_TRY(dt_explanation_file_make(&image, &bytes, &r->result));
    DT_TRY(dt_report_explanation_csv(&csv, &r->result, false));
    DT_TRY(dt_report_explanation_csv(&dependence, &r->result, true));
    DT_TRY(dt_file_write(r->files[FILE_H5], image, bytes));
    DT_TRY(dt_file_write(r->files[FILE_CSV], csv, strlen(csv)));
    DT_TRY(dt_file_write(r->files[FILE_DEPENDENCE], dependence, strlen(dependence)));
    for (int i = 0; i < FILES; i++)
        DT_TRY(dt_file_sync(r->files[i]));
    for (int i = 0; i < FILES; i++) {
        dt_file *file = r->files[i];
        r->files[i] = NULL;
        DT_TRY(dt_file_commit(file));
    }
    status = dt_file_sync_folder(r->settings.out);
out:
    dt_memory_free(image);
    dt_memory_free(csv);
    dt_memory_free(dependence);
    return status;
}

DT_MUST_USE static dt_status report(const run *r)
{
    dt_status status = DT_OK;
    const dt_explanation *e = &r->result.explanation;
    char first[DT_EXPLANATION_TEXT_BYTES];
    if (!r->settings.quiet)
        DT_TRY(dt_report_explanation_print(&r->result));
    if (e->cut > 0)
        dt_log_say("\n%zu column%s more than %lld categories; only the most frequent\n"
                   "are used (--points)\n",
                   e->cut, e->cut == 1 ? " has" : "s have", (long long)r->settings.points);
    dt_log_say("\n");
    dt_log_summary("out", "%s", r->settings.out);
    dt_log_result("summary.rows=%llu\nsummary.columns=%zu\n", (unsigned long long)e->N, e->count);
    dt_log_result("summary.metric=%s\nsummary.value=%.9g\n", e->metric->name,
                  e->unpermuted[e->metric - e->task->qualities]);
    dt_log_result("summary.first=%s\nsummary.first_importance=%.9g\nsummary.status=ok\n",
                  dt_text_table_printable(first, sizeof first, e->columns[0].column),
                  e->columns[0].importance);
out:
    return status;
}

static dt_status run_all(run *r, const dt_comm *comm, int argc, char **argv)
{
    dt_status status = DT_OK;
    dt_scoring *s = &r->scoring;
    const bool root = dt_comm_rank(comm) == 0;
    if (root)
        status = parse(&r->settings, argc, argv);
    DT_TRY(dt_comm_agree(comm, status));
    dt_comm_broadcast(comm, &r->settings, sizeof r->settings);
    dt_log_init(root, r->settings.quiet);
    DT_TRY(dt_scoring_open(s, comm, &r->settings.scoring, true));
    dt_explanation_plan plan = {.recipe = s->has_recipe ? &s->recipe : NULL,
                                .seed = (uint64_t)r->settings.seed,
                                .repeats = (size_t)r->settings.repeats,
                                .points = (size_t)r->settings.points,
                                .rows = (uint64_t)r->settings.rows,
                                .host_ranks = s->environment.launch.host_size};
    DT_TRY(dt_comm_agree(comm, find_metric(&plan.metric, r)));
    DT_TRY(dt_comm_agree(comm, root ? begin_files(r) : DT_OK));
    DT_TRY(dt_explanation_compute(&r->result.explanation, comm, s->rows, &s->predictor, &plan));
    DT_TRY(dt_scoring_warn(s));
    if (root)
        status = write_files(r);
    if (root && status == DT_OK)
        status = report(r);
    DT_TRY(dt_comm_agree(comm, status));
out:
    return status;
}

dt_status dt_cli_explain(const dt_comm *comm, int argc, char **argv)
{
    run *r = NULL; /* too large for the stack */
    dt_status status = dt_comm_agree(comm, dt_memory_alloc(&r, 1, sizeof *r, "run"));
    if (status == DT_OK)
        status = run_all(r, comm, argc, argv);
    if (r == NULL)
        return status;
    for (int i = 0; i < FILES; i++)
        dt_file_discard(r->files[i]);
    dt_explanation_file_clear(&r->result);
    dt_scoring_clear(&r->scoring);
    dt_memory_free(r);
    return status;
}
