#include "commands.h"

#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
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
    bool quiet;
} settings;

#define AT(field) offsetof(settings, field)

static const dt_option options[] = {
    {"inputs", "NAME", DT_OPTION_TEXT, AT(scoring.inputs), 0, 0, NULL, NULL,
     "array of inputs in a .npz; found by itself when it has a usual name"},
    {"targets", "NAME", DT_OPTION_TEXT, AT(scoring.targets), 0, 0, NULL, NULL,
     "array of class ids in a .npz, or one-hot rows"},
    {"set", "NAME", DT_OPTION_CHOICE, AT(scoring.set), 0, 0, "train|validation|test", "test",
     "of a folder or prefix with several sets, the one to take"},
    {"quiet", NULL, DT_OPTION_FLAG, AT(quiet), 0, 0, NULL, NULL, "print the summary alone"},
};

static const dt_option_table table = {
    .options = options,
    .count = sizeof options / sizeof *options,
    .given = AT(given),
    .usage = "Usage: dtrain evaluate MODEL DATA [OPTIONS]\n"
             "       mpirun -np 8 dtrain evaluate MODEL DATA [OPTIONS]\n\n"
             "Tells how good a model is on labelled rows, beside what always answering the\n"
             "most frequent class would reach; the same numbers on any number of ranks. MODEL\n"
             "is a .h5 or .keras file, or a run's folder. DATA is a .npz, a folder or prefix\n"
             "as for training, or a table of text with the columns that the model was prepared\n"
             "from.",
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
    DT_TRY(dt_scoring_parse_words(&out->scoring, words, argv, "evaluate takes a model and data"));
    out->scoring.set_asked = dt_options_given(&table, out, "set");
out:
    return status;
}

/* ---- the report on stdout ---- */

/* The questions, as the table and the summary have them. */
static const struct {
    const char *key, *name, *unit;
    size_t offset;
} questions[] = {
    {"accuracy", "accuracy", "share of rows", offsetof(dt_quality, accuracy)},
    {"loss", "loss", "nats per row, as Keras", offsetof(dt_quality, loss)},
    {"log_loss", "log loss", "nats per row", offsetof(dt_quality, log_loss)},
    {"brier", "Brier score", "0 is best", offsetof(dt_quality, brier)},
    {"calibration_error", "calibration", "error, 10 bins", offsetof(dt_quality, calibration_error)},
    {"roc_auc", "ROC-AUC", "area under the curve", offsetof(dt_quality, roc_auc)},
    {"pr_auc", "PR-AUC", "average precision", offsetof(dt_quality, pr_auc)},
    {"precision", "precision", "mean over classes", offsetof(dt_quality, precision)},
    {"recall", "recall", "mean over classes", offsetof(dt_quality, recall)},
    {"f1", "F1", "mean over classes", offsetof(dt_quality, f1)},
};
enum { QUESTIONS = sizeof questions / sizeof *questions };

static double answer(const dt_quality *quality, size_t question)
{
    double value;
    memcpy(&value, (const char *)quality + questions[question].offset, sizeof value);
    return value;
}

/* Above an empty line. */
DT_MUST_USE static dt_status say_table(dt_text_table *cells)
{
    const dt_status status = dt_text_table_say(cells);
    dt_log_say("\n");
    return status;
}

DT_MUST_USE static dt_status report_quality(const dt_evaluation *e)
{
    dt_text_table cells = {0};
    dt_text_table_titles(&cells, "|>model|>majority|");
    for (size_t q = 0; q < QUESTIONS; q++) {
        dt_text_table_add(&cells, "%s", questions[q].name);
        dt_text_table_add(&cells, "%.4f", answer(&e->model, q));
        dt_text_table_add(&cells, "%.4f", answer(&e->majority, q));
        dt_text_table_add(&cells, "%s", questions[q].unit);
    }
    return say_table(&cells);
}

/* As many classes as a person reads. */
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
        dt_text_table_add(&cells, "%s", dt_scoring_class(name, sizeof name, s, c));
        dt_text_table_add(&cells, "%lld", (long long)k->rows);
        dt_text_table_add(&cells, "%lld", (long long)k->predicted);
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
            dt_text_table_add(&cells, "%.4f", parts[i]);
    }
    return say_table(&cells);
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

static void report_summary(const dt_evaluation *e)
{
    dt_log_result("summary.rows=%llu\n", (unsigned long long)e->N);
    for (size_t q = 0; q < QUESTIONS; q++) {
        dt_log_result("summary.%s=%.17g\n", questions[q].key, answer(&e->model, q));
        dt_log_result("summary.majority_%s=%.17g\n", questions[q].key, answer(&e->majority, q));
    }
    dt_log_result("summary.status=ok\n");
}

/* ---- the run ---- */

typedef struct run {
    settings settings;
    dt_scoring scoring;
    dt_scores scores;
} run;

static dt_status take_rows(void *context, const dt_row_batch *rows)
{
    run *r = context;
    dt_predictor *predictor = &r->scoring.predictor;
    dt_status status = dt_scores_reserve(&r->scores, rows->count);
    if (status != DT_OK)
        return status;
    dt_predictor_run(predictor, rows->x, NULL, rows->count);
    dt_scores_add(&r->scores, predictor->p, rows->y, predictor->predicted, rows->count);
    return DT_OK;
}

DT_MUST_USE static dt_status report(const run *r, const dt_evaluation *e)
{
    dt_status status = DT_OK;
    dt_log_say("model  %s\ndata   %s: %llu rows, %zu classes\n\n", r->settings.scoring.model,
               dt_rows_source(r->scoring.rows), (unsigned long long)e->N, e->C);
    DT_TRY(report_quality(e));
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
    dt_log_init(root, r->settings.quiet);
    DT_TRY(dt_scoring_open(s, comm, &r->settings.scoring, true));
    DT_TRY(dt_comm_agree(comm, dt_scores_init(&r->scores, s->model.network.C, 0, true)));
    for (bool more = true; more;) {
        DT_TRY(dt_rows_next(s->rows, take_rows, r, &more));
        if (root)
            dt_log_progress("evaluating", more ? dt_rows_share(s->rows) : 1.0);
    }
    DT_TRY(dt_evaluation_compute(&evaluation, comm, &r->scores, NULL));
    if (root)
        status = report(r, &evaluation);
    DT_TRY(dt_comm_agree(comm, status));
    report_summary(&evaluation);
    DT_TRY(dt_scoring_warn(s));
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
