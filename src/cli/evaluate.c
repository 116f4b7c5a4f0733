#include "commands.h"

#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"
#include "dtrain/io/json.h"
#include "dtrain/report/text_table.h"
#include "dtrain/task/evaluation.h"
#include "scoring.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* ---- options ---- */

typedef struct settings {
    dt_option_set given;
    dt_scoring_settings scoring;
    bool quiet, json;
    int skips; /* bad rows: an index of stop|skip */
} settings;

#define AT(field) offsetof(settings, field)

static const dt_option options[] = {
    {"inputs", "NAME", DT_OPTION_TEXT, AT(scoring.inputs), 0, 0, NULL, NULL,
     "array of inputs in a .npz; usual names are found without this option"},
    {"targets", "NAME", DT_OPTION_TEXT, AT(scoring.targets), 0, 0, NULL, NULL,
     "array of targets in a .npz: class ids, one-hot rows, or values"},
    {"set", "NAME", DT_OPTION_CHOICE, AT(scoring.set), 0, 0, "train|validation|test", "test",
     "set to use of a folder or prefix with several sets"},
    {"on-error", "NAME", DT_OPTION_CHOICE, AT(skips), 0, 0, "stop|skip", "stop",
     "for a row of a table with a cell that cannot be prepared, or with another number of cells: "
     "stop, or skip the row"},
    DT_SCORING_TABLE_OPTIONS,
    {"json", NULL, DT_OPTION_FLAG, AT(json), 0, 0, NULL, NULL,
     "print one JSON object with all numbers in full, and nothing else"},
    {"quiet", NULL, DT_OPTION_FLAG, AT(quiet), 0, 0, NULL, NULL, "print only the summary"},
};

static const dt_option_table table = {
    .options = options,
    .count = sizeof options / sizeof *options,
    .given = AT(given),
    .usage = "Usage: dtrain evaluate MODEL DATA [OPTIONS]\n"
             "       mpirun -np 8 dtrain evaluate MODEL DATA [OPTIONS]\n"
             "\n"
             "Reports the scores of a model on labelled rows, next to the score of always\n"
             "predicting the most frequent class (or the mean). The numbers are the same on\n"
             "any number of ranks. MODEL is a .h5 or .keras file, or a run's folder. DATA is a\n"
             ".npz, a .h5 with datasets, a folder or prefix as for training, two .npy files\n"
             "(x.npy y.npy), or a table of text with the columns of the training table.",
};

void dt_cli_evaluate_help(void)
{
    dt_options_print_help(&table);
}

static dt_status parse(settings *out, int argc, char **argv)
{
    dt_status status = DT_OK;
    int words = 0;
    dt_options_set_defaults(&table, out);
    DT_TRY(dt_options_parse_words(&table, out, argc, argv, &words));
    DT_TRY(dt_scoring_parse_words(&out->scoring, words, argv, true,
                                  "evaluate requires a model and data"));
    out->scoring.once = true;
    out->scoring.advises_skip = !out->skips;
    out->scoring.set_asked = dt_options_given(&table, out, "set");
out:
    return status;
}

typedef struct run {
    settings settings;
    dt_scoring scoring;
    dt_scores scores;
    int64_t rows, bad; /* evaluated on this rank; bad ones of all ranks */
} run;

/* ---- the report on stdout ---- */

/* Above an empty line. */
DT_MUST_USE static dt_status say_table(dt_text_table *cells)
{
    const dt_status status = dt_text_table_say(cells);
    dt_log_say("\n");
    return status;
}

/* A pinball loss is there only if a quantile was trained, ROC-AUC only of two classes or more. */
static bool is_known(const dt_task *task, const dt_evaluation *e, size_t q)
{
    return !isnan(dt_quality_value(&e->model, &task->qualities[q]));
}

/* A score between 0 and 1, or a value of any size. */
static void add_number(dt_text_table *cells, bool any_size, double value)
{
    char text[DT_TEXT_NUMBER_BYTES];
    if (isnan(value))
        dt_text_table_add(cells, "-");
    else if (any_size)
        dt_text_table_add(cells, "%s", dt_text_rounded(text, value, 5));
    else
        dt_text_table_add(cells, "%.4f", value);
}

DT_MUST_USE static dt_status report_quality(const dt_task *task, const dt_evaluation *e)
{
    dt_text_table cells = {0};
    dt_text_table_titles(&cells, task->classes ? "|>model|>majority|" : "|>model|>mean|");
    for (size_t q = 0; q < task->quality_count; q++) {
        const dt_quality_kind *kind = &task->qualities[q];
        /* One loss is enough to read: the other differs in how p is clipped. */
        if (!is_known(task, e, q) || strcmp(kind->name, "log_loss") == 0)
            continue;
        dt_text_table_add(&cells, "%s", kind->title);
        const bool any_size = !task->classes && !kind->larger_is_better; /* R2 is at most 1 */
        add_number(&cells, any_size, dt_quality_value(&e->model, kind));
        add_number(&cells, any_size, dt_quality_value(&e->majority, kind));
        dt_text_table_add(&cells, "%s", kind->unit);
    }
    return say_table(&cells);
}

/* The maximum number of classes in the printed table. */
enum { CLASSES_SHOWN = 20, CONFUSION_SHOWN = 12 };

DT_MUST_USE static dt_status report_classes(const dt_scoring *s, const dt_evaluation *e)
{
    const size_t shown = e->C < CLASSES_SHOWN ? e->C : CLASSES_SHOWN;
    dt_text_table cells = {.first_width = 30, .more = e->C - shown};
    char name[DT_TEXT_TABLE_CELL_BYTES];
    dt_text_table_titles(&cells, "class|>rows|>predicted|>precision|>recall|>F1|>ROC-AUC|>PR-AUC");
    for (size_t c = 0; c < shown; c++) {
        const dt_class_quality *k = &e->classes[c];
        const double parts[] = {k->precision, k->recall, k->f1, k->roc_auc, k->pr_auc};
        dt_text_table_add(&cells, "%s", dt_scoring_output(name, sizeof name, s, c));
        dt_text_table_add(&cells, "%lld", (long long)k->rows);
        dt_text_table_add(&cells, "%lld", (long long)k->predicted);
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
            add_number(&cells, false, parts[i]);
    }
    return say_table(&cells);
}

/* The quality of each value, if there are several. */
DT_MUST_USE static dt_status report_values(const dt_scoring *s, const dt_evaluation *e)
{
    enum { R2 = 3 };
    const size_t shown = e->C < CLASSES_SHOWN ? e->C : CLASSES_SHOWN;
    dt_text_table cells = {.first_width = 30, .more = e->C - shown};
    char name[DT_TEXT_TABLE_CELL_BYTES];
    if (e->C < 2)
        return DT_OK;
    dt_text_table_titles(&cells, "target|>RMSE|>MAE|>median AE|>R2|>RMSE of the mean");
    for (size_t j = 0; j < shown; j++) {
        const dt_value_quality *v = &e->values[j];
        const double parts[] = {v->model.rmse, v->model.mae, v->model.median_ae, v->model.r2,
                                v->baseline.rmse};
        dt_text_table_add(&cells, "%s", dt_scoring_output(name, sizeof name, s, j));
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
            add_number(&cells, i != R2, parts[i]);
    }
    return say_table(&cells);
}

static void warn_of_one_class(const dt_scoring *s, const dt_evaluation *e)
{
    char name[DT_TEXT_TABLE_CELL_BYTES];
    for (size_t c = 0; c < e->C; c++)
        if ((uint64_t)e->classes[c].rows == e->N)
            dt_log_warn("%s: all %llu rows are of class %s, so ROC-AUC and PR-AUC are undefined",
                        dt_rows_source(s->rows), (unsigned long long)e->N,
                        dt_scoring_output(name, sizeof name, s, c));
}

DT_MUST_USE static dt_status report_confusion(const dt_scoring *s, const dt_evaluation *e)
{
    dt_text_table cells = {0};
    if (e->confusion == NULL || e->C > CONFUSION_SHOWN)
        return DT_OK;
    dt_text_table_confusion(&cells, e->confusion, e->C, (const char *const *)s->class_names,
                            s->class_names != NULL ? e->C : 0);
    return say_table(&cells);
}

DT_MUST_USE static dt_status report_calibration(const dt_evaluation *e)
{
    dt_text_table cells = {0};
    dt_text_table_titles(&cells, "confidence|>rows|>mean|>accuracy");
    for (size_t b = 0; b < DT_CALIBRATION_BINS; b++) {
        if (e->bins[b].rows == 0)
            continue;
        dt_text_table_add(&cells, "%.1f to %.1f", e->bins[b].lower, e->bins[b].upper);
        dt_text_table_add(&cells, "%lld", (long long)e->bins[b].rows);
        dt_text_table_add(&cells, "%.4f", e->bins[b].confidence);
        dt_text_table_add(&cells, "%.4f", e->bins[b].accuracy);
    }
    return say_table(&cells);
}

static void report_summary(const run *r, const dt_evaluation *e)
{
    const dt_network *network = &r->scoring.model.network;
    const dt_task *task = dt_task_of(network->loss);
    dt_log_result("summary.rows=%llu\n", (unsigned long long)e->N);
    if (r->settings.skips)
        dt_log_result("summary.bad_rows=%lld\n", (long long)r->bad);
    if (!isnan(network->threshold))
        dt_log_result("summary.threshold=%.9g\n", network->threshold);
    for (size_t q = 0; q < task->quality_count; q++) {
        const dt_quality_kind *kind = &task->qualities[q];
        if (!is_known(task, e, q))
            continue;
        dt_log_result("summary.%s=%.9g\n", kind->name, dt_quality_value(&e->model, kind));
        if (!isnan(dt_quality_value(&e->majority, kind)))
            dt_log_result("summary.%s_%s=%.9g\n", task->baseline, kind->name,
                          dt_quality_value(&e->majority, kind));
    }
    dt_log_result("summary.status=ok\n");
}

/* ---- JSON ---- */

static void describe_qualities(dt_json *json, const char *name, const dt_task *task,
                               const dt_quality *quality)
{
    dt_json_begin_object(json, name);
    for (size_t q = 0; q < task->quality_count; q++)
        dt_json_add_double(json, task->qualities[q].name,
                           dt_quality_value(quality, &task->qualities[q]));
    dt_json_end(json);
}

static void describe_classes(dt_json *json, const dt_scoring *s, const dt_evaluation *e)
{
    char name[DT_OPTION_TEXT_BYTES];
    dt_json_begin_list(json, "classes");
    for (size_t c = 0; c < e->C; c++) {
        const dt_class_quality *k = &e->classes[c];
        dt_json_begin_object(json, NULL);
        dt_json_add_text(json, "class", dt_scoring_output(name, sizeof name, s, c));
        dt_json_add_int(json, "rows", k->rows);
        dt_json_add_int(json, "predicted", k->predicted);
        dt_json_add_double(json, "precision", k->precision);
        dt_json_add_double(json, "recall", k->recall);
        dt_json_add_double(json, "f1", k->f1);
        dt_json_add_double(json, "roc_auc", k->roc_auc);
        dt_json_add_double(json, "pr_auc", k->pr_auc);
        dt_json_end(json);
    }
    dt_json_end(json);
    if (e->confusion == NULL)
        return;
    dt_json_begin_list(json, "confusion");
    for (size_t c = 0; c < e->C; c++) {
        dt_json_begin_list(json, NULL);
        for (size_t j = 0; j < e->C; j++)
            dt_json_add_int(json, NULL, e->confusion[c * e->C + j]);
        dt_json_end(json);
    }
    dt_json_end(json);
}

static void describe_calibration(dt_json *json, const dt_evaluation *e)
{
    dt_json_begin_list(json, "calibration");
    for (size_t b = 0; b < DT_CALIBRATION_BINS; b++) {
        dt_json_begin_object(json, NULL);
        dt_json_add_double(json, "lower", e->bins[b].lower);
        dt_json_add_double(json, "upper", e->bins[b].upper);
        dt_json_add_int(json, "rows", e->bins[b].rows);
        dt_json_add_double(json, "confidence", e->bins[b].confidence);
        dt_json_add_double(json, "accuracy", e->bins[b].accuracy);
        dt_json_end(json);
    }
    dt_json_end(json);
}

static void describe_targets(dt_json *json, const dt_scoring *s, const dt_evaluation *e)
{
    const dt_task *task = dt_task_of(s->model.network.loss);
    char name[DT_OPTION_TEXT_BYTES];
    dt_json_begin_list(json, "targets");
    for (size_t j = 0; j < e->C; j++) {
        dt_json_begin_object(json, NULL);
        dt_json_add_text(json, "target", dt_scoring_output(name, sizeof name, s, j));
        describe_qualities(json, "model", task, &e->values[j].model);
        describe_qualities(json, task->baseline, task, &e->values[j].baseline);
        dt_json_end(json);
    }
    dt_json_end(json);
}

DT_MUST_USE static dt_status print_json(const run *r, const dt_evaluation *e)
{
    dt_json *json = NULL;
    const dt_scoring *s = &r->scoring;
    const dt_task *task = dt_task_of(s->model.network.loss);
    const dt_status status = dt_json_new(&json);
    if (status != DT_OK)
        return status;
    dt_json_add_text(json, "model", r->settings.scoring.model);
    dt_json_add_text(json, "data", dt_rows_source(s->rows));
    dt_json_add_text(json, "task", task->name);
    dt_json_add_int(json, "rows", (int64_t)e->N);
    dt_json_add_int(json, "bad_rows", r->bad);
    dt_json_add_bool(json, "weighted", dt_rows_weighted(s->rows));
    if (task->classes)
        dt_json_add_double(json, "threshold", s->model.network.threshold);
    describe_qualities(json, "scores", task, &e->model);
    describe_qualities(json, task->baseline, task, &e->majority);
    if (task->classes) {
        describe_classes(json, s, e);
        describe_calibration(json, e);
    } else {
        describe_targets(json, s, e);
    }
    return dt_json_print(json);
}

/* ---- the run ---- */

static dt_status take_rows(void *context, const dt_row_batch *rows)
{
    run *r = context;
    dt_predictor *predictor = &r->scoring.predictor;
    dt_status status = dt_scores_reserve(&r->scores, rows->count);
    if (status != DT_OK)
        return status;
    r->rows += (int64_t)rows->count;
    dt_predictor_run(predictor, rows->x, NULL, rows->count);
    dt_scores_add(&r->scores, predictor->p, rows->y, rows->w, predictor->rows.predicted,
                  rows->count);
    return DT_OK;
}

DT_MUST_USE static dt_status report(const run *r, const dt_evaluation *e)
{
    dt_status status = DT_OK;
    const dt_task *task = dt_task_of(r->scoring.model.network.loss);
    dt_log_say("model  %s\ndata   %s: %llu rows, %zu %s%s\n\n", r->settings.scoring.model,
               dt_rows_source(r->scoring.rows), (unsigned long long)e->N, e->C,
               task->classes ? "classes"
               : e->C == 1   ? "value"
                             : "values",
               dt_rows_weighted(r->scoring.rows) ? "; rows have weights" : "");
    const double threshold = r->scoring.model.network.threshold;
    if (!isnan(threshold))
        dt_log_say("class 1 is predicted if its probability is at least %.9g\n"
                   "\n",
                   threshold);
    DT_TRY(report_quality(task, e));
    if (!task->classes)
        return report_values(&r->scoring, e);
    DT_TRY(report_classes(&r->scoring, e));
    DT_TRY(report_confusion(&r->scoring, e));
    DT_TRY(report_calibration(e));
out:
    return status;
}

static dt_status run_all(run *r, const dt_comm *comm, int argc, char **argv)
{
    dt_status status = DT_OK;
    dt_evaluation evaluation = {0};
    dt_scoring *s = &r->scoring;
    const bool root = dt_comm_rank(comm) == 0;
    if (root)
        status = parse(&r->settings, argc, argv);
    DT_TRY(dt_comm_agree(comm, status));
    dt_comm_broadcast(comm, &r->settings, sizeof r->settings);
    dt_log_init(root, r->settings.quiet || r->settings.json);
    DT_TRY(dt_scoring_open(s, comm, &r->settings.scoring, true));
    DT_TRY(dt_comm_agree(
        comm, dt_scores_init(&r->scores, &s->model.network, 0, true, dt_rows_weighted(s->rows))));
    if (r->settings.skips)
        DT_TRY(dt_scoring_take_bad(s, r->settings.scoring.data, true));
    for (bool more = true; more;) {
        DT_TRY(dt_rows_next(s->rows, take_rows, r, &more));
        if (root)
            dt_log_progress("evaluating", more ? dt_rows_share(s->rows) : 1.0);
    }
    dt_comm_sum_i64(comm, &r->rows, 1);
    if (r->settings.skips)
        DT_TRY(dt_scoring_report_bad(&r->bad, s, r->rows, true));
    DT_TRY(dt_scoring_warn(s));
    DT_TRY(dt_evaluation_compute(&evaluation, comm, &r->scores, NULL));
    if (root && dt_task_of(s->model.network.loss)->classes)
        warn_of_one_class(s, &evaluation);
    if (root)
        status = r->settings.json ? print_json(r, &evaluation) : report(r, &evaluation);
    DT_TRY(dt_comm_agree(comm, status));
    if (!r->settings.json)
        report_summary(r, &evaluation);
out:
    dt_evaluation_clear(&evaluation);
    return status;
}

dt_status dt_cli_evaluate(const dt_comm *comm, int argc, char **argv)
{
    run *r = NULL; /* too large for the stack */
    dt_status status = dt_comm_agree(comm, dt_memory_alloc(&r, 1, sizeof *r, "run"));
    if (status == DT_OK)
        status = run_all(r, comm, argc, argv);
    if (r == NULL)
        return status;
    dt_scores_clear(&r->scores);
    dt_scoring_clear(&r->scoring);
    dt_memory_free(r);
    return status;
}
